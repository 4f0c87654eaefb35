// The words of the state machine.

import type { Word } from "../../text.ts";

export const stateWords = {
  "states.figure": [
    "The states of a TCP connection, and the ways between them (RFC 9293, figure 5)",
    "TCP 连接的状态与转换（RFC 9293 图 5）",
  ],
  "states.captured": [
    "A capture has no states in it: only our own stack says which state it is in.",
    "抓包文件中没有状态信息：只有本协议栈自己才会说明。",
  ],
  "states.history": ["{host}: the way so far", "{host}：至今的路径"],
  "states.nothing": ["still CLOSED", "仍处于 CLOSED"],
  "states.is": ["{host} is in {state}", "{host} 处于 {state}"],
  "states.begin": ["begin", "起点"],
  "states.end": ["end", "终点"],
} satisfies Record<string, Word>;
