//! What became of each packet that a host put on a link: exactly, because each is followed by its
//! number through rules, delays and chance, and none is ever recognized by what is in it.

use std::fmt;

use super::link::Vantage;
use super::packet::Packet;
use super::world::HostId;
use crate::device::impairment::Passage;
use crate::time::Instant;
use crate::wire::packet::Transmit;

/// The way of a packet from one host to another; a packet that sets out or arrives twice has two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Who sent it.
    pub from: HostId,
    /// To whom.
    pub to: HostId,
    /// Its number among the packets that left `from`, from 1: [`Packet::number`].
    pub number: u64,
    /// Whether it is a copy that the link made.
    pub is_copy: bool,
    /// When it left its host.
    pub sent_at: Instant,
    /// Index on `from` of the event of its sending, if events are recorded and it is a segment.
    pub sent: Option<u64>,
    /// The rule that did not let it pass, as [`World::add_rule`](super::World::add_rule) numbered it.
    pub rule: Option<usize>,
    /// What became of it.
    pub fate: Fate,
    /// When it arrived.
    pub arrived_at: Option<Instant>,
    /// Index on `to` of the event that its arrival made, SegmentReceived or else PacketDropped, if events
    /// are recorded and it made one.
    pub received: Option<u64>,
    is_damaged: bool,
    /// The first journey of the same packet.
    origin: usize,
    /// Of the first: whether it or a copy has arrived as it was sent.
    has_arrived: bool,
    /// The copy that chance made of it, and that arrives behind it.
    twin: Option<usize>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is still on its way.
    Underway,
    /// It arrived as it was sent.
    Arrived,
    /// It arrived with a bit flipped.
    Damaged,
    /// It arrived after another copy had arrived as it was sent.
    Duplicate,
    /// A rule took it away.
    Dropped,
    /// It disappeared by chance.
    Lost,
    /// The queue before the bottleneck was full.
    Overflowed,
}

/// In words, as `lost`.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fate::Underway => "underway",
            Fate::Arrived => "arrived",
            Fate::Damaged => "arrived damaged",
            Fate::Duplicate => "arrived once more",
            Fate::Dropped => "dropped by a rule",
            Fate::Lost => "lost",
            Fate::Overflowed => "dropped before the bottleneck",
        })
    }
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

/// By what a packet on its way is known: its place among the journeys, if it is followed.
pub(super) type Tag = Option<usize>;

/// What is kept of the packets of a link, both ways.
#[derive(Default)]
pub(super) struct Witness {
    /// Whether packets are followed.
    pub(super) is_following: bool,
    /// Whether they are kept.
    pub(super) is_capturing: bool,
    pub(super) captured: Vec<Captured>,
    pub(super) journeys: Vec<Journey>,
}

impl Witness {
    /// A packet begins its way.
    pub(super) fn follow(&mut self, setting_out: SettingOut) -> Tag {
        if !self.is_following {
            return None;
        }
        let SettingOut { from, to, number, at, sent, rule } = setting_out;
        let origin = self.journeys.len();
        self.journeys.push(Journey {
            from,
            to,
            number,
            is_copy: false,
            sent_at: at,
            sent,
            rule,
            fate: Fate::Underway,
            arrived_at: None,
            received: None,
            is_damaged: false,
            origin,
            has_arrived: false,
            twin: None,
        });
        Some(origin)
    }

    /// The journey of a copy of it begins.
    pub(super) fn follow_copy(&mut self, tag: Tag) -> Tag {
        let copied = self.journeys.get(tag?)?;
        let copy = Journey { is_copy: true, ..copied.clone() };
        self.journeys.push(copy);
        Some(self.journeys.len() - 1)
    }

    /// A rule took it away.
    pub(super) fn dropped(&mut self, tag: Tag) {
        self.end(tag, Fate::Dropped);
    }

    /// A rule flipped one of its bits.
    pub(super) fn damaged(&mut self, tag: Tag) {
        if let Some(journey) = tag.and_then(|tag| self.journeys.get_mut(tag)) {
            journey.is_damaged = true;
        }
    }

    /// What chance decided.
    pub(super) fn passed(&mut self, tag: Tag, passage: Passage) {
        match passage {
            Passage::Lost => self.end(tag, Fate::Lost),
            Passage::Overflowed => self.end(tag, Fate::Overflowed),
            Passage::Arrives { is_damaged, is_duplicated } => {
                if is_damaged {
                    self.damaged(tag);
                }
                let twin = if is_duplicated { self.follow_copy(tag) } else { None };
                if let Some(journey) = tag.and_then(|tag| self.journeys.get_mut(tag)) {
                    journey.twin = twin;
                }
            }
        }
    }

    fn end(&mut self, tag: Tag, fate: Fate) {
        if let Some(journey) = tag.and_then(|tag| self.journeys.get_mut(tag)) {
            journey.fate = fate;
        }
    }

    /// It reached its receiver; returns where to note what that made of it.
    pub(super) fn arrived(&mut self, tag: Tag, now: Instant) -> Tag {
        let journey = self.journeys.get(tag?)?;
        // Both copies that chance makes bear the tag of the first.
        let at = match journey.fate {
            Fate::Underway => tag?,
            _ => journey.twin?,
        };
        let (is_damaged, origin) = (journey.is_damaged, journey.origin);
        let first = &mut self.journeys[origin];
        let is_known =
            if is_damaged { false } else { std::mem::replace(&mut first.has_arrived, true) };
        let journey = &mut self.journeys[at];
        journey.arrived_at = Some(now);
        journey.fate = match (is_damaged, is_known) {
            (true, _) => Fate::Damaged,
            (false, true) => Fate::Duplicate,
            (false, false) => Fate::Arrived,
        };
        Some(at)
    }

    /// The event that its arrival made.
    pub(super) fn received(&mut self, tag: Tag, event: Option<u64>) {
        if let Some(journey) = tag.and_then(|tag| self.journeys.get_mut(tag)) {
            journey.received = event;
        }
    }

    /// The packet's number, if it was followed from its beginning; else 0.
    fn number(&self, tag: Tag) -> u64 {
        tag.and_then(|tag| self.journeys.get(tag)).map_or(0, |journey| journey.number)
    }

    /// Keeps a packet that is seen.
    pub(super) fn see(&mut self, at: Instant, from: HostId, vantage: Vantage, packet: &Packet) {
        if self.is_capturing {
            self.captured.push(Captured { at, from, vantage, packet: packet.clone() });
        }
    }

    /// Keeps a packet that reaches its receiver.
    pub(super) fn see_arrival(&mut self, at: Instant, from: HostId, tag: Tag, packet: &Transmit) {
        if self.is_capturing
            && let Some(packet) = Packet::read(packet, self.number(tag))
        {
            self.captured.push(Captured { at, from, vantage: Vantage::Arrival, packet });
        }
    }
}

/// How a journey begins.
pub(super) struct SettingOut {
    pub(super) from: HostId,
    pub(super) to: HostId,
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) sent: Option<u64>,
    pub(super) rule: Option<usize>,
}
