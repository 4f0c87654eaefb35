//! RACK: time tells what is lost (RFC 8985 §6).
//!
//! Owns the newest segment known to be delivered and how much reordering is put up with. A segment
//! is lost when one that was sent later has arrived and the reordering window has passed since
//! that one's round trip. Retransmissions are judged the same way, so a lost retransmission is
//! found too. Which segments those are is for the [`Scoreboard`] to find.

use std::time::Duration;

use super::scoreboard::{Record, Scoreboard};
use crate::tcp::seq::Seq;
use crate::time::Instant;

/// Recoveries without a DSACK after which the reordering window is small again (§6.2 step 4).
const PERSISTENCE: u8 = 16;

/// The round trips that the reordering window is made from.
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    /// RACK.min_RTT.
    pub min_rtt: Duration,
    /// SRTT.
    pub srtt: Duration,
}

/// How much reordering is put up with on this path; it outlasts a flight.
#[derive(Clone, Copy, Debug)]
pub struct ReorderingWindow {
    /// RACK.dsack_round: it grows no more before this is acknowledged.
    dsack_round: Seq,
    /// RACK.reo_wnd_mult.
    multiplier: u8,
    /// RACK.reo_wnd_persist.
    persistence: u8,
    /// RACK.reordering_seen.
    is_reordering_seen: bool,
}

impl Default for ReorderingWindow {
    /// Nothing seen.
    fn default() -> ReorderingWindow {
        ReorderingWindow {
            dsack_round: Seq::default(),
            multiplier: 1,
            persistence: 0,
            is_reordering_seen: false,
        }
    }
}

impl ReorderingWindow {
    /// Step 3: something that was sent once arrived after what was sent later.
    pub fn on_reordering(&mut self) {
        self.is_reordering_seen = true;
    }

    /// Step 4: an ACK has reported something that arrived twice. Once a round trip the window
    /// grows by min_RTT / 4.
    pub fn on_dsack(&mut self, una: Seq, nxt: Seq) {
        if una >= self.dsack_round {
            self.dsack_round = nxt;
            self.multiplier = self.multiplier.saturating_add(1);
            self.persistence = PERSISTENCE;
        }
    }

    /// Step 4: a recovery is over.
    pub fn on_recovered(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.multiplier = 1;
        }
    }

    /// A repair proved to be for nothing: the wider window stays for longer.
    pub fn on_undo(&mut self) {
        self.persistence = self.persistence.saturating_add(1).min(PERSISTENCE);
    }

    /// Step 4: RACK.reo_wnd. `is_hurried`: in a recovery, or as many segments are SACKed as make
    /// one.
    pub fn get(&self, is_hurried: bool, paths: Paths) -> Duration {
        if is_hurried && !self.is_reordering_seen {
            return Duration::ZERO;
        }
        (paths.min_rtt / 4).saturating_mul(u32::from(self.multiplier)).min(paths.srtt)
    }
}

/// RACK's variables of one flight (§5.3).
#[derive(Clone, Debug)]
pub struct Rack {
    /// RACK.xmit_ts and RACK.end_seq.
    newest: (Instant, Seq),
    /// RACK.rtt.
    rtt: Duration,
    /// RACK.fack: the highest number acknowledged or SACKed.
    fack: Seq,
    /// Something was delivered since losses were last looked for.
    is_advanced: bool,
}

impl Rack {
    /// Nothing delivered of a flight that begins at `una`.
    pub fn new(una: Seq) -> Rack {
        Rack { newest: (Instant::ZERO, una), rtt: Duration::ZERO, fack: una, is_advanced: false }
    }

    /// Step 2: `record` was delivered. `echo`: the segment that the peer answers left before this,
    /// as its timestamp tells.
    pub fn on_delivered(
        &mut self,
        now: Instant,
        record: &Record,
        echo: Option<Instant>,
        min_rtt: Option<Duration>,
    ) {
        let rtt = now.saturating_since(record.sent_at);
        if record.is_repeat {
            // It may be an earlier transmission that arrived: then the time says nothing.
            let is_earlier = echo.is_some_and(|echo| echo <= record.sent_at);
            if is_earlier || min_rtt.is_some_and(|min_rtt| rtt < min_rtt) {
                return;
            }
        }
        self.is_advanced = true;
        let sent = (record.sent_at, record.end);
        if sent > self.newest || self.newest.0 == Instant::ZERO {
            self.newest = sent;
        }
        self.rtt = rtt;
    }

    /// Step 3: `record` was delivered. Says how many bytes it came late, if never sent again it
    /// arrives after what was sent later; `fack` is RACK.fack before this ACK.
    pub fn detect_reordering(&mut self, record: &Record, fack: Seq) -> Option<u64> {
        self.fack = self.fack.max(record.end);
        let is_late = record.end < fack && !record.is_repeat;
        is_late.then(|| fack.since(record.start))
    }

    /// RACK.fack.
    pub fn fack(&self) -> Seq {
        self.fack
    }

    /// A repair proved to be for nothing: losses have to be looked for anew.
    pub fn on_undo(&mut self) {
        self.is_advanced = true;
    }

    /// Step 5, if an ACK or the timer gives a reason: deems lost what is overdue, tells `lost` of
    /// each, and says when more will be.
    pub fn detect_loss(
        &mut self,
        now: Instant,
        window: Duration,
        board: &mut Scoreboard,
        lost: impl FnMut(&Record),
    ) -> Option<Instant> {
        self.is_advanced = false;
        board.lose_overdue(now, self.newest, self.rtt + window, lost)
    }

    /// Whether anything was delivered since losses were last looked for.
    pub fn is_advanced(&self) -> bool {
        self.is_advanced
    }

    /// §6.3: whether `record` was sent so lately that a timeout says nothing of it.
    pub fn is_recent(&self, now: Instant, record: &Record, window: Duration) -> bool {
        record.sent_at + self.rtt + window > now
    }
}

#[cfg(test)]
mod tests;
