//! What an acknowledgment says: what it delivers for the first time, what it says came twice, and
//! the round trip that can be read from it.
//!
//! Believes a SACK block only if it names something outstanding, and a DSACK block only within what
//! was sent and for no more than was sent again (RFC 2018 §5.1, RFC 2883 §4).

use std::time::Duration;

use super::scoreboard::Record;
use super::{Flight, Recovery, Scene};
use crate::tcp::seq::Seq;
use crate::time::Instant;
use crate::wire::tcp_options::SackBlocks;

/// An acknowledgment that has passed the checks of RFC 9293 §3.10.7.4.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledgment<'a> {
    /// SEG.ACK; not before SND.UNA unless it was overtaken on its way.
    pub ack: Seq,
    /// SND.UNA before it.
    pub una_before: Seq,
    /// In flight before it, in bytes.
    pub in_flight_before: u64,
    /// Its SACK blocks.
    pub sack: &'a SackBlocks,
    /// The segment that the peer answers left before this, as its timestamp tells.
    pub echo: Option<Instant>,
    /// The round trip that its timestamp tells.
    pub echo_rtt: Option<Duration>,
    /// It has the marks of a duplicate (RFC 5681 §2): this many, if the device merged several.
    pub duplicates: u32,
    /// There is text that was never sent.
    pub has_new_data: bool,
    /// Segments that the peer newly reports as marked by the network; without accurate feedback it
    /// can only say that there are some (RFC 3168 §6.1.2).
    pub marks: u64,
    /// The feedback is accurate: `marks` is how many, not whether.
    pub has_exact_marks: bool,
}

impl Acknowledgment<'_> {
    /// By how much SND.UNA moves.
    pub fn acked(&self) -> u64 {
        self.ack.since(self.una_before)
    }
}

/// What an acknowledgment delivered.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivery {
    /// Bytes that are known to have arrived, and were not known to have.
    pub delivered: u64,
    /// In how many segments.
    pub segments: u32,
    /// How many of them by SACK.
    pub sacked: u64,
    /// Something that was sent once, before the repair began, has arrived.
    pub is_original: bool,
    /// It acknowledges something that was sent again.
    pub has_repeats: bool,
    /// The peer reports something that came twice.
    pub is_dsack: bool,
    /// Namely the tail loss probe.
    pub is_dsack_of_probe: bool,
    /// What comes next had been SACKed: the peer seems to have thrown it away.
    pub is_reneging: bool,
    /// Something now SACKed had been sent before the head last was.
    pub is_head_newer: bool,
    /// The round trip, if one can be read.
    pub rtt: Option<Duration>,
    /// That of the newest segment that arrived in order: the path's, without the peer's waiting.
    pub path_rtt: Option<Duration>,
    /// When the oldest and the newest were sent that it acknowledges, and that it SACKs.
    acked_sent: Option<(Instant, Instant)>,
    sacked_sent: Option<(Instant, Instant)>,
}

impl Delivery {
    fn note(&mut self, record: &Record, recover: Seq, is_sack: bool) {
        self.delivered += record.numbers();
        self.segments = self.segments.saturating_add(record.segments());
        self.sacked += if is_sack { record.numbers() } else { 0 };
        if record.is_repeat {
            self.has_repeats |= !is_sack;
            return;
        }
        self.is_original |= record.end <= recover;
        let sent = if is_sack { &mut self.sacked_sent } else { &mut self.acked_sent };
        let at = record.sent_at;
        *sent = Some(sent.map_or((at, at), |(oldest, newest)| (oldest.min(at), newest.max(at))));
    }

    /// The round trip from the oldest segment that is newly acknowledged, so that it contains the
    /// peer's delay, as the RTO has to. Karn (RFC 6298 §3): none if any of it was sent again,
    /// unless a timestamp tells (RFC 7323 §4.1: only of an ACK that moves SND.UNA).
    fn measure(&mut self, now: Instant, ack: &Acknowledgment<'_>) {
        let acked = self.acked_sent.filter(|_| !self.has_repeats);
        let sent = acked.or(self.sacked_sent);
        self.rtt = match sent {
            Some((oldest, _)) => Some(now.saturating_since(oldest)),
            None => ack.echo_rtt.filter(|_| ack.acked() > 0),
        };
        // What was SACKed may have overtaken the rest: its round trip would make the path seem
        // shorter than it is, for as long as the shortest is remembered.
        self.path_rtt = match (acked, self.sacked_sent) {
            (Some((_, newest)), _) => Some(now.saturating_since(newest)),
            (None, Some(_)) => None,
            (None, None) => self.rtt,
        };
    }
}

impl Recovery {
    /// Enters in the scoreboard what an acknowledgment delivers.
    pub(super) fn deliver(&mut self, scene: &mut Scene<'_>, ack: &Acknowledgment<'_>) -> Delivery {
        let mut delivery = Delivery::default();
        let Some(flight) = &mut self.flight else {
            self.take_dsack(scene, ack, &mut delivery);
            return delivery;
        };
        let (now, min_rtt) = (scene.now, scene.rtt.min_rtt());
        let Flight { board, rack, rate, .. } = &mut **flight;
        let (mut late, fack, recover) = (0, rack.fack(), self.recover);
        let mut note = |record: &Record, is_sack: bool| {
            delivery.note(record, recover, is_sack);
            late = late.max(rack.detect_reordering(record, fack).unwrap_or(0));
            // RFC 7323 §4.3: what is echoed behind a hole is from before the hole, and says nothing of
            // what was SACKed.
            let echo = ack.echo.filter(|_| !is_sack);
            rack.on_delivered(now, record, echo, min_rtt);
            rate.on_delivered(now, &record.rate, record.sent_at, record.numbers());
        };
        board.acknowledge(ack.ack, |record| note(record, false));
        let head_sent_at = board.first().map(|head| head.sent_at);
        let has_blocks = self.has_sack && !ack.sack.as_slice().is_empty();
        if has_blocks {
            for (start, end) in blocks(scene, ack) {
                board.sack(start, end, |record| note(record, true));
            }
        }
        delivery.is_reneging = board.first().is_some_and(|head| head.is_sacked);
        delivery.measure(now, ack);
        delivery.is_head_newer = match (delivery.sacked_sent, head_sent_at) {
            (Some((oldest, _)), Some(head)) => oldest < head,
            _ => false,
        };
        if late > 0 {
            let episode = self.episode.get_or_insert_default();
            episode.window.on_reordering();
            episode.counts.reordering_seen = episode.counts.reordering_seen.wrapping_add(1);
            let segments = late.div_ceil(u64::from(scene.snd.smss));
            let segments = u32::try_from(segments).unwrap_or(u32::MAX);
            let most = scene.knobs.max_reordering();
            self.reordering = self.reordering.max(segments.min(most));
        }
        if has_blocks {
            self.take_dsack(scene, ack, &mut delivery);
        }
        delivery
    }

    /// RFC 2883 §4: the first block may report what came twice.
    fn take_dsack(&mut self, scene: &Scene<'_>, ack: &Acknowledgment<'_>, delivery: &mut Delivery) {
        let Some((start, end)) = dsack(ack).filter(|_| self.has_sack) else { return };
        let is_sent = start < end && end <= scene.snd.max && start > scene.snd.iss;
        let is_plausible = end.since(start) <= scene.snd.max_wnd;
        if !is_sent || !is_plausible {
            return;
        }
        let segments = end.since(start).div_ceil(u64::from(scene.snd.smss));
        let segments = u32::try_from(segments).unwrap_or(u32::MAX);
        // More than was sent again is the network's doing, or a forger's.
        let Some(episode) = &mut self.episode else { return };
        if episode.counts.dsacked.saturating_add(segments) > episode.counts.retransmitted {
            return;
        }
        episode.counts.dsacked += segments;
        delivery.is_dsack = true;
        delivery.is_dsack_of_probe = self.probe.is_retransmission_up_to(end) && segments == 1;
        episode.undo.on_dsack(end, segments);
        if !scene.knobs.rack().is_static && !delivery.is_dsack_of_probe {
            episode.window.on_dsack(scene.snd.una, scene.snd.nxt);
        }
    }
}

/// The SACK blocks of an acknowledgment that report something outstanding.
fn blocks<'a>(
    scene: &'a Scene<'_>,
    ack: &'a Acknowledgment<'_>,
) -> impl Iterator<Item = (Seq, Seq)> + 'a {
    let skipped = usize::from(dsack(ack).is_some());
    let blocks = ack.sack.as_slice().iter().skip(skipped);
    let blocks = blocks.map(|block| widen(*block, ack.ack));
    // A block that begins at SND.UNA contradicts the SEG.ACK beside it.
    blocks.filter(|(start, end)| *start > scene.snd.una && start < end && *end <= scene.snd.nxt)
}

/// The first block, if it is a DSACK: it lies before SEG.ACK, or within the second block
/// (RFC 2883 §4, cases 1 and 2).
fn dsack(ack: &Acknowledgment<'_>) -> Option<(Seq, Seq)> {
    let mut blocks = ack.sack.as_slice().iter().map(|block| widen(*block, ack.ack));
    let (start, end) = blocks.next()?;
    let is_within = |(left, right)| left <= start && end <= right;
    let is_dsack = end <= ack.ack || blocks.next().is_some_and(is_within);
    is_dsack.then_some((start, end))
}

fn widen((left, right): (u32, u32), near: Seq) -> (Seq, Seq) {
    (Seq::nearest(left, near), Seq::nearest(right, near))
}
