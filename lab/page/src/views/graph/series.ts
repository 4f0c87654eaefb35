// What a connection said of its windows and clocks over time, as lines: nothing is worked out here, every value is one
// that the stack gave.

import type { Position, Run, Snapshot } from "../../run.ts";
import { isUnset } from "../../run.ts";
import type { Connection } from "../connections.ts";

/** A line that keeps its height until the next point. */
export interface Line {
  times: number[];
  values: number[];
}

/** A stretch of time with a name. */
export interface Span {
  from_ns: number;
  until_ns: number;
  name: string;
}

/** A measured round trip. */
export interface Sample {
  time_ns: number;
  value: number;
  position: Position;
}

export const WINDOWS = ["cwnd", "ssthresh", "snd_wnd", "in_flight"] as const;
export const CLOCKS = ["srtt", "rto"] as const;
export type LineName = (typeof WINDOWS)[number] | (typeof CLOCKS)[number];

export interface Series {
  lines: Record<LineName, Line>;
  samples: Sample[];
  phases: (Span & { position: Position })[];
}

/** The value of a line in a snapshot; null: there is none. */
export function valueOf(name: LineName, snapshot: Snapshot): number | null {
  switch (name) {
    case "ssthresh":
      return isUnset(snapshot.ssthresh) ? null : snapshot.ssthresh;
    case "srtt":
      return snapshot.srtt_ns;
    case "rto":
      // Before the first round trip it is no more than a beginning, and would press all else flat.
      return snapshot.srtt_ns === null ? null : snapshot.rto_ns;
    default:
      return snapshot[name];
  }
}

const made = new WeakMap<Run, Map<Connection, Series>>();

/** The lines of a connection; made at the first asking. */
export function seriesOf(run: Run, connection: Connection): Series {
  let known = made.get(run);
  if (!known) made.set(run, (known = new Map()));
  const found = known.get(connection);
  if (found) return found;
  const series = gather(run, connection);
  known.set(connection, series);
  return series;
}

function gather(run: Run, connection: Connection): Series {
  const names: LineName[] = [...WINDOWS, ...CLOCKS];
  const lines = Object.fromEntries(names.map((name): [LineName, Line] => [name, { times: [], values: [] }])) as Record<LineName, Line>;
  const samples: Sample[] = [];
  const phases: Series["phases"] = [];
  for (const position of connection.events) {
    const { time_ns, kind, after } = run.events[position]!;
    if (kind.type === "rtt_measured") samples.push({ time_ns, value: kind.rtt_ns, position });
    if (kind.type === "congestion_changed") {
      if (phases.length > 0) phases.at(-1)!.until_ns = time_ns;
      phases.push({ from_ns: time_ns, until_ns: time_ns, name: kind.phase, position });
    }
    if (!after) continue;
    for (const name of names) extend(lines[name], time_ns, valueOf(name, after));
  }
  const end = run.events[connection.events.at(-1) ?? 0]?.time_ns ?? 0;
  if (phases.length > 0) phases.at(-1)!.until_ns = end;
  for (const name of names) finish(lines[name], end);
  return { lines, samples, phases };
}

/** A value that has not changed needs no point. */
function extend(line: Line, time: number, value: number | null): void {
  if (value === null || line.values.at(-1) === value) return;
  line.times.push(time);
  line.values.push(value);
}

function finish(line: Line, end: number): void {
  if (line.times.length === 0) return;
  line.times.push(end);
  line.values.push(line.values.at(-1)!);
}

/** The first of ascending times that is later than `ns`. */
export function after(times: ArrayLike<number>, ns: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What of a line lies between two moments, with the point before. */
export function between(line: Line, from_ns: number, until_ns: number): [number, number] {
  return [Math.max(0, after(line.times, from_ns) - 1), Math.min(line.times.length, after(line.times, until_ns) + 1)];
}

/**
 * The points to draw, in pixels: of each pixel column the first, the lowest, the highest and the last one, so that a
 * line of a million points looks as it is.
 */
export function thin(line: Line, range: [number, number], x: (ns: number) => number, y: (value: number) => number): [number, number][] {
  const points: [number, number][] = [];
  for (let i = range[0]; i < range[1]; ) {
    const column = Math.round(x(line.times[i]!));
    const first = line.values[i]!;
    let [low, high, last] = [first, first, first];
    for (; i < range[1] && Math.round(x(line.times[i]!)) === column; i++) {
      last = line.values[i]!;
      low = Math.min(low, last);
      high = Math.max(high, last);
    }
    const kept = [first, low, high, last].filter((value, at, all) => at === 0 || value !== all[at - 1]);
    for (const value of kept) points.push([column, y(value)]);
  }
  return points;
}

/** A band of what can be seen, in pixels. */
export interface Band {
  x: number;
  width: number;
  name: string;
}

/** Spans as bands; of those within one pixel the one that took longest. */
export function bandsOf(spans: Span[], from_ns: number, until_ns: number, x: (ns: number) => number): Band[] {
  const bands: Band[] = [];
  let column = Number.NaN;
  let shares = new Map<string, number>();
  const add = (at: number, width: number, name: string) => {
    const last = bands.at(-1);
    if (last && last.name === name && at - (last.x + last.width) < 1) last.width = at + width - last.x;
    else bands.push({ x: at, width, name });
  };
  const flush = () => {
    const longest = [...shares].sort((a, b) => b[1] - a[1])[0];
    if (longest) add(column, 1, longest[0]);
    shares = new Map();
  };
  for (const { from_ns: from, until_ns: until, name } of spans) {
    if (until < from_ns || from > until_ns || until <= from) continue;
    const [a, b] = [x(from), x(until)];
    if (b - a >= 1) {
      flush();
      add(a, b - a, name);
      continue;
    }
    if (Math.floor(a) !== column) flush();
    column = Math.floor(a);
    shares.set(name, (shares.get(name) ?? 0) + until - from);
  }
  flush();
  return bands;
}
