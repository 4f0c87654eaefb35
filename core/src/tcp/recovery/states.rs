//! What an acknowledgment or a timer leads to: the states of a repair, with the names that Linux
//! gives them.
//!
//! | state | |
//! |---|---|
//! | Open | nothing unusual |
//! | Disorder | something arrived out of order, and nothing is lost yet |
//! | CWR | the window is reduced for a congestion mark (RFC 3168 §6.1.2) |
//! | Recovery | what is lost is sent again, with the window reduced (RFC 6675 §5) |
//! | Loss | the same after a timeout, from a window of one segment (RFC 5681 §3.1) |
//!
//! A state beyond Disorder lasts until what was outstanding at its beginning (`recover`) is
//! acknowledged, and within it the window is reduced once. The controller hears of everything in
//! the order that it asks for: lost segments, the reduction, what was delivered, the end.

use std::time::Duration;

use super::delivery::{Acknowledgment, Delivery};
use super::frto::{Frto, FrtoAck, FrtoVerdict};
use super::prr::{Prr, PrrAck};
use super::rack::Paths;
use super::scoreboard::{Record, Scoreboard};
use super::tail_probe::ProbeAck;
use super::{Counts, Episode, Flight, Recovery, Scene};
use crate::tcp::congestion::{AckSample, CongestionEvent, CongestionSignal};
use crate::tcp::delivery_rate::DeliveryRate;
use crate::time::Instant;

/// Where the repair stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepairState {
    /// Nothing unusual.
    #[default]
    Open,
    /// Something arrived out of order, and nothing is lost yet.
    Disorder,
    /// The window is reduced for a congestion mark.
    Cwr,
    /// What is lost is sent again.
    Recovery,
    /// What is lost is sent again after a timeout.
    Loss,
}

impl RepairState {
    /// The name in events: `open`, `disorder`, `cwr`, `recovery` or `loss`.
    pub const fn name(self) -> &'static str {
        match self {
            RepairState::Open => "open",
            RepairState::Disorder => "disorder",
            RepairState::Cwr => "cwr",
            RepairState::Recovery => "recovery",
            RepairState::Loss => "loss",
        }
    }

    /// Whether the window is on its way down to ssthresh.
    pub fn is_reducing(self) -> bool {
        matches!(self, RepairState::Cwr | RepairState::Recovery)
    }
}

/// What came of an acknowledgment or of the reordering timer.
#[derive(Clone, Debug, Default)]
pub struct AckReport {
    /// The round trip that was measured, if any.
    pub rtt: Option<Duration>,
    /// The retransmission timer starts anew (RFC 6298 §5.3).
    pub restarts_rto: bool,
    /// The peer seems to have thrown away what it had SACKed: the timer has to fire soon.
    pub is_reneging: bool,
    /// RACK has looked for losses: when it has to look again, if at all.
    pub reordering_at: Option<Option<Instant>>,
    /// A reduction proved needless.
    pub is_undone: bool,
    /// A reduction began, by a loss or a mark.
    pub is_reduced: bool,
    /// Bytes delivered.
    pub delivered: u64,
    /// Numbers newly acknowledged.
    acked: u64,
    /// Bytes found lost.
    lost: u64,
    /// Among them some that had been sent again.
    has_lost_repeat: bool,
    /// What the controller has yet to hear.
    ending: Option<Ending>,
}

/// How a reduction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Recovered,
    Undone,
}

impl Recovery {
    /// SND.UNA moved, or something was SACKed, or neither: takes in an acknowledgment.
    pub fn on_ack(&mut self, scene: &mut Scene<'_>, ack: &Acknowledgment<'_>) -> AckReport {
        let cwnd_before = scene.congestion.cwnd();
        let has_flight = self.flight.is_some();
        if ack.acked() > 0 {
            self.timeouts = 0;
            self.is_forced = false;
        }
        let mut delivery = self.deliver(scene, ack);
        self.measure_rtt(scene, &delivery);
        let mut report = AckReport {
            rtt: delivery.rtt,
            acked: ack.acked(),
            restarts_rto: ack.acked() > 0 || (delivery.is_head_older && delivery.rtt.is_some()),
            ..AckReport::default()
        };
        if has_flight {
            self.judge_probe(scene, ack, &delivery, &mut report);
        }
        let is_usual = self.state == RepairState::Open
            && ack.acked() > 0
            && delivery.sacked == 0
            && !(delivery.is_dsack || delivery.is_reneging)
            && ack.marks == 0;
        if !is_usual && (has_flight || delivery.is_dsack || ack.marks > 0) {
            self.judge(scene, ack, &mut delivery, &mut report);
        }
        report.delivered = delivery.delivered;
        self.tell_controller(scene, ack, &delivery, cwnd_before, &mut report);
        if ack.acked() > 0 {
            self.probe.reschedule();
        }
        self.land();
        report
    }

    fn measure_rtt(&mut self, scene: &mut Scene<'_>, delivery: &Delivery) {
        if let Some(rtt) = delivery.newest_rtt {
            scene.rtt.note_least(scene.now, rtt);
        }
        if let Some(rtt) = delivery.rtt {
            scene.rtt.sample(rtt, scene.snd.una, scene.snd.max);
            self.probe.on_rtt();
        }
    }

    /// RFC 8985 §7.4.2: the probe repaired a loss that nobody would hear of otherwise.
    fn judge_probe(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &Delivery,
        report: &mut AckReport,
    ) {
        let is_repaired = self.probe.on_ack(ProbeAck {
            ack: ack.ack,
            is_dsack_of_probe: delivery.is_dsack_of_probe,
            is_bare_duplicate: ack.duplicates > 0 && ack.acked() == 0 && delivery.sacked == 0,
        });
        if is_repaired && self.state < RepairState::Cwr {
            self.reduce(scene, ack.in_flight_before, CongestionSignal::Loss, report);
            report.ending = Some(Ending::Recovered);
        }
    }

    /// The heart of it: from one state to the next.
    fn judge(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &mut Delivery,
        report: &mut AckReport,
    ) {
        if let Some(episode) = self.episode.as_mut().filter(|_| ack.marks > 0) {
            episode.undo.on_mark();
        }
        if delivery.is_reneging && ack.acked() > 0 {
            // RFC 2018 §8: only a timeout may take a SACK back, but it need not be far.
            report.is_reneging = true;
            report.restarts_rto = false;
            return;
        }
        self.end_if_over(scene, ack, report);
        match self.state {
            RepairState::Recovery => self.ack_in_recovery(scene, ack, delivery, report),
            RepairState::Loss => self.ack_in_loss(scene, ack, delivery, report),
            _ => self.ack_outside_repair(scene, ack, delivery, report),
        }
    }

    /// CWR and Recovery end when `recover` is acknowledged; CWR only beyond it, so that the peer
    /// has seen the CWR bit.
    fn end_if_over(
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
    fn on_repaired(&mut self) {
        if let Some(episode) = &mut self.episode {
            episode.window.on_recovered();
        }
    }

    fn end(&mut self, report: &mut AckReport) {
        self.state = RepairState::Open;
        report.ending = Some(Ending::Recovered);
    }

    /// Whether the present repair has proved needless.
    fn is_needless(&self, ack: &Acknowledgment<'_>) -> bool {
        self.episode.as_ref().is_some_and(|e| e.undo.is_explained() || e.undo.is_original(ack.echo))
    }

    /// The window comes back; with `forgives` nothing is lost any more either.
    fn undo(&mut self, forgives: bool, report: &mut AckReport) {
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

    /// Open, or Disorder while anything is out of order.
    fn settle(&mut self) {
        let is_unclear = self.newreno.duplicates() > 0
            || self.board().is_some_and(|board| {
                !board.sacked().is_empty() || !board.lost().is_empty() || board.has_repeats()
            });
        self.state = if is_unclear { RepairState::Disorder } else { RepairState::Open };
        if let Some(episode) = self.episode.as_mut().filter(|_| !is_unclear) {
            episode.undo.forget_repeats();
        }
    }

    fn ack_outside_repair(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &mut Delivery,
        report: &mut AckReport,
    ) {
        if !self.has_sack {
            self.count_duplicates(scene, ack, delivery);
        }
        if self.state <= RepairState::Disorder && self.is_explained() {
            self.undo(false, report);
        }
        self.identify_losses(scene, ack, report);
        if self.has_lost() {
            return self.enter_recovery(scene, ack.in_flight_before, report);
        }
        if ack.marks > 0 && self.state < RepairState::Cwr {
            self.enter_cwr(scene, ack, report);
        }
        if self.state != RepairState::Cwr {
            self.settle();
        }
    }

    /// DSACK: all that was sent again had arrived.
    fn is_explained(&self) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.undo.is_explained())
    }

    /// Without SACK: what duplicates tell, and what an ACK takes off their count.
    fn count_duplicates(
        &mut self,
        scene: &Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &mut Delivery,
    ) {
        if ack.acked() > 0 {
            delivery.delivered = self.newreno.on_partial(scene.snd, ack.acked());
            self.newreno.reset();
        }
        // RFC 6582 §3.2 step 1: what was sent before the last repair began says nothing new.
        if ack.duplicates > 0 && scene.snd.una > self.recover {
            let believed = self.newreno.on_duplicates(ack.duplicates, false);
            delivery.delivered += u64::from(believed) * u64::from(scene.snd.smss);
        }
    }

    fn ack_in_recovery(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &mut Delivery,
        report: &mut AckReport,
    ) {
        if !self.has_sack {
            if ack.acked() > 0 {
                delivery.delivered = self.newreno.on_partial(scene.snd, ack.acked());
                self.newreno.limit(scene.snd, self.reordering);
            } else {
                let believed = self.newreno.on_duplicates(ack.duplicates, true);
                delivery.delivered += u64::from(believed) * u64::from(scene.snd.smss);
            }
        }
        if ack.acked() > 0 && self.is_hole_original(ack) {
            if self.board().is_some_and(Scoreboard::has_repeats) {
                // Reordering, it seems: nothing more is deemed lost until that is sure.
                return;
            }
            self.undo(true, report);
            self.settle();
        }
        if self.is_explained() {
            self.undo(false, report);
            self.settle();
        }
        self.identify_losses(scene, ack, report);
        let has_lost = self.has_lost();
        if self.state != RepairState::Recovery && has_lost {
            self.enter_recovery(scene, ack.in_flight_before, report);
        }
    }

    /// Eifel on a partial ACK: the hole was filled by what was sent first.
    fn is_hole_original(&self, ack: &Acknowledgment<'_>) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.undo.is_original(ack.echo))
    }

    fn ack_in_loss(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &mut Delivery,
        report: &mut AckReport,
    ) {
        let is_advance = ack.acked() > 0;
        let is_recovered = scene.snd.una >= self.recover;
        let has_sent_new = scene.snd.nxt > self.recover;
        if is_advance && self.is_needless(ack) {
            self.undo(true, report);
            self.settle();
        } else {
            let verdict = self.detect_spurious_timeout(scene, ack, delivery);
            match verdict {
                FrtoVerdict::Spurious => {
                    self.undo(true, report);
                    self.settle();
                }
                FrtoVerdict::SendNew => {
                    self.recover = scene.snd.nxt;
                    return;
                }
                FrtoVerdict::Repair if is_recovered => {
                    self.on_repaired();
                    self.newreno.reset();
                    self.end(report);
                    self.settle();
                }
                FrtoVerdict::Repair => {}
            }
        }
        if !self.has_sack && self.state == RepairState::Loss {
            if is_advance {
                self.newreno.reset();
            } else if has_sent_new {
                // RFC 5682 §3.1: a duplicate now stands for new data that has arrived.
                self.newreno.limit(scene.snd, self.reordering);
                self.newreno.on_duplicates(ack.duplicates, true);
            }
        }
        self.identify_losses(scene, ack, report);
        let has_lost = self.has_lost();
        let is_relapse = self.state != RepairState::Loss || report.has_lost_repeat;
        if has_lost && is_relapse {
            self.enter_recovery(scene, ack.in_flight_before, report);
        }
    }

    fn detect_spurious_timeout(
        &mut self,
        scene: &Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &Delivery,
    ) -> FrtoVerdict {
        let (recover, snd) = (self.recover, scene.snd);
        let Some(episode) = &mut self.episode else { return FrtoVerdict::Repair };
        episode.frto.on_ack(&FrtoAck {
            is_advance: ack.acked() > 0,
            is_original: delivery.is_original,
            is_duplicate: delivery.sacked > 0 || ack.duplicates > 0,
            is_recovered: snd.una >= recover,
            has_sent_new: snd.nxt > recover,
            can_send_new: ack.has_new_data && snd.usable() > 0,
        })
    }

    /// Looks for what is lost, by the rule that the peer and the knobs allow.
    fn identify_losses(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        report: &mut AckReport,
    ) {
        if !self.has_sack {
            return self.lose_head(scene, ack, report);
        }
        if scene.knobs.rack().is_on {
            if self.flight.as_ref().is_some_and(|flight| flight.rack.is_advanced()) {
                self.detect_by_time(scene, report);
            }
            return;
        }
        let (threshold, smss) = (self.reordering, scene.snd.smss);
        let Recovery { flight: Some(flight), episode, .. } = self else { return };
        let counts = &mut episode.get_or_insert_default().counts;
        let Flight { board, rate, .. } = &mut **flight;
        board.lose_below_sacked(threshold, smss, |record| {
            note_lost(rate, counts, scene, record, report);
        });
    }

    /// RFC 8985 §6.2 step 5.
    fn detect_by_time(&mut self, scene: &mut Scene<'_>, report: &mut AckReport) {
        let Recovery { flight: Some(flight), episode, .. } = self else { return };
        let Episode { window, counts, .. } = &mut **episode.get_or_insert_default();
        let Flight { board, rack, rate, .. } = &mut **flight;
        let mode = scene.knobs.rack();
        let is_hurried = self.state >= RepairState::Recovery
            || (board.sacked_segments() >= self.reordering && !mode.ignores_threshold);
        let window = window.get(is_hurried, paths(scene));
        let again_at = rack.detect_loss(scene.now, window, board, |record| {
            note_lost(rate, counts, scene, record, report);
        });
        report.reordering_at = Some(again_at);
    }

    /// Without SACK the segment at SND.UNA alone can be known to be lost: when enough duplicates
    /// ask for it (RFC 5681 §3.2), or a partial ACK does (RFC 6582 §3.2 step 3).
    fn lose_head(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        report: &mut AckReport,
    ) {
        let is_third =
            self.state < RepairState::Recovery && self.newreno.duplicates() >= self.reordering;
        let is_partial = self.state == RepairState::Recovery && ack.acked() > 0;
        if !is_third && !is_partial {
            return;
        }
        let Recovery { flight: Some(flight), episode, .. } = self else { return };
        let counts = &mut episode.get_or_insert_default().counts;
        let Flight { board, rate, .. } = &mut **flight;
        let una = scene.snd.una;
        let end = (una + u64::from(scene.snd.smss)).min(scene.snd.nxt);
        board.lose(una, end, |record| note_lost(rate, counts, scene, record, report));
        self.is_forced = true;
    }

    /// A loss was found: what is lost is sent again, and the window is reduced unless a mark has
    /// reduced it in this round trip already.
    fn enter_recovery(
        &mut self,
        scene: &mut Scene<'_>,
        in_flight_before: u64,
        report: &mut AckReport,
    ) {
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
    fn enter_cwr(
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

    fn reduce(
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

    /// What the controller hears of an acknowledgment, and proportional rate reduction.
    fn tell_controller(
        &mut self,
        scene: &mut Scene<'_>,
        ack: &Acknowledgment<'_>,
        delivery: &Delivery,
        cwnd_before: u64,
        report: &mut AckReport,
    ) {
        let in_flight = self.in_flight(scene.snd);
        let smss = u64::from(scene.snd.smss);
        let min_rtt = scene.rtt.min_rtt();
        let flight = self.flight.as_mut();
        let usage = flight.as_ref().map(|flight| flight.usage).unwrap_or_default();
        let rate = flight.and_then(|flight| flight.rate.take_sample(scene.now, min_rtt));
        if delivery.delivered > 0 || report.lost > 0 {
            scene.congestion.on_ack(&AckSample {
                now: scene.now,
                acked: ack.acked(),
                delivered: delivery.delivered,
                lost: report.lost,
                in_flight_before: ack.in_flight_before,
                in_flight,
                una: scene.snd.una,
                max: scene.snd.max,
                // RFC 5681 §3.1: cwnd grows for new data acknowledged, not for duplicates; RFC 3042 §2
                // would have it stay in limited transmit.
                is_cwnd_limited: ack.acked() > 0
                    && usage.is_cwnd_limited(cwnd_before, scene.congestion.ssthresh()),
                rtt: delivery.newest_rtt,
                min_rtt,
                srtt: scene.rtt.srtt(),
                ce_bytes: (ack.marks * smss).min(delivery.delivered),
                rate,
            });
        }
        if self.state.is_reducing() && scene.congestion.uses_prr() {
            let is_safe = ack.acked() > 0 && report.lost == 0;
            self.reduce_in_proportion(scene, in_flight, delivery.delivered, is_safe);
        }
        close(scene, in_flight, report.ending.take());
    }

    fn reduce_in_proportion(
        &mut self,
        scene: &mut Scene<'_>,
        in_flight: u64,
        delivered: u64,
        is_safe: bool,
    ) {
        let Some(episode) = self.episode.as_mut().filter(|_| delivered > 0 || self.is_forced)
        else {
            return;
        };
        let cwnd = episode.prr.on_ack(&PrrAck {
            delivered,
            in_flight,
            ssthresh: scene.congestion.ssthresh(),
            smss: u64::from(scene.snd.smss),
            is_safe,
        });
        scene.congestion.set_cwnd(cwnd);
    }

    /// The reordering timer fired (RFC 8985 §6.2): what is overdue by now is lost.
    pub fn on_reordering_timer(&mut self, scene: &mut Scene<'_>) -> AckReport {
        let mut report = AckReport::default();
        let in_flight_before = self.in_flight(scene.snd);
        self.detect_by_time(scene, &mut report);
        if report.lost > 0 {
            if self.state != RepairState::Recovery {
                self.enter_recovery(scene, in_flight_before, &mut report);
            }
            let in_flight = self.in_flight(scene.snd);
            if scene.congestion.uses_prr() {
                self.reduce_in_proportion(scene, in_flight, 0, false);
            }
        }
        report
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
        self.timeouts = self.timeouts.saturating_add(1);
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

    fn lose_at_timeout(&mut self, scene: &mut Scene<'_>) {
        let Recovery { flight: Some(flight), episode, .. } = self else { return };
        let Episode { window, counts, .. } = &mut **episode.get_or_insert_default();
        let Flight { board, rack, rate, .. } = &mut **flight;
        if board.first().is_some_and(|head| head.is_sacked) {
            // RFC 2018 §8: the peer has thrown away what it had reported.
            board.forget_sacks();
        }
        let window = window.get(true, paths(scene));
        let is_timed = self.has_sack && scene.knobs.rack().is_on;
        let (una, now) = (scene.snd.una, scene.now);
        let mut report = AckReport::default();
        board.lose_all(
            |record| is_timed && record.start != una && rack.is_recent(now, record, window),
            |record| note_lost(rate, counts, scene, record, &mut report),
        );
    }

    /// The path takes smaller segments only: what is outstanding goes out again, cut anew. That is
    /// no sign of congestion (RFC 1191 §6.5).
    pub fn on_resegment(&mut self, snd: &crate::tcp::sender::Sender) {
        let Some(flight) = &mut self.flight else { return };
        flight.board.lose_all(|_| false, |_| {});
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
}

/// Counts a record that is lost, and tells the controller.
fn note_lost(
    rate: &mut DeliveryRate,
    counts: &mut Counts,
    scene: &mut Scene<'_>,
    record: &Record,
    report: &mut AckReport,
) {
    let sample = rate.on_lost(&record.rate, record.numbers());
    scene.congestion.on_lost(scene.now, &sample);
    counts.lost = counts.lost.saturating_add(record.segments());
    counts.lost_bytes = counts.lost_bytes.saturating_add(record.numbers());
    report.lost += record.numbers();
    report.has_lost_repeat |= record.is_repeat;
}

/// Tells the controller how a reduction ended.
fn close(scene: &mut Scene<'_>, in_flight: u64, ending: Option<Ending>) {
    match ending {
        Some(Ending::Recovered) => scene.congestion.on_recovered(scene.now, in_flight),
        Some(Ending::Undone) => scene.congestion.undo(scene.now),
        None => {}
    }
}

fn paths(scene: &Scene<'_>) -> Paths {
    Paths {
        min_rtt: scene.rtt.min_rtt().unwrap_or_default(),
        srtt: scene.rtt.srtt().unwrap_or_default(),
    }
}
