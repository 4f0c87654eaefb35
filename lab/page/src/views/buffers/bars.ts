// The buffers of one direction at a cursor: pieces and pointers in sequence numbers relative to the ISS, and the
// segments that are on their way between them. All numbers are the stack's own.

import type { Position, Range, Run, Snapshot } from "../../run.ts";
import { isSegment } from "../../run.ts";
import { places } from "../../places.ts";
import { connections, snapshotAt, type Connection, type Pair } from "../connections.ts";
import { firstUnacknowledged, firstUnread, isUsed, scaleOf, type Scale } from "./scale.ts";

export type PieceKind = "sent" | "unsent" | "free" | "received" | "hole" | "sacked" | "lost" | "retransmitted";

/** A piece of a buffer, `[from, to)`. */
export interface Piece {
  kind: PieceKind;
  from: number;
  to: number;
}

export interface Pointer {
  name: string;
  at: number;
}

export interface Bar {
  from: number;
  to: number;
  capacity: number;
  /** Side by side; in this order they fill the buffer. */
  pieces: Piece[];
  /** On top of what is sent. */
  marks: Piece[];
  pointers: Pointer[];
  /** Bytes of each kind. */
  amounts: [PieceKind, number][];
}

/** A segment on its way, or one that is lost and not sent again yet. */
export interface Underway {
  position: Position;
  from: number;
  to: number;
  lost: boolean;
  again: boolean;
  label: string;
}

/** One direction of a connection. */
export interface Direction {
  from: string;
  to: string;
  fromHost: number;
  toHost: number;
  /** Whether it carries data in this run. */
  used: boolean;
  scale: Scale;
  send?: Bar;
  receive?: Bar;
  underway: Underway[];
}

/** So many flights back a segment is looked for that is still on its way. */
const LOOK_BACK = 4000;

/** Both directions of a connection at the cursor. */
export function directionsOf(run: Run, pair: Pair, cursor: Position): Direction[] {
  const [left, right] = pair.ends;
  const other = right?.host ?? run.hosts.findIndex((_, host) => host !== left.host);
  return [
    directionOf(run, pair, cursor, left, right, left.host, other),
    directionOf(run, pair, cursor, right, left, other, left.host),
  ];
}

function directionOf(
  run: Run,
  pair: Pair,
  cursor: Position,
  sender: Connection | undefined,
  receiver: Connection | undefined,
  fromHost: number,
  toHost: number,
): Direction {
  const sent = sender && snapshotAt(run, sender, cursor);
  const got = receiver && snapshotAt(run, receiver, cursor);
  const send = sent && sendBar(sent);
  const receive = got && got.irs !== 0 ? receiveBar(got) : undefined;
  const oldest = Math.min(send?.from ?? Infinity, receive?.from ?? Infinity);
  return {
    from: run.hosts[fromHost]?.name ?? "?",
    to: run.hosts[toHost]?.name ?? "?",
    fromHost,
    toHost,
    used: isUsed(run, pair, sender, receiver),
    scale: scaleOf(run, pair, sender, receiver, oldest === Infinity ? 0 : oldest),
    send,
    receive,
    underway: underwayOf(run, pair, fromHost, cursor, send?.from ?? 0),
  };
}

function sendBar(snapshot: Snapshot): Bar {
  const { iss, snd_una, snd_nxt, snd_wnd, recovery } = snapshot;
  const { capacity, unacked, unsent } = snapshot.send_buffer;
  const from = firstUnacknowledged(snapshot);
  const sentTo = from + unacked;
  const to = Math.max(from + capacity, sentTo + unsent);
  const within = (ranges: Range[], kind: PieceKind) =>
    ranges
      .map(([start, end]): Piece => ({ kind, from: Math.max(start - iss, from), to: Math.min(end - iss, sentTo) }))
      .filter((piece) => piece.to > piece.from);
  return {
    from,
    to,
    capacity,
    pieces: [
      { kind: "sent", from, to: sentTo },
      { kind: "unsent", from: sentTo, to: sentTo + unsent },
      { kind: "free", from: sentTo + unsent, to },
    ],
    marks: [
      ...within(recovery.sacked, "sacked"),
      ...within(recovery.lost, "lost"),
      ...within(recovery.retransmitted, "retransmitted"),
    ],
    pointers: [
      { name: "SND.UNA + SND.WND", at: snd_una + snd_wnd - iss },
      { name: "SND.NXT", at: snd_nxt - iss },
      { name: "SND.UNA", at: snd_una - iss },
    ],
    amounts: [
      ["sent", unacked],
      ["unsent", unsent],
      ["free", Math.max(0, capacity - unacked - unsent)],
    ],
  };
}

function receiveBar(snapshot: Snapshot): Bar {
  const { irs, rcv_nxt, rcv_wnd } = snapshot;
  const { capacity, queued, out_of_order } = snapshot.receive_buffer;
  const from = firstUnread(snapshot);
  const next = rcv_nxt - irs;
  const pieces: Piece[] = [{ kind: "received", from, to: next }];
  let at = next;
  let beyond = 0;
  for (const [start, end] of out_of_order) {
    pieces.push({ kind: "hole", from: at, to: start - irs }, { kind: "received", from: start - irs, to: end - irs });
    beyond += end - start;
    at = end - irs;
  }
  const to = Math.max(from + capacity, at);
  pieces.push({ kind: "free", from: at, to });
  return {
    from,
    to,
    capacity,
    pieces,
    marks: [],
    pointers: [
      { name: "RCV.NXT", at: next },
      { name: "RCV.NXT + RCV.WND", at: next + rcv_wnd },
    ],
    amounts: [
      ["received", queued + beyond],
      ["hole", pieces.reduce((sum, piece) => sum + (piece.kind === "hole" ? piece.to - piece.from : 0), 0)],
      ["free", Math.max(0, capacity - queued - beyond)],
    ],
  };
}

/** Segments with data that have left and not arrived by the cursor, and lost ones until they are sent again. */
function underwayOf(run: Run, pair: Pair, fromHost: number, cursor: Position, acknowledged: number): Underway[] {
  const { pairOf } = connections(run);
  const { hostOf } = places(run);
  const found: Underway[] = [];
  const replaced = new Set<number>();
  const last = lastDeparture(run, cursor);
  for (let i = last; i >= 0 && i > last - LOOK_BACK; i--) {
    const flight = run.flights[i]!;
    if (flight.sent === undefined || flight.from !== fromHost || hostOf[flight.sent] !== fromHost) continue;
    const { kind } = run.events[flight.sent]!;
    if (!isSegment(kind) || kind.len === 0 || kind.relative_seq === undefined || pairOf(flight.sent) !== pair) continue;
    const again = replaced.has(kind.relative_seq);
    replaced.add(kind.relative_seq);
    const arrived = flight.received !== undefined && flight.received <= cursor;
    const to = kind.relative_seq + kind.len;
    if (arrived || flight.fate === "unwitnessed") continue;
    // What is lost stays to be seen until its bytes are sent again or acknowledged after all.
    const lost = flight.fate === "lost" || (flight.received === undefined && flight.fate !== "underway");
    if (lost && (again || to <= acknowledged)) continue;
    const label = `${kind.relative_seq}–${to}`;
    found.push({ position: flight.sent, from: kind.relative_seq, to, lost, again: kind.retransmission ?? false, label });
  }
  return found.reverse();
}

/** Neighbours of one kind become one where each would be narrower than `least` numbers: thousands may be on the way. */
export function joined(underway: Underway[], least: number): Underway[] {
  const out: Underway[] = [];
  for (const one of [...underway].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    const isNarrow = last && (one.to - one.from < least || last.to - last.from < least);
    if (last && isNarrow && last.to >= one.from && last.lost === one.lost && last.again === one.again) {
      last.to = Math.max(last.to, one.to);
      last.label = `${last.from}–${last.to}`;
    } else out.push({ ...one });
  }
  return out;
}

/** The last flight that has set out by the cursor; flights are in the order of their departure. */
function lastDeparture(run: Run, cursor: Position): number {
  let low = 0;
  let high = run.flights.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const flight = run.flights[middle]!;
    if ((flight.sent ?? flight.received ?? 0) <= cursor) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
