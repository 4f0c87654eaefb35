//! What has to be said beside a capture, in both languages: what the onlooker's place means, what a
//! capture cannot tell, and what of this one is not shown.

use std::mem::discriminant;

use super::file::CutShort;
use super::onlooker::Onlooker;
use super::{MOST_SEGMENTS, Skipped};
use crate::run::Text;

/// The packets that are not shown, by their reasons.
#[derive(Default)]
pub(super) struct Skips {
    kinds: Vec<Kind>,
    /// There are more segments than are taken.
    pub(super) is_too_long: bool,
}

struct Kind {
    why: Skipped,
    count: u64,
    /// The first of them, and where it is.
    number: u64,
    offset: u64,
}

impl Skips {
    /// Counts a packet.
    pub(super) fn note(&mut self, why: Skipped, number: u64, offset: u64) {
        let is_same = |kind: &&mut Kind| match (kind.why, why) {
            (Skipped::Malformed(one), Skipped::Malformed(other)) => {
                discriminant(&one) == discriminant(&other)
            }
            (one, other) => discriminant(&one) == discriminant(&other),
        };
        match self.kinds.iter_mut().find(is_same) {
            Some(kind) => kind.count += 1,
            None => self.kinds.push(Kind { why, count: 1, number, offset }),
        }
    }
}

/// Everything to be said, the general first.
pub(super) fn remarks(
    onlooker: &Onlooker,
    skips: &Skips,
    cut_short: Option<CutShort>,
) -> Vec<Text> {
    let mut remarks = vec![
        text(
            "An onlooker saw these segments at one place on their way. Times are the onlooker's; which \
             segments arrived, this file does not tell.",
            "这些报文段是旁观者在途中一处看到的：时间是旁观者的时间；哪些到达了对方，文件里没有记录。",
        ),
        text(
            "Not in a capture: the programs' calls, the hosts' states and buffers, the congestion \
             window, and why a segment was sent. To see them, run the programs on tcpstack with \
             events=FILE.",
            "抓包中没有：程序的调用、主机的状态和缓冲区、拥塞窗口、发送的原因。要看到这些，\
             请让程序在 tcpstack 上运行，并加上 events=文件名。",
        ),
    ];
    if onlooker.events.is_empty() {
        remarks.push(text("There is no TCP segment in this file.", "这个文件中没有 TCP 报文段。"));
    }
    remarks.extend(of_segments(onlooker));
    remarks.extend(skips.kinds.iter().map(Kind::text));
    if skips.is_too_long {
        remarks.push(text(
            format!("Only the first {MOST_SEGMENTS} segments are shown."),
            format!("只显示前 {MOST_SEGMENTS} 个报文段。"),
        ));
    }
    remarks.extend(cut_short.map(|CutShort { number, offset }| {
        text(
            format!("The file ends inside packet {number}, which begins at byte {offset}."),
            format!("文件在第 {number} 个包（从第 {offset} 字节开始）的中间结束。"),
        )
    }));
    remarks
}

/// What is odd about segments that are shown.
fn of_segments(onlooker: &Onlooker) -> impl Iterator<Item = Text> {
    let seen = onlooker.seen;
    let odd = [
        (
            seen.begun_before,
            "whose first segments were not captured: numbers count from the first one seen, windows \
             are not scaled",
            "个连接的开头没有被抓到：序号从看到的第一个报文段起算，窗口未按比例放大",
            "connection",
        ),
        (
            seen.cut,
            "cut short by the capturing program",
            "个报文段只保留了开头部分（抓包程序的 snaplen）",
            "segment",
        ),
        (
            seen.wrong_checksums,
            "with a wrong checksum: usual where the sending machine captures, as its network card \
             finishes the checksum later",
            "个报文段的校验和不正确：在发送方主机上抓包时很常见，网卡之后才会填好校验和",
            "segment",
        ),
        (
            seen.super_segments,
            "longer than the receiver takes in one: the network card cuts them up later, or has put \
             them together",
            "个报文段超过了对方一次能接收的长度：网卡随后会切分它们，或者已经把它们合并了",
            "segment",
        ),
    ];
    odd.into_iter().filter(|(count, ..)| *count > 0).map(|(count, english, chinese, noun)| {
        let plural = if count == 1 { "" } else { "s" };
        text(format!("{count} {noun}{plural} {english}."), format!("{count} {chinese}。"))
    })
}

impl Kind {
    fn text(&self) -> Text {
        let Kind { why, count, number, offset } = self;
        let (english, chinese) = match why {
            Skipped::NotIp => ("no IP".to_owned(), "不是 IP 包"),
            Skipped::NotTcp => ("no TCP".to_owned(), "不是 TCP"),
            Skipped::Fragment => ("fragments of IP packets".to_owned(), "是 IP 分片"),
            Skipped::CutShort => (
                "cut off inside the headers by the capturing program".to_owned(),
                "头部被抓包程序截断",
            ),
            Skipped::Link(link) => (
                format!(
                    "of link type {link}, which is not read here: Ethernet, raw IP, Linux cooked and \
                     loopback are"
                ),
                "的链路类型不受支持（支持以太网、裸 IP、Linux cooked、环回）",
            ),
            Skipped::Malformed(malformed) => (format!("malformed: {malformed}"), "格式有误"),
        };
        let plural = if *count == 1 { "" } else { "s" };
        text(
            format!(
                "Not shown: {count} packet{plural} ({english}); the first is packet {number} at byte \
                 {offset}."
            ),
            format!(
                "未显示：{count} 个包（{chinese}）；第一个是第 {number} 个包，偏移 {offset} 字节。"
            ),
        )
    }
}

fn text(en: impl Into<String>, zh: impl Into<String>) -> Text {
    Text { en: en.into(), zh: zh.into() }
}
