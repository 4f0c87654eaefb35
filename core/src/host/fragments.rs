//! Fragments of packets that are not whole yet (RFC 791 §3.2, RFC 8200 §4.5): kept until all parts
//! are there, or their time is over.
//!
//! A peer chooses what comes here, so everything is bounded: the memory in all (`ipfrag_high_thresh`;
//! the packet that would expire first makes room), the packets of one source, and the time of each.
//! A packet whose parts overlap, or contradict each other about its length, is given up with
//! all parts that are still to come (RFC 5722 §4; Linux does so for IPv4 too): no honest sender makes one,
//! and whichever part won, a filter on the way may have seen the other. The whole packet is then
//! read and verified like any other; nothing of a part is believed before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::counters::Counter;
use crate::time::Instant;
use crate::wire::fragment::{Fragment, Layout, reassemble};

/// Packets of one source that may be incomplete at a time.
const PER_SOURCE: usize = 64;

/// What a part takes besides its bytes, so that many tiny ones are not free.
const PART_OVERHEAD: usize = 128;

/// What an incomplete packet takes besides its parts.
const PACKET_OVERHEAD: usize = 256;

/// Which parts belong together. Ordered by source first, so that one source's lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    protocol: Option<u8>,
    identification: u32,
}

/// A packet that is not whole.
#[derive(Debug)]
struct Packet {
    deadline: Instant,
    /// The payload of each part, by its offset. They never overlap.
    parts: BTreeMap<usize, Box<[u8]>>,
    /// The first fragment up to its payload.
    head: Option<(Box<[u8]>, Layout)>,
    /// Length of the whole payload, known from the last fragment.
    total: Option<usize>,
    /// Bytes of it that are there.
    received: usize,
    /// Which of the four ECN codepoints its parts bore, one bit each.
    codepoints: u8,
    /// It cannot become whole any more; what still comes of it is dropped.
    is_given_up: bool,
}

/// What a fragment did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is kept.
    Kept,
    /// The packet is whole.
    Whole(Vec<u8>),
}

/// The packets that are not whole.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    packets: BTreeMap<Key, Packet>,
    deadlines: BTreeSet<(Instant, Key)>,
    /// What all of them take, in bytes.
    size: usize,
    /// Packets that had to make room, since [`Fragments::take_evicted`].
    evicted: u64,
}

impl Fragments {
    /// Takes `fragment`, read from `bytes`. Its packet has until `deadline` if it is the first part of
    /// it to come; all packets together may take `limit` bytes.
    ///
    /// # Errors
    /// Why it was dropped, alone or with its whole packet.
    pub(super) fn insert(
        &mut self,
        fragment: &Fragment,
        bytes: &[u8],
        deadline: Instant,
        limit: usize,
    ) -> Result<Outcome, Counter> {
        let key = Key {
            src: fragment.header.src,
            dst: fragment.header.dst,
            protocol: fragment.protocol(),
            identification: fragment.identification,
        };
        self.make_room(&key, fragment.header.payload_len + PART_OVERHEAD, limit)?;
        let packet = self.packets.entry(key).or_insert_with(|| {
            self.deadlines.insert((deadline, key));
            self.size += PACKET_OVERHEAD;
            Packet::new(deadline)
        });
        let before = packet.size();
        let result = packet.insert(fragment, bytes);
        self.size = self.size - before + packet.size();
        match result {
            Ok(true) => self.complete(&key),
            Ok(false) => Ok(Outcome::Kept),
            Err(counter) => Err(counter),
        }
    }

    /// Makes room for `size` more bytes of the packet `key`, at the cost of the packets that would
    /// expire first: those of the same source when it has too many, else anybody's.
    fn make_room(&mut self, key: &Key, size: usize, limit: usize) -> Result<(), Counter> {
        let is_new = !self.packets.contains_key(key);
        if is_new && self.of_source(key.src).count() >= PER_SOURCE {
            let oldest = self.of_source(key.src).min_by_key(|(_, packet)| packet.deadline);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.evict(&oldest);
            }
        }
        let size = size + if is_new { PACKET_OVERHEAD } else { 0 };
        while self.size + size > limit {
            let victim = self.deadlines.iter().map(|(_, other)| *other).find(|other| other != key);
            let Some(victim) = victim else {
                // Alone it takes more than there is.
                self.remove(key);
                return Err(Counter::IpReassemblyMemory);
            };
            self.evict(&victim);
        }
        Ok(())
    }

    /// The incomplete packets of one source.
    fn of_source(&self, src: IpAddr) -> impl Iterator<Item = (&Key, &Packet)> {
        let least = match src {
            IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        let first = Key { src, dst: least, protocol: None, identification: 0 };
        self.packets.range(first..).take_while(move |(key, _)| key.src == src)
    }

    fn evict(&mut self, key: &Key) {
        if self.remove(key).is_some() {
            self.evicted += 1;
        }
    }

    /// How many packets had to make room since the last call.
    pub(super) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    fn remove(&mut self, key: &Key) -> Option<Packet> {
        let packet = self.packets.remove(key)?;
        self.deadlines.remove(&(packet.deadline, *key));
        self.size -= packet.size() + PACKET_OVERHEAD;
        Some(packet)
    }

    fn complete(&mut self, key: &Key) -> Result<Outcome, Counter> {
        let packet = self.remove(key).ok_or(Counter::IpFragment)?;
        let congestion = packet.congestion().ok_or(Counter::IpFragment)?;
        let (head, layout) = packet.head.ok_or(Counter::IpFragment)?;
        let parts = packet.parts.values().map(AsRef::as_ref);
        let whole = reassemble(&head, layout, parts, congestion).map_err(Counter::of_ip)?;
        Ok(Outcome::Whole(whole))
    }

    /// When the next packet's time is over.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Gives up a packet whose time is over at `now`: its first fragment, if that has come. Call it
    /// until None.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Option<Vec<u8>>> {
        while let Some((deadline, key)) = self.deadlines.first().copied()
            && deadline <= now
        {
            let packet = self.remove(&key)?;
            if !packet.is_given_up {
                return Some(packet.first_fragment());
            }
        }
        None
    }

    /// Panics where the guarantees above do not hold.
    pub(super) fn check(&self) {
        assert_eq!(self.packets.len(), self.deadlines.len(), "a packet without a deadline");
        let size: usize = self.packets.values().map(|packet| packet.size() + PACKET_OVERHEAD).sum();
        assert_eq!(size, self.size, "the memory of fragments is miscounted");
        for packet in self.packets.values() {
            let mut end = 0;
            for (offset, part) in &packet.parts {
                assert!(*offset >= end, "fragments overlap");
                end = offset + part.len();
            }
            assert!(packet.total.is_none_or(|total| end <= total), "a fragment past the end");
        }
    }
}

impl Packet {
    fn new(deadline: Instant) -> Packet {
        Packet {
            deadline,
            parts: BTreeMap::new(),
            head: None,
            total: None,
            received: 0,
            codepoints: 0,
            is_given_up: false,
        }
    }

    /// What it takes but for the fixed part, in bytes.
    fn size(&self) -> usize {
        self.received + self.parts.len() * PART_OVERHEAD
    }

    /// Takes a part; whether the packet is whole now.
    fn insert(&mut self, fragment: &Fragment, bytes: &[u8]) -> Result<bool, Counter> {
        if self.is_given_up {
            return Err(Counter::IpFragment);
        }
        let (start, end) = (fragment.offset, fragment.end());
        if self.parts.get(&start).is_some_and(|part| start + part.len() == end) {
            // RFC 8200 §4.5: the network may have doubled it, which harms nobody.
            return Err(Counter::IpFragmentDuplicate);
        }
        let before = self.parts.range(..=start).next_back();
        let overlaps_before = before.is_some_and(|(at, part)| at + part.len() > start);
        if overlaps_before || self.parts.range(start..).next().is_some_and(|(at, _)| *at < end) {
            self.give_up();
            return Err(Counter::IpFragmentOverlap);
        }
        let furthest = self.parts.last_key_value().map_or(0, |(at, part)| at + part.len());
        let contradicts = match self.total {
            Some(total) => end > total || (!fragment.more && end != total),
            None => !fragment.more && end < furthest,
        };
        if contradicts {
            self.give_up();
            return Err(Counter::IpFragmentOverlap);
        }
        let header_len = fragment.header.header_len;
        self.parts.insert(start, bytes[header_len..][..end - start].into());
        self.received += end - start;
        self.codepoints |= 1 << (fragment.header.traffic_class & 3);
        if start == 0 {
            self.head = Some((bytes[..header_len].into(), fragment.layout));
        }
        if !fragment.more {
            self.total = Some(end);
        }
        Ok(self.total == Some(self.received))
    }

    fn first_fragment(self) -> Option<Vec<u8>> {
        let (head, _) = self.head?;
        let mut first = head.into_vec();
        first.extend_from_slice(self.parts.get(&0)?);
        Some(first)
    }

    fn give_up(&mut self) {
        (self.is_given_up, self.received, self.head) = (true, 0, None);
        self.parts.clear();
    }

    /// Whether the whole bears the CE mark because a part does; None when it is to be dropped, because
    /// another part says that its sender knows no ECN (RFC 3168 §5.3).
    fn congestion(&self) -> Option<bool> {
        let (not_ect, ce) = (self.codepoints & 1 != 0, self.codepoints & 1 << 3 != 0);
        if not_ect && ce { None } else { Some(ce) }
    }
}

#[cfg(test)]
mod tests;
