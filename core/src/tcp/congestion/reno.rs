//! Reno: slow start, congestion avoidance and the answers to loss of RFC 5681, counting bytes
//! rather than ACKs (RFC 3465), so that neither split nor merged ACKs change how fast it grows.

use super::window::Window;
use super::{AckSample, CongestionControl, CongestionEvent, CongestionSignal, Parameters, Phase};
use crate::time::Instant;

/// The standard controller.
#[derive(Clone, Debug)]
pub struct Reno {
    window: Window,
    /// Bytes acknowledged in congestion avoidance since cwnd last grew (RFC 3465 §2.1).
    bytes_acked: u64,
    /// A mark costs less than a loss (RFC 8511).
    abe: bool,
}

impl Reno {
    /// A controller in slow start, whose window is `initial_window` bytes.
    pub fn new(smss: u32, initial_window: u64, parameters: &Parameters) -> Reno {
        Reno {
            window: Window::new(smss, initial_window, parameters.abc_l),
            bytes_acked: 0,
            abe: parameters.abe,
        }
    }

    /// RFC 3465 §2.1: one segment more for each window's worth of bytes acknowledged.
    fn avoid_congestion(&mut self, acked: u64) {
        self.bytes_acked = self.bytes_acked.saturating_add(acked);
        let cwnd = self.window.cwnd();
        if self.bytes_acked >= cwnd {
            // An ACK that covers several windows opens the window once: it is one round trip.
            self.bytes_acked = (self.bytes_acked - cwnd).min(cwnd);
            self.window.grow(self.window.smss());
        }
    }
}

impl CongestionControl for Reno {
    fn name(&self) -> &'static str {
        "reno"
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

    fn on_ack(&mut self, ack: &AckSample) {
        // A window that was not filled has not been tested (the idea of RFC 7661 §4.3), and a
        // reduction holds it.
        if self.window.is_held() || !ack.is_cwnd_limited {
            return;
        }
        let mut delivered = ack.delivered;
        if self.window.is_slow_start() {
            delivered = self.window.slow_start(delivered, 1);
        }
        if !self.window.is_slow_start() {
            self.avoid_congestion(delivered);
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        let ssthresh = match event.signal {
            // RFC 8511 §3: beta = 0.8 for a mark, which a shallow queue sets early
            CongestionSignal::Ecn if self.abe => event.flight_size / 5 * 4,
            // RFC 5681 §3.1 equation 4, RFC 3168 §6.1.2
            _ => event.flight_size / 2,
        };
        self.window.reduce(ssthresh, event.signal);
        self.bytes_acked = 0;
    }

    fn set_cwnd(&mut self, cwnd: u64) {
        self.window.set_cwnd(cwnd);
    }

    fn on_recovered(&mut self, _now: Instant, _in_flight: u64) {
        self.window.recover();
    }

    fn on_timeout(&mut self, _now: Instant, flight_size: u64, is_first: bool) {
        self.window.time_out(is_first.then_some(flight_size / 2));
        self.bytes_acked = 0;
    }

    fn undo(&mut self, _now: Instant) {
        self.window.undo();
    }

    fn on_idle_restart(&mut self, _now: Instant, restart_window: u64) {
        self.window.restart(restart_window);
        self.bytes_acked = 0;
    }

    fn adopt(&mut self, other: &dyn CongestionControl) {
        self.window.adopt(other);
    }

    fn set_smss(&mut self, smss: u32) {
        self.window.set_smss(smss);
    }
}

#[cfg(test)]
mod tests;
