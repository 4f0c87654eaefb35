//! CUBIC (RFC 9438): the window is a cubic function of the time since the last reduction.
//!
//! It returns fast to where the last loss was, stays there a while, and then looks further; how long
//! a round trip takes hardly matters. Where Reno would be faster (short round trips, small windows)
//! it is as fast as Reno. The first slow start ends by HyStart++ (RFC 9406).
//!
//! The curve itself is [`curve`]'s, cwnd and ssthresh are [`window`](super::window)'s.

mod curve;

use curve::Epoch;

use super::hystart::{Advice, CSS_GROWTH_DIVISOR, HyStart};
use super::window::Window;
use super::{AckSample, CongestionControl, CongestionEvent, CongestionSignal, Parameters, Phase};
use crate::time::Instant;

/// The default controller.
#[derive(Clone, Debug)]
pub struct Cubic {
    window: Window,
    /// What is known of losses; None until there was one, or slow start ended without.
    past: Option<Box<Past>>,
    hystart: HyStart,
    /// `tcp_hystart`, until the first slow start is over.
    uses_hystart: bool,
    /// `tcp_abe`.
    abe: bool,
}

/// What the curve is drawn by.
#[derive(Clone, Debug, Default)]
struct Past {
    curve: Curve,
    /// The curve before the last reduction, should that have been for nothing (RFC 9438 §4.9.1).
    undo: Option<Curve>,
    /// When the last ACK came: while nothing is tested the curve stands still.
    last_ack: Instant,
}

/// The curve since the last reduction.
#[derive(Clone, Debug, Default)]
struct Curve {
    /// W_max: the window at which the last loss was, in bytes; 0 when none is known.
    w_max: u64,
    /// The window just before the last reduction (`cwnd_prior`).
    cwnd_prior: u64,
    /// The present stage of congestion avoidance; None until its first ACK.
    epoch: Option<Epoch>,
}

/// beta_cubic = 0.7 (RFC 9438 §4.6): what a loss leaves of the window.
fn after_loss(cwnd: u64) -> u64 {
    cwnd * 7 / 10
}

impl Cubic {
    /// A controller in slow start, whose window is `initial_window` bytes.
    pub fn new(smss: u32, initial_window: u64, parameters: &Parameters) -> Cubic {
        Cubic {
            window: Window::new(smss, initial_window, parameters.abc_l),
            past: None,
            hystart: HyStart::new(),
            uses_hystart: parameters.hystart,
            abe: parameters.abe,
        }
    }

    /// Grows below ssthresh; returns what is left for congestion avoidance.
    fn slow_start(&mut self, ack: &AckSample) -> u64 {
        // RFC 9406 §4.3: for the first slow start only; later ones have an ssthresh to stop at.
        let is_first = self.window.is_first_slow_start() && self.window.phase() != Phase::Loss;
        let advice = if self.uses_hystart && is_first {
            self.hystart.on_ack(ack.una, ack.max, ack.rtt)
        } else {
            Advice::Double
        };
        match advice {
            Advice::Double => {
                self.window.set_cautious(false);
                self.window.slow_start(ack.delivered, 1)
            }
            Advice::Caution => {
                self.window.set_cautious(true);
                self.window.slow_start(ack.delivered, CSS_GROWTH_DIVISOR)
            }
            Advice::Stop => {
                self.window.end_slow_start();
                self.uses_hystart = false;
                ack.delivered
            }
        }
    }

    /// RFC 9438 §4.2: no slower than Reno (RFC 9438 §4.3), concave up to W_max (RFC 9438 §4.4), convex
    /// beyond (RFC 9438 §4.5).
    fn avoid_congestion(&mut self, ack: &AckSample, delivered: u64) {
        let (cwnd, smss) = (self.window.cwnd(), self.window.smss());
        let past = self.past.get_or_insert_default();
        past.last_ack = ack.now;
        let Curve { w_max, cwnd_prior, epoch } = &mut past.curve;
        let epoch =
            epoch.get_or_insert_with(|| Epoch::begin(ack.now, cwnd, *w_max, *cwnd_prior, smss));
        let grown = epoch.grow(ack.now, ack.srtt.unwrap_or_default(), cwnd, delivered, smss);
        self.window.set_cwnd(grown);
    }

    /// A reduction: where the loss was is noted, and what was before.
    fn leave_curve(&mut self, w_max: u64) {
        let cwnd_prior = self.window.cwnd();
        let past = self.past.get_or_insert_default();
        let curve = Curve { w_max, cwnd_prior, epoch: None };
        past.undo = Some(std::mem::replace(&mut past.curve, curve));
    }

    /// The curve begins anew where slow start ends.
    fn leave_epoch(&mut self) {
        if let Some(past) = &mut self.past {
            past.curve.epoch = None;
        }
    }

    /// Moves the curve on by a time in which nothing was tested (RFC 9438 §4.2: t leaves out the
    /// time in which cwnd did not grow for want of data).
    fn stand_still(&mut self, now: Instant) {
        if let Some(past) = &mut self.past {
            let silence = now.saturating_since(past.last_ack);
            past.last_ack = now;
            if let Some(epoch) = &mut past.curve.epoch {
                epoch.postpone(silence);
            }
        }
    }

    fn w_max(&self) -> u64 {
        self.past.as_ref().map_or(0, |past| past.curve.w_max)
    }
}

impl CongestionControl for Cubic {
    fn name(&self) -> &'static str {
        "cubic"
    }

    fn cwnd(&self) -> u64 {
        self.window.cwnd()
    }

    fn ssthresh(&self) -> u64 {
        self.window.ssthresh()
    }

    fn phase(&self) -> Phase {
        self.window.phase()
    }

    fn on_transmit_start(&mut self, now: Instant, _is_app_limited: bool) {
        self.stand_still(now);
    }

    fn on_ack(&mut self, ack: &AckSample) {
        if !ack.is_cwnd_limited {
            return self.stand_still(ack.now);
        }
        if self.window.is_held() {
            return;
        }
        let mut delivered = ack.delivered;
        if self.window.is_slow_start() {
            delivered = self.slow_start(ack);
        }
        if !self.window.is_slow_start() && delivered > 0 {
            self.avoid_congestion(ack, delivered);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        // RFC 9438 §4.6 lets cwnd stand for what is in flight where, as here, a window that is not
        // used does not grow.
        let cwnd = self.window.cwnd();
        // RFC 9438 §4.7, fast convergence: two losses in a row at ever smaller windows, so another flow
        // has come; leave it room.
        self.leave_curve(if cwnd < self.w_max() { cwnd * 17 / 20 } else { cwnd });
        let ssthresh = match event.signal {
            // RFC 8511 §3: beta = 0.85 for a mark, which a shallow queue sets early
            CongestionSignal::Ecn if self.abe => cwnd * 17 / 20,
            _ => after_loss(cwnd),
        };
        self.window.reduce(ssthresh, event.signal);
    }

    fn set_cwnd(&mut self, cwnd: u64) {
        self.window.set_cwnd(cwnd);
    }

    fn on_recovered(&mut self, _now: Instant, _in_flight: u64) {
        self.window.recover();
    }

    fn on_timeout(&mut self, _now: Instant, _flight_size: u64, is_first: bool) {
        let ssthresh = after_loss(self.window.cwnd());
        if is_first {
            // RFC 9438 §4.8: the curve begins anew, with K = 0, where slow start will end.
            self.leave_curve(0);
        }
        if let Some(past) = &mut self.past {
            past.curve = Curve { w_max: 0, epoch: None, ..past.curve.clone() };
        }
        self.window.time_out(is_first.then_some(ssthresh));
    }

    fn undo(&mut self, _now: Instant) {
        // RFC 9438 §4.9: cwnd, ssthresh, W_max, cwnd_prior and the curve as they were
        if self.window.undo()
            && let Some(past) = &mut self.past
            && let Some(curve) = past.undo.take()
        {
            past.curve = curve;
        }
    }

    fn on_idle_restart(&mut self, _now: Instant, restart_window: u64) {
        self.window.restart(restart_window);
        // What the window was tells little now.
        self.leave_epoch();
    }

    fn adopt(&mut self, other: &dyn CongestionControl) {
        self.window.adopt(other);
    }

    fn set_smss(&mut self, smss: u32) {
        self.window.set_smss(smss);
        self.leave_epoch();
    }
}

#[cfg(test)]
mod tests;
