//! Every word that the drawing says, in each language: the one place to translate.
//!
//! Names of states, flags, fields and calls are the protocol's own and stay as they are.

use tcpstack::event::{Language, TimerName};

/// Declares fixed words: variant, English, Chinese.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $word:ident {
            $($variant:ident $english:literal $chinese:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $word {
            $(#[doc = $english] $variant,)*
        }

        impl $word {
            /// Every word there is.
            #[cfg(test)]
            $vis const ALL: &'static [$word] = &[$($word::$variant,)*];

            /// The word in `language`.
            $vis fn of(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        ($word::$variant, Language::English) => $english,
                        ($word::$variant, Language::Chinese) => $chinese,
                    )*
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// A fixed word or phrase of a drawing.
    pub enum Word {
    Client "client" "客户端";
    Server "server" "服务器";
    Peer "host" "主机";
    NotRecorded "not recorded" "未记录";
    Time "time" "时间";
    Application "application" "应用程序";
    State "state" "状态";
    Segments "segments" "报文段";
    Ends "recording ends" "记录到此为止";
    Listener "listener" "监听";
    Blocks "waits …" "等待 …";
    Lost "lost" "丢失";
    Damaged "damaged" "损坏";
    Underway "under way" "途中";
    Again "again" "重传";
    Duplicate "duplicate" "重复";
    Window "win" "窗口";
    Why "why:" "原因：";
    Legend "Legend" "图例";
    Summary "Summary" "总结";
    LegendRelative
        "counted from the sender's J or K; below them the numbers as the header has them"
        "从发送方的 J 或 K 起算；下一行是头部中的实际数值";
    LegendArrow
        "a segment: the higher end left, the lower end arrived; rows are in order of time"
        "报文段：高端为发送，低端为到达；各行按时间先后排列";
    LegendHorizontal
        "a segment to or from a host whose events were not given"
        "与未提供事件文件的主机之间的报文段";
    LegendCaptured
        "a segment, where and when the onlooker saw it pass"
        "旁观者看到的报文段";
    LegendLost
        "a segment that never arrived"
        "未到达对方的报文段";
    LegendDamaged
        "a segment that arrived with a wrong bit: the checksum shows it, and it is refused"
        "到达时有比特出错的报文段：校验和不符，被丢弃";
    LegendUnderway
        "a segment that is still on its way"
        "仍在途中的报文段";
    LegendAgain
        "sent again: part of it had been sent before"
        "重传：其中有数据曾经发送过";
    LegendDuplicate
        "a segment that arrived more often than it was sent"
        "到达次数多于发送次数的报文段";
    LegendBulk
        "many segments in one line (--all draws each)"
        "合并显示的多个报文段（--all 逐个显示）";
    LegendTimer "a timer" "定时器";
    LegendCall
        "a call of the application from where it begins to where it returns"
        "应用程序的一次调用，从进入到返回";
    LegendGap
        "nothing happened for this long"
        "这段时间内没有事件";
    LegendLifeline
        "the host's lifeline: thick while there is a connection"
        "主机的生命线：粗线表示连接存在";
    ClosedBoth
        "Both sides closed at once: their FINs crossed."
        "双方同时关闭：两个 FIN 在途中交错。";
    StillOpen
        "The connection was still open when the recording ended."
        "记录结束时连接仍未关闭。";
    ResetForged
        "A forged RST reset the connection: whoever sent it is neither of its ends."
        "伪造的 RST 复位了连接：发送者不是连接的任何一端。";
    Unanswered
        "Nobody answered."
        "没有收到任何回应。";
    NothingRecorded
        "No connection is recorded here."
        "这里没有记录任何连接。";
    }
}

/// Writes whole sentences in one language.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    language: Language,
}

impl Text {
    /// The texts in `language`.
    pub fn new(language: Language) -> Text {
        Text { language }
    }

    /// The language written in.
    pub fn language(self) -> Language {
        self.language
    }

    /// A fixed word.
    pub fn word(self, word: Word) -> &'static str {
        word.of(self.language)
    }

    fn choose(self, english: String, chinese: String) -> String {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// How long a connection was seen.
    pub fn took(self, duration_ns: u64) -> String {
        let time = duration(duration_ns);
        self.choose(
            format!("From the first segment to the last: {time}."),
            format!("从第一个报文段到最后一个：{time}。"),
        )
    }

    /// `1 segment`, `2 segments`.
    fn count(self, count: u64, one: &str, chinese: &str) -> String {
        let plural = if count == 1 { "" } else { "s" };
        self.choose(
            format!("{} {one}{plural}", grouped(count)),
            format!("{} {chinese}", grouped(count)),
        )
    }

    /// `5 bytes`.
    pub fn bytes(self, count: u64) -> String {
        self.count(count, "byte", "字节")
    }

    /// `2 segments`.
    pub fn segments(self, count: u64) -> String {
        self.count(count, "segment", "个报文段")
    }

    /// `2 retransmissions`.
    pub fn retransmissions(self, count: u64) -> String {
        self.count(count, "retransmission", "次重传")
    }

    /// `3 lost`.
    pub fn lost(self, count: u64) -> String {
        self.choose(format!("{} lost", grouped(count)), format!("丢失 {}", grouped(count)))
    }

    /// `61 acknowledgments`.
    pub fn acks(self, count: u64) -> String {
        self.count(count, "ACK", "个 ACK")
    }

    /// `12 calls`.
    pub fn calls(self, count: u64) -> String {
        self.count(count, "call", "次调用")
    }

    /// How long a summarised stretch took.
    pub fn within(self, duration_ns: u64) -> String {
        let time = duration(duration_ns);
        self.choose(format!("in {time}"), format!("历时 {time}"))
    }

    /// The title above one connection.
    pub fn title(self, number: usize, of: usize, client: &str, server: &str) -> String {
        self.choose(
            format!("Connection {number} of {of}: {client} → {server}"),
            format!("连接 {number}/{of}：{client} → {server}"),
        )
    }

    /// A timer that was set and matters: its name and duration.
    pub fn timer_armed(self, timer: TimerName, duration_ns: u64) -> String {
        format!("{} {}", timer_name(self, timer), duration(duration_ns))
    }

    /// A timer that fired.
    pub fn timer_fired(self, timer: TimerName, after_ns: Option<u64>) -> String {
        let name = timer_name(self, timer);
        let after = after_ns.map(|ns| format!(" {}", duration(ns))).unwrap_or_default();
        match timer {
            TimerName::TimeWait | TimerName::FinWait2 => {
                self.choose(format!("{name}{after} over"), format!("{name}{after} 已到"))
            }
            _ => self.choose(format!("{name}{after} fired"), format!("{name}{after} 超时")),
        }
    }

    /// A timer that was stopped before it fired.
    pub fn timer_stopped(self, timer: TimerName) -> String {
        let name = timer_name(self, timer);
        self.choose(format!("{name} stopped"), format!("{name} 停止"))
    }

    /// A packet that was dropped, and the counter it went to.
    pub fn dropped(self, counter: &str) -> String {
        self.choose(format!("dropped: {counter}"), format!("丢弃：{counter}"))
    }

    /// The congestion controller's phase.
    pub fn congestion(self, phase: &str, cwnd: Option<u64>) -> String {
        let name = match (self.language, phase) {
            (Language::Chinese, "recovery") => "快速恢复",
            (Language::Chinese, "loss") => "超时丢失",
            (Language::Chinese, "slow_start") => "慢启动",
            (Language::Chinese, "congestion_avoidance") => "拥塞避免",
            (_, phase) => phase,
        };
        cwnd.map_or_else(|| name.to_owned(), |cwnd| format!("{name} cwnd={cwnd}"))
    }

    /// Whose initial sequence number J (or K) is.
    pub fn initial(self, letter: char, value: u32, flags: &str, who: &str) -> String {
        self.choose(
            format!("{letter} = {value}, the initial sequence number in the {flags} of the {who}"),
            format!("{letter} = {value}，{who}在 {flags} 中给出的初始序号"),
        )
    }

    /// Who sent a segment in the name of another.
    pub fn forged_by(self, host: &str) -> String {
        self.choose(format!("forged by {host}:"), format!("{host} 伪造："))
    }

    /// Who sent the first FIN.
    pub fn closed_first(self, who: &str) -> String {
        self.choose(
            format!("The {who} closed first (it sent the first FIN)."),
            format!("{who}先关闭连接（首先发送 FIN）。"),
        )
    }

    /// Who reset the connection.
    pub fn reset_by(self, who: &str) -> String {
        self.choose(
            format!("The {who} reset the connection (RST)."),
            format!("{who}复位了连接（RST）。"),
        )
    }

    /// Who refused the connection.
    pub fn refused_by(self, who: &str) -> String {
        self.choose(
            format!("The {who} refused the connection (RST)."),
            format!("{who}拒绝了连接（RST）。"),
        )
    }

    /// Who is in TIME-WAIT, for how long, and why.
    pub fn time_wait(self, who: &str, duration_ns: Option<u64>, is_over: bool) -> String {
        let (english, chinese) = match duration_ns.map(duration) {
            Some(time) => (format!(" for {time} (2 MSL)"), format!(" {time}（2 MSL）")),
            None => Default::default(),
        };
        let (is, condition, can, stays) = match is_over {
            true => ("was", "had its last ACK been lost", "it could have repeated it", "曾停留在"),
            false => ("is", "should its last ACK be lost", "it can repeat it", "停留在"),
        };
        self.choose(
            format!("The {who} {is} in TIME-WAIT{english}: {condition}, {can}."),
            format!("{who}{stays} TIME-WAIT{chinese}：若最后的 ACK 丢失，它还能重发。"),
        )
    }

    /// A file whose last line was cut short.
    pub fn cut_short(self, file: &str, line: usize) -> String {
        self.choose(
            format!("{file} ends inside line {line}: its writer was stopped there."),
            format!("{file} 在第 {line} 行中断：写入它的进程在此处被终止。"),
        )
    }

    /// Connections that were left out.
    pub fn more_connections(self, count: usize) -> String {
        self.choose(
            format!("{count} more connections: --connection N draws one of them."),
            format!("还有 {count} 个连接：用 --connection N 查看其中之一。"),
        )
    }
}

fn timer_name(text: Text, timer: TimerName) -> &'static str {
    match (timer, text.language) {
        (TimerName::Retransmission, _) => "RTO",
        (TimerName::Persist, Language::English) => "zero window",
        (TimerName::Persist, Language::Chinese) => "零窗口探测",
        (TimerName::DelayedAck, Language::English) => "delayed ACK",
        (TimerName::DelayedAck, Language::Chinese) => "延迟确认",
        (TimerName::SwsOverride, Language::English) => "SWS override",
        (TimerName::SwsOverride, Language::Chinese) => "SWS 超时发送",
        (TimerName::TimeWait, _) => "2 MSL",
        (TimerName::FinWait2, _) => "FIN-WAIT-2",
        (TimerName::Reordering, Language::English) => "the patience with reordering",
        (TimerName::Reordering, Language::Chinese) => "乱序等待",
        (TimerName::TailLossProbe, Language::English) => "the tail loss probe",
        (TimerName::TailLossProbe, Language::Chinese) => "尾部丢包探测",
        (TimerName::Keepalive, Language::English) => "keepalive",
        (TimerName::Keepalive, Language::Chinese) => "保活",
        (TimerName::UserTimeout, Language::English) => "the user timeout",
        (TimerName::UserTimeout, Language::Chinese) => "用户超时",
        (TimerName::Pacing, Language::English) => "pacing",
        (TimerName::Pacing, Language::Chinese) => "发送节拍",
    }
}

/// `175,200`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A duration with three significant digits or so: `87 µs`, `1.20 ms`, `60 s`.
pub fn duration(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => return format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let value = ns as f64 / unit;
    let text = match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    };
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}")
}

/// A point in time as the column shows it: fixed precision, so that rows compare at a glance.
/// What came before the first segment is negative.
pub fn clock(time_ns: u64, origin_ns: u64) -> String {
    let sign = if time_ns < origin_ns { "-" } else { "" };
    match time_ns.abs_diff(origin_ns) {
        ns @ 0..1_000 => format!("{} µs", ns / 1_000),
        ns @ 1_000..1_000_000 => format!("{sign}{} µs", ns / 1_000),
        ns @ 1_000_000..1_000_000_000 => format!("{sign}{:.2} ms", ns as f64 / 1e6),
        ns => format!("{sign}{:.3} s", ns as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests;
