// The contract of a view: a pure function of a run and a cursor, and one way to speak.

import type { Book } from "./book.ts";
import type { Position, Run } from "./run.ts";

export interface ViewProps {
  /** What is shown. Where a learner is asked, it ends before the answer. */
  run: Run;
  /** What names mean. */
  book: Book;
  /** The event that everything stands at: a position in `run.events`; -1 in an empty run. */
  cursor: Position;
  /** Moves the cursor, for all views at once. */
  select: (position: Position) => void;
}

/** The views, in the order of the keys `1` to `7`. */
export const VIEWS = ["sequence", "header", "buffers", "states", "time_sequence", "congestion", "why"] as const;
export type ViewName = (typeof VIEWS)[number];
