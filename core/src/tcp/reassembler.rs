//! Data that arrived past a hole, until the hole is filled.
//!
//! Owns the ranges past RCV.NXT: sorted, disjoint, never empty, bounded in number. A byte that is
//! there stays what it is; what arrives later fills gaps only, so a forged overlap can't rewrite
//! data. What lies outside the window must be trimmed before it comes here. Nothing held here has
//! been acknowledged: dropping it costs a retransmission and loses nothing (RFC 2018 §8).
//!
//! It also remembers which ranges changed last, in that order: what SACK blocks report (`sack`).

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

use super::byte_queue::SHARE_MIN;
use super::seq::Seq;

/// Most pieces held. Against a peer that sends every other byte this bounds the bookkeeping to
/// about half a megabyte; honest loss leaves far fewer, as neighbours grow together.
pub const MAX_PIECES: usize = 4096;

/// Ranges whose order of arrival is remembered: as many as one segment's options can tell of.
const RECENT: usize = 4;

/// Bytes that arrived together, or side by side.
#[derive(Debug)]
enum Piece {
    /// A slice of the buffer that the device filled.
    Shared(Bytes),
    /// Copied out of it; grows while its right neighbour keeps arriving.
    Copied(BytesMut),
}

impl Piece {
    fn new(payload: Bytes) -> Piece {
        if payload.len() >= SHARE_MIN {
            Piece::Shared(payload)
        } else {
            Piece::Copied(BytesMut::from(&payload[..]))
        }
    }

    fn len(&self) -> u64 {
        match self {
            Piece::Shared(data) => data.len() as u64,
            Piece::Copied(data) => data.len() as u64,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Piece::Shared(data) => data,
            Piece::Copied(data) => data.freeze(),
        }
    }
}

/// Out-of-order data by sequence number. Without data it holds no heap memory, and next to none in
/// place: most connections never have a hole.
#[derive(Debug, Default)]
pub struct Reassembler(Option<Box<Held>>);

/// What is held.
#[derive(Debug, Default)]
struct Held {
    /// By first sequence number.
    pieces: BTreeMap<Seq, Piece>,
    /// The same, adjacent pieces merged: start to end.
    ranges: BTreeMap<Seq, Seq>,
    bytes: u64,
    /// The first numbers of the ranges that changed last, the latest first. One may since have been
    /// delivered or merged: it is looked up when it is told of.
    recent: Vec<Seq>,
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Insertion {
    /// [`MAX_PIECES`] was reached and the data farthest to the right (of this payload or of an
    /// earlier one) had to go.
    pub dropped: bool,
    /// The first range of the payload that was here already (RFC 2883 §4).
    pub duplicate: Option<(Seq, Seq)>,
}

impl Reassembler {
    /// An empty one.
    pub fn new() -> Reassembler {
        Reassembler::default()
    }

    /// Keeps what of `payload`, which starts at `seq`, is not here yet.
    pub fn insert(&mut self, seq: Seq, payload: Bytes) -> Insertion {
        if payload.is_empty() {
            return Insertion::default();
        }
        self.0.get_or_insert_default().insert(seq, payload)
    }

    /// The piece that starts at `next` (RCV.NXT), if the hole before it is filled; what lies before
    /// `next` is dropped. Call it until `None`, with `next` moved past each piece.
    pub fn pop(&mut self, next: Seq) -> Option<Bytes> {
        let held = self.0.as_mut()?;
        let data = held.pop(next);
        if held.pieces.is_empty() && held.recent.is_empty() {
            self.0 = None;
        }
        data
    }

    /// The ranges held, `[start, end)`, in order, adjacent ones merged.
    pub fn ranges(&self) -> impl Iterator<Item = (Seq, Seq)> {
        let held = self.0.iter();
        held.flat_map(|held| held.ranges.iter().map(|(&start, &end)| (start, end)))
    }

    /// Notes that the segment at `seq` is the latest past a hole. `fin` is the number of the peer's
    /// FIN, which ends a range or is one by itself.
    pub fn note_recent(&mut self, seq: Seq, fin: Option<Seq>) {
        if self.0.is_some() || fin == Some(seq) {
            self.0.get_or_insert_default().note_recent(seq, fin);
        }
    }

    /// The ranges that changed last, the latest first, each once (RFC 2018 §4). A range that has
    /// been delivered or dropped is not among them.
    pub fn recent(&self, fin: Option<Seq>) -> impl Iterator<Item = (Seq, Seq)> {
        self.0.iter().flat_map(move |held| held.recent(fin))
    }

    /// Whether there may be ranges that changed lately.
    pub fn has_recent(&self) -> bool {
        self.0.is_some()
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |held| held.bytes)
    }

    /// Whether there is no hole.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|held| held.pieces.is_empty())
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Asserts that pieces are sorted, disjoint, non-empty, bounded, and that the merged ranges and
    /// the byte count say the same.
    ///
    /// # Panics
    /// When not: a bug in this module.
    pub fn check(&self) {
        if let Some(held) = &self.0 {
            held.check();
        }
    }
}

impl Held {
    fn insert(&mut self, seq: Seq, payload: Bytes) -> Insertion {
        let end = seq + payload.len() as u64;
        let mut insertion = Insertion::default();
        let mut at = seq;
        while at < end {
            if let Some((_, there)) = self.range_at(at) {
                insertion.duplicate.get_or_insert((at, there.min(end)));
                at = there;
                continue;
            }
            let next = self.ranges.range(at..).next();
            let gap_end = next.map_or(end, |(&start, _)| start.min(end));
            let gap = payload.slice(at.since(seq) as usize..gap_end.since(seq) as usize);
            insertion.dropped |= !self.fill(at, gap);
            at = gap_end;
        }
        insertion
    }

    fn pop(&mut self, next: Seq) -> Option<Bytes> {
        while let Some((&start, _)) = self.pieces.first_key_value()
            && start <= next
        {
            let mut data = self.remove_first()?;
            let before = next.since(start);
            if before < data.len() as u64 {
                data.advance(before as usize);
                return Some(data);
            }
        }
        None
    }

    fn note_recent(&mut self, seq: Seq, fin: Option<Seq>) {
        let Some((start, _)) = self.reported_at(seq, fin) else { return };
        let mut recent = std::mem::take(&mut self.recent);
        recent
            .retain(|&seq| self.reported_at(seq, fin).is_some_and(|(earlier, _)| earlier != start));
        recent.insert(0, start);
        recent.truncate(RECENT);
        self.recent = recent;
    }

    fn recent(&self, fin: Option<Seq>) -> impl Iterator<Item = (Seq, Seq)> {
        let mut told: SmallVec<[Seq; RECENT]> = SmallVec::new();
        self.recent.iter().filter_map(move |&seq| {
            let range = self.reported_at(seq, fin)?;
            let is_new = !told.contains(&range.0);
            told.push(range.0);
            is_new.then_some(range)
        })
    }

    /// The range that holds the byte at `seq`.
    fn range_at(&self, seq: Seq) -> Option<(Seq, Seq)> {
        let (&start, &end) = self.ranges.range(..=seq).next_back()?;
        (seq < end).then_some((start, end))
    }

    /// The same, with the FIN where it follows the range or stands alone.
    fn reported_at(&self, seq: Seq, fin: Option<Seq>) -> Option<(Seq, Seq)> {
        match self.range_at(seq) {
            Some((start, end)) => Some((start, end + u64::from(fin == Some(end)))),
            None if fin == Some(seq) => match self.ranges.range(..seq).next_back() {
                Some((&start, &end)) if end == seq => Some((start, seq + 1)),
                _ => Some((seq, seq + 1)),
            },
            None => None,
        }
    }

    /// Stores `gap`, of whose bytes none is here; false when it, or the data farthest to the right,
    /// was dropped.
    fn fill(&mut self, seq: Seq, gap: Bytes) -> bool {
        let len = gap.len();
        if self.append(seq, &gap) {
            self.add_range(seq, len as u64);
            return true;
        }
        let full = self.pieces.len() >= MAX_PIECES;
        if full {
            let last = self.pieces.last_key_value().map(|(&start, _)| start);
            if last.is_none_or(|last| seq > last) {
                return false;
            }
            self.remove_last();
        }
        self.pieces.insert(seq, Piece::new(gap));
        self.add_range(seq, len as u64);
        !full
    }

    /// Grows the copied piece that ends at `seq`, if there is one and both stay small.
    fn append(&mut self, seq: Seq, gap: &Bytes) -> bool {
        let Some((&start, Piece::Copied(data))) = self.pieces.range_mut(..seq).next_back() else {
            return false;
        };
        let fits = start + data.len() as u64 == seq && data.len() + gap.len() <= SHARE_MIN;
        if fits {
            data.extend_from_slice(gap);
        }
        fits
    }

    /// Notes that `len` bytes from `start` are here now, merging with both neighbours.
    fn add_range(&mut self, mut start: Seq, len: u64) {
        let mut end = start + len;
        self.bytes += len;
        if let Some(after) = self.ranges.remove(&end) {
            end = after;
        }
        if let Some((&before, &upto)) = self.ranges.range(..start).next_back()
            && upto == start
        {
            start = before;
        }
        self.ranges.insert(start, end);
    }

    /// Takes the leftmost piece out.
    fn remove_first(&mut self) -> Option<Bytes> {
        let (start, piece) = self.pieces.pop_first()?;
        let piece_end = start + piece.len();
        let end = self.ranges.remove(&start).unwrap_or(piece_end);
        if piece_end < end {
            self.ranges.insert(piece_end, end);
        }
        self.bytes -= piece.len();
        if self.pieces.is_empty() {
            // An emptied map keeps its root node.
            self.pieces = BTreeMap::new();
            self.ranges = BTreeMap::new();
            // A FIN by itself may still be waiting.
            self.recent.retain(|&seq| seq > piece_end);
            if self.recent.is_empty() {
                self.recent = Vec::new();
            }
        }
        Some(piece.into_bytes())
    }

    /// Drops the rightmost piece.
    fn remove_last(&mut self) {
        let Some((start, piece)) = self.pieces.pop_last() else { return };
        self.bytes -= piece.len();
        if let Some(mut range) = self.ranges.last_entry() {
            if *range.key() == start {
                range.remove();
            } else {
                *range.get_mut() = start;
            }
        }
    }

    fn check(&self) {
        // Without a list of its own: tests count what hostile input makes us allocate.
        let mut ranges = self.ranges.iter().map(|(&start, &end)| (start, end));
        let (mut bytes, mut merged) = (0, None::<(Seq, Seq)>);
        for (&start, piece) in &self.pieces {
            assert!(piece.len() > 0, "the piece at {start:?} is empty");
            let end = start + piece.len();
            bytes += piece.len();
            merged = match merged {
                Some((first, last)) if last == start => Some((first, end)),
                before => {
                    assert!(before.is_none_or(|(_, last)| last < start), "overlap at {start:?}");
                    assert!(
                        before.is_none() || ranges.next() == before,
                        "ranges and pieces differ"
                    );
                    Some((start, end))
                }
            };
        }
        assert!(ranges.next() == merged && ranges.next().is_none(), "ranges and pieces differ");
        assert_eq!(self.bytes, bytes, "the byte count is wrong");
        assert!(self.pieces.len() <= MAX_PIECES, "too many pieces");
        assert!(self.recent.len() <= RECENT, "more is remembered than can be told");
    }
}

#[cfg(test)]
mod tests;
