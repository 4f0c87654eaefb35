// What is written on an arrow, as short as its room asks for, and where on it.

import type { SegmentRecord } from "../../run.ts";
import { along, type Line } from "./geometry.ts";

/** Of the monospaced text at 12 px. */
const CHARACTER = 7.3;

/** Relative where the run knows it, as everywhere on the page. */
export function seqOf(record: SegmentRecord): number {
  return record.relative_seq ?? record.seq;
}

export function ackOf(record: SegmentRecord): number {
  return record.relative_ack ?? record.ack;
}

/** The longest wording that fits `room` pixels; empty if none does. */
export function labelOf(record: SegmentRecord, room: number): string {
  const flags = record.flags.split("|").filter((flag) => flag);
  const hasAck = flags.includes("ACK");
  const named = flags.join(" ");
  const seq = seqOf(record);
  const length = record.len > 0 ? ` len=${record.len}` : "";
  const times = record.segments > 1 ? ` (${record.segments}×)` : "";
  const ack = hasAck ? ` ack=${ackOf(record)}` : "";
  const window = ` win=${record.window_bytes}`;
  const closed = record.window_bytes === 0 && hasAck ? window : "";
  const bare = flags.length === 1 && hasAck && record.len === 0;
  const wordings = [
    `${named} seq=${seq}${ack}${length}${times}${hasAck ? window : ""}`,
    `${named} seq=${seq}${ack}${length}${times}${closed}`,
    bare ? `ACK${ack}${closed}` : `${named} seq=${seq}${length}${times}${closed}`,
    bare ? `ack=${ackOf(record)}${closed}` : `${initials(flags)} seq=${seq}${length}${closed}`,
    bare ? `ack=${ackOf(record)}` : `${initials(flags)} ${seq}${record.len > 0 ? `+${record.len}` : ""}${closed}`,
    bare ? `${ackOf(record)}` : named,
  ];
  return wordings.find((wording) => widthOf(wording) <= room) ?? "";
}

function initials(flags: string[]): string {
  return flags.length === 1 ? flags[0]! : flags.map((flag) => flag[0]).join("");
}

export function widthOf(text: string): number {
  return text.length * CHARACTER;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Only labels as near as this in the order from the top can meet. */
const NEAR = 240;

/** Finds a place for each label in turn, from the top: on its line, where no label is yet. */
export class Placer {
  #taken: Box[] = [];

  /** The share of the way (of those offered) at which a label of this width is in nothing's way; undefined: none. */
  place(width: number, line: Line, shares: readonly number[]): number | undefined {
    for (const share of shares) {
      const boxes = boxesAlong(line, share, width);
      if (boxes.some((box) => this.#taken.some((other) => overlap(box, other)))) continue;
      this.#take(boxes);
      return share;
    }
    return undefined;
  }

  /** Keeps labels away from here. */
  block(left: number, top: number, width: number, height: number): void {
    this.#take([{ left, right: left + width, top, bottom: top + height }]);
  }

  #take(boxes: Box[]): void {
    this.#taken.push(...boxes);
    if (this.#taken.length > 2 * NEAR) this.#taken = this.#taken.slice(-NEAR);
  }
}

/** A label on a slope is as high as its slope: it is taken in pieces. */
const PIECE = 36;

function boxesAlong(line: Line, share: number, width: number): Box[] {
  const length = Math.hypot(line.x1 - line.x0, line.y1 - line.y0) || 1;
  const count = Math.max(1, Math.ceil(width / PIECE));
  return Array.from({ length: count }, (_, index) => {
    const offset = ((index + 0.5) / count - 0.5) * width;
    const { x, y } = along(line, share + offset / length);
    return { left: x - width / count / 2, right: x + width / count / 2, top: y - 15, bottom: y - 2 };
  });
}
function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
