// Which colour a host has: the client's and the server's are the same in every run, wherever others stand.

import type { Run } from "./run.ts";

/** As many as the theme has. */
const COLORS = 4;

/** The colours of a run's hosts as style declarations: `--host-0` is that of its first host. */
export function lifelines(run: Run): string {
  const indices = run.hosts.map((_, index) => index);
  const isOther = (index: number) => run.hosts[index]!.role === "peer";
  const order = [...indices.filter((index) => !isOther(index)), ...indices.filter(isOther)];
  return indices.map((index) => `--host-${index}: var(--lifeline-${order.indexOf(index) % COLORS})`).join("; ");
}
