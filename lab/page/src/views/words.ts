// The words of the views, in English and 中文: src/text.ts takes them up.

import type { Word } from "../text.ts";
import { bufferWords } from "./buffers/words.ts";
import { graphWords } from "./graph/words.ts";
import { headerWords } from "./header/words.ts";
import { stateWords } from "./states/words.ts";
import { whyWords } from "./why/words.ts";

export const viewWords = {
  "connection.choice": ["Connection", "连接"],
  "connection.cursor": ["the cursor's", "光标所在的连接"],
  ...headerWords,
  ...bufferWords,
  ...stateWords,
  ...graphWords,
  ...whyWords,
} satisfies Record<string, Word>;
