// Every word of the page itself, in English and 中文. What lessons, runs and the book say comes with them.

import { viewWords } from "./views/words.ts";

/** [English, 中文]: a word without one of them is a type error. */
export type Word = readonly [en: string, zh: string];
export type Language = "en" | "zh";

const shellWords = {
  "app.title": ["tcpstack lab", "tcpstack 实验室"],
  "view.sequence": ["Sequence", "时序图"],
  "view.header": ["Header", "头部"],
  "view.buffers": ["Buffers", "缓冲区"],
  "view.states": ["States", "状态"],
  "view.time_sequence": ["Time–sequence", "时间–序号"],
  "view.congestion": ["Congestion", "拥塞"],
  "view.why": ["Why", "为什么"],
} satisfies Record<string, Word>;

const words: Record<WordName, Word> = { ...shellWords, ...viewWords };

export type WordName = keyof typeof shellWords | keyof typeof viewWords;

/** The word in a language; `{name}` in it is replaced by the value of that name. */
export function word(language: Language, name: WordName, values: Record<string, string | number> = {}): string {
  const text = words[name][language === "en" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole));
}
