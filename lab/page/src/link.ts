// What a link says: everything that is seen, in the address behind the `#`.

import { formatRules, parseRules } from "./rules.ts";
import type { Rule } from "./run.ts";
import type { Language } from "./text.ts";
import { VIEWS, type ViewName } from "./view.ts";

export interface Link {
  lesson?: number;
  scenario?: string;
  rules: Rule[];
  /** The cursor of the run that is active. */
  at?: number;
  /** A landmark, instead of a position. */
  mark?: string;
  /** Which of the runs side by side is active. */
  pane?: number;
  view?: ViewName;
  language?: Language;
  theme?: "light" | "dark";
  /** The first event of the window of a long recording. */
  first?: number;
  predict: boolean;
  /** Whether the programs are shown. */
  programs: boolean;
}

export function parseLink(hash: string): Link {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const language = values.get("lang");
  const theme = values.get("theme");
  return {
    lesson: count(values.get("lesson")),
    scenario: values.get("scenario") ?? undefined,
    rules: parseRules(values.get("rules") ?? ""),
    at: count(values.get("at")),
    mark: values.get("mark") ?? undefined,
    pane: count(values.get("pane")),
    view: VIEWS.find((view) => view === values.get("view")),
    language: language === "en" || language === "zh" ? language : undefined,
    theme: theme === "light" || theme === "dark" ? theme : undefined,
    first: count(values.get("first")),
    predict: values.get("predict") === "1",
    programs: values.get("programs") === "1",
  };
}

export function formatLink(link: Link): string {
  const values = new URLSearchParams();
  const put = (key: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "") values.set(key, String(value));
  };
  put("lesson", link.lesson);
  put("scenario", link.scenario);
  put("rules", formatRules(link.rules));
  put("first", link.first);
  put("pane", link.pane);
  put("at", link.at);
  put("view", link.view);
  put("lang", link.language);
  put("theme", link.theme);
  put("predict", link.predict ? 1 : undefined);
  put("programs", link.programs ? 1 : undefined);
  return `#${values}`;
}

function count(text: string | null): number | undefined {
  const value = Number(text);
  return text !== null && text !== "" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
