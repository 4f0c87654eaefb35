// Light or dark: remembered, and by default what the reader's system has.

import { recall, remember } from "./memory.ts";

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
  chosen = to;
  remember("theme", to);
}
