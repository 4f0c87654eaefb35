//! What the screen says of itself, in each language.

use tcpstack::event::Language;

use crate::text::words;

words! {
    /// A word or phrase of the screen.
    pub(super) enum Word {
    Sequence "sequence" "时序";
    Buffers "buffers" "缓冲区";
    Header "header" "头部";
    States "states" "状态";
    Lesson "lesson" "课文";
    Why "why" "原因";
    Event "event" "事件";
    Now "now" "当前事件";
    Playing "playing" "播放中";
    Keys
        "←→ step  np segment  j idle  tab view  d drop  e predict  ? help  q quit"
        "←→ 单步  n/p 报文段  j 跳过空闲  tab 视图  d 丢弃  e 预测  ? 帮助  q 退出";
    Help "Keys" "按键";
    HelpText
        "← →  an event back, an event on\np n  a segment back, a segment on\ng G  to the start, to the end\nj    over idle time\nspace  play, pause\ntab 1…6  the views\n↑ ↓  scroll what is longer than the screen\nd    drop this segment: the run is played again without it\nu    take the last change back\nc    the run before the change, and the one after\ne    predict: the run stops before an event and asks\nl    English, 中文\nq    quit (Ctrl-C too)\n\nAny key goes on."
        "← →  后退、前进一个事件\np n  后退、前进一个报文段\ng G  到开头、到结尾\nj    跳过空闲时间\n空格  播放、暂停\ntab 1…6  切换视图\n↑ ↓  滚动超出屏幕的内容\nd    丢弃这个报文段：重新运行一遍\nu    撤销最近一次改动\nc    在改动前后的两次运行之间切换\ne    预测：在某个事件之前停下并提问\nl    中文、English\nq    退出（Ctrl-C 亦可）\n\n按任意键继续。";
    TooSmall "The terminal is too small: 72 columns and 20 rows are needed, it has" "终端太小：至少需要 72 列 20 行，现在是";
    SendBuffer "send buffer" "发送缓冲区";
    ReceiveBuffer "receive buffer" "接收缓冲区";
    Free "free" "空闲";
    Unacked "sent, not acknowledged" "已发送，未确认";
    Unsent "not sent yet" "尚未发送";
    Queued "received" "已接收";
    Hole "behind a hole" "空洞之后";
    NoConnection "no connection yet" "还没有连接";
    NotRecorded "This host's events are not here: its buffers are not known." "没有这台主机的事件，无从得知其缓冲区。";
    NoSegment "No segment yet: step on." "还没有报文段：请继续前进。";
    NoReason "No rule asked for it: it is what happened." "不是某条规则要求的，只是发生的事情。";
    Because "because" "因为";
    Log "what happened" "事件记录";
    OnlySimulated
        "Only a simulated run can be played again: this one really happened."
        "只有模拟的运行可以重来：这一次是真实发生的。";
    NoFlight "There is no segment here to drop." "这里没有可以丢弃的报文段。";
    Dropped "Played again without this segment." "已在丢弃该报文段的条件下重新运行。";
    Undone "As it was." "已恢复。";
    NothingToUndo "Nothing has been changed." "没有改动过。";
    Before "the run before the change" "改动之前的运行";
    After "the run after the change" "改动之后的运行";
    FirstDifference "First difference" "最先出现的差别";
    NoQuestion "No more questions from here on." "后面没有问题了。";
    Question "Question" "问题";
    Answer "your answer" "你的答案";
    Right "Right." "正确。";
    Wrong "No, it is" "不对，应为";
    TypeAnswer "type it, then Enter (Esc: no question)" "输入后按 Enter（Esc 取消）";
    ChooseAnswer "press its key (Esc: no question)" "按对应的键（Esc 取消）";
    GoOn "any key goes on" "按任意键继续";
    Options "options" "选项";
    Score "score" "得分";
    NoLesson "This run belongs to no lesson." "这次运行不属于任何一课。";
    }
}
