// Where the states of RFC 9293, figure 5, and the words on the ways between them lie. The layout is for the states by
// their names; which ways there are, and what is written on them, comes from the book. CLOSED is there twice, where a
// connection begins and where it ends, so that time runs down the page.

/** The lower one of the two CLOSED. */
export const END = "CLOSED/end";
export const HEIGHT = 614;
export const BOX = { width: 124, height: 38 };

export interface Point {
  x: number;
  y: number;
}

/** A way, and where its words go. */
export interface Way {
  from: string;
  to: string;
  a: Point;
  b: Point;
  /** A bend, for ways round the picture. */
  via?: Point[];
  label?: Point & { align: Align };
}

/** Which corner or side of the words touches the way: the words lie to the top right of it (`tr`), ... */
export type Align = "tl" | "tr" | "bl" | "br" | "l" | "r" | "t";

interface Route {
  /** Offsets from the middle of the states. */
  a: [number, number];
  b: [number, number];
  /** How far along the way the words lie, from 0 to 1. */
  at: number;
  align: Align;
}

const H = BOX.height / 2;
const W = BOX.width / 2;

/** Column (of the width) and row (in pixels) of each state. */
const STATES: Record<string, [number, number]> = {
  CLOSED: [0.5, 22],
  LISTEN: [0.17, 98],
  "SYN-SENT": [0.83, 98],
  "SYN-RECEIVED": [0.17, 182],
  ESTABLISHED: [0.5, 258],
  "FIN-WAIT-1": [0.17, 334],
  "CLOSE-WAIT": [0.83, 334],
  CLOSING: [0.53, 392],
  "FIN-WAIT-2": [0.17, 484],
  "LAST-ACK": [0.83, 456],
  "TIME-WAIT": [0.53, 530],
  [END]: [0.83, 590],
};

const ROUTES: Record<string, Route> = {
  "CLOSED>LISTEN": { a: [-W, 0], b: [-10, -H], at: 0.5, align: "tl" },
  "LISTEN>CLOSED": { a: [W, -10], b: [-W + 16, H], at: 0.5, align: "br" },
  "CLOSED>SYN-SENT": { a: [W, 0], b: [10, -H], at: 0.5, align: "tr" },
  "SYN-SENT>CLOSED": { a: [-W, -10], b: [W - 16, H], at: 0.5, align: "bl" },
  "LISTEN>SYN-SENT": { a: [W, 2], b: [-W, 2], at: 0.5, align: "t" },
  "SYN-SENT>SYN-RECEIVED": { a: [-W, 14], b: [W, -10], at: 0.55, align: "br" },
  "SYN-SENT>ESTABLISHED": { a: [-20, H], b: [W - 20, -H], at: 0.45, align: "br" },
  "LISTEN>SYN-RECEIVED": { a: [10, H], b: [10, -H], at: 0.5, align: "r" },
  "SYN-RECEIVED>LISTEN": { a: [-14, -H], b: [-14, H], at: 0.5, align: "l" },
  "SYN-RECEIVED>ESTABLISHED": { a: [W, 8], b: [-W + 10, -H], at: 0.4, align: "tr" },
  "SYN-RECEIVED>FIN-WAIT-1": { a: [-26, H], b: [-26, -H], at: 0.5, align: "l" },
  "ESTABLISHED>FIN-WAIT-1": { a: [-W + 10, H], b: [W, -8], at: 0.5, align: "tl" },
  "ESTABLISHED>CLOSE-WAIT": { a: [W - 10, H], b: [-W, -8], at: 0.5, align: "tr" },
  "FIN-WAIT-1>FIN-WAIT-2": { a: [-14, H], b: [-14, -H], at: 0.5, align: "l" },
  "FIN-WAIT-1>CLOSING": { a: [W, 4], b: [-W, -6], at: 0.4, align: "tr" },
  "FIN-WAIT-1>TIME-WAIT": { a: [30, H], b: [-W + 14, -H], at: 0.42, align: "bl" },
  "FIN-WAIT-2>TIME-WAIT": { a: [W, 6], b: [-W, 4], at: 0.5, align: "bl" },
  "CLOSING>TIME-WAIT": { a: [0, H], b: [0, -H], at: 0.5, align: "r" },
  "CLOSE-WAIT>LAST-ACK": { a: [0, H], b: [0, -H], at: 0.5, align: "r" },
  "LAST-ACK>CLOSED": { a: [0, H], b: [0, -H], at: 0.5, align: "r" },
  "TIME-WAIT>CLOSED": { a: [W - 24, H], b: [-W, 2], at: 0.35, align: "tr" },
};

/** What leads to the end, rather than back to where nothing has begun. */
const BACK = new Set(["LISTEN", "SYN-SENT"]);

/** The box that a state is drawn in when it is come to from another. */
export function boxOf(from: string, to: string): string {
  return to === "CLOSED" && !BACK.has(from) ? END : to;
}

/** The middle of a state's box. */
export function middleOf(box: string, width: number): Point {
  const [column, y] = STATES[box] ?? [0.5, 22];
  // The outer columns keep room for a whole box.
  const x = Math.min(width - W - 2, Math.max(W + 2, column * width));
  return { x, y };
}

/** Every box there is. */
export const BOXES = Object.keys(STATES);

/** How a way runs; one that figure 5 does not have (an abort) goes round the picture to the end. */
export function wayOf(from: string, to: string, width: number): Way {
  const start = middleOf(from, width);
  const end = middleOf(boxOf(from, to), width);
  const route = ROUTES[`${from}>${to}`];
  if (!route) return around(from, to, start, end, width);
  const a = { x: start.x + route.a[0], y: start.y + route.a[1] };
  const b = { x: end.x + route.b[0], y: end.y + route.b[1] };
  const label = { x: a.x + (b.x - a.x) * route.at, y: a.y + (b.y - a.y) * route.at, align: route.align };
  return { from, to, a, b, label };
}

function around(from: string, to: string, start: Point, end: Point, width: number): Way {
  if (start.x < width / 3) {
    const bottom = HEIGHT - 4;
    return {
      from,
      to,
      a: { x: start.x - W, y: start.y },
      via: [
        { x: 4, y: start.y },
        { x: 4, y: bottom },
        { x: end.x - W - 24, y: bottom },
      ],
      b: { x: end.x - W, y: end.y + 12 },
    };
  }
  return {
    from,
    to,
    a: { x: start.x + W, y: start.y },
    via: [
      { x: width - 4, y: start.y },
      { x: width - 4, y: end.y },
    ],
    b: { x: end.x + W, y: end.y },
  };
}

/** A way as an SVG path, moved sideways by `shift` pixels. */
export function drawn(way: Way, shift: number): string {
  const points = [way.a, ...(way.via ?? []), way.b];
  const dx = way.b.x - way.a.x;
  const dy = way.b.y - way.a.y;
  const length = Math.hypot(dx, dy) || 1;
  const move = { x: (-dy / length) * shift, y: (dx / length) * shift };
  return points.map((point, i) => `${i === 0 ? "M" : "L"}${(point.x + move.x).toFixed(1)},${(point.y + move.y).toFixed(1)}`).join(" ");
}
