//! Round-trip time and retransmission timeout: RFC 6298, as Linux computes it (RFC 9293 §3.8.1,
//! MUST-18).
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
//! floor is `tcp_min_rto_ms`, far above the clock's granularity (RFC 6298 §4). The RTO lies between
//! that and `tcp_max_rto_ms`, backed off or not.

use std::time::Duration;

use super::seq::Seq;
use crate::time::Instant;

/// §5.7: the RTO to begin data transmission with after the timer of a SYN fired.
const AFTER_SYN_LOSS_US: u32 = 3_000_000;

/// SRTT and what belongs to it, from the first sample on.
#[derive(Clone, Copy, Debug)]
struct Smoothed {
    /// 8 * SRTT.
    srtt8_us: u32,
    /// 4 * RTTVAR.
    deviation_us: u32,
    /// The greatest of this round trip, at least the floor.
    greatest_us: u32,
    /// What the RTO is beyond SRTT.
    margin_us: u32,
    /// When this is acknowledged, a round trip is over.
    round_end: Seq,
}

/// The shortest round trip within a window of time: the least of this half of it and of the half
/// before.
#[derive(Clone, Copy, Debug)]
struct Least {
    half_ms: u32,
    now_us: u32,
    before_us: u32,
    began: Instant,
}

/// The estimator of one connection, in microseconds as Linux has it.
#[derive(Clone, Debug)]
pub struct RttEstimator {
    smoothed: Option<Smoothed>,
    least: Least,
    /// Without backing off; always within the two bounds.
    rto_us: u32,
    min_us: u32,
    max_us: u32,
    backoffs: u32,
}

impl RttEstimator {
    /// An estimator without a sample, whose RTO is `initial` (RFC 6298 §2.1: 1 s).
    ///
    /// `min` and `max` bound every RTO, `initial` included (RFC 6298 §2.4: `min` SHOULD be 1 s, Linux
    /// takes 200 ms; RFC 6298 §2.5: `max` at least 60 s). Should they contradict each other, `min` wins.
    pub fn new(initial: Duration, min: Duration, max: Duration) -> RttEstimator {
        let min_us = micros(min);
        // Eight times this has to fit too.
        let max_us = micros(max).min(u32::MAX / 8).max(min_us);
        RttEstimator {
            smoothed: None,
            least: Least {
                half_ms: LEAST_WINDOW_MS / 2,
                began: Instant::ZERO,
                now_us: u32::MAX,
                before_us: u32::MAX,
            },
            rto_us: micros(initial).clamp(min_us, max_us),
            min_us,
            max_us,
            backoffs: 0,
        }
    }

    /// Remembers the shortest round trip for `window` (`tcp_min_rtt_wlen`).
    pub fn with_least_window(mut self, window: Duration) -> RttEstimator {
        self.least.half_ms = u32::try_from(window.as_millis() / 2).unwrap_or(u32::MAX);
        self
    }

    /// Takes in a measured round trip, with SND.UNA and SND.MAX as they are now. The RTO follows from
    /// it, and backing off is over (§5, the note after 5.7).
    ///
    /// The caller keeps Karn's rule: no sample from a segment that was retransmitted.
    pub fn sample(&mut self, rtt: Duration, una: Seq, max: Seq) {
        let rtt = micros(rtt).min(self.max_us);
        let smoothed = match &mut self.smoothed {
            // RFC 6298 §2.2
            None => self.smoothed.insert(Smoothed {
                srtt8_us: 8 * rtt,
                deviation_us: 2 * rtt,
                greatest_us: (2 * rtt).max(self.min_us),
                margin_us: (2 * rtt).max(self.min_us),
                round_end: max,
            }),
            // RFC 6298 §2.3
            Some(smoothed) => {
                smoothed.take(rtt);
                if una > smoothed.round_end {
                    smoothed.end_round(max, self.min_us);
                }
                smoothed
            }
        };
        let rto = (smoothed.srtt8_us / 8).saturating_add(smoothed.margin_us);
        self.rto_us = rto.clamp(self.min_us, self.max_us);
        self.backoffs = 0;
    }

    /// Takes in a round trip for the shortest of late.
    pub fn note_least(&mut self, now: Instant, rtt: Duration) {
        let rtt = micros(rtt);
        let least = &mut self.least;
        let age_ms = now.as_nanos().saturating_sub(least.began.as_nanos()) / 1_000_000;
        let half_ms = u64::from(least.half_ms);
        if age_ms >= half_ms {
            let is_outdated = age_ms >= 2 * half_ms;
            least.before_us = if is_outdated { u32::MAX } else { least.now_us };
            least.now_us = u32::MAX;
            least.began = now;
        }
        least.now_us = least.now_us.min(rtt);
    }

    /// SRTT, once there was a sample.
    pub fn srtt(&self) -> Option<Duration> {
        self.smoothed.map(|smoothed| Duration::from_micros(u64::from(smoothed.srtt8_us / 8)))
    }

    /// RTTVAR, once there was a sample.
    pub fn rttvar(&self) -> Option<Duration> {
        self.smoothed.map(|smoothed| Duration::from_micros(u64::from(smoothed.deviation_us / 4)))
    }

    /// The shortest round trip of late.
    pub fn min_rtt(&self) -> Option<Duration> {
        let least_us = self.least.now_us.min(self.least.before_us);
        (least_us < u32::MAX).then_some(Duration::from_micros(u64::from(least_us)))
    }

    /// The retransmission timeout in force, backing off included.
    pub fn rto(&self) -> Duration {
        let doubled = 1u32.checked_shl(self.backoffs).unwrap_or(u32::MAX);
        let rto_us = self.rto_us.saturating_mul(doubled).min(self.max_us);
        Duration::from_micros(u64::from(rto_us))
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
        self.rto_us = self.rto_us.max(AFTER_SYN_LOSS_US).clamp(self.min_us, self.max_us);
    }
}

impl Smoothed {
    /// §2.3: alpha = 1/8, beta = 1/4; the deviation first, from the old SRTT.
    fn take(&mut self, rtt: u32) {
        let srtt = self.srtt8_us / 8;
        let error = srtt.abs_diff(rtt);
        let expected = self.deviation_us / 4;
        let growth = error.saturating_sub(expected);
        // Shorter than expected: good news, which must not make the RTO longer by much.
        let growth = if rtt < srtt { growth / 8 } else { growth };
        self.deviation_us = self.deviation_us - expected.saturating_sub(error) + growth;
        self.srtt8_us = self.srtt8_us - srtt + rtt;
        self.greatest_us = self.greatest_us.max(self.deviation_us);
        self.margin_us = self.margin_us.max(self.greatest_us);
    }

    /// Once a round trip the margin may fall, by a quarter of the way.
    fn end_round(&mut self, next_end: Seq, floor_us: u32) {
        self.margin_us -= self.margin_us.saturating_sub(self.greatest_us) / 4;
        self.round_end = next_end;
        self.greatest_us = floor_us;
    }
}

/// The time for which the shortest round trip counts, unless said otherwise (Linux: 300 s).
const LEAST_WINDOW_MS: u32 = 300_000;

/// `duration` in microseconds, capped at 71 minutes.
fn micros(duration: Duration) -> u32 {
    let us = duration.as_secs().saturating_mul(1_000_000);
    let us = us.saturating_add(duration.subsec_micros().into());
    u32::try_from(us).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
