// The words of the buffers.

import type { Word } from "../../text.ts";

export const bufferWords = {
  "buffers.none": ["There is no connection yet: step on.", "还没有连接：请往后走。"],
  "buffers.captured": [
    "A capture has no buffers in it: only our own stack says what is in them.",
    "抓包文件中没有缓冲区的信息：只有本协议栈自己才会说明。",
  ],
  "buffers.direction": ["{from} → {to}", "{from} → {to}"],
  "buffers.send": ["{host}: send buffer", "{host} 的发送缓冲区"],
  "buffers.receive": ["{host}: receive buffer", "{host} 的接收缓冲区"],
  "buffers.of": ["{bytes} bytes", "{bytes} 字节"],
  "buffers.unknown": ["not known yet", "尚不可知"],
  "buffers.unused": ["no data goes this way in this run", "本次运行中这个方向没有数据"],
  "buffers.underway": ["on the way", "途中"],
  "buffers.lost_here": ["lost on the way", "途中丢失"],
  "buffers.axis": [
    "sequence numbers, counted from the ISS: the same byte is always in the same place",
    "序号（从 ISS 起计）：同一字节总在同一位置",
  ],
  "buffers.table": ["Numbers at the cursor", "当前数值"],
  "buffers.variable": ["variable", "变量"],
  "buffers.value": ["value", "值"],
  "buffers.piece.sent": ["sent, not acknowledged", "已发送、未确认"],
  "buffers.piece.unsent": ["not yet sent", "尚未发送"],
  "buffers.piece.free": ["free", "空闲"],
  "buffers.piece.received": ["received", "已接收"],
  "buffers.piece.hole": ["hole", "空洞"],
  "buffers.piece.sacked": ["SACKed", "已被 SACK"],
  "buffers.piece.lost": ["deemed lost", "判定丢失"],
  "buffers.piece.retransmitted": ["sent again", "已重传"],
} satisfies Record<string, Word>;
