//! What is lost: the rule that the peer and the knobs allow is chosen here, and whatever it finds
//! is counted and told to the controller.
//!
//! RACK where there is SACK (RFC 8985 §6.2), else DupThresh above a hole (RFC 6675 §5 (4)), else
//! the segment at SND.UNA (RFC 5681 §3.2, RFC 6582 §3.2); and nearly all after a timeout. It changes no
//! window: when what is lost leaves again the controller says (RFC 8985 §9.3).

use super::delivery::Acknowledgment;
use super::rack::Paths;
use super::reaction::AckReport;
use super::scoreboard::Record;
use super::states::RepairState;
use super::{Counts, Episode, Flight, Recovery, Scene};
use crate::tcp::delivery_rate::DeliveryRate;

impl Recovery {
    /// Looks for what is lost, by the rule that the peer and the knobs allow.
    pub(super) fn identify_losses(
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
        let probe_end = scene.mtu_probe.and_then(|(start, end)| (start == una).then_some(end));
        let end = probe_end.unwrap_or(una + u64::from(scene.snd.smss)).min(scene.snd.nxt);
        board.lose(una, end, |record| note_lost(rate, counts, scene, record, report));
        self.is_forced = true;
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
            if self.state.is_reducing() && scene.congestion.uses_prr() {
                self.reduce_in_proportion(scene, in_flight, 0, false);
            }
        }
        report
    }

    pub(super) fn lose_at_timeout(&mut self, scene: &mut Scene<'_>) {
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
    if scene.mtu_probe != Some((record.start, record.end)) {
        scene.congestion.on_lost(scene.now, &sample);
    }
    counts.lost = counts.lost.saturating_add(record.segments());
    counts.lost_bytes = counts.lost_bytes.saturating_add(record.numbers());
    report.lost += record.numbers();
    report.has_lost_repeat |= record.is_repeat;
}

fn paths(scene: &Scene<'_>) -> Paths {
    Paths {
        min_rtt: scene.rtt.min_rtt().unwrap_or_default(),
        srtt: scene.rtt.srtt().unwrap_or_default(),
    }
}
