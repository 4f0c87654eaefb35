//! What is on its way: one record for each transmission that is not acknowledged yet, ordered by
//! sequence number, with what is known of it (RFC 6675 §3, RFC 8985 §5.2, §6.1).
//!
//! Guarantees:
//! - the records lie end to end from SND.UNA to SND.NXT; a super-segment is one record of many
//!   segments, cut only where one of its segments begins;
//! - what is in flight (RFC 6675's pipe) is exact without counting: all, less what was SACKed, less
//!   what is lost and not sent again. A byte counts once, however often it was sent;
//! - what arrived is told once for each byte, when it is SACKed or when it is acknowledged;
//! - an ACK costs O(log n) for each record that it changes and for each block that it carries, and
//!   nothing for the records it leaves alone.
//!
//! Refuses SACK blocks that cover no whole segment: a peer can't have less than one, and can't
//! have more records made than segments were sent. When segments are lost is for
//! [`super::rack`] and its siblings to say.

use std::collections::VecDeque;
use std::time::Duration;

use super::ranges::Ranges;
use crate::tcp::delivery_rate::SentSnapshot;
use crate::tcp::seq::Seq;
use crate::time::Instant;

/// While there are so many records, no SACK block cuts a super-segment: what moving them costs stays
/// bounded. What is not cut counts as delivered when all of it is.
const MAX_CUT_RECORDS: usize = 4096;

/// One transmission, or what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The first number that is not acknowledged.
    pub start: Seq,
    /// The number after the last; a FIN takes up the last one.
    pub end: Seq,
    /// When it was last sent (RACK: xmit_ts).
    pub sent_at: Instant,
    /// When it was first sent: in the order of the numbers.
    first_sent_at: Instant,
    /// Where the first of its segments begins: cuts are whole segments away from there.
    origin: Seq,
    /// The text that each of its segments carries, in bytes.
    segment_size: u32,
    /// Sent again, or not to be told from something sent before: its round trip means nothing
    /// (Karn).
    pub is_repeat: bool,
    /// The peer has reported it.
    pub is_sacked: bool,
    /// Its last transmission is deemed lost.
    pub is_lost: bool,
    /// An earlier one was, which is why it was sent again.
    was_lost: bool,
    /// The delivery rate's counts when it was last sent.
    pub rate: SentSnapshot,
}

impl Record {
    /// Numbers that it takes up.
    pub fn numbers(&self) -> u64 {
        self.end.since(self.start)
    }

    /// Segments on the wire.
    pub fn segments(&self) -> u32 {
        if self.start == self.origin && self.numbers() <= self.segment_size.into() {
            return 1;
        }
        let whole = self.end.since(self.floor(self.start));
        let segments = whole.div_ceil(u64::from(self.segment_size.max(1)));
        u32::try_from(segments).unwrap_or(u32::MAX)
    }

    /// It was lost, whether or not it has been sent again since.
    fn was_ever_lost(&self) -> bool {
        self.is_lost || self.was_lost
    }

    /// Sent once, and nobody knows what has become of it.
    fn is_open(&self) -> bool {
        !(self.is_sacked || self.is_lost || self.is_repeat)
    }

    /// Where the segment that `seq` lies in begins.
    fn floor(&self, seq: Seq) -> Seq {
        let size = u64::from(self.segment_size.max(1));
        self.origin + seq.since(self.origin) / size * size
    }

    /// Where the first segment begins that lies at `seq` or after it.
    fn ceil(&self, seq: Seq) -> Seq {
        let floor = self.floor(seq);
        if floor == seq { seq } else { floor + u64::from(self.segment_size.max(1)) }
    }
}

/// A transmission about to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// Its first number.
    pub start: Seq,
    /// The number after its last.
    pub end: Seq,
    /// The text that each of its segments carries, in bytes.
    pub segment_size: u32,
    /// Some of it may have been sent before, without a record (a zero-window probe).
    pub is_repeat: bool,
    /// When it leaves.
    pub now: Instant,
    /// The delivery rate's counts.
    pub rate: SentSnapshot,
}

/// A piece that was sent again, and when.
#[derive(Clone, Copy, Debug)]
struct Repeat {
    start: Seq,
    end: Seq,
    sent_at: Instant,
}

/// Everything between SND.UNA and SND.NXT.
#[derive(Clone, Debug, Default)]
pub struct Scoreboard {
    records: VecDeque<Record>,
    /// What the peer has reported past SND.UNA.
    sacked: Ranges,
    sacked_segments: u32,
    /// What is lost and has not been sent again.
    lost: Ranges,
    /// Before this number nothing that was sent once waits for a verdict.
    judged: Seq,
    /// What was sent again, in the order of time; an entry outlives what it stands for.
    repeats: VecDeque<Repeat>,
    /// Records looked at since the beginning: what the peer's ACKs have cost.
    steps: u64,
}

impl Scoreboard {
    /// Numbers in flight: the pipe of RFC 6675 §4.
    pub fn in_flight(&self) -> u64 {
        let all = match (self.records.front(), self.records.back()) {
            (Some(first), Some(last)) => last.end.since(first.start),
            _ => 0,
        };
        all - self.sacked.len() - self.lost.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What the peer has reported past SND.UNA.
    pub fn sacked(&self) -> &Ranges {
        &self.sacked
    }

    /// How many segments that is.
    pub fn sacked_segments(&self) -> u32 {
        self.sacked_segments
    }

    /// What is lost and has not been sent again.
    pub fn lost(&self) -> &Ranges {
        &self.lost
    }

    /// The oldest record.
    pub fn first(&self) -> Option<&Record> {
        self.records.front()
    }

    /// How many segments all of it is.
    pub fn segments(&self) -> u32 {
        self.records.iter().map(Record::segments).fold(0, u32::saturating_add)
    }

    /// Whether one segment is all there is.
    pub fn is_one_segment(&self) -> bool {
        self.records.len() == 1 && self.records[0].segments() == 1
    }

    /// The last segment that was sent.
    pub fn last_segment(&self) -> Option<(Seq, Seq)> {
        let last = self.records.back()?;
        Some((last.floor(last.end - 1).max(last.start), last.end))
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// Whether any of it was sent again.
    pub fn has_repeats(&self) -> bool {
        self.repeats.iter().any(|repeat| self.is_awaited(repeat))
    }

    /// What was sent again and is neither delivered nor lost, in the order of its numbers.
    pub fn repeated(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|r| r.is_repeat && !r.is_sacked && !r.is_lost)
    }

    /// Segments that were sent again and are neither delivered nor lost.
    pub fn repeated_segments(&self) -> u32 {
        self.repeated().map(Record::segments).fold(0, u32::saturating_add)
    }

    /// Segments that were lost, sent again since or not (`tcpi_lost`).
    pub fn lost_segments(&self) -> u32 {
        let segments = self.records.iter().filter(|r| r.was_ever_lost()).map(Record::segments);
        segments.fold(0, u32::saturating_add)
    }

    /// Records looked at so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Notes a transmission: past all others, or of what was sent before.
    pub fn on_transmit(&mut self, departure: &Departure) {
        let Departure { start, end, segment_size, is_repeat, now, rate } = *departure;
        let next = self.records.back().map_or(start, |last| last.end);
        let record = Record {
            start,
            end,
            sent_at: now,
            first_sent_at: now,
            origin: start,
            segment_size,
            is_repeat: is_repeat || start < next,
            is_sacked: false,
            is_lost: false,
            was_lost: false,
            rate,
        };
        if start >= next {
            if self.records.is_empty() {
                self.judged = start;
            }
            self.records.push_back(record);
        } else {
            self.replace(record);
        }
        if record.is_repeat {
            // What is sent again and again must not leave a trail.
            while self.repeats.front().is_some_and(|repeat| !self.is_awaited(repeat)) {
                self.repeats.pop_front();
            }
            self.repeats.push_back(Repeat { start, end, sent_at: now });
        }
    }

    /// Puts the record of a repetition in the place of what it repeats.
    fn replace(&mut self, repeat: Record) {
        self.cut(repeat.start);
        self.cut(repeat.end);
        let first = self.index_of(repeat.start);
        let after = self.index_of(repeat.end);
        self.lost.remove(repeat.start, repeat.end);
        for record in self.records.range(first..after).filter(|record| record.is_sacked) {
            self.sacked_segments -= record.segments();
        }
        self.sacked.remove(repeat.start, repeat.end);
        let was_lost = self.records.range(first..after).any(Record::was_ever_lost);
        let first_sent_at = self.records[first].first_sent_at;
        self.records[first] = Record { first_sent_at, was_lost, ..repeat };
        self.records.drain(first + 1..after);
    }

    /// SND.UNA has moved to `ack`. `delivered` is told of each record, or part of one, that was not
    /// SACKed before.
    pub fn acknowledge(&mut self, ack: Seq, mut delivered: impl FnMut(&Record)) {
        while let Some(record) = self.records.front_mut().filter(|record| record.start < ack) {
            self.steps += 1;
            if record.end <= ack {
                if record.is_sacked {
                    self.sacked_segments -= record.segments();
                } else {
                    delivered(record);
                }
                self.records.pop_front();
                continue;
            }
            let before = record.segments();
            if !record.is_sacked {
                delivered(&Record { end: ack, ..*record });
            }
            record.start = ack;
            self.sacked_segments -= if record.is_sacked { before - record.segments() } else { 0 };
        }
        self.sacked.remove_below(ack);
        self.lost.remove_below(ack);
        while self.repeats.front().is_some_and(|repeat| repeat.end <= ack) {
            self.repeats.pop_front();
        }
    }

    /// The peer has reported `start..end`. `delivered` is told of each record that was not reported
    /// before and lies in it, a segment being the least that can.
    pub fn sack(&mut self, start: Seq, end: Seq, mut delivered: impl FnMut(&Record)) {
        let mut at = start;
        while at < end {
            self.steps += 1;
            if let Some((_, reported)) = self.sacked.around(at) {
                at = reported;
                continue;
            }
            let Some(record) = self.records.get(self.index_of(at)).copied() else { return };
            let from = if at > record.start { record.ceil(at) } else { record.start };
            let to = if end >= record.end { record.end } else { record.floor(end) };
            at = record.end;
            let is_whole = from == record.start && to == record.end;
            if from >= to || (!is_whole && self.records.len() >= MAX_CUT_RECORDS) {
                continue;
            }
            self.cut(from);
            self.cut(to);
            let index = self.index_of(from);
            let record = &mut self.records[index];
            record.is_sacked = true;
            self.lost.remove(from, to);
            delivered(record);
            (record.is_lost, record.was_lost) = (false, false);
            self.sacked_segments += record.segments();
            self.sacked.insert(from, to);
        }
    }

    /// Deems lost what was last sent in `start..end` and is not SACKed; `lost` is told of each
    /// record.
    pub fn lose(&mut self, start: Seq, end: Seq, mut lost: impl FnMut(&Record)) {
        self.cut(start);
        self.cut(end);
        let mut index = self.index_of(start);
        while self.records.get(index).is_some_and(|record| record.start < end) {
            self.lose_at(index, &mut lost);
            index += 1;
        }
    }

    /// Deems lost everything that is not SACKed, but for what `is_kept` says; `lost` is told of
    /// each record.
    pub fn lose_all(&mut self, is_kept: impl Fn(&Record) -> bool, mut lost: impl FnMut(&Record)) {
        for index in 0..self.records.len() {
            if !is_kept(&self.records[index]) {
                self.lose_at(index, &mut lost);
            }
        }
    }

    fn lose_at(&mut self, index: usize, lost: &mut impl FnMut(&Record)) {
        self.steps += 1;
        let record = &mut self.records[index];
        if !record.is_sacked && !record.is_lost {
            lost(record);
            record.is_lost = true;
            self.lost.insert(record.start, record.end);
        }
    }

    /// Nothing is lost after all.
    pub fn forgive(&mut self) {
        for record in &mut self.records {
            (record.is_lost, record.was_lost) = (false, false);
        }
        self.lost.clear();
        self.judge_anew();
    }

    /// The peer may have thrown away what it reported (RFC 2018 §8): nothing is SACKed any more.
    pub fn forget_sacks(&mut self) {
        for record in &mut self.records {
            record.is_sacked = false;
        }
        self.sacked.clear();
        self.sacked_segments = 0;
        self.judge_anew();
    }

    /// Everything waits for a verdict again.
    fn judge_anew(&mut self) {
        self.judged = self.records.front().map_or(self.judged, |record| record.start);
        let repeated = self.records.iter().filter(|record| record.is_repeat);
        let repeat = |r: &Record| Repeat { start: r.start, end: r.end, sent_at: r.sent_at };
        self.repeats = repeated.map(repeat).collect();
        self.repeats.make_contiguous().sort_by_key(|repeat| repeat.sent_at);
    }

    /// RFC 8985 §6.2 step 5: of the segments sent before the newest one delivered (`newest`: when it
    /// was sent, and its end), those are lost that were sent `patience` ago or earlier. `lost` is
    /// told of each; returned is when the rest will be.
    pub fn lose_overdue(
        &mut self,
        now: Instant,
        newest: (Instant, Seq),
        patience: Duration,
        mut lost: impl FnMut(&Record),
    ) -> Option<Instant> {
        let originals = self.lose_overdue_originals(now, newest, patience, &mut lost);
        let repeats = self.lose_overdue_repeats(now, newest, patience, &mut lost);
        originals.max(repeats)
    }

    /// Among what was sent once, the numbers are in the order of time: up to `judged` all is said,
    /// and the first that is not overdue ends the search.
    fn lose_overdue_originals(
        &mut self,
        now: Instant,
        newest: (Instant, Seq),
        patience: Duration,
        lost: &mut impl FnMut(&Record),
    ) -> Option<Instant> {
        let mut index = self.index_of(self.judged);
        while let Some(record) = self.records.get(index).copied() {
            self.steps += 1;
            if let Some((_, end)) = self.sacked.around(record.start) {
                self.judged = end;
                index = self.index_of(end);
                continue;
            }
            if record.is_open() {
                let is_before = (record.sent_at, record.end) < newest;
                if !is_before || record.sent_at + patience > now {
                    break;
                }
                self.lose_at(index, lost);
            }
            self.judged = record.end;
            index += 1;
        }
        let last = self.last_open_before(newest, index)?;
        Some(last.sent_at + patience)
    }

    /// The last record from `index` on that was sent once, before `newest`, and has no verdict.
    fn last_open_before(&mut self, newest: (Instant, Seq), index: usize) -> Option<Record> {
        let mut after = self.records.partition_point(|r| (r.first_sent_at, r.end) < newest);
        while after > index {
            self.steps += 1;
            let record = self.records[after - 1];
            if record.is_open() {
                return Some(record);
            }
            after = match self.sacked.around(record.start) {
                Some((start, _)) => self.index_of(start),
                None => after - 1,
            };
        }
        None
    }

    /// What was sent again is in the order of time by itself.
    fn lose_overdue_repeats(
        &mut self,
        now: Instant,
        newest: (Instant, Seq),
        patience: Duration,
        lost: &mut impl FnMut(&Record),
    ) -> Option<Instant> {
        while let Some(repeat) = self.repeats.front().copied() {
            self.steps += 1;
            if self.is_awaited(&repeat) {
                // What left in this very moment came after all that is delivered, whatever its number.
                if (repeat.sent_at, repeat.end) >= newest || repeat.sent_at == now {
                    return None;
                }
                if repeat.sent_at + patience > now {
                    return Some(repeat.sent_at + patience);
                }
                let mut index = self.index_of(repeat.start);
                while self.records.get(index).is_some_and(|r| r.start < repeat.end) {
                    if self.records[index].sent_at == repeat.sent_at {
                        self.lose_at(index, lost);
                    }
                    index += 1;
                }
            }
            self.repeats.pop_front();
        }
        None
    }

    /// Whether some of what was then sent again is neither delivered, lost nor sent anew.
    fn is_awaited(&self, repeat: &Repeat) -> bool {
        let records = self.records.range(self.index_of(repeat.start)..);
        records
            .take_while(|record| record.start < repeat.end)
            .any(|r| r.sent_at == repeat.sent_at && r.is_repeat && !r.is_sacked && !r.is_lost)
    }

    /// RFC 6675 §4, IsLost: what lies below the last `threshold` SACKed segments (or as many bytes
    /// of them) and was sent once is lost. `lost` is told of each record.
    pub fn lose_below_sacked(&mut self, threshold: u32, smss: u32, mut lost: impl FnMut(&Record)) {
        let Some(end) = self.threshold_start(threshold, smss) else { return };
        let mut index = self.index_of(self.judged);
        while let Some(record) = self.records.get(index).copied().filter(|r| r.start < end) {
            self.steps += 1;
            if let Some((_, end)) = self.sacked.around(record.start) {
                self.judged = end;
                index = self.index_of(end);
                continue;
            }
            if record.is_open() {
                self.lose_at(index, &mut lost);
            }
            self.judged = record.end;
            index += 1;
        }
    }

    /// Where the SACKed range begins above which `threshold` segments were SACKed, with it.
    fn threshold_start(&self, threshold: u32, smss: u32) -> Option<Seq> {
        let enough = u64::from(threshold.saturating_sub(1)) * u64::from(smss);
        let mut bytes = 0;
        for (count, (start, end)) in (1..).zip(self.sacked.iter().rev()) {
            bytes += end.since(start);
            if count >= threshold || bytes > enough {
                return Some(start);
            }
        }
        None
    }

    /// The record that `seq` lies in, or the first one after it.
    fn index_of(&self, seq: Seq) -> usize {
        match self.records.front() {
            // Mostly it is the first that is asked for.
            Some(first) if seq < first.end => 0,
            _ => self.records.partition_point(|record| record.end <= seq),
        }
    }

    /// Sees to it that a record begins at `seq`, if one spans it.
    fn cut(&mut self, seq: Seq) {
        let index = self.index_of(seq);
        let Some(record) = self.records.get(index).copied().filter(|r| r.start < seq) else {
            return;
        };
        self.records[index].end = seq;
        self.records.insert(index + 1, Record { start: seq, ..record });
        if record.is_sacked {
            let parts = self.records[index].segments() + self.records[index + 1].segments();
            self.sacked_segments += parts - record.segments();
        }
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self) {
        let pairs = self.records.iter().zip(self.records.iter().skip(1));
        for (record, next) in pairs {
            assert_eq!(record.end, next.start, "a gap between records");
            assert!(record.first_sent_at <= next.first_sent_at, "sent out of order");
        }
        let (mut sacked, mut lost) = (Ranges::default(), Ranges::default());
        let mut segments = 0;
        for record in &self.records {
            assert!(record.start < record.end, "an empty record");
            assert!(!(record.is_sacked && record.is_lost), "delivered and lost");
            if record.is_sacked {
                sacked.insert(record.start, record.end);
                segments += record.segments();
            }
            if record.is_lost {
                lost.insert(record.start, record.end);
            }
        }
        assert_eq!((&sacked, segments), (&self.sacked, self.sacked_segments));
        assert_eq!(lost, self.lost);
        let is_open = |record: &&Record| record.end <= self.judged && record.is_open();
        assert_eq!(self.records.iter().find(is_open), None, "passed over without a verdict");
    }
}

#[cfg(test)]
mod tests;
