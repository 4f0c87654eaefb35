//! RFC 9293 §3.10.7.4: what a segment means in every state but CLOSED, LISTEN and SYN-SENT.
//!
//! One function per step, in the RFC's order. A step either lets the segment pass, perhaps
//! trimmed, or ends its way (`ControlFlow::Break`).

use std::ops::ControlFlow;
use std::time::Duration;

use super::connection::{Connection, Context, Reset};
use super::segment::Segment;
use super::sender::AckOutcome;
use super::state::State;
use super::timestamps::{Age, is_before};
use crate::error::Error;
use crate::event::{Reason, TimerName};
use crate::time::Instant;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};

/// How long ago the peer's last timestamp must have come before its connection's ends are used anew:
/// as Linux, for what a clock of one tick a second might show.
const REUSE_AGE: Duration = Duration::from_secs(1);

impl Connection {
    /// A segment for this connection arrived. `gso_size` is nonzero where the device merged
    /// several into one; `ecn` is what its IP header says.
    pub fn handle_segment(
        &mut self,
        cx: &mut Context<'_>,
        header: &Header,
        payload: Payload,
        gso_size: u16,
        ecn: Ecn,
    ) {
        // In SYN-SENT nothing of the peer's numbers is known: its own is the nearest.
        let near = match self.state {
            State::SynSent => super::seq::Seq::from_initial(header.seq),
            _ => self.rcv.nxt,
        };
        let before = self.observed(cx);
        if cx.log.is_on() {
            self.record_arrival(cx, header, &payload, gso_size);
        }
        self.remember_cause(cx);
        self.tally.on_arrival(cx.now, payload.len(), gso_size);
        let mut segment = Segment::from_wire(header, payload, gso_size, ecn, near, self.snd.una);
        match self.state {
            State::Closed | State::Listen => {}
            State::SynSent => self.arrival_in_syn_sent(cx, &mut segment),
            _ => {
                let _ = self.arrival_in_window(cx, &mut segment);
            }
        }
        self.record_update(cx, before);
        #[cfg(debug_assertions)]
        self.check();
    }

    /// The steps of §3.10.7.4.
    fn arrival_in_window(
        &mut self,
        cx: &mut Context<'_>,
        segment: &mut Segment,
    ) -> ControlFlow<()> {
        let is_repeat = segment.seq < self.rcv.nxt && !segment.is_empty();
        self.admit_crossed_syn(segment);
        self.check_timestamps(cx, segment)?;
        self.check_sequence(cx, segment)?;
        self.check_reset(cx, segment)?;
        self.check_syn(cx, segment)?;
        self.check_ack(cx, segment)?;
        self.take_user_timeout(cx, &segment.options);
        self.check_urgent(cx, segment);
        if self.ecn.take_marks(segment) {
            self.rcv.demand_ack(Reason::MarkEchoed);
        }
        if is_repeat {
            // The peer has not heard that part of it is here.
            self.rcv.demand_ack(self.repetition_or(Reason::OldDuplicate));
        }
        self.arrival_of_text(cx, segment);
        ControlFlow::Continue(())
    }

    /// Both ends opened at once and the peer's SYN comes again, now with the ACK of ours: what is
    /// new in it is the ACK (§3.5, figure 7).
    fn admit_crossed_syn(&mut self, segment: &mut Segment) {
        let is_crossed = self.state == State::SynReceived
            && segment.flags.contains(Flags::SYN.union(Flags::ACK))
            && !segment.flags.contains(Flags::RST)
            && segment.seq == self.rcv.irs;
        if is_crossed {
            // RFC 7323 §2.2: with SYN the field is not scaled; without, it would be.
            segment.window_field >>= self.snd.wnd_shift;
            segment.trim_front(self.rcv.nxt);
        }
    }

    /// Before all else, PAWS: an old duplicate whose number seems to fit again is known by its
    /// timestamp (RFC 7323 §5.3, R1). RSTs are exempt (§5.2).
    fn check_timestamps(&mut self, cx: &mut Context<'_>, segment: &Segment) -> ControlFlow<()> {
        if segment.flags.contains(Flags::RST) {
            return ControlFlow::Continue(());
        }
        let is_syn = segment.flags.contains(Flags::SYN);
        match self.timestamps.judge(cx.now, segment.options.timestamps) {
            Age::Current => return ControlFlow::Continue(()),
            // A SYN without the option may come from a peer that has started anew: it is asked to
            // prove it, further on (RFC 5961 §4.2).
            Age::Missing if is_syn => return ControlFlow::Continue(()),
            // RFC 7323 §3.2: silently.
            Age::Missing => {
                self.drops.without_timestamp = self.drops.without_timestamp.saturating_add(1);
                self.record_drop(cx, segment, "tcp_timestamp_missing", Reason::NoTimestamp);
            }
            // Overtaken on its way, an ACK that says nothing is no reason to send one.
            Age::Old if self.is_stale_ack(cx, segment) => return ControlFlow::Continue(()),
            Age::Old => {
                self.drops.paws = self.drops.paws.saturating_add(1);
                self.record_drop(cx, segment, "tcp_paws", Reason::Paws);
                if segment.is_empty() || is_syn {
                    self.answer_seldom(cx, Reason::Paws);
                } else {
                    // RFC 2883 §4.3: whatever PAWS says of it, what came twice may be told.
                    self.note_repetition(cx, segment);
                    self.rcv.demand_ack(Reason::Paws);
                }
            }
        }
        ControlFlow::Break(())
    }

    /// Whether it is an ACK alone that changes nothing and was sent within the last RTO: reordering
    /// does that, as Linux sees it.
    #[cold]
    fn is_stale_ack(&self, cx: &Context<'_>, segment: &Segment) -> bool {
        let window = u64::from(segment.window_field) << self.snd.wnd_shift;
        let age = |(value, _): (u32, u32)| self.timestamps.recent().wrapping_sub(value);
        let is_recent = segment.options.timestamps.is_some_and(|option| {
            Duration::from_millis(u64::from(age(option))) <= self.rtt.rto().min(cx.knobs.max_rto())
        });
        segment.is_empty()
            && segment.seq == self.rcv.nxt
            && segment.ack == Some(self.snd.una)
            && window == self.snd.wnd
            && is_recent
    }

    /// First, the sequence number: something of the segment must lie in the window.
    fn check_sequence(&mut self, cx: &mut Context<'_>, segment: &mut Segment) -> ControlFlow<()> {
        if segment.flags.contains(Flags::RST) {
            // RFC 5961 §3.2: judged by the number it bears, whatever its length; a closed window
            // takes it too (MUST-66). Outside it is dropped, and never answered.
            let is_inside = segment.seq == self.rcv.nxt || self.rcv.is_in_window(segment.seq);
            return if is_inside { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        }
        if self.is_first_syn_again(segment) {
            // Our SYN+ACK was lost: an ACK alone would not help a peer in SYN-SENT. The timer runs on.
            if self.may_answer_unusable(cx) {
                self.snd.nxt = self.snd.iss;
            }
            return ControlFlow::Break(());
        }
        if !self.rcv.is_acceptable(segment) {
            // A closed window still takes valid ACKs (the note below Table 6): the text alone goes.
            let is_probe = self.rcv.wnd() == 0 && segment.seq == self.rcv.nxt;
            if self.is_behind_its_probe(segment) {
                self.answer_seldom(cx, Reason::KeepaliveAnswered);
            } else if is_probe {
                self.rcv.demand_ack(Reason::ProbeAnswered);
            } else {
                self.answer_unusable(cx, segment);
                return ControlFlow::Break(());
            }
        }
        if segment.flags.contains(Flags::SYN) {
            // Judged with its SYN, wherever that lies (RFC 5961 §4.2).
            return ControlFlow::Continue(());
        }
        // The peer repeats what came before, or sends more than it may: the rest is good.
        if segment.seq < self.rcv.nxt && !segment.is_empty() {
            self.note_repetition(cx, segment);
        }
        segment.trim_front(self.rcv.nxt);
        segment.trim_to_edge(self.rcv.edge());
        ControlFlow::Continue(())
    }

    /// Whether it is an acknowledgment from a peer whose one-octet probe was taken, and who has not
    /// heard so: it still bears the number of that octet. Two such peers, each probing the other,
    /// would otherwise refuse each other's acknowledgments for ever. (A keep-alive looks the same.)
    fn is_behind_its_probe(&self, segment: &Segment) -> bool {
        self.state.is_synchronized() && segment.is_empty() && segment.seq + 1 == self.rcv.nxt
    }

    /// Whether it is the SYN that made this connection, sent again. Any other one in SYN-RECEIVED is
    /// answered by an ACK: two ends that each hold a forged one would send each other SYN+ACKs for
    /// ever.
    fn is_first_syn_again(&self, segment: &Segment) -> bool {
        self.state == State::SynReceived
            && segment.flags.contains(Flags::SYN)
            && segment.seq == self.rcv.irs
            && segment.ack.is_none()
    }

    /// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply"; in
    /// TIME-WAIT a repeated FIN also starts the 2 MSL anew.
    #[cold]
    fn answer_unusable(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        let is_syn = segment.flags.contains(Flags::SYN);
        if segment.is_empty() {
            return self.answer_seldom(cx, Reason::OutOfWindow);
        }
        if self.state == State::SynReceived && is_syn {
            return self.challenge(cx);
        }
        self.note_repetition(cx, segment);
        let is_fin = segment.flags.contains(Flags::FIN);
        let reason = if is_syn {
            // RFC 5961 §4.2: whatever its number.
            Reason::ChallengeAck
        } else if self.state == State::TimeWait && is_fin && segment.end() == self.rcv.nxt {
            self.arm_time_wait(cx);
            Reason::TimeWaitRepeat
        } else if segment.end() <= self.rcv.nxt {
            self.repetition_or(Reason::OldDuplicate)
        } else {
            Reason::OutOfWindow
        };
        self.rcv.demand_ack(reason);
    }

    /// Sends an ACK that lets an honest peer find its place, and a forger nothing
    /// (RFC 5961 §3.2, §4.2).
    #[cold]
    fn challenge(&mut self, cx: &mut Context<'_>) {
        self.answer_seldom(cx, Reason::ChallengeAck);
    }

    /// Answers a segment that can't be used with an ACK, where that is not too soon.
    #[cold]
    fn answer_seldom(&mut self, cx: &mut Context<'_>, reason: Reason) {
        if self.may_answer_unusable(cx) {
            self.rcv.demand_ack(reason);
        }
    }

    /// Segments without text that can't be used are answered at most so often, so that two ends that
    /// disagree can't keep each other busy, nor a forger this one (RFC 5961 §7 asks for such a limit).
    fn may_answer_unusable(&mut self, cx: &Context<'_>) -> bool {
        let last = self.seldom.as_ref().and_then(|seldom| seldom.last_challenge);
        let is_allowed =
            last.is_none_or(|last| cx.now.saturating_since(last) >= cx.knobs.invalid_ratelimit());
        if is_allowed {
            self.seldom_mut().last_challenge = Some(cx.now);
        }
        is_allowed
    }

    /// Second, the RST bit: believed only at exactly RCV.NXT (RFC 5961 §3.2), whatever text comes with
    /// it (SHLD-2).
    fn check_reset(&mut self, cx: &mut Context<'_>, segment: &Segment) -> ControlFlow<()> {
        if !segment.flags.contains(Flags::RST) {
            return ControlFlow::Continue(());
        }
        if segment.seq != self.rcv.nxt {
            self.doubt_after_stray_reset();
            self.challenge(cx);
            return ControlFlow::Break(());
        }
        match self.state {
            // A passive open goes back to LISTEN: its listener forgets this half-open connection.
            State::SynReceived if !self.is_active => {
                self.set_state(cx, State::Closed, Reason::ResetReceived);
            }
            State::SynReceived => self.fail(cx, Error::Refused, Reason::Refused),
            // The peer had finished and will not take what we still send: as Linux tells it.
            State::CloseWait => self.fail(cx, Error::BrokenPipe, Reason::ResetReceived),
            // RFC 1337 §3, fix F1: an old segment may have called for the RST.
            State::TimeWait if cx.knobs.rfc1337() => {}
            State::TimeWait => self.set_state(cx, State::Closed, Reason::ResetReceived),
            // In CLOSING and LAST-ACK too what we sent may not have arrived.
            _ => self.fail(cx, Error::Reset, Reason::ResetReceived),
        }
        ControlFlow::Break(())
    }

    /// Fourth, the SYN bit: in the window of a synchronized connection it proves nothing, so the
    /// peer is asked to prove it with a RST (RFC 5961 §4.2).
    fn check_syn(&mut self, cx: &mut Context<'_>, segment: &Segment) -> ControlFlow<()> {
        if !segment.flags.contains(Flags::SYN) {
            return ControlFlow::Continue(());
        }
        if self.state == State::SynReceived && !self.is_active && segment.seq >= self.rcv.nxt {
            // In the window, and MUST-11 knows that this was a passive open: back to LISTEN.
            self.set_state(cx, State::Closed, Reason::ResetReceived);
        } else {
            self.challenge(cx);
        }
        ControlFlow::Break(())
    }

    /// Fifth, the ACK field. Without the bit the segment goes no further; nor with a number that no
    /// honest peer can send (RFC 5961 §5.2, MAY-12).
    fn check_ack(&mut self, cx: &mut Context<'_>, segment: &Segment) -> ControlFlow<()> {
        let Some(ack) = segment.ack else { return ControlFlow::Break(()) };
        self.liveness.on_heard(cx.now);
        let outcome = self.snd.judge(ack);
        if self.state == State::SynReceived {
            if !matches!(outcome, AckOutcome::New(_)) {
                let reason = Reason::BadHandshakeAck;
                self.seldom_mut().reset = Some(Reset { seq: ack, has_ack: false, reason });
                return ControlFlow::Break(());
            }
            if self.defers_accept(cx, segment) {
                return ControlFlow::Break(());
            }
            self.establish(cx, segment, ack);
            self.take_timestamp(cx, segment);
            return self.check_fin_acknowledged(cx);
        }
        if matches!(outcome, AckOutcome::New(_) | AckOutcome::Old) {
            self.take_timestamp(cx, segment);
        }
        match outcome {
            AckOutcome::Future | AckOutcome::TooOld => {
                self.challenge(cx);
                return ControlFlow::Break(());
            }
            AckOutcome::New(_) => self.take_new_ack(cx, segment, ack),
            AckOutcome::Old => self.take_old_ack(cx, segment, ack),
        }
        self.check_fin_acknowledged(cx)
    }

    /// RFC 7323 §4.3: TS.Recent follows the segments that arrive in order. Only now, as on Linux: a
    /// forger who knows no valid SEG.ACK can't move it.
    fn take_timestamp(&mut self, cx: &Context<'_>, segment: &Segment) {
        let covers_last_ack = segment.seq <= self.rcv.last_ack_sent();
        self.timestamps.update(cx.now, segment.options.timestamps, covers_last_ack);
    }

    /// SYN-RECEIVED ends: the handshake's third segment is here.
    fn establish(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: super::seq::Seq) {
        let syn_end = self.snd.iss + 1;
        if !self.is_active && !self.is_early() {
            // As on Linux the windows that count begin here: a SYN's may be for show.
            self.snd.max_wnd = u64::from(segment.window_field) << self.snd.wnd_shift;
            self.update_smss(cx);
        }
        // What the SYN of an active open carried is settled with it.
        let of_syn = if self.is_active { ack } else { ack.min(syn_end) };
        self.take_handshake_ack(cx, segment, of_syn);
        self.take_window(cx, segment, ack);
        self.set_state(cx, State::Established, Reason::HandshakeComplete);
        self.restart_keepalive(cx);
        if ack > of_syn {
            // Early text was answered too (RFC 7413 §4.2.2).
            self.take_new_ack(cx, segment, ack);
        } else if !segment.options.sack.as_slice().is_empty() {
            // … or came with holes.
            self.take_old_ack(cx, segment, ack);
        }
        // A shutdown called meanwhile was queued until now (§3.10.4, SYN-RECEIVED).
        if self.snd.fin.is_some() {
            self.set_state(cx, State::FinWait1, Reason::ApplicationClosed);
        }
    }

    /// What it means in the closing states that our FIN is acknowledged.
    fn check_fin_acknowledged(&mut self, cx: &mut Context<'_>) -> ControlFlow<()> {
        if !self.snd.is_fin_acknowledged() {
            return ControlFlow::Continue(());
        }
        match self.state {
            State::FinWait1 => self.set_state(cx, State::FinWait2, Reason::FinAcknowledged),
            State::Closing => self.set_state(cx, State::TimeWait, Reason::FinAcknowledged),
            State::LastAck => {
                self.set_state(cx, State::Closed, Reason::FinAcknowledged);
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Starts 2 MSL (§3.6.1, MUST-13), or starts it anew: the last ACK may have been lost.
    pub(super) fn arm_time_wait(&mut self, cx: &mut Context<'_>) {
        self.arm(cx, TimerName::TimeWait, cx.now + 2 * cx.knobs.msl());
    }

    /// The number after the last one this connection has sent.
    pub fn numbers_end(&self) -> u32 {
        self.snd.max.to_wire()
    }

    /// Whether a new active open may take the place of this connection in TIME-WAIT: the peer then
    /// tells its old segments apart by their timestamps, once a second has passed (RFC 6191 §2, seen
    /// from the other end).
    pub fn yields_to_active_open(&self, now: Instant) -> bool {
        self.state == State::TimeWait && self.timestamps.is_recent_older_than(now, REUSE_AGE)
    }

    /// Whether a SYN with this header may open a new connection in place of this one in
    /// TIME-WAIT: when its number lies beyond all that the old one used (RFC 9293 §3.6.1, MAY-2), or
    /// its timestamp does (SHLD-4; RFC 6191 §2; RFC 7323 §5.8). `takes_timestamps`: the new one would use them.
    pub fn accepts_new_syn(&self, header: &Header, takes_timestamps: bool) -> bool {
        let is_beyond = super::seq::Seq::nearest(header.seq, self.rcv.nxt) > self.rcv.nxt;
        let timestamp = header.options.timestamps.filter(|_| takes_timestamps);
        let is_newer = match timestamp {
            Some((value, _)) if self.timestamps.is_on() => {
                let recent = self.timestamps.recent();
                is_before(recent, value) || (value == recent && is_beyond)
            }
            // The old connection's segments, without the option, are none of the new one's.
            Some(_) => true,
            None => is_beyond,
        };
        self.state == State::TimeWait && is_newer
    }
}
