//! The ways from one state to another: RFC 9293 §3.3.2, figure 5, with the way that its note 2 names.
//!
//! Ways that a reset, an error or a timeout opens from any state to CLOSED are left out, as in the figure.

use super::Transition;
use super::entry::text;

/// From, to, and what leads there and what is sent, in English and 中文.
const WAYS: &[(&str, &str, &str, &str)] = &[
    ("CLOSED", "LISTEN", "listen()", "调用 listen()"),
    ("CLOSED", "SYN-SENT", "connect() / send SYN", "connect() / 发送 SYN"),
    ("LISTEN", "CLOSED", "close()", "调用 close()"),
    ("LISTEN", "SYN-RECEIVED", "SYN arrives / send SYN+ACK", "收到 SYN / 发送 SYN+ACK"),
    ("LISTEN", "SYN-SENT", "send() on a listener / send SYN", "在监听端 send() / 发送 SYN"),
    ("SYN-SENT", "CLOSED", "close()", "调用 close()"),
    ("SYN-SENT", "SYN-RECEIVED", "SYN arrives / send SYN+ACK", "收到 SYN / 发送 SYN+ACK"),
    ("SYN-SENT", "ESTABLISHED", "SYN+ACK arrives / send ACK", "收到 SYN+ACK / 发送 ACK"),
    ("SYN-RECEIVED", "LISTEN", "RST arrives", "收到 RST"),
    ("SYN-RECEIVED", "ESTABLISHED", "ACK of the SYN arrives", "收到对 SYN 的 ACK"),
    ("SYN-RECEIVED", "FIN-WAIT-1", "close() / send FIN", "close() / 发送 FIN"),
    ("ESTABLISHED", "FIN-WAIT-1", "close() / send FIN", "close() / 发送 FIN"),
    ("ESTABLISHED", "CLOSE-WAIT", "FIN arrives / send ACK", "收到 FIN / 发送 ACK"),
    ("FIN-WAIT-1", "FIN-WAIT-2", "ACK of the FIN arrives", "收到对 FIN 的 ACK"),
    ("FIN-WAIT-1", "CLOSING", "FIN arrives / send ACK", "收到 FIN / 发送 ACK"),
    (
        "FIN-WAIT-1",
        "TIME-WAIT",
        "FIN with the ACK arrives / send ACK",
        "收到 FIN 和 ACK / 发送 ACK",
    ),
    ("FIN-WAIT-2", "TIME-WAIT", "FIN arrives / send ACK", "收到 FIN / 发送 ACK"),
    ("CLOSING", "TIME-WAIT", "ACK of the FIN arrives", "收到对 FIN 的 ACK"),
    ("CLOSE-WAIT", "LAST-ACK", "close() / send FIN", "close() / 发送 FIN"),
    ("LAST-ACK", "CLOSED", "ACK of the FIN arrives", "收到对 FIN 的 ACK"),
    ("TIME-WAIT", "CLOSED", "2 MSL are over", "2MSL 已到"),
];

/// The ways in the order of the figure.
pub(super) fn transitions() -> Vec<Transition> {
    let way = |&(from, to, en, zh): &(&str, &str, &str, &str)| Transition {
        from: from.to_owned(),
        to: to.to_owned(),
        label: text((en, zh)),
    };
    WAYS.iter().map(way).collect()
}
