// Playing: the cursor moves by itself, as time passed in the run, with pauses cut short.

import type { Lab } from "./lab.svelte.ts";
import { pauses } from "./pauses.ts";
import { nextSeen } from "./steps.ts";

/** What a flight takes when it is played at speed 1, and how long a step takes at least and at most. */
const FLIGHT_MS = 900;
const LEAST_MS = 130;
const MOST_MS = 1000;

export class Player {
  isPlaying = $state(false);
  speed = $state(1);
  readonly #lab: Lab;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  toggle(): void {
    if (this.isPlaying) this.stop();
    else this.start();
  }

  start(): void {
    const { pane } = this.#lab;
    if (!pane) return;
    const run = this.#lab.visible(pane);
    if (pane.cursor >= run.events.length - 1 && !this.#lab.quiz.isOn) this.#lab.select(pane, 0);
    this.isPlaying = true;
    this.#wait();
  }

  stop(): void {
    this.isPlaying = false;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const { pane } = this.#lab;
    if (!pane) return this.stop();
    const run = this.#lab.visible(pane);
    if (pane.cursor >= run.events.length - 1) return this.stop();
    const to = nextSeen(run, pane.cursor);
    const passed_ns = run.events[to]!.time_ns - run.events[pane.cursor]!.time_ns;
    const real_ms = (passed_ns / pauses(pane.run).flight_ns) * FLIGHT_MS;
    const wait_ms = Math.min(MOST_MS, Math.max(LEAST_MS, real_ms)) / this.speed;
    this.#timer = setTimeout(() => {
      if (!this.isPlaying || this.#lab.pane !== pane) return this.stop();
      this.#lab.select(pane, to);
      this.#wait();
    }, wait_ms);
  }
}
