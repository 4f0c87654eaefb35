//! When the next segment may leave, where a rate is asked for: by BBR, or by SO_MAX_PACING_RATE.
//!
//! Owns the time before which nothing leaves. Without a rate there is no such time, and what the
//! windows allow leaves in the call that made it possible. A timer that fires late is made up for
//! by half of the next gap at most, so that lateness costs no throughput and makes no burst.

use std::time::Duration;

use super::connection::Connection;
use crate::time::Instant;

/// A super-segment at most, in bytes.
const QUANTUM_MAX: u64 = 65_536;

/// Segments that leave unpaced when a connection begins, as on Linux: a window that any path takes.
const UNPACED_SEGMENTS: u64 = 10;

/// The pacing of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    next: Instant,
    /// Bytes that leave before pacing begins.
    unpaced: u32,
}

impl Pacer {
    /// A pacer that lets `unpaced` bytes out at once.
    pub fn new(unpaced: u64) -> Pacer {
        let unpaced = u32::try_from(unpaced).unwrap_or(u32::MAX);
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

impl Connection {
    /// The rate at which segments leave, in bytes per second: the least of what the controller and
    /// the application (SO_MAX_PACING_RATE) ask for.
    pub(super) fn pacing_rate_bytes_per_s(&self) -> Option<u64> {
        match (self.congestion.pacing_rate_bytes_per_s(), self.settings.max_pacing_rate_bytes_per_s)
        {
            (Some(controller), Some(application)) => Some(controller.min(application)),
            (controller, application) => controller.or(application),
        }
    }

    /// When the next segment may leave, if that is after `now`.
    pub(super) fn pacing_wait(&self, now: Instant) -> Option<Instant> {
        let pacer = self.seldom.as_ref()?.pacer?;
        self.pacing_rate_bytes_per_s()?;
        pacer.wait(now)
    }

    /// What may leave at once, in bytes.
    pub(super) fn pacing_quantum(&self) -> u64 {
        self.pacing_rate_bytes_per_s().map_or(u64::MAX, |rate| send_quantum(rate, self.snd.smss))
    }

    /// `bytes` of text leave.
    pub(super) fn pace(&mut self, now: Instant, bytes: u64) {
        let Some(rate) = self.pacing_rate_bytes_per_s() else {
            if let Some(seldom) = &mut self.seldom {
                seldom.pacer = None;
            }
            return;
        };
        let sent = u64::from(self.tally.data_segments_sent);
        let unpaced = UNPACED_SEGMENTS.saturating_sub(sent) * u64::from(self.snd.smss);
        let pacer = &mut self.seldom_mut().pacer;
        pacer.get_or_insert_with(|| Pacer::new(unpaced)).on_send(now, bytes, rate);
    }
}

#[cfg(test)]
mod tests;
