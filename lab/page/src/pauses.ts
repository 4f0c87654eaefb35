// How time passes in a run: what a typical flight takes, and where nothing happens for long.

import type { Position, Run } from "./run.ts";

/** Stands in for a typical flight where there is none. */
const DEFAULT_FLIGHT_NS = 1e6;
/** So many flights' time without an event is a pause; so many while a segment is on its way. */
const PAUSE = 2.6;
const PAUSE_BUSY = 20;

export interface Pauses {
  /** The median time of a flight, in nanoseconds. */
  flight_ns: number;
  /** How long a pause before an event was, by the event's position, in order. */
  before: Map<Position, number>;
}

const known = new WeakMap<Run, Pauses>();

/** The pauses of a run; found at the first asking. */
export function pauses(run: Run): Pauses {
  const found = known.get(run);
  if (found) return found;
  const flight_ns = typicalFlight(run);
  const made: Pauses = { flight_ns, before: new Map() };
  const underway = underwayAt(run);
  for (let at = 1; at < run.events.length; at++) {
    const passed = run.events[at]!.time_ns - run.events[at - 1]!.time_ns;
    if (passed > (underway[at] ? PAUSE_BUSY : PAUSE) * flight_ns) made.before.set(at, passed);
  }
  known.set(run, made);
  return made;
}

function typicalFlight(run: Run): number {
  const times = run.flights
    .flatMap(({ sent_ns, received_ns }) =>
      sent_ns !== undefined && received_ns !== undefined && received_ns > sent_ns ? [received_ns - sent_ns] : [],
    )
    .sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? DEFAULT_FLIGHT_NS;
}

/** Before which events a segment is on its way that arrives. */
function underwayAt(run: Run): Uint8Array {
  const change = new Int32Array(run.events.length + 1);
  for (const { sent, received } of run.flights) {
    if (sent === undefined || received === undefined || received <= sent) continue;
    change[sent + 1]! += 1;
    change[received + 1]! -= 1;
  }
  const underway = new Uint8Array(run.events.length);
  let flying = 0;
  for (let at = 0; at < underway.length; at++) {
    flying += change[at]!;
    underway[at] = flying > 0 ? 1 : 0;
  }
  return underway;
}
