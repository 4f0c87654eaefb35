// Where things are in a run: look-ups that every view needs, made once a run. They know positions, no TCP.

import { isSegment, type Event, type Flight, type HostIndex, type Position, type Run, type SegmentKind } from "./run.ts";

export interface Places {
  /** Which host an event belongs to, by its position. */
  hostOf: HostIndex[];
  /** The flight whose sending or arrival an event is. */
  flightOf: Map<Position, number>;
  /** The call whose entry, blocking or return an event is. */
  callOf: Map<Position, number>;
  /** By host, from an event's own index to its position. */
  byIndex: Map<number, Position>[];
}

const known = new WeakMap<Run, Places>();

/** The places of a run; made at the first asking. */
export function places(run: Run): Places {
  const found = known.get(run);
  if (found) return found;
  const names = new Map(run.hosts.map((host, index) => [host.name, index]));
  const made: Places = {
    hostOf: run.events.map((event) => names.get(event.host) ?? 0),
    flightOf: new Map(),
    callOf: new Map(),
    byIndex: run.hosts.map(() => new Map()),
  };
  run.events.forEach((event, position) => made.byIndex[made.hostOf[position]!]?.set(event.index, position));
  run.flights.forEach((flight, index) => {
    if (flight.sent !== undefined) made.flightOf.set(flight.sent, index);
    if (flight.received !== undefined) made.flightOf.set(flight.received, index);
  });
  run.calls.forEach((call, index) => {
    for (const at of [call.entered, call.blocked, call.returned]) if (at !== undefined) made.callOf.set(at, index);
  });
  known.set(run, made);
  return made;
}

/** The event that led to this one: its cause on its host, or for an arrival the sending on the other host. */
export function causeOf(run: Run, position: Position): Position | undefined {
  const event = run.events[position];
  if (!event) return undefined;
  const { hostOf, byIndex, flightOf } = places(run);
  if (event.cause !== undefined) return byIndex[hostOf[position]!]?.get(event.cause);
  const flight = run.flights[flightOf.get(position) ?? -1];
  return flight && flight.received === position ? flight.sent : undefined;
}

/** The segment that a flight carries, as whoever saw it first saw it. */
export function segmentOf(run: Run, flight: Flight): SegmentKind | undefined {
  const kind = run.events[flight.sent ?? flight.received ?? -1]?.kind;
  return kind && isSegment(kind) ? kind : undefined;
}

/** The last position at or before `cursor` whose event passes, or undefined. */
export function lastBefore(run: Run, cursor: Position, passes: (event: Event, at: Position) => boolean): Position | undefined {
  for (let at = Math.min(cursor, run.events.length - 1); at >= 0; at--) if (passes(run.events[at]!, at)) return at;
  return undefined;
}

/**
 * The run as it is known before the event at `end`: what a learner sees who is asked about it. Nothing of what
 * follows is left in it.
 */
export function until(run: Run, end: Position): Run {
  if (end >= run.events.length) return run;
  const now_ns = run.events[end]!.time_ns;
  const before = (at: Position | undefined) => (at !== undefined && at < end ? at : undefined);
  return {
    ...run,
    events: run.events.slice(0, end),
    flights: run.flights
      .filter((flight) => (flight.sent ?? flight.received ?? end) < end)
      .map((flight) =>
        flight.received === undefined || flight.received < end
          ? flight.fate === "lost" ? { ...flight, fate: "underway" as const } : flight
          : { ...flight, received: undefined, received_ns: undefined, fate: "underway" as const },
      ),
    calls: run.calls
      .filter((call) => call.entered < end)
      .map((call) =>
        before(call.returned) === undefined
          ? { ...call, blocked: before(call.blocked), returned: undefined, result: undefined }
          : call,
      ),
    limits: run.limits
      .filter((limit) => limit.from_ns < now_ns)
      .map((limit) => ({ ...limit, until_ns: Math.min(limit.until_ns, now_ns) })),
    landmarks: run.landmarks.filter((landmark) => landmark.at < end),
    questions: run.questions.filter((question) => question.before < end),
  };
}
