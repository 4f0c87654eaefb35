//! What SEG.TEXT and FIN mean to the receiver: bytes put in order, the end of the stream, and when
//! to say so (RFC 9293 §3.10.7.4, seventh and eighth).

use super::connection::{Connection, Context, Reset};
use super::delayed_ack::Arrived;
use super::segment::Segment;
use super::state::State;
use crate::event::{Reason, TimerName};
use crate::wire::tcp::Flags;

impl Connection {
    /// Takes the text and the FIN of a segment trimmed to the window.
    pub(super) fn arrival_of_text(&mut self, cx: &mut Context<'_>, segment: &mut Segment) {
        self.end_of_more();
        if segment.is_empty() {
            return;
        }
        if !self.state.may_receive() {
            // What comes past the peer's FIN is a lie: its text is ignored, without an answer.
            return;
        }
        if self.is_orphan && !segment.payload.is_empty() {
            // Nobody is left to read it: say so rather than lose it silently
            // (RFC 9293 §3.6.1, SHLD-3; RFC 2525 §2.17).
            // The reset bears the number that the text acknowledges (§3.5.2, group 1), as Linux's.
            let (seq, reason) = (segment.ack.unwrap_or(self.ack_seq()), Reason::DataAfterClose);
            self.seldom_mut().reset = Some(Reset { seq, has_ack: false, reason });
            self.set_state(cx, State::Closed, Reason::DataAfterClose);
            return;
        }
        if segment.flags.contains(Flags::FIN) {
            let fin = segment.seq + segment.payload.len() as u64;
            if segment.seq == self.rcv.nxt {
                // All that comes before it is here: what is held past it is the lie.
                self.reassembler.clear();
            }
            // An end before text that is here already is a lie.
            if self.reassembler.ranges().all(|(_, end)| end <= fin) {
                self.rcv.fin.get_or_insert(fin);
            }
        }
        if let Some(fin) = self.rcv.fin {
            // Text past its own FIN is a lie of the peer's.
            segment.trim_back(fin + 1);
        }
        let was_in_order = segment.seq == self.rcv.nxt;
        let had_holes = !self.reassembler.is_empty();
        let arrived = self.arrived(cx, segment);
        let echoed = self.timestamps.round_trip(cx.now, segment.options.timestamps);
        if !was_in_order {
            self.tally.on_out_of_order(segment.payload.len(), segment.gso_size);
        }
        let count = segment.count();
        self.reassemble(cx, segment);
        let mut due_now = None;
        if was_in_order && arrived.size > 0 {
            due_now = self.rcv.text_due_now(arrived);
            // A segment that ends a write may have waited for something: its echo is old.
            let is_full = arrived.size >= self.rcv.segment_size();
            self.measure_receiving(cx, echoed.filter(|_| is_full));
        }
        let is_end = self.rcv.fin == Some(self.rcv.nxt);
        if is_end {
            self.rcv.advance_past_fin();
        }
        // RFC 5681 §4.2: at once when there is a hole (MAY-13) or one was filled; a FIN at once too. SACK
        // tells in one ACK of all that came past a hole; without it the peer counts duplicates, so each
        // segment of a batch has its own.
        if !was_in_order && !self.sack_permitted {
            self.rcv.demand_ack_for_each(count);
        } else if !was_in_order {
            self.rcv.demand_ack(self.repetition_or(Reason::HoleReported));
        } else if had_holes {
            self.rcv.demand_ack(self.repetition_or(Reason::HoleFilled));
        } else if is_end {
            self.rcv.demand_ack(Reason::AcknowledgeFin);
        } else if let Some(reason) = due_now {
            self.rcv.demand_ack_of_text(reason);
        } else {
            self.delay_ack(cx);
        }
        if is_end {
            self.take_fin(cx);
        }
    }

    /// What the timing of the acknowledgment goes by.
    fn arrived(&self, cx: &Context<'_>, segment: &Segment) -> Arrived {
        let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
        Arrived {
            now: cx.now,
            size: if segment.gso_size == 0 { len } else { len.min(u32::from(segment.gso_size)) },
            flags: segment.flags,
            wnd: self.rcv.wnd(),
            mss: u32::from(self.own_mss(cx.mtu)),
            rto: self.rtt.rto(),
        }
    }

    /// Puts the text in order: what follows RCV.NXT to the application, the rest aside (SHLD-31).
    fn reassemble(&mut self, cx: &mut Context<'_>, segment: &mut Segment) {
        let seq = segment.seq;
        let text = std::mem::take(&mut segment.payload);
        if seq == self.rcv.nxt && self.reassembler.is_empty() {
            self.rcv.advance(seq + text.len() as u64);
            for slice in text {
                self.receive_buffer.push(slice, cx.blocks);
            }
            return;
        }
        // Over its bound the reassembler refuses: not acknowledged, the peer sends it again.
        let insertion = self.reassembler.insert(seq, text.into_bytes());
        self.drops.pieces = self.drops.pieces.saturating_add(u8::from(insertion.dropped));
        if let Some(duplicate) = insertion.duplicate {
            self.note_duplicate(cx, duplicate);
        }
        while let Some(payload) = self.reassembler.pop(self.rcv.nxt) {
            self.rcv.advance(self.rcv.nxt + payload.len() as u64);
            self.receive_buffer.push(payload, cx.blocks);
        }
        self.reassembler.note_recent(seq, self.rcv.fin);
    }

    /// Eighth, the FIN bit: all that came before it is here.
    fn take_fin(&mut self, cx: &mut Context<'_>) {
        self.reassembler.clear();
        match self.state {
            State::SynReceived | State::Established => {
                self.set_state(cx, State::CloseWait, Reason::FinReceived);
            }
            // Ours is not acknowledged yet, or FIN-WAIT-2 would be the state: both closed at once.
            State::FinWait1 => self.set_state(cx, State::Closing, Reason::FinReceived),
            State::FinWait2 => self.set_state(cx, State::TimeWait, Reason::FinReceived),
            _ => {}
        }
    }

    /// The acknowledgment may wait for text to ride on (RFC 9293 §3.8.6.3, SHLD-18; MUST-40: < 0.5 s).
    fn delay_ack(&mut self, cx: &mut Context<'_>) {
        let delay = cx.knobs.delack();
        if delay.is_zero() {
            self.rcv.demand_ack_of_text(Reason::Acknowledge);
        } else if !self.timers.is_armed(TimerName::DelayedAck) {
            self.arm(cx, TimerName::DelayedAck, cx.now + delay);
        }
    }
}
