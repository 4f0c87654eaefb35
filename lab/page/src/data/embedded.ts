// Runs that lie in the page itself: a page written by `tcpstack export`, without a server behind it.

import { EMPTY_BOOK, type Book } from "../book.ts";
import { language } from "../language.svelte.ts";
import type { Lesson } from "../lesson.ts";
import { formatLink } from "../link.ts";
import type { Difference, Rule, Run } from "../run.ts";
import { sameRules } from "../rules.ts";
import { both, type Language } from "../text.ts";
import type { Theme } from "../theme.svelte.ts";
import { Unplayable, type Played, type Session, type Source } from "./source.ts";

interface Data {
  book: Book | null;
  lessons: Lesson[];
  runs: Run[];
  /** For each run that has the reader's rules, where it parts from the one without. */
  differences?: (Difference | null)[];
  /** Index of the run that is shown first. */
  selected?: number;
  /** What was asked for when the page was written; none: as the reader likes. */
  language?: Language;
  theme?: Theme;
  /** Where the lessons are whose runs are elsewhere: by their numbers, the addresses of their pages. */
  pages?: Record<number, string>;
}

/** What the page carries; null: nothing, so it has a server. */
export function embeddedData(): Data | null {
  const element = document.getElementById("tcpstack-data");
  return element ? (JSON.parse(element.textContent ?? "null") as Data | null) : null;
}

export class EmbeddedSource implements Source {
  readonly canPlay = false;
  readonly #data: Data;

  constructor(data: Data) {
    this.#data = data;
  }

  async book(): Promise<Book> {
    return this.#data.book ?? EMPTY_BOOK;
  }

  async lessons(): Promise<Lesson[]> {
    return this.#data.lessons;
  }

  async session(): Promise<Session> {
    const run = this.#data.runs[this.#data.selected ?? 0] ?? this.#data.runs[0];
    if (!run) throw new Unplayable(both("data.empty"));
    const { origin } = run;
    const isOfLesson = origin.type === "simulated" && this.#data.lessons.some(({ number }) => number === origin.lesson);
    return {
      language: this.#data.language ?? null,
      theme: this.#data.theme,
      open: isOfLesson
        ? { type: "lesson", lesson: origin.lesson, scenario: origin.scenario, rules: rulesOfReader(origin.rules) }
        : { type: "run", run },
    };
  }

  async play(lesson: number, scenario: string, rules: Rule[]): Promise<Played> {
    const index = this.#data.runs.findIndex(
      ({ origin }) =>
        origin.type === "simulated" &&
        origin.lesson === lesson &&
        origin.scenario === scenario &&
        sameRules(rulesOfReader(origin.rules), rules),
    );
    const run = this.#data.runs[index];
    if (!run) await this.#leaveFor(lesson, scenario);
    if (!run) throw new Unplayable(both(rules.length ? "data.not_with_rules" : "data.not_here"));
    return { run, difference: rules.length ? this.#data.differences?.[index] : null };
  }

  /** Goes to the page that has this lesson, if that is another one; then this does not return. */
  async #leaveFor(lesson: number, scenario: string): Promise<void> {
    const page = this.#data.pages?.[lesson];
    const isHere = this.#data.runs.some(({ origin }) => origin.type === "simulated" && origin.lesson === lesson);
    if (page === undefined || isHere) return;
    const link = { lesson, scenario, rules: [], language: language(), predict: false, programs: false };
    location.assign(page + formatLink(link));
    await new Promise(() => {});
  }
}

/** What the reader did, without what the scenario does itself. */
function rulesOfReader(rules: Rule[]): Rule[] {
  return rules.filter((rule) => !rule.of_scenario);
}
