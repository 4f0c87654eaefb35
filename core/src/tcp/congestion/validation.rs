//! Whether cwnd was what held the sender back: a window that is not used is not tested, and does
//! not grow (the idea of RFC 7661, as Linux has it).
//!
//! Judged when segments leave, and remembered for a round trip: when an ACK comes, those before it
//! may already have made room that the sender could not use yet.

use super::super::seq::Seq;

/// How much of the window was used lately.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowUse {
    /// The window was full.
    is_full: bool,
    /// The most that was in flight, in bytes.
    most: u64,
    /// What is remembered holds until this is acknowledged.
    until: Seq,
}

impl WindowUse {
    /// Text has left: `in_flight` with it, `una` and `nxt` being SND.UNA and SND.NXT.
    pub fn on_transmit(&mut self, una: Seq, nxt: Seq, in_flight: u64, cwnd: u64, smss: u32) {
        let is_full = in_flight.saturating_add(u64::from(smss)) > cwnd;
        if is_full || una >= self.until || (!self.is_full && in_flight > self.most) {
            *self = WindowUse { is_full, most: in_flight, until: nxt };
        }
    }

    /// Whether a window of `cwnd` bytes has been used. Below ssthresh half of it is enough: what is
    /// in flight doubles in a round trip, as the window does.
    pub fn is_cwnd_limited(&self, cwnd: u64, ssthresh: u64) -> bool {
        self.is_full || (cwnd < ssthresh && cwnd < self.most.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests;
