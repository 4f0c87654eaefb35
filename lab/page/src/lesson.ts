// A lesson, as lab/src/lesson writes it.

import type { Rule, Text } from "./run.ts";
import type { ViewName } from "./view.ts";

export interface Lesson {
  number: number;
  id: string;
  title: Text;
  summary: Text;
  sections: Section[];
  scenarios: ScenarioHead[];
}

/** Texts are paragraphs parted by empty lines, with `code` and **strong**. */
export interface Section {
  title: Text;
  text: Text;
  scenario?: string;
  landmarks: string[];
}

export interface ScenarioHead {
  id: string;
  title: Text;
  text: Text;
  /** Shown beside these other scenarios of the lesson. */
  beside?: string[];
  /** What is best seen first, beside the sequence diagram. */
  view?: ViewName | "programs";
  experiments: Experiment[];
}

export interface Experiment {
  text: Text;
  rules: Rule[];
}
