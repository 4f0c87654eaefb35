// A time-sequence graph on a canvas, thinned out by pixel: however many marks there are, no pixel is painted much more
// than once, and no retransmission and no loss is ever left out.

import type { AckMark, Marks, SegmentMark } from "./marks.ts";
import { firstFrom } from "./marks.ts";

/** Where a mark is painted. */
export interface Frame {
  width: number;
  height: number;
  x: (ns: number) => number;
  y: (number: number) => number;
  /** The moments at both edges. */
  from_ns: number;
  until_ns: number;
}

export interface Colours {
  segment: string;
  retransmission: string;
  lost: string;
  ack: string;
  window: string;
  sacked: string;
}

/** What can be seen: from the mark before the left edge to the one behind the right. */
export function visible<M extends { time_ns: number }>(marks: M[], frame: Frame): [number, number] {
  return [Math.max(0, firstFrom(marks, frame.from_ns) - 1), Math.min(marks.length, firstFrom(marks, frame.until_ns + 1) + 1)];
}

export function paint(context: CanvasRenderingContext2D, marks: Marks, frame: Frame, colours: Colours): void {
  context.clearRect(0, 0, frame.width, frame.height);
  const [firstAck, endAck] = visible(marks.acks, frame);
  const acks = marks.acks.slice(firstAck, endAck);
  paintSteps(context, acks, (ack) => ack.edge, frame, colours.window, [6, 3]);
  paintSteps(context, acks, (ack) => ack.ack, frame, colours.ack, []);
  context.fillStyle = colours.sacked;
  for (const bar of thinned(acks.flatMap((ack) => ack.sacked.map(([from, to]) => ({ time_ns: ack.time_ns, from, to }))), frame)) {
    // A little to the right: a segment that is sent in answer stands on the same moment.
    context.fillRect(bar.x + 3, bar.top, 3, Math.max(1, bar.bottom - bar.top));
  }
  const [first, end] = visible(marks.segments, frame);
  const segments = marks.segments.slice(first, end);
  context.fillStyle = colours.segment;
  for (const bar of thinned(segments.filter((one) => !one.retransmission && !one.lost), frame)) paintBar(context, bar);
  paintSpecial(context, segments, frame, colours);
}

interface PixelBar {
  x: number;
  top: number;
  bottom: number;
  /** Whether it is one mark, rather than several in a column. */
  single: boolean;
}

/** Bars of one pixel column that touch each other become one. */
function thinned(bars: { time_ns: number; from: number; to: number }[], frame: Frame): PixelBar[] {
  const out: PixelBar[] = [];
  let last: PixelBar | undefined;
  for (const bar of bars) {
    const x = Math.round(frame.x(bar.time_ns));
    const top = Math.round(frame.y(bar.to));
    const bottom = Math.max(top + 1, Math.round(frame.y(bar.from)));
    if (last && last.x === x && top <= last.bottom + 1 && bottom >= last.top - 1) {
      // Side by side in one column, with room between: their ends still show where one ends and the next begins.
      const isFine = bottom - top > 5;
      if (!isFine) {
        last.top = Math.min(last.top, top);
        last.bottom = Math.max(last.bottom, bottom);
        last.single = false;
        continue;
      }
    }
    last = { x, top, bottom, single: true };
    out.push(last);
  }
  return out;
}

/** A bar with a foot and a head, as tcptrace has it, where there is room for them. */
function paintBar(context: CanvasRenderingContext2D, { x, top, bottom, single }: PixelBar): void {
  context.fillRect(x, top, 1.5, bottom - top);
  if (!single || bottom - top < 6) return;
  context.fillRect(x - 2.5, top, 6.5, 1);
  context.fillRect(x - 2.5, bottom - 1, 6.5, 1);
}

function paintSpecial(context: CanvasRenderingContext2D, segments: SegmentMark[], frame: Frame, colours: Colours): void {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  const written = new Set<string>();
  for (const one of segments) {
    if (!one.retransmission && !one.lost && !one.letter) continue;
    const x = Math.round(frame.x(one.time_ns));
    const top = Math.round(frame.y(one.to));
    const bottom = Math.max(top + 3, Math.round(frame.y(one.from)));
    context.fillStyle = one.lost ? colours.lost : one.retransmission ? colours.retransmission : colours.segment;
    if (one.lost || one.retransmission) context.fillRect(x - 1.5, top, 4, bottom - top);
    const letters = `${one.letter}${one.retransmission ? "R" : ""}${one.lost ? "✗" : ""}`;
    // One letter for each 14 pixels at most: the bars are all there.
    const cell = `${letters} ${Math.floor(x / 14)} ${Math.floor(top / 14)}`;
    if (written.has(cell)) continue;
    written.add(cell);
    context.fillText(letters, x, top > 14 ? top - 3 : bottom + 12);
  }
}

/** A line that keeps its height until the next mark; in one pixel column its lowest and highest points are kept. */
function paintSteps(
  context: CanvasRenderingContext2D,
  acks: AckMark[],
  value: (ack: AckMark) => number,
  frame: Frame,
  colour: string,
  dash: number[],
): void {
  if (acks.length === 0) return;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dash);
  context.beginPath();
  let [x, low, high, y] = [Number.NaN, 0, 0, 0];
  const flush = () => {
    if (high < low) {
      context.lineTo(x, high);
      context.lineTo(x, low);
    }
    context.lineTo(x, y);
  };
  for (const ack of acks) {
    const at = Math.round(frame.x(ack.time_ns)) + 0.5;
    const to = frame.y(value(ack));
    if (at !== x) {
      if (Number.isNaN(x)) context.moveTo(at, to);
      else {
        flush();
        context.lineTo(at, y);
      }
      [x, low, high] = [at, to, to];
    }
    low = Math.max(low, to);
    high = Math.min(high, to);
    y = to;
  }
  flush();
  context.lineTo(Math.min(frame.width, frame.x(frame.until_ns)), y);
  context.stroke();
  context.setLineDash([]);
}
