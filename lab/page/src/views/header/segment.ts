// Which segment the header view shows, from whom to whom, and whether it was damaged on its way.

import type { Flight, Position, Run, SegmentKind } from "../../run.ts";
import { isSegment } from "../../run.ts";
import { places, segmentOf } from "../../places.ts";
import { addressOf, bytesOf } from "./checksum.ts";

export interface Shown {
  /** The event that shows it. */
  position: Position;
  segment: SegmentKind;
  flight?: Flight;
  /** Sent, received, or dropped on arrival. */
  at: "sent" | "received" | "dropped";
  from: string;
  to: string;
  /** The addresses of the IP header. */
  source: string;
  destination: string;
  /** The TCP header's bytes, as they are at this end. */
  header: number[];
  /** The first bytes of the data, as they are at this end. */
  payload: number[];
  /** The bit that was flipped on the way, counted from the header's first; beyond the shown data it is known by its
   * number alone. */
  flipped?: number;
}

/** The segment at the cursor, or the last one before it. */
export function segmentAt(run: Run, cursor: Position): Shown | undefined {
  for (let at = Math.min(cursor, run.events.length - 1); at >= 0; at--) {
    const shown = shownAt(run, at);
    if (shown) return shown;
  }
  return undefined;
}

function shownAt(run: Run, position: Position): Shown | undefined {
  const event = run.events[position]!;
  const { flightOf, hostOf } = places(run);
  const flight = run.flights[flightOf.get(position) ?? -1];
  const dropped = event.kind.type === "packet_dropped";
  const segment = isSegment(event.kind) ? event.kind : dropped && flight ? segmentOf(run, flight) : undefined;
  if (!segment) return undefined;
  const sent = segment === event.kind && segment.type === "segment_sent";
  const from = flight ? flight.from : sent ? hostOf[position]! : undefined;
  const to = flight ? flight.to : sent ? undefined : hostOf[position]!;
  const { local, remote } = event.connection ?? {};
  const ends = sent ? [local, remote] : [remote, local];
  const name = (host: number | undefined, end: string | undefined) =>
    (host !== undefined && run.hosts[host]?.name) || (end ? addressOf(end) : "?");
  const address = (host: number | undefined, end: string | undefined) => {
    const said = end && addressOf(end);
    if (said && said !== "0.0.0.0" && said !== "::") return said;
    return (host !== undefined && run.hosts[host]?.addresses[0]) || "";
  };
  const shown: Shown = {
    position,
    segment,
    flight,
    at: dropped ? "dropped" : sent ? "sent" : "received",
    from: name(from, ends[0]),
    to: name(to, ends[1]),
    source: address(from, ends[0]),
    destination: address(to, ends[1]),
    header: bytesOf(segment.header),
    payload: bytesOf(segment.payload),
  };
  // A record made on arrival shows the damage itself; that of the sending has to be given it.
  if (dropped && flight) damage(run, flight, shown);
  return shown;
}

function damage(run: Run, flight: Flight, shown: Shown): void {
  const rule = run.origin.type === "simulated" ? run.origin.rules[flight.rule ?? -1] : undefined;
  if (rule?.action !== "corrupt") return;
  const bit = rule.bit % ((shown.header.length + shown.segment.len) * 8);
  shown.flipped = bit;
  const at = Math.floor(bit / 8);
  const mask = 0x80 >> (bit % 8);
  const { header, payload } = shown;
  if (at < header.length) header[at] = header[at]! ^ mask;
  else if (at - header.length < payload.length) payload[at - header.length] = payload[at - header.length]! ^ mask;
}
