use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::wire::ip::Header;

const LIMIT: usize = 1 << 20;
const DEADLINE: Instant = Instant::from_micros(30_000_000);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A part of packet `identification` from `src`: its headers are of no interest here.
fn part(src: &str, identification: u32, offset: usize, data: &[u8], more: bool) -> Fragment {
    let header = Header {
        header_len: 20,
        payload_len: data.len(),
        ..Header::new(ip(src), ip("10.0.0.2"), 6, 64, 0)
    };
    Fragment { header, identification, offset, more, layout: Layout::V4 }
}

/// The bytes of a packet with an IPv4 header and `data`.
fn bytes(data: &[u8]) -> Vec<u8> {
    [&[0x45, 0, 0, 0, 0, 7, 0x20, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], data].concat()
}

/// Inserts a part of packet 7 and checks.
fn insert(
    fragments: &mut Fragments,
    offset: usize,
    data: &[u8],
    more: bool,
) -> Result<Outcome, Counter> {
    let fragment = part("10.0.0.1", 7, offset, data, more);
    let outcome = fragments.insert(&fragment, &bytes(data), DEADLINE, LIMIT);
    fragments.check();
    outcome
}

fn payload(outcome: Outcome) -> Vec<u8> {
    let Outcome::Whole(packet) = outcome else { panic!("the packet is not whole") };
    packet[20..].to_vec()
}

#[test]
fn parts_in_any_order_make_the_packet() {
    let data: Vec<u8> = (0..40).collect();
    let mut fragments = Fragments::default();
    assert_eq!(insert(&mut fragments, 32, &data[32..], false), Ok(Outcome::Kept));
    assert_eq!(insert(&mut fragments, 0, &data[..16], true), Ok(Outcome::Kept));
    let whole = insert(&mut fragments, 16, &data[16..32], true).unwrap();
    assert_eq!(payload(whole), data);
    assert_eq!(fragments.next_deadline(), None);
}

#[test]
fn a_part_that_comes_twice_is_dropped_alone() {
    let mut fragments = Fragments::default();
    insert(&mut fragments, 0, &[1; 16], true).unwrap();
    let again = insert(&mut fragments, 0, &[2; 16], true);
    assert_eq!(again, Err(Counter::IpFragmentDuplicate));
    let whole = insert(&mut fragments, 16, &[3; 4], false).unwrap();
    assert_eq!(payload(whole), [&[1; 16][..], &[3; 4]].concat());
}

// RFC 5722 §4: the packet and all its parts, also those still to come.
#[test]
fn parts_that_overlap_end_the_packet_and_what_still_comes_of_it() {
    for (offset, len) in [(8, 16), (8, 8), (0, 24), (16, 16), (0, 8)] {
        let mut fragments = Fragments::default();
        insert(&mut fragments, 0, &[1; 24], true).unwrap();
        insert(&mut fragments, 48, &[1; 8], true).unwrap();
        let overlap = insert(&mut fragments, offset, &vec![2; len], true);
        if (offset, len) == (0, 24) {
            assert_eq!(overlap, Err(Counter::IpFragmentDuplicate));
            continue;
        }
        assert_eq!(overlap, Err(Counter::IpFragmentOverlap), "{offset} {len}");
        assert_eq!(insert(&mut fragments, 24, &[1; 24], true), Err(Counter::IpFragment));
        assert_eq!(insert(&mut fragments, 56, &[1; 1], false), Err(Counter::IpFragment));
        // Nothing is told of it, and it is forgotten in the end.
        assert_eq!(fragments.expire(DEADLINE), None);
        assert_eq!((fragments.packets.len(), fragments.size), (0, 0));
    }
}

#[test]
fn a_teardrop_ends_the_packet() {
    let mut fragments = Fragments::default();
    insert(&mut fragments, 0, &[1; 40], true).unwrap();
    assert_eq!(insert(&mut fragments, 24, &[1; 4], false), Err(Counter::IpFragmentOverlap));
}

#[test]
fn parts_that_disagree_about_the_end_end_the_packet() {
    let contradictions: [(usize, usize, bool); 3] = [(24, 8, true), (16, 4, false), (8, 8, false)];
    for (offset, len, more) in contradictions {
        let mut fragments = Fragments::default();
        insert(&mut fragments, 16, &[1; 8], false).unwrap();
        let contradiction = insert(&mut fragments, offset, &vec![1; len], more);
        assert_eq!(contradiction, Err(Counter::IpFragmentOverlap), "{offset} {len} {more}");
    }
    // A last part before one that is there already.
    let mut fragments = Fragments::default();
    insert(&mut fragments, 32, &[1; 8], true).unwrap();
    assert_eq!(insert(&mut fragments, 0, &[1; 8], false), Err(Counter::IpFragmentOverlap));
}

// RFC 3168 §5.3.
#[test]
fn a_congestion_mark_on_a_part_marks_the_whole_unless_another_knows_no_ecn() {
    let run = |classes: [u8; 2]| {
        let mut fragments = Fragments::default();
        let mut first = part("10.0.0.1", 7, 0, &[1; 8], true);
        let mut last = part("10.0.0.1", 7, 8, &[1; 8], false);
        (first.header.traffic_class, last.header.traffic_class) = (classes[0], classes[1]);
        let mut head = bytes(&[1; 8]);
        head[1] = classes[0];
        fragments.insert(&first, &head, DEADLINE, LIMIT).unwrap();
        match fragments.insert(&last, &bytes(&[1; 8]), DEADLINE, LIMIT) {
            Ok(Outcome::Whole(packet)) => Some(packet[1] & 3),
            _ => None,
        }
    };
    assert_eq!(run([2, 2]), Some(2));
    assert_eq!(run([2, 3]), Some(3));
    assert_eq!(run([3, 1]), Some(3));
    assert_eq!(run([0, 2]), Some(0));
    assert_eq!(run([0, 3]), None);
}

#[test]
fn packets_whose_time_is_over_come_out_in_order_with_their_first_fragment() {
    let mut fragments = Fragments::default();
    let later = DEADLINE + Duration::from_millis(1);
    fragments
        .insert(&part("10.0.0.9", 1, 8, &[1; 8], true), &bytes(&[1; 8]), later, LIMIT)
        .unwrap();
    insert(&mut fragments, 8, &[1; 8], true).unwrap();
    insert(&mut fragments, 0, &[4; 8], true).unwrap();
    assert_eq!(fragments.next_deadline(), Some(DEADLINE));
    assert_eq!(fragments.expire(DEADLINE - Duration::from_nanos(1)), None);
    assert_eq!(fragments.expire(DEADLINE), Some(Some(bytes(&[4; 8]))));
    assert_eq!(fragments.expire(DEADLINE), None);
    assert_eq!(fragments.next_deadline(), Some(later));
    assert_eq!(fragments.expire(later), Some(None));
    assert_eq!(fragments.next_deadline(), None);
    fragments.check();
}

#[test]
fn memory_is_bounded_and_the_packet_that_would_expire_first_makes_room() {
    let mut fragments = Fragments::default();
    let size = 8 + PART_OVERHEAD + PACKET_OVERHEAD;
    for n in 0..100 {
        let src = format!("10.1.0.{n}");
        let deadline = DEADLINE + Duration::from_secs(n);
        let fragment = part(&src, 7, 0, &[1; 8], true);
        fragments.insert(&fragment, &bytes(&[1; 8]), deadline, 10 * size).unwrap();
        fragments.check();
        assert!(fragments.size <= 10 * size);
    }
    assert_eq!((fragments.packets.len(), fragments.take_evicted()), (10, 90));
    assert_eq!(fragments.next_deadline(), Some(DEADLINE + Duration::from_secs(90)));
    // One that alone is too large goes itself.
    let large = part("10.2.0.1", 7, 0, &[1; 8000], true);
    let refused = fragments.insert(&large, &bytes(&[1; 8000]), DEADLINE, 10 * size);
    assert_eq!(refused, Err(Counter::IpReassemblyMemory));
    fragments.check();
}

#[test]
fn one_source_cannot_have_more_than_its_share_of_packets() {
    let mut fragments = Fragments::default();
    insert(&mut fragments, 0, &[1; 8], true).unwrap();
    for n in 0..200 {
        let deadline = DEADLINE + Duration::from_secs(n);
        let fragment = part("10.0.0.66", n as u32, 0, &[1; 8], true);
        fragments.insert(&fragment, &bytes(&[1; 8]), deadline, LIMIT).unwrap();
    }
    assert_eq!(fragments.packets.len(), 1 + PER_SOURCE);
    assert_eq!(fragments.of_source(ip("10.0.0.66")).count(), PER_SOURCE);
    assert!(
        insert(&mut fragments, 8, &[1; 8], false).is_ok_and(|outcome| outcome != Outcome::Kept)
    );
}

#[derive(Clone, Debug)]
struct Piece {
    start: usize,
    end: usize,
    more: bool,
    fill: u8,
}

fn piece() -> impl Strategy<Value = Piece> {
    (0usize..6, 1usize..4, prop::bool::weighted(0.8), 0usize..8, any::<u8>()).prop_map(
        |(start, units, more, odd, fill)| {
            let len = if more { units * 8 } else { units * 8 - odd };
            Piece { start: start * 8, end: start * 8 + len, more, fill }
        },
    )
}

/// What a naive reader makes of the same parts: every byte by itself, all parts remembered.
#[derive(Default)]
struct Naive {
    taken: Vec<Piece>,
    is_given_up: bool,
}

impl Naive {
    fn insert(&mut self, new: &Piece) -> Result<Option<Vec<u8>>, Counter> {
        if self.is_given_up {
            return Err(Counter::IpFragment);
        }
        if self.taken.iter().any(|old| (old.start, old.end) == (new.start, new.end)) {
            return Err(Counter::IpFragmentDuplicate);
        }
        let ends: Vec<usize> = self
            .taken
            .iter()
            .chain([new])
            .filter(|piece| !piece.more)
            .map(|piece| piece.end)
            .collect();
        let overlaps =
            |old: &Piece| (old.start..old.end).any(|at| (new.start..new.end).contains(&at));
        let past_the_end =
            |end: &usize| self.taken.iter().chain([new]).any(|piece| piece.end > *end);
        if self.taken.iter().any(overlaps)
            || ends.iter().any(past_the_end)
            || ends.windows(2).any(|ends| ends[0] != ends[1])
        {
            self.is_given_up = true;
            return Err(Counter::IpFragmentOverlap);
        }
        self.taken.push(new.clone());
        let Some(total) = ends.first() else { return Ok(None) };
        let byte = |at| self.taken.iter().find(|piece| (piece.start..piece.end).contains(&at));
        let whole: Option<Vec<u8>> =
            (0..*total).map(|at| byte(at).map(|piece| piece.fill)).collect();
        Ok(whole)
    }
}

proptest! {
    #[test]
    fn any_parts_become_what_a_naive_reader_makes_of_them(
        pieces in prop::collection::vec(piece(), 1..12),
    ) {
        let (mut fragments, mut naive) = (Fragments::default(), Naive::default());
        for piece in pieces {
            let data = vec![piece.fill; piece.end - piece.start];
            let outcome = insert(&mut fragments, piece.start, &data, piece.more);
            match naive.insert(&piece) {
                Ok(Some(whole)) => {
                    prop_assert_eq!(payload(outcome.unwrap()), whole);
                    naive = Naive::default();
                }
                Ok(None) => prop_assert_eq!(outcome, Ok(Outcome::Kept)),
                Err(counter) => prop_assert_eq!(outcome, Err(counter)),
            }
        }
    }

    #[test]
    fn a_packet_cut_anywhere_and_shuffled_comes_back(
        data in prop::collection::vec(any::<u8>(), 1..2000),
        cuts in prop::collection::btree_set(1usize..250, 0..20),
        seed: u64,
    ) {
        let mut edges: Vec<usize> = cuts.into_iter().map(|cut| cut * 8).collect();
        edges.retain(|edge| *edge < data.len());
        edges.insert(0, 0);
        edges.push(data.len());
        let mut pieces: Vec<(usize, usize)> = edges.windows(2).map(|e| (e[0], e[1])).collect();
        pieces.sort_by_key(|(start, _)| (*start as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let mut fragments = Fragments::default();
        for (n, (start, end)) in pieces.iter().enumerate() {
            let outcome =
                insert(&mut fragments, *start, &data[*start..*end], *end < data.len()).unwrap();
            if n + 1 < pieces.len() {
                prop_assert_eq!(outcome, Outcome::Kept);
            } else {
                prop_assert_eq!(payload(outcome), data.clone());
            }
        }
    }
}
