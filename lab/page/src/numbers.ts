// Numbers as people read them.

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

/** A moment or a duration: `40 ms`, `1.25 s`, `60 s`. Units are the same in both languages. */
export function duration(ns: number): string {
  if (ns === 0) return "0";
  if (ns < NS_PER_MS) return `${trim(ns / 1e3, 1)} µs`;
  if (ns < NS_PER_S) return `${trim(ns / NS_PER_MS, ns < 10 * NS_PER_MS ? 2 : 1)} ms`;
  return `${trim(ns / NS_PER_S, 3)} s`;
}

/** A moment on the run's own clock, all to the same unit: `0.060 s`. */
export function moment(ns: number): string {
  return `${(ns / NS_PER_S).toFixed(3)} s`;
}

/** A count of bytes, exact: `65,535`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A count of bytes at an axis, where millions would not fit: `65,535`, `12.5 M`. */
export function short(value: number): string {
  return Math.abs(value) < 1e6 ? count(value) : `${trim(value / 1e6, 2)} M`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
