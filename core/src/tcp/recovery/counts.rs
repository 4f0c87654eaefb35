//! What recovery counts for those who measure: TCP_INFO's figures of loss, reordering and timeouts.
//!
//! One thing here decides something too: `retransmitted` bounds how many DSACKs are believed. Kept
//! only by connections on whose path something went wrong.

use std::time::Duration;

use crate::time::Instant;

/// What happened since the connection began, in segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent again.
    pub retransmitted: u32,
    /// Found lost.
    pub lost: u32,
    /// Found lost, in bytes.
    pub lost_bytes: u64,
    /// Reported by the peer as come twice.
    pub dsacked: u32,
    /// Reductions that proved needless.
    pub undone: u32,
    /// ACKs that told of reordering (`tcpi_reord_seen`).
    pub reordering_seen: u32,
    /// Delivered and reported as marked by the network (`tcpi_delivered_ce`).
    pub delivered_ce: u32,
    /// Timeouts.
    pub timeouts: TimeoutCounts,
}

/// The retransmission timer's repairs. One begins with a timeout after which there was no other
/// without progress; it ends with the state Loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutCounts {
    /// How many began (`tcpi_total_rto_recoveries`).
    pub repairs: u32,
    /// Spent in those that are over.
    spent: Duration,
    /// When the present one began.
    began: Option<Instant>,
}

impl TimeoutCounts {
    /// The timer fired; `is_first`: SND.UNA has moved since it last did, or it never did.
    pub(super) fn on_timeout(&mut self, now: Instant, is_first: bool) {
        self.repairs += u32::from(is_first);
        self.began.get_or_insert(now);
    }

    /// What it asked for is repaired, or was not needed.
    pub(super) fn on_repaired(&mut self, now: Instant) {
        self.spent = self.spent(now);
        self.began = None;
    }

    /// The time that all took, the present one until now (`tcpi_total_rto_time`).
    pub fn spent(&self, now: Instant) -> Duration {
        let present = self.began.map_or(Duration::ZERO, |began| now.saturating_since(began));
        self.spent + present
    }
}
