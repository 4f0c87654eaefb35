// Which part of the time axis a graph shows, and the ways to change it: wheel, drag, keys, buttons. A part is two
// fractions of the axis, so it means the same when a live run grows.

import { momentAt, placeOf, type Timeline } from "./timeline.ts";

/** The narrowest part, as a fraction of the whole. */
const NARROWEST = 1e-6;
/** A drag is no click when it goes farther than this, in pixels. */
const SLACK = 4;

export class Zoom {
  from = $state(0);
  until = $state(1);
  width = $state(600);
  readonly #timeline: () => Timeline;
  #drag: { x: number; from: number; moved: boolean } | null = null;

  constructor(timeline: () => Timeline) {
    this.#timeline = timeline;
  }

  get isWhole(): boolean {
    return this.from <= 0 && this.until >= 1;
  }

  /** Where a moment is drawn, in pixels from the left. */
  x(ns: number): number {
    return this.xOfPlace(placeOf(this.#timeline(), ns));
  }

  xOfPlace(place: number): number {
    return ((place - this.from) / (this.until - this.from)) * this.width;
  }

  /** Which moment is drawn there. */
  moment(x: number): number {
    return momentAt(this.#timeline(), this.from + (x / this.width) * (this.until - this.from));
  }

  /** Shows `factor` times as much, around the place at `x` pixels. */
  by(factor: number, x = this.width / 2): void {
    const span = Math.min(1, Math.max(NARROWEST, (this.until - this.from) * factor));
    const share = x / this.width;
    this.#show(this.from + share * (this.until - this.from) - share * span, span);
  }

  /** Moves on by a share of what is shown. */
  pan(share: number): void {
    const span = this.until - this.from;
    this.#show(this.from + share * span, span);
  }

  reset(): void {
    this.#show(0, 1);
  }

  /** Moves so far that the moment can be seen. */
  follow(ns: number): void {
    const place = placeOf(this.#timeline(), ns);
    const span = this.until - this.from;
    if (place < this.from || place > this.until) this.#show(place - span / 2, span);
  }

  wheel = (event: WheelEvent): void => {
    // Zoomed out, the wheel scrolls the page as everywhere else.
    if (this.isWhole && event.deltaY > 0) return;
    event.preventDefault();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / this.width);
    else this.by(Math.exp(event.deltaY / 400), event.clientX - box.left);
  };

  down = (event: PointerEvent): void => {
    if (event.button === 0) this.#drag = { x: event.clientX, from: this.from, moved: false };
  };

  move = (event: PointerEvent): void => {
    const drag = this.#drag;
    if (!drag) return;
    const by = event.clientX - drag.x;
    if (!drag.moved && Math.abs(by) > SLACK) {
      drag.moved = true;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    }
    const span = this.until - this.from;
    if (drag.moved) this.#show(drag.from - (by / this.width) * span, span);
  };

  /** Ends a drag; whether it was a click. */
  up = (): boolean => {
    const click = this.#drag !== null && !this.#drag.moved;
    this.#drag = null;
    return click;
  };

  key = (event: KeyboardEvent): void => {
    const acts: Record<string, () => void> = {
      "+": () => this.by(0.6),
      "=": () => this.by(0.6),
      "-": () => this.by(1 / 0.6),
      "0": () => this.reset(),
    };
    const pans: Record<string, () => void> = { ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2) };
    const act = event.shiftKey ? (pans[event.key] ?? acts[event.key]) : acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  #show(from: number, span: number): void {
    this.from = Math.min(1 - span, Math.max(0, from));
    this.until = this.from + span;
  }
}
