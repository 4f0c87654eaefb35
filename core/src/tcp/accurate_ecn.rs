//! Accurate ECN feedback (RFC 9768): not *whether* something was marked, but *how much*.
//!
//! Owns the counters of both directions: what this end received by codepoint, told to the peer in
//! the three ACE bits (marked packets, modulo 8) and in an option (bytes), and what the peer has told
//! of ours. It assumes the worst where three bits may have wrapped, and stops marking packets as
//! ECN-capable when the bits are found wiped on the way.

use super::segment::Segment;
use crate::wire::ip::Ecn;
use crate::wire::tcp::Flags;
use crate::wire::tcp_options::AccEcnCounters;

/// RFC 9768 §3.2.1: the packet counter starts at 5, so that zero in a first ACK shows wiped bits.
const INITIAL_PACKETS: u32 = 5;

/// How many values the ACE bits have.
const ACE_VALUES: u64 = 8;

/// The counters of one connection.
#[derive(Clone, Debug)]
pub struct Accurate {
    /// r.cep: marked packets received.
    ce_packets: u32,
    /// r.ceb, r.e0b, r.e1b: bytes received marked, as ECT(0), as ECT(1).
    bytes: AccEcnCounters,
    /// The counters changed since an option told them.
    option_due: bool,
    /// How the peer's SYN or SYN+ACK arrived.
    syn_codepoint: Ecn,
    /// Our first ACK has still to say so.
    handshake_due: bool,
    /// The ACE bits as last heard; before the first ACK what it should say.
    heard: Option<u8>,
    /// s.ceb: marked bytes as the peer's last option had them.
    heard_bytes: Option<u32>,
    /// The peer's ACE bits arrive wiped: marks would not be heard of.
    is_wiped: bool,
}

impl Accurate {
    /// Counters of a connection whose peer's SYN (or SYN+ACK) arrived as `syn`.
    pub fn new(syn: Ecn) -> Accurate {
        Accurate {
            ce_packets: INITIAL_PACKETS,
            bytes: AccEcnCounters { ect0: 1, ce: 0, ect1: 1 },
            option_due: true,
            syn_codepoint: syn,
            handshake_due: false,
            heard: None,
            heard_bytes: None,
            is_wiped: false,
        }
    }

    /// The same for an active open: a marked SYN+ACK counts, and our first ACK tells how it arrived
    /// (RFC 9768 §3.2.2.1).
    pub fn of_syn_ack(syn: Ecn) -> Accurate {
        let marked = u32::from(syn == Ecn::Ce);
        let ce_packets = INITIAL_PACKETS + marked;
        // The server counts from here on: nothing of ours is marked yet.
        let heard = Some(INITIAL_PACKETS as u8);
        Accurate { ce_packets, handshake_due: true, heard, ..Accurate::new(syn) }
    }

    /// Whether a SYN+ACK's flags say that the peer has accurate feedback (RFC 9768 §3.1.2, table 2).
    pub fn is_answer(flags: Flags) -> bool {
        [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce].map(encode).contains(&flags)
    }

    /// The flags of our SYN+ACK: how the SYN arrived.
    pub fn handshake_flags(&self) -> Flags {
        encode(self.syn_codepoint)
    }

    /// The ACE bits of a segment that leaves now: the first pure ACK of an active open tells how the
    /// SYN+ACK arrived, every other the marked packets (RFC 9768 §3.2.2).
    pub fn flags(&mut self, has_text: bool) -> Flags {
        if !has_text && std::mem::take(&mut self.handshake_due) {
            return encode(self.syn_codepoint);
        }
        ace_flags(self.ce_packets as u8)
    }

    /// The counters for an option, if it is due (RFC 9768 §3.2.3.3: when one has changed).
    pub fn take_option(&mut self) -> Option<AccEcnCounters> {
        std::mem::take(&mut self.option_due).then_some(self.bytes)
    }

    /// Whether text may leave as ECT (RFC 9768 §3.2.2.4).
    pub fn may_send_ect(&self) -> bool {
        !self.is_wiped
    }

    /// Counts an acceptable segment. True when the peer should hear of it at once: the first mark,
    /// or one that nearly makes the ACE bits wrap.
    pub fn take_marks(&mut self, segment: &Segment) -> bool {
        let len = segment.payload.len() as u32;
        // RFC 9768 §3.2.1: the option's counters are 24 bits and wrap.
        let add = |counter: &mut u32| *counter = counter.wrapping_add(len) & 0xff_ffff;
        match segment.ecn {
            Ecn::NotEct => return false,
            Ecn::Ect0 => add(&mut self.bytes.ect0),
            Ecn::Ect1 => add(&mut self.bytes.ect1),
            Ecn::Ce => {
                self.ce_packets = self.ce_packets.wrapping_add(segment.count());
                add(&mut self.bytes.ce);
            }
        }
        let is_marked = segment.ecn == Ecn::Ce;
        // Unmarked bytes alone make no option worth its room.
        self.option_due |= is_marked;
        is_marked
    }

    /// How many of our segments an acceptable ACK newly reports as marked. `acked` bytes are newly
    /// acknowledged by it; an ACK that brings nothing new may be an old one, and is not looked at.
    pub fn marks_reported(&mut self, segment: &Segment, acked: u64, smss: u32) -> u64 {
        let ace = ace_of(segment.flags);
        let Some(before) = self.heard else { return self.first_ack(ace) };
        if acked == 0 {
            return 0;
        }
        self.heard = Some(ace);
        let bytes = segment.options.accurate_ecn.and_then(|option| option.ce);
        let same_bytes = bytes.is_some() && bytes == self.heard_bytes;
        self.heard_bytes = bytes.or(self.heard_bytes);
        let delta = u64::from(ace.wrapping_sub(before) & 7);
        let segments = acked.div_ceil(u64::from(smss.max(1)));
        if segments < ACE_VALUES || same_bytes {
            return delta.min(segments.max(1));
        }
        // RFC 9768 §3.2.2.5.1: it may have wrapped; the most that fits is assumed.
        segments - ((segments - delta) & (ACE_VALUES - 1))
    }

    /// A passive open's first ACK tells how our SYN+ACK arrived (RFC 9768 §3.2.2.1, table 4).
    fn first_ack(&mut self, ace: u8) -> u64 {
        self.is_wiped = ace == 0;
        let is_marked = ace_flags(ace) == encode(Ecn::Ce);
        let counted = INITIAL_PACKETS as u8 + u8::from(is_marked);
        self.heard = Some(counted);
        u64::from(is_marked)
    }
}

/// How a codepoint is told in the handshake (RFC 9768 §3.1.2 table 2, §3.2.2.1 table 3).
fn encode(codepoint: Ecn) -> Flags {
    match codepoint {
        Ecn::NotEct => Flags::CWR,
        Ecn::Ect1 => Flags::CWR | Flags::ECE,
        Ecn::Ect0 => Flags::AE,
        Ecn::Ce => Flags::AE | Flags::CWR,
    }
}

/// The ACE bits, most significant first: AE, CWR, ECE (RFC 9768 §3.2.2).
fn ace_of(flags: Flags) -> u8 {
    let bit = |flag, value| if flags.contains(flag) { value } else { 0 };
    bit(Flags::AE, 4) | bit(Flags::CWR, 2) | bit(Flags::ECE, 1)
}

fn ace_flags(ace: u8) -> Flags {
    let flag = |flag, value| if ace & value != 0 { flag } else { Flags::EMPTY };
    flag(Flags::AE, 4) | flag(Flags::CWR, 2) | flag(Flags::ECE, 1)
}

#[cfg(test)]
mod tests;
