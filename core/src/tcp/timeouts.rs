//! What each timer does when it fires. None of them sends: they change what `output` will say.

use std::time::Duration;

use super::connection::{Cause, Connection, Context};
use super::state::State;
use crate::error::Error;
use crate::event::{Kind, Reason, TimerName};
use crate::time::Instant;

impl Connection {
    /// Runs every timer that is due, in the order of their deadlines.
    pub fn handle_timers(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = self.timers.expire(cx.now) {
            if cx.log.is_on() {
                // RFC 9293 §3.8.3 (SHLD-9): who listens hears of each timeout, from the first one on.
                cx.log.set_cause(None);
                let snapshot = Some(self.snapshot(cx.now));
                let kind = Kind::TimerFired { timer };
                let reason = Some(expiry_reason(timer));
                let fired = cx.log.record(cx.now, Some(self.name()), kind, reason, snapshot);
                cx.log.set_cause(fired);
                self.cause = Cause::of(fired);
            }
            match timer {
                TimerName::Retransmission => self.on_retransmission_timeout(cx),
                TimerName::Persist => self.on_persist_timeout(cx),
                TimerName::DelayedAck => self.rcv.on_delayed_ack_timeout(),
                TimerName::SwsOverride => self.override_due = true,
                TimerName::TimeWait => self.set_state(cx, State::Closed, Reason::TimeWaitOver),
                TimerName::FinWait2 => self.set_state(cx, State::Closed, Reason::FinWait2Over),
                TimerName::Reordering => self.on_reordering_timeout(cx),
                TimerName::TailLossProbe => self.on_tail_probe_timeout(cx),
                // Armed by nobody yet.
                TimerName::Pacing => {}
                TimerName::Keepalive => self.on_keepalive_timeout(cx),
                TimerName::UserTimeout => self.on_user_timeout(cx),
            }
        }
        #[cfg(debug_assertions)]
        self.check();
    }

    /// When a timer has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }

    /// RFC 6298 §5.4 to §5.6: send the oldest again, double the timeout, and start over from one
    /// segment (RFC 5681 §3.1).
    fn on_retransmission_timeout(&mut self, cx: &mut Context<'_>) {
        if self.state == State::SynReceived && !self.is_active {
            return self.on_syn_ack_timeout(cx);
        }
        // Behind a window that the peer has closed nothing times out while it answers (RFC 9293 §3.8.6,
        // SHLD-17; §3.8.6.1, MUST-37).
        let is_closed = self.state.is_synchronized() && self.snd.window_end() <= self.snd.una;
        let repetitions = match is_closed {
            true => self.recovery.window_probes.unanswered(),
            false => self.recovery.timeouts(),
        };
        // A user timeout takes the place of R2 (RFC 9293 §3.8.3, MUST-21): it may be longer, too.
        let is_timed = self.state.is_synchronized() && self.user_timeout(cx).is_some();
        let is_last = repetitions >= self.retry_limit(cx) && (is_closed || !is_timed);
        self.doubt_fast_open(self.recovery.timeouts(), is_last);
        if is_last {
            let error = self.soft_error.take().unwrap_or(Error::TimedOut);
            return self.fail(cx, error, Reason::GaveUp);
        }
        self.rtt.back_off();
        self.tally.on_timeout();
        if !self.state.is_synchronized() {
            self.recovery.on_syn_timeout(cx.now);
            self.snd.nxt = self.snd.una;
            return;
        }
        self.suspect_black_hole(cx);
        if is_closed {
            self.recovery.window_probes.on_repetition();
        }
        // All that is outstanding counts as lost: it is sent again from SND.UNA, as far as the window
        // goes if the peer has shrunk it (RFC 9293 §3.8.6, SHLD-16).
        self.ecn.on_reduction();
        let phase = self.observed_phase(cx);
        let (recovery, mut scene) = self.scene(cx);
        recovery.on_timeout(&mut scene);
        self.record_phase(cx, phase);
        self.stop(cx, TimerName::Reordering);
        self.stop(cx, TimerName::TailLossProbe);
    }

    /// RFC 8985 §6.2: reordering had its time, and what has not arrived is lost.
    fn on_reordering_timeout(&mut self, cx: &mut Context<'_>) {
        let phase = self.observed_phase(cx);
        let (recovery, mut scene) = self.scene(cx);
        let report = recovery.on_reordering_timer(&mut scene);
        if report.is_reduced {
            self.ecn.on_reduction();
        }
        if report.is_mtu_probe_lost {
            self.on_mtu_probe_lost(cx);
        }
        self.record_phase(cx, phase);
        self.await_reordering(cx, &report);
    }

    /// RFC 8985 §7.3: whether or not a probe leaves, it is the retransmission timer that is waited for
    /// now.
    fn on_tail_probe_timeout(&mut self, cx: &mut Context<'_>) {
        self.recovery.on_probe_timer();
        if self.snd.outstanding() > 0 {
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
    }

    /// How often the same segment is sent again before the connection is given up
    /// (RFC 9293 §3.8.3: R2, MUST-20); a SYN by the same rules (MUST-22). Fifteen times take 924 s
    /// and more (SHLD-11). A half-open connection waits less long (RFC 4987 §3.3). Six repetitions of a SYN take 127 s, as on Linux; MUST-23 would have it
    /// wait three minutes: `tcp_syn_retries=7` does.
    fn retry_limit(&self, cx: &Context<'_>) -> u32 {
        match self.state {
            State::SynSent => self.settings.syn_retries.map_or(cx.knobs.syn_retries(), u32::from),
            State::SynReceived => cx.knobs.synack_retries(),
            _ if self.is_orphan => cx.knobs.orphan_retries(),
            _ => cx.knobs.retries2(),
        }
    }

    /// RFC 9293 §3.8.6.1: ask a peer whose window is closed, and keep asking while it answers
    /// (MUST-35, MUST-36, MUST-37).
    fn on_persist_timeout(&mut self, cx: &mut Context<'_>) {
        let limit = self.retry_limit(cx);
        // Nobody is left to free what an orphan holds: as on Linux its patience ends, though the
        // peer answers, when the probes have become as rare as they get.
        let is_abandoned = self.is_orphan
            && self.recovery.window_probes.sent() >= limit
            && self.probe_interval(cx) == cx.knobs.max_rto();
        if is_abandoned || self.recovery.window_probes.unanswered() >= limit {
            let error = self.soft_error.take().unwrap_or(Error::TimedOut);
            return self.fail(cx, error, Reason::GaveUp);
        }
        self.probe_due = true;
    }

    /// RFC 9293 §3.8.6.1: the first probe after an RTO (SHLD-29), then ever rarer (SHLD-30).
    pub(super) fn probe_interval(&self, cx: &Context<'_>) -> Duration {
        let backoff = 1_u32.checked_shl(self.recovery.window_probes.sent()).unwrap_or(u32::MAX);
        self.rtt.rto().saturating_mul(backoff).min(cx.knobs.max_rto())
    }

    /// An orphan does not wait for the peer's FIN for ever, though the RFC would let it; where the
    /// application said so (TCP_LINGER2) not at all.
    pub(super) fn arm_fin_wait_2(&mut self, cx: &mut Context<'_>) {
        let patience = self.settings.linger2.unwrap_or_else(|| cx.knobs.fin_timeout());
        if patience.is_zero() {
            self.reset_peer(Reason::FinWait2Over);
            return self.set_state(cx, State::Closed, Reason::FinWait2Over);
        }
        // As Linux: on a slow path time enough for the FIN to be sent again.
        let patience = patience.max(self.rtt.rto() * 7 / 2);
        self.arm(cx, TimerName::FinWait2, cx.now + patience);
    }
}

/// What the firing of a timer means.
#[cold]
fn expiry_reason(timer: TimerName) -> Reason {
    match timer {
        TimerName::Retransmission => Reason::TimeoutRetransmit,
        TimerName::Persist => Reason::ZeroWindowProbe,
        TimerName::DelayedAck => Reason::DelayedAck,
        TimerName::SwsOverride => Reason::SwsOverride,
        TimerName::TimeWait => Reason::TimeWaitOver,
        TimerName::FinWait2 => Reason::FinWait2Over,
        TimerName::Reordering => Reason::ReorderingOver,
        TimerName::TailLossProbe => Reason::TailLossProbe,
        TimerName::Keepalive => Reason::KeepaliveProbe,
        TimerName::UserTimeout => Reason::UserTimeout,
        TimerName::Pacing => Reason::PacedOut,
    }
}
