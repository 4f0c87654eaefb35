//! How a repair begins and ends: with the window reduced, once, and given back if it was for nothing.
//!
//! Owns `recover`, where the present reduction ends, and the way into CWR, Recovery and Loss and
//! out of them. Which way is taken is for `states` to say.

use super::delivery::Acknowledgment;
use super::frto::Frto;
use super::prr::Prr;
use super::reaction::{AckReport, Ending, close};
use super::scoreboard::Scoreboard;
use super::states::RepairState;
use super::{Recovery, Scene};
use crate::tcp::congestion::{CongestionEvent, CongestionSignal};
use crate::tcp::sender::Sender;
use crate::tcp::seq::Seq;

impl Recovery {
    /// A loss was found: what is lost is sent again, and the window is reduced unless a mark has
    /// reduced it in this round trip already.
    pub(super) fn enter_recovery(
        &mut self,
        scene: &mut Scene<'_>,
        in_flight_before: u64,
        report: &mut AckReport,
    ) {
        if self.state < RepairState::Cwr && self.has_lost_only(scene.mtu_probe) {
            // RFC 4821 §7.6.2: it was too large, which says nothing of congestion.
            report.is_mtu_probe_lost = true;
            return self.repair_unreduced(scene.snd);
        }
        let repeated = self.board().map_or(0, Scoreboard::repeated_segments);
        let is_reducing = self.state == RepairState::Cwr;
        let undo = &mut self.episode.get_or_insert_default().undo;
        undo.begin(scene.snd.una, repeated, !is_reducing);
        if !is_reducing {
            self.reduce(scene, in_flight_before, CongestionSignal::Loss, report);
        }
        self.newreno.limit(scene.snd, self.reordering);
        self.probe.reset();
        self.is_forced = true;
        self.recover = scene.snd.nxt;
        self.state = RepairState::Recovery;
    }

    /// RFC 3168 §6.1.2: as for a loss, though nothing is sent again.
    pub(super) fn enter_cwr(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        report: &mut AckReport,
    ) {
        if let Some(episode) = &mut self.episode {
            episode.undo.end();
        }
        self.reduce(scene, ack.in_flight_before, CongestionSignal::Ecn, report);
        self.recover = scene.snd.nxt;
        self.state = RepairState::Cwr;
    }

    pub(super) fn reduce(
        &mut self,
        scene: &mut Scene<'_>,
        in_flight_before: u64,
        signal: CongestionSignal,
        report: &mut AckReport,
    ) {
        let in_flight = self.in_flight(scene.snd);
        // The controller hears that one reduction is over before the next one begins.
        close(scene, in_flight, report.ending.take());
        report.is_reduced = true;
        let flight_size = scene.snd.outstanding() + report.acked;
        let event = CongestionEvent {
            now: scene.now,
            // What limited transmit sent lies beyond cwnd (RFC 5681 §3.1, equation 4).
            flight_size: flight_size.min(scene.congestion.cwnd()),
            in_flight,
            signal,
        };
        scene.congestion.on_congestion(&event);
        self.episode.get_or_insert_default().prr = Prr::new(in_flight_before);
    }

    /// The retransmission timer fired: what was sent is lost, but for what was sent so lately that
    /// the silence says nothing of it (RFC 6675 §5.1, RFC 8985 §6.3).
    pub fn on_timeout(&mut self, scene: &mut Scene<'_>) {
        let snd = scene.snd;
        let has_progress = self.timeouts == 0;
        let is_new = self.state < RepairState::Recovery;
        // RFC 5681 §3.1: once for each window, and not again for the same segment.
        let is_first = self.state <= RepairState::Disorder
            || snd.una >= self.recover
            || (self.state == RepairState::Loss && has_progress);
        self.note_timeout(scene.now);
        self.newreno.reset();
        self.lose_at_timeout(scene);
        let episode = self.episode.get_or_insert_default();
        if is_first {
            episode.undo.begin(snd.una, 0, true);
        }
        let detects = scene.knobs.frto() && (is_new || !has_progress);
        episode.frto = if detects { Frto::FirstSent } else { Frto::Off };
        scene.congestion.on_timeout(scene.now, snd.outstanding(), is_first);
        let in_flight = self.in_flight(snd);
        if in_flight > 0 {
            // One segment may leave, whatever is thought to be on its way still.
            scene.congestion.set_cwnd(in_flight + u64::from(snd.smss));
        }
        self.probe.reset();
        self.is_forced = true;
        self.recover = snd.nxt;
        self.state = RepairState::Loss;
    }

    /// The peer's window was closed and is open: what a timeout had sent again meanwhile found no room,
    /// and need not wait for the next one.
    pub fn on_window_open(&mut self) {
        let is_probing = self.state == RepairState::Loss && self.timeouts > 0;
        if let Some(flight) = self.flight.as_mut().filter(|_| is_probing) {
            flight.board.lose_all(|_| false, |_| {});
            self.is_forced = true;
        }
    }

    /// The path takes smaller segments only: what is outstanding goes out again, cut anew. That is
    /// no sign of congestion (RFC 1191 §6.5).
    pub fn on_resegment(&mut self, snd: &Sender) {
        let Some(flight) = &mut self.flight else { return };
        flight.board.lose_all(|_| false, |_| {});
        self.repair_unreduced(snd);
    }

    /// Whether just these numbers are lost.
    fn has_lost_only(&self, numbers: Option<(Seq, Seq)>) -> bool {
        numbers.is_some() && self.board().is_some_and(|board| board.lost().iter().eq(numbers))
    }

    /// What is lost is sent again, with the window as it is.
    fn repair_unreduced(&mut self, snd: &Sender) {
        if let Some(episode) = &mut self.episode {
            episode.undo.end();
            episode.frto = Frto::Off;
        }
        self.newreno.reset();
        self.probe.reset();
        self.is_forced = true;
        self.recover = snd.nxt;
        // The repair ends where what was outstanding does; so does one that was going on.
        self.state = RepairState::Loss;
    }

    /// CWR and Recovery end when `recover` is acknowledged; CWR only beyond it, so that the peer
    /// has seen the CWR bit.
    pub(super) fn end_if_over(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        report: &mut AckReport,
    ) {
        let una = scene.snd.una;
        match self.state {
            RepairState::Cwr if una > self.recover => self.end(report),
            RepairState::Recovery if una >= self.recover => {
                self.newreno.reset();
                if self.is_needless(ack) {
                    self.undo(false, report);
                } else {
                    self.on_repaired();
                    self.end(report);
                }
                self.state = RepairState::Open;
            }
            _ => {}
        }
    }

    /// A repair is over that was needed.
    pub(super) fn on_repaired(&mut self) {
        if let Some(episode) = &mut self.episode {
            episode.window.on_recovered();
        }
    }

    pub(super) fn end(&mut self, report: &mut AckReport) {
        self.state = RepairState::Open;
        report.ending = Some(Ending::Recovered);
    }

    /// Whether the present repair has proved needless.
    pub(super) fn is_needless(&self, ack: &Acknowledgment<'_>) -> bool {
        self.episode.as_ref().is_some_and(|e| e.undo.is_explained() || e.undo.is_original(ack.echo))
    }

    /// DSACK: all that was sent again had arrived.
    pub(super) fn is_explained(&self) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.undo.is_explained())
    }

    /// Eifel on a partial ACK: the hole was filled by what was sent first.
    pub(super) fn is_hole_original(&self, ack: &Acknowledgment<'_>) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.undo.is_original(ack.echo))
    }

    /// The window comes back; with `forgives` nothing is lost any more either.
    pub(super) fn undo(&mut self, forgives: bool, report: &mut AckReport) {
        let Some(episode) = &mut self.episode else { return };
        let restores = episode.undo.restores();
        episode.undo.end();
        if let Some(flight) = &mut self.flight {
            if forgives {
                flight.board.forgive();
            }
            flight.rack.on_undo();
        }
        episode.window.on_undo();
        episode.counts.undone += u32::from(restores);
        self.is_forced = false;
        report.is_undone = restores;
        report.ending = Some(if restores { Ending::Undone } else { Ending::Recovered });
    }
}
