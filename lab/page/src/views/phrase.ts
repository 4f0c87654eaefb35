// What is said is either a text that came with the run or the book, or a word of the page with its values.

import { say, t } from "../language.svelte.ts";
import type { Text } from "../run.ts";
import type { WordName } from "../text.ts";

/** A word of the page with its values, to be said in the reader's language. */
export interface Phrase {
  word: WordName;
  values?: Record<string, string | number>;
}

/** Says either in the reader's language. */
export function tell(what: Text | Phrase): string {
  return "word" in what ? t(what.word, what.values) : say(what);
}
