// Which of a connection's variables an event changed: its snapshot against the one before.

import type { Position, Range, Run, Snapshot } from "../../run.ts";
import { isUnset } from "../../run.ts";
import type { WordName } from "../../text.ts";
import { count, duration } from "../../numbers.ts";
import { places } from "../../places.ts";
import { connections, snapshotPosition } from "../connections.ts";

/** As RFC 9293 writes it, a word of the page, or the name of a limit in the book. */
export type Said = string | { word: WordName } | { limit: string };

/** A variable with its values; one that had none shows a dash. */
export interface Change {
  name: Said;
  before: Said;
  after: Said;
}

type Reader = [Said, (snapshot: Snapshot) => Said];

const relative = (number: number, base: number) => (base === 0 ? "–" : count(number - base));
const time = (ns: number | null) => (ns === null ? "–" : duration(ns));

const bytes = (ranges: Range[]) => count(ranges.reduce((sum, [start, end]) => sum + end - start, 0));

const REPAIRS: Record<string, WordName> = {
  open: "why.repair.open",
  disorder: "why.repair.disorder",
  cwr: "why.repair.cwr",
  recovery: "why.repair.recovery",
  loss: "why.repair.loss",
};
const repair = (state: string): Said => (REPAIRS[state] ? { word: REPAIRS[state] } : state);
const isSame = (a: Said, b: Said) => JSON.stringify(a) === JSON.stringify(b);

const VARIABLES: Reader[] = [
  ["SND.UNA", (s) => relative(s.snd_una, s.iss)],
  ["SND.NXT", (s) => relative(s.snd_nxt, s.iss)],
  ["SND.WND", (s) => count(s.snd_wnd)],
  ["RCV.NXT", (s) => relative(s.rcv_nxt, s.irs)],
  ["RCV.WND", (s) => count(s.rcv_wnd)],
  ["cwnd", (s) => count(s.cwnd)],
  ["ssthresh", (s) => (isUnset(s.ssthresh) ? "∞" : count(s.ssthresh))],
  [{ word: "why.var.in_flight" }, (s) => count(s.in_flight)],
  ["SRTT", (s) => time(s.srtt_ns)],
  ["RTO", (s) => time(s.rto_ns)],
  [{ word: "why.var.unacked" }, (s) => count(s.send_buffer.unacked)],
  [{ word: "why.var.unsent" }, (s) => count(s.send_buffer.unsent)],
  [{ word: "why.var.queued" }, (s) => count(s.receive_buffer.queued)],
  [{ word: "why.var.out_of_order" }, (s) => bytes(s.receive_buffer.out_of_order)],
  [{ word: "buffers.piece.sacked" }, (s) => bytes(s.recovery.sacked)],
  [{ word: "buffers.piece.lost" }, (s) => bytes(s.recovery.lost)],
  [{ word: "buffers.piece.retransmitted" }, (s) => bytes(s.recovery.retransmitted)],
  [{ word: "why.var.repair" }, (s) => repair(s.recovery.state)],
  [{ word: "why.var.limit" }, (s) => (s.limit === undefined ? "–" : { limit: s.limit })],
];

/** What the event at `position` changed; nothing where it says nothing of the connection. */
export function changesOf(run: Run, position: Position): Change[] {
  const event = run.events[position];
  if (!event?.after) return [];
  const connection = connections(run).of(event, places(run).hostOf[position]!);
  const at = connection && snapshotPosition(connection, position - 1);
  const before = at === undefined ? undefined : run.events[at]!.after;
  const after = event.after;
  if (!before) return [];
  return VARIABLES.flatMap(([name, read]) => {
    const [was, is] = [read(before), read(after)];
    return isSame(was, is) ? [] : [{ name, before: was, after: is }];
  });
}
