//! Why the stack did what it did: a stable id, the clause that asks for it, and one sentence for
//! a learner in each language.

use serde::{Deserialize, Serialize};

/// The languages a learner reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 中文.
    Chinese,
}

/// Declares [`Reason`] and its table: variant, id, clause, English, Chinese.
macro_rules! reasons {
    ($($variant:ident $id:literal $clause:literal $english:literal $chinese:literal;)*) => {
        /// A rule that asked for an event; serialized as its id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Reason {
            $(
                #[doc = concat!($english, " (", $clause, ")")]
                #[serde(rename = $id)]
                $variant,
            )*
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The stable id, as events carry it.
            pub fn id(self) -> &'static str {
                match self { $(Reason::$variant => $id,)* }
            }

            /// The clause that asks for it.
            pub fn clause(self) -> &'static str {
                match self { $(Reason::$variant => $clause,)* }
            }

            /// One sentence for a learner.
            pub fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (Reason::$variant, Language::English) => $english,
                        (Reason::$variant, Language::Chinese) => $chinese,
                    )*
                }
            }
        }
    };
}

reasons! {
    ActiveOpen "active-open" "RFC 9293 §3.10.1"
        "connect() opens actively: send SYN with a fresh initial sequence number"
        "connect() 主动打开：发送带有新初始序号的 SYN";
    PassiveOpen "passive-open" "RFC 9293 §3.10.7.2"
        "a listening socket got a SYN: answer with SYN and ACK"
        "监听套接字收到 SYN：回复 SYN+ACK";
    Listen "listen" "RFC 9293 §3.10.1"
        "listen() opens passively: from now on a SYN to this port opens a connection"
        "listen() 被动打开：从现在起，发往该端口的 SYN 会打开连接";
    ListenerClosed "listener-closed" "RFC 9293 §3.10.4"
        "the listening socket is closed: no more connections are taken here"
        "监听套接字已关闭：不再接受新连接";
    RepeatSynAck "repeat-syn-ack" "RFC 9293 §3.8.1"
        "the SYN+ACK was not answered: send it again"
        "SYN+ACK 没有得到应答：重新发送";
    SimultaneousOpen "simultaneous-open" "RFC 9293 §3.5"
        "both ends sent a SYN at once: each answers the other's"
        "双方同时发送了 SYN：各自应答对方的 SYN";
    SynAcknowledged "syn-acknowledged" "RFC 9293 §3.10.7.3"
        "our SYN is acknowledged and the peer's SYN is here: the connection is open"
        "己方的 SYN 已被确认，对方的 SYN 也已收到：连接建立";
    HandshakeComplete "handshake-complete" "RFC 9293 §3.10.7.4"
        "the third segment of the handshake acknowledges our SYN: the connection is open"
        "第三次握手确认了己方的 SYN：连接建立";
    BadHandshakeAck "bad-handshake-ack" "RFC 9293 §3.10.7.3"
        "the segment acknowledges something never sent: reset it, from an older connection perhaps"
        "该报文段确认了从未发送过的序号（可能来自旧连接）：回复 RST";
    Refused "refused" "RFC 9293 §3.10.7.3"
        "the peer answered the SYN with a reset: nobody listens there"
        "对方用 RST 应答 SYN：该端口没有监听者";
    NewData "new-data" "RFC 9293 §3.7"
        "there is data to send and both windows allow it"
        "有数据要发送，且两个窗口都允许";
    Fin "fin" "RFC 9293 §3.6"
        "the application has closed and all its data is sent: say so with a FIN"
        "应用程序已关闭且数据已全部发出：用 FIN 告知对方";
    Acknowledge "acknowledge" "RFC 9293 §3.8.6.3"
        "what arrived in order is acknowledged, at the latest with the second full segment"
        "按序收到的内容予以确认，最迟在收到第二个满长报文段时";
    QuickAck "quick-ack" "RFC 5681 §4.2"
        "acknowledgments do not wait now: a sender that begins, or begins again, grows its window by them"
        "此时不延迟确认：刚开始（或重新开始）发送的一方靠确认来扩大窗口";
    AcknowledgeSyn "acknowledge-syn" "RFC 9293 §3.10.7.3"
        "the peer's SYN takes a number: acknowledge it, the third segment of the handshake"
        "对方的 SYN 占用一个序号：予以确认，这是第三次握手";
    AcknowledgeFin "acknowledge-fin" "RFC 9293 §3.10.7.4"
        "the peer's FIN takes a number: acknowledge it at once"
        "对方的 FIN 占用一个序号：立即确认";
    AcknowledgeRead "acknowledge-read" "RFC 9293 §3.8.6.3"
        "the application has read what arrived and no reply is expected: nothing is gained by waiting longer"
        "应用程序已读完收到的数据，且预计没有回复可以捎带确认：不必再等";
    DelayedAck "delayed-ack" "RFC 9293 §3.8.6.3"
        "no text came to carry the acknowledgment: it leaves alone before it is late"
        "没有可以捎带确认的数据：在超时前单独发送确认";
    HoleReported "hole-reported" "RFC 5681 §4.2"
        "data arrived past a hole: a duplicate ACK tells the sender at once what is still expected"
        "数据到达空洞之后：立即用重复的 ACK 告知发送方仍在等待哪个序号";
    HoleFilled "hole-filled" "RFC 5681 §4.2"
        "data arrived that fills a hole, or a part of it: the sender hears of it at once"
        "到达的数据填补了空洞或其中一部分：立即告知发送方";
    DuplicateSack "duplicate-sack" "RFC 2883 §4"
        "these bytes were here before: a D-SACK block says which came twice"
        "这些字节之前已经收到：用 D-SACK 块说明哪些数据到达了两次";
    OldDuplicate "old-duplicate" "RFC 9293 §3.10.7.4"
        "what arrives was here before: say again what is expected next"
        "收到的内容之前已经收到：再次告知期望的下一个序号";
    OutOfWindow "out-of-window" "RFC 9293 §3.10.7.4"
        "the segment lies outside the window: say what is expected next, and take nothing of it"
        "该报文段在窗口之外：告知期望的下一个序号，内容一概不收";
    ChallengeAck "challenge-ack" "RFC 5961 §3.2, §4.2, §5.2"
        "this may be forged: a challenge ACK asks, and only the true peer hears the question"
        "该报文段可能是伪造的：发送质询 ACK，只有真正的对方才会收到";
    ProbeAnswered "probe-answered" "RFC 9293 §3.8.6.1"
        "a probe met the closed window: say that it is closed still, and what is expected next"
        "窗口关闭时收到探测：告知窗口仍为 0 以及期望的下一个序号";
    KeepaliveAnswered "keepalive-answered" "RFC 9293 §3.8.4"
        "the number before the expected one comes again: the peer asks whether we are here, so answer"
        "收到的序号恰好比期望的小一：对方在询问我们是否仍然存在，予以回应";
    TimeWaitRepeat "time-wait-repeat" "RFC 9293 §3.10.7.4"
        "the FIN comes again, so our last ACK was lost: send it again, and wait 2 MSL from now"
        "再次收到 FIN，说明最后一个 ACK 丢失：重发该 ACK，并重新等待 2MSL";
    MarkEchoed "mark-echoed" "RFC 3168 §6.1.3, RFC 9768 §3.2.2.5"
        "a router has marked what arrives, or the sender has answered a mark: the feedback leaves at once"
        "路由器对到达的报文段做了拥塞标记，或发送方已响应标记：立即反馈";
    WindowUpdate "window-update" "RFC 9293 §3.8.6.2.2"
        "the application has read enough for the window to open: the peer may send again"
        "应用程序读取了足够的数据，窗口打开：对方可以继续发送";
    UrgentPointer "urgent-pointer" "RFC 9293 §3.8.5"
        "the peer says that there is urgent data: the pointer marks where it ends"
        "对方表示有紧急数据：紧急指针标出其结尾位置";
    TimeoutRetransmit "timeout-retransmit" "RFC 6298 §5.4"
        "no acknowledgment came in time: send again from the oldest byte"
        "超时未收到确认：从最早未确认的字节起重传";
    FastRetransmit "fast-retransmit" "RFC 5681 §3.2, RFC 6582"
        "duplicate ACKs show a hole: send its first segment again without waiting for the timer"
        "重复的 ACK 表明出现空洞：不等超时立即重传";
    RackRetransmit "rack-retransmit" "RFC 8985 §6.2"
        "what was sent later has arrived and the time for reordering is over: the segment is lost, send it again"
        "更晚发送的数据已经到达，且乱序等待时间已过：该报文段已丢失，重传";
    SackRetransmit "sack-retransmit" "RFC 6675 §5"
        "enough was reported past the hole by SACK: what is missing is lost, send it again"
        "SACK 已报告空洞之后的足够多的数据：缺失的部分已丢失，重传";
    TailLossProbe "tail-loss-probe" "RFC 8985 §7.3"
        "two round trips of silence: send one segment so that the peer says what has arrived"
        "两个往返时间没有任何回应：发送一个报文段，促使对方告知收到了什么";
    SwsOverride "sws-override" "RFC 9293 §3.8.6.2.1"
        "what does not fill a segment has waited long enough: it leaves small"
        "不满一个报文段的数据已等待足够久：以小报文段发出";
    ReorderingOver "reordering-over" "RFC 8985 §6.2"
        "what was sent later has arrived, and the time to wait for a straggler is over"
        "更晚发送的数据已经到达，等待迟到报文段的时间结束";
    PacedOut "paced-out" "draft-ietf-ccwg-bbr §5.6.2"
        "segments leave at a rate, and the time of the next one has come"
        "报文段按速率依次发出，轮到下一个的时间到了";
    LimitedTransmit "limited-transmit" "RFC 3042"
        "a segment has left the network out of order: a new one may take its place before anything counts as lost"
        "有报文段乱序离开了网络：在判定丢包之前，可以发送一个新的报文段补位";
    SpuriousRepair "spurious-repair" "RFC 5682, RFC 3522, RFC 4015"
        "nothing had been lost, only delayed: the congestion window is given back"
        "数据并未丢失，只是延迟：恢复拥塞窗口";
    ZeroWindowProbe "zero-window-probe" "RFC 9293 §3.8.6.1"
        "the peer's window is closed: ask with one byte whether it has opened"
        "对方窗口为 0：用一个字节探测它是否已打开";
    RttMeasured "rtt-measured" "RFC 6298 §2"
        "the timed segment was acknowledged: a round trip is measured"
        "被计时的报文段得到确认：测得一次往返时间";
    SlowStart "slow-start" "RFC 5681 §3.1"
        "below ssthresh: the congestion window grows by what is acknowledged"
        "低于 ssthresh：拥塞窗口随确认量增长（慢启动）";
    ConservativeSlowStart "conservative-slow-start" "RFC 9406 §4.2"
        "round trips grow, so a queue seems to build: slow start goes on at a quarter of its pace"
        "往返时间变长，瓶颈处可能开始排队：慢启动以四分之一的速度继续";
    CongestionAvoidance "congestion-avoidance" "RFC 5681 §3.1"
        "above ssthresh: the congestion window grows slowly, by a segment per round trip or a cubic curve"
        "高于 ssthresh：拥塞窗口缓慢增长，每个往返增加一个报文段，或沿三次曲线增长（拥塞避免）";
    LossRecovery "loss-recovery" "RFC 5681 §3.2"
        "a loss was found: half the window while it is repaired"
        "发现丢包：修复期间窗口减半";
    MarkResponse "mark-response" "RFC 3168 §6.1.2"
        "a router marked a segment rather than drop it: reduce the window once for this round trip"
        "路由器对报文段做了拥塞标记而没有丢弃：本往返内将窗口减小一次";
    LossTimeout "loss-timeout" "RFC 5681 §3.1"
        "the retransmission timer fired: start over from one segment"
        "重传定时器超时：从一个报文段重新开始";
    BbrStartup "bbr-startup" "draft-ietf-ccwg-bbr §5.3.1"
        "how fast the path is is not known: double the rate each round trip until it delivers no more"
        "尚不知道路径有多快：每个往返将速率加倍，直到送达速率不再增长";
    BbrDrain "bbr-drain" "draft-ietf-ccwg-bbr §5.3.2"
        "the path is full: send slowly until the queue that was built is empty"
        "路径已满：放慢发送，直到排空已形成的队列";
    BbrProbeDown "bbr-probe-down" "draft-ietf-ccwg-bbr §5.3.3.1"
        "the probe is over: send a little slower than the path, to empty the queue and leave room"
        "探测结束：以略低于路径的速率发送，排空队列并给其他流留出余量";
    BbrProbeCruise "bbr-probe-cruise" "draft-ietf-ccwg-bbr §5.3.3.2"
        "the queue is empty: send as fast as the path delivers"
        "队列已空：按路径的送达速率匀速发送";
    BbrProbeRefill "bbr-probe-refill" "draft-ietf-ccwg-bbr §5.3.3.3"
        "soon the bandwidth is probed: fill the path first, for one round trip"
        "即将探测带宽：先用一个往返把路径填满";
    BbrProbeUp "bbr-probe-up" "draft-ietf-ccwg-bbr §5.3.3.4"
        "send a little faster than the path: does it deliver more than before?"
        "以略高于路径的速率发送：看它是否能送达更多";
    BbrProbeRtt "bbr-probe-rtt" "draft-ietf-ccwg-bbr §5.3.4"
        "the shortest round trip is ten seconds old: keep little in flight, to measure the empty path"
        "最短往返时间已过去十秒：减少在途数据，重新测量空路径的时延";
    ApplicationClosed "application-closed" "RFC 9293 §3.10.4"
        "the application has nothing more to send"
        "应用程序不再发送数据";
    SynCookie "syn-cookie" "RFC 4987 §3.6"
        "the queue of half-open connections is full: answer without remembering, by a SYN cookie"
        "半连接队列已满：用 SYN cookie 应答而不保存任何状态";
    EarlyText "early-text" "RFC 7413 §4.2"
        "the SYN brings text and a good Fast Open cookie: take it before the handshake completes"
        "SYN 携带数据和有效的 Fast Open cookie：握手完成前即可接收";
    Paws "paws" "RFC 7323 §5.3"
        "the timestamp is older than one already seen: an old duplicate, whatever its number says"
        "时间戳早于已收到的：无论序号如何，这是滞留在网络中的旧报文段";
    NoTimestamp "no-timestamp" "RFC 7323 §3.2"
        "both SYNs had timestamps and this segment has none: it is not of this connection"
        "双方的 SYN 都带有时间戳而该报文段没有：不属于此连接";
    FinReceived "fin-received" "RFC 9293 §3.10.7.4"
        "the peer has sent all it had: its FIN is here"
        "对方已发完所有数据：收到它的 FIN";
    FinAcknowledged "fin-acknowledged" "RFC 9293 §3.10.7.4"
        "our FIN is acknowledged"
        "己方的 FIN 已被确认";
    TimeWaitOver "time-wait-over" "RFC 9293 §3.6.1"
        "2 MSL have passed: no old segment can be on its way any more"
        "2MSL 已过：网络中不再有旧的报文段";
    FinWait2Over "fin-wait-2-over" "beyond RFC 9293 §3.6; Linux tcp_fin_timeout"
        "the application is gone and the peer did not finish in time: forget the connection"
        "应用程序已离开而对方迟迟不关闭：丢弃该连接";
    ResetReceived "reset-received" "RFC 9293 §3.10.7.4"
        "a reset at exactly the expected number: the connection is over"
        "收到序号恰好符合预期的 RST：连接终止";
    DataAfterClose "data-after-close" "RFC 9293 §3.6.1"
        "data arrived that nobody will read: tell the peer with a reset"
        "收到无人会读取的数据：用 RST 告知对方";
    Aborted "aborted" "RFC 9293 §3.10.5"
        "the connection is aborted: data unread, linger of zero, or the listener closed"
        "连接被中止：有未读数据、linger 为零，或监听套接字已关闭";
    GaveUp "gave-up" "RFC 9293 §3.8.3"
        "sent again as often as allowed and never answered: the connection has timed out"
        "重传次数用尽仍无应答：连接超时";
    MtuProbe "mtu-probe" "RFC 4821 §7.5"
        "a segment larger than usual: if it arrives, the path takes such packets"
        "比平时更大的报文段：若能到达，说明路径可承载这样大的分组";
    KeepaliveProbe "keepalive-probe" "RFC 9293 §3.8.4"
        "the connection has been idle for long: ask the peer whether it is still there"
        "连接长时间空闲：询问对方是否仍然存在";
    PeerIsGone "peer-is-gone" "RFC 9293 §3.8.4"
        "no keepalive probe was answered: the peer is gone"
        "保活探测均无应答：对方已不存在";
    UserTimeout "user-timeout" "RFC 9293 §3.10.8, RFC 5482"
        "the peer took nothing for as long as the application would wait: give up"
        "对方在应用程序允许的时间内没有任何进展：放弃连接";
    UserTimeoutAdvised "user-timeout-advised" "RFC 5482 §3.1"
        "the peer says how long it will wait for us: where the application set no time of its own, the longer one counts"
        "对方告知其愿意等待多久：若应用程序未自行设定，则取较长者";
    IcmpError "icmp-error" "RFC 9293 §3.9.2.2, RFC 5927"
        "a router or the peer's host says that the SYN can't be delivered"
        "路由器或对方主机报告 SYN 无法送达";
    NoSuchConnection "no-such-connection" "RFC 9293 §3.10.7.1"
        "nobody wants this segment: reset"
        "没有套接字接收该报文段：回复 RST";
}

impl Reason {
    /// What the congestion phase named `phase` means.
    pub fn of_phase(phase: &str) -> Option<Reason> {
        match phase {
            "slow_start" => Some(Reason::SlowStart),
            "conservative_slow_start" => Some(Reason::ConservativeSlowStart),
            "startup" => Some(Reason::BbrStartup),
            "drain" => Some(Reason::BbrDrain),
            "probe_bw_down" => Some(Reason::BbrProbeDown),
            "probe_bw_cruise" => Some(Reason::BbrProbeCruise),
            "probe_bw_refill" => Some(Reason::BbrProbeRefill),
            "probe_bw_up" => Some(Reason::BbrProbeUp),
            "probe_rtt" => Some(Reason::BbrProbeRtt),
            "congestion_avoidance" => Some(Reason::CongestionAvoidance),
            "recovery" => Some(Reason::LossRecovery),
            "cwr" => Some(Reason::MarkResponse),
            "loss" => Some(Reason::LossTimeout),
            _ => None,
        }
    }
}
