//! What SEG.ACK and SEG.WND mean to the sender: bytes freed, round trips measured, losses found,
//! the congestion window moved, the peer's window taken.

use std::time::Duration;

use super::congestion::Phase;
use super::connection::{Connection, Context};
use super::recovery::{AckReport, Acknowledgment, Recovery, Scene};
use super::segment::Segment;
use super::seq::Seq;
use crate::event::{Kind, Reason, TimerName};
use crate::knobs::EcnVariant;
use crate::time::Instant;
use crate::wire::tcp::Flags;

impl Connection {
    /// SND.UNA < SEG.ACK =< SND.MAX: some numbers are newly acknowledged.
    pub(super) fn take_new_ack(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        let (una_before, in_flight_before) = (self.snd.una, self.recovery.in_flight(&self.snd));
        self.snd.acknowledge(ack);
        // Our FIN has a number but no byte in the buffer.
        self.send_buffer.release(ack.min(self.send_buffer.end()));
        self.release_records();
        self.soft_error = None;
        self.liveness.on_progress(cx.now);
        self.recovery.window_probes.on_peer_heard();
        self.recover(cx, segment, una_before, in_flight_before, 0);
        self.tune_send_buffer(cx);
        self.take_window(cx, segment, ack);
    }

    /// SEG.ACK acknowledges nothing new: a window update, a duplicate, or news of what arrived out of
    /// order.
    pub(super) fn take_old_ack(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        self.recovery.window_probes.on_peer_heard();
        // RFC 5681 §2: the five marks of a duplicate ACK.
        let window = u64::from(segment.window_field) << self.snd.wnd_shift;
        let is_duplicate = ack == self.snd.una
            && self.snd.outstanding() > 0
            && segment.payload.is_empty()
            && !segment.flags.contains(Flags::SYN)
            && !segment.flags.contains(Flags::FIN)
            && window == self.snd.wnd;
        let in_flight = self.recovery.in_flight(&self.snd);
        self.recover(cx, segment, self.snd.una, in_flight, u32::from(is_duplicate));
        if ack >= self.snd.una {
            self.take_window(cx, segment, ack);
        }
    }

    /// Lets the recovery see an acknowledgment, and does what it asks for.
    fn recover(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment,
        una_before: Seq,
        in_flight_before: u64,
        duplicates: u32,
    ) {
        let acked = self.snd.una.since(una_before);
        let marks = self.ecn.marks_reported(segment, acked, self.snd.smss);
        let says_nothing = acked == 0 && marks == 0 && segment.options.sack.as_slice().is_empty();
        if says_nothing && self.recovery.is_at_rest() {
            // As mostly where it is the peer that sends.
            return;
        }
        let echo_rtt = self.timestamps.round_trip(cx.now, segment.options.timestamps);
        let ack = Acknowledgment {
            ack: segment.ack.unwrap_or(una_before),
            una_before,
            in_flight_before,
            sack: &segment.options.sack,
            echo: self.echo_sent_before(cx, echo_rtt),
            echo_rtt,
            duplicates,
            has_new_data: self.send_buffer.end() > self.snd.nxt,
            marks,
            has_exact_marks: self.ecn.variant() == EcnVariant::Accurate,
        };
        let phase = self.observed_phase(cx);
        let (recovery, mut scene) = self.scene(cx);
        let report = recovery.on_ack(&mut scene, &ack);
        self.tally.on_delivered(report.delivered_segments);
        if let Some(rtt) = report.rtt
            && cx.log.is_on()
        {
            self.record_rtt(cx, rtt);
        }
        if report.is_reduced {
            self.ecn.on_reduction();
        }
        if report.is_mtu_probe_lost {
            self.on_mtu_probe_lost(cx);
        }
        self.record_phase(cx, phase);
        if report.is_undone && cx.log.is_on() {
            self.record_undo(cx);
        }
        if report.restarts_rto {
            self.restart_retransmission_timer(cx);
        }
        if report.is_reneging {
            // A timeout alone may take back what was SACKed; half a round trip must do.
            let patience = (self.rtt.srtt().unwrap_or_default() / 2).max(RENEGING);
            self.arm(cx, TimerName::Retransmission, cx.now + patience);
        }
        self.await_reordering(cx, &report);
    }

    /// The end of the tick in which the segment was sent that a timestamp's echo answers; nothing
    /// where the round trip is too short to tell.
    fn echo_sent_before(&self, cx: &Context<'_>, echo_rtt: Option<Duration>) -> Option<Instant> {
        let ticks = echo_rtt.filter(|rtt| *rtt > TICK)?;
        let into_tick = Duration::from_nanos(cx.now.as_nanos() % TICK.as_nanos() as u64);
        Some(cx.now - into_tick - ticks + TICK)
    }

    /// The recovery, and what it looks at and speaks to.
    pub(super) fn scene<'a>(&'a mut self, cx: &Context<'a>) -> (&'a mut Recovery, Scene<'a>) {
        let scene = Scene {
            now: cx.now,
            knobs: cx.knobs,
            snd: &self.snd,
            rtt: &mut self.rtt,
            congestion: &mut *self.congestion,
            mtu_probe: self.mtu_probe.as_ref().and_then(|search| search.on_its_way()),
        };
        (&mut self.recovery, scene)
    }

    /// RFC 8985 §6.2: the timer that lets reordering resolve. Where it runs it is the only one
    /// (RFC 8985 §8): something being SACKed, no tail loss probe waits; a timeout that would come
    /// sooner stands back.
    pub(super) fn await_reordering(&mut self, cx: &mut Context<'_>, report: &AckReport) {
        match report.reordering_at {
            Some(Some(at)) => {
                let timeout = self.timers.deadline(TimerName::Retransmission);
                if timeout.is_some_and(|timeout| timeout <= at + SLACK) {
                    self.arm(cx, TimerName::Retransmission, at + 2 * SLACK);
                }
                self.arm(cx, TimerName::Reordering, at + SLACK);
            }
            Some(None) => self.stop(cx, TimerName::Reordering),
            None if self.recovery.board().is_none() => self.stop(cx, TimerName::Reordering),
            None => {}
        }
    }

    /// Takes SEG.WND, and ends the probing of a window that has opened.
    pub(super) fn take_window(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        let was_closed = self.snd.window_end() <= self.snd.una;
        let share = self.snd.window_share();
        self.snd.update_window(segment, ack);
        if share.is_none_or(|share| share <= self.snd.smss.into())
            && self.snd.window_share() > share
        {
            self.update_smss(cx);
        }
        if was_closed && self.snd.window_end() > self.snd.una {
            self.recovery.on_window_open();
        }
        if self.snd.usable() > 0 {
            if self.recovery.window_probes.sent() > 0 {
                self.liveness.on_progress(cx.now);
            }
            self.recovery.window_probes.on_window_open();
            self.probe_due = false;
            self.stop(cx, TimerName::Persist);
        }
    }

    /// RFC 6298 §5.2 and §5.3, in a repair by SACK too (RFC 6675 §6): nothing outstanding, no timer; new
    /// data acknowledged, a whole RTO from now. Every partial ACK counts, where RFC 6582 §3.2 has the first only: one hole
    /// a round trip is progress.
    fn restart_retransmission_timer(&mut self, cx: &mut Context<'_>) {
        if self.snd.outstanding() == 0 {
            self.stop(cx, TimerName::Retransmission);
        } else {
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
    }

    /// The handshake has measured a round trip.
    pub(super) fn take_rtt_sample(&mut self, cx: &mut Context<'_>, rtt: Duration) {
        self.rtt.note_least(cx.now, rtt);
        self.rtt.sample(rtt, self.snd.una, self.snd.max);
        self.recovery.on_rtt();
        if cx.log.is_on() {
            self.record_rtt(cx, rtt);
        }
    }

    #[cold]
    fn record_rtt(&self, cx: &mut Context<'_>, rtt: Duration) {
        let rtt_ns = u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX);
        self.record(cx, Kind::RttMeasured { rtt_ns }, Some(Reason::RttMeasured));
    }

    /// Records that a reduction proved needless.
    #[cold]
    fn record_undo(&self, cx: &mut Context<'_>) {
        let phase = self.congestion.phase().name().to_owned();
        self.record(cx, Kind::CongestionChanged { phase }, Some(Reason::SpuriousRepair));
    }

    /// Records the phase that the congestion controller begins with.
    pub(super) fn record_first_phase(&self, cx: &mut Context<'_>) {
        if cx.log.is_on() {
            let phase = self.congestion.phase().name();
            let kind = Kind::CongestionChanged { phase: phase.to_owned() };
            self.record(cx, kind, Reason::of_phase(phase));
        }
    }

    /// The congestion controller's phase, if anybody reads: for [`Connection::record_phase`].
    #[inline]
    pub(super) fn observed_phase(&self, cx: &Context<'_>) -> Option<Phase> {
        cx.log.is_on().then(|| self.congestion.phase())
    }

    /// Records that the congestion controller has left `before` for another phase.
    #[inline]
    pub(super) fn record_phase(&self, cx: &mut Context<'_>, before: Option<Phase>) {
        if let Some(before) = before {
            self.record_change_of_phase(cx, before);
        }
    }

    #[cold]
    fn record_change_of_phase(&self, cx: &mut Context<'_>, before: Phase) {
        let phase = self.congestion.phase();
        if phase != before {
            let reason = Reason::of_phase(phase.name());
            self.record(cx, Kind::CongestionChanged { phase: phase.name().to_owned() }, reason);
        }
    }
}

/// How long a peer that seems to have taken back a SACK is waited for at least.
const RENEGING: Duration = Duration::from_millis(10);

/// What the reordering timer is late by, as on Linux, so that an ACK which comes just then is heard
/// first. RFC 8985 §6.2 has no such slack; what is deemed lost when the timer fires is the same.
const SLACK: Duration = Duration::from_millis(2);

/// One tick of the timestamps' clock.
const TICK: Duration = Duration::from_millis(1);
