// Runs that lie in the page itself: a page written by `tcpstack export`, without a server behind it.

import { EMPTY_BOOK, type Book } from "../book.ts";
import type { Lesson } from "../lesson.ts";
import type { Difference, Rule, Run } from "../run.ts";
import { sameRules } from "../rules.ts";
import { both } from "../text.ts";
import { Unplayable, type Opening, type Played, type Source } from "./source.ts";

interface Data {
  book: Book | null;
  lessons: Lesson[];
  runs: Run[];
  /** For each run that has the reader's rules, where it parts from the one without. */
  differences?: (Difference | null)[];
  /** Index of the run that is shown first. */
  selected?: number;
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

  async session(): Promise<{ language: null; open: Opening }> {
    const run = this.#data.runs[this.#data.selected ?? 0] ?? this.#data.runs[0];
    if (!run) throw new Unplayable(both("data.empty"));
    const { origin } = run;
    const isOfLesson = origin.type === "simulated" && this.#data.lessons.some(({ number }) => number === origin.lesson);
    return {
      language: null,
      open: isOfLesson ? { type: "lesson", lesson: origin.lesson, scenario: origin.scenario } : { type: "run", run },
    };
  }

  async play(lesson: number, scenario: string, rules: Rule[]): Promise<Played> {
    const index = this.#data.runs.findIndex(
      ({ origin }) =>
        origin.type === "simulated" &&
        origin.lesson === lesson &&
        origin.scenario === scenario &&
        sameRules(origin.rules.filter((rule) => !rule.of_scenario), rules),
    );
    const run = this.#data.runs[index];
    if (!run) throw new Unplayable(both(rules.length ? "data.not_with_rules" : "data.not_here"));
    return { run, difference: rules.length ? this.#data.differences?.[index] : null };
  }
}
