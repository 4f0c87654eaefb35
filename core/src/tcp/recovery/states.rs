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

use serde::{Deserialize, Serialize};

use super::delivery::{Acknowledgment, Delivery};
use super::frto::{FrtoAck, FrtoVerdict};
use super::reaction::AckReport;
use super::scoreboard::Scoreboard;
use super::{Recovery, Scene};

/// Where the repair stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
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

impl Recovery {
    /// The heart of it: from one state to the next.
    pub(super) fn judge(
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
        // RFC 6582 §3.2 step 1, and RFC 6582 §4 after a timeout: what was sent before the last repair
        // began says nothing new.
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
}
