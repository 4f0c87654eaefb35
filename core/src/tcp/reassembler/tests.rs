use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Insertion, MAX_PIECES, RECENT, Reassembler};
use crate::tcp::byte_queue::SHARE_MIN;
use crate::tcp::seq::Seq;

fn at(offset: u64) -> Seq {
    Seq::from_initial(u32::MAX - 20) + offset
}

fn ranges(reassembler: &Reassembler) -> Vec<(u64, u64)> {
    reassembler.ranges().map(|(start, end)| (start.since(at(0)), end.since(at(0)))).collect()
}

/// The ranges that changed last, the latest first.
fn recent(reassembler: &Reassembler, fin: Option<Seq>) -> Vec<(u64, u64)> {
    reassembler.recent(fin).map(|(start, end)| (start.since(at(0)), end.since(at(0)))).collect()
}

/// Keeps a payload as the connection does.
fn keep(reassembler: &mut Reassembler, offset: u64, payload: &[u8]) -> Insertion {
    keep_before(reassembler, None, offset, payload)
}

/// The same, the FIN known already.
fn keep_before(
    reassembler: &mut Reassembler,
    fin: Option<Seq>,
    offset: u64,
    payload: &[u8],
) -> Insertion {
    let insertion = reassembler.insert(at(offset), Bytes::copy_from_slice(payload));
    reassembler.note_recent(at(offset), fin);
    reassembler.check();
    insertion
}

/// Everything deliverable at `next`, as one run.
fn drain(reassembler: &mut Reassembler, mut next: Seq) -> Vec<u8> {
    let mut run = Vec::new();
    while let Some(data) = reassembler.pop(next) {
        assert!(!data.is_empty());
        next += data.len() as u64;
        run.extend_from_slice(&data);
        reassembler.check();
    }
    run
}

#[test]
fn nothing_comes_out_before_the_hole_is_filled() {
    let mut reassembler = Reassembler::new();
    let insertion = reassembler.insert(at(5), Bytes::from_static(b"fgh"));
    assert_eq!(insertion, Insertion::default());
    assert_eq!(reassembler.pop(at(0)), None);
    assert_eq!(drain(&mut reassembler, at(5)), b"fgh");
    assert!(reassembler.is_empty());
    assert_eq!(reassembler.bytes(), 0);
}

#[test]
fn what_is_before_rcv_nxt_is_trimmed_or_dropped() {
    let mut reassembler = Reassembler::new();
    reassembler.insert(at(2), Bytes::from_static(b"cd"));
    reassembler.insert(at(6), Bytes::from_static(b"ghij"));
    assert_eq!(drain(&mut reassembler, at(7)), b"hij");
    assert!(reassembler.is_empty());
}

#[test]
fn bytes_that_are_there_stay_and_only_gaps_are_filled() {
    let mut reassembler = Reassembler::new();
    reassembler.insert(at(2), Bytes::from_static(b"CD"));
    reassembler.insert(at(6), Bytes::from_static(b"GH"));
    reassembler.insert(at(1), Bytes::from_static(b"bcdefghi"));
    assert_eq!(ranges(&reassembler), [(1, 9)]);
    assert_eq!(drain(&mut reassembler, at(1)), b"bCDefGHi");
}

#[test]
fn the_range_of_the_latest_payload_comes_first_and_then_the_ones_before() {
    // RFC 2018 §4
    let mut reassembler = Reassembler::new();
    assert_eq!(recent(&reassembler, None), []);
    keep(&mut reassembler, 10, b"xx");
    keep(&mut reassembler, 30, b"yy");
    keep(&mut reassembler, 20, b"zz");
    assert_eq!(recent(&reassembler, None), [(20, 22), (30, 32), (10, 12)]);
    keep(&mut reassembler, 12, b"ww");
    assert_eq!(recent(&reassembler, None), [(10, 14), (20, 22), (30, 32)]);
    keep(&mut reassembler, 30, b"y"); // a duplicate counts too
    assert_eq!(recent(&reassembler, None), [(30, 32), (10, 14), (20, 22)]);
    keep(&mut reassembler, 14, b"between"); // two ranges grow together
    assert_eq!(recent(&reassembler, None), [(10, 22), (30, 32)]);
    drain(&mut reassembler, at(10));
    assert_eq!(recent(&reassembler, None), [(30, 32)]);
    drain(&mut reassembler, at(30));
    assert_eq!(recent(&reassembler, None), []);
    assert!(reassembler.0.is_none(), "nothing is kept of nothing");
}

#[test]
fn the_fin_ends_a_range_or_is_one() {
    let fin = Some(at(20));
    let mut reassembler = Reassembler::new();
    reassembler.note_recent(at(20), fin);
    assert_eq!(recent(&reassembler, fin), [(20, 21)]);
    keep_before(&mut reassembler, fin, 10, b"xx");
    assert_eq!(recent(&reassembler, fin), [(10, 12), (20, 21)]);
    keep_before(&mut reassembler, fin, 18, b"yy");
    assert_eq!(recent(&reassembler, fin), [(18, 21), (10, 12)]);
    drain(&mut reassembler, at(10));
    assert_eq!(recent(&reassembler, fin), [(18, 21)]);
    let mut alone = Reassembler::new();
    keep_before(&mut alone, fin, 10, b"xx");
    alone.note_recent(at(20), fin);
    drain(&mut alone, at(10));
    assert_eq!(recent(&alone, fin), [(20, 21)], "it outlives the data before it");
}

#[test]
fn the_first_range_that_came_twice_is_told() {
    // RFC 2883 §4
    let mut reassembler = Reassembler::new();
    assert_eq!(keep(&mut reassembler, 10, b"0123").duplicate, None);
    assert_eq!(keep(&mut reassembler, 20, b"0123").duplicate, None);
    assert_eq!(keep(&mut reassembler, 11, b"12").duplicate, Some((at(11), at(13))));
    assert_eq!(keep(&mut reassembler, 12, b"2345").duplicate, Some((at(12), at(14))));
    let over_both = keep(&mut reassembler, 8, &[0; 20]);
    assert_eq!(over_both.duplicate, Some((at(10), at(16))));
}

#[test]
fn a_large_payload_is_shared_and_a_small_one_is_not() {
    let mut reassembler = Reassembler::new();
    let large = Bytes::from(vec![1; SHARE_MIN]);
    let small = Bytes::from(vec![2; 100]);
    reassembler.insert(at(1), large.clone());
    reassembler.insert(at(1) + SHARE_MIN as u64, small.clone());
    assert!(small.is_unique());
    assert_eq!(reassembler.pop(at(1)).unwrap().as_ptr(), large.as_ptr());
}

#[test]
fn neighbours_that_arrive_in_order_become_one_piece() {
    let mut reassembler = Reassembler::new();
    for segment in 0..8 {
        reassembler.insert(at(100 + 1000 * segment), Bytes::from(vec![segment as u8; 1000]));
    }
    assert_eq!(reassembler.0.as_ref().unwrap().pieces.len(), 1);
    assert_eq!(drain(&mut reassembler, at(100)).len(), 8000);
}

#[test]
fn every_other_byte_is_bounded_and_the_rightmost_goes_first() {
    let mut reassembler = Reassembler::new();
    for piece in 0..MAX_PIECES as u64 {
        assert!(!keep(&mut reassembler, 10 + 2 * piece, b"x").dropped);
    }
    let right = 10 + 2 * MAX_PIECES as u64;
    let last = (right - 2, right - 1);
    assert_eq!(recent(&reassembler, None)[0], last);
    assert!(keep(&mut reassembler, right, b"x").dropped, "farther right: refused");
    assert_eq!(recent(&reassembler, None)[0], last, "what is not kept is not told of");
    assert_eq!(reassembler.bytes(), MAX_PIECES as u64);
    assert!(keep(&mut reassembler, 5, b"y").dropped, "farther left: takes its place");
    let left = [(5, 6), (last.0 - 2, last.0 - 1), (last.0 - 4, last.0 - 3)];
    assert!(recent(&reassembler, None).starts_with(&left), "what had to go is not told of");
    assert_eq!(reassembler.bytes(), MAX_PIECES as u64);
    assert_eq!(ranges(&reassembler)[0], (5, 6));
    assert_eq!(ranges(&reassembler).last().unwrap().0, 10 + 2 * (MAX_PIECES as u64 - 2));
    // Filling a gap next to a piece needs no new one.
    assert!(!keep(&mut reassembler, 11, b"z").dropped);
}

#[test]
fn an_empty_payload_changes_nothing() {
    let mut reassembler = Reassembler::new();
    assert_eq!(keep(&mut reassembler, 3, b""), Insertion::default());
    assert!(reassembler.is_empty());
    assert_eq!(recent(&reassembler, None), []);
}

#[test]
fn clearing_leaves_nothing() {
    let mut reassembler = Reassembler::new();
    keep(&mut reassembler, 3, b"abc");
    reassembler.clear();
    assert!(reassembler.is_empty());
    assert_eq!((reassembler.bytes(), recent(&reassembler, None)), (0, vec![]));
    reassembler.check();
}

/// What a map from sequence number to byte would hold, and where every payload so far started, the
/// latest first.
#[derive(Default)]
struct Model {
    bytes: BTreeMap<u64, u8>,
    starts: Vec<u64>,
}

impl Model {
    fn insert(&mut self, start: u64, payload: &[u8]) {
        for (position, &byte) in (start..).zip(payload) {
            self.bytes.entry(position).or_insert(byte);
        }
        self.starts.insert(0, start);
    }

    /// The numbers of a payload that are here, as far as the first gap after them.
    fn duplicate(&self, start: u64, len: u64) -> Option<(u64, u64)> {
        let is_here = |position: &u64| self.bytes.contains_key(position);
        let first = (start..start + len).find(is_here)?;
        let end = (first..start + len).find(|position| !is_here(position));
        Some((first, end.unwrap_or(start + len)))
    }

    /// The ranges in the order in which they last changed, the latest first.
    fn recent(&self) -> Vec<(u64, u64)> {
        let ranges = self.ranges();
        let mut recent = Vec::new();
        for start in &self.starts {
            let range = ranges.iter().find(|range| range.0 <= *start && *start < range.1);
            recent.extend(range.filter(|range| !recent.contains(*range)));
        }
        recent
    }

    fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for &position in self.bytes.keys() {
            match ranges.last_mut() {
                Some(last) if last.1 == position => last.1 += 1,
                _ => ranges.push((position, position + 1)),
            }
        }
        ranges
    }

    fn drain(&mut self, next: u64) -> Vec<u8> {
        self.bytes.retain(|&position, _| position >= next);
        (next..).map_while(|position| self.bytes.remove(&position)).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, Vec<u8>),
    Drain(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let payload = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 1..3),
        2 => prop::collection::vec(any::<u8>(), 1..30),
        1 => (any::<u8>(), SHARE_MIN - 5..SHARE_MIN + 5).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop_oneof![
        8 => (0..60u64, payload).prop_map(|(start, payload)| Step::Insert(start, payload)),
        1 => (0..10u64).prop_map(Step::Drain),
    ]
}

proptest! {
    // The model goes byte by byte, so fewer cases than usual are enough to wait for.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_holds_what_a_map_of_bytes_holds(steps in prop::collection::vec(step(), 1..60)) {
        let mut reassembler = Reassembler::new();
        let mut model = Model::default();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Insert(start, payload) => {
                    let duplicate = model.duplicate(next + start, payload.len() as u64);
                    model.insert(next + start, &payload);
                    let insertion = keep(&mut reassembler, next + start, &payload);
                    let duplicate = duplicate.map(|(start, end)| (at(start), at(end)));
                    prop_assert_eq!(insertion, Insertion { dropped: false, duplicate });
                }
                Step::Drain(ahead) => {
                    next += ahead;
                    let run = drain(&mut reassembler, at(next));
                    prop_assert_eq!(&run, &model.drain(next));
                    next += run.len() as u64;
                }
            }
            reassembler.check();
            prop_assert_eq!(ranges(&reassembler), model.ranges());
            prop_assert_eq!(reassembler.bytes(), model.bytes.len() as u64);
            prop_assert_eq!(reassembler.is_empty(), model.bytes.is_empty());
            // It remembers so many only: when some of them have become one, an older one is missing.
            let (known, all) = (recent(&reassembler, None), model.recent());
            prop_assert!(known.len() <= RECENT && all.starts_with(&known), "{known:?} {all:?}");
            // Nor has it any when all that it remembers are delivered, as on Linux.
            prop_assert!(known.is_empty() || known.first() == all.first(), "{known:?} {all:?}");
        }
    }
}
