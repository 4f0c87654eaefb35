//! Reno: slow start, congestion avoidance (RFC 9293 §3.8.2, MUST-19) and the answers to loss of
//! RFC 5681, counting bytes rather than ACKs (RFC 3465), so that neither split nor merged ACKs
//! change how fast it grows.

use super::{AckSample, CongestionControl, CongestionEvent, CongestionSignal, Phase};
use crate::time::Instant;

/// The standard controller.
#[derive(Clone, Debug)]
pub struct Reno {
    cwnd: u64,
    ssthresh: u64,
    phase: Phase,
    smss: u32,
    /// Bytes acknowledged in congestion avoidance since cwnd last grew (RFC 3465 §2.1).
    bytes_acked: u64,
    /// L of RFC 3465 §2.3: most segments by which one ACK opens the window in slow start.
    abc_l: u32,
    /// In the slow start that follows a timeout (RFC 3465 §2.3, §2.4).
    restarted: bool,
    /// cwnd and ssthresh before the last reduction.
    prior: Option<(u64, u64)>,
}

impl Reno {
    /// A controller in slow start, whose window is `initial_window` bytes, opened by at
    /// most `abc_l` segments an ACK.
    pub fn new(smss: u32, initial_window: u64, abc_l: u32) -> Reno {
        Reno {
            cwnd: initial_window.max(u64::from(smss)),
            // RFC 5681 §3.1: initially arbitrarily high, so that the network sets it
            ssthresh: u64::MAX,
            phase: Phase::SlowStart,
            smss,
            bytes_acked: 0,
            abc_l,
            restarted: false,
            prior: None,
        }
    }

    /// RFC 3465 §2.2 and §2.3: what was acknowledged, but no more than L.
    fn slow_start(&mut self, acked: u64) {
        // After a timeout an ACK may cover what left the network long ago: L is one segment.
        let limit = u64::from(self.smss) * u64::from(if self.restarted { 1 } else { self.abc_l });
        self.cwnd = self.cwnd.saturating_add(acked.min(limit));
    }

    /// RFC 3465 §2.1: one segment more for each window's worth of bytes acknowledged.
    fn congestion_avoidance(&mut self, acked: u64) {
        self.bytes_acked = self.bytes_acked.saturating_add(acked);
        if self.bytes_acked >= self.cwnd {
            self.bytes_acked -= self.cwnd;
            self.cwnd = self.cwnd.saturating_add(u64::from(self.smss));
        }
    }

    /// RFC 5681 §3.1, equation 4.
    fn reduce_ssthresh(&mut self, flight_size: u64) {
        self.ssthresh = (flight_size / 2).max(2 * u64::from(self.smss));
    }

    /// Outside of a repair, cwnd and ssthresh say what it is doing.
    fn settle(&mut self) {
        self.restarted &= self.cwnd < self.ssthresh;
        self.phase =
            if self.cwnd < self.ssthresh { Phase::SlowStart } else { Phase::CongestionAvoidance };
    }
}

impl CongestionControl for Reno {
    fn name(&self) -> &'static str {
        "reno"
    }

    fn cwnd(&self) -> u64 {
        self.cwnd
    }

    fn ssthresh(&self) -> u64 {
        self.ssthresh
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn on_ack(&mut self, ack: &AckSample) {
        // A window that was not filled has not been tested (the idea of RFC 7661 §4.3), and a
        // reduction holds it.
        if matches!(self.phase, Phase::Recovery | Phase::Cwr) || !ack.is_cwnd_limited {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.slow_start(ack.delivered);
        } else {
            self.congestion_avoidance(ack.delivered);
        }
        if self.phase == Phase::Loss {
            self.restarted &= self.cwnd < self.ssthresh;
        } else {
            self.settle();
        }
    }

    fn on_congestion(&mut self, event: &CongestionEvent) {
        self.prior = Some((self.cwnd, self.ssthresh));
        // RFC 5681 §3.2, step 2
        self.reduce_ssthresh(event.flight_size);
        self.cwnd = self.ssthresh;
        self.bytes_acked = 0;
        self.phase = match event.signal {
            CongestionSignal::Loss => Phase::Recovery,
            CongestionSignal::Ecn => Phase::Cwr,
        };
    }

    fn set_cwnd(&mut self, cwnd: u64) {
        self.cwnd = cwnd.max(u64::from(self.smss));
    }

    fn on_recovered(&mut self, _now: Instant, _in_flight: u64) {
        if matches!(self.phase, Phase::Recovery | Phase::Cwr) {
            // RFC 6582 §3.2 step 3, option 2: PRR has brought what is in flight near it already.
            self.cwnd = self.ssthresh;
        }
        self.settle();
    }

    fn on_timeout(&mut self, _now: Instant, flight_size: u64, is_first: bool) {
        // RFC 5681 §3.1: held constant when the same segment times out again
        if is_first {
            self.prior = Some((self.cwnd, self.ssthresh));
            self.reduce_ssthresh(flight_size);
        }
        // equation 4 ff.: the loss window, one full-sized segment
        self.cwnd = u64::from(self.smss);
        self.bytes_acked = 0;
        self.restarted = true;
        self.phase = Phase::Loss;
    }

    fn undo(&mut self, _now: Instant) {
        if let Some((cwnd, ssthresh)) = self.prior.take() {
            self.cwnd = self.cwnd.max(cwnd);
            self.ssthresh = self.ssthresh.max(ssthresh);
        }
        self.settle();
    }

    fn on_idle_restart(&mut self, _now: Instant, restart_window: u64) {
        // RFC 5681 §4.1: RW = min(IW, cwnd)
        self.cwnd = self.cwnd.min(restart_window).max(u64::from(self.smss));
        self.bytes_acked = 0;
        if matches!(self.phase, Phase::SlowStart | Phase::CongestionAvoidance) {
            self.settle();
        }
    }

    fn set_smss(&mut self, smss: u32) {
        // RFC 5681 §3.1: when segments turn out to be too large, the window shrinks in proportion,
        // or it would burst that many more small ones.
        if smss < self.smss {
            let scaled = u128::from(self.cwnd) * u128::from(smss) / u128::from(self.smss);
            self.cwnd = scaled as u64;
        }
        self.smss = smss;
        self.cwnd = self.cwnd.max(u64::from(smss));
    }
}

#[cfg(test)]
mod tests;
