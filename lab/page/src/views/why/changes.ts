// Which of a connection's variables an event changed: its snapshot against the one before.

import type { Position, Range, Run, Snapshot } from "../../run.ts";
import { isUnset } from "../../run.ts";
import type { WordName } from "../../text.ts";
import { count, duration } from "../../numbers.ts";
import { places } from "../../places.ts";
import { connections, snapshotPosition } from "../connections.ts";

/** A variable with its values; one that had none before shows a dash. */
export interface Change {
  /** As RFC 9293 calls it, or a word of the page. */
  name: string | { word: WordName };
  before: string;
  after: string;
}

type Reader = [Change["name"], (snapshot: Snapshot) => string];

const relative = (number: number, base: number) => (base === 0 ? "–" : count(number - base));
const time = (ns: number | null) => (ns === null ? "–" : duration(ns));

const bytes = (ranges: Range[]) => count(ranges.reduce((sum, [start, end]) => sum + end - start, 0));

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
  [{ word: "why.var.repair" }, (s) => s.recovery.state],
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
    return was === is ? [] : [{ name, before: was, after: is }];
  });
}
