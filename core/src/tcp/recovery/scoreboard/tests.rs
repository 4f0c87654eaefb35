use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Departure, Record, Scoreboard};
use crate::tcp::delivery_rate::SentSnapshot;
use crate::tcp::seq::Seq;
use crate::time::Instant;

const SIZE: u64 = 10;

fn seq(number: u64) -> Seq {
    Seq::from_initial(0) + number
}

fn number(seq: Seq) -> u64 {
    seq.since(self::seq(0))
}

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn departure(ms: u64, start: u64, end: u64) -> Departure {
    Departure {
        start: seq(start),
        end: seq(end),
        segment_size: SIZE as u32,
        is_repeat: false,
        now: at(ms),
        rate: SentSnapshot::default(),
    }
}

/// A super-segment of so many segments from 0 on, sent at 0 ms.
fn sent(segments: u64) -> Scoreboard {
    let mut board = Scoreboard::default();
    board.on_transmit(&departure(0, 0, segments * SIZE));
    board
}

fn pieces(board: &Scoreboard) -> Vec<(u64, u64)> {
    board.records().map(|record| (number(record.start), number(record.end))).collect()
}

fn sack(board: &mut Scoreboard, start: u64, end: u64) -> u64 {
    let mut delivered = 0;
    board.sack(seq(start), seq(end), |record| delivered += record.numbers());
    board.check();
    delivered
}

#[test]
fn a_super_segment_is_one_record_until_a_sack_covers_a_part_of_it() {
    let mut board = sent(10);
    assert_eq!(pieces(&board), [(0, 100)]);
    assert_eq!(sack(&mut board, 30, 50), 20);
    assert_eq!(pieces(&board), [(0, 30), (30, 50), (50, 100)]);
    assert_eq!((board.in_flight(), board.sacked_segments()), (80, 2));
}

#[test]
fn a_sack_counts_once_and_for_whole_segments() {
    // RFC 2018 §5.1; a peer can't have less than a segment.
    let mut board = sent(10);
    assert_eq!(sack(&mut board, 31, 39), 0);
    assert_eq!(sack(&mut board, 25, 59), 20);
    assert_eq!(sack(&mut board, 25, 59), 0);
    assert_eq!(sack(&mut board, 20, 60), 20, "the segments that were covered in part");
    assert_eq!(board.in_flight(), 60);
}

#[test]
fn the_short_last_segment_can_be_sacked() {
    let mut board = Scoreboard::default();
    board.on_transmit(&departure(0, 0, 25));
    assert_eq!(sack(&mut board, 20, 25), 5);
    assert_eq!(board.last_segment(), Some((seq(20), seq(25))));
}

#[test]
fn an_ack_delivers_what_was_not_sacked() {
    // RFC 6675 §3.
    let mut board = sent(10);
    sack(&mut board, 30, 50);
    let mut delivered = 0;
    board.acknowledge(seq(45), |record| delivered += record.numbers());
    board.check();
    assert_eq!(delivered, 30);
    assert_eq!(pieces(&board), [(45, 50), (50, 100)]);
    assert_eq!((board.in_flight(), board.sacked_segments()), (50, 1));
}

#[test]
fn lost_neighbours_are_sent_again_as_one() {
    let mut board = Scoreboard::default();
    (0..5).for_each(|i| board.on_transmit(&departure(i, i * SIZE, (i + 1) * SIZE)));
    board.lose(seq(10), seq(40), |_| {});
    board.check();
    assert_eq!((board.in_flight(), board.lost().first()), (20, Some((seq(10), seq(40)))));
    board.on_transmit(&departure(9, 10, 40));
    board.check();
    assert_eq!(pieces(&board), [(0, 10), (10, 40), (40, 50)]);
    assert_eq!((board.in_flight(), board.repeated_segments()), (50, 3));
    assert!(board.lost().is_empty());
}

#[test]
fn what_was_sacked_and_taken_back_counts_as_in_flight_again() {
    // RFC 2018 §8.
    let mut board = sent(4);
    sack(&mut board, 10, 40);
    board.forget_sacks();
    board.check();
    assert_eq!(board.in_flight(), 40);
}

#[test]
fn three_segments_past_a_hole_or_as_many_bytes_make_it_lost() {
    // RFC 6675 §4, §5.
    // RFC 6675 §4, IsLost.
    let mut board = Scoreboard::default();
    (0..8).for_each(|i| board.on_transmit(&departure(0, i * SIZE, (i + 1) * SIZE)));
    let mut lost = Vec::new();
    let mut judge = |board: &mut Scoreboard| {
        board.lose_below_sacked(3, SIZE as u32, |record| lost.push(number(record.start)));
        lost.clone()
    };
    sack(&mut board, 20, 40);
    assert!(judge(&mut board).is_empty(), "two segments");
    sack(&mut board, 50, 60);
    assert_eq!(judge(&mut board), [0, 10], "two ranges, but three segments");
    sack(&mut board, 70, 80);
    assert_eq!(judge(&mut board), [0, 10], "40 has two segments past it");
}

#[test]
fn segment_by_segment_in_order_an_ack_costs_no_search() {
    // RFC 8985 §6.1.
    let mut board = Scoreboard::default();
    for i in 0..1000 {
        board.on_transmit(&departure(i, i * SIZE, (i + 1) * SIZE));
    }
    let before = board.steps();
    for i in 0..1000 {
        board.acknowledge(seq((i + 1) * SIZE), |_| {});
    }
    assert_eq!(board.steps() - before, 1000);
}

#[test]
fn a_flood_of_sacks_costs_a_bounded_number_of_steps_each() {
    // Tiny segments, every other one reported, and what was reported reported again.
    const SEGMENTS: u64 = 4000;
    let mut board = sent(SEGMENTS);
    for i in (1..SEGMENTS).step_by(2) {
        let before = board.steps();
        for block in [i, i.saturating_sub(2), i.saturating_sub(4), 1] {
            board.sack(seq(block * SIZE), seq((block + 1) * SIZE), |_| {});
        }
        board.lose_overdue(at(0), (at(0), seq(SEGMENTS * SIZE)), Duration::from_secs(9), |_| {});
        assert!(board.steps() - before <= 12, "{} steps", board.steps() - before);
    }
    assert!(board.records().count() <= super::MAX_CUT_RECORDS + 2);
    board.check();
}

#[test]
fn repeating_one_segment_for_ever_leaves_no_trail() {
    let mut board = sent(2);
    for round in 1..100 {
        board.lose(seq(0), seq(10), |_| {});
        board.on_transmit(&departure(round, 0, 10));
    }
    assert_eq!(board.repeats.len(), 1);
}

/// The same for each number by itself.
#[derive(Clone, Copy, Debug)]
struct Byte {
    segment: u64,
    sent_at: u64,
    is_repeat: bool,
    is_sacked: bool,
    is_lost: bool,
}

#[derive(Default)]
struct Model {
    bytes: BTreeMap<u64, Byte>,
    next: u64,
}

impl Model {
    fn send(&mut self, now: u64, start: u64, end: u64, is_repeat: bool) {
        for number in start..end {
            let segment = start + (number - start) / SIZE * SIZE;
            let byte = Byte { segment, sent_at: now, is_repeat, is_sacked: false, is_lost: false };
            self.bytes.insert(number, byte);
        }
        // What is left of a segment that was sent again in part is one by itself.
        let cut = self.bytes.get(&end).filter(|byte| byte.segment < end).map(|byte| byte.segment);
        let rest = self.bytes.range_mut(end..);
        rest.take_while(|(_, byte)| Some(byte.segment) == cut)
            .for_each(|(_, byte)| byte.segment = end);
        self.next = self.next.max(end);
    }

    fn acknowledge(&mut self, ack: u64) -> u64 {
        let rest = self.bytes.split_off(&ack);
        let gone = std::mem::replace(&mut self.bytes, rest);
        gone.values().filter(|byte| !byte.is_sacked).count() as u64
    }

    fn sack(&mut self, start: u64, end: u64) -> u64 {
        let mut covered: BTreeMap<u64, bool> = BTreeMap::new();
        for (number, byte) in &self.bytes {
            *covered.entry(byte.segment).or_insert(true) &= (start..end).contains(number);
        }
        let mut delivered = 0;
        for byte in self.bytes.values_mut().filter(|byte| covered[&byte.segment]) {
            delivered += u64::from(!byte.is_sacked);
            (byte.is_sacked, byte.is_lost) = (true, false);
        }
        delivered
    }

    /// Deems lost what was sent up to `newest` and `patience` ago; when the rest will be.
    fn overdue(&mut self, now: u64, newest: u64, patience: u64) -> Option<u64> {
        let open = |byte: &&mut Byte| !byte.is_sacked && !byte.is_lost && byte.sent_at <= newest;
        let (mut originals, mut repeats) = (None, None);
        for byte in self.bytes.values_mut().filter(open) {
            let due = byte.sent_at + patience;
            if due <= now {
                byte.is_lost = true;
            } else if byte.is_repeat {
                repeats = Some(repeats.map_or(due, |first: u64| first.min(due)));
            } else {
                originals = originals.max(Some(due));
            }
        }
        originals.max(repeats)
    }

    fn first_lost(&self) -> Option<(u64, u64)> {
        let (start, _) = self.bytes.iter().find(|(_, byte)| byte.is_lost)?;
        let run = self.bytes.range(start..).take_while(|(_, byte)| byte.is_lost).count() as u64;
        Some((*start, start + run))
    }

    fn count(&self, is: impl Fn(&Byte) -> bool) -> u64 {
        self.bytes.values().filter(|byte| is(byte)).count() as u64
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send { bytes: u64 },
    Acknowledge { bytes: u64 },
    Sack { from: u64, len: u64 },
    Overdue { newest: u64, patience: u64 },
    Repeat { segments: u64 },
    LoseAll,
    Forgive,
    Renege,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..55_u64).prop_map(|bytes| Step::Send { bytes }),
        2 => (1..40_u64).prop_map(|bytes| Step::Acknowledge { bytes }),
        5 => (0..150_u64, 1..60_u64).prop_map(|(from, len)| Step::Sack { from, len }),
        3 => (0..9_u64, 0..9_u64).prop_map(|(newest, patience)| Step::Overdue { newest, patience }),
        3 => (1..4_u64).prop_map(|segments| Step::Repeat { segments }),
        1 => Just(Step::LoseAll),
        1 => Just(Step::Forgive),
        1 => Just(Step::Renege),
    ];
    prop::collection::vec(step, 0..80)
}

/// Does one step on both, and compares what they say of it.
fn act(board: &mut Scoreboard, model: &mut Model, now: u64, step: &Step) {
    let una = model.bytes.keys().next().copied().unwrap_or(model.next);
    let mut told = 0;
    let mut tell = |record: &Record| told += record.numbers();
    match *step {
        Step::Send { bytes } => {
            let start = model.next;
            board.on_transmit(&departure(now, start, start + bytes));
            model.send(now, start, start + bytes, false);
        }
        Step::Acknowledge { bytes } => {
            let ack = (una + bytes).min(model.next);
            board.acknowledge(seq(ack), &mut tell);
            assert_eq!(told, model.acknowledge(ack));
        }
        Step::Sack { from, len } => {
            let start = una + 1 + from;
            let end = (start + len).min(model.next);
            board.sack(seq(start), seq(end), &mut tell);
            assert_eq!(told, model.sack(start, end));
        }
        Step::Overdue { newest, patience } => {
            let newest = now.saturating_sub(newest);
            let limit = (at(newest), seq(1 << 40));
            let patience_ms = Duration::from_millis(patience);
            let again = board.lose_overdue(at(now), limit, patience_ms, &mut tell);
            assert_eq!(again, model.overdue(now, newest, patience).map(at));
        }
        Step::Repeat { segments } => {
            let Some((start, end)) = model.first_lost() else { return };
            let end = end.min(start + segments * SIZE);
            board.on_transmit(&departure(now, start, end));
            model.send(now, start, end, true);
        }
        Step::LoseAll => {
            board.lose_all(|_| false, &mut tell);
            let open = model.bytes.values_mut().filter(|byte| !byte.is_sacked);
            open.for_each(|byte| byte.is_lost = true);
        }
        Step::Forgive => {
            board.forgive();
            model.bytes.values_mut().for_each(|byte| byte.is_lost = false);
        }
        Step::Renege => {
            board.forget_sacks();
            model.bytes.values_mut().for_each(|byte| byte.is_sacked = false);
        }
    }
}

proptest! {
    #[test]
    fn it_says_of_ranges_what_a_naive_one_says_of_each_byte(steps in steps()) {
        let (mut board, mut model) = (Scoreboard::default(), Model::default());
        for (now, step) in (1..).zip(&steps) {
            act(&mut board, &mut model, now, step);
            board.check();
            let in_flight = model.count(|byte| !byte.is_sacked && !byte.is_lost);
            prop_assert_eq!(board.in_flight(), in_flight);
            prop_assert_eq!(board.sacked().len(), model.count(|byte| byte.is_sacked));
            let first = board.lost().first().map(|(start, end)| (number(start), number(end)));
            prop_assert_eq!(first, model.first_lost());
        }
    }
}
