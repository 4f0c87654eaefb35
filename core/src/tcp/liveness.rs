//! Whether the peer is still there: keepalive (RFC 9293 §3.8.4, MAY-5).
//!
//! Owns when the peer was last heard, how long what we have for it has waited, and the keepalive
//! probes it left unanswered. It asks only a peer that owes nothing: while data is outstanding the
//! retransmission timer asks (MUST-26). Both are off unless the application wants them (MUST-25).

use std::time::Duration;

use super::connection::{Connection, Context};
use super::state::State;
use crate::error::Error;
use crate::event::{Reason, TimerName};
use crate::time::Instant;

/// What is known of the peer's being there.
#[derive(Clone, Debug)]
pub(super) struct Liveness {
    /// When an acceptable segment last came.
    heard: Instant,
    /// Since when there has been no progress with what the peer has yet to take: data that is not
    /// acknowledged, or that its closed window keeps here.
    waiting_since: Option<Instant>,
    /// Keepalive probes sent since the peer was last heard.
    probes: u8,
    /// A keepalive probe has to leave.
    is_probe_due: bool,
}

impl Liveness {
    /// The peer counts as heard now.
    pub(super) fn new(now: Instant) -> Liveness {
        Liveness { heard: now, waiting_since: None, probes: 0, is_probe_due: false }
    }

    /// An acceptable segment came: whatever the probes asked is answered.
    pub(super) fn on_heard(&mut self, now: Instant) {
        self.heard = now;
        self.probes = 0;
        self.is_probe_due = false;
    }

    /// For how long the peer has not been heard.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now.saturating_since(self.heard)
    }

    /// The peer has acknowledged something new, or opened its window.
    pub(super) fn on_progress(&mut self, now: Instant) {
        if self.waiting_since.is_some() {
            self.waiting_since = Some(now);
        }
    }

    /// Since when there is no progress; from now on, if all was well.
    pub(super) fn wait_since(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now)
    }

    /// The peer has taken all there is.
    pub(super) fn stop_waiting(&mut self) {
        self.waiting_since = None;
    }

    /// Keepalive probes that are not answered.
    pub(super) fn probes(&self) -> u8 {
        self.probes
    }

    /// Whether a keepalive probe has to leave.
    pub(super) fn is_probe_due(&self) -> bool {
        self.is_probe_due
    }

    /// Takes the order to send a keepalive probe.
    pub(super) fn take_probe(&mut self) -> bool {
        std::mem::take(&mut self.is_probe_due)
    }
}

impl Connection {
    /// MUST-27: the interval is the application's to choose, and two hours unless it does (MUST-28).
    fn keepalive_idle(&self, cx: &Context<'_>) -> Duration {
        self.settings.keepalive_idle.unwrap_or_else(|| cx.knobs.keepalive_time())
    }

    fn keepalive_interval(&self, cx: &Context<'_>) -> Duration {
        self.settings.keepalive_interval.unwrap_or_else(|| cx.knobs.keepalive_interval())
    }

    fn keepalive_count(&self, cx: &Context<'_>) -> u8 {
        self.settings.keepalive_count.unwrap_or_else(|| cx.knobs.keepalive_probes())
    }

    /// Arms the keepalive timer of a connection that has just opened, or whose application has
    /// changed its mind (RFC 9293 §3.8.4, MUST-24); the time that the peer has been silent counts.
    pub(super) fn restart_keepalive(&mut self, cx: &mut Context<'_>) {
        let is_open =
            self.state.is_synchronized() && !matches!(self.state, State::Closed | State::TimeWait);
        if self.settings.keepalive && is_open {
            let deadline = (self.liveness.heard + self.keepalive_idle(cx)).max(cx.now);
            self.arm(cx, TimerName::Keepalive, deadline);
        } else {
            self.stop(cx, TimerName::Keepalive);
        }
    }

    /// The peer may have been silent for long enough to be asked, or to be given up.
    pub(super) fn on_keepalive_timeout(&mut self, cx: &mut Context<'_>) {
        let idle = self.keepalive_idle(cx);
        // MUST-26: what is outstanding or waits for a window asks by itself.
        if self.snd.outstanding() > 0 || self.send_buffer.end() > self.snd.nxt {
            return self.arm(cx, TimerName::Keepalive, cx.now + idle);
        }
        let silent = self.liveness.silence(cx.now);
        if silent < idle {
            return self.arm(cx, TimerName::Keepalive, self.liveness.heard + idle);
        }
        // MUST-29: one probe without an answer proves nothing.
        // RFC 5482 §4.2: a user timeout, where there is one, is what decides.
        let is_dead = match self.user_timeout(cx) {
            Some(timeout) => silent >= timeout && self.liveness.probes > 0,
            None => self.liveness.probes >= self.keepalive_count(cx),
        };
        if is_dead {
            let error = self.soft_error.take().unwrap_or(Error::TimedOut);
            self.reset_peer(Reason::PeerIsGone);
            return self.fail(cx, error, Reason::PeerIsGone);
        }
        self.liveness.probes = self.liveness.probes.saturating_add(1);
        self.liveness.is_probe_due = true;
        let interval = self.keepalive_interval(cx);
        self.arm(cx, TimerName::Keepalive, cx.now + interval);
    }
}
