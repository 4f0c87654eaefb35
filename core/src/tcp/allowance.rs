//! How much may leave from a number on, and what keeps the rest: the peer's window, the congestion
//! window, the rules for small segments.
//!
//! `output` sends by these answers, and events tell by the same ones what limits a sender: there is no
//! second opinion.

use super::connection::Connection;
use super::seq::Seq;
use crate::event::Limit;
use crate::time::Instant;

impl Connection {
    /// How much of `data` bytes of text at SND.NXT may leave at once, `largest` at most; else what keeps them.
    /// `usable` is what the peer's window still takes, `room` what the congestion window does.
    // Where it sends, the word is dropped: in place, nothing of it is left.
    #[inline(always)]
    pub(super) fn new_text(
        &self,
        data: u64,
        (usable, room): (u64, u64),
        largest: u64,
    ) -> Result<u64, Limit> {
        let len = data.min(usable).min(room).min(largest);
        let remainder = len % self.text_max();
        if remainder > 0
            && let Some(limit) = self.holds_small(len, data, usable)
        {
            return if len > remainder { Ok(len - remainder) } else { Err(limit) };
        }
        match len {
            0 if usable == 0 && (room > 0 || self.snd.wnd <= self.congestion.cwnd()) => {
                Err(Limit::Receiver)
            }
            0 => Err(Limit::Congestion),
            _ => Ok(len),
        }
    }

    /// How much of what is lost from `seq` to `end` may leave again, and whether the FIN goes with it, `largest`
    /// at most; else what keeps it.
    #[inline]
    pub(super) fn lost_text(&self, seq: Seq, end: Seq, largest: u64) -> Result<(u64, bool), Limit> {
        let smss = self.text_max();
        let room = match self.congestion_room() {
            room if self.recovery.is_forced() => room.max(smss),
            room => room,
        };
        // RFC 9293 §3.8.6: the peer may have shrunk its window (SHLD-16). When it has closed it, what a
        // timeout sends again is the probe that MUST-35 asks for, as on Linux: its segment at SND.UNA lies
        // in a window that the peer once offered (MAY-7).
        let usable = match self.snd.window_end().since(seq) {
            0 if seq == self.snd.una && self.recovery.is_forced() => smss,
            usable => usable,
        };
        let text = end.min(self.text_end(seq)).since(seq);
        let limit = largest.min(room).min(usable);
        let len = match limit / smss * smss {
            _ if text <= limit => text,
            0 if usable < smss && usable <= room => usable,
            whole => whole,
        };
        let is_end = seq + len == self.send_buffer.end();
        let fin = is_end && end > self.send_buffer.end() && usable > len;
        match (len > 0 || fin, usable) {
            (true, _) => Ok((len, fin)),
            (false, 0) => Err(Limit::Receiver),
            (false, _) => Err(Limit::Congestion),
        }
    }

    /// Bytes the congestion window still takes; with nothing in flight always one segment.
    pub(super) fn congestion_room(&self) -> u64 {
        let in_flight = self.recovery.in_flight(&self.snd);
        let room = self.congestion.cwnd().saturating_sub(in_flight);
        if in_flight == 0 { room.max(u64::from(self.snd.smss)) } else { room }
    }

    /// What holds back `len` bytes that do not fill their last segment, if anything does
    /// (RFC 9293 §3.8.6.2.1, MUST-38, and §3.7.4, SHLD-7: Nagle, in the form that holds small text back only
    /// behind small text). What waits is gathered (MAY-16), but not for ever (MUST-60): the ACK or the
    /// override lets it go.
    #[inline(always)]
    fn holds_small(&self, len: u64, data: u64, usable: u64) -> Option<Limit> {
        if len < data && len < usable {
            // Cut short by the congestion window alone, whose ACKs are on their way.
            return Some(Limit::Congestion);
        }
        if self.snd.nxt < self.snd.max || self.override_due {
            return None;
        }
        if len == data {
            return self.must_wait(self.snd.nxt + len).then_some(Limit::Nagle);
        }
        // Cut short by the peer's window: only a good part of the largest it ever offered.
        let is_alone = self.snd.outstanding() == 0 && len < self.text_max();
        let is_good = len == usable && is_alone && 2 * len >= self.snd.max_wnd;
        (!is_good).then_some(Limit::Receiver)
    }

    /// What keeps it from sending more now, for events; None where it can send no text yet or none any more,
    /// and while something is about to leave.
    #[cold]
    pub(super) fn limit_for_events(&self, now: Instant) -> Option<Limit> {
        if !self.state.may_send() && !self.is_early() {
            return None;
        }
        let seq = self.snd.nxt;
        // Whether it makes a super-segment changes nothing about whether it may leave.
        let largest = self.text_max();
        let data = self.text_end(seq).since(seq);
        let usable = self.snd.usable();
        let lost = self.recovery.first_lost().filter(|_| !self.recovery.prefers_new_data());
        let limit = if let Some((seq, end)) = lost {
            self.lost_text(seq, end, largest).err()
        } else if data > 0 {
            self.new_text(data, (usable, self.congestion_room()), largest).err()
        } else if let Some(fin) = self.snd.fin {
            if fin < seq {
                return None;
            }
            (usable == 0).then_some(Limit::Receiver)
        } else if self.send_buffer.free() == 0 {
            Some(Limit::SendBuffer)
        } else {
            Some(Limit::Application)
        };
        limit.or_else(|| self.pacing_wait(now).map(|_| Limit::Pacing))
    }
}
