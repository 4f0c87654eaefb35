//! The reset that answers a segment which no connection wants: RFC 9293 §3.10.7.1.
//!
//! Owns its numbers alone: they are chosen from the offending segment, so that its sender finds the
//! reset acceptable. Whether one is sent is for the caller (rate limits, blackhole settings).

use crate::wire::tcp::{Flags, Header};

/// The reset for a segment with `header` and `payload_len` bytes of text; `None` if it is a reset
/// itself, which is never answered.
pub fn reset_for(header: &Header, payload_len: usize) -> Option<Header> {
    if header.flags.contains(Flags::RST) {
        return None;
    }
    let reset =
        Header { src_port: header.dst_port, dst_port: header.src_port, ..Header::default() };
    Some(if header.flags.contains(Flags::ACK) {
        // <SEQ=SEG.ACK><CTL=RST>
        Header { seq: header.ack, flags: Flags::RST, ..reset }
    } else {
        // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
        let ack = header.seq.wrapping_add(segment_len(header.flags, payload_len));
        Header { ack, flags: Flags::RST.union(Flags::ACK), ..reset }
    })
}

/// SEG.LEN: the text, and one each for SYN and FIN (RFC 9293 §3.4).
fn segment_len(flags: Flags, payload_len: usize) -> u32 {
    let controls = u32::from(flags.contains(Flags::SYN)) + u32::from(flags.contains(Flags::FIN));
    (payload_len as u32).wrapping_add(controls)
}

#[cfg(test)]
mod tests;
