// An event in a few words, for the line under the picture. The why-log says it in full.

import { term, type Book } from "./book.ts";
import { duration } from "./numbers.ts";
import { isSegment, type Position, type Run, type Text } from "./run.ts";
import type { WordName } from "./text.ts";

interface Voice {
  t: (name: WordName, values?: Record<string, string | number>) => string;
  say: (text: Text) => string;
}

export function eventInWords(run: Run, book: Book, at: Position, voice: Voice): string {
  const event = run.events[at];
  return event ? `${event.host}: ${kindInWords(run, book, at, voice)}` : "";
}

function kindInWords(run: Run, book: Book, at: Position, { t, say }: Voice): string {
  const { kind } = run.events[at]!;
  if (isSegment(kind)) {
    const flags = kind.flags.replaceAll("|", " ");
    const ack = kind.flags.includes("ACK") ? ` ack=${kind.relative_ack ?? kind.ack}` : "";
    const segment = `${flags} seq=${kind.relative_seq ?? kind.seq}${ack} len=${kind.len}`;
    if (kind.type === "segment_received") return t("event.received", { segment });
    return t(kind.retransmission ? "event.sent_again" : "event.sent", { segment });
  }
  switch (kind.type) {
    case "packet_dropped":
      return t("event.dropped", { why: say(term(book.counters, kind.counter).name) });
    case "updated":
      return t("event.updated");
    case "state_changed":
      return t("event.state", { from: kind.from, to: kind.to });
    case "timer_armed": {
      const time = duration(Math.max(0, kind.deadline_ns - run.events[at]!.time_ns));
      return t("event.timer_armed", { timer: say(term(book.timers, kind.timer).name), time });
    }
    case "timer_stopped":
      return t("event.timer_stopped", { timer: say(term(book.timers, kind.timer).name) });
    case "timer_fired":
      return t("event.timer_fired", { timer: say(term(book.timers, kind.timer).name) });
    case "rtt_measured":
      return t("event.rtt", { time: duration(kind.rtt_ns) });
    case "congestion_changed":
      return t("event.phase", { phase: say(term(book.phases, kind.phase).name) });
    case "call_entered":
      return t("event.call", { call: `${kind.name}(${kind.arguments})` });
    case "call_blocked":
      return t("event.blocked", { call: kind.name });
    case "call_returned":
      return t("event.returned", { call: kind.name, result: kind.result });
  }
}
