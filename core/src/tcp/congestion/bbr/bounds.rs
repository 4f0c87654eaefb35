//! What losses and marks say: bounds on rate and volume, for now (short-term, forgotten when the
//! bandwidth is probed next) and for long (the volume that a probe found to be too much).

use super::super::{LossSample, RateSample};
use super::Undo;

/// Without a bound.
pub(super) const UNBOUNDED: u64 = u64::MAX;

/// The bounds, and the two measurements of the last round that they are lowered to at most.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Bytes per second.
    pub(super) bw_shortterm: u64,
    /// Bytes in flight.
    pub(super) inflight_shortterm: u64,
    /// Bytes in flight.
    pub(super) inflight_longterm: u64,
    /// The greatest rate and volume delivered in this round.
    bw_latest: u64,
    pub(super) inflight_latest: u64,
    /// Where the round ends by which losses are counted.
    pub(super) loss_round_delivered: u64,
    pub(super) is_loss_in_round: bool,
    /// The ACK at hand ended such a round.
    pub(super) is_round_start: bool,
}

impl Bounds {
    pub(super) fn new() -> Bounds {
        Bounds {
            bw_shortterm: UNBOUNDED,
            inflight_shortterm: UNBOUNDED,
            inflight_longterm: UNBOUNDED,
            bw_latest: 0,
            inflight_latest: 0,
            loss_round_delivered: 0,
            is_loss_in_round: false,
            is_round_start: false,
        }
    }

    /// Near the start of an ACK.
    pub(super) fn update_latest(&mut self, sample: &RateSample, delivered: u64) {
        self.bw_latest = self.bw_latest.max(sample.bytes_per_s());
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        if sample.prior_delivered >= self.loss_round_delivered {
            self.loss_round_delivered = delivered;
            self.is_round_start = true;
        }
    }

    /// Near the end of an ACK.
    pub(super) fn advance_latest(&mut self, sample: &RateSample) {
        if self.is_round_start {
            self.bw_latest = sample.bytes_per_s();
            self.inflight_latest = sample.delivered;
        }
    }

    /// A bandwidth probe is over: what was lost in it has been answered.
    pub(super) fn reset_signals(&mut self) {
        self.is_loss_in_round = false;
        self.bw_latest = 0;
        self.inflight_latest = 0;
    }

    /// After a round with losses: down to what was delivered, but not by more than 30 % (Beta).
    pub(super) fn lower_short_term(&mut self, max_bw: u64, cwnd: u64) {
        let bw = if self.bw_shortterm == UNBOUNDED { max_bw } else { self.bw_shortterm };
        let inflight = match self.inflight_shortterm {
            UNBOUNDED => cwnd,
            inflight => inflight,
        };
        self.bw_shortterm = self.bw_latest.max(beta(bw));
        self.inflight_shortterm = self.inflight_latest.max(beta(inflight));
    }

    pub(super) fn forget_short_term(&mut self) {
        self.bw_shortterm = UNBOUNDED;
        self.inflight_shortterm = UNBOUNDED;
    }

    /// InflightWithHeadroom: a bound that leaves others a part of the path.
    pub(super) fn with_headroom(&self, smss: u64, least: u64) -> u64 {
        if self.inflight_longterm == UNBOUNDED {
            return UNBOUNDED;
        }
        // Headroom = 0.15
        let headroom = (self.inflight_longterm * 15 / 100).max(smss);
        self.inflight_longterm.saturating_sub(headroom).max(least)
    }

    /// The losses were none.
    pub(super) fn restore(&mut self, undo: &Undo) {
        self.bw_shortterm = self.bw_shortterm.max(undo.bw_shortterm);
        self.inflight_shortterm = self.inflight_shortterm.max(undo.inflight_shortterm);
        self.inflight_longterm = self.inflight_longterm.max(undo.inflight_longterm);
    }
}

/// Beta = 0.7.
pub(super) fn beta(value: u64) -> u64 {
    // Near the end of the range the order of the factors matters.
    value.checked_mul(7).map_or(value / 10 * 7, |product| product / 10)
}

/// IsInflightTooHigh: more than 2 % (LossThresh) of what was in flight was lost.
pub(super) fn is_too_high(lost: u64, tx_in_flight: u64) -> bool {
    lost > tx_in_flight / 50
}

/// At what volume the losses passed 2 %: somewhere in the burst that was lost last, whose first part
/// the path still took (draft §5.5.10.2).
pub(super) fn inflight_at_loss(sample: &LossSample) -> u64 {
    let inflight_before = sample.tx_in_flight.saturating_sub(sample.bytes);
    let lost_before = sample.lost.saturating_sub(sample.bytes);
    // (0.02 * inflight - lost) / (1 - 0.02)
    let prefix = inflight_before.saturating_sub(lost_before.saturating_mul(50)) / 49;
    inflight_before.saturating_add(prefix)
}
