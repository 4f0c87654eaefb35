//! What SEG.ACK and SEG.WND mean to the sender: bytes freed, round trips measured, losses found,
//! the congestion window moved, the peer's window taken.

use std::time::Duration;

use super::congestion::{AckSample, CongestionEvent, CongestionSignal, Phase};
use super::connection::{Connection, Context};
use super::recovery::Progress;
use super::segment::Segment;
use super::seq::Seq;
use crate::event::{Kind, Reason, TimerName};
use crate::wire::tcp::Flags;

impl Connection {
    /// SND.UNA < SEG.ACK =< SND.MAX: `acked` numbers are newly acknowledged.
    pub(super) fn take_new_ack(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment,
        ack: Seq,
        acked: u64,
    ) {
        let in_flight = self.recovery.in_flight(&self.snd);
        let rtt = self.recovery.take_rtt(ack, cx.now);
        if let Some(rtt) = rtt {
            self.take_rtt_sample(cx, rtt);
        }
        self.snd.acknowledge(ack);
        self.liveness.on_progress(cx.now);
        // Our FIN has a number but no byte in the buffer.
        self.send_buffer.release(ack.min(self.send_buffer.end()));
        self.release_records();
        self.soft_error = None;

        let phase = self.congestion.phase();
        let progress = self.recovery.on_progress(&self.snd, acked);
        if progress != Progress::Partial {
            let smss = u64::from(self.snd.smss);
            self.congestion.on_ack(&AckSample {
                now: cx.now,
                acked,
                delivered: acked,
                lost: 0,
                in_flight_before: in_flight,
                in_flight: self.recovery.in_flight(&self.snd),
                una: self.snd.una,
                max: self.snd.max,
                is_cwnd_limited: in_flight + smss >= self.congestion.cwnd(),
                rtt,
                min_rtt: self.rtt.min_rtt(),
                srtt: self.rtt.srtt(),
                ce_bytes: 0,
                rate: None,
            });
        }
        if progress == Progress::Recovered {
            let in_flight = self.recovery.in_flight(&self.snd);
            self.congestion.on_recovered(cx.now, in_flight);
        }
        self.record_phase(cx, phase);
        self.tune_send_buffer(cx);
        self.restart_retransmission_timer(cx);
        self.take_window(cx, segment, ack);
    }

    /// SEG.ACK acknowledges nothing new: a window update, or a duplicate that tells of a loss.
    pub(super) fn take_old_ack(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        self.recovery.on_peer_heard();
        if ack < self.snd.una {
            return;
        }
        // RFC 5681 §2: the five marks of a duplicate ACK.
        let window = u64::from(segment.window_field) << self.snd.wnd_shift;
        let is_duplicate = self.snd.outstanding() > 0
            && segment.payload.is_empty()
            && !segment.flags.contains(Flags::SYN)
            && !segment.flags.contains(Flags::FIN)
            && window == self.snd.wnd;
        if is_duplicate {
            let in_flight = self.recovery.in_flight(&self.snd);
            if self.recovery.on_duplicate(&self.snd) {
                let phase = self.congestion.phase();
                self.ecn.on_reduction();
                self.congestion.on_congestion(&CongestionEvent {
                    now: cx.now,
                    // What limited transmit sent lies beyond cwnd (RFC 5681 §3.2 step 1).
                    flight_size: self.snd.outstanding().min(self.congestion.cwnd()),
                    in_flight,
                    signal: CongestionSignal::Loss,
                });
                self.record_phase(cx, phase);
            }
        }
        self.take_window(cx, segment, ack);
    }

    /// Takes SEG.WND, and ends the probing of a window that has opened.
    pub(super) fn take_window(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        self.snd.update_window(segment, ack);
        if self.snd.usable() > 0 {
            if self.recovery.probes() > 0 {
                self.liveness.on_progress(cx.now);
            }
            self.recovery.on_window_open();
            self.probe_due = false;
            self.stop(cx, TimerName::Persist);
        }
    }

    /// RFC 6298 §5.2 and §5.3: nothing outstanding, no timer; new data acknowledged, a whole RTO
    /// from now. Every partial ACK counts, where RFC 6582 §3.2 has the first only: one hole
    /// a round trip is progress.
    fn restart_retransmission_timer(&mut self, cx: &mut Context<'_>) {
        if self.snd.outstanding() == 0 {
            self.stop(cx, TimerName::Retransmission);
        } else {
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
    }

    /// A round trip was measured.
    pub(super) fn take_rtt_sample(&mut self, cx: &mut Context<'_>, rtt: Duration) {
        self.rtt.sample(rtt);
        if cx.log.is_on() {
            let rtt_ns = u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX);
            self.record(cx, Kind::RttMeasured { rtt_ns }, Some(Reason::RttMeasured));
        }
    }

    /// Records that the congestion controller has left `before` for another phase.
    pub(super) fn record_phase(&self, cx: &mut Context<'_>, before: Phase) {
        let phase = self.congestion.phase();
        if phase != before && cx.log.is_on() {
            let reason = Reason::of_phase(phase.name());
            self.record(cx, Kind::CongestionChanged { phase: phase.name().to_owned() }, reason);
        }
    }
}
