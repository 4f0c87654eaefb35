// The way that each end of a connection has taken through the states, up to a cursor.

import type { Book } from "../../book.ts";
import type { HostIndex, Position, Run } from "../../run.ts";
import { connections, type Connection, type Pair } from "../connections.ts";

/** A change of state. */
export interface Step {
  position: Position;
  from: string;
  to: string;
}

/** The way of one host. */
export interface Path {
  host: HostIndex;
  name: string;
  steps: Step[];
  /** Where it stands. */
  state: string;
  /** Whether it came back to CLOSED, rather than not having left it. */
  isOver: boolean;
}

function stepsOf(run: Run, connection: Connection, cursor: Position): Step[] {
  const steps: Step[] = [];
  for (const position of connection.events) {
    if (position > cursor) break;
    const { kind } = run.events[position]!;
    if (kind.type === "state_changed") steps.push({ position, from: kind.from, to: kind.to });
  }
  return steps;
}

const portOf = (endpoint: string) => endpoint.slice(endpoint.lastIndexOf(":"));

/** The listening socket whose port a connection has. */
function listenerOf(run: Run, connection: Connection): Connection | undefined {
  return connections(run).all.find(
    (other) => other.host === connection.host && other.remote === undefined && portOf(other.local) === portOf(connection.local),
  );
}

/**
 * The way of one end. A connection that a listener made begins in the events without a past; figure 5 has it come
 * from LISTEN, so the listener's way is put before it.
 */
function pathOf(run: Run, book: Book, connection: Connection, cursor: Position): Step[] {
  const own = stepsOf(run, connection, cursor);
  const listener = listenerOf(run, connection);
  if (!listener) return own;
  const before = stepsOf(run, listener, Math.min(cursor, connection.events[0]!));
  const last = before.at(-1);
  const first = own[0];
  if (!last || !first) return [...before, ...own];
  const leads = (from: string) => book.transitions.some((way) => way.from === from && way.to === first.to);
  if (leads(first.from) || !leads(last.to)) return own;
  return [...before, { ...first, from: last.to }, ...own.slice(1)];
}

/** The ways of both ends; of hosts without a connection those of their first socket. */
export function pathsOf(run: Run, book: Book, pair: Pair | undefined, cursor: Position): Path[] {
  const ends = pair ? pair.ends : firstOfEach(run);
  return ends.flatMap((end) => {
    if (!end) return [];
    const steps = pathOf(run, book, end, cursor);
    const state = steps.at(-1)?.to ?? "CLOSED";
    return [{ host: end.host, name: run.hosts[end.host]?.name ?? "?", steps, state, isOver: steps.length > 0 && state === "CLOSED" }];
  });
}

function firstOfEach(run: Run): (Connection | undefined)[] {
  return run.hosts.map((_, host) => connections(run).all.find((connection) => connection.host === host));
}
