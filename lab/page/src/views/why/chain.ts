// What led to an event, and what led to that: the chain of causes, across hosts.

import type { Position, Run } from "../../run.ts";
import { causeOf, places } from "../../places.ts";
import { connections } from "../connections.ts";

/** How one event follows from another: on one host, over the wire, or by a timer that was set. */
export type Via = "cause" | "flight" | "timer";

export interface Link {
  position: Position;
  /** How the event before it in the list follows from it; none for the first. */
  via?: Via;
}

/** What the chain ends with. */
export type End = "program" | "captured" | "unknown";

export interface Chain {
  links: Link[];
  end: End;
}

/** No reader goes farther back than this. */
const LONGEST = 500;

/** The chain from an event up to where nothing led to it. */
export function chainOf(run: Run, position: Position): Chain {
  const links: Link[] = [{ position }];
  const seen = new Set([position]);
  for (let at = position; links.length < LONGEST; ) {
    const before = linkOf(run, at);
    if (!before || seen.has(before.position)) break;
    seen.add(before.position);
    links.push(before);
    at = before.position;
  }
  return { links, end: endOf(run, links.at(-1)!.position) };
}

function linkOf(run: Run, position: Position): Link | undefined {
  const event = run.events[position];
  if (!event) return undefined;
  const before = causeOf(run, position);
  if (before !== undefined) return { position: before, via: event.cause === undefined ? "flight" : "cause" };
  if (event.kind.type !== "timer_fired") return undefined;
  const armed = lastArmed(run, position, event.kind.timer);
  return armed === undefined ? undefined : { position: armed, via: "timer" };
}

/** Where the timer that fires was set: the last time before. */
function lastArmed(run: Run, position: Position, timer: string): Position | undefined {
  const { hostOf } = places(run);
  const connection = connections(run).of(run.events[position]!, hostOf[position]!);
  return connection?.events.findLast((at) => {
    const { kind } = run.events[at]!;
    return at < position && kind.type === "timer_armed" && kind.timer === timer;
  });
}

function endOf(run: Run, position: Position): End {
  if (run.origin.type === "captured") return "captured";
  return run.events[position]?.kind.type === "call_entered" ? "program" : "unknown";
}
