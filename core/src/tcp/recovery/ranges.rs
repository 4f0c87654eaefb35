//! A set of sequence numbers, kept as the disjoint ranges it consists of.
//!
//! Guarantees: no range is empty, no two overlap or touch, and [`Ranges::len`] is their sum. Each
//! change costs O(log n) for every range that it joins or takes away, so that whoever adds ranges
//! pays for their removal too. Bounds are the caller's: it grows with what it is given.

use std::collections::BTreeMap;

use crate::tcp::seq::Seq;

/// Disjoint ranges of sequence numbers. Empty, it holds no heap memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// The end of each range, by its start.
    ends: BTreeMap<Seq, Seq>,
    len: u64,
}

impl Ranges {
    /// Adds `start..end`.
    pub fn insert(&mut self, start: Seq, end: Seq) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        let last_touching = |ends: &BTreeMap<Seq, Seq>, start: Seq, end: Seq| {
            let (left, right) = ends.range(..=end).next_back()?;
            (*right >= start).then_some((*left, *right))
        };
        while let Some((left, right)) = last_touching(&self.ends, start, end) {
            self.ends.remove(&left);
            self.len -= right.since(left);
            start = start.min(left);
            end = end.max(right);
        }
        self.ends.insert(start, end);
        self.len += end.since(start);
    }

    /// Takes `start..end` away.
    pub fn remove(&mut self, start: Seq, end: Seq) {
        if start >= end {
            return;
        }
        let last_before = |ends: &BTreeMap<Seq, Seq>| {
            let (left, right) = ends.range(..end).next_back()?;
            (*right > start).then_some((*left, *right))
        };
        while let Some((left, right)) = last_before(&self.ends) {
            self.ends.remove(&left);
            self.len -= right.since(left);
            self.put(left, start);
            self.put(end, right);
        }
    }

    /// Takes away all that lies before `seq`.
    pub fn remove_below(&mut self, seq: Seq) {
        while let Some((left, right)) = self.first().filter(|(left, _)| *left < seq) {
            self.ends.remove(&left);
            self.len -= right.since(left);
            self.put(seq, right);
        }
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Ranges::default();
    }

    /// The range that `seq` is in.
    pub fn around(&self, seq: Seq) -> Option<(Seq, Seq)> {
        let (start, end) = self.ends.range(..=seq).next_back()?;
        (seq < *end).then_some((*start, *end))
    }

    /// The lowest range.
    pub fn first(&self) -> Option<(Seq, Seq)> {
        self.ends.first_key_value().map(|(start, end)| (*start, *end))
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Seq, Seq)> {
        self.ends.iter().map(|(start, end)| (*start, *end))
    }

    /// How many numbers are in it.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no number is in it.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a range that touches no other, if it is one.
    fn put(&mut self, start: Seq, end: Seq) {
        if start < end {
            self.ends.insert(start, end);
            self.len += end.since(start);
        }
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self) {
        let pairs = self.iter().zip(self.iter().skip(1));
        pairs.for_each(|((_, end), (next, _))| assert!(end < next, "ranges touch"));
        assert!(self.iter().all(|(start, end)| start < end), "an empty range");
        assert_eq!(self.len, self.iter().map(|(start, end)| end.since(start)).sum::<u64>());
    }
}

#[cfg(test)]
mod tests;
