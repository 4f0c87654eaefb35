//! A bad network, as a pure function of its settings and a seed: loss, delay, jitter, reordering,
//! duplicates, damage and a bottleneck with a queue that drops or marks.
//!
//! [`ImpairmentQueue`] is one direction of a link. It is deterministic: the same seed and the same
//! packets at the same times give the same result, and each packet draws the same number of random
//! values, so that turning up one impairment leaves the choices of the others as they were. It holds
//! packets of wire size only: super-segments are split before they are judged.

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
pub struct ImpairmentQueue {
    impairment: Impairment,
    random: ChaCha8Rng,
    held: BinaryHeap<Reverse<Held>>,
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

struct Held {
    due: Instant,
    index: u64,
    transmit: Transmit,
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

    /// Puts a packet on the link. A super-segment is split first, unless the link is perfect.
    pub fn offer(&mut self, now: Instant, transmit: Transmit) {
        if self.impairment.is_none() {
            let due = self.last_arrival.max(now);
            self.last_arrival = due;
            self.hold(due, transmit);
        } else {
            transmit.segments(|segment| self.offer_segment(now, segment));
        }
    }

    /// The next packet that has arrived by `now`.
    pub fn take_due(&mut self, now: Instant) -> Option<Transmit> {
        let is_due = self.held.peek().is_some_and(|Reverse(held)| held.due <= now);
        is_due.then(|| self.held.pop()).flatten().map(|Reverse(held)| held.transmit)
    }

    /// When the next packet arrives.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse(held)| held.due)
    }

    /// What has happened so far.
    pub fn counts(&self) -> ImpairmentCounts {
        self.counts
    }

    fn offer_segment(&mut self, now: Instant, mut segment: Transmit) {
        let fate = self.draw();
        if fate.is_lost {
            self.counts.lost += 1;
            return;
        }
        let Some(departure) = self.pass_bottleneck(now, segment.len()) else {
            self.counts.overflowed += 1;
            return;
        };
        if self.impairment.ecn.is_some_and(|waiting| self.departures.len() > waiting) {
            self.counts.marked += u64::from(marking::mark_congestion(&mut segment));
        }
        if fate.is_corrupted {
            self.counts.corrupted += u64::from(flip_bit(&mut segment, fate.bit));
        }
        let due = self.arrival(departure, &fate);
        if fate.is_duplicated {
            self.counts.duplicated += 1;
            self.hold(due, segment.clone());
        }
        self.hold(due, segment);
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

    fn hold(&mut self, due: Instant, transmit: Transmit) {
        if self.held.len() >= HELD_MAX {
            self.counts.overflowed += 1;
            return;
        }
        self.held.push(Reverse(Held { due, index: self.next_index, transmit }));
        self.next_index += 1;
    }
}

/// Flips one bit behind the IP header, its checksum being final before; false: there is nothing behind it.
fn flip_bit(segment: &mut Transmit, random: u64) -> bool {
    segment.complete_checksum();
    let ip_len = match segment.header.first().map(|byte| (byte >> 4, byte & 0x0f)) {
        Some((4, words)) => usize::from(words) * 4,
        _ => 40,
    };
    let Some(bits @ 1..) = segment.len().checked_sub(ip_len).map(|bytes| bytes as u64 * 8) else {
        return false;
    };
    let bit = random % bits;
    let (mut at, mask) = (ip_len + (bit / 8) as usize, 1 << (bit % 8));
    if let Some(byte) = segment.header.get_mut(at) {
        *byte ^= mask;
        return true;
    }
    at -= segment.header.len();
    for (index, slice) in segment.payload.slices().iter().enumerate() {
        if at < slice.len() {
            // The send buffer shares these bytes and keeps the true ones.
            let mut damaged = slice.to_vec();
            damaged[at] ^= mask;
            segment.payload.replace(index, damaged.into());
            return true;
        }
        at -= slice.len();
    }
    false
}

impl PartialEq for Held {
    fn eq(&self, other: &Held) -> bool {
        self.index == other.index
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Held) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    fn cmp(&self, other: &Held) -> std::cmp::Ordering {
        (self.due, self.index).cmp(&(other.due, other.index))
    }
}

#[cfg(test)]
mod tests;
