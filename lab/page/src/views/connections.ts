// Who is connected with whom, and what is known of a connection at a cursor.
//
// Looked up in a run, once for each, and answered by bisection. No TCP is known here: a snapshot is what the stack
// said of itself.

import type { Event, HostIndex, Position, Run, Snapshot } from "../run.ts";
import { places } from "../places.ts";

/** A connection or socket of one host, as its events name it. */
export interface Connection {
  host: HostIndex;
  id: number;
  local: string;
  /** Absent: it listens, or is not connected. */
  remote?: string;
  /** Positions of its events, ascending. */
  events: Position[];
  /** Those of them that say how it is. */
  snapshots: Position[];
}

/** The two ends of one connection, in the order in which their hosts are drawn; the other may not be recorded. */
export interface Pair {
  key: string;
  ends: [Connection, Connection | undefined];
}

export interface Connections {
  all: Connection[];
  pairs: Pair[];
  /** By an event's position. */
  pairOf: (position: Position) => Pair | undefined;
  of: (event: Event, host: HostIndex) => Connection | undefined;
}

const known = new WeakMap<Run, Connections>();

/** The connections of a run, in the order of their first events; made at the first asking. */
export function connections(run: Run): Connections {
  const found = known.get(run);
  if (found) return found;
  const byKey = gather(run);
  const all = [...byKey.values()];
  const pairs = pairUp(all);
  const pairByEnd = new Map<Connection, Pair>();
  for (const pair of pairs) for (const end of pair.ends) if (end) pairByEnd.set(end, pair);
  const of = (event: Event, host: HostIndex) => byKey.get(`${host}/${event.connection?.id}`);
  const { hostOf } = places(run);
  const pairOf = (position: Position) => {
    const event = run.events[position];
    const connection = event && of(event, hostOf[position]!);
    return connection && pairByEnd.get(connection);
  };
  const made = { all, pairs, pairOf, of };
  known.set(run, made);
  return made;
}

function gather(run: Run): Map<string, Connection> {
  const byKey = new Map<string, Connection>();
  const { hostOf } = places(run);
  run.events.forEach((event, position) => {
    const name = event.connection;
    if (!name) return;
    const host = hostOf[position]!;
    const key = `${host}/${name.id}`;
    let connection = byKey.get(key);
    if (!connection) {
      connection = { host, id: name.id, local: name.local, events: [], snapshots: [] };
      byKey.set(key, connection);
    }
    // A socket gets its address with bind and its peer with connect: the last ones are the whole truth.
    connection.local = name.local;
    connection.remote = name.remote ?? connection.remote;
    connection.events.push(position);
    if (event.after) connection.snapshots.push(position);
  });
  return byKey;
}

/** Each connection with the first one of another host that has its addresses the other way round. */
function pairUp(all: Connection[]): Pair[] {
  const waiting = new Map<string, Connection[]>();
  for (const connection of all) {
    if (connection.remote === undefined) continue;
    const ends = `${connection.local} ${connection.remote}`;
    waiting.set(ends, [...(waiting.get(ends) ?? []), connection]);
  }
  const pairs: Pair[] = [];
  const taken = new Set<Connection>();
  for (const connection of all) {
    if (connection.remote === undefined || taken.has(connection)) continue;
    const others = waiting.get(`${connection.remote} ${connection.local}`) ?? [];
    const other = others.find((one) => one.host !== connection.host && !taken.has(one));
    taken.add(connection);
    if (other) taken.add(other);
    const turned = other && other.host < connection.host;
    pairs.push({ key: `${connection.host}/${connection.id}`, ends: turned ? [other, connection] : [connection, other] });
  }
  return pairs;
}

/** The connection that a cursor is about: its event's, or the last one before that, or the first to come. */
export function pairAt(run: Run, cursor: Position): Pair | undefined {
  const { pairs, pairOf } = connections(run);
  if (pairs.length < 2) return pairs[0];
  for (let at = Math.min(cursor, run.events.length - 1); at >= 0; at--) {
    const pair = pairOf(at);
    if (pair) return pair;
  }
  return pairs[0];
}

/** How many of the ascending `positions` are at most `limit`. */
export function countUpTo(positions: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last position at or before the cursor at which the connection said how it is. */
export function snapshotPosition(connection: Connection, cursor: Position): Position | undefined {
  return connection.snapshots[countUpTo(connection.snapshots, cursor) - 1];
}

/** How a connection is at the cursor. */
export function snapshotAt(run: Run, connection: Connection, cursor: Position): Snapshot | undefined {
  const at = snapshotPosition(connection, cursor);
  return at === undefined ? undefined : run.events[at]!.after;
}
