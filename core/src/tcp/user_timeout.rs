//! The user timeout: how long what the peer has yet to take may wait (RFC 9293 §3.9.1.8), and what
//! the two ends tell each other of it (RFC 5482).
//!
//! Owns the peer's last word, and whether ours is still to be said. A timeout that the application
//! set is its own: no peer changes it. Where the application set none, and `tcp_user_timeout_option`
//! is on, the longest that either end would wait counts, within `tcp_user_timeout_min` and
//! `tcp_user_timeout_max`; a connection never ends sooner for what a peer says. The option is only
//! advice: it may be lost, and nothing waits for it (RFC 5482 §3.2).

use std::time::Duration;

use super::connection::{Connection, Context};
use super::state::State;
use crate::error::Error;
use crate::event::{Kind, Reason, TimerName};
use crate::wire::tcp_options::{Options, UserTimeout};

/// What the ends have told each other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Advice {
    /// REMOTE_UTO: what the peer said last.
    remote: Option<UserTimeout>,
    /// The next segment has to say what ours is.
    is_due: bool,
}

impl Advice {
    /// Whether the next segment has to say what our timeout is.
    pub(super) fn is_due(self) -> bool {
        self.is_due
    }
}

impl Connection {
    /// USER_TIMEOUT of RFC 5482 §3: the application's word (it is not CHANGEABLE then), or what both
    /// ends make it; None: as often as R2 says.
    pub(super) fn user_timeout(&self, cx: &Context<'_>) -> Option<Duration> {
        self.settings.user_timeout.or_else(|| self.adopted_user_timeout(cx))
    }

    /// RFC 5482 §3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), with the time that R2 takes for
    /// what we would have advertised. In the handshake no advice counts (§3.3).
    fn adopted_user_timeout(&self, cx: &Context<'_>) -> Option<Duration> {
        let may_adopt = cx.knobs.user_timeout_option() && self.state.is_synchronized();
        let remote = self.advice.remote.filter(|_| may_adopt)?.duration()?;
        let (min, max) = cx.knobs.user_timeout_limits();
        // The lower limit exceeds the RTO, or a single loss would end the connection.
        let least = min.max(self.rtt.rto() + TICK);
        Some(remote.max(usual_patience(cx)).max(least).min(max.max(least)))
    }

    /// The peer advises a user timeout; zero is reserved, and ignored (RFC 5482 §3.4).
    pub(super) fn take_user_timeout(&mut self, cx: &mut Context<'_>, options: &Options) {
        let Some(remote) = options.user_timeout.filter(|_| cx.knobs.user_timeout_option()) else {
            return;
        };
        if remote.duration().is_some() && self.advice.remote != Some(remote) {
            self.advice.remote = Some(remote);
            self.record(cx, Kind::Updated, Some(Reason::UserTimeoutAdvised));
        }
    }

    /// A new timeout is in use, or the first segment without SYN is to come: it tells the peer
    /// (RFC 5482 §3), which may have forgotten our SYN, or never kept it (a SYN cookie).
    pub(super) fn advise_user_timeout(&mut self, cx: &Context<'_>) {
        self.advice.is_due = cx.knobs.user_timeout_option() && self.state.is_synchronized();
    }

    /// ADV_UTO on a SYN (RFC 5482 §3): whenever it is sent.
    pub(super) fn user_timeout_on_syn(&self, cx: &Context<'_>) -> Option<UserTimeout> {
        let own = self.settings.user_timeout.filter(|_| cx.knobs.user_timeout_option())?;
        Some(UserTimeout::of(own))
    }

    /// ADV_UTO for the next segment without SYN, where it is due.
    pub(super) fn due_user_timeout(&self) -> Option<UserTimeout> {
        self.settings.user_timeout.filter(|_| self.advice.is_due).map(UserTimeout::of)
    }

    /// The same, once.
    pub(super) fn take_due_user_timeout(&mut self) -> Option<UserTimeout> {
        let due = self.due_user_timeout();
        self.advice.is_due = false;
        due
    }

    /// Keeps the user timeout, by which the application sets R2 for its connection (RFC 9293 §3.8.3,
    /// MUST-21), in step with whether the peer has yet to take something.
    pub(super) fn settle_user_timeout(&mut self, cx: &mut Context<'_>) {
        let is_unfinished = self.snd.una < self.snd.max || self.send_buffer.end() > self.snd.nxt;
        // Of a connection that is over nothing is waited for, whatever was not acknowledged.
        let is_waiting = is_unfinished && self.state != State::Closed;
        if !is_waiting {
            self.liveness.stop_waiting();
            return self.stop(cx, TimerName::UserTimeout);
        }
        let Some(timeout) = self.user_timeout(cx) else {
            return self.stop(cx, TimerName::UserTimeout);
        };
        let since = self.liveness.wait_since(cx.now);
        if self.timers.deadline(TimerName::UserTimeout) != Some(since + timeout) {
            self.arm(cx, TimerName::UserTimeout, since + timeout);
        }
    }

    /// RFC 9293 §3.10.8: the user timeout has passed in any state; the peer is not told.
    pub(super) fn on_user_timeout(&mut self, cx: &mut Context<'_>) {
        self.doubt_fast_open(self.recovery.timeouts(), true);
        let error = self.soft_error.take().unwrap_or(Error::TimedOut);
        self.fail(cx, error, Reason::UserTimeout);
    }
}

/// So much more than the RTO is more.
const TICK: Duration = Duration::from_millis(1);

/// The time that `tcp_retries2` retransmissions take on a fast path: 924.6 s by default.
fn usual_patience(cx: &Context<'_>) -> Duration {
    let (mut timeout, mut total) = (cx.knobs.min_rto(), Duration::ZERO);
    for _ in 0..=cx.knobs.retries2() {
        total += timeout;
        timeout = (2 * timeout).min(cx.knobs.max_rto());
    }
    total
}
