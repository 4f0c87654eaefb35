//! Words for hosts and segments that questions and differences share.

use tcpstack::event::SegmentRecord;

use super::{Host, Role, Text};

/// What a host is called in a sentence.
pub(super) fn who(host: &Host) -> Text {
    let zh = match (host.name.as_str(), host.role) {
        ("client", Role::Client) => "客户端",
        ("server", Role::Server) => "服务器",
        (name, _) => name,
    };
    Text { en: host.name.clone(), zh: zh.to_owned() }
}

/// A segment in a few signs that both languages have: `SYN|ACK seq=0 ack=1`.
pub(super) fn signs(segment: &SegmentRecord) -> String {
    let mut signs = segment.flags.clone();
    if let Some(seq) = segment.relative_seq {
        signs += &format!(" seq={seq}");
    }
    if let Some(ack) = segment.relative_ack {
        signs += &format!(" ack={ack}");
    }
    if segment.len > 0 {
        signs += &format!(" len={}", segment.len);
    }
    signs
}

/// The record of an event that is a segment's.
pub(super) fn segment(kind: &tcpstack::event::Kind) -> Option<&SegmentRecord> {
    use tcpstack::event::Kind::{SegmentReceived, SegmentSent};
    match kind {
        SegmentSent(record) | SegmentReceived(record) => Some(record),
        _ => None,
    }
}
