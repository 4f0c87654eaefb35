//! Which bytes are lost: duplicate ACKs, NewReno's fast recovery (RFC 6582), the one timed segment
//! (Karn), and the zero-window probes.
//!
//! Answers "what must be sent again" and "how much is in flight"; how much may be is the
//! congestion controller's. Without SACK each duplicate ACK stands for one segment that has left
//! the network (RFC 5681 §3.2), so the estimate of what is in flight needs no window inflation.

use std::time::Duration;

use super::sender::Sender;
use super::seq::Seq;
use crate::time::Instant;

/// RFC 5681 §3.2: the third duplicate is the sign of loss.
const DUPLICATE_THRESHOLD: u32 = 3;

/// Loss detection and repair.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Duplicate ACKs of SND.UNA that stand for segments no longer in flight.
    duplicates: u32,
    /// How many of them are believed until the present hole is filled.
    duplicates_max: u32,
    /// RFC 6582 `recover`: SND.MAX when the last loss was found.
    recover: Seq,
    /// Fast recovery lasts until SND.UNA has reached `recover`.
    in_fast_recovery: bool,
    /// A timeout or a smaller path declared everything up to `recover` lost, and not all of it is
    /// repaired.
    in_loss: bool,
    /// Timeouts in a row without SND.UNA moving: what R2 counts (RFC 9293 §3.8.3). The RTO stays
    /// backed off longer, until a round trip was measured (Karn).
    timeouts: u32,
    /// One segment from here has to be sent again.
    retransmit: Option<Seq>,
    /// The segment being timed: the number that acknowledges it, and when it was sent.
    timed: Option<(Seq, Instant)>,
    /// Zero-window probes sent since the peer last opened its window.
    probes: u32,
    /// Probes sent since the peer was last heard.
    unanswered_probes: u32,
}

/// What a new acknowledgment did to the recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Sending goes on as before: no fast recovery.
    Normal,
    /// Fast recovery goes on: the next hole has to be filled.
    Partial,
    /// All that was outstanding when the loss was found is acknowledged.
    Recovered,
}

impl Recovery {
    /// Nothing lost; `iss` is our initial sequence number.
    pub fn new(iss: Seq) -> Recovery {
        Recovery {
            duplicates: 0,
            duplicates_max: DUPLICATE_THRESHOLD,
            recover: iss,
            in_fast_recovery: false,
            in_loss: false,
            timeouts: 0,
            retransmit: None,
            timed: None,
            probes: 0,
            unanswered_probes: 0,
        }
    }

    /// Bytes in flight: sent, not acknowledged, and not reported gone by a duplicate ACK.
    ///
    /// The segment that the duplicates ask for stays counted: its loss or its retransmission.
    pub fn in_flight(&self, snd: &Sender) -> u64 {
        let outstanding = snd.outstanding();
        let smss = u64::from(snd.smss);
        let gone = u64::from(self.duplicates) * smss;
        outstanding - gone.min(outstanding.saturating_sub(smss))
    }

    /// A duplicate ACK (RFC 5681 §2) arrived. Says whether fast recovery starts with it.
    pub fn on_duplicate(&mut self, snd: &Sender) -> bool {
        // RFC 6582 §3.2 step 1: what was sent before the last timeout says nothing new.
        if !self.in_fast_recovery && snd.una <= self.recover {
            return false;
        }
        if self.in_fast_recovery {
            self.duplicates = (self.duplicates + 1).min(self.duplicates_max);
            return false;
        }
        self.duplicates += 1;
        if self.duplicates < DUPLICATE_THRESHOLD {
            return false;
        }
        self.limit_duplicates(snd);
        self.in_fast_recovery = true;
        self.recover = snd.max;
        self.retransmit = Some(snd.una);
        self.timed = None;
        true
    }

    /// SND.UNA has moved to a new value by `acked` numbers.
    pub fn on_progress(&mut self, snd: &Sender, acked: u64) -> Progress {
        self.retransmit = None;
        self.timeouts = 0;
        self.unanswered_probes = 0;
        let is_repairing = self.in_fast_recovery || self.in_loss;
        if is_repairing && snd.una >= self.recover {
            self.in_fast_recovery = false;
            self.in_loss = false;
            self.duplicates = 0;
            return Progress::Recovered;
        }
        if !self.in_fast_recovery {
            self.duplicates = 0;
            return Progress::Normal;
        }
        // RFC 6582 §3.2 step 3: the first hole was filled, the rest of what this ACK covers had
        // been reported by duplicates already; the next hole starts at SND.UNA.
        let reported = (acked / u64::from(snd.smss)).saturating_sub(1);
        self.duplicates =
            self.duplicates.saturating_sub(u32::try_from(reported).unwrap_or(u32::MAX));
        self.limit_duplicates(snd);
        self.retransmit = Some(snd.una);
        Progress::Partial
    }

    /// Until the hole at SND.UNA is filled, no more segments than are outstanding now can be reported:
    /// what is sent meanwhile arrives after the repair. More duplicates are the network's or a
    /// forger's, and each would let a segment out (RFC 5681 §3.2, the MAY after step 4).
    fn limit_duplicates(&mut self, snd: &Sender) {
        let sent = u32::try_from(snd.outstanding() / u64::from(snd.smss)).unwrap_or(u32::MAX);
        self.duplicates_max = sent.max(DUPLICATE_THRESHOLD);
    }

    /// The retransmission timer fired: all that is outstanding counts as lost.
    pub fn on_timeout(&mut self, snd: &Sender) {
        self.timeouts = self.timeouts.saturating_add(1);
        self.in_loss = true;
        self.on_resegment(snd);
    }

    /// The path takes smaller segments only: what is outstanding goes out again, cut anew. That is
    /// no sign of congestion.
    pub fn on_resegment(&mut self, snd: &Sender) {
        self.recover = snd.max;
        // A recovery that was going on ends where this repair does: the controller waits to hear it.
        self.in_loss |= self.in_fast_recovery;
        self.in_fast_recovery = false;
        self.duplicates = 0;
        self.retransmit = None;
        self.timed = None;
    }

    /// Timeouts in a row without progress.
    pub fn timeouts(&self) -> u32 {
        self.timeouts
    }

    /// Takes the number from which one segment has to be sent again now.
    pub fn take_retransmit(&mut self) -> Option<Seq> {
        self.retransmit.take()
    }

    /// Times a segment sent for the first time, unless one is being timed.
    pub fn start_timing(&mut self, end: Seq, now: Instant) {
        self.timed.get_or_insert((end, now));
    }

    /// The round trip that `ack` completes. A retransmission of anything stops the clock
    /// (Karn's algorithm, RFC 6298 §3).
    pub fn take_rtt(&mut self, ack: Seq, now: Instant) -> Option<Duration> {
        let (end, sent) = self.timed?;
        if ack < end {
            return None;
        }
        self.timed = None;
        Some(now.saturating_since(sent))
    }

    /// Something is being sent again: what is timed can no longer be told apart.
    pub fn stop_timing(&mut self) {
        self.timed = None;
    }

    /// A zero-window probe is about to leave.
    pub fn on_probe(&mut self) {
        self.probes = self.probes.saturating_add(1);
        self.unanswered_probes = self.unanswered_probes.saturating_add(1);
    }

    /// The peer answered, its window still closed (RFC 9293 §3.8.6.1, MUST-37: the connection
    /// lives on).
    pub fn on_peer_heard(&mut self) {
        self.unanswered_probes = 0;
    }

    /// The peer's window is open.
    pub fn on_window_open(&mut self) {
        self.probes = 0;
        self.unanswered_probes = 0;
    }

    /// Probes sent since the window closed.
    pub fn probes(&self) -> u32 {
        self.probes
    }

    /// Probes sent since the peer was last heard.
    pub fn unanswered_probes(&self) -> u32 {
        self.unanswered_probes
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self, snd: &Sender) {
        assert!(self.recover <= snd.max);
        assert!(self.retransmit.is_none_or(|seq| seq == snd.una));
        assert!(self.timed.is_none_or(|(end, _)| end <= snd.max));
    }
}
