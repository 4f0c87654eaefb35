//! When an acknowledgment is due (RFC 9293 §3.8.6.3, RFC 5681 §4.2), as Linux decides it.
//!
//! Owns what is known of the peer's habits: how large its full segments are, whether the two ends
//! talk by turns, whether it has just begun or begun again. It guarantees that more than one full
//! segment never goes unacknowledged; that nothing waits too long is the delayed-ACK timer's matter,
//! what is acknowledged the receiver's.

use crate::event::Reason;
use crate::time::Instant;
use crate::wire::tcp::Flags;

/// The size of a peer's full segments is believed to be no larger before one was seen
/// (RFC 9293 §3.7.1, MUST-15: the default MSS).
const SIZE_UNSEEN: u32 = 536;

/// No path takes less; what is smaller is the end of a write (Linux: TCP_MIN_MSS).
const SIZE_MIN: u32 = 88;

/// Whether an acknowledgment is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Nothing arrived since the last one.
    Nothing,
    /// It may wait for text to ride on.
    Soon,
    /// It has to leave.
    Now(Reason),
}

/// Text that arrived in order, as far as the timing of its acknowledgment goes.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// When.
    pub now: Instant,
    /// The bytes of each real segment.
    pub size: u32,
    /// Its control bits.
    pub flags: Flags,
    /// The window that the peer was offered, in bytes.
    pub wnd: u64,
    /// The most that we take in one segment, in bytes.
    pub mss: u32,
    /// The retransmission timeout: a pause that long makes a peer start over.
    pub rto: std::time::Duration,
}

/// When to acknowledge.
#[derive(Clone, Debug)]
pub struct DelayedAck {
    /// The text of the peer's full-sized segments, in bytes; 0 before any text.
    segment_size: u32,
    /// The size of the last segment, if it was below that; a second one of it is the new size.
    smaller_size: u32,
    /// Acknowledgments that still leave at once: a peer that starts, or starts again, grows its
    /// window by them.
    quick: u16,
    /// The most of them at a time.
    quick_max: u16,
    /// Texts sent within the delay after text arrived, in a row.
    replies: u8,
    /// So many make a conversation by turns, whose acknowledgments ride on the replies.
    replies_enough: u8,
    /// Ends of writes that arrived since the last acknowledgment: 0, 1, or 2 for more.
    write_ends: u8,
    due: Due,
    /// The same acknowledgment has to leave so many times more.
    repeats: u8,
    last_text: Instant,
}

impl DelayedAck {
    /// Nothing has arrived; at most `quick_max` acknowledgments in a row will not be delayed, and
    /// `replies_enough` prompt replies begin to carry them.
    pub fn new(quick_max: u32, replies_enough: u32) -> DelayedAck {
        DelayedAck {
            segment_size: 0,
            smaller_size: 0,
            quick: 0,
            quick_max: u16::try_from(quick_max).unwrap_or(u16::MAX),
            replies: 0,
            replies_enough: u8::try_from(replies_enough).unwrap_or(u8::MAX),
            write_ends: 0,
            due: Due::Nothing,
            repeats: 0,
            last_text: Instant::default(),
        }
    }

    /// Text arrived in order: an acknowledgment is owed, and the peer better known.
    pub fn on_text(&mut self, arrived: &Arrived) {
        if self.due == Due::Nothing {
            self.due = Due::Soon;
        }
        let is_first = self.segment_size == 0;
        if is_first {
            let unseen = SIZE_UNSEEN.min(arrived.mss);
            let half = u32::try_from(arrived.wnd / 2).unwrap_or(u32::MAX);
            self.segment_size = unseen.min(half).max(SIZE_MIN);
        }
        self.measure(arrived);
        let pause = arrived.now.saturating_since(self.last_text);
        if is_first || pause > arrived.rto {
            self.grant_quick(arrived.wnd);
        }
        self.last_text = arrived.now;
    }

    /// Learns the size of the peer's full segments, and where it ended a write.
    fn measure(&mut self, arrived: &Arrived) {
        let Arrived { size, flags, mss, .. } = *arrived;
        let is_pushed = flags.contains(Flags::PSH);
        let before = std::mem::take(&mut self.smaller_size);
        if size >= self.segment_size {
            self.segment_size = size.min(mss).max(1);
            self.write_ends |= u8::from(is_pushed);
            return;
        }
        // Twice in a row the same below the size so far, and no end of a write by its looks: the
        // path or the peer has become smaller.
        let may_be_full =
            size >= SIZE_UNSEEN || (size >= SIZE_MIN && !is_pushed && !flags.contains(Flags::FIN));
        if may_be_full && size == before {
            self.segment_size = size;
            return;
        }
        if may_be_full {
            self.smaller_size = size;
        }
        self.write_ends = (self.write_ends + 1).min(2);
    }

    /// The peer starts, starts again, or is in trouble: the next acknowledgments leave at once, as
    /// many as half the window has segments.
    fn grant_quick(&mut self, wnd: u64) {
        let halves = wnd / (2 * u64::from(self.segment_size.max(1)));
        let granted = u16::try_from(halves.max(2)).unwrap_or(u16::MAX).min(self.quick_max);
        self.quick = self.quick.max(granted);
    }

    /// The peer repeats itself: it has not heard us, so it hears of everything at once.
    pub fn on_repetition(&mut self, wnd: u64) {
        self.replies = 0;
        self.grant_quick(wnd);
    }

    /// An acknowledgment has to leave now, for that reason, whatever called for it before.
    pub fn demand(&mut self, reason: Reason) {
        self.due = Due::Now(reason);
    }

    /// An acknowledgment has to leave now: for that reason, unless there is one already. It tells
    /// more than that text came in order.
    pub fn demand_if_none(&mut self, reason: Reason) {
        if self.due().is_none() {
            self.demand(reason);
        }
    }

    /// So many segments past a hole came, each to be acknowledged for itself, whether or not the ACK of
    /// the one before has left: a peer without SACK counts them.
    pub fn demand_each(&mut self, segments: u32) {
        let is_first = self.due != Due::Now(Reason::HoleReported);
        let more = u8::try_from(segments - u32::from(is_first)).unwrap_or(u8::MAX);
        self.repeats = self.repeats.saturating_add(more);
        self.due = Due::Now(Reason::HoleReported);
    }

    /// RCV.NXT moves: what would have been repeated is no longer true.
    pub fn on_advance(&mut self) {
        self.repeats = 0;
    }

    /// Why what is owed has to leave now, with `unacked` bytes in order not acknowledged: more than
    /// one full segment (RFC 9293 §3.8.6.3, SHLD-19), or quick ones are left.
    pub fn due_now(&self, unacked: u64) -> Option<Reason> {
        if unacked > u64::from(self.segment_size) {
            return Some(Reason::Acknowledge);
        }
        (self.quick > 0 && !self.is_interactive()).then_some(Reason::QuickAck)
    }

    /// Why an acknowledgment has to leave now, if it has to.
    pub fn due(&self) -> Option<Reason> {
        match self.due {
            Due::Now(reason) => Some(reason),
            Due::Nothing | Due::Soon => None,
        }
    }

    /// The ends talk by turns: the reply will carry the acknowledgment.
    pub fn is_interactive(&self) -> bool {
        self.replies >= self.replies_enough
    }

    /// TCP_QUICKACK: from now on as if the ends did not talk by turns, or as if they did.
    pub fn set_interactive(&mut self, is_interactive: bool) {
        self.replies = if is_interactive { self.replies_enough } else { 0 };
    }

    /// Something with ACK has left.
    pub fn on_ack_sent(&mut self) {
        if self.due != Due::Nothing {
            self.quick = self.quick.saturating_sub(1);
        }
        self.due = match self.repeats {
            0 => Due::Nothing,
            _ => Due::Now(Reason::HoleReported),
        };
        self.repeats = self.repeats.saturating_sub(1);
        self.write_ends = 0;
    }

    /// Text has left: a reply, if it comes within `delay` of the peer's.
    pub fn on_text_sent(&mut self, now: Instant, delay: std::time::Duration) {
        if self.segment_size > 0 && now.saturating_since(self.last_text) < delay {
            self.replies = self.replies.saturating_add(1);
        }
    }

    /// The delayed-ACK timer fired: no reply came.
    pub fn on_timeout(&mut self) {
        if self.is_interactive() {
            self.replies = 0;
        }
        if self.due == Due::Soon {
            self.due = Due::Now(Reason::DelayedAck);
        }
    }

    /// The application has read. Says whether what is owed should leave now: nothing is left to
    /// read and no reply is to be expected, so nothing would be gained by waiting. Not where quick
    /// acknowledgments are turned off: then each waits for its timer, as the RFC has it.
    pub fn is_due_on_read(&self, unacked: u64, is_drained: bool) -> bool {
        let is_write_over = self.write_ends > 1 || (self.write_ends > 0 && !self.is_interactive());
        self.due == Due::Soon
            && self.quick_max > 0
            && (unacked > u64::from(self.segment_size) || (is_drained && is_write_over))
    }

    /// Whether an acknowledgment is owed, now or later.
    pub fn is_owed(&self) -> bool {
        self.due != Due::Nothing
    }

    /// The text of the peer's full-sized segments in bytes, as far as is known.
    pub fn segment_size(&self) -> u32 {
        self.segment_size
    }
}

#[cfg(test)]
mod tests;
