//! A segment that arrived, in the terms of RFC 9293 §3.3.1: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND.
//!
//! Guarantees: sequence numbers are 64-bit from here on (converted once, against the connection's
//! own), and SEG.LEN counts SYN and FIN. A segment that the device merged from several is one
//! segment here that remembers how many it was.

use super::seq::Seq;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};
use crate::wire::tcp_options::Options;

/// A segment that arrived.
#[derive(Clone, Debug)]
pub struct Segment {
    /// SEG.SEQ: the number of the first octet, or of the SYN.
    pub seq: Seq,
    /// SEG.ACK, or nothing when the ACK bit is off.
    pub ack: Option<Seq>,
    /// SEG.WND as on the wire: not scaled, and never negative (RFC 9293 §3.1, MUST-1).
    pub window_field: u16,
    /// The control bits.
    pub flags: Flags,
    /// SEG.UP as a number: the octet after the urgent data, as the pointer says (a pointer of 0 counts
    /// as 1); nothing when the URG bit is off.
    pub urgent: Option<Seq>,
    /// What routers say of congestion on the way here (RFC 3168 §5).
    pub ecn: Ecn,
    /// The options.
    pub options: Options,
    /// The text.
    pub payload: Payload,
    /// Payload bytes of each real segment when the device merged several; 0 when it is one.
    pub gso_size: u16,
}

impl Segment {
    /// Reads the wire's 32-bit numbers as the ones nearest to `rcv_nxt` and `snd_una`.
    pub fn from_wire(
        header: &Header,
        payload: Payload,
        gso_size: u16,
        ecn: Ecn,
        rcv_nxt: Seq,
        snd_una: Seq,
    ) -> Segment {
        let seq = Seq::nearest(header.seq, rcv_nxt);
        let is_urgent = header.flags.contains(Flags::URG);
        Segment {
            seq,
            ack: header.flags.contains(Flags::ACK).then(|| Seq::nearest(header.ack, snd_una)),
            window_field: header.window,
            flags: header.flags,
            urgent: is_urgent.then(|| seq + u64::from(header.urgent.max(1))),
            ecn,
            options: header.options,
            payload,
            gso_size,
        }
    }

    /// SEG.LEN: octets of sequence space, counting SYN and FIN.
    pub fn len(&self) -> u64 {
        self.payload.len() as u64
            + u64::from(self.flags.contains(Flags::SYN))
            + u64::from(self.flags.contains(Flags::FIN))
    }

    /// Whether it takes up no sequence space.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a FIN without text.
    pub fn is_bare_fin(&self) -> bool {
        let is_fin = self.flags.contains(Flags::FIN) && !self.flags.contains(Flags::SYN);
        is_fin && self.payload.is_empty()
    }

    /// The number after the last one it takes up.
    pub fn end(&self) -> Seq {
        self.seq + self.len()
    }

    /// How many segments it was on the wire.
    pub fn count(&self) -> u32 {
        segment_count(self.payload.len(), self.gso_size)
    }

    /// Cuts away what lies before `left` (RFC 9293 §3.10.7.4: "trim off any portions that lie
    /// outside the window").
    #[inline]
    pub fn trim_front(&mut self, left: Seq) {
        let mut excess = left.since(self.seq);
        if excess == 0 {
            return;
        }
        self.seq = left;
        if self.flags.contains(Flags::SYN) {
            self.flags = self.flags.without(Flags::SYN);
            excess -= 1;
        }
        let text = excess.min(self.payload.len() as u64);
        let _ = self.payload.split_to(text as usize);
        if excess > text {
            self.flags = self.flags.without(Flags::FIN);
        }
    }

    /// Cuts away the text at the window's `edge` and after it. A FIN just at the edge stays: it takes up a
    /// number, but no room.
    pub fn trim_to_edge(&mut self, edge: Seq) {
        let is_fin_near = self.seq + self.payload.len() as u64 <= edge;
        self.trim_back(if is_fin_near { edge + 1 } else { edge });
    }

    /// Cuts away what lies at `right` and after it.
    #[inline]
    pub fn trim_back(&mut self, right: Seq) {
        let excess = self.end().since(right);
        if excess == 0 {
            return;
        }
        let fin = u64::from(self.flags.contains(Flags::FIN));
        self.flags = self.flags.without(Flags::FIN);
        let text = excess.saturating_sub(fin).min(self.payload.len() as u64);
        self.payload.truncate(self.payload.len() - text as usize);
    }
}

/// How many segments of `gso_size` bytes carry `len` bytes; a segment without text is one too.
pub(crate) fn segment_count(len: usize, gso_size: u16) -> u32 {
    match gso_size {
        0 => 1,
        size => len.div_ceil(usize::from(size)).max(1) as u32,
    }
}

#[cfg(test)]
mod tests;
