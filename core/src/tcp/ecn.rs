//! Explicit congestion notification: a router marks a packet instead of dropping it, the receiver
//! says so, the sender slows down (RFC 9293 §3.8.2, SHLD-8). Classic feedback (RFC 3168) and accurate
//! feedback (RFC 9768).
//!
//! Owns what was agreed on the SYNs, which flags and codepoint each departure bears, and what an ACK
//! reports of marks. That the window shrinks once a round trip is the recovery's (its state CWR), by
//! how much the controller's. It believes a mark only on text that lies in the window
//! (RFC 3168 §6.1.5).

use super::accurate_ecn::Accurate;
use super::segment::Segment;
use crate::knobs::{EcnVariant, Knobs};
use crate::wire::ip::Ecn;
use crate::wire::tcp::Flags;
use crate::wire::tcp_options::AccEcnOption;

/// The flags that all speak of ECN.
pub const ECN_FLAGS: Flags = Flags::AE.union(Flags::CWR).union(Flags::ECE);

/// ECN of one connection.
#[derive(Clone, Debug)]
pub struct EcnState {
    /// What our SYN asks for; when the peer's SYN is known, what is in force.
    variant: EcnVariant,
    /// ECE goes on every segment until the peer says CWR (RFC 3168 §6.1.3).
    is_echoing: bool,
    /// The window was reduced: CWR goes on the next new text (RFC 3168 §6.1.2).
    cwr_due: bool,
    /// Text has arrived with an ECN codepoint (`TCPI_OPT_ECN_SEEN`).
    has_seen: bool,
    /// What accurate feedback counts, once agreed on.
    pub(super) accurate: Option<Box<Accurate>>,
}

impl EcnState {
    /// Before any SYN. An active open asks for what the knob `tcp_ecn` says; a passive one answers.
    pub fn new(knobs: &Knobs, is_active: bool) -> EcnState {
        let variant = if is_active { knobs.ecn_outgoing() } else { EcnVariant::None };
        EcnState { variant, is_echoing: false, cwr_due: false, has_seen: false, accurate: None }
    }

    /// What is in force, or asked for.
    pub fn variant(&self) -> EcnVariant {
        self.variant
    }

    /// Whether text has arrived with an ECN codepoint since ECN was agreed on.
    pub fn has_seen(&self) -> bool {
        self.has_seen
    }

    /// A SYN for a passive open: takes the best of what it asks for and `tcp_ecn` allows.
    pub fn take_syn(&mut self, knobs: &Knobs, syn: &Segment) {
        let asked = match syn.flags.intersection(ECN_FLAGS) {
            // RFC 9768 §3.1.1
            flags if flags == ECN_FLAGS => EcnVariant::Accurate,
            // RFC 3168 §6.1.1
            flags if flags == Flags::ECE | Flags::CWR => EcnVariant::Classic,
            _ => EcnVariant::None,
        };
        self.variant = asked.min(knobs.ecn_incoming());
        match self.variant {
            // RFC 3168 §6.1.1: a SYN is never ECT. Where one is, something on the way overwrites the
            // field, and marks would mean nothing; so too on Linux.
            EcnVariant::Classic if syn.ecn != Ecn::NotEct => self.variant = EcnVariant::None,
            EcnVariant::Accurate => self.accurate = Some(Box::new(Accurate::new(syn.ecn))),
            _ => {}
        }
    }

    /// A SYN+ACK for an active open says what the peer understood (RFC 9768 §3.1.2, table 2).
    pub fn take_syn_ack(&mut self, syn: &Segment) {
        let answer = syn.flags.intersection(ECN_FLAGS);
        let is_classic = answer == Flags::ECE || answer == Flags::AE | Flags::ECE;
        self.variant = match self.variant {
            EcnVariant::Accurate if Accurate::is_answer(answer) => EcnVariant::Accurate,
            // The same bits back come from a peer that reflects what it does not know.
            EcnVariant::Accurate | EcnVariant::Classic if is_classic => EcnVariant::Classic,
            _ => EcnVariant::None,
        };
        if self.variant == EcnVariant::Accurate {
            self.accurate = Some(Box::new(Accurate::of_syn_ack(syn.ecn)));
        }
    }

    /// Simultaneous open: neither SYN answers the other, so ECN is not used.
    pub fn give_up(&mut self) {
        self.variant = EcnVariant::None;
    }

    /// The flags of our SYN (RFC 3168 §6.1.1; RFC 9768 §3.1.1). `is_fallback`: a SYN with them was
    /// not answered, and perhaps something on the way drops such (RFC 3168 §6.1.1.1).
    pub fn syn_flags(&self, is_fallback: bool) -> Flags {
        match self.variant {
            EcnVariant::None => Flags::EMPTY,
            _ if is_fallback => Flags::EMPTY,
            EcnVariant::Classic => Flags::ECE | Flags::CWR,
            EcnVariant::Accurate => ECN_FLAGS,
        }
    }

    /// The flags of our SYN+ACK: what is agreed on, and for accurate feedback how the SYN arrived.
    pub fn syn_ack_flags(&self, is_fallback: bool) -> Flags {
        match (self.variant, &self.accurate) {
            (EcnVariant::Classic, _) => Flags::ECE,
            (EcnVariant::Accurate, Some(accurate)) if !is_fallback => accurate.handshake_flags(),
            _ => Flags::EMPTY,
        }
    }

    /// The ECN flags of any later segment but a RST. `is_new_text` says that it has text for the
    /// first time: that alone may carry CWR.
    pub fn flags(&mut self, is_new_text: bool) -> Flags {
        if let Some(accurate) = &mut self.accurate {
            return accurate.flags(is_new_text);
        }
        let mut flags = Flags::EMPTY;
        if self.is_echoing {
            flags = flags | Flags::ECE;
        }
        if is_new_text && std::mem::take(&mut self.cwr_due) {
            flags = flags | Flags::CWR;
        }
        flags
    }

    /// The byte counters for a segment with room for them, when accurate feedback has news.
    pub fn take_option(&mut self) -> Option<AccEcnOption> {
        self.accurate.as_mut()?.take_option().map(AccEcnOption::from)
    }

    /// The codepoint of a segment: ECT(0) on new text alone. Not on SYNs, pure ACKs, probes and
    /// retransmissions: RFC 3168 §6.1.1, §6.1.4, §6.1.5, §6.1.6.
    pub fn codepoint(&self, is_new_text: bool) -> Ecn {
        let is_capable = self.variant != EcnVariant::None && is_new_text;
        let is_useful = self.accurate.as_ref().is_none_or(|accurate| accurate.may_send_ect());
        if is_capable && is_useful { Ecn::Ect0 } else { Ecn::NotEct }
    }

    /// What an acceptable segment with text in the window says as a receiver has to hear it. True
    /// when that should be acknowledged at once: the peer's window may be down to one segment.
    pub fn take_marks(&mut self, segment: &Segment) -> bool {
        let is_capable = !segment.payload.is_empty() && segment.ecn != Ecn::NotEct;
        self.has_seen |= is_capable && self.variant != EcnVariant::None;
        if let Some(accurate) = &mut self.accurate {
            return accurate.take_marks(segment);
        }
        if self.variant == EcnVariant::None || segment.payload.is_empty() {
            return false;
        }
        let mut is_urgent = false;
        if segment.flags.contains(Flags::CWR) {
            // RFC 3168 §6.1.3: what is marked from this segment on is new congestion.
            self.is_echoing = false;
            is_urgent = true;
        }
        if segment.ecn == Ecn::Ce && !self.is_echoing {
            self.is_echoing = true;
            is_urgent = true;
        }
        is_urgent
    }

    /// How many segments an acceptable ACK newly reports as marked; `delivered` bytes are newly
    /// acknowledged by it. Classic feedback knows only that there are some.
    pub fn marks_reported(&mut self, segment: &Segment, delivered: u64, smss: u32) -> u64 {
        if segment.flags.contains(Flags::SYN) {
            return 0;
        }
        if let Some(accurate) = &mut self.accurate {
            return accurate.marks_reported(segment, delivered, smss);
        }
        let is_echo = self.variant == EcnVariant::Classic && segment.flags.contains(Flags::ECE);
        u64::from(is_echo)
    }

    /// The window was reduced, for whatever reason: the peer may stop to echo (RFC 3168 §6.1.2).
    pub fn on_reduction(&mut self) {
        self.cwr_due = self.variant == EcnVariant::Classic;
    }
}

#[cfg(test)]
mod tests;
