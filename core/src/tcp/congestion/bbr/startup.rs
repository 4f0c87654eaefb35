//! Startup and Drain (draft §5.3.1, §5.3.2): the rate is doubled each round until the path delivers
//! no more or loses too much, then the queue that this left is emptied.

use super::super::AckSample;
use super::super::window::CWND_MAX;
use super::{Bbr, Repair, State, bounds};

/// Losses in that many ACKs of one round are no accident (StartupFullLossCnt).
const FULL_LOSS_COUNT: u8 = 6;

/// Rounds after which Drain ends though the queue is not empty: the rate was taken for too high.
const DRAIN_ROUNDS: u64 = 3;

impl Bbr {
    pub(super) fn check_startup_done(&mut self, ack: &AckSample) {
        if self.state != State::Startup {
            return;
        }
        self.check_high_loss(ack);
        if self.full_pipe.is_reached {
            self.state = State::Drain;
            self.drain_start_round = self.rounds.count;
        }
    }

    /// draft §5.3.1.3: a whole round in fast recovery, with more than 2 % lost in several places.
    fn check_high_loss(&mut self, ack: &AckSample) {
        if ack.lost > 0 {
            self.startup_losses = self.startup_losses.saturating_add(1);
        }
        if !self.bounds.is_round_start {
            return;
        }
        let losses = std::mem::take(&mut self.startup_losses);
        let is_too_high =
            ack.rate.is_some_and(|sample| bounds::is_too_high(sample.lost, sample.tx_in_flight));
        if self.repair == Some(Repair::Fast) && losses >= FULL_LOSS_COUNT && is_too_high {
            self.undo.state = Some(State::Startup);
            self.full_pipe.is_reached = true;
            let safe = self.bdp(100).max(self.bounds.inflight_latest);
            self.bounds.inflight_longterm = safe.min(CWND_MAX);
        }
    }

    pub(super) fn check_drain_done(&mut self, ack: &AckSample) {
        if self.state != State::Drain {
            return;
        }
        let is_long = self.rounds.count > self.drain_start_round + DRAIN_ROUNDS;
        if ack.in_flight <= self.inflight(100) || is_long {
            self.start_down(ack.now);
        }
    }
}
