//! The tail loss probe: when the end of a flight is lost nobody sends the duplicate ACKs that would
//! tell, so after two round trips of silence one segment is sent to have something acknowledged
//! (RFC 8985 §7).
//!
//! Owns whether a probe may be sent, is due or is under way, and what its ACK says. At most one is
//! under way; it is the only segment that may exceed cwnd.

use std::time::Duration;

use crate::tcp::seq::Seq;
use crate::time::Instant;

/// TLP.max_ack_delay: how long a lone segment's ACK may be held back (§7.2).
const MAX_ACK_DELAY: Duration = Duration::from_millis(200);

/// The least time beyond two round trips: timers and schedulers are no better (Linux has two
/// ticks).
const SLACK: Duration = Duration::from_millis(2);

/// §7.2: the probe's timeout without a round trip measured.
const WITHOUT_SRTT: Duration = Duration::from_secs(1);

/// What is under way as a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnderWay {
    #[default]
    Nothing,
    NewData,
    /// TLP.is_retrans.
    Repetition,
}

/// An ACK, as far as a probe is concerned.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeAck {
    /// SEG.ACK.
    pub ack: Seq,
    /// It reports that just the probe's segment arrived twice.
    pub is_dsack_of_probe: bool,
    /// It is a duplicate that acknowledges and SACKs nothing new.
    pub is_bare_duplicate: bool,
}

/// The probe's variables (§5.3).
#[derive(Clone, Debug, Default)]
pub struct TailProbe {
    under_way: UnderWay,
    /// TLP.end_seq, if a probe is under way.
    end: Seq,
    /// The timer fired: one has to leave.
    is_due: bool,
    /// A round trip was measured since the last probe (§7.3).
    has_rtt: bool,
    /// New data left, or was acknowledged: the timer has to be set anew (§7.2).
    is_rescheduled: bool,
}

impl TailProbe {
    /// New data left, or was acknowledged.
    pub fn reschedule(&mut self) {
        self.is_rescheduled = true;
    }

    /// Whether the timer has to be set anew, once.
    pub fn take_rescheduled(&mut self) -> bool {
        std::mem::take(&mut self.is_rescheduled)
    }

    /// A round trip was measured.
    pub fn on_rtt(&mut self) {
        self.has_rtt = true;
    }

    /// Whether a probe could be sent when the timer fires (§7.3).
    pub fn is_possible(&self) -> bool {
        self.under_way == UnderWay::Nothing && self.has_rtt
    }

    /// The timer fired.
    pub fn on_timer(&mut self) {
        self.is_due = self.is_possible();
    }

    /// Whether one has to leave now.
    pub fn is_due(&self) -> bool {
        self.is_due
    }

    /// Whether one has to leave now, once.
    pub fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// One has left; `nxt` is SND.NXT now.
    pub fn on_sent(&mut self, nxt: Seq, is_retransmission: bool) {
        let kind = if is_retransmission { UnderWay::Repetition } else { UnderWay::NewData };
        (self.under_way, self.end) = (kind, nxt);
        self.has_rtt = false;
    }

    /// Whether a probe that repeats the segment ending at `end` is under way.
    pub fn is_retransmission_up_to(&self, end: Seq) -> bool {
        self.under_way == UnderWay::Repetition && self.end == end
    }

    /// A repair begins: what the probe would have told is known (§7.1).
    pub fn reset(&mut self) {
        self.under_way = UnderWay::Nothing;
        self.is_due = false;
    }

    /// §7.4.2: what an ACK says of the probe. True if the segment that it repeated had been lost:
    /// the probe has repaired that, and the window has to pay for it.
    pub fn on_ack(&mut self, probe: ProbeAck) -> bool {
        if self.under_way == UnderWay::Nothing || probe.ack < self.end {
            return false;
        }
        if self.under_way == UnderWay::NewData || probe.is_dsack_of_probe {
            self.under_way = UnderWay::Nothing;
            return false;
        }
        if probe.ack > self.end {
            // Something later is acknowledged and no DSACK came: only one of the two arrived.
            self.under_way = UnderWay::Nothing;
            return true;
        }
        if probe.is_bare_duplicate {
            // Both the original and the probe arrived.
            self.under_way = UnderWay::Nothing;
        }
        false
    }

    /// §7.2: how long to wait before a probe; `is_lone`: one segment is all that is in flight.
    pub fn timeout(srtt: Option<Duration>, is_lone: bool) -> Duration {
        match srtt {
            Some(srtt) if is_lone => 2 * srtt + MAX_ACK_DELAY,
            Some(srtt) => 2 * srtt + SLACK,
            None => WITHOUT_SRTT,
        }
    }

    /// When a probe leaves if nothing is heard; `rto_at` is when the retransmission timer would
    /// fire, which it then comes before.
    pub fn deadline(
        now: Instant,
        srtt: Option<Duration>,
        is_lone: bool,
        rto_at: Option<Instant>,
    ) -> Instant {
        let at = now + TailProbe::timeout(srtt, is_lone);
        rto_at.map_or(at, |rto_at| at.min(rto_at))
    }
}

#[cfg(test)]
mod tests;
