// Where runs come from. The page is the same wherever it lies: this is all that differs.

import type { Book } from "../book.ts";
import type { Lesson } from "../lesson.ts";
import type { Difference, Rule, Run } from "../run.ts";

/** What was asked to be opened. */
export type Opening =
  | { type: "scenario"; lesson: number; scenario: string; language?: string }
  | { type: "log"; language?: string }
  | { type: "live"; language?: string };

export interface Played {
  run: Run;
  /** Where it parts from the run without the reader's rules; null: nowhere. */
  difference: Difference | null;
}

export interface Source {
  /** Whether a scenario can be played with other rules. */
  readonly canPlay: boolean;
  book(): Promise<Book>;
  lessons(): Promise<Lesson[]>;
  opening(): Promise<Opening>;
  /** A scenario with these rules beside its own. Rejects with `Unplayable` where it can't be had. */
  play(lesson: number, scenario: string, rules: Rule[]): Promise<Played>;
}

/** Why a run can't be had, to be told to the reader. */
export class Unplayable extends Error {}
