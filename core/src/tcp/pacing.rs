//! When the next segment may leave, where a rate is asked for: by BBR, or by SO_MAX_PACING_RATE.
//!
//! Owns the time before which nothing leaves. Without a rate there is no such time, and what the
//! windows allow leaves in the call that made it possible. A timer that fires late is made up for
//! by half of the next gap at most, so that lateness costs no throughput and makes no burst.

use std::time::Duration;

use crate::time::Instant;

/// A super-segment at most, in bytes.
const QUANTUM_MAX: u64 = 65_536;

/// The pacing of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    next: Instant,
    /// Bytes that leave before pacing begins: the initial window is sent at once, as on Linux.
    unpaced: u32,
}

impl Pacer {
    /// A pacer that lets `initial_window` bytes out at once.
    pub fn new(initial_window: u64) -> Pacer {
        let unpaced = u32::try_from(initial_window).unwrap_or(u32::MAX);
        Pacer { next: Instant::ZERO, unpaced }
    }

    /// When the next segment may leave, if that is after `now`.
    pub fn wait(&self, now: Instant) -> Option<Instant> {
        (self.next > now).then_some(self.next)
    }

    /// `bytes` leave at `now`, at `rate` bytes per second.
    pub fn on_send(&mut self, now: Instant, bytes: u64, rate: u64) {
        if self.unpaced > 0 {
            self.unpaced -= u32::try_from(bytes).unwrap_or(u32::MAX).min(self.unpaced);
            return;
        }
        let ns = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        let gap = Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX));
        let lateness = now.saturating_since(self.next);
        self.next = now + (gap - lateness.min(gap / 2));
    }
}

/// What may leave at once at `rate` bytes per second: a millisecond's worth, between two segments
/// and a super-segment (draft-ietf-ccwg-bbr §5.6.3).
pub fn send_quantum(rate: u64, smss: u32) -> u64 {
    (rate / 1000).min(QUANTUM_MAX).max(2 * u64::from(smss))
}

#[cfg(test)]
mod tests;
