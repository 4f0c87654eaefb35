// The Internet checksum of a segment, taken apart as one would do it by hand (RFC 9293 §3.1, RFC 1071).
//
// Pseudo-header, header and data are summed as 16-bit words, the carries are folded in, the complement is what the
// field must hold. What the record does not have (the data past its first bytes) comes as a sum, or is deduced from the
// field; a deduced sum proves nothing, and the result says so.

/** One 16-bit word of the sum. */
export interface Word {
  value: number;
  /** What it is part of: `source`, `destination`, `protocol`, `length`, or the header"s byte offset. */
  part: "source" | "destination" | "protocol" | "length" | "header";
  /** Offset of its first byte in the header, for words of the header. */
  offset?: number;
}

/** Whether the field holds what it must. */
export type Verdict = "right" | "wrong" | "deduced" | "no_single_one" | "unknown";

/** The checksum taken apart. */
export interface Checksum {
  pseudo: Word[];
  header: Word[];
  pseudoSum: number;
  headerSum: number;
  /** The sum of the data"s words, folded; null: not known. */
  dataSum: number | null;
  /** Where `dataSum` is from: the record, the whole data, or the field itself. */
  dataFrom: "record" | "data" | "field" | "none";
  /** All three, not folded. */
  total: number;
  /** `total` after each folding of the carries, the last one of 16 bits. */
  folds: number[];
  complement: number;
  field: number;
  /** What a receiver gets who sums everything with the field: all ones if it is right. */
  withField: number;
  verdict: Verdict;
}

/** Adds the carries of a sum to its low 16 bits, once. */
export function foldOnce(sum: number): number {
  return Math.floor(sum / 0x10000) + (sum % 0x10000);
}

/** Adds the carries until there are none. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = foldOnce(folded);
  return folded;
}

/** The bytes of a string of hexadecimal digits. */
export function bytesOf(hex: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at + 1 < hex.length; at += 2) bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes;
}

/** 16-bit words, the last byte of an odd number padded with zero. */
export function wordsOf(bytes: number[]): number[] {
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) words.push(bytes[at]! * 256 + (bytes[at + 1] ?? 0));
  return words;
}

function sumOf(words: number[]): number {
  return words.reduce((sum, word) => sum + word, 0);
}

/** The bytes of an address as text, IPv4 or IPv6; null: it is none. */
export function addressBytes(address: string): number[] | null {
  if (/^\d+(\.\d+){3}$/.test(address)) return address.split(".").map(Number);
  let text = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (tail) {
    const [a, b, c, d] = tail.slice(1).map(Number) as [number, number, number, number];
    text = text.slice(0, tail.index) + `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - groups[0]!.length - (groups[1]?.length ?? 0);
  if (missing < 0 || (halves.length === 1 && missing !== 0)) return null;
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...Array<string>(missing).fill("0"), ...groups[1]!];
  return all.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The address of `1.2.3.4:80` or `[::1]:80`. */
export function addressOf(endpoint: string): string {
  const colon = endpoint.lastIndexOf(":");
  return endpoint.slice(0, colon).replace(/^\[|\]$/g, "");
}

/** What the checksum is made of. */
export interface Parts {
  source: string;
  destination: string;
  /** The TCP header"s bytes, with the checksum field as on the wire. */
  header: number[];
  /** The first bytes of the data. */
  payload: number[];
  /** How many bytes of data there are. */
  len: number;
  /** The folded sum of all the data, if the record has it. */
  payloadSum: number | null;
  /** How many segments on the wire the record stands for. */
  segments: number;
  /** The bit that was flipped on the way, counted from the header's first; header and payload show it already. */
  flipped?: number;
}

/** Takes the checksum apart; null: the addresses or the header are not whole. */
export function checksumOf(parts: Parts): Checksum | null {
  const source = addressBytes(parts.source);
  const destination = addressBytes(parts.destination);
  if (!source || !destination || parts.header.length < 20) return null;
  const pseudo = pseudoHeader(source, destination, parts.header.length + parts.len);
  const field = parts.header[16]! * 256 + parts.header[17]!;
  const header: Word[] = wordsOf(parts.header).map((value, i) => ({
    // The field itself counts as zero while the sum is made.
    value: i === 8 ? 0 : value,
    part: "header",
    offset: 2 * i,
  }));
  const pseudoSum = sumOf(pseudo.map((w) => w.value));
  const headerSum = sumOf(header.map((w) => w.value));
  const data = dataSum(parts, fold(pseudoSum + headerSum), field);
  const total = pseudoSum + headerSum + (data.sum ?? 0);
  const folds: number[] = [];
  for (let sum = total; sum > 0xffff; ) folds.push((sum = foldOnce(sum)));
  const complement = 0xffff - fold(total);
  return {
    pseudo,
    header,
    pseudoSum,
    headerSum,
    dataSum: data.sum,
    dataFrom: data.from,
    total,
    folds,
    complement,
    field,
    withField: fold(total + field),
    verdict: verdictOf(parts, data, complement, field),
  };
}

function pseudoHeader(source: number[], destination: number[], length: number): Word[] {
  const words: Word[] = [
    ...wordsOf(source).map((value): Word => ({ value, part: "source" })),
    ...wordsOf(destination).map((value): Word => ({ value, part: "destination" })),
  ];
  // IPv4 has 16 bits of length behind the protocol, IPv6 32 before it: the words are the same but for a zero.
  if (source.length === 16) words.push({ value: Math.floor(length / 0x10000), part: "length" });
  words.push({ value: length % 0x10000, part: "length" }, { value: 6, part: "protocol" });
  return words;
}

function dataSum(parts: Parts, rest: number, field: number): { sum: number | null; from: Checksum["dataFrom"] } {
  if (parts.len === 0) return { sum: 0, from: "none" };
  if (parts.payload.length >= parts.len) return { sum: fold(sumOf(wordsOf(parts.payload))), from: "data" };
  if (parts.payloadSum !== null) return { sum: damagedSum(parts, parts.payloadSum), from: "record" };
  // Nothing can be deduced from a field that is known not to fit.
  if (parts.flipped !== undefined) return { sum: null, from: "none" };
  if (parts.segments > 1) return { sum: null, from: "field" };
  // What has to be added to the rest so that the complement is the field.
  return { sum: fold(0xffff - field + (0xffff - rest)), from: "field" };
}

/** The sum of the data behind a flip of one of its bits; null: nobody knows what that bit was. */
function damagedSum(parts: Parts, sum: number): number | null {
  const bit = (parts.flipped ?? -1) - parts.header.length * 8;
  if (bit < 0) return sum;
  const byte = parts.payload[bit >> 3];
  if (byte === undefined) return null;
  const weight = 2 ** (15 - (bit % 16));
  const set = (byte >> (7 - (bit % 8))) & 1;
  return fold(sum + (set ? weight : 0xffff - weight));
}

function verdictOf(
  parts: Parts,
  data: { sum: number | null; from: Checksum["dataFrom"] },
  complement: number,
  field: number,
): Verdict {
  if (parts.segments > 1) return "no_single_one";
  // One flipped bit always changes the sum.
  if (parts.flipped !== undefined) return "wrong";
  if (data.sum === null) return "unknown";
  if (data.from === "field") return "deduced";
  return complement === field ? "right" : "wrong";
}
