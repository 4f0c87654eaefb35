//! What the path is like: packet-timed rounds, the bandwidth, the round trip of the empty path, and
//! how much ACKs arrive in heaps (draft §5.5.1 to §5.5.9).

use std::time::Duration;

use super::super::AckSample;
use crate::time::Instant;

/// How long a shortest round trip is believed (MinRTTFilterLen).
const MIN_RTT_FILTER: Duration = Duration::from_secs(10);

/// Round trips by packets: one ends when what was sent after its start is delivered. Unlike the
/// clock, they don't run on while nothing is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds {
    next_delivered: u64,
    /// How many are over.
    pub(super) count: u64,
    /// The ACK at hand ended one.
    pub(super) is_start: bool,
}

impl Rounds {
    /// Begins a round, `delivered` bytes having arrived so far.
    pub(super) fn start(&mut self, delivered: u64) {
        self.next_delivered = delivered;
    }

    /// Whether what was sent when `prior_delivered` bytes had arrived was sent in this round.
    pub(super) fn is_over(&self, prior_delivered: u64) -> bool {
        prior_delivered >= self.next_delivered
    }

    /// The round is over and the next begins.
    pub(super) fn advance(&mut self, delivered: u64) {
        self.start(delivered);
        self.count += 1;
        self.is_start = true;
    }
}

/// The greatest delivery rate of this ProbeBW cycle and the one before, in bytes per second.
#[derive(Clone, Debug, Default)]
pub(super) struct MaxBandwidth {
    last_cycle: u64,
    this_cycle: u64,
}

impl MaxBandwidth {
    pub(super) fn get(&self) -> u64 {
        self.last_cycle.max(self.this_cycle)
    }

    pub(super) fn update(&mut self, rate: u64) {
        self.this_cycle = self.this_cycle.max(rate);
    }

    /// A cycle is over: what was measured before it is forgotten. A cycle without a sample is none.
    pub(super) fn advance(&mut self) {
        if self.this_cycle > 0 {
            self.last_cycle = std::mem::take(&mut self.this_cycle);
        }
    }
}

/// The shortest round trip of the last ten seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct MinRtt {
    rtt_us: Option<u64>,
    /// When it was measured, or was taken for confirmed.
    pub(super) stamp: Instant,
    /// It is too old, and the ACK at hand may replace it.
    pub(super) is_expired: bool,
}

impl MinRtt {
    /// In microseconds, from one to 2^26 (67 s).
    pub(super) fn us(&self) -> Option<u64> {
        self.rtt_us
    }

    /// Whether it is older than it may be.
    pub(super) fn check_expiry(&mut self, now: Instant) {
        self.is_expired = self.rtt_us.is_some() && now > self.stamp + MIN_RTT_FILTER;
    }

    /// Takes in a round trip.
    pub(super) fn update(&mut self, now: Instant, rtt: Duration) {
        let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX).clamp(1, 1 << 26);
        if self.is_expired || self.rtt_us.is_none_or(|least| rtt_us <= least) {
            self.rtt_us = Some(rtt_us);
            self.stamp = now;
        }
    }
}

/// How much more than the rate explains was acknowledged at once lately, in bytes: that much more
/// must be in flight to bridge the silences in between.
#[derive(Clone, Debug, Default)]
pub(super) struct AckAggregation {
    interval_start: Instant,
    interval_delivered: u64,
    /// The greatest of the present half of the window and of the half before.
    extra: [u64; 2],
    half_start_round: u64,
}

impl AckAggregation {
    pub(super) fn extra_acked(&self) -> u64 {
        self.extra[0].max(self.extra[1])
    }

    /// The clock of the ACKs starts anew.
    pub(super) fn restart(&mut self, now: Instant) {
        self.interval_start = now;
        self.interval_delivered = 0;
    }

    /// Takes in an ACK; `window` is how many rounds are remembered.
    pub(super) fn update(&mut self, ack: &AckSample, bw: u64, cwnd: u64, round: u64, window: u64) {
        if round >= self.half_start_round + window.div_ceil(2) {
            self.half_start_round = round;
            self.extra = [0, if window > 1 { self.extra[0] } else { 0 }];
        }
        let elapsed = ack.now.saturating_since(self.interval_start);
        let mut expected = delivered_in(bw, elapsed);
        if self.interval_delivered <= expected {
            self.restart(ack.now);
            expected = 0;
        }
        self.interval_delivered = self.interval_delivered.saturating_add(ack.delivered);
        let extra = (self.interval_delivered - expected).min(cwnd);
        self.extra[0] = self.extra[0].max(extra);
    }
}

/// What a path of `bw` bytes per second delivers in `time`, in bytes.
pub(super) fn delivered_in(bw: u64, time: Duration) -> u64 {
    let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    bytes_in_us(bw, us)
}

/// As [`delivered_in`], for a time in microseconds.
pub(super) fn bytes_in_us(bw: u64, us: u64) -> u64 {
    match bw.checked_mul(us) {
        Some(product) => product / 1_000_000,
        // More than any window: exact enough.
        None => (bw / 1_000_000).saturating_mul(us),
    }
}
