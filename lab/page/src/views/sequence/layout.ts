// Where everything of a sequence diagram stands: a pure function of a run, in pixels from the top.
//
// Time runs downwards and true: a flight that takes twice as long is twice as high. Two things bend it. Idle time
// is folded to a mark that says how long it was. And what happens at one instant is set apart, line below line, in
// the order in which it happened, so that a burst can be read. Where an event stands thus depends on its position,
// and grows with it.

import { isSegment, type Event, type Flight, type Position, type Run } from "../../run.ts";
import { pauses } from "../../pauses.ts";
import { places } from "../../places.ts";

/** Between two lines of text, and between two arrows that leave one host. */
export const ROW = 19;
const TOP = 22;
/** A burst of one instant is at most this high for each line between two hosts, and its arrows not nearer than that. */
const BURST_HEIGHT = 6 * ROW;
const NEAREST = 5;
/** What a typical flight is high. */
const FLIGHT_HEIGHT = 58;
const FOLD_HEIGHT = 46;
/** From a fold's end to the arrow behind it, which has its words above. */
const BELOW_FOLD = 1.5 * ROW;
/** What a fold is high at most when it is opened. */
const UNFOLDED_HEIGHT = 2400;
/** How far a lost segment comes: where it dies nobody knows. */
export const DIES_AT = 0.58;

export interface Fold {
  /** The event behind it. */
  next: Position;
  y: number;
  height: number;
  ns: number;
  open: boolean;
}

export interface Arrow {
  flight: number;
  from: number;
  to: number;
  /** The event that it begins with: it is to come while the cursor is before it. */
  start: Position;
  /** The event that it ends with. */
  end: Position | undefined;
  y0: number;
  /** Where it ends, arrived or not. */
  y1: number;
}

/** A line beside a lifeline. */
export interface Row {
  host: number;
  at: Position;
  y: number;
  /** Where the call that is entered here returns, if that is another line. */
  until?: number;
  /** The call, an index of the run's. */
  call?: number;
  kind: "call" | "returned" | "state" | "timer" | "dropped";
}

export interface Layout {
  /** By position. */
  y: Float64Array;
  height: number;
  folds: Fold[];
  /** In the order of `y0`. */
  arrows: Arrow[];
  /** In the order of `y`. */
  rows: Row[];
  /** The tallest arrow: how far above the window one may begin that crosses it. */
  tallest: number;
  /** Moments for the scale of time. */
  ticks: { y: number; ns: number }[];
}

/** Lays a run out; `unfolded` holds the positions whose folds were opened. */
export function layout(run: Run, unfolded: ReadonlySet<Position>): Layout {
  const { flight_ns, before } = pauses(run);
  const scale = FLIGHT_HEIGHT / flight_ns;
  const y = new Float64Array(run.events.length);
  const folds: Fold[] = [];
  const rows: Row[] = [];
  const ticks: { y: number; ns: number }[] = [];
  const lanes = new Map<string, number>();
  const bursts = burstsOf(run);
  let now = TOP;
  /** How far down what became of the segments so far is told. */
  let told = 0;
  let before_ns = run.events[0]?.time_ns ?? 0;
  let tickAt = -Infinity;
  run.events.forEach((event, position) => {
    const passed = Math.max(0, event.time_ns - before_ns);
    const gap = passed * scale;
    if (before.has(position)) {
      now = Math.max(now, told);
      const open = unfolded.has(position);
      const height = open ? Math.min(gap, UNFOLDED_HEIGHT) : FOLD_HEIGHT;
      folds.push({ next: position, y: now + ROW / 2, height, ns: passed, open });
      now += height + BELOW_FOLD + heightAbove(run, position, scale);
    } else {
      now += gap;
    }
    before_ns = Math.max(before_ns, event.time_ns);
    const row = rowOf(run, event, position);
    const lane = laneOf(run, event, position, row);
    if (lane) {
      const apart = row ? ROW : Math.max(NEAREST, Math.min(ROW, BURST_HEIGHT / (bursts.get(burstName(lane, event)) ?? 1)));
      now = Math.max(now, (lanes.get(lane) ?? -Infinity) + apart);
      lanes.set(lane, now + (row ? extraLines(run, row) * (ROW - 4) : 0));
      if (passed > 0 || position === 0 || tickAt === -Infinity) tickAt = tick(ticks, now, event.time_ns, tickAt);
    }
    if (row) rows.push({ ...row, y: now });
    y[position] = now;
    told = Math.max(told, now + spaceOfFate(run, position), now + (row ? extraLines(run, row) * (ROW - 4) : 0));
  });
  const arrows = arrowsOf(run, y, scale);
  closeCalls(run, rows, y);
  return {
    y,
    height: now + 60,
    folds,
    arrows,
    rows,
    ticks,
    tallest: arrows.reduce((most, arrow) => Math.max(most, arrow.y1 - arrow.y0), 0),
  };
}

/** What is needed below a segment's event to tell that it is lost, damaged, a duplicate: its cross and a word. */
function spaceOfFate(run: Run, position: Position): number {
  const index = places(run).flightOf.get(position);
  const flight = index === undefined ? undefined : run.flights[index]!;
  if (flight?.fate === "lost") return FLIGHT_HEIGHT * DIES_AT + ROW;
  const isTold = flight && (flight.fate === "damaged" || flight.fate === "duplicate" || flight.rule !== undefined);
  return isTold && flight.received === position ? ROW : 0;
}

/** How many segments leave or arrive at one instant, by lane. */
function burstsOf(run: Run): Map<string, number> {
  const bursts = new Map<string, number>();
  run.events.forEach((event, position) => {
    const lane = laneOf(run, event, position, undefined);
    if (!lane) return;
    const name = burstName(lane, event);
    bursts.set(name, (bursts.get(name) ?? 0) + 1);
  });
  return bursts;
}

function burstName(lane: string, event: Event): string {
  return `${lane} ${event.time_ns}`;
}

function tick(ticks: { y: number; ns: number }[], y: number, ns: number, last: number): number {
  if (y < last + ROW) return last;
  ticks.push({ y, ns });
  return y;
}

/** What two things must not share the height of; none: it needs no line of its own. */
function laneOf(run: Run, event: Event, position: Position, row: Omit<Row, "y"> | undefined): string | undefined {
  if (row) return `beside ${row.host}`;
  if (!isSegment(event.kind)) return undefined;
  const { flightOf, hostOf } = places(run);
  const flight = run.flights[flightOf.get(position) ?? -1];
  return flight ? `${event.kind.type} ${flight.from} ${flight.to}` : `${event.kind.type} ${hostOf[position]}`;
}

function rowOf(run: Run, event: Event, at: Position): Omit<Row, "y"> | undefined {
  const { hostOf, callOf } = places(run);
  const host = hostOf[at]!;
  switch (event.kind.type) {
    case "call_entered":
      return { host, at, kind: "call", call: callOf.get(at) };
    case "call_returned": {
      const call = callOf.get(at);
      return call !== undefined && isBrief(run, call) ? undefined : { host, at, kind: "returned", call };
    }
    case "state_changed":
      return { host, at, kind: "state" };
    case "timer_fired":
      return { host, at, kind: "timer" };
    case "packet_dropped":
      return { host, at, kind: "dropped" };
    default:
      return undefined;
  }
}

/** Whether a call returns at once, so that one line tells it. */
export function isBrief(run: Run, call: number): boolean {
  const { entered, blocked, returned } = run.calls[call]!;
  return (
    blocked === undefined &&
    returned !== undefined &&
    run.events[returned]!.time_ns === run.events[entered]!.time_ns
  );
}

function extraLines(run: Run, row: Omit<Row, "y">): number {
  return row.kind === "call" && run.calls[row.call ?? -1]?.lines.length ? 1 : 0;
}

/** Tells each call that waits where it returns. */
function closeCalls(run: Run, rows: Row[], y: Float64Array): void {
  const bottom = y[y.length - 1] ?? TOP;
  for (const row of rows) {
    if (row.kind !== "call" || row.call === undefined || isBrief(run, row.call)) continue;
    const returned = run.calls[row.call]!.returned;
    row.until = returned === undefined ? bottom + ROW : y[returned]!;
  }
}

function arrowsOf(run: Run, y: Float64Array, scale: number): Arrow[] {
  const arrows: Arrow[] = [];
  // What is never seen to arrive is drawn with the slope of the segment before it.
  const heights = new Map<string, number>();
  run.flights.forEach((flight, index) => {
    const start = flight.sent ?? flight.received;
    if (start === undefined) return;
    const way = `${flight.from} ${flight.to}`;
    const height = heightInTime(flight, scale) ?? heights.get(way) ?? FLIGHT_HEIGHT;
    const y0 = flight.sent === undefined ? y[start]! - height : y[start]!;
    const y1 = flight.received === undefined ? endOfUnseen(flight.fate, y0, height) : y[flight.received]!;
    if (flight.fate === "arrived") heights.set(way, Math.min(y1 - y0, 3 * FLIGHT_HEIGHT));
    arrows.push({ flight: index, from: flight.from, to: flight.to, start, end: flight.received, y0, y1 });
  });
  return arrows.sort((a, b) => a.y0 - b.y0);
}

/** Of a flight one of whose ends is outside of the window on a longer recording. */
function heightInTime({ sent_ns, received_ns }: Flight, scale: number): number | undefined {
  if (sent_ns === undefined || received_ns === undefined) return undefined;
  return Math.min(Math.max(0, received_ns - sent_ns) * scale, 4 * FLIGHT_HEIGHT);
}

/** How far above its arrival an arrow begins whose sending nobody recorded: a fold must leave room for it. */
function heightAbove(run: Run, position: Position, scale: number): number {
  const flight = run.flights[places(run).flightOf.get(position) ?? -1];
  return flight?.received === position && flight.sent === undefined ? (heightInTime(flight, scale) ?? FLIGHT_HEIGHT) : 0;
}

/** Where an arrow ends whose arrival nobody saw. An onlooker saw a packet at one moment: it lies level. */
function endOfUnseen(fate: string, y0: number, height: number): number {
  if (fate === "unwitnessed") return y0;
  return y0 + (fate === "lost" ? height * DIES_AT : height);
}

/** The first index whose `y` (ascending) is not below `limit`. */
export function firstFrom<T>(items: readonly T[], y: (item: T) => number, limit: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (y(items[middle]!) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
