// Where lifelines stand, and how an arrow runs between two of them.

export interface Frame {
  width: number;
  /** The scale of time at the left; 0: there is no room for one. */
  scale: number;
  /** What is beside the outer lifelines. */
  lane: number;
  /** The lifelines, by host. */
  x: number[];
}

const SCALE_WIDTH = 72;
const SCALE_FROM = 540;

export function frame(width: number, hosts: number): Frame {
  const scale = width >= SCALE_FROM ? SCALE_WIDTH : 0;
  const lane = Math.max(112, Math.min(230, (width - scale) * 0.26));
  const left = scale + lane;
  const right = width - lane;
  const x = Array.from({ length: hosts }, (_, host) =>
    hosts < 2 ? (left + right) / 2 : left + ((right - left) * host) / (hosts - 1),
  );
  return { width, scale, lane, x };
}

export interface Line {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** The point at a share of the way. */
export function along({ x0, y0, x1, y1 }: Line, share: number): { x: number; y: number } {
  return { x: x0 + (x1 - x0) * share, y: y0 + (y1 - y0) * share };
}

/** In degrees, for text that is read from left to right along it. */
export function slope({ x0, y0, x1, y1 }: Line): number {
  const degrees = (Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI;
  return degrees > 90 ? degrees - 180 : degrees < -90 ? degrees + 180 : degrees;
}

/** The triangle at its end. */
export function head({ x0, y0, x1, y1 }: Line): string {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
  const [bx, by] = [x1 - dx * 9, y1 - dy * 9];
  return `${x1},${y1} ${bx - dy * 4},${by + dx * 4} ${bx + dy * 4},${by - dx * 4}`;
}
