//! The TCP options by their kind's number: those that the stack speaks, and those that a capture of
//! another stack may show.

use std::collections::BTreeMap;

use super::Term;

super::entry::entries! {
    "0" "RFC 9293 §3.2" "End of options" "选项结束"
        "Nothing but padding follows."
        "选项列表到此为止，之后只有填充。";
    "1" "RFC 9293 §3.2" "No operation" "空操作"
        "One byte that means nothing: it lets the next option begin at an even place."
        "没有含义的一个字节：用来让下一个选项对齐。";
    "2" "RFC 9293 §3.7.1" "Maximum segment size" "最大报文段长度"
        "Only in a SYN: how much data, in bytes, one segment to the sender of this may carry."
        "只出现在 SYN 中：发给本端的一个报文段最多可以携带多少字节数据（MSS）。";
    "3" "RFC 7323 §2" "Window scale" "窗口扩大因子"
        "Only in a SYN: by how many bits the window field of all later segments of this sender is to be shifted left. It holds only if both SYNs have it."
        "只出现在 SYN 中：此后本端各报文段的窗口字段要左移多少位。双方的 SYN 都带有它才生效。";
    "4" "RFC 2018 §2" "SACK permitted" "允许 SACK"
        "Only in a SYN: selective acknowledgments are welcome."
        "只出现在 SYN 中：本端支持选择确认（SACK）。";
    "5" "RFC 2018 §3" "SACK" "选择确认"
        "What has arrived past a hole: ranges of sequence numbers, the newest first. A first range below the acknowledgment number says what came twice (RFC 2883)."
        "空洞之后已经收到的数据：若干段序号区间，最新的在前。若第一段在确认号之下，则表示这些数据重复到达了（RFC 2883）。";
    "8" "RFC 7323 §3" "Timestamps" "时间戳"
        "The sender's clock, and the last clock reading that it got from the peer: they measure round trips and expose old duplicates (PAWS)."
        "本端的时钟读数，以及最近从对方收到的读数：用来测量往返时间，并识别旧的重复报文段（PAWS）。";
    "19" "RFC 2385 §2" "MD5 signature" "MD5 签名"
        "A signature of the segment, for BGP. This stack does not speak it."
        "报文段的签名，用于 BGP。本协议栈不支持。";
    "28" "RFC 5482 §3.3" "User timeout" "用户超时"
        "How long the sender is willing to wait for an acknowledgment before it gives up."
        "本端愿意为等待确认坚持多久，超过就放弃连接。";
    "29" "RFC 5925 §2" "Authentication" "认证选项"
        "TCP-AO, which proves who sent the segment. This stack does not speak it."
        "TCP-AO，用来证明报文段出自谁手。本协议栈不支持。";
    "34" "RFC 7413 §4.1" "Fast Open" "快速打开"
        "A cookie that lets a SYN bring data, or the request for one."
        "允许 SYN 携带数据的 cookie，或对 cookie 的请求。";
    "172" "RFC 9768 §3.2.3" "Accurate ECN 0" "精确 ECN 0"
        "How many bytes arrived with each congestion mark; the counter of ECT(0) comes first."
        "按拥塞标记分别统计收到了多少字节；ECT(0) 的计数在最前。";
    "174" "RFC 9768 §3.2.3" "Accurate ECN 1" "精确 ECN 1"
        "How many bytes arrived with each congestion mark; the counter of ECT(1) comes first."
        "按拥塞标记分别统计收到了多少字节；ECT(1) 的计数在最前。";
    "254" "RFC 6994 §3" "Experiment" "实验选项"
        "Shared by experiments: the two bytes behind the length say which. Fast Open began here."
        "供各种实验共用：长度之后的两个字节说明是哪个实验。快速打开最初就用它。";
}

/// The terms by kind.
pub(super) fn terms() -> BTreeMap<u8, Term> {
    let kind = |entry: &super::entry::Entry| Some((entry.id.parse().ok()?, entry.term()));
    ENTRIES.iter().filter_map(kind).collect()
}
