//! Urgent data, both ways (RFC 9293 §3.8.5, MUST-30; RFC 6093 §4).
//!
//! Owns SND.UP and the mark that the peer's urgent pointer sets in what we receive. As everywhere
//! today the pointer names the octet *after* the urgent data (MUST-62; RFC 6093 §4), and the octet
//! before it, the last urgent one, is the "out-of-band" byte that sockets hand out; `tcp_stdurg=1`
//! reads a peer's pointer as RFC 1122 once had it, as that octet itself. Urgent data may be of any
//! length (MUST-31): the mark is its end, and reading stops there.
//!
//! The pointer is a hint about a place in the stream and nothing else: it moves no window, measures no
//! length and costs no memory, wherever it points. RFC 9293 §3.8.5 advises new programs against
//! urgent data (SHLD-13); old ones find it here, and had best ask for it in line (RFC 6093 §6).

use super::connection::{Connection, Context};
use super::segment::Segment;
use super::seq::Seq;
use super::state::State;
use crate::error::Error;
use crate::event::{Kind, Reason};
use crate::wire::tcp::Flags;

/// Urgent data of one connection, once there was any.
#[derive(Debug, Default)]
pub(super) struct Urgent {
    /// SND.UP: the number after the last urgent octet that the application sent.
    send: Option<Seq>,
    /// Where reading stops.
    mark: Option<Mark>,
}

/// The peer's last urgent octet.
#[derive(Clone, Copy, Debug)]
struct Mark {
    seq: Seq,
    octet: Octet,
}

/// The octet at the mark, out of band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Octet {
    /// Only the pointer has come.
    Awaited,
    /// It is here.
    Here(u8),
    /// The application has it.
    Taken,
}

impl Connection {
    /// The application sent urgent data: it ends where all that was written ends (RFC 6093 §4).
    pub(super) fn mark_sent_urgent(&mut self) {
        let end = self.send_buffer.end();
        self.seldom_mut().urgent.get_or_insert_default().send = Some(end);
    }

    /// Whether urgent data is unacknowledged or unsent: each segment says so, Nagle does not hold
    /// back, and segments leave one by one, each with its own pointer.
    pub(super) fn is_urgent(&self) -> bool {
        self.send_urgent().is_some()
    }

    fn send_urgent(&self) -> Option<Seq> {
        self.seldom.as_ref()?.urgent.as_ref()?.send.filter(|&up| self.snd.una < up)
    }

    /// SEG.UP for a segment that begins at `seq`: how far it is to SND.UP. One too far for the field
    /// is named as far as the field goes, unless that would be a place already sent past.
    pub(super) fn urgent_pointer(&self, seq: Seq) -> Option<u16> {
        let up = self.send_urgent().filter(|&up| seq < up)?;
        match u16::try_from(up.since(seq)) {
            Ok(pointer) => Some(pointer),
            Err(_) => (seq + u64::from(u16::MAX) > self.snd.nxt).then_some(u16::MAX),
        }
    }

    /// Sixth, the URG bit (§3.10.7.4); a closed window is no reason to ignore it (MUST-66).
    pub(super) fn check_urgent(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        if !self.state.may_receive() || self.is_orphan {
            return;
        }
        if let Some(up) = segment.urgent {
            let last = if cx.knobs.stdurg() { up } else { up - 1 };
            self.move_mark(cx, last);
        }
        let Some(mark) = self.urgent_mark_mut() else { return };
        if mark.octet == Octet::Awaited
            && mark.seq >= segment.seq
            && let Some(octet) = segment.payload.get(mark.seq.since(segment.seq) as usize)
        {
            mark.octet = Octet::Here(octet);
        }
    }

    /// The mark moves forward only (§3.8.5: it "cannot recede"), and never to where data has been
    /// delivered: a pointer that was repeated or forged sets none.
    fn move_mark(&mut self, cx: &mut Context<'_>, seq: Seq) {
        if seq < self.rcv.nxt || self.urgent_mark().is_some_and(|mark| seq <= mark.seq) {
            return;
        }
        // The last mark's octet is not read as data once a new mark lies ahead.
        if self.is_before_out_of_band() && !self.receive_buffer.is_empty() {
            self.receive_buffer.skip(1);
        }
        let urgent = self.seldom_mut().urgent.get_or_insert_default();
        urgent.mark = Some(Mark { seq, octet: Octet::Awaited });
        // MUST-32: the application hears of it by the event, and by readiness when the octet is here.
        self.record(cx, Kind::Updated, Some(Reason::UrgentPointer));
    }

    fn urgent_mark(&self) -> Option<&Mark> {
        self.seldom.as_ref()?.urgent.as_ref()?.mark.as_ref()
    }

    fn urgent_mark_mut(&mut self) -> Option<&mut Mark> {
        self.seldom.as_mut()?.urgent.as_mut()?.mark.as_mut()
    }

    /// Whether the next byte in the buffer is the one that is read out of band instead.
    pub(super) fn is_before_out_of_band(&self) -> bool {
        self.is_at_urgent_mark() && !self.settings.oob_inline
    }

    /// SIOCATMARK: all before the last urgent octet is read, and it is not (MUST-33: as long as
    /// there is a mark ahead, more urgent data is to be read).
    pub fn is_at_urgent_mark(&self) -> bool {
        self.urgent_mark().is_some_and(|mark| mark.seq == self.read_seq())
    }

    /// How many bytes can be read before the mark (SIOCINQ): reading stops there.
    pub fn readable(&self) -> usize {
        let len = self.receive_buffer.len();
        match self.bytes_to_mark() {
            Some(bytes) if !self.settings.oob_inline => len.min(bytes),
            _ => len,
        }
    }

    /// Bytes to be read before the mark; None where there is no mark ahead.
    pub(super) fn bytes_to_mark(&self) -> Option<usize> {
        let mark = self.urgent_mark()?;
        let read = self.read_seq();
        (mark.seq >= read).then(|| mark.seq.since(read) as usize)
    }

    /// The application has read: a mark that it has passed is over.
    pub(super) fn pass_mark(&mut self) {
        if self.urgent_mark().is_some_and(|mark| self.read_seq() > mark.seq)
            && let Some(urgent) = &mut self.seldom_mut().urgent
        {
            urgent.mark = None;
        }
    }

    /// Whether the out-of-band byte is here and not taken: what POLLPRI says.
    pub(super) fn has_out_of_band(&self) -> bool {
        self.urgent_mark().is_some_and(|mark| matches!(mark.octet, Octet::Here(_)))
    }

    /// MSG_OOB: takes the out-of-band byte, or looks at it where `peek` leaves it. None is the end
    /// of the stream.
    ///
    /// # Errors
    ///
    /// `Invalid` when there is none, it was taken already or stays in the stream (SO_OOBINLINE);
    /// `WouldBlock` when only its pointer has come; `NotConnected` after a reset. It never waits.
    pub fn recv_urgent(&mut self, peek: bool) -> Result<Option<u8>, Error> {
        let is_reset = self.state == State::Closed && self.rcv.fin.is_none();
        let has_ended = self.is_at_end();
        let is_inline = self.settings.oob_inline;
        let mark = self.urgent_mark_mut();
        let mark = mark.filter(|mark| mark.octet != Octet::Taken && !is_inline);
        let mark = mark.ok_or(Error::Invalid)?;
        if is_reset {
            return Err(Error::NotConnected);
        }
        match mark.octet {
            Octet::Here(octet) => {
                if !peek {
                    mark.octet = Octet::Taken;
                }
                Ok(Some(octet))
            }
            _ if has_ended => Ok(None),
            _ => Err(Error::WouldBlock),
        }
    }

    /// Says on a segment that leaves with these control bits how far the urgent data goes.
    pub(super) fn urgent_field(&self, seq: Seq, flags: Flags) -> Option<u16> {
        let may_bear = !flags.contains(Flags::RST) && !flags.contains(Flags::SYN);
        self.urgent_pointer(seq).filter(|_| may_bear)
    }
}
