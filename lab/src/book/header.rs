//! The fields of the TCP header, bit by bit (RFC 9293 §3.1, figure 1). The fields lie one behind the
//! other from bit 0 to bit 159 and leave no bit out.

use super::entry::Entry;
use super::{HeaderField, flags};

super::entry::entries! {
    "source_port" "RFC 9293 §3.1" "Source port" "源端口号"
        "Which program sent this. A client is usually given any free port by its system: it need not be known beforehand."
        "标识是哪个程序发出的。客户端通常使用系统自动选择的临时端口号，不需要事先知道。";
    "destination_port" "RFC 9293 §3.1" "Destination port" "目的端口号"
        "Which program it is for. The client has to know the server's address and port."
        "标识要交给哪个程序。客户端必须知道服务端的 IP 和端口。";
    "seq" "RFC 9293 §3.4" "Sequence number" "序号 seq"
        "The number of this segment's first data byte in the stream of its direction. A SYN has the initial sequence number (ISN) itself; the first data byte is ISN + 1."
        "本报文段第一个数据字节在该方向字节流中的编号。SYN 的序号就是初始序号 ISN，第一个数据字节的序号是 ISN + 1。";
    "ack" "RFC 9293 §3.4" "Acknowledgment number" "确认号 ack"
        "The number that is expected next: everything before it has arrived. After a segment in order that is its seq + its data's length + 1 for a SYN or FIN; a hole keeps it where the hole begins."
        "期望收到的下一个序号：它之前的字节都已收到。按序收到报文段后，它等于该报文段的 seq + 数据长度 + SYN/FIN（各算一个）；若中间有空洞，它停在空洞的起点。";
    "data_offset" "RFC 9293 §3.1" "Data offset" "头部长度"
        "How long the header is, in words of four bytes: from 5 (20 bytes) to 15 (60 bytes), so at most 40 bytes of options."
        "头部长度，单位为 4 字节：从 5（20 字节）到 15（60 字节），因此选项最多 40 字节。";
    "reserved" "RFC 9293 §3.1" "Reserved" "保留位"
        "Sent as zero and ignored on arrival. RFC 9293 has four such bits; RFC 9768 has since made a flag of the last one."
        "发送时置 0，接收时忽略。RFC 9293 规定 4 位保留；此后 RFC 9768 把最后一位用作标志位 AE。";
    "window" "RFC 9293 §3.1" "Window" "窗口大小"
        "How many bytes, counted from the acknowledgment number, the sender of this segment can take: its receive window (RWND). Except in a SYN the value is shifted left by the window scale that its sender announced (RFC 7323)."
        "从确认号算起，本端还能接收多少字节，即接收通告窗口（RWND）。除 SYN 报文段外，实际值要按本端通告的窗口扩大因子左移（RFC 7323）。";
    "checksum" "RFC 9293 §3.1" "Checksum" "校验和"
        "The Internet checksum: the ones' complement of the ones' complement sum of all 16-bit words of pseudo-header (addresses, protocol, length), header and data. It is no CRC. A segment whose checksum is wrong is dropped without a word."
        "互联网校验和：把伪首部（地址、协议号、长度）、头部和数据按 16 位反码求和，再取反。它不是 CRC。校验和错误的报文段会被悄悄丢弃，不作任何回应。";
    "urgent_pointer" "RFC 9293 §3.8.5, RFC 6093 §4" "Urgent pointer" "紧急指针"
        "With URG set: an offset from the sequence number to the byte after the last urgent one. New programs should not use urgent data."
        "URG 置位时有效：相对序号的正偏移，指向最后一个紧急数据的下一个字节。新程序不应再使用紧急数据。";
}

/// How many bits each has, the flags at their place.
const WIDTHS: &[(&str, u32)] = &[
    ("source_port", 16),
    ("destination_port", 16),
    ("seq", 32),
    ("ack", 32),
    ("data_offset", 4),
    ("reserved", 3),
    ("AE", 1),
    ("CWR", 1),
    ("ECE", 1),
    ("URG", 1),
    ("ACK", 1),
    ("PSH", 1),
    ("RST", 1),
    ("SYN", 1),
    ("FIN", 1),
    ("window", 16),
    ("checksum", 16),
    ("urgent_pointer", 16),
];

/// The fields in the order of their bits.
pub(super) fn fields() -> Vec<HeaderField> {
    let mut bit = 0;
    let mut fields = Vec::with_capacity(WIDTHS.len());
    for &(id, bits) in WIDTHS {
        // A field without an entry would be missing from the row: the test of the bits finds it.
        if let Some(entry) = entry_of(id) {
            fields.push(HeaderField { id: id.to_owned(), bit, bits, term: entry.term() });
        }
        bit += bits;
    }
    fields
}

fn entry_of(id: &str) -> Option<&'static Entry> {
    ENTRIES.iter().chain(flags::ENTRIES).find(|entry| entry.id == id)
}
