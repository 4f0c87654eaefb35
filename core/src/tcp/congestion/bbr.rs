//! BBR version 3 (draft-ietf-ccwg-bbr-04): send at the rate at which the path delivers.
//!
//! Where Reno and CUBIC fill a queue until it overflows, BBR measures two things and keeps what is
//! in flight near their product: how fast the path delivers (`max_bw`), and how long an empty path
//! takes (`min_rtt`). It can't see both at once, since the one shows with a full path and the other
//! with an empty one, so it takes turns:
//!
//! ```text
//! Startup -> Drain -> ProbeBW: DOWN -> CRUISE -> REFILL -> UP -> DOWN ...
//!                     any of them -> ProbeRTT, every ten seconds at most
//! ```
//!
//! | file | what it answers |
//! |---|---|
//! | `model` | what the path is like: rounds, `max_bw`, `min_rtt`, aggregation of ACKs |
//! | `full_pipe` | whether sending faster still delivers more |
//! | `bounds` | what losses and marks say about rate and volume, for now and for long |
//! | `startup` | finding the rate, and draining the queue that this left |
//! | `probe_bw` | the cycle of a long-lived flow |
//! | `probe_rtt` | emptying the path to see how long it is |
//! | `control` | the pacing rate and the window that follow |
//!
//! Names are the draft's; `bw_shortterm` and so on are `bw_lo` and so on in older texts.

mod bounds;
mod control;
mod full_pipe;
mod model;
mod probe_bw;
mod probe_rtt;
mod startup;

use bounds::Bounds;
use full_pipe::FullPipe;
use model::{AckAggregation, MaxBandwidth, MinRtt, Rounds};
use probe_bw::Cycle;
use probe_rtt::ProbeRtt;

use super::window::CWND_MAX;
use super::{
    AckSample, CongestionControl, CongestionEvent, CongestionSignal, LossSample, Parameters, Phase,
    RateSample,
};
use crate::time::Instant;

/// Where in its life a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Doubling the rate each round trip.
    Startup,
    /// Emptying the queue that Startup built.
    Drain,
    /// A little slower than the path.
    ProbeBwDown,
    /// As fast as the path.
    ProbeBwCruise,
    /// As fast as the path, with the short-term bounds forgotten.
    ProbeBwRefill,
    /// A little faster than the path.
    ProbeBwUp,
    /// Little in flight, to see the length of the path.
    ProbeRtt,
}

/// The repair that goes on, in whose time the window is not what the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repair {
    /// Fast recovery.
    Fast,
    /// After a timeout.
    Timeout,
}

/// What is restored when a loss turns out to be none.
#[derive(Clone, Copy, Debug, Default)]
struct Undo {
    /// The state that the loss made it leave.
    state: Option<State>,
    bw_shortterm: u64,
    inflight_shortterm: u64,
    inflight_longterm: u64,
}

/// The controller that measures.
#[derive(Clone, Debug)]
pub struct Bbr {
    state: State,
    cwnd: u64,
    /// The window before a repair or ProbeRTT made it smaller.
    prior_cwnd: u64,
    initial_window: u64,
    /// Bytes per second; None until a round trip was measured.
    pacing_rate: Option<u64>,
    /// Bytes per second: `max_bw` as far as the short-term bound lets it be.
    bw: u64,
    /// Bytes delivered since the connection began.
    delivered: u64,
    /// Samples of what was sent before so much was delivered tell of ProbeRTT, not of the path.
    limited_until: u64,
    rounds: Rounds,
    max_bw: MaxBandwidth,
    min_rtt: MinRtt,
    aggregation: AckAggregation,
    full_pipe: FullPipe,
    bounds: Bounds,
    cycle: Cycle,
    probe_rtt: ProbeRtt,
    undo: Undo,
    repair: Option<Repair>,
    /// The round in which Drain began.
    drain_start_round: u64,
    /// ACKs of this round that told of losses, while in Startup.
    startup_losses: u8,
    /// A segment leaves after silence for want of data.
    is_idle_restart: bool,
    smss: u32,
    /// State of the generator that spreads the probes of flows apart.
    random: u64,
}

impl Bbr {
    /// A controller in Startup, whose window is `initial_window` bytes.
    pub fn new(smss: u32, initial_window: u64, parameters: &Parameters) -> Bbr {
        let cwnd = initial_window.clamp(u64::from(smss), CWND_MAX);
        Bbr {
            state: State::Startup,
            cwnd,
            prior_cwnd: cwnd,
            initial_window: cwnd,
            pacing_rate: None,
            bw: 0,
            delivered: 0,
            limited_until: 0,
            rounds: Rounds::default(),
            max_bw: MaxBandwidth::default(),
            min_rtt: MinRtt::default(),
            aggregation: AckAggregation::default(),
            full_pipe: FullPipe::default(),
            bounds: Bounds::new(),
            cycle: Cycle::default(),
            probe_rtt: ProbeRtt::default(),
            undo: Undo::default(),
            repair: None,
            drain_start_round: 0,
            startup_losses: 0,
            is_idle_restart: false,
            smss,
            random: parameters.seed,
        }
    }

    fn smss(&self) -> u64 {
        u64::from(self.smss)
    }

    /// MinPipeCwnd: four segments keep a path busy whose receiver acknowledges every other one.
    fn min_pipe_cwnd(&self) -> u64 {
        4 * self.smss()
    }

    /// What `sample` measured, if it says how the path is rather than how much there was to send.
    fn is_limited(&self, sample: &RateSample) -> bool {
        sample.is_app_limited || sample.prior_delivered < self.limited_until
    }

    /// A new round trip begins with what is sent from now on.
    fn start_round(&mut self) {
        self.rounds.start(self.delivered);
    }

    /// draft §5.2.3: the model and the state, in this order.
    fn update_model_and_state(&mut self, ack: &AckSample) {
        self.delivered = match &ack.rate {
            Some(sample) => sample.total_delivered,
            None => self.delivered.saturating_add(ack.delivered),
        };
        self.rounds.is_start = false;
        self.bounds.is_round_start = false;
        if let Some(sample) = &ack.rate {
            self.bounds.update_latest(sample, self.delivered);
            self.update_max_bw(sample);
        }
        self.adapt_short_term();
        self.update_aggregation(ack);
        if let Some(sample) = &ack.rate
            && self.rounds.is_start
            && !self.is_limited(sample)
        {
            self.full_pipe.judge(sample.bytes_per_s());
        }
        self.check_startup_done(ack);
        self.check_drain_done(ack);
        self.update_cycle(ack);
        self.update_min_rtt(ack);
        self.check_probe_rtt(ack);
        if let Some(sample) = &ack.rate {
            self.bounds.advance_latest(sample);
        }
        self.bw = self.max_bw.get().min(self.bounds.bw_shortterm);
    }

    /// The count of round trips and the rate go by the segment that the sample measures.
    fn update_max_bw(&mut self, sample: &RateSample) {
        if self.rounds.is_over(sample.prior_delivered) {
            self.rounds.advance(self.delivered);
            self.cycle.rounds_since_probe_up += 1;
        }
        let rate = sample.bytes_per_s();
        if rate >= self.max_bw.get() || !self.is_limited(sample) {
            self.max_bw.update(rate);
        }
    }

    /// Once in each round that brought a loss, unless the loss was of our own probing.
    fn adapt_short_term(&mut self) {
        if !self.bounds.is_round_start {
            return;
        }
        let is_probing =
            matches!(self.state, State::Startup | State::ProbeBwRefill | State::ProbeBwUp);
        if self.bounds.is_loss_in_round && !is_probing {
            self.bounds.lower_short_term(self.max_bw.get(), self.cwnd);
        }
        self.bounds.is_loss_in_round = false;
    }

    fn update_aggregation(&mut self, ack: &AckSample) {
        // In Startup one round is remembered, later ten.
        let rounds = if self.full_pipe.is_reached { 10 } else { 1 };
        self.aggregation.update(ack, self.bw, self.cwnd, self.rounds.count, rounds);
    }

    /// The first congestion of a round: what is known now may have to be restored.
    fn note_congestion(&mut self) {
        if !self.bounds.is_loss_in_round {
            self.bounds.loss_round_delivered = self.delivered;
            self.save_upon_loss();
        }
        self.bounds.is_loss_in_round = true;
    }

    fn save_upon_loss(&mut self) {
        self.save_cwnd();
        self.undo = Undo {
            state: None,
            bw_shortterm: self.bounds.bw_shortterm,
            inflight_shortterm: self.bounds.inflight_shortterm,
            inflight_longterm: self.bounds.inflight_longterm,
        };
    }

    /// A number below `bound`; SplitMix64, which needs to be no better than spread out.
    fn draw(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

impl CongestionControl for Bbr {
    fn name(&self) -> &'static str {
        "bbr"
    }

    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    /// None: the model takes its place.
    fn ssthresh(&self) -> u64 {
        u64::MAX
    }

    fn phase(&self) -> Phase {
        match self.state {
            State::Startup => Phase::Startup,
            State::Drain => Phase::Drain,
            State::ProbeBwDown => Phase::ProbeBwDown,
            State::ProbeBwCruise => Phase::ProbeBwCruise,
            State::ProbeBwRefill => Phase::ProbeBwRefill,
            State::ProbeBwUp => Phase::ProbeBwUp,
            State::ProbeRtt => Phase::ProbeRtt,
        }
    }

    fn on_transmit_start(&mut self, now: Instant, is_app_limited: bool) {
        if !is_app_limited {
            return;
        }
        // draft §5.4.1: the path is empty and known: fill it at its rate.
        self.is_idle_restart = true;
        self.aggregation.restart(now);
        if self.is_in_probe_bw() {
            self.set_pacing_rate(100);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done(now);
        }
    }

    fn on_lost(&mut self, now: Instant, lost: &LossSample) {
        self.note_congestion();
        if self.cycle.is_bw_probe_sample && bounds::is_too_high(lost.lost, lost.tx_in_flight) {
            let is_limited = lost.is_app_limited;
            self.on_inflight_too_high(now, bounds::inflight_at_loss(lost), is_limited);
        }
    }

    fn on_ack(&mut self, ack: &AckSample) {
        if ack.lost > 0 {
            self.note_congestion();
        }
        self.update_model_and_state(ack);
        self.init_pacing_rate(ack);
        self.set_pacing_rate(self.pacing_gain());
        self.update_cwnd(ack.delivered);
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        match event.signal {
            CongestionSignal::Loss => {
                self.save_upon_loss();
                self.repair = Some(Repair::Fast);
            }
            CongestionSignal::Ecn => {
                // RFC 3168 §5: a mark is answered as a loss is, once a round trip. Which segment
                // was marked is not known: what is in flight now stands for it.
                self.note_congestion();
                if self.cycle.is_bw_probe_sample {
                    self.on_inflight_too_high(event.now, event.in_flight, false);
                }
            }
        }
    }

    fn set_cwnd(&mut self, cwnd: u64) {
        self.cwnd = cwnd.clamp(self.smss(), CWND_MAX);
    }

    fn on_recovered(&mut self, _now: Instant, _in_flight: u64) {
        if self.repair.take().is_some() {
            self.restore_cwnd();
        }
    }

    fn on_timeout(&mut self, _now: Instant, _flight_size: u64, is_first: bool) {
        if is_first {
            self.save_upon_loss();
        }
        self.bounds.is_loss_in_round = true;
        self.repair = Some(Repair::Timeout);
        self.cwnd = self.smss();
    }

    fn undo(&mut self, now: Instant) {
        self.repair = None;
        self.restore_cwnd();
        self.bounds.is_loss_in_round = false;
        self.full_pipe.reset();
        self.bounds.restore(&self.undo);
        let left = self.undo.state.take();
        match left {
            Some(State::Startup) if self.state != State::Startup => {
                self.full_pipe.is_reached = false;
                if self.state != State::ProbeRtt {
                    self.state = State::Startup;
                }
            }
            Some(State::ProbeBwUp) if !matches!(self.state, State::ProbeBwUp | State::ProbeRtt) => {
                self.start_refill(now);
            }
            _ => {}
        }
    }

    /// The window stays: the path is known, and pacing keeps a window's worth from being a burst
    /// (draft §5.4.2).
    fn on_idle_restart(&mut self, _now: Instant, _restart_window: u64) {}

    fn adopt(&mut self, other: &dyn CongestionControl) {
        self.set_cwnd(other.cwnd());
        self.prior_cwnd = self.cwnd;
        self.repair = match other.phase() {
            Phase::Recovery => Some(Repair::Fast),
            Phase::Loss => Some(Repair::Timeout),
            _ => None,
        };
    }

    fn set_smss(&mut self, smss: u32) {
        if smss < self.smss {
            self.cwnd = self.cwnd * u64::from(smss) / u64::from(self.smss);
        }
        self.smss = smss;
        self.cwnd = self.cwnd.max(self.smss());
    }

    fn uses_prr(&self) -> bool {
        false
    }

    fn pacing_rate_bytes_per_s(&self) -> Option<u64> {
        self.pacing_rate
    }
}

#[cfg(test)]
mod tests;
