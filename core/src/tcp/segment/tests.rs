//! SEG.LEN and trimming.

use bytes::Bytes;

use super::{Segment, segment_count};
use crate::tcp::seq::Seq;
use crate::wire::ip::Ecn;
use crate::wire::tcp::{Flags, Header};

fn segment(seq: u32, flags: Flags, text: &'static [u8]) -> Segment {
    let header = Header { seq, flags, ..Header::default() };
    let near = Seq::from_initial(seq);
    Segment::from_wire(&header, Bytes::from_static(text).into(), 0, Ecn::NotEct, near, near)
}

#[test]
fn length_counts_syn_and_fin() {
    assert_eq!(segment(1, Flags::ACK, b"").len(), 0);
    assert_eq!(segment(1, Flags::SYN, b"").len(), 1);
    assert_eq!(segment(1, Flags::SYN.union(Flags::FIN), b"abc").len(), 5);
}

#[test]
fn a_segment_without_ack_has_no_acknowledgment() {
    assert_eq!(segment(1, Flags::SYN, b"").ack, None);
    assert!(segment(1, Flags::ACK, b"").ack.is_some());
}

#[test]
fn the_front_is_trimmed_syn_first() {
    let mut segment = segment(10, Flags::SYN.union(Flags::FIN), b"abc");
    segment.trim_front(segment.seq + 3);
    assert_eq!(segment.payload.clone().into_bytes(), &b"c"[..]);
    assert_eq!(segment.flags, Flags::FIN);
    segment.trim_front(segment.seq + 2);
    assert!(segment.is_empty());
    assert_eq!(segment.flags, Flags::EMPTY);
}

#[test]
fn the_back_is_trimmed_fin_first() {
    let mut segment = segment(10, Flags::FIN, b"abc");
    let start = segment.seq;
    segment.trim_back(start + 3);
    assert_eq!((segment.payload.len(), segment.flags), (3, Flags::EMPTY));
    segment.trim_back(start + 1);
    assert_eq!(segment.payload.clone().into_bytes(), &b"a"[..]);
    segment.trim_back(start);
    assert!(segment.is_empty());
}

#[test]
fn trimming_outside_the_segment_changes_nothing() {
    let mut segment = segment(10, Flags::FIN, b"abc");
    let (start, end) = (segment.seq, segment.end());
    segment.trim_front(start);
    segment.trim_back(end);
    assert_eq!(segment.len(), 4);
}

#[test]
fn a_merged_segment_counts_as_many() {
    assert_eq!(segment_count(0, 0), 1);
    assert_eq!(segment_count(4000, 0), 1);
    assert_eq!(segment_count(4000, 1000), 4);
    assert_eq!(segment_count(4001, 1000), 5);
}
