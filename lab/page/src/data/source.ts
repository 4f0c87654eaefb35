// Where runs come from. The page is the same wherever it lies: this is all that differs.

import type { Book } from "../book.ts";
import type { Lesson } from "../lesson.ts";
import type { CallSpan, Difference, Event, Flight, Host, LimitSpan, Rule, Run, Text } from "../run.ts";
import type { Language } from "../text.ts";
import type { Theme } from "../theme.svelte.ts";

/** What was asked to be opened. */
export type Opening =
  | { type: "lesson"; lesson: number; scenario: string | null; rules?: Rule[] }
  | { type: "log"; name: string; events: number; from_ns: number; until_ns: number; window: number }
  | { type: "live"; name: string }
  /** A run that lies in the page. */
  | { type: "run"; run: Run };

/** What whoever opened the page asked for. */
export interface Session {
  language: Language | null;
  theme?: Theme;
  open: Opening;
}

export interface Played {
  run: Run;
  /** Where it parts from the run without the reader's rules; null: nowhere; undefined: nobody compared them. */
  difference: Difference | null | undefined;
}

/** What a run that goes on has grown by: lists of events are appended, all else is put where its index says. */
export interface Live {
  /** Position of the first of `events`. */
  first: number;
  hosts: Host[];
  title: Text;
  events: Event[];
  flights: [number, Flight][];
  calls: [number, CallSpan][];
  limits: [number, LimitSpan][];
}

export type Band = ([number, number] | null)[];

/** A whole recording, thinned to pixels. */
export interface Overview {
  from_ns: number;
  until_ns: number;
  pixels: number;
  events: number;
  /** The number of the first event at or after each pixel's left edge. */
  first: number[];
  series: { host: string; connection: number; seq: Band; ack: Band; window: Band; cwnd: Band; in_flight: Band }[];
  marks: { pixel: number; retransmissions: number; losses: number; drops: number; first: number }[];
}

export interface Source {
  /** Whether a scenario can be played with other rules. */
  readonly canPlay: boolean;
  book(): Promise<Book>;
  lessons(): Promise<Lesson[]>;
  session(): Promise<Session>;
  /** A scenario with these rules beside its own. Rejects with `Unplayable` where it can't be had. */
  play(lesson: number, scenario: string, rules: Rule[]): Promise<Played>;
}

/** Why a run can't be had, to be told to the reader. */
export class Unplayable extends Error {
  readonly text: Text;

  constructor(text: Text) {
    super(text.en);
    this.text = text;
  }
}
