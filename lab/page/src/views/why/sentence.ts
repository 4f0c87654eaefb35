// An event as a sentence in the reader's language, from its kind and the book's names.

import { term, type Book } from "../../book.ts";
import { say, t } from "../../language.svelte.ts";
import { count, duration, moment } from "../../numbers.ts";
import { places } from "../../places.ts";
import type { Event, Position, Run, SegmentKind } from "../../run.ts";
import { changesOf, type Said } from "./changes.ts";

/** What happened there. */
export function sentence(run: Run, book: Book, position: Position): string {
  const event = run.events[position]!;
  const { host, kind } = event;
  switch (kind.type) {
    case "segment_sent":
      return t(kind.retransmission ? "why.again" : "why.sent", { host, what: segment(kind) });
    case "segment_received":
      return t("why.received", { host, what: segment(kind) });
    case "packet_dropped":
      return t("why.dropped", { host, bytes: count(kind.len), counter: say(term(book.counters, kind.counter).name) });
    case "updated":
      return updated(run, book, position, host);
    case "state_changed":
      return t("why.state", { host, from: state(book, kind.from), to: state(book, kind.to) });
    case "timer_armed": {
      const left = Math.max(0, kind.deadline_ns - event.time_ns);
      return t("why.armed", { host, timer: timer(book, kind.timer), at: moment(kind.deadline_ns), in: duration(left) });
    }
    case "timer_stopped":
      return t("why.stopped", { host, timer: timer(book, kind.timer) });
    case "timer_fired":
      return t("why.fired", { host, timer: timer(book, kind.timer) });
    case "rtt_measured":
      return t("why.rtt", { host, rtt: duration(kind.rtt_ns) });
    case "congestion_changed":
      return t("why.congestion", { host, phase: say(term(book.phases, kind.phase).name) });
    case "call_entered":
    case "call_blocked":
    case "call_returned":
      return call(event) + lineOf(run, position);
    default:
      // A later version of the stack may say more than this page knows: its name is better than nothing.
      return t("why.other", { host, kind: (kind as { type: string }).type });
  }
}

const state = (book: Book, name: string) => say(term(book.states, name).name);
const timer = (book: Book, name: string) => say(term(book.timers, name).name);

/** The segment in short: what takes sequence numbers first, then what is acknowledged. */
function segment(kind: SegmentKind): string {
  const flags = kind.flags.split("|");
  const seq = kind.relative_seq ?? kind.seq;
  const parts: string[] = [];
  for (const flag of ["SYN", "RST"]) if (flags.includes(flag)) parts.push(t("why.flag", { flag, seq: count(seq) }));
  if (kind.len > 0) parts.push(t("why.bytes", { bytes: count(kind.len), from: count(seq), to: count(seq + kind.len - 1) }));
  if (flags.includes("FIN")) parts.push(t("why.flag", { flag: "FIN", seq: count(seq + kind.len) }));
  if (flags.includes("ACK")) parts.push(t("why.ack", { ack: count(kind.relative_ack ?? kind.ack) }));
  if (kind.len === 0) parts.push(t("why.window", { bytes: count(kind.window_bytes) }));
  return parts.join(t("why.join"));
}

/** The name or value of a variable in the reader's language. */
export function saidOf(book: Book, said: Said): string {
  if (typeof said === "string") return said;
  return "word" in said ? t(said.word) : say(term(book.limits, said.limit).name);
}

function updated(run: Run, book: Book, position: Position, host: string): string {
  const changes = changesOf(run, position);
  if (changes.length === 0) return t("why.updated_none", { host });
  return t("why.updated", { host, names: changes.map(({ name }) => saidOf(book, name)).join(t("why.join")) });
}

function call({ host, kind }: Event): string {
  if (kind.type === "call_entered") return t("why.entered", { host, name: kind.name, arguments: kind.arguments });
  if (kind.type === "call_blocked") return t("why.blocked", { host, name: kind.name });
  if (kind.type === "call_returned") return t("why.returned", { host, name: kind.name, result: kind.result });
  return "";
}

/** Where the call stands in the program. */
function lineOf(run: Run, position: Position): string {
  const { kind } = run.events[position]!;
  const known = run.calls[places(run).callOf.get(position) ?? -1]?.lines ?? [];
  const lines = known.length === 0 && kind.type === "call_entered" && kind.source ? [kind.source] : known;
  return lines.length === 0 ? "" : ` · ${lines.map(({ file, line }) => `${file}:${line}`).join(" · ")}`;
}
