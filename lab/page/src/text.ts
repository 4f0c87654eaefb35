// Every word of the page itself, in English and 中文. What lessons, runs and the book say comes with them.

import type { Text } from "./run.ts";
import { viewWords } from "./views/words.ts";

/** [English, 中文]: a word without one of them is a type error. */
export type Word = readonly [en: string, zh: string];
export type Language = "en" | "zh";

const shellWords = {
  "app.title": ["tcpstack lab", "tcpstack 实验室"],
  "app.theme": ["Light or dark", "浅色或深色"],
  "view.all": ["Views", "视图"],
  "view.sequence": ["Sequence", "时序图"],
  "view.header": ["Header", "头部"],
  "view.buffers": ["Buffers", "缓冲区"],
  "view.states": ["States", "状态"],
  "view.time_sequence": ["Time–sequence", "时间–序号"],
  "view.congestion": ["Congestion", "拥塞"],
  "view.why": ["Why", "为什么"],

  "sequence.idle": ["{time} in which nothing happens", "{time} 内什么也没有发生"],
  "sequence.idle_short": ["{time} idle", "空闲 {time}"],
  "sequence.jump": ["jump over", "跳过"],
  "sequence.unfold": ["unfold", "展开"],
  "sequence.fold": ["fold", "折叠"],
  "sequence.blocks": ["blocks", "阻塞"],
  "sequence.packet": ["packet {number}", "第 {number} 个包"],
  "sequence.data": ["data", "数据"],
  "sequence.bytes": ["{bytes} bytes", "{bytes} 字节"],
  "sequence.window": ["window", "窗口"],
  "sequence.sent": ["sent", "发送"],
  "sequence.received": ["received", "收到"],
  "sequence.from": ["from", "发送方"],
  "sequence.to": ["to", "接收方"],
  "sequence.flags": ["flags", "标志位"],
  "sequence.fate": ["what became of it", "结果"],
  "sequence.retransmission": ["sent again", "重传"],
  "sequence.table": ["The segments in the order of their departure", "报文段，按发送顺序"],

  "fate.arrived": ["It arrived.", "已到达。"],
  "fate.lost": ["It never arrived.", "没有到达。"],
  "fate.damaged": ["It arrived damaged: the checksum failed, and it was refused without a word.", "到达时已损坏：校验和不符，被悄悄丢弃。"],
  "fate.duplicate": ["A copy of it had arrived before.", "它的另一份副本先到了。"],
  "fate.underway": ["It is on its way.", "还在途中。"],
  "fate.unwitnessed": ["Nobody recorded whether it arrived.", "没有记录表明它是否到达。"],
  "mark.lost": ["lost", "丢失"],
  "mark.partly": ["{lost} of them lost", "其中 {lost} 个丢失"],
  "mark.damaged": ["damaged", "损坏"],
  "mark.duplicate": ["a copy", "副本"],
  "rule.drop": ["dropped", "被丢弃"],
  "rule.delay": ["delayed {ms} ms", "延迟 {ms} ms"],
  "rule.duplicate": ["sent twice", "被复制"],
  "rule.reorder": ["overtaken", "被后包超过"],
  "rule.corrupt": ["a bit flipped", "翻转了一位"],

  "menu.title": ["What to do with this segment", "对这个报文段做什么"],
  "menu.what": ["Play it again, and this segment …", "重新运行，并让这个报文段……"],
  "menu.close": ["Close", "关闭"],
  "menu.delay_ms": ["Milliseconds of delay", "延迟的毫秒数"],
  "menu.no_number": ["This packet has no number by which a rule could name it.", "这个包没有编号，规则无法指定它。"],
  "action.drop": ["is lost", "丢失"],
  "action.duplicate": ["arrives twice", "到达两次"],
  "action.reorder": ["is overtaken", "被后一个包超过"],
  "action.corrupt": ["is damaged", "损坏一位"],
  "action.delay": ["comes later by", "推迟"],

  "menu.captured": [
    "This is a capture: what was on the wire can't be played again. Only a simulated run can.",
    "这是抓包：线路上发生过的事无法重演。只有模拟的运行可以。",
  ],
  "menu.recorded": [
    "This is a recording of programs that really ran: it can't be played again. Only a simulated run can.",
    "这是真实程序的记录，无法重演。只有模拟的运行可以。",
  ],
  "menu.live": [
    "This run is going on right now: nothing can be done to its packets here. Only a simulated run can be played again.",
    "这次运行正在进行，不能在这里改动它的包。只有模拟的运行可以重演。",
  ],
  "menu.exported": [
    "This page was exported and has no stack behind it. In “tcpstack lab” this segment could be dropped, delayed, doubled or damaged.",
    "这是导出的页面，背后没有协议栈。在 “tcpstack lab” 中可以让这个报文段丢失、推迟、重复或损坏。",
  ],
  "menu.quiz": ["Not while you predict.", "预测时不能改动。"],

  "compare.here": ["Here the two runs part", "两次运行从这里开始不同"],
  "compare.before": ["As it was", "原来的运行"],
  "compare.after": ["With your change", "改动后的运行"],
  "compare.same": ["Nothing has become different.", "没有任何不同。"],
  "compare.go": ["Go there", "跳到那里"],
  "compare.original": ["Back to the original", "回到原来的运行"],
  "compare.runs": ["Runs side by side", "并排的运行"],

  "lesson.pane": ["Lesson", "课程"],
  "lesson.number": ["Lesson {number}", "第 {number} 课"],
  "lesson.about": ["About", "说明"],
  "lesson.all": ["All lessons", "全部课程"],
  "lesson.scenarios": ["Runs", "运行"],
  "lesson.experiments": ["Try it", "试一试"],
  "lesson.try": ["Try it", "试一试"],
  "lesson.open": ["Open “{scenario}”", "打开“{scenario}”"],
  "lesson.captured": [
    "A capture of packets. It shows what an onlooker sees: segments, headers, sequence numbers over time. Calls, states, buffers and reasons need the events of this stack.",
    "这是抓包，只有旁观者能看到的内容：报文段、头部、序号随时间的变化。调用、状态、缓冲区和原因需要本协议栈的事件。",
  ],
  "lesson.recorded": [
    "A recording of programs that really ran. Every segment, call and reason is as it was; only a simulated run can be played again with something changed.",
    "这是真实程序的记录。每个报文段、调用和原因都是真实的；只有模拟的运行才能改动后重演。",
  ],
  "lesson.single": ["A run of the stack.", "协议栈的一次运行。"],

  "programs.name": ["Programs", "程序"],
  "programs.language": ["Programming language", "编程语言"],
  "programs.waits": ["it waits in this call", "正在此调用中等待"],
  "programs.in": ["it is in this call", "正在此调用中"],
  "programs.done": ["this call has returned", "此调用已返回"],

  "controls.name": ["Controls", "控制"],
  "controls.play": ["Play", "播放"],
  "controls.pause": ["Pause", "暂停"],
  "controls.play_hint": ["Play or pause (space)", "播放或暂停（空格）"],
  "controls.start": ["To the start (Home)", "到开头（Home）"],
  "controls.end": ["To the end (End)", "到结尾（End）"],
  "controls.event_back": ["Back by one event (←)", "后退一个事件（←）"],
  "controls.event_on": ["On by one event (→)", "前进一个事件（→）"],
  "controls.segment": ["Segment", "报文段"],
  "controls.segment_back": ["Back to the segment before (↑)", "到上一个报文段（↑）"],
  "controls.segment_on": ["On to the next segment (↓)", "到下一个报文段（↓）"],
  "controls.round_trip_back": ["Back by a round trip (Shift ←)", "后退一个往返时间（Shift ←）"],
  "controls.round_trip_on": ["On by a round trip (Shift →)", "前进一个往返时间（Shift →）"],
  "controls.idle": ["Jump over idle", "跳过空闲"],
  "controls.idle_hint": ["To the next event after a pause (J)", "到下一次停顿之后的事件（J）"],
  "controls.speed": ["Speed", "速度"],
  "controls.slider": ["Position in the run", "运行中的位置"],

  "event.sent": ["sends {segment}", "发送 {segment}"],
  "event.sent_again": ["sends again {segment}", "重传 {segment}"],
  "event.received": ["receives {segment}", "收到 {segment}"],
  "event.dropped": ["drops a packet: {why}", "丢弃一个包：{why}"],
  "event.updated": ["its variables have changed", "变量有了变化"],
  "event.state": ["{from} → {to}", "{from} → {to}"],
  "event.timer_armed": ["timer set: {timer}, in {time}", "设定定时器：{timer}，{time} 后到期"],
  "event.timer_stopped": ["timer stopped: {timer}", "停止定时器：{timer}"],
  "event.timer_fired": ["timer fires: {timer}", "定时器到期：{timer}"],
  "event.rtt": ["a round trip took {time}", "测得往返时间 {time}"],
  "event.phase": ["congestion control: {phase}", "拥塞控制：{phase}"],
  "event.call": ["the program calls {call}", "程序调用 {call}"],
  "event.blocked": ["{call} has to wait", "{call} 需要等待"],
  "event.returned": ["{call} returns {result}", "{call} 返回 {result}"],

  "quiz.name": ["Predict", "预测"],
  "quiz.hint": ["The run stops before something happens, and asks you what it will be (P)", "在事情发生之前停下，问你会发生什么（P）"],
  "quiz.score": ["{right} of {asked} right", "答对 {right} / {asked}"],
  "quiz.stop": ["End", "结束"],
  "quiz.none": ["There is nothing more to ask from here on. Go back to the start and predict again.", "从这里起没有问题了。回到开头再预测一次。"],
  "quiz.done": ["That was all: {right} of {asked} right.", "全部完成：{asked} 题答对 {right} 题。"],
  "quiz.watch": ["Play or step on; what follows the next question is hidden.", "请播放或单步前进；下一个问题之后的内容已隐藏。"],
  "quiz.next": ["To the next question", "到下一个问题"],
  "quiz.right": ["Right:", "正确："],
  "quiz.wrong": ["Not {given}, but", "不是 {given}，而是"],
  "quiz.go_on": ["Go on", "继续"],
  "quiz.answer": ["Answer", "回答"],

  "live.on": ["live", "实时"],
  "live.gone": ["disconnected", "已断开"],

  "overview.name": ["The whole recording", "整个记录"],
  "overview.what": ["{events} events in {time}", "{time} 内 {events} 个事件"],
  "overview.before": ["Before", "之前"],
  "overview.after": ["After", "之后"],
  "overview.zoom_in": ["Zoom in", "放大"],
  "overview.zoom_out": ["Zoom out", "缩小"],

  "data.loading": ["Loading …", "正在加载……"],
  "data.waiting": ["Waiting for the programs that write {name} …", "等待写入 {name} 的程序启动……"],
  "data.empty": ["There is no run in this page.", "页面中没有运行。"],
  "data.not_here": ["This exported page does not hold this run. “tcpstack lab” can play it.", "导出的页面中没有这次运行。“tcpstack lab” 可以运行它。"],
  "data.not_with_rules": [
    "This exported page does not hold the run with these changes. “tcpstack lab” can play it.",
    "导出的页面中没有带这些改动的运行。“tcpstack lab” 可以运行它。",
  ],
  "data.no_lesson": ["There is no such lesson or scenario.", "没有这一课或这个场景。"],
  "data.gone": ["The server does not answer. Is “tcpstack lab” still running?", "服务器没有回应。“tcpstack lab” 还在运行吗？"],
  "data.no_source": [
    "This page has no run in it. Open it with “tcpstack lab”, which prints an address with a token.",
    "页面中没有运行。请用 “tcpstack lab” 打开，它会给出带令牌的地址。",
  ],

  "help.name": ["Keys and signs", "按键与图例"],
  "help.event": ["by one event", "一个事件"],
  "help.segment": ["by one segment", "一个报文段"],
  "help.round_trip": ["by a round trip", "一个往返时间"],
  "help.ends": ["to the start, to the end", "到开头，到结尾"],
  "help.play": ["play, pause", "播放，暂停"],
  "help.idle": ["jump over idle time", "跳过空闲时间"],
  "help.views": ["the views", "各个视图"],
  "help.pane": ["the run at the left, at the right", "左边、右边的运行"],
  "help.predict": ["predict", "预测"],
  "help.original": ["back to the original", "回到原来的运行"],
  "help.language": ["中文", "English"],
  "help.enter": ["what can be done to the segment in focus", "对选中的报文段做什么"],
  "help.help": ["this page", "本页"],
  "help.signs": ["Signs", "图例"],
  "help.sign_future": ["Pale: still to come.", "浅色：尚未发生。"],
  "help.sign_again": ["sent again", "重传"],
  "help.sign_lost": ["lost, or refused", "丢失或被拒收"],
  "help.sign_landmark": ["a moment that the lesson speaks of", "课程中讲到的时刻"],
} satisfies Record<string, Word>;

const words: Record<WordName, Word> = { ...shellWords, ...viewWords };

export type WordName = keyof typeof shellWords | keyof typeof viewWords;

/** A word in both languages: for what is said later, in whatever language it is then. */
export function both(name: WordName): Text {
  const [en, zh] = words[name];
  return { en, zh };
}

/** The word in a language; `{name}` in it is replaced by the value of that name. */
export function word(language: Language, name: WordName, values: Record<string, string | number> = {}): string {
  const text = words[name][language === "en" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole));
}
