// Runs that lie in the page itself: a page written by `tcpstack export`, without a server behind it.

import { EMPTY_BOOK, type Book } from "../book.ts";
import type { Lesson } from "../lesson.ts";
import type { Rule, Run } from "../run.ts";
import { sameRules } from "../rules.ts";
import { Unplayable, type Opening, type Played, type Source } from "./source.ts";

interface Data {
  book: Book | null;
  lessons: Lesson[];
  runs: Run[];
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

  async opening(): Promise<Opening> {
    const run = this.#first();
    return run?.origin.type === "simulated"
      ? { type: "scenario", lesson: run.origin.lesson, scenario: run.origin.scenario }
      : { type: "log" };
  }

  async play(lesson: number, scenario: string, rules: Rule[]): Promise<Played> {
    const run = this.#data.runs.find(
      ({ origin }) =>
        origin.type === "simulated" &&
        origin.lesson === lesson &&
        origin.scenario === scenario &&
        sameRules(origin.rules.filter((rule) => !rule.of_scenario), rules),
    );
    if (!run) throw new Unplayable(`lesson ${lesson}, ${scenario}`);
    return { run, difference: null };
  }

  /** The run of a recording or a capture, which no scenario names. */
  recording(): Run | undefined {
    return this.#first();
  }

  #first(): Run | undefined {
    return this.#data.runs[this.#data.selected ?? 0];
  }
}
