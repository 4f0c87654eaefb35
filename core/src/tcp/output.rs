//! The one place that answers "what do I send next?": resets, handshake, retransmissions, new
//! data, FIN, probes and acknowledgments alike, in that order. When nothing may be sent it also
//! says what has to be waited for, by the timer it leaves armed.

use super::connection::{Connection, Context, Outgoing};
use super::recovery::Sent;
use super::seq::Seq;
use super::state::State;
use crate::event::{Reason, TimerName};
use crate::knobs::EcnVariant;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};
use crate::wire::tcp_options::Options;

/// A piece of the send sequence space chosen to leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    seq: Seq,
    /// Text, in bytes; more than SMSS makes a super-segment.
    len: u64,
    fin: bool,
    reason: Reason,
}

impl Connection {
    /// The next segment to send, until there is none.
    pub fn poll_transmit(&mut self, cx: &mut Context<'_>) -> Option<Outgoing> {
        if cx.log.is_on() {
            cx.log.set_cause(self.cause.index());
        }
        let sent_before = self.snd.max;
        let outgoing = if self.is_silent() { None } else { self.next_segment(cx) };
        if let Some(outgoing) = &outgoing {
            let is_repeat = outgoing.is_before(sent_before);
            let (len, gso_size) = (outgoing.payload.len(), outgoing.gso_size);
            self.tally.on_departure(cx.now, len, gso_size, is_repeat);
        }
        if outgoing.is_none() || self.is_silent() {
            debug_assert!(self.next_segment(cx).is_none(), "what seems silent is");
            self.settle(cx);
        }
        #[cfg(debug_assertions)]
        self.check();
        outgoing
    }

    /// Whether a glance tells that there is nothing to send, as mostly there is not behind a segment
    /// that was sent or came: [`Connection::poll_transmit`] would say None, and need not be asked.
    pub fn is_silent(&self) -> bool {
        self.has_said_all()
            && !self.rcv.is_ack_due()
            && !self.liveness.is_probe_due()
            && self.seldom.as_ref().is_none_or(|seldom| seldom.reset.is_none())
    }

    /// Whether a glance tells that no text or FIN is to be sent, new or again.
    fn has_said_all(&self) -> bool {
        self.state.is_synchronized()
            && self.send_buffer.end() <= self.snd.nxt
            && self.snd.fin.is_none_or(|fin| fin < self.snd.nxt)
            && !self.probe_due
            && self.recovery.is_silent()
            && self.mtu_probe.is_none()
    }

    /// Nothing is to be sent now: what is waited for, and how long.
    fn settle(&mut self, cx: &mut Context<'_>) {
        self.tally.on_limit(cx.now, self.limit());
        self.settle_timers(cx);
        self.settle_user_timeout(cx);
        if self.timers.rest() {
            self.rest();
        }
    }

    fn next_segment(&mut self, cx: &mut Context<'_>) -> Option<Outgoing> {
        if let Some(reset) = self.seldom.as_mut().and_then(|seldom| seldom.reset.take()) {
            let flags = if reset.has_ack { Flags::RST.union(Flags::ACK) } else { Flags::RST };
            return Some(self.bare_segment(cx, reset.seq, flags, reset.reason));
        }
        match self.state {
            State::Closed | State::Listen => return None,
            State::SynSent | State::SynReceived if self.snd.nxt == self.snd.iss => {
                return Some(self.syn_segment(cx));
            }
            _ if self.has_said_all() => {
                debug_assert!(!self.state.may_send() || self.next_piece(cx).is_none());
            }
            state if state.may_send() || self.is_early() => {
                if let Some(piece) = self.next_piece(cx) {
                    return Some(self.text_segment(cx, piece));
                }
            }
            _ => {}
        }
        if self.liveness.take_probe() && self.state.is_synchronized() {
            // SHLD-12: without text; its number, acknowledged before, makes the peer answer.
            let reason = Reason::KeepaliveProbe;
            return Some(self.bare_segment(cx, self.snd.una - 1, Flags::ACK, reason));
        }
        let reason = self.rcv.ack_reason().filter(|_| self.state != State::SynSent)?;
        Some(self.bare_segment(cx, self.ack_seq(), Flags::ACK, reason))
    }

    /// Which piece of the stream leaves next, if any may.
    fn next_piece(&mut self, cx: &Context<'_>) -> Option<Piece> {
        if self.pacing_wait(cx.now).is_none()
            && let Some(piece) = self.next_unpaced(cx)
        {
            return Some(piece);
        }
        if std::mem::take(&mut self.probe_due) {
            // MUST-36: one octet past the closed window, or the FIN when no data is left.
            self.recovery.window_probes.on_probe();
            return self.piece_at(self.snd.una, 1, Reason::ZeroWindowProbe);
        }
        None
    }

    /// Which piece leaves next where it is not too early for any.
    fn next_unpaced(&mut self, cx: &Context<'_>) -> Option<Piece> {
        if !self.recovery.is_silent() {
            if let Some(piece) = self.next_repair(cx) {
                return Some(piece);
            }
            if self.recovery.take_due_probe() {
                return self.tail_probe();
            }
        }
        self.next_in_window(cx)
    }

    /// At most `limit` bytes from `seq` on, with the FIN if that is where they end.
    fn piece_at(&self, seq: Seq, limit: u64, reason: Reason) -> Option<Piece> {
        let data = self.text_end(seq).since(seq);
        let len = data.min(limit);
        let fin = self.snd.fin == Some(seq + len) && len < limit;
        (len > 0 || fin).then_some(Piece { seq, len, fin, reason })
    }

    /// What is lost and leaves again, as far as both windows allow: several segments in one where
    /// the device takes that.
    #[cold]
    fn next_repair(&mut self, cx: &Context<'_>) -> Option<Piece> {
        if self.recovery.prefers_new_data() {
            if let Some(piece) = self.next_in_window(cx) {
                return Some(piece);
            }
            if !self.recovery.give_up_new_data(&self.snd) {
                return None;
            }
        }
        let (seq, end) = self.recovery.first_lost()?;
        let (len, fin) = self.lost_text(seq, end, self.largest(cx)).ok()?;
        let reason = self.recovery.repair_reason(cx.knobs);
        Some(Piece { seq, len, fin, reason })
    }

    /// RFC 8985 §7.3: one segment of new data if the peer takes it, whatever cwnd says, else the last
    /// one again.
    #[cold]
    fn tail_probe(&mut self) -> Option<Piece> {
        let reason = Reason::TailLossProbe;
        let new = self.text_max().min(self.snd.usable());
        if let Some(piece) = self.piece_at(self.snd.nxt, new, reason).filter(|_| new > 0) {
            return Some(piece);
        }
        let (seq, end) = self.recovery.last_segment()?;
        let text = end.min(self.send_buffer.end()).since(seq);
        let fin = end > self.send_buffer.end();
        Some(Piece { seq, len: text, fin, reason })
    }

    /// The most text that one piece carries, in bytes.
    fn largest(&self, cx: &Context<'_>) -> u64 {
        let smss = self.text_max();
        match cx.gso_max as u64 / smss {
            0 | 1 => smss,
            // So is what the urgent pointer says: it counts from each segment's own number.
            _ if self.is_urgent() => smss,
            // Cutting a super-segment takes CWR from all segments but the first; here it is a count.
            _ if self.ecn.variant() == EcnVariant::Accurate => smss,
            segments => segments.min(self.pacing_quantum() / smss).max(1) * smss,
        }
    }

    /// What may be sent from SND.NXT on: the peer's window, the congestion window, the device and
    /// the silly-window rules each have their say. Whatever the calls that wrote it, it is cut into
    /// the largest segments possible (RFC 9293 §3.9.1.2, SHLD-27, SHLD-28).
    fn next_in_window(&mut self, cx: &Context<'_>) -> Option<Piece> {
        self.tend_mtu_search(cx);
        let seq = self.snd.nxt;
        let data = self.text_end(seq).since(seq);
        let usable = self.snd.usable();
        let is_repeat = seq < self.snd.max;
        if data == 0 {
            let fin = self.snd.fin == Some(seq) && usable > 0;
            let reason = if is_repeat { Reason::TimeoutRetransmit } else { Reason::Fin };
            return fin.then_some(Piece { seq, len: 0, fin, reason });
        }
        let room = self.congestion_room();
        if let Some(len) = self.mtu_probe_len(cx, data, usable, room) {
            return Some(Piece { seq, len, fin: false, reason: Reason::MtuProbe });
        }
        let len = self.new_text(data, (usable, room), self.largest(cx)).ok()?;
        let is_overdue = std::mem::take(&mut self.override_due);
        let fin = self.snd.fin == Some(seq + len) && len == data && usable > len;
        let cwnd = self.congestion.cwnd();
        let reason = match self.recovery.is_limited_transmit(&self.snd, cwnd) {
            true => Reason::LimitedTransmit,
            false if is_overdue => Reason::SwsOverride,
            false => Reason::NewData,
        };
        Some(Piece { seq, len, fin, reason })
    }

    /// Whether something waits only for the time at which it may leave; arms the timer for it.
    fn settle_pacing(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.pacing_wait(cx.now) else {
            self.stop(cx, TimerName::Pacing);
            return false;
        };
        let unsent = self.send_buffer.end() > self.snd.nxt;
        let has_room = self.congestion_room() >= self.text_max();
        let may_leave = (unsent && self.snd.usable() > 0) || self.recovery.first_lost().is_some();
        let may_send = self.state.may_send() || self.is_early();
        let is_paced = may_send && may_leave && has_room;
        if !is_paced {
            self.stop(cx, TimerName::Pacing);
        } else if self.timers.deadline(TimerName::Pacing) != Some(at) {
            self.arm(cx, TimerName::Pacing, at);
        }
        is_paced
    }

    /// Nothing may be sent: what is waited for? The peer's ACK (retransmission), its window
    /// (persist, or the override of silly-window avoidance), or nothing.
    fn settle_timers(&mut self, cx: &mut Context<'_>) {
        self.settle_tail_probe(cx);
        self.note_app_limit();
        let is_paced = self.settle_pacing(cx);
        let unsent = self.send_buffer.end() > self.snd.nxt
            || self.snd.fin.is_some_and(|fin| self.snd.nxt <= fin);
        let is_awaited = self.snd.outstanding() > 0;
        if !self.state.may_send() || is_awaited || !unsent {
            self.stop(cx, TimerName::Persist);
            self.stop(cx, TimerName::SwsOverride);
            let is_guarded = self.timers.is_armed(TimerName::Retransmission);
            if is_awaited && self.state.may_send() && !is_guarded {
                self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
            }
            return;
        }
        self.stop(cx, TimerName::Retransmission);
        if self.snd.usable() > 0 {
            self.stop(cx, TimerName::Persist);
            if !is_paced && !self.timers.is_armed(TimerName::SwsOverride) {
                self.arm(cx, TimerName::SwsOverride, cx.now + self.override_interval());
            }
        } else if !self.timers.is_armed(TimerName::Persist) {
            self.arm(cx, TimerName::Persist, cx.now + self.probe_interval(cx));
        }
    }

    /// Too little data is what holds the sender up: what is measured tells of the application.
    fn note_app_limit(&mut self) {
        let unsent = self.send_buffer.end().since(self.snd.nxt);
        if unsent < self.text_max() && self.recovery.first_lost().is_none() {
            self.recovery.on_app_limited(&self.snd, self.congestion.cwnd());
        }
    }

    /// RFC 8985 §7.2: after new data left or was acknowledged.
    fn settle_tail_probe(&mut self, cx: &mut Context<'_>) {
        let rto_at = self.timers.deadline(TimerName::Retransmission);
        let srtt = self.rtt.srtt();
        match self.recovery.take_probe_deadline(cx.knobs, cx.now, srtt, rto_at) {
            Some(Some(at)) => self.arm(cx, TimerName::TailLossProbe, at),
            Some(None) => self.stop(cx, TimerName::TailLossProbe),
            None => {}
        }
    }

    /// SYN, or SYN+ACK where the peer's SYN is known.
    #[cold]
    fn syn_segment(&mut self, cx: &mut Context<'_>) -> Outgoing {
        let is_repeat = self.snd.max > self.snd.iss;
        let (flags, reason) = match (self.state, is_repeat) {
            (State::SynSent, false) => (Flags::SYN, Reason::ActiveOpen),
            (State::SynSent, true) => (Flags::SYN, Reason::TimeoutRetransmit),
            (_, false) => (Flags::SYN.union(Flags::ACK), Reason::PassiveOpen),
            // The SYNs have crossed: the answer to the peer's, not yet a repetition.
            (_, true) if self.is_active && self.rtt.backoffs() == 0 => {
                (Flags::SYN.union(Flags::ACK), Reason::SimultaneousOpen)
            }
            (_, true) => (Flags::SYN.union(Flags::ACK), Reason::RepeatSynAck),
        };
        let is_fallback = is_repeat && cx.knobs.ecn_fallback();
        let ecn_flags = match self.state {
            State::SynSent => self.ecn.syn_flags(is_fallback),
            // The first repetition may still answer a SYN with ECN (RFC 9768 §3.1.4.2).
            _ => self.ecn.syn_ack_flags(is_fallback && self.rtt.backoffs() > 1),
        };
        let mut outgoing = self.bare_segment_unlogged(cx, self.snd.iss, flags | ecn_flags, reason);
        // RFC 9293 §3.7.1 (MUST-14, SHLD-5, MAY-3): say what we take, always, on both SYNs; and on
        // nothing else (MUST-65).
        outgoing.header.options = Options {
            mss: Some(self.own_mss(cx.mtu)),
            window_scale: self.offered_shift,
            sack_permitted: self.sack_permitted,
            accurate_ecn: self.ecn.take_option(),
            user_timeout: self.user_timeout_on_syn(cx),
            ..outgoing.header.options
        };
        let text = self.dress_syn(&mut outgoing, is_repeat);
        self.snd.advance(1 + text);
        if self.recovery.board().is_some() {
            // Early text is on its way (RFC 7413 §4.2): the SYN+ACK alone is repeated.
            self.snd.nxt = self.snd.max;
        }
        if is_repeat {
            self.recovery.stop_timing();
        } else {
            self.recovery.start_timing(cx.now);
        }
        // A peer that keeps repeating its SYN does not put off the end of our patience.
        if !self.timers.is_armed(TimerName::Retransmission) {
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
        if cx.log.is_on() {
            self.record_departure(cx, &outgoing, is_repeat);
        }
        outgoing
    }

    /// Text with its FIN, and every variable that its leaving changes.
    fn text_segment(&mut self, cx: &mut Context<'_>, piece: Piece) -> Outgoing {
        let Piece { seq, len, fin, reason } = piece;
        let end = seq + len;
        let text_max = self.text_max();
        let mut flags = Flags::ACK;
        if len > 0 && (end == self.send_buffer.end() || self.is_record_end(end)) {
            // RFC 9293 §3.9.1.2: the last segment of what was sent carries PSH (MUST-61), and so does
            // the last of a record.
            flags = flags.union(Flags::PSH);
        }
        if fin {
            flags = flags.union(Flags::FIN);
        }
        let mut outgoing = self.bare_segment_unlogged(cx, seq, flags, reason);
        outgoing.payload = self.send_buffer.payload(seq, len as usize);
        if len > text_max && reason != Reason::MtuProbe {
            outgoing.gso_size = u16::try_from(text_max).unwrap_or(u16::MAX);
        }
        let is_repeat = seq < self.snd.max;
        let is_probe = reason == Reason::ZeroWindowProbe;
        let numbers = len + u64::from(fin);
        self.mark(&mut outgoing, len > 0 && !is_repeat && !is_probe);
        if is_repeat {
            self.note_repeat(seq);
        }
        let start = self.snd.una == seq;
        if is_probe {
            // SND.NXT stays: a peer that drops the probe is sent the byte again with the rest.
            self.snd.max = self.snd.max.max(seq + numbers);
        } else {
            self.note_transmission(cx, piece, text_max, is_repeat);
        }
        if !len.is_multiple_of(text_max) && !is_repeat && reason != Reason::MtuProbe {
            self.small_end = end;
        }
        self.last_sent = cx.now;
        self.rcv.on_text_sent(cx.now, cx.knobs.delack());
        // RFC 6298 §5.1: whatever takes up numbers is guarded; a probe by the persist timer. What
        // is sent again at SND.UNA has its whole round trip before it, and so has what a tail loss
        // probe asks for (RFC 8985 §7.3).
        let is_guarded = self.timers.is_armed(TimerName::Retransmission);
        let is_anew = (is_repeat && start) || reason == Reason::TailLossProbe;
        if !is_probe && (!is_guarded || is_anew) {
            self.stop(cx, TimerName::Persist);
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
        if cx.log.is_on() {
            self.record_departure(cx, &outgoing, is_repeat);
        }
        outgoing
    }

    /// What a segment after the SYNs says of congestion marks, and whether it may be marked itself.
    fn mark(&mut self, outgoing: &mut Outgoing, is_new_text: bool) {
        outgoing.header.flags = outgoing.header.flags | self.ecn.flags(is_new_text);
        outgoing.ecn = self.ecn.codepoint(is_new_text);
    }

    /// What the recovery and the controller hear of text that leaves.
    fn note_transmission(
        &mut self,
        cx: &Context<'_>,
        piece: Piece,
        text_max: u64,
        is_repeat: bool,
    ) {
        let numbers = piece.len + u64::from(piece.fin);
        let in_flight = self.recovery.in_flight(&self.snd);
        if in_flight == 0 {
            let is_app_limited = self.recovery.is_app_limited();
            self.congestion.on_transmit_start(cx.now, is_app_limited);
        }
        if piece.seq == self.snd.nxt {
            self.snd.advance(numbers);
        }
        let sent = Sent {
            start: piece.seq,
            end: piece.seq + numbers,
            is_repeat,
            is_tail_probe: piece.reason == Reason::TailLossProbe,
            segment_size: match piece.reason {
                Reason::MtuProbe => numbers,
                _ if piece.len > text_max => text_max,
                _ => numbers,
            },
        };
        self.recovery.on_transmit(cx.now, &self.snd, in_flight, sent);
        self.recovery.note_window_use(&self.snd, self.congestion.cwnd());
        self.pace(cx.now, numbers);
    }

    /// A segment without text that leaves as it is.
    fn bare_segment(
        &mut self,
        cx: &mut Context<'_>,
        seq: Seq,
        flags: Flags,
        reason: Reason,
    ) -> Outgoing {
        let mut outgoing = self.bare_segment_unlogged(cx, seq, flags, reason);
        if !flags.contains(Flags::RST) {
            self.mark(&mut outgoing, false);
            outgoing.header.options.accurate_ecn = self.ecn.take_option();
        }
        if cx.log.is_on() {
            self.record_departure(cx, &outgoing, false);
        }
        outgoing
    }

    /// Header and window; anything with ACK acknowledges all there is, so none is owed any more.
    fn bare_segment_unlogged(
        &mut self,
        cx: &mut Context<'_>,
        seq: Seq,
        flags: Flags,
        reason: Reason,
    ) -> Outgoing {
        let (src_port, dst_port) = self.ends.ports();
        let has_ack = flags.contains(Flags::ACK);
        let urgent = self.urgent_field(seq, flags);
        let flags = if urgent.is_some() { flags.union(Flags::URG) } else { flags };
        let window = self.window_field(cx, flags);
        // RFC 7323 §3.2: on every segment; §5.2: on a RST too if the application asked for it, but
        // an answer to a segment that is not of this connection bears nothing of it, as on Linux.
        let is_answer = flags.contains(Flags::RST) && !has_ack;
        let mut options = Options::default();
        if !is_answer {
            options.timestamps = self.timestamps.option(cx.now, has_ack);
        }
        if has_ack && !flags.contains(Flags::RST) && !flags.contains(Flags::SYN) {
            options.user_timeout = self.take_due_user_timeout();
            options.sack = self.sack_blocks();
            if let Some(seldom) = &mut self.seldom {
                seldom.duplicate = None;
            }
        }
        if has_ack {
            self.rcv.ack_sent();
            self.stop(cx, TimerName::DelayedAck);
        }
        Outgoing {
            header: Header {
                src_port,
                dst_port,
                seq: seq.to_wire(),
                ack: if has_ack { self.rcv.nxt.to_wire() } else { 0 },
                flags,
                window,
                urgent: urgent.unwrap_or(0),
                options,
            },
            payload: Payload::default(),
            gso_size: 0,
            ecn: Ecn::NotEct,
            reason,
        }
    }

    /// RFC 9293 §3.8.6.2.1: between 0.1 and 1 second, and the timer of window probes will do, as on
    /// Linux.
    fn override_interval(&self) -> std::time::Duration {
        const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
        self.rtt.rto().clamp(SECOND / 5, SECOND)
    }

    /// The number of a segment without text: past all that was sent, but not past what the peer's
    /// windows allowed (as a probe is), where it would not be looked at.
    pub(super) fn ack_seq(&self) -> Seq {
        self.snd.max.min(self.snd.edge).max(self.snd.una)
    }
}
