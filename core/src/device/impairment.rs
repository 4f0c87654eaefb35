//! A bad network, as a pure function of its settings and a seed: loss, delay, jitter, reordering,
//! duplicates, damage and a bottleneck with a queue that drops or marks.
//!
//! [`ImpairmentQueue`] is one direction of a link. It is deterministic: the same seed and the same
//! packets at the same times give the same result, and each packet draws the same number of random
//! values, so that turning up one impairment leaves the choices of the others as they were. It holds
//! packets of wire size only: super-segments are split before they are judged. Each may bear a tag, by
//! which whoever put it there knows it again.

pub(crate) mod damage;
mod marking;
mod setting;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::time::Instant;
use crate::wire::packet::Transmit;
pub use setting::ImpairmentError;

/// By how much a reordered packet is held back on a link without delay, where it can't overtake.
pub const REORDER_HOLD: Duration = Duration::from_millis(1);

/// Packets on the link at most, waiting or under way: the bound on memory, beyond any bandwidth-delay
/// product that the windows allow.
const HELD_MAX: usize = 65_536;

/// What a link does to the packets of one direction. All zero: nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Probability that a packet disappears, 0 to 1.
    pub loss: f64,
    /// How long every packet is under way.
    pub delay: Duration,
    /// The delay varies evenly by as much up and down. It never reorders: a packet that would overtake
    /// arrives together with the one before it.
    pub jitter: Duration,
    /// Probability that a packet overtakes those before it, 0 to 1: it is sent without the delay.
    /// On a link without delay it is held back by [`REORDER_HOLD`] instead, and overtaken.
    pub reorder: f64,
    /// Probability that a packet arrives twice, 0 to 1.
    pub duplicate: f64,
    /// Probability that one bit behind the IP header is flipped, 0 to 1. (In the IP header it would be
    /// a loss: routers verify it.) The packet arrives with its checksum unverified.
    pub corrupt: f64,
    /// The bottleneck in bits per second of IP packets; None: as fast as they come.
    pub rate: Option<u64>,
    /// Packets that wait for the bottleneck at most; those on top are dropped.
    pub limit: usize,
    /// Packets that wait from which on a packet whose transport understands ECN is marked CE
    /// (RFC 3168 §5); None: never. The others wait or are dropped as ever.
    pub ecn: Option<usize>,
}

impl Impairment {
    /// A perfect link.
    pub const NONE: Impairment = Impairment {
        loss: 0.0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        reorder: 0.0,
        duplicate: 0.0,
        corrupt: 0.0,
        rate: None,
        limit: 1000,
        ecn: None,
    };

    /// Whether packets pass untouched and at once.
    pub fn is_none(&self) -> bool {
        Impairment { limit: Impairment::NONE.limit, ecn: None, ..*self } == Impairment::NONE
    }
}

impl Default for Impairment {
    fn default() -> Impairment {
        Impairment::NONE
    }
}

/// What a link did so far, in packets of wire size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpairmentCounts {
    /// Disappeared by chance.
    pub lost: u64,
    /// Came twice.
    pub duplicated: u64,
    /// Overtook or were overtaken.
    pub reordered: u64,
    /// Had a bit flipped.
    pub corrupted: u64,
    /// Dropped before a full bottleneck.
    pub overflowed: u64,
    /// Marked CE before a bottleneck.
    pub marked: u64,
}

/// One direction of an impaired link.
///
/// ```
/// use std::time::Duration;
/// use tcpstack::device::{Impairment, ImpairmentQueue};
/// use tcpstack::time::Instant;
/// use tcpstack::wire::{icmp, packet::Transmit};
///
/// let link = Impairment { delay: Duration::from_millis(20), ..Impairment::NONE };
/// let mut queue = ImpairmentQueue::new(link, 7);
/// let packet = icmp::echo_reply([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), &[0; 4]);
/// queue.offer(Instant::ZERO, Transmit::complete(packet, None));
/// let arrival = Instant::ZERO + link.delay;
/// assert_eq!(queue.next_deadline(), Some(arrival));
/// assert!(queue.take_due(Instant::ZERO).is_none());
/// assert!(queue.take_due(arrival).is_some());
/// ```
pub struct ImpairmentQueue<T = ()> {
    impairment: Impairment,
    random: ChaCha8Rng,
    held: BinaryHeap<Reverse<Held<T>>>,
    /// Position of the next packet, so that those due at the same time keep their order.
    next_index: u64,
    /// When each packet that waits for the bottleneck is through it, in order.
    departures: VecDeque<Instant>,
    /// When the bottleneck is free again.
    free_at: Instant,
    /// When the last packet arrives that has not been reordered.
    last_arrival: Instant,
    counts: ImpairmentCounts,
}

struct Held<T> {
    due: Instant,
    index: u64,
    transmit: Transmit,
    tag: T,
}

/// What a link has decided about a packet that was put on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It disappears by chance.
    Lost,
    /// It is dropped before a full bottleneck, or by a link that holds too many.
    Overflowed,
    /// It arrives.
    Arrives {
        /// With a bit flipped.
        is_damaged: bool,
        /// Twice.
        is_duplicated: bool,
    },
}

/// What chance decides about one packet.
struct Fate {
    is_lost: bool,
    is_duplicated: bool,
    is_reordered: bool,
    is_corrupted: bool,
    /// 0 to 1 of the jitter's whole span.
    jitter: f64,
    bit: u64,
}

impl ImpairmentQueue {
    /// An empty link.
    pub fn new(impairment: Impairment, seed: u64) -> ImpairmentQueue {
        ImpairmentQueue::tagged(impairment, seed)
    }

    /// Puts a packet on the link. A super-segment is split first, unless the link is perfect.
    pub fn offer(&mut self, now: Instant, transmit: Transmit) {
        if self.impairment.is_none() {
            self.offer_tagged(now, transmit, ());
        } else {
            transmit.segments(|segment| {
                self.offer_tagged(now, segment, ());
            });
        }
    }

    /// The next packet that has arrived by `now`.
    pub fn take_due(&mut self, now: Instant) -> Option<Transmit> {
        self.take_due_tagged(now).map(|(transmit, ())| transmit)
    }
}

impl<T: Clone> ImpairmentQueue<T> {
    /// An empty link whose packets bear tags.
    pub fn tagged(impairment: Impairment, seed: u64) -> ImpairmentQueue<T> {
        ImpairmentQueue {
            impairment,
            random: ChaCha8Rng::seed_from_u64(seed),
            held: BinaryHeap::new(),
            next_index: 0,
            departures: VecDeque::new(),
            free_at: Instant::ZERO,
            last_arrival: Instant::ZERO,
            counts: ImpairmentCounts::default(),
        }
    }

    /// Replaces the settings for packets offered from now on.
    pub fn set_impairment(&mut self, impairment: Impairment) {
        self.impairment = impairment;
    }

    /// Puts a packet of wire size on the link; both copies of one that arrives twice bear the tag. On a
    /// perfect link it may be a super-segment.
    pub fn offer_tagged(&mut self, now: Instant, packet: Transmit, tag: T) -> Passage {
        if !self.impairment.is_none() {
            return self.judge(now, packet, tag);
        }
        let due = self.last_arrival.max(now);
        self.last_arrival = due;
        match self.hold(due, packet, tag) {
            true => Passage::Arrives { is_damaged: false, is_duplicated: false },
            false => Passage::Overflowed,
        }
    }

    /// The next packet that has arrived by `now`, and its tag.
    pub fn take_due_tagged(&mut self, now: Instant) -> Option<(Transmit, T)> {
        let is_due = self.held.peek().is_some_and(|Reverse(held)| held.due <= now);
        let Reverse(held) = is_due.then(|| self.held.pop()).flatten()?;
        Some((held.transmit, held.tag))
    }

    /// Whether packets pass untouched and at once, super-segments whole.
    pub fn is_perfect(&self) -> bool {
        self.impairment.is_none()
    }

    /// When the next packet arrives.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse(held)| held.due)
    }

    /// What has happened so far.
    pub fn counts(&self) -> ImpairmentCounts {
        self.counts
    }

    fn judge(&mut self, now: Instant, mut segment: Transmit, tag: T) -> Passage {
        let fate = self.draw();
        if fate.is_lost {
            self.counts.lost += 1;
            return Passage::Lost;
        }
        let Some(departure) = self.pass_bottleneck(now, segment.len()) else {
            self.counts.overflowed += 1;
            return Passage::Overflowed;
        };
        if self.impairment.ecn.is_some_and(|waiting| self.departures.len() > waiting) {
            self.counts.marked += u64::from(marking::mark_congestion(&mut segment));
        }
        let is_damaged = fate.is_corrupted && damage::flip_any(&mut segment, fate.bit);
        self.counts.corrupted += u64::from(is_damaged);
        let due = self.arrival(departure, &fate);
        self.counts.duplicated += u64::from(fate.is_duplicated);
        let copy = fate.is_duplicated.then(|| (segment.clone(), tag.clone()));
        let is_held = self.hold(due, segment, tag);
        let is_duplicated = copy.is_some_and(|(copy, tag)| self.hold(due, copy, tag));
        match is_held {
            true => Passage::Arrives { is_damaged, is_duplicated },
            false => Passage::Overflowed,
        }
    }

    /// Draws in a fixed order and number.
    fn draw(&mut self) -> Fate {
        let Impairment { loss, duplicate, reorder, corrupt, .. } = self.impairment;
        Fate {
            is_lost: self.unit() < loss,
            is_duplicated: self.unit() < duplicate,
            is_reordered: self.unit() < reorder,
            is_corrupted: self.unit() < corrupt,
            jitter: self.unit(),
            bit: self.random.next_u64(),
        }
    }

    /// Evenly from [0, 1): 53 bits, as many as an f64 holds.
    fn unit(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// When a packet of `len` bytes is through the bottleneck; None: the queue before it is full.
    fn pass_bottleneck(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = self.impairment.rate else { return Some(now) };
        while self.departures.front().is_some_and(|departure| *departure <= now) {
            self.departures.pop_front();
        }
        if self.departures.len() >= self.impairment.limit {
            return None;
        }
        let ns = (len as u128 * 8 * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        let took = Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now) + took;
        self.departures.push_back(self.free_at);
        Some(self.free_at)
    }

    fn arrival(&mut self, departure: Instant, fate: &Fate) -> Instant {
        let Impairment { delay, jitter, .. } = self.impairment;
        if fate.is_reordered {
            self.counts.reordered += 1;
            return if delay.is_zero() {
                self.last_arrival.max(departure) + REORDER_HOLD
            } else {
                departure
            };
        }
        let longest = departure + delay + jitter;
        let arrival = longest - jitter.mul_f64(2.0 * fate.jitter);
        self.last_arrival = arrival.max(departure).max(self.last_arrival);
        self.last_arrival
    }

    /// False: the link holds too many.
    fn hold(&mut self, due: Instant, transmit: Transmit, tag: T) -> bool {
        if self.held.len() >= HELD_MAX {
            self.counts.overflowed += 1;
            return false;
        }
        self.held.push(Reverse(Held { due, index: self.next_index, transmit, tag }));
        self.next_index += 1;
        true
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Held<T>) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Held<T> {}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Held<T>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Held<T>) -> std::cmp::Ordering {
        (self.due, self.index).cmp(&(other.due, other.index))
    }
}

#[cfg(test)]
mod tests;
