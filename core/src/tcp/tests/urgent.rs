//! Urgent data, both ways (RFC 9293 §3.8.5, RFC 6093).

use super::*;
use crate::readiness::Readiness;
use crate::tcp::SendFlags;

const URG_ACK: Flags = Flags::URG.union(Flags::ACK);
const URG_PSH_ACK: Flags = Flags::URG.union(PSH_ACK);
const OOB: SendFlags = SendFlags { more: false, bulk: false, end_of_record: false, urgent: true };

fn is_pri(peer: &Script) -> bool {
    peer.connection.readiness().contains(Readiness::PRI)
}

/// SEG.UP of what leaves next.
#[track_caller]
fn pointer(peer: &mut Script) -> Option<u16> {
    let header = peer.poll().expect("a segment leaves").header;
    header.flags.contains(Flags::URG).then_some(header.urgent)
}

#[test]
fn the_pointer_names_the_octet_after_the_urgent_data() {
    // RFC 6093 §4.
    // MUST-30, MUST-62
    let mut peer = Script::established();
    peer.send_with(b"abc", OOB).unwrap();
    let outgoing = peer.poll().unwrap();
    assert_eq!(outgoing.header.flags, URG_PSH_ACK);
    assert_eq!(outgoing.header.urgent, 3);
    peer.arrive(seg(ACK, 1).ack(4));
    peer.send(b"d").unwrap();
    assert_eq!(pointer(&mut peer), None, "it is acknowledged");
}

#[test]
fn every_segment_before_the_end_of_the_urgent_data_says_where_it_is() {
    // MUST-31: it may be of any length.
    let mut peer = Script::established();
    peer.super_segments(60_000);
    peer.send_with(&[1; 2500], OOB).unwrap();
    peer.send(&[2; 1500]).unwrap();
    let pointers: Vec<_> = (0..4).map(|_| pointer(&mut peer)).collect();
    assert_eq!(pointers, [Some(2500), Some(1500), Some(500), None]);
}

#[test]
fn a_retransmission_points_at_the_same_place() {
    let mut peer = Script::established();
    peer.send_with(b"abc", OOB).unwrap();
    assert_eq!(pointer(&mut peer), Some(3));
    while !peer.wait_for_timer().is_zero() {
        if let Some(outgoing) = peer.poll() {
            assert_eq!(outgoing.payload.into_bytes(), "abc");
            assert_eq!(outgoing.header.urgent, 3);
            break;
        }
    }
}

#[test]
fn a_place_too_far_for_the_field_is_named_as_far_as_it_goes() {
    let mut peer = Script::established();
    peer.send(&[1; 70_000]).unwrap();
    peer.send_with(b"!", OOB).unwrap();
    assert_eq!(pointer(&mut peer), Some(u16::MAX));
}

#[test]
fn a_closed_window_hears_of_urgent_data_all_the_same() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send_with(b"stop", OOB).unwrap();
    peer.expect_nothing();
    peer.wait_for_timer();
    let probe = peer.poll().unwrap();
    assert_eq!((probe.header.flags, probe.header.urgent), (URG_ACK, 4));
    assert_eq!(probe.payload.len(), 1);
}

#[test]
fn urgent_data_is_not_held_back_by_nagle() {
    let mut peer = Script::established();
    peer.send(b"a").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"a"));
    peer.send(b"b").unwrap();
    peer.expect_nothing();
    peer.send_with(b"c", OOB).unwrap();
    assert_eq!(peer.poll().unwrap().payload.into_bytes(), "bc");
}

#[test]
fn reading_stops_at_the_mark_and_goes_on_behind_it() {
    // MUST-33
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abXcd").urgent(3));
    assert!(is_pri(&peer));
    assert_eq!(peer.connection.readable(), 2);
    assert!(!peer.connection.is_at_urgent_mark());
    assert_eq!(peer.recv(10).unwrap(), b"ab");
    assert!(peer.connection.is_at_urgent_mark());
    assert_eq!(peer.connection.recv_urgent(true), Ok(Some(b'X')));
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'X')));
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::Invalid), "it was taken");
    assert!(!is_pri(&peer));
    assert_eq!(peer.peek(10).unwrap(), b"cd");
    assert_eq!(peer.recv(10).unwrap(), b"cd");
    assert!(!peer.connection.is_at_urgent_mark());
}

#[test]
fn the_octet_at_the_mark_is_not_read_as_data() {
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"X").urgent(1));
    assert!(!peer.connection.readiness().contains(Readiness::IN));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    // As on Linux, reading past the mark gives the octet up.
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::Invalid));
    peer.arrive(seg(PSH_ACK, 2).ack(1).text(b"data"));
    assert_eq!(peer.recv(10).unwrap(), b"data");
}

#[test]
fn in_line_the_octet_is_data_and_reading_stops_before_it() {
    // RFC 6093 §6.
    let mut peer = Script::established_with(Settings { oob_inline: true, ..settings() }, &[]);
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abXcd").urgent(3));
    assert!(is_pri(&peer));
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::Invalid));
    assert_eq!(peer.recv(10).unwrap(), b"ab");
    assert!(peer.connection.is_at_urgent_mark());
    assert_eq!(peer.recv(10).unwrap(), b"Xcd");
    assert!(!is_pri(&peer));
}

#[test]
fn a_pointer_may_come_before_its_octet() {
    // MUST-32
    let mut peer = Script::established();
    peer.arrive(seg(URG_ACK, 1).ack(1).urgent(3));
    assert!(!is_pri(&peer));
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::WouldBlock));
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"ab").urgent(3));
    assert!(!is_pri(&peer));
    peer.arrive(seg(PSH_ACK, 3).ack(1).text(b"X"));
    assert!(is_pri(&peer));
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'X')));
}

#[test]
fn the_octet_is_had_at_once_though_data_before_it_is_missing() {
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 4).ack(1).text(b"cX").urgent(2));
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'X')));
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"abc"));
    assert_eq!(peer.recv(10).unwrap(), b"abcc");
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
}

#[test]
fn the_mark_moves_forward_and_never_back() {
    // RFC 9293 §3.8.5: it "cannot recede"; MUST-32 again when it advances.
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abXcdYe").urgent(6));
    peer.arrive(seg(URG_PSH_ACK, 8).ack(1).text(b"f").urgent(1));
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abXcdYe").urgent(3));
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'f')));
    assert_eq!(peer.recv(100).unwrap(), b"abXcdYe", "the octet of an earlier mark is data again");
}

#[test]
fn a_new_mark_does_not_make_data_of_the_octet_just_before_the_reader() {
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"aX").urgent(2));
    assert_eq!(peer.recv(10).unwrap(), b"a");
    peer.arrive(seg(URG_PSH_ACK, 3).ack(1).text(b"bY").urgent(2));
    assert_eq!(peer.recv(10).unwrap(), b"b");
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'Y')));
}

#[test]
fn a_pointer_to_data_that_was_read_or_repeated_sets_no_mark() {
    let mut peer = Script::established();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"abc"));
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abc").urgent(2));
    assert!(!is_pri(&peer));
    assert_eq!(peer.recv(10).unwrap(), b"abc");
}

#[test]
fn a_closed_window_is_no_reason_to_ignore_urgent_data() {
    // MUST-66
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(&[1; 60_000]));
    assert_eq!(peer.poll().unwrap().header.window, 0);
    peer.arrive(seg(URG_PSH_ACK, 60_001).ack(1).text(b"X").urgent(1));
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::WouldBlock), "its mark is known");
    assert_eq!(peer.recv(70_000).unwrap().len(), 60_000);
    assert!(peer.connection.is_at_urgent_mark());
}

#[test]
fn a_pointer_as_far_as_it_goes_is_a_mark_and_no_more() {
    // The pointer is never taken for a length.
    let mut peer = Script::established();
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abc").urgent(u16::MAX));
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::WouldBlock));
    assert_eq!(peer.recv(10).unwrap(), b"abc");
    peer.arrive(seg(URG_PSH_ACK, 4).ack(1).text(b"def").urgent(0));
    assert_eq!(peer.recv(10).unwrap(), b"def");
    peer.wait_for_timer();
    assert_eq!(peer.poll().unwrap().header.window, 59_994, "six bytes of the window are used");
}

#[test]
fn the_older_reading_of_the_pointer_can_be_had() {
    // RFC 1122's, which RFC 6093 §4 gave up: the last urgent octet itself.
    let mut peer = Script::established_with(settings(), &[("tcp_stdurg", "1")]);
    peer.arrive(seg(URG_PSH_ACK, 1).ack(1).text(b"abXcd").urgent(2));
    assert_eq!(peer.recv(10).unwrap(), b"ab");
    assert_eq!(peer.connection.recv_urgent(false), Ok(Some(b'X')));
}

#[test]
fn without_urgent_data_there_is_none_to_be_had() {
    let mut peer = Script::established();
    assert_eq!(peer.connection.recv_urgent(false), Err(Error::Invalid));
    peer.arrive(seg(URG_ACK, 1).ack(1).urgent(1));
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    assert_eq!(peer.connection.recv_urgent(false), Ok(None), "and none will come");
}
