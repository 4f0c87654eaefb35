// The time axis of the graphs: true time, but for long stretches without any event, which are folded to a narrow mark
// that says how long they are. A place on it is a fraction, 0 at its beginning and 1 at its end.

import { scaleLinear } from "d3-scale";

import type { Run } from "../../run.ts";
import type { Pair } from "../connections.ts";

/** A stretch of time, and where it lies on the axis. */
export interface Stretch {
  from_ns: number;
  until_ns: number;
  a: number;
  b: number;
  folded: boolean;
}

export interface Timeline {
  stretches: Stretch[];
  from_ns: number;
  until_ns: number;
}

/** A gap is folded that is so many times as long as all that is left without it. */
const LONG = 2;
const MOST_FOLDS = 12;
/** How much of the axis a fold takes, and the margin at both ends. */
const FOLD = 0.05;
const MARGIN = 0.015;

/** The axis of ascending times. */
export function timelineOf(times: ArrayLike<number>): Timeline {
  const first = times[0] ?? 0;
  const last = Math.max(times[times.length - 1] ?? 0, first + 1);
  const folds = foldsOf(times, last - first);
  const busy = last - first - folds.reduce((sum, [from, until]) => sum + until - from, 0);
  const scale = (1 - 2 * MARGIN - folds.length * FOLD) / busy;
  const stretches: Stretch[] = [];
  let at = MARGIN;
  let from = first;
  const add = (until: number, folded: boolean) => {
    const b = at + (folded ? FOLD : (until - from) * scale);
    stretches.push({ from_ns: from, until_ns: until, a: at, b, folded });
    at = b;
    from = until;
  };
  for (const [start, end] of folds) {
    add(start, false);
    add(end, true);
  }
  add(last, false);
  return { stretches, from_ns: first, until_ns: last };
}

function foldsOf(times: ArrayLike<number>, whole: number): [number, number][] {
  const gaps: [number, number][] = [];
  let least = 0;
  for (let i = 1; i < times.length; i++) {
    if (times[i]! - times[i - 1]! <= least) continue;
    gaps.push([times[i - 1]!, times[i]!]);
    if (gaps.length > 4 * MOST_FOLDS) {
      gaps.sort((x, y) => y[1] - y[0] - (x[1] - x[0])).length = MOST_FOLDS;
      least = gaps[MOST_FOLDS - 1]![1] - gaps[MOST_FOLDS - 1]![0];
    }
  }
  gaps.sort((x, y) => y[1] - y[0] - (x[1] - x[0]));
  const folds: [number, number][] = [];
  let rest = whole;
  for (const [from, until] of gaps.slice(0, MOST_FOLDS)) {
    const without = rest - (until - from);
    if (without <= 0 || until - from < LONG * without) break;
    folds.push([from, until]);
    rest = without;
  }
  return folds.sort((x, y) => x[0] - y[0]);
}

/** Where a moment lies on the axis. */
export function placeOf(timeline: Timeline, ns: number): number {
  const { stretches } = timeline;
  let i = 0;
  while (i < stretches.length - 1 && ns > stretches[i]!.until_ns) i++;
  const { from_ns, until_ns, a, b } = stretches[i]!;
  const share = until_ns > from_ns ? (ns - from_ns) / (until_ns - from_ns) : 0;
  return a + Math.min(1, Math.max(0, share)) * (b - a);
}

/** Which moment lies at a place of the axis. */
export function momentAt(timeline: Timeline, place: number): number {
  const { stretches } = timeline;
  let i = 0;
  while (i < stretches.length - 1 && place > stretches[i]!.b) i++;
  const { from_ns, until_ns, a, b } = stretches[i]!;
  const share = b > a ? (place - a) / (b - a) : 0;
  return from_ns + Math.min(1, Math.max(0, share)) * (until_ns - from_ns);
}

/** Moments to write at the axis between two places, some `apart` (a fraction of the axis) from each other. */
export function ticksOf(timeline: Timeline, from: number, until: number, apart: number): number[] {
  return timeline.stretches.flatMap((stretch) => {
    const [a, b] = [Math.max(stretch.a, from), Math.min(stretch.b, until)];
    if (stretch.folded || b <= a) return [];
    const n = Math.floor((b - a) / apart);
    const range = [momentAt(timeline, a), momentAt(timeline, b)];
    if (n < 1) return stretch.a >= from ? [stretch.from_ns] : [];
    return scaleLinear(range, [a, b]).ticks(n);
  });
}

const timelines = new WeakMap<Run, Map<Pair, Timeline>>();

/** The axis of everything that happened to a connection. */
export function timelineOfPair(run: Run, pair: Pair | undefined): Timeline {
  if (!pair) return timelineOf([0]);
  let known = timelines.get(run);
  if (!known) timelines.set(run, (known = new Map()));
  const found = known.get(pair);
  if (found) return found;
  const positions = pair.ends.flatMap((end) => end?.events ?? []).sort((a, b) => a - b);
  const timeline = timelineOf(positions.map((position) => run.events[position]!.time_ns));
  known.set(pair, timeline);
  return timeline;
}
