//! cwnd and ssthresh of a controller that works by them: what Reno and CUBIC have in common.
//!
//! Guarantees `SMSS <= cwnd`, `2 * SMSS <= ssthresh`, and that the phase follows from the two and
//! from what is being repaired. By how much the window grows past ssthresh, and what part of it
//! a reduction leaves, is the controller's to say.

use super::{CongestionControl, CongestionSignal, Phase};

/// cwnd and ssthresh at most: nearly four times the largest window that the header can tell of
/// (RFC 7323 §2.3).
pub(super) const CWND_MAX: u64 = NO_SSTHRESH as u64 - 1;

/// No congestion was seen yet: ssthresh is arbitrarily high (RFC 5681 §3.1).
const NO_SSTHRESH: u32 = u32::MAX;

/// The congestion window and the slow-start threshold, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Window {
    cwnd: u32,
    ssthresh: u32,
    /// cwnd and ssthresh before the last reduction; most connections see none.
    prior: Option<Box<(u32, u32)>>,
    smss: u32,
    /// L of RFC 3465 §2.2 and §2.3: most segments by which one ACK opens the window in slow start; 0: as
    /// many as it acknowledges.
    abc_l: u8,
    phase: Phase,
    /// In the slow start that follows a timeout (RFC 3465 §2.4).
    is_restarted: bool,
}

/// A window, cut to what is possible.
fn within(bytes: u64) -> u32 {
    bytes.min(CWND_MAX) as u32
}

impl Window {
    /// In slow start with `initial_window` bytes.
    pub(super) fn new(smss: u32, initial_window: u64, abc_l: u8) -> Window {
        Window {
            cwnd: within(initial_window.max(u64::from(smss))),
            // RFC 5681 §3.1: initially arbitrarily high, so that the network sets it
            ssthresh: NO_SSTHRESH,
            prior: None,
            smss,
            abc_l,
            phase: Phase::SlowStart,
            is_restarted: false,
        }
    }

    pub(super) fn cwnd(&self) -> u64 {
        self.cwnd.into()
    }

    pub(super) fn ssthresh(&self) -> u64 {
        match self.ssthresh {
            NO_SSTHRESH => u64::MAX,
            ssthresh => ssthresh.into(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn smss(&self) -> u64 {
        u64::from(self.smss)
    }

    /// A reduction is under way and nothing grows.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.phase, Phase::Recovery | Phase::Cwr)
    }

    /// Below ssthresh, where the window doubles.
    pub(super) fn is_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }

    /// No congestion was seen yet.
    pub(super) fn is_first_slow_start(&self) -> bool {
        self.ssthresh == NO_SSTHRESH
    }

    /// Grows by what was delivered, over `divisor`, up to ssthresh. Returns what is left for
    /// congestion avoidance.
    ///
    /// One ACK may stand for many segments, when the receiver or a device merges them: all that it
    /// covers counts, or the window would grow slower than a round trip allows. L = 2 of RFC 3465
    /// §2.3 guards against the burst that follows; Linux does without, and so does L = 0.
    pub(super) fn slow_start(&mut self, delivered: u64, divisor: u64) -> u64 {
        // After a timeout an ACK may cover what left the network long ago: L is 1 (§2.3). What SACK
        // has reported does not count again, so that L = 0 needs no such care.
        let limit = match self.abc_l {
            0 => u64::MAX,
            _ if self.is_restarted => self.smss(),
            segments => self.smss() * u64::from(segments),
        };
        let growth = delivered.min(limit) / divisor;
        let room = self.ssthresh() - self.cwnd();
        self.grow(growth.min(room));
        self.settle();
        growth.saturating_sub(room)
    }

    pub(super) fn grow(&mut self, bytes: u64) {
        self.cwnd = within(self.cwnd().saturating_add(bytes));
    }

    /// The window by another's word.
    pub(super) fn set_cwnd(&mut self, cwnd: u64) {
        self.cwnd = within(cwnd.max(self.smss()));
    }

    /// Slow start is over: the window is large enough.
    pub(super) fn end_slow_start(&mut self) {
        self.ssthresh = self.cwnd;
        self.settle();
    }

    /// Slow start goes on with more caution, or again without.
    pub(super) fn set_cautious(&mut self, is_cautious: bool) {
        match (self.phase, is_cautious) {
            (Phase::SlowStart, true) => self.phase = Phase::ConservativeSlowStart,
            (Phase::ConservativeSlowStart, false) => self.phase = Phase::SlowStart,
            _ => {}
        }
    }

    /// Congestion: ssthresh is lowered and the window with it, at once unless PRR says otherwise.
    pub(super) fn reduce(&mut self, ssthresh: u64, signal: CongestionSignal) {
        self.lower(ssthresh);
        self.cwnd = self.ssthresh;
        self.phase = match signal {
            CongestionSignal::Loss => Phase::Recovery,
            CongestionSignal::Ecn => Phase::Cwr,
        };
    }

    /// A timeout: one segment is left (RFC 5681 §3.1, the loss window); ssthresh is lowered if this
    /// is the first.
    pub(super) fn time_out(&mut self, ssthresh: Option<u64>) {
        if let Some(ssthresh) = ssthresh {
            self.lower(ssthresh);
        }
        self.cwnd = self.smss;
        self.phase = Phase::Loss;
        self.is_restarted = true;
    }

    fn lower(&mut self, ssthresh: u64) {
        self.prior = Some(Box::new((self.cwnd, self.ssthresh)));
        // RFC 5681 §3.1 equation 4, RFC 9438 §4.6: two segments at least
        self.ssthresh = within(ssthresh.max(2 * self.smss()));
    }

    /// The reduction or the repair is over.
    pub(super) fn recover(&mut self) {
        if self.is_held() {
            // RFC 6582 §3.2 step 3, option 2: PRR has brought what is in flight near it already.
            self.cwnd = self.ssthresh;
        }
        self.phase = Phase::SlowStart;
        self.settle();
    }

    /// The reduction was for nothing. Whether there was one to undo.
    pub(super) fn undo(&mut self) -> bool {
        let prior = self.prior.take();
        if let Some(prior) = &prior {
            self.cwnd = self.cwnd.max(prior.0);
            self.ssthresh = self.ssthresh.max(prior.1);
        }
        self.phase = Phase::SlowStart;
        self.settle();
        prior.is_some()
    }

    /// RFC 5681 §4.1: RW = min(IW, cwnd). The path held most of the window a moment ago, so that
    /// slow start may lead back there: ssthresh is 3/4 of it at least, as on Linux.
    pub(super) fn restart(&mut self, restart_window: u64) {
        if !self.is_held() {
            self.ssthresh = self.ssthresh.max(self.cwnd / 4 * 3);
        }
        self.set_cwnd(self.cwnd().min(restart_window));
        self.settle();
    }

    /// Takes over from another controller; a repair that goes on does so.
    pub(super) fn adopt(&mut self, other: &dyn CongestionControl) {
        self.set_cwnd(other.cwnd());
        self.ssthresh = match other.ssthresh() {
            u64::MAX => NO_SSTHRESH,
            ssthresh => within(ssthresh.max(2 * self.smss())),
        };
        self.phase = match other.phase() {
            phase @ (Phase::Recovery | Phase::Cwr | Phase::Loss) => phase,
            _ => Phase::SlowStart,
        };
        self.settle();
    }

    /// RFC 5681 §3.1: when segments turn out to be too large, the window shrinks in proportion, or
    /// it would burst that many more small ones.
    pub(super) fn set_smss(&mut self, smss: u32) {
        if smss < self.smss {
            self.cwnd = within(self.cwnd() * u64::from(smss) / self.smss());
        }
        self.smss = smss;
        self.cwnd = self.cwnd.max(self.smss);
        self.ssthresh = self.ssthresh.max(within(2 * self.smss()));
        self.settle();
    }

    /// Outside of a repair, cwnd and ssthresh say what it is doing.
    fn settle(&mut self) {
        self.is_restarted &= self.is_slow_start();
        if matches!(self.phase, Phase::Recovery | Phase::Cwr | Phase::Loss) {
            return;
        }
        self.phase = match (self.is_slow_start(), self.phase) {
            (true, Phase::ConservativeSlowStart) => Phase::ConservativeSlowStart,
            (true, _) => Phase::SlowStart,
            (false, _) => Phase::CongestionAvoidance,
        };
    }
}
