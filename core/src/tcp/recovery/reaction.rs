//! What comes of an acknowledgment: what the connection does about it ([`AckReport`]), and what the
//! congestion controller hears of it.
//!
//! Guarantees the order that a controller may rely on: lost segments, the reduction, what was
//! delivered, the end. Proportional rate reduction has the last word on cwnd while it shrinks
//! (RFC 9937).

use std::time::Duration;

use super::delivery::{Acknowledgment, Delivery};
use super::prr::PrrAck;
use super::states::RepairState;
use super::tail_probe::ProbeAck;
use super::{Recovery, Scene};
use crate::tcp::congestion::{AckSample, CongestionSignal};
use crate::time::Instant;

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
    /// The segment that tried a larger MTU was lost, and nothing else.
    pub is_mtu_probe_lost: bool,
    /// Bytes delivered.
    pub delivered: u64,
    /// In how many segments.
    pub delivered_segments: u32,
    /// Numbers newly acknowledged.
    pub(super) acked: u64,
    /// Bytes found lost.
    pub(super) lost: u64,
    /// Among them some that had been sent again.
    pub(super) has_lost_repeat: bool,
    /// What the controller has yet to hear.
    pub(super) ending: Option<Ending>,
}

/// How a reduction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
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
            restarts_rto: ack.acked() > 0 || (delivery.is_head_newer && delivery.rtt.is_some()),
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
        if self.state != RepairState::Loss {
            self.note_timeouts_over(scene.now);
        }
        (report.delivered, report.delivered_segments) = (delivery.delivered, delivery.segments);
        self.tell_controller(scene, ack, &delivery, cwnd_before, &mut report);
        self.count_marks(scene, ack, delivery.delivered);
        if ack.acked() > 0 {
            self.probe.reschedule();
        }
        self.land();
        report
    }

    /// Classic feedback says only that there are marks: all that the ACK delivers counts, as on
    /// Linux.
    fn count_marks(&mut self, scene: &Scene<'_>, ack: &Acknowledgment<'_>, delivered: u64) {
        if ack.marks == 0 {
            return;
        }
        let delivered = delivered.div_ceil(u64::from(scene.snd.smss));
        let marked = if ack.has_exact_marks { ack.marks } else { delivered };
        let counts = &mut self.episode.get_or_insert_default().counts;
        let marked = u32::try_from(marked).unwrap_or(u32::MAX);
        counts.delivered_ce = counts.delivered_ce.wrapping_add(marked);
    }

    fn measure_rtt(&mut self, scene: &mut Scene<'_>, delivery: &Delivery) {
        if let Some(rtt) = delivery.path_rtt {
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
                rtt: delivery.path_rtt,
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

    pub(super) fn reduce_in_proportion(
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
}

/// Tells the controller how a reduction ended.
pub(super) fn close(scene: &mut Scene<'_>, in_flight: u64, ending: Option<Ending>) {
    match ending {
        Some(Ending::Recovered) => scene.congestion.on_recovered(scene.now, in_flight),
        Some(Ending::Undone) => scene.congestion.undo(scene.now),
        None => {}
    }
}

#[cfg(test)]
mod tests;
