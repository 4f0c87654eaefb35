// The fields of a header as boxes of bits: the book's fields with their values, and behind them the options.
//
// The layout comes from the book and the bytes. A field that the bytes have and the book lacks still gets its box.

import type { Book, Term } from "../../book.ts";
import type { Text } from "../../run.ts";
import { count, duration } from "../../numbers.ts";
import type { Phrase } from "../phrase.ts";
import type { Shown } from "./segment.ts";

/** A field: a run of bits that mean something together. */
export interface Field {
  id: string;
  bit: number;
  bits: number;
  name: Text | Phrase;
  /** The value as the bits have it. */
  value: string;
  /** What the value comes to. */
  note?: Phrase;
  term?: Term;
  /** Flags and options are drawn in their own colour. */
  kind: "field" | "flag" | "option";
}

/** The part of a field that lies in one row of 32 bits. */
export interface Box {
  field: Field;
  row: number;
  column: number;
  bits: number;
  /** Whether the field begins here: its name stands in this part. */
  begins: boolean;
}

/** The bits of a header as an unsigned number; up to 32 of them. */
export function bitsAt(bytes: number[], bit: number, bits: number): number {
  let value = 0;
  for (let at = bit; at < bit + bits; at++) {
    value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
  }
  return value;
}

/** Every field of the header, options included, in the order of their bits. */
export function fieldsOf(shown: Shown, book: Book): Field[] {
  const fixed = book.header
    .filter((field) => field.bit + field.bits <= 160)
    .map((field): Field => {
      const value = bitsAt(shown.header, field.bit, field.bits);
      return {
        id: field.id,
        bit: field.bit,
        bits: field.bits,
        name: field.term.name,
        value: field.id === "checksum" ? hex(value, 4) : String(value),
        note: noteOf(field.id, value, shown),
        term: field.term,
        kind: field.bits === 1 ? "flag" : "field",
      };
    });
  return [...fixed, ...optionsOf(shown, book)].sort((a, b) => a.bit - b.bit);
}

/** A number in hexadecimal with at least so many digits. */
export function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function noteOf(id: string, value: number, { segment, header }: Shown): Phrase | undefined {
  switch (id) {
    case "seq":
      return segment.relative_seq === undefined ? undefined : relative(segment.relative_seq);
    case "ack":
      if (!segment.flags.split("|").includes("ACK")) return { word: "header.ack_invalid" };
      return segment.relative_ack === undefined ? undefined : relative(segment.relative_ack);
    case "data_offset":
      return { word: "header.offset", values: { bytes: header.length } };
    case "window":
      return segment.window_bytes === value ? undefined : { word: "header.window", values: { bytes: count(segment.window_bytes) } };
    case "urgent_pointer":
      return segment.flags.split("|").includes("URG") ? undefined : { word: "header.urgent_invalid" };
    default:
      return undefined;
  }
}

function relative(number: number): Phrase {
  return { word: "header.relative", values: { number: count(number) } };
}

/** The options behind the fixed part; what breaks off is one field to the end. */
function optionsOf(shown: Shown, book: Book): Field[] {
  const fields: Field[] = [];
  const { header } = shown;
  let at = 20;
  for (let number = 0; at < header.length; number++) {
    const kind = header[at]!;
    const term = book.options[String(kind)];
    const name = term?.name ?? { word: "header.option" as const, values: { kind } };
    const add = (id: string, from: number, bytes: number, name: Field["name"], value: string, note?: Phrase) =>
      fields.push({ id: `option${number}.${id}`, bit: from * 8, bits: bytes * 8, name, value, note, term, kind: "option" });
    if (kind < 2) {
      add("kind", at, 1, name, String(kind));
      at += 1;
      continue;
    }
    const length = header[at + 1] ?? 0;
    if (length < 2 || at + length > header.length) {
      add("broken", at, header.length - at, { word: "header.broken" }, String(kind));
      break;
    }
    add("kind", at, 1, name, String(kind));
    add("length", at + 1, 1, { word: "header.length" }, String(length));
    for (const part of contentOf(kind, header.slice(at + 2, at + length), shown)) {
      add(part.id, at + 2 + part.from, part.bytes, part.name, part.value, part.note);
    }
    at += length;
  }
  return fields;
}

interface Part {
  id: string;
  from: number;
  bytes: number;
  name: Field["name"];
  value: string;
  note?: Phrase;
}

const same = (text: string): Text => ({ en: text, zh: text });

/** What is in an option behind kind and length. */
function contentOf(kind: number, content: number[], shown: Shown): Part[] {
  const number = (from: number, bytes: number) => bitsAt(content, from * 8, bytes * 8);
  if (kind === 2 && content.length === 2) {
    return [{ id: "mss", from: 0, bytes: 2, name: same("MSS"), value: String(number(0, 2)) }];
  }
  if (kind === 3 && content.length === 1) {
    const shift = number(0, 1);
    const note: Phrase = { word: "header.scale", values: { factor: count(2 ** shift) } };
    return [{ id: "shift", from: 0, bytes: 1, name: { word: "header.shift" }, value: String(shift), note }];
  }
  if (kind === 5 && content.length % 8 === 0) return edgesOf(content, shown);
  if (kind === 8 && content.length === 8) {
    return ["TSval", "TSecr"].map((name, i) => ({
      id: name,
      from: 4 * i,
      bytes: 4,
      name: same(name),
      value: String(number(4 * i, 4)),
    }));
  }
  if (kind === 28 && content.length === 2) {
    const seconds = (number(0, 2) & 0x7fff) * (content[0]! & 0x80 ? 60 : 1);
    return [{ id: "timeout", from: 0, bytes: 2, name: { word: "header.timeout" }, value: duration(seconds * 1e9) }];
  }
  if (content.length === 0) return [];
  const bytes = content.map((byte) => hex(byte, 2)).join(" ");
  return [{ id: "content", from: 0, bytes: content.length, name: { word: "header.content" }, value: bytes }];
}

/** The edges of SACK blocks, which count in the same numbers as the acknowledgment. */
function edgesOf(content: number[], { segment }: Shown): Part[] {
  const parts: Part[] = [];
  for (let from = 0; from < content.length; from += 4) {
    const edge = bitsAt(content, from * 8, 32);
    const past = (edge - segment.ack + 2 ** 32) % 2 ** 32;
    // A duplicate that is reported (RFC 2883) may lie before the acknowledgment.
    const distance = past < 2 ** 31 ? past : past - 2 ** 32;
    parts.push({
      id: `edge${from / 4}`,
      from,
      bytes: 4,
      name: { word: from % 8 === 0 ? "header.left" : "header.right" },
      value: String(edge),
      note: segment.relative_ack === undefined ? undefined : relative(segment.relative_ack + distance),
    });
  }
  return parts;
}

/** The fields cut into rows of 32 bits. */
export function boxesOf(fields: Field[]): Box[] {
  return fields.flatMap((field) => {
    const boxes: Box[] = [];
    for (let bit = field.bit; bit < field.bit + field.bits; ) {
      const row = Math.floor(bit / 32);
      const bits = Math.min((row + 1) * 32, field.bit + field.bits) - bit;
      boxes.push({ field, row, column: bit % 32, bits, begins: bit === field.bit });
      bit += bits;
    }
    return boxes;
  });
}

/** Whether a field has a part in a byte of the header. */
export function covers(field: Field, byte: number): boolean {
  return field.bit < (byte + 1) * 8 && field.bit + field.bits > byte * 8;
}
