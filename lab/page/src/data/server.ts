// Runs from `tcpstack lab`, which serves this page. The token of the page's address goes with every request.

import type { Book } from "../book.ts";
import type { Lesson } from "../lesson.ts";
import type { Rule, Run, Text } from "../run.ts";
import { Unplayable, type Live, type Opening, type Overview, type Played, type Session, type Source } from "./source.ts";

/** Who hears of a run that goes on. */
export interface Listener {
  piece: (piece: Live) => void;
  /** It has become too long for one page. */
  becameLog: (opening: Opening) => void;
  connected: (is: boolean) => void;
  /** Why nothing more will come. */
  trouble: (why: Text) => void;
}

export class ServerSource implements Source {
  readonly canPlay = true;
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  book(): Promise<Book> {
    return this.#get("book");
  }

  lessons(): Promise<Lesson[]> {
    return this.#get("lessons");
  }

  session(): Promise<Session> {
    return this.#get("session");
  }

  async play(lesson: number, scenario: string, rules: Rule[]): Promise<Played> {
    const path = `runs/${lesson}/${encodeURIComponent(scenario)}`;
    if (rules.length === 0) return { run: await this.#get(path), difference: null };
    return this.#fetch(path, {}, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ rules }) });
  }

  window(first: number, count: number): Promise<Run> {
    return this.#get("log/window", { first, count });
  }

  overview(from_ns: number, until_ns: number, pixels: number): Promise<Overview> {
    return this.#get("log/overview", { from_ns, until_ns, pixels });
  }

  /** Hears of a run that goes on; returns what ends it. */
  live(hear: Listener): () => void {
    const stream = new EventSource(this.#address("live", {}));
    stream.addEventListener("open", () => hear.connected(true));
    // The browser connects again by itself, and says with Last-Event-ID how far it has come.
    stream.addEventListener("error", () => hear.connected(false));
    stream.addEventListener("run", (event) => hear.piece(JSON.parse(event.data) as Live));
    stream.addEventListener("log", (event) => {
      stream.close();
      hear.becameLog(JSON.parse(event.data) as Opening);
    });
    // What can't be read now can't be read when it is asked for again.
    stream.addEventListener("trouble", (event) => {
      stream.close();
      hear.trouble(JSON.parse(event.data) as Text);
    });
    return () => stream.close();
  }

  #get<T>(path: string, values: Record<string, string | number> = {}): Promise<T> {
    return this.#fetch(path, values, {});
  }

  async #fetch<T>(path: string, values: Record<string, string | number>, init: RequestInit): Promise<T> {
    const answer = await fetch(this.#address(path, values), init);
    if (!answer.ok) throw new Unplayable(await reasonOf(answer));
    return (await answer.json()) as T;
  }

  #address(path: string, values: Record<string, string | number>): string {
    const query = new URLSearchParams({ token: this.#token });
    for (const [key, value] of Object.entries(values)) query.set(key, String(value));
    return `/api/${path}?${query}`;
  }
}

/** What the server says is wrong; its status if it says nothing. */
async function reasonOf(answer: Response): Promise<Text> {
  try {
    const { error } = (await answer.json()) as { error: Text };
    if (error.en && error.zh) return error;
  } catch {
    // Not from the lab: its status has to do.
  }
  return { en: `HTTP ${answer.status}`, zh: `HTTP ${answer.status}` };
}
