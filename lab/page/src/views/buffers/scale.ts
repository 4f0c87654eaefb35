// Where the bars of one direction lie: on one axis of sequence numbers relative to the ISS, so that the same byte has the
// same place in the send buffer and in the receive buffer. The axis stands still while a reader steps: it is chosen
// for the whole run, and in a long stream it moves on by half its length.

import type { Pair, Connection } from "../connections.ts";
import type { Run, Snapshot } from "../../run.ts";

/** The part of the sequence numbers that is drawn. */
export interface Scale {
  origin: number;
  span: number;
}

/** What the whole run needs of one direction. */
interface Extent {
  /** The end of the farthest byte that was ever in a buffer. */
  dataEnd: number;
  /** The farthest edge of a buffer or window. */
  edge: number;
  /** The most that a buffer could hold. */
  capacity: number;
}

const extents = new WeakMap<Run, Map<string, Extent>>();

/** The first byte that a send buffer can hold: the SYN before it takes a number, but no room. */
export function firstUnacknowledged(snapshot: Snapshot): number {
  return Math.max(snapshot.snd_una - snapshot.iss, 1);
}

/** Where the bytes begin that wait for the application, relative to the peer's ISS. */
export function firstUnread(snapshot: Snapshot): number {
  return snapshot.rcv_nxt - snapshot.irs - snapshot.receive_buffer.queued;
}

function extentOf(run: Run, pair: Pair, sender: Connection | undefined, receiver: Connection | undefined): Extent {
  let known = extents.get(run);
  if (!known) extents.set(run, (known = new Map()));
  const key = `${pair.key} ${sender?.host ?? "-"}`;
  const found = known.get(key);
  if (found) return found;
  const extent: Extent = { dataEnd: 1, edge: 1, capacity: 1 };
  for (const at of sender?.snapshots ?? []) {
    const snapshot = run.events[at]!.after!;
    const { capacity, unacked, unsent } = snapshot.send_buffer;
    const una = firstUnacknowledged(snapshot);
    extent.dataEnd = Math.max(extent.dataEnd, una + unacked + unsent);
    extent.edge = Math.max(extent.edge, una + capacity, una + snapshot.snd_wnd);
    extent.capacity = Math.max(extent.capacity, capacity);
  }
  for (const at of receiver?.snapshots ?? []) {
    const snapshot = run.events[at]!.after!;
    if (snapshot.irs === 0) continue;
    const nxt = snapshot.rcv_nxt - snapshot.irs;
    const { capacity, out_of_order } = snapshot.receive_buffer;
    extent.dataEnd = Math.max(extent.dataEnd, nxt, (out_of_order.at(-1)?.[1] ?? 0) - snapshot.irs);
    extent.edge = Math.max(extent.edge, firstUnread(snapshot) + capacity, nxt + snapshot.rcv_wnd);
    extent.capacity = Math.max(extent.capacity, capacity);
  }
  known.set(key, extent);
  return extent;
}

/** Whether a direction ever carries data; SYN and FIN alone fill no buffer. */
export function isUsed(run: Run, pair: Pair, sender: Connection | undefined, receiver: Connection | undefined): boolean {
  return extentOf(run, pair, sender, receiver).dataEnd > 2;
}

/** The axis of one direction, with `oldest` (the first byte that anybody still holds) in its first half. */
export function scaleOf(
  run: Run,
  pair: Pair,
  sender: Connection | undefined,
  receiver: Connection | undefined,
  oldest: number,
): Scale {
  const { dataEnd, edge, capacity } = extentOf(run, pair, sender, receiver);
  if (dataEnd > 4 * capacity) {
    const span = 3 * capacity;
    return { origin: Math.floor(Math.max(oldest, 0) / (span / 2)) * (span / 2), span };
  }
  // Where the buffers are far larger than what is ever in them, they run out of the picture: the data is what counts.
  return { origin: 0, span: Math.ceil((edge <= 3 * dataEnd ? edge : dataEnd * 1.3) * 1.02) };
}
