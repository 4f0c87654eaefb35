//! The two knobs that the model turns: the pacing rate, and the window as a bound on what is in
//! flight (draft §5.6).

use super::super::super::pacing::send_quantum;
use super::super::AckSample;
use super::super::window::CWND_MAX;
use super::bounds::UNBOUNDED;
use super::model::bytes_in_us;
use super::{Bbr, Repair, State};

/// Segments are paced that much below the rate, lest a queue stand.
const PACING_MARGIN_PERCENT: u64 = 1;

/// Before a rate is known, in microseconds: the round trip that is assumed.
const NOMINAL_RTT_US: u64 = 1000;

/// Bytes per second at most, so that products with times fit 64 bits.
const RATE_MAX: u64 = 1 << 37;

impl Bbr {
    /// How much faster than the path to send, in percent.
    pub(super) fn pacing_gain(&self) -> u64 {
        match self.state {
            // 4 ln 2: the least with which the rate can double each round
            State::Startup => 277,
            State::Drain => 50,
            State::ProbeBwDown => 90,
            State::ProbeBwUp => 125,
            State::ProbeBwCruise | State::ProbeBwRefill | State::ProbeRtt => 100,
        }
    }

    /// How many times what the path holds may be in flight, in percent.
    fn cwnd_gain(&self) -> u64 {
        match self.state {
            State::ProbeBwUp => 225,
            State::ProbeRtt => 50,
            _ => 200,
        }
    }

    /// The first rate: the initial window in a round trip.
    pub(super) fn init_pacing_rate(&mut self, ack: &AckSample) {
        if self.pacing_rate.is_some() {
            return;
        }
        let srtt_us = ack.srtt.map_or(NOMINAL_RTT_US, |srtt| {
            u64::try_from(srtt.as_micros()).unwrap_or(u64::MAX).max(1)
        });
        let rate = self.initial_window * 1_000_000 / srtt_us;
        self.pacing_rate = Some((rate * 277 / 100).clamp(1, RATE_MAX));
    }

    /// Follows the model with `gain` percent; in Startup upward only.
    pub(super) fn set_pacing_rate(&mut self, gain: u64) {
        let rate = self.bw.min(RATE_MAX) * gain / 100 * (100 - PACING_MARGIN_PERCENT) / 100;
        let rate = rate.clamp(1, RATE_MAX);
        if self.full_pipe.is_reached || self.pacing_rate.is_none_or(|before| rate > before) {
            self.pacing_rate = self.pacing_rate.map(|_| rate);
        }
    }

    /// The bandwidth-delay product times `gain` percent, in bytes.
    pub(super) fn bdp(&self, gain: u64) -> u64 {
        self.bdp_at(self.bw, gain)
    }

    fn bdp_at(&self, bw: u64, gain: u64) -> u64 {
        match self.min_rtt.us() {
            Some(rtt_us) => (bytes_in_us(bw.min(RATE_MAX), rtt_us) * gain / 100).min(CWND_MAX),
            None => self.initial_window,
        }
    }

    /// [`Bbr::bdp`] with room for what is being cut, put together and acknowledged late.
    pub(super) fn inflight(&self, gain: u64) -> u64 {
        self.quantized(self.bdp(gain))
    }

    /// As [`Bbr::inflight`], at another bandwidth.
    pub(super) fn inflight_at(&self, bw: u64, gain: u64) -> u64 {
        self.quantized(self.bdp_at(bw, gain))
    }

    fn quantized(&self, inflight: u64) -> u64 {
        let quantum = self.pacing_rate.map_or(0, |rate| send_quantum(rate, self.smss));
        let probing = if self.state == State::ProbeBwUp { 2 * self.smss() } else { 0 };
        inflight.max(3 * quantum).max(self.min_pipe_cwnd()) + probing
    }

    /// TargetInflight: what the path holds, unless congestion cut the window.
    pub(super) fn target_inflight(&self) -> u64 {
        self.bdp(100).min(self.cwnd)
    }

    /// The window after `delivered` bytes arrived: up to the model's by no more than that, down to
    /// it at once.
    pub(super) fn update_cwnd(&mut self, delivered: u64) {
        let max_inflight =
            self.quantized(self.bdp(self.cwnd_gain()) + self.aggregation.extra_acked());
        let grown = self.cwnd.saturating_add(delivered).min(CWND_MAX);
        if self.full_pipe.is_reached {
            self.cwnd = grown.min(max_inflight);
        } else if self.cwnd < max_inflight || self.delivered < self.initial_window {
            self.cwnd = grown;
        }
        // After a timeout the window comes up from one segment by what is delivered.
        if self.repair != Some(Repair::Timeout) {
            self.cwnd = self.cwnd.max(self.min_pipe_cwnd());
        }
        self.bound_cwnd();
    }

    fn bound_cwnd(&mut self) {
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt.cwnd.max(self.min_pipe_cwnd()));
        }
        let volume = match self.state {
            State::ProbeBwDown | State::ProbeBwRefill | State::ProbeBwUp => {
                self.bounds.inflight_longterm
            }
            State::ProbeBwCruise | State::ProbeRtt => {
                self.bounds.with_headroom(self.smss(), self.min_pipe_cwnd())
            }
            State::Startup | State::Drain => UNBOUNDED,
        };
        let cap = volume.min(self.bounds.inflight_shortterm).max(self.min_pipe_cwnd());
        self.cwnd = self.cwnd.min(cap);
    }

    /// Remembers the window as the model made it.
    pub(super) fn save_cwnd(&mut self) {
        self.prior_cwnd = if self.repair.is_none() && self.state != State::ProbeRtt {
            self.cwnd
        } else {
            self.prior_cwnd.max(self.cwnd)
        };
    }

    /// What made the window smaller is over; the bounds of the model hold on.
    pub(super) fn restore_cwnd(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
        self.bound_cwnd();
    }
}
