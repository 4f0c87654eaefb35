// A run that goes on: pieces put together into the run so far.

import type { Run } from "../run.ts";
import type { Live } from "./source.ts";

/** Pieces may come faster than a screen is drawn. */
const PAUSE_MS = 100;

export class Follower {
  #run: Run;
  readonly #grew: (run: Run) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string, grew: (run: Run) => void) {
    this.#grew = grew;
    this.#run = {
      format: "tcpstack-run",
      version: 1,
      origin: { type: "recorded", files: [name], live: true },
      title: { en: name, zh: name },
      hosts: [],
      events: [],
      flights: [],
      calls: [],
      limits: [],
      landmarks: [],
      questions: [],
      listings: [],
    };
  }

  hear(piece: Live): void {
    const { events, flights, calls, limits } = this.#run;
    events.splice(piece.first, Infinity, ...piece.events);
    for (const [index, flight] of piece.flights) flights[index] = flight;
    for (const [index, call] of piece.calls) calls[index] = call;
    for (const [index, limit] of piece.limits) limits[index] = limit;
    this.#run.hosts = piece.hosts;
    this.#run.title = piece.title;
    this.#timer ??= setTimeout(() => this.#tell(), PAUSE_MS);
  }

  /** Views know a run by its identity: each that is told is a new one. */
  #tell(): void {
    this.#timer = undefined;
    const { events, flights, calls, limits } = this.#run;
    this.#grew({ ...this.#run, events: [...events], flights: [...flights], calls: [...calls], limits: [...limits] });
  }
}
