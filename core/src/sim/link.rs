//! A link between two hosts: each direction an impairment by chance, rules for single packets, and
//! what was seen on it.
//!
//! A packet meets the rules first, in the order in which they were added, then the impairment. What
//! neither drops arrives. A direction with rules or a capture splits super-segments: both are about
//! the packets of the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use super::packet::Packet;
use super::world::HostId;
use crate::device::{Impairment, ImpairmentQueue};
use crate::time::Instant;
use crate::wire::packet::Transmit;

/// A link of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(super) usize);

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave it to the next rule.
    Pass,
    /// Take it away.
    Drop,
    /// Let it set out so much later; others may overtake it.
    Delay(Duration),
    /// Let it set out twice.
    Duplicate,
}

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

/// A packet that was seen on a link.
#[derive(Clone, Debug)]
pub struct Captured {
    /// When.
    pub at: Instant,
    /// Who sent it.
    pub from: HostId,
    /// Where.
    pub vantage: Vantage,
    /// What.
    pub packet: Packet,
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
}

/// One direction of a link.
pub(super) struct Direction {
    pub(super) from: HostId,
    pub(super) to: HostId,
    queue: ImpairmentQueue,
    rules: Vec<Rule>,
    /// Packets that a rule delays, by when they set out and by their number.
    delayed: BTreeMap<(Instant, u64), Transmit>,
    next_number: u64,
}

impl Direction {
    pub(super) fn new(from: HostId, to: HostId, impairment: Impairment, seed: u64) -> Direction {
        Direction {
            from,
            to,
            queue: ImpairmentQueue::new(impairment, seed),
            rules: Vec::new(),
            delayed: BTreeMap::new(),
            next_number: 0,
        }
    }

    pub(super) fn set_impairment(&mut self, impairment: Impairment) {
        self.queue.set_impairment(impairment);
    }

    pub(super) fn add_rule(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(super) fn clear_rules(&mut self) {
        self.rules.clear();
    }

    /// Takes a packet from the sender.
    pub(super) fn offer(
        &mut self,
        now: Instant,
        transmit: Transmit,
        mut capture: Option<&mut Vec<Captured>>,
    ) {
        if self.rules.is_empty() && capture.is_none() {
            self.queue.offer(now, transmit);
        } else {
            transmit.segments(|segment| self.offer_segment(now, segment, capture.as_deref_mut()));
        }
    }

    fn offer_segment(
        &mut self,
        now: Instant,
        segment: Transmit,
        mut capture: Option<&mut Vec<Captured>>,
    ) {
        let Some(packet) = Packet::read(&segment) else {
            return self.queue.offer(now, segment);
        };
        let action = self.judge(&packet);
        let mut see = |vantage| {
            if let Some(capture) = capture.as_deref_mut() {
                let packet = packet.clone();
                capture.push(Captured { at: now, from: self.from, vantage, packet });
            }
        };
        see(Vantage::Departure);
        match action {
            Action::Pass => self.queue.offer(now, segment),
            Action::Drop => see(Vantage::Dropped),
            Action::Duplicate => {
                self.queue.offer(now, segment.clone());
                self.queue.offer(now, segment);
            }
            Action::Delay(delay) => {
                self.delayed.insert((now + delay, self.next_number), segment);
                self.next_number += 1;
            }
        }
    }

    /// The first rule that does not let the packet pass decides; all of them see it.
    fn judge(&mut self, packet: &Packet) -> Action {
        self.rules.iter_mut().map(|rule| rule(packet)).fold(Action::Pass, |decided, action| {
            if decided == Action::Pass { action } else { decided }
        })
    }

    /// The next packet that has arrived by `now`.
    pub(super) fn take_due(
        &mut self,
        now: Instant,
        capture: Option<&mut Vec<Captured>>,
    ) -> Option<Transmit> {
        while let Some(entry) = self.delayed.first_entry() {
            let (sets_out, _) = *entry.key();
            if sets_out > now {
                break;
            }
            self.queue.offer(now, entry.remove());
        }
        let transmit = self.queue.take_due(now)?;
        if let Some(capture) = capture {
            let vantage = Vantage::Arrival;
            capture.extend(Packet::read(&transmit).map(|packet| Captured {
                at: now,
                from: self.from,
                vantage,
                packet,
            }));
        }
        Some(transmit)
    }

    /// When a packet arrives or sets out next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let sets_out = self.delayed.first_key_value().map(|((at, _), _)| *at);
        [self.queue.next_deadline(), sets_out].into_iter().flatten().min()
    }
}
