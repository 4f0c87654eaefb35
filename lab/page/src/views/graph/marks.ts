// The marks of a time-sequence graph of one direction: the segments of the sender, and the acknowledgments, windows and
// SACK blocks that came back to it, all in sequence numbers relative to the ISS and in the sender's own time.

import type { HostIndex, Position, Run, SegmentKind } from "../../run.ts";
import { isSegment } from "../../run.ts";
import { connections, type Pair } from "../connections.ts";
import { bytesOf } from "../header/checksum.ts";
import { bitsAt } from "../header/fields.ts";

/** A segment with data, SYN or FIN. */
export interface SegmentMark {
  time_ns: number;
  position: Position;
  from: number;
  to: number;
  retransmission: boolean;
  lost: boolean;
  /** `S` or `F`, which take a sequence number of their own. */
  letter: string;
}

/** What came back: an acknowledgment, the window that it offers, and what it reports past it. */
export interface AckMark {
  time_ns: number;
  position: Position;
  ack: number;
  edge: number;
  sacked: [number, number][];
}

export interface Marks {
  segments: SegmentMark[];
  acks: AckMark[];
}

const NOTHING: Marks = { segments: [], acks: [] };
const made = new WeakMap<Run, Map<string, Marks>>();

/** The marks of what `sender` sends on a connection; made at the first asking. */
export function marksOf(run: Run, pair: Pair | undefined, sender: HostIndex): Marks {
  if (!pair) return NOTHING;
  let known = made.get(run);
  if (!known) made.set(run, (known = new Map()));
  const key = `${pair.key} ${sender}`;
  const found = known.get(key);
  if (found) return found;
  const marks = gather(run, pair, sender);
  known.set(key, marks);
  return marks;
}

function gather(run: Run, pair: Pair, sender: HostIndex): Marks {
  const { pairOf } = connections(run);
  const segments: SegmentMark[] = [];
  const acks: AckMark[] = [];
  // Where the ISS was not seen, numbers count from the first one that was.
  let base: number | undefined;
  const relative = (known: number | undefined, raw: number) => {
    if (known !== undefined) return known;
    base ??= raw;
    return ((raw - base) << 0) + 1;
  };
  for (const flight of run.flights) {
    const position = flight.sent ?? flight.received;
    const kind = position === undefined ? undefined : run.events[position]?.kind;
    if (position === undefined || !kind || !isSegment(kind)) continue;
    const time = flight.from === sender ? flight.sent_ns : flight.received_ns;
    const either = time ?? (flight.fate === "unwitnessed" ? flight.sent_ns : flight.received_ns);
    if (either === undefined || pairOf(position) !== pair) continue;
    if (flight.from === sender) {
      const from = relative(kind.relative_seq, kind.seq);
      const mark = segmentMark(kind, from, either, position, flight.fate === "lost" || flight.fate === "damaged");
      if (mark) segments.push(mark);
    } else if (flight.to === sender && arrives(flight.fate) && hasFlag(kind, "ACK")) {
      const at = flight.received ?? position;
      acks.push(ackMark(kind, relative(kind.relative_ack, kind.ack), either, at));
    }
  }
  segments.sort((a, b) => a.time_ns - b.time_ns);
  acks.sort((a, b) => a.time_ns - b.time_ns || a.position - b.position);
  return { segments, acks };
}

const arrives = (fate: string) => fate !== "lost" && fate !== "damaged" && fate !== "underway";
const hasFlag = (kind: SegmentKind, flag: string) => kind.flags.split("|").includes(flag);

function segmentMark(kind: SegmentKind, from: number, time_ns: number, position: Position, lost: boolean): SegmentMark | undefined {
  const letter = hasFlag(kind, "SYN") ? "S" : hasFlag(kind, "FIN") ? "F" : "";
  const to = from + kind.len + (letter ? 1 : 0);
  if (to === from) return undefined;
  return { time_ns, position, from, to, retransmission: kind.retransmission ?? false, lost, letter };
}

function ackMark(kind: SegmentKind, ack: number, time_ns: number, position: Position): AckMark {
  const sacked = sackBlocks(kind).map(([left, right]): [number, number] => [
    ack + ((left - kind.ack) << 0),
    ack + ((right - kind.ack) << 0),
  ]);
  return { time_ns, position, ack, edge: ack + kind.window_bytes, sacked };
}

/** The blocks of a SACK option (RFC 2018), in numbers as on the wire. */
export function sackBlocks(kind: SegmentKind): [number, number][] {
  if (kind.header.length <= 40) return [];
  const header = bytesOf(kind.header);
  const blocks: [number, number][] = [];
  for (let at = 20; at < header.length; ) {
    const option = header[at]!;
    if (option < 2) {
      if (option === 0) break;
      at += 1;
      continue;
    }
    const length = header[at + 1] ?? 0;
    if (length < 2 || at + length > header.length) break;
    for (let block = at + 2; option === 5 && block + 8 <= at + length; block += 8) {
      blocks.push([bitsAt(header, block * 8, 32), bitsAt(header, block * 8 + 32, 32)]);
    }
    at += length;
  }
  return blocks;
}

/** The first of ascending marks that is not before `ns`. */
export function firstFrom(marks: { time_ns: number }[], ns: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]!.time_ns < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}
