// Light or dark: remembered, and by default what the reader's system has.

import { recall, remember } from "./surroundings.ts";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const kept = recall("theme");
let chosen = $state<Theme | undefined>(kept === "light" || kept === "dark" ? kept : undefined);
let isSystemDark = $state(system.matches);
system.addEventListener("change", ({ matches }) => (isSystemDark = matches));

export function theme(): Theme {
  return chosen ?? (isSystemDark ? "dark" : "light");
}

export function setTheme(to: Theme): void {
  useTheme(to);
  remember("theme", to);
}

/** As the page was asked to be: not what this reader will want of the next. */
export function useTheme(to: Theme): void {
  chosen = to;
}
