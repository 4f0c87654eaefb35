//! What the peer hears of data past a hole and of data that came twice (RFC 2018, RFC 2883).

use super::*;
use crate::tcp::reassembler::MAX_PIECES;

/// A connection whose both SYNs permitted SACK; every segment is acknowledged at once.
fn permitted(set_knobs: &[(&str, &str)]) -> Script {
    let options = Options { mss: Some(1000), sack_permitted: true, ..Options::default() };
    let mut peer = Script::accepting(options, &[set_knobs, &[("tcp_delack_ms", "0")]].concat());
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    peer.expect_nothing();
    peer
}

/// What the segment sent next acknowledges, and its SACK blocks; relative numbers.
#[track_caller]
fn acknowledged(peer: &mut Script) -> (u32, Vec<(u32, u32)>) {
    let header = peer.poll().expect("an acknowledgment leaves").header;
    let blocks = header.options.sack;
    let relative = |seq: u32| seq.wrapping_sub(IRS);
    let blocks = blocks.as_slice().iter().map(|&(left, right)| (relative(left), relative(right)));
    (relative(header.ack), blocks.collect())
}

/// The peer sends the numbers from `start` to before `end`; what is answered at once.
#[track_caller]
fn arrive(peer: &mut Script, start: u32, end: u32) -> (u32, Vec<(u32, u32)>) {
    peer.arrive(seg(ACK, start).ack(1).text(&vec![7; (end - start) as usize]));
    acknowledged(peer)
}

#[test]
fn each_segment_past_a_hole_is_told_of_at_once() {
    // RFC 2018 §4 and its figures in §5, case 2.
    let mut peer = permitted(&[]);
    assert_eq!(arrive(&mut peer, 501, 1001), (1, vec![(501, 1001)]));
    assert_eq!(arrive(&mut peer, 1001, 1501), (1, vec![(501, 1501)]));
    assert_eq!(arrive(&mut peer, 1501, 2001), (1, vec![(501, 2001)]));
    assert_eq!(arrive(&mut peer, 1, 501), (2001, vec![]));
}

#[test]
fn the_block_of_the_latest_segment_comes_first_then_those_told_of_last() {
    // RFC 2018 §4 and its figures in §5, case 3: every other segment is lost.
    let mut peer = permitted(&[]);
    arrive(&mut peer, 501, 1001);
    assert_eq!(arrive(&mut peer, 1501, 2001), (1, vec![(1501, 2001), (501, 1001)]));
    let three = vec![(2501, 3001), (1501, 2001), (501, 1001)];
    assert_eq!(arrive(&mut peer, 2501, 3001), (1, three));
    arrive(&mut peer, 3501, 4001);
    let four = vec![(4501, 5001), (3501, 4001), (2501, 3001), (1501, 2001)];
    assert_eq!(arrive(&mut peer, 4501, 5001), (1, four));
    // The fourth is filled in; then the second.
    let filled = vec![(1501, 3001), (4501, 5001), (3501, 4001)];
    assert_eq!(arrive(&mut peer, 2001, 2501), (1, filled));
    assert_eq!(arrive(&mut peer, 1, 501), (1001, vec![(1501, 3001), (4501, 5001), (3501, 4001)]));
}

#[test]
fn nothing_is_told_of_unless_both_syns_permitted_it() {
    // RFC 2018 §2
    let options = Options { mss: Some(1000), ..Options::default() };
    let mut peer = Script::accepting(options, &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    assert_eq!(arrive(&mut peer, 501, 1001), (1, vec![]));
    assert_eq!(arrive(&mut peer, 501, 1001), (1, vec![]));
}

#[test]
fn text_carries_the_blocks_too_and_makes_room_for_them() {
    // RFC 2018 §4; RFC 9293 §3.7.1: SMSS less the options.
    let mut peer = permitted(&[]);
    arrive(&mut peer, 501, 1001);
    peer.send(&[1; 3000]).unwrap();
    for len in [988, 988, 988, 36] {
        let outgoing = peer.poll().unwrap();
        assert_eq!(outgoing.payload.len(), len);
        assert_eq!(outgoing.header.options.sack.as_slice().len(), 1);
        assert!(outgoing.header.len() + outgoing.payload.len() <= 1020);
    }
}

#[test]
fn a_super_segment_leaves_room_for_the_blocks_in_each_part() {
    let mut peer = permitted(&[]);
    peer.super_segments(60_000);
    arrive(&mut peer, 501, 1001);
    peer.send(&[1; 3000]).unwrap();
    let outgoing = peer.poll().unwrap();
    assert_eq!((outgoing.payload.len(), outgoing.gso_size), (3000, 988));
}

#[test]
fn a_delivered_segment_that_comes_again_is_told_of_once() {
    // RFC 2883 §4.1.1
    let mut peer = permitted(&[]);
    assert_eq!(arrive(&mut peer, 1, 2001), (2001, vec![]));
    assert_eq!(arrive(&mut peer, 501, 1001), (2001, vec![(501, 1001)]));
    assert_eq!(arrive(&mut peer, 3001, 3501), (2001, vec![(3001, 3501)]));
}

#[test]
fn a_segment_past_a_hole_that_comes_again_is_told_of_before_its_block() {
    // RFC 2883 §4.1.2, §4.1.3
    let mut peer = permitted(&[]);
    arrive(&mut peer, 1001, 1501);
    arrive(&mut peer, 1501, 2001);
    arrive(&mut peer, 3001, 3501);
    let told = vec![(1501, 2001), (1001, 2001), (3001, 3501)];
    assert_eq!(arrive(&mut peer, 1501, 2001), (1, told));
}

#[test]
fn only_the_part_that_came_twice_is_told_of() {
    // RFC 2883 §4.2
    let mut peer = permitted(&[]);
    assert_eq!(arrive(&mut peer, 1, 1001), (1001, vec![]));
    assert_eq!(arrive(&mut peer, 501, 1501), (1501, vec![(501, 1001)]));
    arrive(&mut peer, 2501, 3001);
    arrive(&mut peer, 3501, 4001);
    let told = vec![(2501, 3001), (2001, 4501)];
    assert_eq!(arrive(&mut peer, 2001, 4501), (1501, told), "the first of two such parts");
    assert_eq!(arrive(&mut peer, 1501, 2501), (4501, vec![(2001, 2501)]));
}

#[test]
fn the_knob_keeps_duplicates_to_ourselves() {
    let mut peer = permitted(&[("tcp_dsack", "0")]);
    arrive(&mut peer, 1, 1001);
    assert_eq!(arrive(&mut peer, 1, 501), (1001, vec![]));
    arrive(&mut peer, 2001, 3001);
    assert_eq!(arrive(&mut peer, 2001, 2501), (1001, vec![(2001, 3001)]));
}

#[test]
fn a_fin_past_a_hole_is_told_of_and_one_that_comes_twice_too() {
    let mut peer = permitted(&[]);
    peer.arrive(seg(FIN_ACK, 2001).ack(1));
    assert_eq!(acknowledged(&mut peer), (1, vec![(2001, 2002)]));
    assert_eq!(arrive(&mut peer, 1001, 2001), (1, vec![(1001, 2002)]));
    assert_eq!(arrive(&mut peer, 1, 1001), (2002, vec![]));
    peer.arrive(seg(FIN_ACK, 2001).ack(1));
    assert_eq!(acknowledged(&mut peer), (2002, vec![(2001, 2002)]));
}

#[test]
fn data_that_was_dropped_for_want_of_room_is_not_told_of() {
    // RFC 2018 §8: what is reported is here.
    let mut peer = permitted(&[]);
    for piece in 0..MAX_PIECES as u32 {
        arrive(&mut peer, 3 + 2 * piece, 4 + 2 * piece);
    }
    assert!(peer.connection.take_peculiar().is_none());
    let right = 3 + 2 * MAX_PIECES as u32;
    let (_, blocks) = arrive(&mut peer, right, right + 1);
    assert_eq!(blocks[0], (right - 2, right - 1));
    assert_eq!(peer.connection.take_peculiar().map(|(drops, _)| drops.pieces), Some(1));
    assert!(peer.connection.take_peculiar().is_none());
}
