//! How fast the network delivers: draft-ietf-ccwg-bbr §4.1 (draft-cheng-iccrg-delivery-rate-estimation).
//!
//! Owns the counts of what was delivered and lost so far, and the sample of the ACK at hand. A rate
//! is what was delivered between the sending of a segment and its acknowledgment, divided by the
//! longer of the time that sending took and the time that the ACKs took: neither a burst of ACKs
//! nor a burst of segments can make it more than the path gave. What a transmission must remember
//! for it is a [`SentSnapshot`], kept by the one who keeps track of transmissions.

use std::time::Duration;

use crate::time::Instant;

/// The counts as they were when a segment was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentSnapshot {
    /// Bytes delivered by then.
    delivered: u64,
    /// Bytes lost by then.
    lost: u64,
    /// When the last of those was delivered.
    delivered_at: Instant,
    /// When the segment was sent whose delivery was the newest by then.
    first_sent_at: Instant,
    /// Bytes in flight, with it.
    in_flight: u32,
    /// Whether there was too little to send to fill the path.
    is_app_limited: bool,
}

/// The rate that an ACK measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSample {
    /// Bytes delivered in `interval`.
    pub delivered: u64,
    /// How long that took.
    pub interval: Duration,
    /// Bytes delivered when the segment that it measures was sent: the round trip it belongs to.
    pub prior_delivered: u64,
    /// Bytes delivered since the connection began.
    pub total_delivered: u64,
    /// Bytes in flight when that segment was sent, with it.
    pub tx_in_flight: u64,
    /// Bytes found lost since that segment was sent.
    pub lost: u64,
    /// Whether the application did not fill the path: the path may be faster than this.
    pub is_app_limited: bool,
}

impl RateSample {
    /// Bytes per second.
    pub fn bytes_per_s(&self) -> u64 {
        let ns = self.interval.as_nanos().max(1);
        u64::try_from(u128::from(self.delivered) * 1_000_000_000 / ns).unwrap_or(u64::MAX)
    }
}

/// A transmission that is lost, and what was so when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossSample {
    /// Its bytes.
    pub bytes: u64,
    /// Bytes in flight when it was sent, with it.
    pub tx_in_flight: u64,
    /// Bytes found lost since it was sent, with it.
    pub lost: u64,
    /// Whether the application did not fill the path then.
    pub is_app_limited: bool,
}

/// The segment that the ACK at hand measures: of those it delivers, the last one sent.
#[derive(Clone, Copy, Debug)]
struct Newest {
    snapshot: SentSnapshot,
    sent_at: Instant,
}

/// What outlasts a flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes delivered since the connection began.
    pub delivered: u64,
    /// Bytes found lost.
    pub lost: u64,
    /// The last rate that was measured, as [`DeliveryRate::last_rate`] tells it.
    pub last_rate: Option<(u64, bool)>,
}

/// The estimator of one connection.
#[derive(Clone, Debug, Default)]
pub struct DeliveryRate {
    delivered: u64,
    lost: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    /// When this much is delivered, what was sent while the application lagged has arrived.
    /// 0: it does not lag.
    app_limited_until: u64,
    newest: Option<Newest>,
    /// The last rate that a whole round trip measured, and whether the application held it down.
    last: Option<(u64, bool)>,
}

impl DeliveryRate {
    /// Nothing delivered.
    pub fn new() -> DeliveryRate {
        DeliveryRate::default()
    }

    /// Goes on from what was counted before.
    pub fn resume(totals: Totals) -> DeliveryRate {
        let Totals { delivered, lost, last_rate } = totals;
        DeliveryRate { delivered, lost, last: last_rate, ..DeliveryRate::default() }
    }

    /// What is worth remembering while nothing is in flight.
    pub fn totals(&self) -> Totals {
        Totals { delivered: self.delivered, lost: self.lost, last_rate: self.last }
    }

    /// `bytes` are about to be sent, for the first time or again, `in_flight` being so before.
    pub fn on_send(&mut self, now: Instant, in_flight: u64, bytes: u64) -> SentSnapshot {
        if in_flight == 0 {
            // The clock starts with the flight: idle time is not the network's.
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        SentSnapshot {
            delivered: self.delivered,
            lost: self.lost,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            in_flight: u32::try_from(in_flight.saturating_add(bytes)).unwrap_or(u32::MAX),
            is_app_limited: self.is_app_limited(),
        }
    }

    /// `bytes` of a transmission made at `sent_at` are acknowledged or SACKed, for the first time.
    pub fn on_delivered(
        &mut self,
        now: Instant,
        snapshot: &SentSnapshot,
        sent_at: Instant,
        bytes: u64,
    ) {
        self.delivered = self.delivered.saturating_add(bytes);
        self.delivered_at = now;
        let is_newest = self.newest.is_none_or(|newest| {
            (newest.sent_at, newest.snapshot.delivered) <= (sent_at, snapshot.delivered)
        });
        if is_newest {
            self.newest = Some(Newest { snapshot: *snapshot, sent_at });
        }
    }

    /// `bytes` of a transmission are lost.
    pub fn on_lost(&mut self, snapshot: &SentSnapshot, bytes: u64) -> LossSample {
        self.lost = self.lost.saturating_add(bytes);
        LossSample {
            bytes,
            tx_in_flight: u64::from(snapshot.in_flight),
            lost: self.lost - snapshot.lost,
            is_app_limited: snapshot.is_app_limited,
        }
    }

    /// All that an ACK delivered is told: the rate that it measured, if it measured one. `min_rtt`
    /// is the shortest round trip known.
    pub fn take_sample(&mut self, _now: Instant, min_rtt: Option<Duration>) -> Option<RateSample> {
        if self.delivered > self.app_limited_until {
            self.app_limited_until = 0;
        }
        let Newest { snapshot, sent_at } = self.newest.take()?;
        self.first_sent_at = sent_at;
        let sending = sent_at.saturating_since(snapshot.first_sent_at);
        let acking = self.delivered_at.saturating_since(snapshot.delivered_at);
        let interval = sending.max(acking);
        // Faster than the fastest round trip: the segment was delivered before it was sent again,
        // and the time is that of the repetition.
        if interval.is_zero() || min_rtt.is_some_and(|min_rtt| interval < min_rtt) {
            return None;
        }
        let sample = RateSample {
            delivered: self.delivered - snapshot.delivered,
            interval,
            prior_delivered: snapshot.delivered,
            total_delivered: self.delivered,
            tx_in_flight: u64::from(snapshot.in_flight),
            lost: self.lost - snapshot.lost,
            is_app_limited: snapshot.is_app_limited,
        };
        self.remember(&sample);
        Some(sample)
    }

    /// Keeps the rate to show: one that the application held down only if it is the greater.
    fn remember(&mut self, sample: &RateSample) {
        let rate = sample.bytes_per_s();
        if !sample.is_app_limited || self.last.is_none_or(|(last, _)| rate >= last) {
            self.last = Some((rate, sample.is_app_limited));
        }
    }

    /// There is nothing more to send though the windows would allow it, `in_flight` bytes being
    /// under way: until they are delivered, samples tell of the application.
    pub fn on_app_limited(&mut self, in_flight: u64) {
        self.app_limited_until = self.delivered.saturating_add(in_flight).max(1);
    }

    /// Whether what is sent now is held down by the application.
    pub fn is_app_limited(&self) -> bool {
        self.app_limited_until != 0
    }

    /// Bytes delivered since the connection began.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Bytes found lost since the connection began.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The last rate measured in bytes per second, and whether the application held it down (the
    /// `tcpi_delivery_rate` and `tcpi_delivery_rate_app_limited` of TCP_INFO).
    pub fn last_rate(&self) -> Option<(u64, bool)> {
        self.last
    }
}

#[cfg(test)]
mod tests;
