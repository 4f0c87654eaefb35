// The words of the views, in English and 中文: src/text.ts takes them up.

import type { Word } from "../text.ts";

export const viewWords = {} satisfies Record<string, Word>;
