use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::{MAX_PIECES, Reassembler};
use crate::tcp::byte_queue::SHARE_MIN;
use crate::tcp::seq::Seq;

fn at(offset: u64) -> Seq {
    Seq::from_initial(u32::MAX - 20) + offset
}

fn ranges(reassembler: &Reassembler) -> Vec<(u64, u64)> {
    reassembler.ranges().map(|(start, end)| (start.since(at(0)), end.since(at(0)))).collect()
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
    assert!(reassembler.insert(at(5), Bytes::from_static(b"fgh")));
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
fn the_newest_range_is_the_one_that_the_last_payload_went_to() {
    let mut reassembler = Reassembler::new();
    assert_eq!(reassembler.newest(), None);
    reassembler.insert(at(10), Bytes::from_static(b"xx"));
    reassembler.insert(at(20), Bytes::from_static(b"yy"));
    reassembler.insert(at(12), Bytes::from_static(b"zz"));
    assert_eq!(reassembler.newest(), Some((at(10), at(14))));
    reassembler.insert(at(20), Bytes::from_static(b"y")); // a duplicate counts too
    assert_eq!(reassembler.newest(), Some((at(20), at(22))));
    drain(&mut reassembler, at(20));
    assert_eq!(reassembler.newest(), None);
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
    assert_eq!(reassembler.pieces.len(), 1);
    assert_eq!(drain(&mut reassembler, at(100)).len(), 8000);
}

#[test]
fn every_other_byte_is_bounded_and_the_rightmost_goes_first() {
    let mut reassembler = Reassembler::new();
    for piece in 0..MAX_PIECES as u64 {
        assert!(reassembler.insert(at(10 + 2 * piece), Bytes::from_static(b"x")));
    }
    let right = at(10 + 2 * MAX_PIECES as u64);
    assert!(!reassembler.insert(right, Bytes::from_static(b"x")), "farther right: refused");
    assert_eq!(reassembler.bytes(), MAX_PIECES as u64);
    assert!(!reassembler.insert(at(5), Bytes::from_static(b"y")), "farther left: takes its place");
    reassembler.check();
    assert_eq!(reassembler.bytes(), MAX_PIECES as u64);
    assert_eq!(ranges(&reassembler)[0], (5, 6));
    assert_eq!(ranges(&reassembler).last().unwrap().0, 10 + 2 * (MAX_PIECES as u64 - 2));
    // Filling a gap next to a piece needs no new one.
    assert!(reassembler.insert(at(11), Bytes::from_static(b"z")));
    reassembler.check();
}

#[test]
fn an_empty_payload_changes_nothing() {
    let mut reassembler = Reassembler::new();
    assert!(reassembler.insert(at(3), Bytes::new()));
    assert!(reassembler.is_empty());
    assert_eq!(reassembler.newest(), None);
}

#[test]
fn clearing_leaves_nothing() {
    let mut reassembler = Reassembler::new();
    reassembler.insert(at(3), Bytes::from_static(b"abc"));
    reassembler.clear();
    assert!(reassembler.is_empty());
    assert_eq!((reassembler.bytes(), reassembler.newest()), (0, None));
    reassembler.check();
}

/// What a map from sequence number to byte would hold.
#[derive(Default)]
struct Model(BTreeMap<u64, u8>);

impl Model {
    fn insert(&mut self, start: u64, payload: &[u8]) {
        for (position, &byte) in (start..).zip(payload) {
            self.0.entry(position).or_insert(byte);
        }
    }

    fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for &position in self.0.keys() {
            match ranges.last_mut() {
                Some(last) if last.1 == position => last.1 += 1,
                _ => ranges.push((position, position + 1)),
            }
        }
        ranges
    }

    fn drain(&mut self, next: u64) -> Vec<u8> {
        self.0.retain(|&position, _| position >= next);
        let run: Vec<u8> = (next..).map_while(|position| self.0.remove(&position)).collect();
        run
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
                    model.insert(next + start, &payload);
                    prop_assert!(reassembler.insert(at(next + start), payload.into()));
                    let newest = reassembler.newest().unwrap();
                    prop_assert!(newest.0 <= at(next + start) && at(next + start) < newest.1);
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
            prop_assert_eq!(reassembler.bytes(), model.0.len() as u64);
            prop_assert_eq!(reassembler.is_empty(), model.0.is_empty());
        }
    }
}
