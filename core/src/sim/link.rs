//! A link between two hosts: each direction an impairment by chance, rules for single packets, and
//! what was seen on it.
//!
//! A packet meets the rules first, in the order in which they were added, then the impairment. What
//! neither drops arrives. A direction with rules, and a link whose packets are followed, split
//! super-segments: rules and journeys are about the packets of the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use super::journey::{SettingOut, Tag, Witness};
use super::packet::Packet;
use super::world::HostId;
use crate::device::impairment::damage;
use crate::device::{Impairment, ImpairmentQueue};
use crate::time::Instant;
use crate::wire::packet::Transmit;

/// A link of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(super) usize);

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Leave it to the next rule.
    #[default]
    Pass,
    /// Take it away.
    Drop,
    /// Let it set out so much later; others may overtake it.
    Delay(Duration),
    /// Let it set out twice.
    Duplicate,
    /// Let it set out right behind the next packet of the same direction that is not held back itself;
    /// should none come within [`REORDER_WAIT`], then.
    Reorder,
    /// Flip one of its bits, and leave the checksum as it was. Where several rules say so of one packet,
    /// each flips its bit; one that is flipped twice is as it was.
    Corrupt {
        /// Which, from the first bit of the TCP header on, as the RFCs count bits; past the packet's end it
        /// is counted on from there.
        bit: u64,
    },
}

/// What the rules make of a packet.
#[derive(Default)]
struct Verdict {
    action: Action,
    /// The number of the rule that decided.
    rule: Option<usize>,
    /// The bits to flip, if that is the action.
    flips: Vec<u64>,
}

impl Verdict {
    fn flip(&mut self, bit: u64) {
        match self.flips.iter().position(|flipped| *flipped == bit) {
            Some(twice) => drop(self.flips.remove(twice)),
            None => self.flips.push(bit),
        }
    }
}

/// How long a packet waits at most for another to overtake it: less than the shortest retransmission
/// timeout of a default connection, so that a lone one is only late.
pub const REORDER_WAIT: Duration = Duration::from_millis(100);

/// What a link does by chance, in both directions alike or each its own way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// From the first host to the second.
    pub forth: Impairment,
    /// From the second host to the first.
    pub back: Impairment,
}

impl From<Impairment> for Conditions {
    fn from(both: Impairment) -> Conditions {
        Conditions { forth: both, back: both }
    }
}

/// A link that only takes time: so much each way.
impl From<Duration> for Conditions {
    fn from(delay: Duration) -> Conditions {
        Impairment { delay, ..Impairment::NONE }.into()
    }
}

/// Where a packet was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vantage {
    /// Leaving its sender.
    Departure,
    /// Reaching its receiver.
    Arrival,
    /// Dropped by a rule, after its departure.
    Dropped,
}

/// A rule that takes away the `nth` packet (from 1) of those that `matches` accepts.
pub fn drop_nth(
    nth: u64,
    mut matches: impl FnMut(&Packet) -> bool + Send + 'static,
) -> impl FnMut(&Packet) -> Action + Send + 'static {
    let mut seen = 0;
    move |packet| {
        if !matches(packet) {
            return Action::Pass;
        }
        seen += 1;
        if seen == nth { Action::Drop } else { Action::Pass }
    }
}

/// A rule that does `action` to the packet with this number among those that its host sends:
/// [`Packet::number`].
pub fn at_number(number: u64, action: Action) -> impl FnMut(&Packet) -> Action + Send + 'static {
    move |packet| if packet.number == number { action } else { Action::Pass }
}

/// A rule that takes away every packet that `matches` accepts.
pub fn drop_all(
    mut matches: impl FnMut(&Packet) -> bool + Send + 'static,
) -> impl FnMut(&Packet) -> Action + Send + 'static {
    move |packet| if matches(packet) { Action::Drop } else { Action::Pass }
}

type Rule = Box<dyn FnMut(&Packet) -> Action + Send>;

/// A link.
pub(super) struct Link {
    /// `[forth, back]`.
    pub(super) directions: [Direction; 2],
    pub(super) witness: Witness,
}

/// A packet that leaves its host.
pub(super) struct Departure<'a> {
    pub(super) transmit: Transmit,
    /// How many packets have left the host, on any link.
    pub(super) count: &'a mut u64,
    /// The event of its sending.
    pub(super) event: Option<u64>,
}

/// One direction of a link.
pub(super) struct Direction {
    pub(super) from: HostId,
    pub(super) to: HostId,
    queue: ImpairmentQueue<Tag>,
    /// With their numbers.
    rules: Vec<(usize, Rule)>,
    /// Packets that a rule holds back, by when they set out and in which order they were held.
    held: BTreeMap<(Instant, u64), Held>,
    held_count: u64,
}

/// A packet that a rule holds back.
struct Held {
    segment: Transmit,
    tag: Tag,
    /// The next packet that sets out lets it follow.
    is_overtaken: bool,
}

impl Direction {
    pub(super) fn new(from: HostId, to: HostId, impairment: Impairment, seed: u64) -> Direction {
        Direction {
            from,
            to,
            queue: ImpairmentQueue::tagged(impairment, seed),
            rules: Vec::new(),
            held: BTreeMap::new(),
            held_count: 0,
        }
    }

    pub(super) fn set_impairment(&mut self, impairment: Impairment) {
        self.queue.set_impairment(impairment);
    }

    pub(super) fn add_rule(&mut self, number: usize, rule: Rule) {
        self.rules.push((number, rule));
    }

    pub(super) fn clear_rules(&mut self) {
        self.rules.clear();
    }

    /// Takes a packet from the sender.
    pub(super) fn offer(&mut self, now: Instant, packet: Departure<'_>, witness: &mut Witness) {
        let Departure { transmit, count, event } = packet;
        // Only a perfect link takes a super-segment, and only where nobody has to see its packets.
        if self.rules.is_empty() && !witness.is_following && self.queue.is_perfect() {
            *count += transmit.segment_count() as u64;
            self.queue.offer_tagged(now, transmit, None);
            return;
        }
        transmit.segments(|segment| {
            *count += 1;
            self.offer_segment(now, segment, *count, event, witness);
        });
    }

    fn offer_segment(
        &mut self,
        now: Instant,
        mut segment: Transmit,
        number: u64,
        sent: Option<u64>,
        witness: &mut Witness,
    ) {
        let is_looked_at = !self.rules.is_empty() || witness.is_capturing;
        let packet = is_looked_at.then(|| Packet::read(&segment, number)).flatten();
        let verdict = packet.as_ref().map(|packet| {
            witness.see(now, self.from, Vantage::Departure, packet);
            self.judge(packet)
        });
        let Verdict { action, rule, flips } = verdict.unwrap_or_default();
        let (from, to) = (self.from, self.to);
        let tag = witness.follow(SettingOut { from, to, number, at: now, sent, rule });
        match action {
            Action::Pass => self.set_out(now, segment, tag, witness),
            Action::Drop => {
                witness.dropped(tag);
                if let Some(packet) = &packet {
                    witness.see(now, self.from, Vantage::Dropped, packet);
                }
            }
            Action::Duplicate => {
                let copy = witness.follow_copy(tag);
                self.set_out(now, segment.clone(), tag, witness);
                self.set_out(now, segment, copy, witness);
            }
            Action::Corrupt { .. } => {
                for bit in flips {
                    if damage::flip_nth(&mut segment, bit) {
                        witness.damaged(tag);
                    }
                }
                self.set_out(now, segment, tag, witness);
            }
            Action::Delay(delay) => self.hold(now + delay, segment, tag, false),
            Action::Reorder => self.hold(now + REORDER_WAIT, segment, tag, true),
        }
    }

    /// The first rule that does not let the packet pass decides; all of them see it.
    fn judge(&mut self, packet: &Packet) -> Verdict {
        let mut verdict = Verdict::default();
        for (number, rule) in &mut self.rules {
            let action = rule(packet);
            if verdict.action == Action::Pass && action != Action::Pass {
                (verdict.action, verdict.rule) = (action, Some(*number));
            }
            if let Action::Corrupt { bit } = action {
                verdict.flip(bit);
            }
        }
        verdict
    }

    fn hold(&mut self, until: Instant, segment: Transmit, tag: Tag, is_overtaken: bool) {
        self.held.insert((until, self.held_count), Held { segment, tag, is_overtaken });
        self.held_count += 1;
    }

    /// A packet begins its way, and behind it those that it was to overtake.
    fn set_out(&mut self, now: Instant, segment: Transmit, tag: Tag, witness: &mut Witness) {
        let passage = self.queue.offer_tagged(now, segment, tag);
        witness.passed(tag, passage);
        let overtaken = self.held.extract_if(.., |_, held| held.is_overtaken);
        for (_, Held { segment, tag, .. }) in overtaken {
            let passage = self.queue.offer_tagged(now, segment, tag);
            witness.passed(tag, passage);
        }
    }

    /// The next packet that has arrived by `now`, and where to note what becomes of it.
    pub(super) fn take_due(
        &mut self,
        now: Instant,
        witness: &mut Witness,
    ) -> Option<(Transmit, Tag)> {
        while let Some(entry) = self.held.first_entry() {
            let (sets_out, _) = *entry.key();
            if sets_out > now {
                break;
            }
            let Held { segment, tag, .. } = entry.remove();
            self.set_out(now, segment, tag, witness);
        }
        let (transmit, tag) = self.queue.take_due_tagged(now)?;
        witness.see_arrival(now, self.from, tag, &transmit);
        Some((transmit, witness.arrived(tag, now)))
    }

    /// When a packet arrives or sets out next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let sets_out = self.held.first_key_value().map(|((at, _), _)| *at);
        [self.queue.next_deadline(), sets_out].into_iter().flatten().min()
    }
}
