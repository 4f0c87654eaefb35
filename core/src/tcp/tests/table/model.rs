//! RFC 9293 §3.10.7.3 and §3.10.7.4 read aloud: what a segment means, written from the RFC's text
//! with nothing of the stack's own code. Where the stack does otherwise a comment begins with
//! "Unlike the RFC".
//!
//! Numbers are relative: either SYN has number 0.

use crate::error::Error;
use crate::tcp::State;
use crate::wire::tcp::Flags;

use super::super::{ACK, RST, SYN_ACK};

/// The variables of §3.3.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tcb {
    pub(super) state: State,
    pub(super) is_passive: bool,
    pub(super) snd_una: i64,
    pub(super) snd_nxt: i64,
    /// MAX.SND.WND.
    pub(super) max_snd_wnd: i64,
    /// The number of our FIN, if it was sent.
    pub(super) snd_fin: Option<i64>,
    pub(super) rcv_nxt: i64,
    pub(super) rcv_wnd: i64,
}

/// A segment of the peer. With SYN its text begins at `seq + 1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seg {
    pub(super) seq: i64,
    pub(super) ack: Option<i64>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) text: i64,
}

impl Seg {
    /// SEG.LEN.
    fn len(&self) -> i64 {
        self.text + i64::from(self.syn) + i64::from(self.fin)
    }
}

/// What has become of it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) state: State,
    /// What was sent: control bits, SEG.SEQ, SEG.ACK (0 without ACK).
    pub(super) sent: Vec<(Flags, i64, i64)>,
    /// Octets handed to the application.
    pub(super) text: i64,
    /// What the application was told.
    pub(super) error: Option<Error>,
}

impl Tcb {
    /// Nothing changes and nothing is said.
    fn dropped(&self) -> Outcome {
        Outcome { state: self.state, sent: Vec::new(), text: 0, error: None }
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`, and the segment is dropped.
    fn answered(&self) -> Outcome {
        Outcome { sent: vec![(ACK, self.snd_nxt, self.rcv_nxt)], ..self.dropped() }
    }

    fn ended(&self, error: Option<Error>) -> Outcome {
        Outcome { state: State::Closed, error, ..self.dropped() }
    }

    fn is_in_window(&self, seq: i64) -> bool {
        self.rcv_nxt <= seq && seq < self.rcv_nxt + self.rcv_wnd
    }

    /// Table 6.
    fn is_acceptable(&self, seg: &Seg) -> bool {
        match (seg.len(), self.rcv_wnd) {
            (0, 0) => seg.seq == self.rcv_nxt,
            (0, _) => self.is_in_window(seg.seq),
            // Unlike the RFC: a FIN needs no room.
            (_, 0) => seg.seq == self.rcv_nxt && seg.fin && !seg.syn && seg.text == 0,
            (len, _) => self.is_in_window(seg.seq) || self.is_in_window(seg.seq + len - 1),
        }
    }

    /// §3.10.7.4.
    pub(super) fn arrives(mut self, mut seg: Seg) -> Outcome {
        if seg.rst {
            return self.reset_arrives(&seg);
        }
        let is_repeated_syn = self.state == State::SynReceived && seg.syn && seg.seq == 0;
        if is_repeated_syn && seg.ack.is_none() {
            // Unlike the RFC: to a peer in SYN-SENT an ACK alone says nothing.
            return Outcome { sent: vec![(SYN_ACK, 0, self.rcv_nxt)], ..self.dropped() };
        }
        let mut must_answer = false;
        if is_repeated_syn && seg.ack.is_some() {
            // §3.5, figure 7: the other SYN+ACK of a simultaneous open. New in it is its ACK.
            (seg.syn, seg.seq, must_answer) = (false, 1, true);
        }

        // First, check sequence number.
        if !self.is_acceptable(&seg) {
            if !self.is_allowed_all_the_same(&seg) {
                return self.answered();
            }
            must_answer |= seg.seq != self.rcv_nxt + self.rcv_wnd || seg.len() > 0;
        }
        // Third, check security: there is none.
        // Fourth, check the SYN bit.
        if seg.syn {
            let is_reopened =
                self.state == State::SynReceived && self.is_passive && self.is_in_window(seg.seq);
            // Back to LISTEN means for the connection that it is forgotten.
            return if is_reopened { self.ended(None) } else { self.answered() };
        }
        // "In the following it is assumed that the segment begins at RCV.NXT and does not exceed the
        // window."
        let repeats_a_part = seg.seq < self.rcv_nxt && seg.seq + seg.len() > self.rcv_nxt;
        self.trim(&mut seg);

        // Fifth, check the ACK field.
        let Some(ack) = seg.ack else { return self.dropped_or_answered(must_answer) };
        if let Some(outcome) = self.ack_arrives(ack) {
            return outcome;
        }
        // Seventh, process the segment text; eighth, check the FIN bit.
        self.text_arrives(&seg, must_answer || repeats_a_part)
    }

    fn dropped_or_answered(&self, must_answer: bool) -> Outcome {
        if must_answer { self.answered() } else { self.dropped() }
    }

    /// Second, check the RST bit: RFC 5961 §3.2.
    fn reset_arrives(&self, seg: &Seg) -> Outcome {
        if seg.seq != self.rcv_nxt {
            return self.dropped_or_answered(self.is_in_window(seg.seq));
        }
        match self.state {
            State::SynReceived if self.is_passive => self.ended(None),
            State::SynReceived => self.ended(Some(Error::Refused)),
            // Which error it is the RFC leaves open; as Linux.
            State::CloseWait => self.ended(Some(Error::BrokenPipe)),
            State::TimeWait => self.ended(None),
            // Unlike the RFC, CLOSING and LAST-ACK tell too: what we sent may not have arrived.
            _ => self.ended(Some(Error::Reset)),
        }
    }

    /// Segments that Table 6 refuses and that go on nevertheless, without their text.
    fn is_allowed_all_the_same(&self, seg: &Seg) -> bool {
        // "If the RCV.WND is zero, special allowance should be made to accept valid ACKs."
        let is_probe = self.rcv_wnd == 0 && seg.seq == self.rcv_nxt;
        // Unlike the RFC: a peer that filled the window, its first segment lost, acknowledges from
        // just past it.
        let is_at_the_edge = seg.len() == 0 && seg.seq == self.rcv_nxt + self.rcv_wnd;
        // Unlike the RFC: a peer whose one-octet probe was taken, and who has not heard so, goes on
        // acknowledging from that octet; a keep-alive looks the same.
        let is_behind_its_probe =
            seg.len() == 0 && seg.seq == self.rcv_nxt - 1 && self.state != State::SynReceived;
        is_probe || is_at_the_edge || is_behind_its_probe
    }

    /// "Trimming off any portions that lie outside the window (including SYN and FIN)."
    fn trim(&self, seg: &mut Seg) {
        let old = (self.rcv_nxt - seg.seq).max(0);
        if old > 0 {
            seg.seq = self.rcv_nxt;
            seg.fin &= old <= seg.text;
            seg.text = (seg.text - old).max(0);
        }
        let room = (self.rcv_nxt + self.rcv_wnd - seg.seq).max(0);
        // Unlike the RFC: neither does one behind text that just fits.
        seg.fin &= seg.text <= room;
        seg.text = seg.text.min(room);
    }

    /// What SEG.ACK does; an outcome if the segment goes no further.
    fn ack_arrives(&mut self, ack: i64) -> Option<Outcome> {
        let is_new = self.snd_una < ack && ack <= self.snd_nxt;
        if self.state == State::SynReceived {
            if !is_new {
                return Some(Outcome { sent: vec![(RST, ack, 0)], ..self.dropped() });
            }
            self.state = State::Established;
        }
        // RFC 5961 §5.2.
        if ack < self.snd_una - self.max_snd_wnd || ack > self.snd_nxt {
            return Some(self.answered());
        }
        if is_new {
            self.snd_una = ack;
        }
        if self.snd_fin.is_some_and(|fin| self.snd_una > fin) {
            match self.state {
                State::FinWait1 => self.state = State::FinWait2,
                State::Closing => self.state = State::TimeWait,
                State::LastAck => return Some(self.ended(None)),
                _ => {}
            }
        }
        None
    }

    fn text_arrives(&mut self, seg: &Seg, must_answer: bool) -> Outcome {
        if seg.len() == 0 {
            return self.dropped_or_answered(must_answer);
        }
        let may_receive =
            matches!(self.state, State::Established | State::FinWait1 | State::FinWait2);
        // After the peer's FIN its text is ignored.
        if !may_receive {
            return self.dropped_or_answered(must_answer);
        }
        // What comes ahead of a gap is held, and the gap reported (MAY-13).
        if seg.seq != self.rcv_nxt {
            return self.answered();
        }
        self.rcv_nxt += seg.len();
        if seg.fin {
            self.state = match self.state {
                State::Established => State::CloseWait,
                State::FinWait1 => State::Closing,
                _ => State::TimeWait,
            };
        }
        Outcome { text: seg.text, ..self.answered() }
    }

    /// §3.10.7.3: in SYN-SENT.
    pub(super) fn arrives_in_syn_sent(mut self, seg: Seg) -> Outcome {
        // First, check the ACK bit.
        if let Some(ack) = seg.ack
            && !(self.snd_una < ack && ack <= self.snd_nxt)
        {
            let sent = if seg.rst { vec![] } else { vec![(RST, ack, 0)] };
            return Outcome { sent, ..self.dropped() };
        }
        // Second, check the RST bit.
        if seg.rst {
            return if seg.ack.is_some() {
                self.ended(Some(Error::Refused))
            } else {
                self.dropped()
            };
        }
        // Fourth, check the SYN bit; fifth, without it the segment is dropped.
        if !seg.syn {
            return self.dropped();
        }
        self.rcv_nxt = seg.seq + 1;
        let Some(ack) = seg.ack else {
            self.state = State::SynReceived;
            // Unlike the RFC, text on it is not queued: not acknowledged, it will come again.
            return Outcome { sent: vec![(SYN_ACK, 0, self.rcv_nxt)], ..self.dropped() };
        };
        (self.snd_una, self.state) = (ack, State::Established);
        self.text_arrives(&Seg { seq: self.rcv_nxt, syn: false, ..seg }, true)
    }
}
