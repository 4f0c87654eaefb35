//! ProbeBW (draft §5.3.3): slow down, cruise, refill the pipe, speed up, and slow down again.
//!
//! Cruising lasts two to three seconds, or as many round trips as Reno would need to find the same
//! bandwidth, if that is less: so a probe costs flows of Reno or CUBIC beside it no more than they
//! cost each other. Flows draw their waits at random, lest they probe together.

use std::time::Duration;

use super::super::window::CWND_MAX;
use super::super::{AckSample, RateSample};
use super::bounds::{self, UNBOUNDED};
use super::{Bbr, State};
use crate::time::Instant;

/// Most round trips between two probes, however large the window.
const RENO_ROUNDS_MAX: u64 = 63;

/// What the ACKs that come in belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AckPhase {
    /// Not to a probe.
    #[default]
    Init,
    Refilling,
    /// The probe has begun, but what comes in was sent before it.
    ProbeStarting,
    /// What was sent in the probe.
    ProbeFeedback,
    /// The probe is over, but what comes in was sent in it.
    ProbeStopping,
}

/// The cycle of one flow.
#[derive(Clone, Debug, Default)]
pub(super) struct Cycle {
    /// When DOWN began.
    stamp: Instant,
    /// How long until the next probe.
    wait: Duration,
    pub(super) rounds_since_probe_up: u64,
    /// How much steeper the long-term bound grows in UP, each round.
    up_rounds: u32,
    up_acked: u64,
    /// Bytes acknowledged for which the long-term bound grows by a segment.
    up_acked_per_increment: u64,
    pub(super) ack_phase: AckPhase,
    /// What comes in was sent by a probe whose excess has not been answered.
    pub(super) is_bw_probe_sample: bool,
    /// The last probe lost too much.
    prev_probe_too_high: bool,
    /// The last probe stopped at the long-term bound without trying beyond.
    prev_probe_precautionary: bool,
}

impl Bbr {
    pub(super) fn is_in_probe_bw(&self) -> bool {
        matches!(
            self.state,
            State::ProbeBwDown | State::ProbeBwCruise | State::ProbeBwRefill | State::ProbeBwUp
        )
    }

    pub(super) fn start_down(&mut self, now: Instant) {
        self.bounds.reset_signals();
        self.cycle.up_acked_per_increment = UNBOUNDED;
        self.cycle.rounds_since_probe_up = self.draw(2);
        self.cycle.wait = Duration::from_micros(2_000_000 + self.draw(1_000_000));
        self.cycle.stamp = now;
        self.cycle.ack_phase = AckPhase::ProbeStopping;
        self.start_round();
        self.state = State::ProbeBwDown;
    }

    pub(super) fn start_cruise(&mut self) {
        self.state = State::ProbeBwCruise;
    }

    pub(super) fn start_refill(&mut self, _now: Instant) {
        self.bounds.forget_short_term();
        self.cycle.up_rounds = 0;
        self.cycle.up_acked = 0;
        self.cycle.prev_probe_precautionary = false;
        self.cycle.ack_phase = AckPhase::Refilling;
        self.start_round();
        self.state = State::ProbeBwRefill;
    }

    fn start_up(&mut self, rate: u64) {
        self.cycle.is_bw_probe_sample = true;
        self.cycle.ack_phase = AckPhase::ProbeStarting;
        self.start_round();
        self.full_pipe.restart_from(rate);
        self.state = State::ProbeBwUp;
        self.raise_slope();
    }

    /// Moves through the cycle; also where a probe that ended in another state is concluded.
    pub(super) fn update_cycle(&mut self, ack: &AckSample) {
        if !self.full_pipe.is_reached || self.adapt_long_term(ack) {
            return;
        }
        let rate = ack.rate.map_or(0, |sample| sample.bytes_per_s());
        match self.state {
            State::ProbeBwDown | State::ProbeBwCruise if self.is_time_to_probe(ack.now) => {
                self.start_refill(ack.now);
            }
            State::ProbeBwDown if self.is_time_to_cruise(ack.in_flight) => self.start_cruise(),
            State::ProbeBwRefill if self.rounds.is_start => self.start_up(rate),
            State::ProbeBwUp => self.go_down_in_time(ack, rate),
            _ => {}
        }
    }

    fn go_down_in_time(&mut self, ack: &AckSample, rate: u64) {
        if self.is_time_to_go_down(ack, rate) {
            // No high loss so far.
            self.cycle.prev_probe_too_high = false;
            self.start_down(ack.now);
        }
    }

    fn is_time_to_probe(&self, now: Instant) -> bool {
        let is_waited = now > self.cycle.stamp + self.cycle.wait;
        let reno_rounds = (self.target_inflight() / self.smss()).min(RENO_ROUNDS_MAX);
        is_waited || self.cycle.rounds_since_probe_up >= reno_rounds
    }

    /// The queue is empty, and others have room.
    fn is_time_to_cruise(&self, in_flight: u64) -> bool {
        in_flight <= self.bounds.with_headroom(self.smss(), self.min_pipe_cwnd())
            && in_flight <= self.inflight_at(self.max_bw.get(), 100)
    }

    fn is_time_to_go_down(&mut self, ack: &AckSample, rate: u64) -> bool {
        let bound = self.bounds.inflight_longterm;
        if self.cycle.prev_probe_too_high && ack.in_flight >= bound {
            self.cycle.prev_probe_precautionary = true;
            return true;
        }
        if ack.is_cwnd_limited && self.cwnd >= bound {
            // It is the bound that holds the rate, not the path.
            self.full_pipe.restart_from(rate);
            return false;
        }
        self.full_pipe.is_full_now
    }

    /// Follows a probe's samples, and moves the long-term bound. Whether it moved the state.
    fn adapt_long_term(&mut self, ack: &AckSample) -> bool {
        if self.cycle.ack_phase == AckPhase::ProbeStarting && self.rounds.is_start {
            self.cycle.ack_phase = AckPhase::ProbeFeedback;
        }
        let Some(sample) = ack.rate else { return false };
        if self.cycle.ack_phase == AckPhase::ProbeStopping && self.rounds.is_start {
            self.cycle.is_bw_probe_sample = false;
            self.cycle.ack_phase = AckPhase::Init;
            if self.is_in_probe_bw() {
                if !self.is_limited(&sample) {
                    self.max_bw.advance();
                }
                if self.cycle.prev_probe_precautionary && !self.cycle.prev_probe_too_high {
                    self.start_refill(ack.now);
                    return true;
                }
            }
        }
        self.raise_long_term(ack, &sample);
        false
    }

    /// Nothing is lost at this volume: the bound is no less.
    fn raise_long_term(&mut self, ack: &AckSample, sample: &RateSample) {
        let bound = self.bounds.inflight_longterm;
        if bound == UNBOUNDED || bounds::is_too_high(sample.lost, sample.tx_in_flight) {
            return;
        }
        self.bounds.inflight_longterm = bound.max(sample.tx_in_flight.min(CWND_MAX));
        if self.state == State::ProbeBwUp {
            self.probe_long_term_upward(ack);
        }
    }

    /// In UP the bound grows by 1, 2, 4 ... segments a round, spread over the round.
    fn probe_long_term_upward(&mut self, ack: &AckSample) {
        if !ack.is_cwnd_limited || self.cwnd < self.bounds.inflight_longterm {
            return;
        }
        self.cycle.up_acked = self.cycle.up_acked.saturating_add(ack.delivered);
        let price = self.cycle.up_acked_per_increment;
        if self.cycle.up_acked >= price {
            let segments = self.cycle.up_acked / price;
            self.cycle.up_acked -= segments * price;
            let growth = segments.saturating_mul(self.smss());
            let grown = self.bounds.inflight_longterm.saturating_add(growth);
            self.bounds.inflight_longterm = grown.min(CWND_MAX);
        }
        if self.rounds.is_start {
            self.raise_slope();
        }
    }

    fn raise_slope(&mut self) {
        let growth = 1 << self.cycle.up_rounds;
        self.cycle.up_rounds = (self.cycle.up_rounds + 1).min(30);
        self.cycle.up_acked_per_increment = (self.cwnd / growth).max(self.smss());
    }

    /// A probe lost too much, once `inflight` bytes were in flight: once per probe, that is the
    /// bound from now on.
    pub(super) fn on_inflight_too_high(&mut self, now: Instant, inflight: u64, is_limited: bool) {
        self.cycle.prev_probe_too_high = true;
        self.cycle.is_bw_probe_sample = false;
        if !is_limited {
            let least = bounds::beta(self.target_inflight());
            self.bounds.inflight_longterm = inflight.clamp(least, CWND_MAX);
        }
        if self.state == State::ProbeBwUp {
            self.undo.state = Some(State::ProbeBwUp);
            self.start_down(now);
        }
    }
}
