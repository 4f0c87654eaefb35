//! Why something is done. The sentence and the clause are the stack's own (`tcpstack::reason`); here are
//! the few words for a picture.

use std::collections::BTreeMap;

use tcpstack::event::{Language, Reason};

use super::Term;
use super::entry::text;

/// Id, and the name in English and 中文.
const NAMES: &[(&str, &str, &str)] = &[
    ("active-open", "active open", "主动打开"),
    ("passive-open", "passive open", "被动打开"),
    ("listen", "listen", "开始监听"),
    ("listener-closed", "listener closed", "停止监听"),
    ("repeat-syn-ack", "SYN+ACK again", "重发 SYN+ACK"),
    ("simultaneous-open", "both open at once", "同时打开"),
    ("syn-acknowledged", "SYN acknowledged", "SYN 已确认"),
    ("handshake-complete", "handshake complete", "握手完成"),
    ("bad-handshake-ack", "wrong ACK in the handshake", "握手确认号错误"),
    ("refused", "refused", "连接被拒绝"),
    ("new-data", "new data", "新数据"),
    ("fin", "finish", "结束发送"),
    ("acknowledge", "acknowledge", "确认"),
    ("quick-ack", "quick ACK", "立即确认"),
    ("acknowledge-syn", "acknowledge the SYN", "确认对方的 SYN"),
    ("acknowledge-fin", "acknowledge the FIN", "确认对方的 FIN"),
    ("acknowledge-read", "acknowledge what was read", "读完后确认"),
    ("delayed-ack", "delayed ACK", "延迟确认"),
    ("hole-reported", "duplicate ACK: hole", "重复 ACK：报告空洞"),
    ("hole-filled", "hole filled", "空洞已填补"),
    ("duplicate-sack", "came twice (D-SACK)", "重复到达（D-SACK）"),
    ("old-duplicate", "old duplicate", "旧的重复报文段"),
    ("out-of-window", "outside the window", "窗口之外"),
    ("challenge-ack", "challenge ACK", "质询 ACK"),
    ("probe-answered", "probe answered", "应答窗口探测"),
    ("keepalive-answered", "keepalive answered", "应答保活探测"),
    ("time-wait-repeat", "last ACK again", "重发最后的 ACK"),
    ("mark-echoed", "congestion mark echoed", "回送拥塞标记"),
    ("window-update", "window update", "窗口更新"),
    ("urgent-pointer", "urgent data", "紧急数据"),
    ("timeout-retransmit", "timeout: send again", "超时重传"),
    ("fast-retransmit", "fast retransmit", "快速重传"),
    ("rack-retransmit", "lost by time (RACK)", "RACK 判定丢失，重传"),
    ("sack-retransmit", "lost by SACK", "SACK 判定丢失，重传"),
    ("tail-loss-probe", "tail loss probe", "尾部丢包探测"),
    ("sws-override", "waited long enough", "等待超时，小段发出"),
    ("reordering-over", "time for reordering is over", "乱序等待结束"),
    ("paced-out", "its time has come", "按节拍发出"),
    ("limited-transmit", "limited transmit", "有限传输"),
    ("spurious-repair", "nothing was lost", "虚假重传"),
    ("zero-window-probe", "zero-window probe", "零窗口探测"),
    ("rtt-measured", "round trip measured", "测得往返时间"),
    ("slow-start", "slow start", "慢启动"),
    ("conservative-slow-start", "conservative slow start", "保守慢启动"),
    ("congestion-avoidance", "congestion avoidance", "拥塞避免"),
    ("loss-recovery", "fast recovery", "快速恢复"),
    ("mark-response", "congestion mark", "响应拥塞标记"),
    ("loss-timeout", "timeout", "超时丢失"),
    ("bbr-startup", "BBR: startup", "BBR：启动"),
    ("bbr-drain", "BBR: drain", "BBR：排空"),
    ("bbr-probe-down", "BBR: slower", "BBR：略慢"),
    ("bbr-probe-cruise", "BBR: cruise", "BBR：匀速"),
    ("bbr-probe-refill", "BBR: refill", "BBR：填满"),
    ("bbr-probe-up", "BBR: faster", "BBR：略快"),
    ("bbr-probe-rtt", "BBR: measure round trip", "BBR：测往返"),
    ("application-closed", "application closed", "应用程序关闭"),
    ("syn-cookie", "SYN cookie", "SYN cookie 应答"),
    ("early-text", "data in the SYN", "随 SYN 收下数据"),
    ("paws", "old timestamp (PAWS)", "时间戳过旧（PAWS）"),
    ("no-timestamp", "no timestamp", "缺少时间戳"),
    ("fin-received", "FIN received", "收到 FIN"),
    ("fin-acknowledged", "FIN acknowledged", "FIN 已确认"),
    ("time-wait-over", "2 MSL are over", "2MSL 已到"),
    ("fin-wait-2-over", "FIN-WAIT-2 is over", "FIN-WAIT-2 已到时"),
    ("reset-received", "reset received", "收到 RST"),
    ("data-after-close", "data after close", "关闭后又来数据"),
    ("aborted", "aborted", "连接中止"),
    ("gave-up", "gave up", "放弃重传"),
    ("mtu-probe", "MTU probe", "MTU 探测"),
    ("keepalive-probe", "keepalive probe", "保活探测"),
    ("peer-is-gone", "peer is gone", "对方已不在"),
    ("user-timeout", "user timeout", "用户超时"),
    ("user-timeout-advised", "user timeout advised", "对方建议的用户超时"),
    ("icmp-error", "ICMP error", "ICMP 错误"),
    ("no-such-connection", "no such connection", "没有这个连接"),
];

/// The terms by the reasons' ids.
pub(super) fn terms() -> BTreeMap<String, Term> {
    let term = |&reason: &Reason| {
        let name = NAMES.iter().find(|(id, ..)| *id == reason.id())?;
        let sentences = (reason.text(Language::English), reason.text(Language::Chinese));
        let term = Term {
            name: text((name.1, name.2)),
            text: text(sentences),
            clause: Some(reason.clause().to_owned()),
        };
        Some((reason.id().to_owned(), term))
    };
    Reason::ALL.iter().filter_map(term).collect()
}

/// The ids that have a name.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(id, ..)| *id)
}
