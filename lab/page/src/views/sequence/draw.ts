// From the layout of a run to what is drawn of it at a cursor.

import type { Book } from "../../book.ts";
import { term } from "../../book.ts";
import { segmentOf } from "../../places.ts";
import type { CallSpan, Position, Run, Text } from "../../run.ts";
import type { WordName } from "../../text.ts";
import type { Drawn } from "./ArrowMark.svelte";
import type { DrawnRow } from "./Beside.svelte";
import { along, type Frame, type Line } from "./geometry.ts";
import { ackOf, labelOf, Placer, seqOf, widthOf } from "./label.ts";
import { DIES_AT, firstFrom, isBrief, type Arrow, type Layout, type Row } from "./layout.ts";

/** How words are said in the language now. */
export interface Voice {
  t: (name: WordName, values?: Record<string, string | number>) => string;
  say: (text: Text) => string;
}

/** What is written on an arrow; it stays the same wherever the cursor is. */
export interface Written {
  label: string;
  share: number;
  /** There is no room for it among the others: it is shown only where the cursor is. */
  isCrowded: boolean;
}

/** Where labels stand on their way, the best place first. */
const SHARES = [0.3, 0.42, 0.55, 0.2, 0.68];

/** Where an arrow runs. */
export function lineOf(run: Run, arrow: Arrow, frame: Frame): Line {
  const x0 = frame.x[arrow.from]!;
  const x1 = frame.x[arrow.to]!;
  const isLost = run.flights[arrow.flight]!.fate === "lost";
  // A host that speaks to itself: a stub beside its line.
  const target = x0 === x1 ? x0 + 60 : x1;
  return { x0, y0: arrow.y0, x1: isLost ? x0 + (target - x0) * DIES_AT : target, y1: arrow.y1 };
}

/** The labels of all arrows, each where it is in no other's way. */
export function write(run: Run, layout: Layout, frame: Frame): Written[] {
  const placer = new Placer();
  const isLost = ({ flight }: Arrow) => run.flights[flight]!.fate === "lost";
  // What is lost is what one looks for: it and its cross come first.
  const lost = new Map(layout.arrows.filter(isLost).map((arrow) => [arrow, writeOne(run, arrow, frame, placer)]));
  return layout.arrows.map((arrow) => lost.get(arrow) ?? writeOne(run, arrow, frame, placer));
}

function writeOne(run: Run, arrow: Arrow, frame: Frame, placer: Placer): Written {
  const segment = segmentOf(run, run.flights[arrow.flight]!);
  if (!segment) return { label: "", share: 0.5, isCrowded: false };
  const line = lineOf(run, arrow, frame);
  const isLost = run.flights[arrow.flight]!.fate === "lost";
  // The cross where it dies, and the word beside it.
  if (isLost) placer.block(line.x1 - (line.x1 < line.x0 ? 90 : 10), line.y1 - 10, 100, 20);
  const room = Math.abs(line.x1 - line.x0) * (isLost ? 0.9 : 0.66) - (segment.retransmission ? 20 : 6);
  const text = labelOf(segment, room);
  const label = text && segment.retransmission ? `↻ ${text}` : text;
  const width = widthOf(label);
  // Neither end of a label may stand on a lifeline.
  const least = Math.min(0.5, (width / 2 + 8) / Math.abs(line.x1 - line.x0));
  const shares = isLost ? [0.44, 0.36, 0.5] : SHARES.map((share) => Math.min(1 - least, Math.max(least, share)));
  const share = placer.place(width, line, shares);
  return { label, share: share ?? shares[0]!, isCrowded: share === undefined };
}

/** The arrows between two heights. */
export function arrowsBetween(
  run: Run, layout: Layout, frame: Frame, written: Written[], cursor: Position, top: number, bottom: number, voice: Voice, parts: Position | undefined,
): Drawn[] {
  const first = firstFrom(layout.arrows, (arrow) => arrow.y0, top - layout.tallest);
  const last = firstFrom(layout.arrows, (arrow) => arrow.y0, bottom);
  const drawn: Drawn[] = [];
  for (let index = first; index < last; index++) {
    const arrow = layout.arrows[index]!;
    if (arrow.y1 < top) continue;
    const flight = run.flights[arrow.flight]!;
    const segment = segmentOf(run, flight);
    if (!segment) continue;
    const line = lineOf(run, arrow, frame);
    const future = arrow.start > cursor;
    const lit = arrow.start === cursor || arrow.end === cursor;
    const { label, share, isCrowded } = written[index]!;
    drawn.push({
      arrow,
      line,
      travelled: travelled(arrow, line, future, cursor, layout, flight.fate),
      label: isCrowded && !lit ? "" : label,
      share,
      retransmission: segment.retransmission ?? false,
      fate: fateOf(run, arrow, voice),
      isLost: flight.fate === "lost",
      isUnwitnessed: flight.fate === "unwitnessed",
      future,
      lit,
      parts: parts !== undefined && (arrow.start === parts || arrow.end === parts),
      name: nameOf(run, arrow, voice),
    });
  }
  return drawn;
}

/** How far a segment has come that is on its way at the cursor. */
function travelled(arrow: Arrow, line: Line, future: boolean, cursor: Position, layout: Layout, fate: string): Line | undefined {
  const arrives = arrow.end !== undefined && arrow.end > cursor;
  if (future || (!arrives && fate !== "underway") || arrow.y1 <= arrow.y0) return undefined;
  const now = layout.y[cursor] ?? arrow.y0;
  const share = Math.min(0.96, Math.max(0.06, (now - arrow.y0) / (arrow.y1 - arrow.y0)));
  const { x, y } = along(line, share);
  return { ...line, x1: x, y1: y };
}

/** What became of it, in a word or two; by whose doing, where a rule did it. */
function fateOf(run: Run, arrow: Arrow, { t }: Voice): string {
  const flight = run.flights[arrow.flight]!;
  const rule = run.origin.type === "simulated" && flight.rule !== undefined ? run.origin.rules[flight.rule] : undefined;
  if (rule) return t(`rule.${rule.action}`, rule.action === "delay" ? { ms: rule.delay_ms } : {});
  if (flight.lost_segments) return t("mark.partly", { lost: flight.lost_segments });
  switch (flight.fate) {
    case "lost":
    case "damaged":
    case "duplicate":
      return t(`mark.${flight.fate}`);
    default:
      return "";
  }
}

function nameOf(run: Run, arrow: Arrow, { t }: Voice): string {
  const flight = run.flights[arrow.flight]!;
  const segment = segmentOf(run, flight)!;
  const ack = segment.flags.includes("ACK") ? ` ack ${ackOf(segment)}` : "";
  const again = segment.retransmission ? `, ${t("sequence.retransmission")}` : "";
  const names = `${run.hosts[flight.from]?.name} → ${run.hosts[flight.to]?.name}`;
  return `${names}: ${segment.flags.replaceAll("|", " ")} seq ${seqOf(segment)}${ack} len ${segment.len}, ${t(`fate.${flight.fate}`)}${again}`;
}

/** The lines beside the lifelines between two heights. */
export function rowsBetween(
  run: Run, book: Book, layout: Layout, frame: Frame, cursor: Position, top: number, bottom: number, voice: Voice,
  programLanguage: string,
): DrawnRow[] {
  const last = firstFrom(layout.rows, (row) => row.y, bottom);
  const first = firstFrom(layout.rows, (row) => row.y, top);
  // A call that waits may have been entered far above.
  const waiting = layout.rows.slice(0, first).filter((row) => row.until !== undefined && row.until > top);
  return [...waiting, ...layout.rows.slice(first, last)].map((row) => drawRow(run, book, row, frame, cursor, voice, programLanguage));
}

function drawRow(run: Run, book: Book, row: Row, frame: Frame, cursor: Position, voice: Voice, programLanguage: string): DrawnRow {
  const x = frame.x[row.host]!;
  const left = row.host === 0 && frame.x.length > 1;
  const isOuter = row.host === 0 || row.host === frame.x.length - 1;
  const room = (isOuter ? frame.lane : 150) - (frame.scale ? 22 : 15);
  const wordings = wordsOf(run, book, row, voice);
  const whole = wordings[0]!;
  const call = row.call === undefined ? undefined : run.calls[row.call];
  const source = row.kind === "call" && call ? sourceOf(run, call, programLanguage) : "";
  return {
    key: `${row.at}`,
    kind: row.kind,
    // A state is told in full: its letters are narrower, and it has room to its lifeline.
    text: row.kind === "state" ? whole : shorten(wordings, row.kind === "timer" ? (room - 15) * TIMER_SHARE : room),
    source: cut(source, room),
    whole: source ? `${whole}\n${source}` : whole,
    at: row.at,
    y: row.y,
    x,
    left,
    host: row.host,
    until: row.until,
    blocks: call?.blocked !== undefined,
    future: row.at > cursor,
    lit: row.at === cursor || (row.kind === "call" && call?.returned === cursor && row.until === undefined),
    isNarrow: frame.scale === 0,
    isOuter,
  };
}

/** Where a call stands: in the program of the language that is shown, if it is in one. */
function sourceOf(run: Run, { lines }: CallSpan, language: string): string {
  const ofLanguage = lines.find(({ file }) => run.listings.some((listing) => listing.file === file && listing.language === language));
  const line = ofLanguage ?? lines[0];
  return line ? `${line.file}:${line.line}` : "";
}

/** What a line says, the longest wording first. */
function wordsOf(run: Run, book: Book, row: Row, { t, say }: Voice): string[] {
  const { kind } = run.events[row.at]!;
  switch (kind.type) {
    case "call_entered": {
      const call = row.call === undefined ? undefined : run.calls[row.call];
      const heads = [`${kind.name}(${kind.arguments})`, `${kind.name}(…)`, kind.name];
      if (call && row.call !== undefined && isBrief(run, row.call)) return heads.map((head) => `${head} = ${call.result}`);
      return call?.blocked === undefined ? heads : [`${heads[0]} ${t("sequence.blocks")}`, ...heads];
    }
    case "call_returned":
      return [`${kind.name} = ${kind.result}`];
    case "state_changed":
      return [kind.to];
    case "timer_fired": {
      const name = say(term(book.timers, kind.timer).name);
      // "Retransmission (RTO)": where there is little room its short name does.
      const short = /[(（](.+)[)）]/.exec(name)?.[1];
      return short ? [name, short] : [name];
    }
    case "packet_dropped":
      return [`✕ ${say(term(book.counters, kind.counter).name)}`];
    default:
      return [""];
  }
}

/** Of monospaced text at 12 px; 中文 is wider. */
const CHARACTER = 7.3;
/** A timer's name stands in letters that are so much narrower. */
const TIMER_SHARE = 1.03;
const WIDE = 12;

function shorten(wordings: string[], room: number): string {
  return wordings.find((wording) => widthIn(wording) <= room) ?? cut(wordings.at(-1)!, room);
}

function widthIn(text: string): number {
  return [...text].reduce((width, character) => width + (character > "\u2e7f" ? WIDE : CHARACTER), 0);
}

function cut(text: string, room: number): string {
  let kept = "";
  for (const character of text) {
    if (widthIn(`${kept}${character}…`) > room) return widthIn(text) <= room ? text : `${kept}…`;
    kept += character;
  }
  return text;
}
