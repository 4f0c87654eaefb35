// The language that everything is said in: remembered, and by default the browser's.

import type { Text } from "./run.ts";
import { word, type Language, type WordName } from "./text.ts";
import { recall, remember } from "./surroundings.ts";

function preferred(): Language {
  const kept = recall("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let now = $state<Language>(preferred());

/** The language now; reading it in a view makes the view follow it. */
export function language(): Language {
  return now;
}

export function setLanguage(to: Language): void {
  useLanguage(to);
  remember("language", to);
}

/** As the page or a link asks: not what this reader will want of the next. */
export function useLanguage(to: Language): void {
  now = to;
}

/** A word of the page. */
export function t(name: WordName, values?: Record<string, string | number>): string {
  return word(now, name, values);
}

/** A text that came with a run, a lesson or the book. */
export function say(text: Text): string {
  return text[now] || text.en;
}
