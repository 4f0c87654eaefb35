// The book, as lab/src/book writes it: what there is to know of TCP in general, in both languages.

import type { Text } from "./run.ts";

export interface Term {
  name: Text;
  text: Text;
  clause?: string;
}

export interface Book {
  header: HeaderField[];
  /** By the option's kind. */
  options: Record<string, Term>;
  flags: Record<string, Term>;
  states: Record<string, Term>;
  transitions: Transition[];
  timers: Record<string, Term>;
  limits: Record<string, Term>;
  phases: Record<string, Term>;
  counters: Record<string, Term>;
  reasons: Record<string, Term>;
}

export interface HeaderField {
  id: string;
  bit: number;
  bits: number;
  term: Term;
}

export interface Transition {
  from: string;
  to: string;
  label: Text;
}

/** What stands in for a book that was not given: every look-up falls back to the name itself. */
export const EMPTY_BOOK: Book = {
  header: [],
  options: {},
  flags: {},
  states: {},
  transitions: [],
  timers: {},
  limits: {},
  phases: {},
  counters: {},
  reasons: {},
};

/** The term of this name, or one that says no more than the name. */
export function term(of: Record<string, Term>, name: string): Term {
  return of[name] ?? { name: { en: name, zh: name }, text: { en: "", zh: "" } };
}
