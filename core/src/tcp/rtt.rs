//! Round-trip time and retransmission timeout: RFC 6298, as Linux computes it.
//!
//! Owns SRTT, the deviation, RTO and the shortest round trip of late. Which round trips may be
//! measured is the caller's to know: never one of a segment that was sent twice (Karn's algorithm,
//! §3), unless timestamps tell which was answered.
//!
//! The RFC's RTO is SRTT + 4 * RTTVAR, and 1 s where that is less (§2.4). Linux takes
//! SRTT + max(4 * RTTVAR, 200 ms): the margin itself has a floor, so that on a long and steady path
//! the timer leaves room for a delayed ACK. Three more things are Linux's: the margin rises at once
//! with the deviation but falls once a round trip only, by a quarter; a round trip that is shorter
//! than expected hardly widens it (the idea of the Eifel retransmission timer); and the margin's
//! floor is `tcp_min_rto_ms`. The RTO lies between that and `tcp_max_rto_ms`, backed off or not.

use std::time::Duration;

use super::seq::Seq;
use crate::time::Instant;

/// §5.7: the RTO to begin data transmission with after the timer of a SYN fired.
const AFTER_SYN_LOSS_NS: u64 = 3_000_000_000;

/// SRTT and what belongs to it, from the first sample on.
#[derive(Clone, Copy, Debug)]
struct Smoothed {
    srtt_ns: u64,
    /// 4 * RTTVAR.
    deviation_ns: u64,
    /// The greatest of this round trip, at least the floor.
    greatest_ns: u64,
    /// What the RTO is beyond SRTT.
    margin_ns: u64,
    /// When this is acknowledged, a round trip is over.
    round_end: Seq,
}

/// The shortest round trip within a window of time: the least of this half of it and of the half
/// before.
#[derive(Clone, Copy, Debug)]
struct Least {
    half: Duration,
    began: Instant,
    now_ns: u64,
    before_ns: u64,
}

/// The estimator of one connection.
#[derive(Clone, Debug)]
pub struct RttEstimator {
    smoothed: Option<Smoothed>,
    least: Least,
    /// Without backing off; always within the two bounds.
    rto_ns: u64,
    min_ns: u64,
    max_ns: u64,
    backoffs: u32,
}

impl RttEstimator {
    /// An estimator without a sample, whose RTO is `initial` (RFC 6298 §2.1: 1 s).
    ///
    /// `min` and `max` bound every RTO, `initial` included (RFC 6298 §2.4: `min` SHOULD be 1 s, Linux
    /// takes 200 ms; RFC 6298 §2.5: `max` at least 60 s). Should they contradict each other, `min` wins.
    pub fn new(initial: Duration, min: Duration, max: Duration) -> RttEstimator {
        let min_ns = nanos(min);
        let max_ns = nanos(max).max(min_ns);
        RttEstimator {
            smoothed: None,
            least: Least {
                half: LEAST_WINDOW / 2,
                began: Instant::ZERO,
                now_ns: u64::MAX,
                before_ns: u64::MAX,
            },
            rto_ns: nanos(initial).clamp(min_ns, max_ns),
            min_ns,
            max_ns,
            backoffs: 0,
        }
    }

    /// Remembers the shortest round trip for `window` (`tcp_min_rtt_wlen`).
    pub fn with_least_window(mut self, window: Duration) -> RttEstimator {
        self.least.half = window / 2;
        self
    }

    /// Takes in a measured round trip, with SND.UNA and SND.MAX as they are now. The RTO follows from
    /// it, and backing off is over (§5, the note after 5.7).
    ///
    /// The caller keeps Karn's rule: no sample from a segment that was retransmitted.
    pub fn sample(&mut self, rtt: Duration, una: Seq, max: Seq) {
        let rtt = nanos(rtt).min(self.max_ns);
        let smoothed = match &mut self.smoothed {
            // §2.2
            None => self.smoothed.insert(Smoothed {
                srtt_ns: rtt,
                deviation_ns: 2 * rtt,
                greatest_ns: (2 * rtt).max(self.min_ns),
                margin_ns: (2 * rtt).max(self.min_ns),
                round_end: max,
            }),
            Some(smoothed) => {
                smoothed.take(rtt);
                if una > smoothed.round_end {
                    smoothed.end_round(max, self.min_ns);
                }
                smoothed
            }
        };
        let rto = smoothed.srtt_ns.saturating_add(smoothed.margin_ns);
        self.rto_ns = rto.clamp(self.min_ns, self.max_ns);
        self.backoffs = 0;
    }

    /// Takes in a round trip for the shortest of late.
    pub fn note_least(&mut self, now: Instant, rtt: Duration) {
        let rtt = nanos(rtt);
        let least = &mut self.least;
        if now.saturating_since(least.began) >= least.half {
            let is_outdated = now.saturating_since(least.began) >= 2 * least.half;
            least.before_ns = if is_outdated { u64::MAX } else { least.now_ns };
            least.now_ns = u64::MAX;
            least.began = now;
        }
        least.now_ns = least.now_ns.min(rtt);
    }

    /// SRTT, once there was a sample.
    pub fn srtt(&self) -> Option<Duration> {
        self.smoothed.map(|smoothed| Duration::from_nanos(smoothed.srtt_ns))
    }

    /// RTTVAR, once there was a sample.
    pub fn rttvar(&self) -> Option<Duration> {
        self.smoothed.map(|smoothed| Duration::from_nanos(smoothed.deviation_ns / 4))
    }

    /// The shortest round trip of late.
    pub fn min_rtt(&self) -> Option<Duration> {
        let least_ns = self.least.now_ns.min(self.least.before_ns);
        (least_ns < u64::MAX).then_some(Duration::from_nanos(least_ns))
    }

    /// The retransmission timeout in force, backing off included.
    pub fn rto(&self) -> Duration {
        let doubled = 1u64.checked_shl(self.backoffs).unwrap_or(u64::MAX);
        Duration::from_nanos(self.rto_ns.saturating_mul(doubled).min(self.max_ns))
    }

    /// The timer fired: doubles the RTO (RFC 6298 §5.5; RFC 9293 §3.8.2, MUST-19), up to its maximum.
    pub fn back_off(&mut self) {
        self.backoffs = self.backoffs.saturating_add(1);
    }

    /// New data was acknowledged: the path works again, and so does the RTO as computed.
    pub fn reset_backoff(&mut self) {
        self.backoffs = 0;
    }

    /// How often in a row the RTO was doubled.
    pub fn backoffs(&self) -> u32 {
        self.backoffs
    }

    /// §5.7: call it when a handshake completes during which the timer of the SYN fired. If the RTO
    /// was below 3 s, transmission begins with 3 s, until the first sample.
    pub fn restart_after_syn_loss(&mut self) {
        self.backoffs = 0;
        self.rto_ns = self.rto_ns.max(AFTER_SYN_LOSS_NS).clamp(self.min_ns, self.max_ns);
    }
}

impl Smoothed {
    /// §2.3: alpha = 1/8, beta = 1/4; the deviation first, from the old SRTT.
    fn take(&mut self, rtt: u64) {
        let error = self.srtt_ns.abs_diff(rtt);
        let expected = self.deviation_ns / 4;
        let growth = error.saturating_sub(expected);
        // Shorter than expected: good news, which must not make the RTO longer by much.
        let growth = if rtt < self.srtt_ns { growth / 8 } else { growth };
        self.deviation_ns = self.deviation_ns - expected.saturating_sub(error) + growth;
        self.srtt_ns = self.srtt_ns - self.srtt_ns / 8 + rtt / 8;
        self.greatest_ns = self.greatest_ns.max(self.deviation_ns);
        self.margin_ns = self.margin_ns.max(self.greatest_ns);
    }

    /// Once a round trip the margin may fall, by a quarter of the way.
    fn end_round(&mut self, next_end: Seq, floor_ns: u64) {
        self.margin_ns -= self.margin_ns.saturating_sub(self.greatest_ns) / 4;
        self.round_end = next_end;
        self.greatest_ns = floor_ns;
    }
}

/// The time for which the shortest round trip counts, unless said otherwise (Linux: 300 s).
const LEAST_WINDOW: Duration = Duration::from_secs(300);

/// `duration` in nanoseconds, capped at 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
