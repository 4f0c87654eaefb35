//! Arrivals find their sendings, through loss, repetition, splitting and merging.

use super::*;

fn segment(seq: u32, len: usize) -> SegmentRecord {
    SegmentRecord {
        src_port: 49152,
        dst_port: 8080,
        seq,
        ack: 1,
        relative_seq: None,
        relative_ack: None,
        flags: "ACK".to_owned(),
        window: 1000,
        window_bytes: 1000,
        urgent: 0,
        len,
        segments: 1,
        header: String::new(),
        payload: String::new(),
        payload_sum: None,
        retransmission: false,
    }
}

/// Matches `(time, seq, len)` lists.
fn match_lists(sent: &[(u64, u32, usize)], arrived: &[(u64, u32, usize)]) -> Matching {
    let segments = |list: &[(u64, u32, usize)]| -> Vec<SegmentRecord> {
        list.iter().map(|(_, seq, len)| segment(*seq, *len)).collect()
    };
    let (out, into) = (segments(sent), segments(arrived));
    let sightings = |list: &[(u64, u32, usize)], from: &'_ [SegmentRecord]| -> Vec<(u64, usize)> {
        list.iter().zip(0..from.len()).map(|((time, _, _), at)| (*time, at)).collect()
    };
    let seen =
        |list: Vec<(u64, usize)>, from: &'static [SegmentRecord]| -> Vec<Sighting<'static>> {
            list.iter()
                .map(|(time_ns, at)| Sighting { time_ns: *time_ns, segment: &from[*at] })
                .collect()
        };
    let (sent_at, arrived_at) = (sightings(sent, &out), sightings(arrived, &into));
    match_arrivals(&seen(sent_at, out.leak()), &seen(arrived_at, into.leak()))
}

#[test]
fn a_segment_that_arrives_is_matched_and_one_that_does_not_is_lost() {
    let matching = match_lists(&[(0, 1, 10), (1, 11, 10)], &[(11, 11, 10)]);
    assert_eq!(matching.delivered_by, [None, Some(0)]);
    assert_eq!(matching.origins, [Origin::Sent]);
}

#[test]
fn a_repeated_segment_that_arrives_once_is_the_one_that_flew_as_long_as_others() {
    // The typical flight is 10; the first copy would have needed 210.
    let matching =
        match_lists(&[(0, 1, 10), (50, 11, 10), (200, 1, 10)], &[(60, 11, 10), (210, 1, 10)]);
    assert_eq!(matching.delivered_by, [None, Some(0), Some(1)]);
}

#[test]
fn equal_acknowledgments_in_flight_together_keep_their_order() {
    let matching = match_lists(
        &[(0, 1, 0), (1, 1, 0), (2, 1, 0), (50, 9, 5)],
        &[(10, 1, 0), (11, 1, 0), (12, 1, 0), (60, 9, 5)],
    );
    assert_eq!(matching.delivered_by, [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn a_second_arrival_of_one_sending_is_a_duplicate() {
    let matching = match_lists(&[(0, 1, 10)], &[(10, 1, 10), (12, 1, 10)]);
    assert_eq!(matching.delivered_by, [Some(0)]);
    assert_eq!(matching.origins, [Origin::Sent, Origin::Duplicate]);
}

#[test]
fn a_super_segment_that_was_split_arrives_with_its_last_piece() {
    let matching = match_lists(&[(0, 1, 30)], &[(10, 1, 10), (11, 11, 10), (12, 21, 10)]);
    assert_eq!(matching.delivered_by, [Some(2)]);
    assert_eq!(matching.origins, [Origin::Sent; 3]);
}

#[test]
fn a_super_segment_of_which_pieces_are_lost_says_how_many_bytes_are_missing() {
    let matching = match_lists(&[(0, 1, 30)], &[(10, 1, 10), (12, 21, 10)]);
    assert_eq!(matching.delivered_by, [Some(1)]);
    assert_eq!(matching.missing, [10]);
}

#[test]
fn a_piece_sent_again_belongs_to_its_repetition() {
    // The middle of the first is lost, and repeated alone.
    let sent = [(0, 1, 30), (200, 11, 10), (300, 91, 5)];
    let arrived = [(10, 1, 10), (11, 21, 10), (210, 11, 10), (310, 91, 5)];
    let matching = match_lists(&sent, &arrived);
    assert_eq!(matching.delivered_by, [Some(1), Some(2), Some(3)]);
    assert_eq!(matching.missing, [10, 0, 0]);
}

#[test]
fn a_piece_that_looks_like_a_later_repetition_is_not_taken_for_it() {
    // Nothing was lost: the repetition was needless, and arrives too.
    let sent = [(0, 1, 30), (200, 11, 10), (300, 91, 5)];
    let arrived = [(10, 1, 10), (11, 11, 10), (12, 21, 10), (210, 11, 10), (310, 91, 5)];
    let matching = match_lists(&sent, &arrived);
    assert_eq!(matching.delivered_by, [Some(2), Some(3), Some(4)]);
    assert_eq!(matching.missing, [0, 0, 0]);
}

#[test]
fn a_piece_that_arrives_twice_is_a_duplicate() {
    let matching = match_lists(&[(0, 1, 20)], &[(10, 1, 10), (11, 11, 10), (12, 11, 10)]);
    assert_eq!(matching.delivered_by, [Some(1)]);
    assert_eq!(matching.origins, [Origin::Sent, Origin::Sent, Origin::Unknown]);
}

#[test]
fn segments_that_were_merged_arrive_together() {
    let matching = match_lists(&[(0, 1, 10), (1, 11, 10)], &[(10, 1, 20)]);
    assert_eq!(matching.delivered_by, [Some(0), Some(0)]);
    assert_eq!(matching.origins, [Origin::Sent]);
}

#[test]
fn sequence_numbers_wrap_between_pieces() {
    let matching = match_lists(&[(0, u32::MAX - 4, 10)], &[(5, u32::MAX - 4, 5), (6, 0, 5)]);
    assert_eq!(matching.delivered_by, [Some(1)]);
}

#[test]
fn an_arrival_that_nobody_sent_is_unknown() {
    let matching = match_lists(&[], &[(10, 1, 10)]);
    assert_eq!(matching.origins, [Origin::Unknown]);
}
