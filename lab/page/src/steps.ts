// Where a step leads: from a position of a run to another.

import { pauses } from "./pauses.ts";
import { isSegment, type Event, type Position, type Run } from "./run.ts";

export type Unit = "event" | "segment" | "round_trip" | "end";

export function step(run: Run, from: Position, unit: Unit, forwards: boolean): Position {
  const last = run.events.length - 1;
  switch (unit) {
    case "event":
      return clamp(from + (forwards ? 1 : -1), last);
    case "segment":
      return next(run, from, forwards, ({ kind }) => isSegment(kind));
    case "round_trip":
      return clamp(roundTrip(run, from, forwards), last);
    case "end":
      return forwards ? last : 0;
  }
}

/** The event behind the next pause; undefined: there is none ahead. */
export function overPause(run: Run, from: Position): Position | undefined {
  for (const at of pauses(run).before.keys()) if (at > from) return at;
  return undefined;
}

/** The next event that can be seen in a sequence diagram: what playing moves to. */
export function nextSeen(run: Run, from: Position): Position {
  return next(run, from, true, ({ kind }) => {
    const { type } = kind;
    return isSegment(kind) || type.startsWith("call_") || type === "state_changed" || type === "timer_fired" || type === "packet_dropped";
  });
}

/** The last event at or before a moment. */
export function lastAt(run: Run, time_ns: number): Position {
  let low = 0;
  let high = run.events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.events[middle]!.time_ns <= time_ns) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function next(run: Run, from: Position, forwards: boolean, passes: (event: Event) => boolean): Position {
  const last = run.events.length - 1;
  const by = forwards ? 1 : -1;
  for (let at = from + by; at >= 0 && at <= last; at += by) if (passes(run.events[at]!)) return at;
  return forwards ? last : 0;
}

/** A round trip on: as long as the stack measured it to be, or twice a flight before it did. */
function roundTrip(run: Run, from: Position, forwards: boolean): Position {
  const start = run.events[from];
  if (!start) return from;
  let rtt_ns = 2 * pauses(run).flight_ns;
  for (let at = from; at >= 0; at--) {
    const srtt_ns = run.events[at]!.after?.srtt_ns;
    if (!srtt_ns) continue;
    rtt_ns = srtt_ns;
    break;
  }
  if (forwards) return Math.max(from + 1, lastAt(run, start.time_ns + rtt_ns));
  return Math.min(from - 1, lastAt(run, start.time_ns - rtt_ns));
}

function clamp(at: Position, last: Position): Position {
  return Math.max(0, Math.min(last, at));
}
