//! What waits for more: Nagle's rule, TCP_CORK, MSG_MORE, the tails of bulks, the ends of records,
//! and how much the application may write ahead (RFC 9293 §3.7.4).
//!
//! `output` asks here whether a segment that is not full may leave, and where one must end. Nothing
//! is held for ever: what no ACK lets go the override of silly-window avoidance does, after an RTO.

use std::time::Duration;

use super::connection::{Connection, Context};
use super::seldom::Seldom;
use super::seq::Seq;

/// The longest round trip for which the tail of a bulk may wait.
const SHORT_PATH: Duration = Duration::from_millis(1);

/// How the application sends (MSG_MORE, MSG_EOR, MSG_OOB).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFlags {
    /// More follows at once: what does not fill a segment waits for it (MSG_MORE).
    pub more: bool,
    /// So much at once that more is likely to follow: where an ACK is awaited and comes within a millisecond,
    /// what does not fill a segment waits for that ACK or for more, even with TCP_NODELAY (Linux's
    /// `tcp_autocorking` waits about as long: until the network card has sent what came before).
    pub bulk: bool,
    /// A record ends here: no segment holds text from both sides of it (MSG_EOR).
    pub end_of_record: bool,
    /// The data is urgent; its last byte is the one that is read out of band (MSG_OOB).
    pub urgent: bool,
}

impl Connection {
    /// Takes note of how the application sent the bytes that are now in the buffer.
    pub(super) fn note_send_flags(&mut self, flags: SendFlags) {
        self.is_more_coming = flags.more;
        self.is_bulk = flags.bulk;
        let end = self.send_buffer.end();
        if flags.end_of_record {
            let ends = &mut self.seldom_mut().record_ends;
            if ends.back() != Some(&end) {
                ends.push_back(end);
            }
        }
        if flags.urgent {
            self.mark_sent_urgent();
        }
    }

    /// A segment arrived: as on Linux MSG_MORE holds back what it was said of until then.
    pub(super) fn end_of_more(&mut self) {
        self.is_more_coming = false;
        self.is_bulk = false;
    }

    /// Drops the ends of records that are acknowledged.
    pub(super) fn release_records(&mut self) {
        let una = self.snd.una;
        if let Some(Seldom { record_ends: ends, .. }) = self.seldom.as_deref_mut() {
            while ends.front().is_some_and(|&end| end <= una) {
                ends.pop_front();
            }
        }
    }

    /// Where the text from `seq` on that one segment may hold ends.
    pub(super) fn text_end(&self, seq: Seq) -> Seq {
        let end = self.send_buffer.end();
        let Some(Seldom { record_ends: ends, .. }) = self.seldom.as_deref() else { return end };
        let next = ends.partition_point(|&record| record <= seq);
        ends.get(next).map_or(end, |&record| record.min(end))
    }

    /// Whether a record ends at `seq`.
    pub(super) fn is_record_end(&self, seq: Seq) -> bool {
        let seldom = self.seldom.as_ref();
        seldom.is_some_and(|seldom| seldom.record_ends.binary_search(&seq).is_ok())
    }

    /// Whether the text before `end`, less than a segment, has to wait for more (RFC 9293 §3.7.4,
    /// SHLD-7): while the application says that more is coming, or, Nagle's rule in Minshall's form,
    /// while small text is unacknowledged; or, on a short path, while a bulk is so young that no ACK has
    /// come. What more text already follows can gain none by waiting.
    pub(super) fn must_wait(&self, end: Seq) -> bool {
        if end < self.send_buffer.end() || self.snd.fin.is_some() || self.is_urgent() {
            return false;
        }
        let is_corked = self.settings.cork || self.is_more_coming;
        // Of more than two segments one is acknowledged at once (§3.8.6.3).
        let is_young = self.is_bulk
            && self.snd.outstanding() > 2 * u64::from(self.snd.smss)
            && self.rtt.srtt().is_some_and(|srtt| srtt <= SHORT_PATH);
        let has_small_ahead = self.small_end > self.snd.una && self.snd.outstanding() > 0;
        is_corked || is_young || (!self.settings.no_delay && has_small_ahead)
    }

    /// The most unsent bytes that the application wants (TCP_NOTSENT_LOWAT, or the knob).
    pub(super) fn update_notsent_lowat(&mut self, cx: &Context<'_>) {
        let chosen = self.settings.notsent_lowat.filter(|lowat| *lowat > 0);
        self.notsent_lowat = chosen.unwrap_or(cx.knobs.notsent_lowat());
    }

    /// How many bytes may be written now: what the buffer has room for, as long as fewer are unsent
    /// than the application wants. What the windows let go at once does not count as unsent.
    pub(super) fn writable(&self) -> usize {
        let free = self.send_buffer.free();
        let lowat = u64::from(self.notsent_lowat);
        let leaving = self.snd.usable().min(self.congestion_room());
        let room = (leaving + lowat).saturating_sub(self.unsent() as u64);
        free.min(usize::try_from(room).unwrap_or(usize::MAX))
    }

    /// Whether poll() calls it writable: a third of the buffer is free, and, as Linux has it, less
    /// than half of TCP_NOTSENT_LOWAT is unsent.
    pub(super) fn is_writable(&self) -> bool {
        let is_few = 2 * (self.unsent() as u64) < u64::from(self.notsent_lowat);
        2 * self.send_buffer.free() >= self.send_buffer.len() && is_few
    }
}
