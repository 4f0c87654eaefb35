//! Every acknowledgment that leaves without text says why.

use super::*;
use crate::event::Reason;

/// Permits SACK, with quick acknowledgments as far as `quick` goes.
fn established(sack_permitted: bool, quick: &str) -> Script {
    let options = Options { mss: Some(1000), sack_permitted, ..Options::default() };
    let mut peer = Script::accepting(options, &[("tcp_quickack_start", quick)]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    peer
}

/// Of the one segment that leaves now, without text.
#[track_caller]
fn reason(peer: &mut Script) -> Reason {
    let outgoing = peer.poll().expect("an acknowledgment");
    assert_eq!((outgoing.header.flags, outgoing.payload.len()), (ACK, 0));
    assert!(peer.poll().is_none(), "one is enough");
    outgoing.reason
}

#[track_caller]
fn reason_for(peer: &mut Script, segment: In<'_>) -> Reason {
    peer.arrive(segment);
    reason(peer)
}

#[test]
fn the_third_segment_of_the_handshake_acknowledges_the_syn() {
    // RFC 9293 §3.10.7.3
    let mut peer = Script::connecting(&[]);
    peer.expect(out(SYN, 0, 0));
    assert_eq!(reason_for(&mut peer, seg(SYN_ACK, 0).ack(1)), Reason::AcknowledgeSyn);
}

#[test]
fn text_in_order_is_acknowledged_for_its_amount_its_start_its_age_or_its_reader() {
    // RFC 9293 §3.8.6.3
    let full = [7; 1000];
    let mut quick = established(false, "16");
    assert_eq!(reason_for(&mut quick, seg(PSH_ACK, 1).ack(1).text(b"a")), Reason::QuickAck);

    let mut peer = established(false, "0");
    peer.arrive(seg(ACK, 1).ack(1).text(&full));
    assert_eq!(reason_for(&mut peer, seg(ACK, 1001).ack(1).text(&full)), Reason::Acknowledge);
    peer.arrive(seg(ACK, 2001).ack(1).text(&full));
    peer.wait_for_timer();
    assert_eq!(reason(&mut peer), Reason::DelayedAck);

    let mut read = established(false, "1");
    assert_eq!(reason_for(&mut read, seg(PSH_ACK, 1).ack(1).text(b"a")), Reason::QuickAck);
    read.arrive(seg(PSH_ACK, 2).ack(1).text(b"b"));
    read.expect_nothing();
    read.recv(10).unwrap();
    assert_eq!(reason(&mut read), Reason::AcknowledgeRead);
}

#[test]
fn a_fin_is_acknowledged_at_once_and_again_from_time_wait() {
    // RFC 9293 §3.10.7.4
    let mut peer = established(true, "0");
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    let fin = seg(FIN_ACK, 1).ack(2);
    assert_eq!(reason_for(&mut peer, fin), Reason::AcknowledgeFin);
    assert_eq!(reason_for(&mut peer, fin), Reason::TimeWaitRepeat);
}

#[test]
fn a_hole_is_reported_and_its_end_too() {
    // RFC 5681 §4.2
    for sack_permitted in [false, true] {
        let mut peer = established(sack_permitted, "16");
        let past = seg(ACK, 101).ack(1).text(b"past");
        assert_eq!(reason_for(&mut peer, past), Reason::HoleReported);
        let rest = [7; 100];
        assert_eq!(reason_for(&mut peer, seg(ACK, 1).ack(1).text(&rest)), Reason::HoleFilled);
    }
}

#[test]
fn what_comes_twice_is_told_by_a_d_sack_where_the_peer_takes_those() {
    // RFC 2883 §4; without SACK it is an old duplicate (RFC 9293 §3.10.7.4).
    for (sack_permitted, expected) in [(true, Reason::DuplicateSack), (false, Reason::OldDuplicate)]
    {
        let mut peer = established(sack_permitted, "16");
        let text = seg(ACK, 1).ack(1).text(b"text");
        assert_eq!(reason_for(&mut peer, text), Reason::QuickAck);
        assert_eq!(reason_for(&mut peer, text), expected, "all of it");
        let more = seg(ACK, 1).ack(1).text(b"text and more");
        assert_eq!(reason_for(&mut peer, more), expected, "a part of it");
    }
    let mut peer = established(true, "16");
    let past = seg(ACK, 101).ack(1).text(b"past");
    assert_eq!(reason_for(&mut peer, past), Reason::HoleReported);
    assert_eq!(reason_for(&mut peer, past), Reason::DuplicateSack, "past a hole");
}

#[test]
fn what_may_be_forged_is_challenged() {
    let forged = [
        seg(RST, 100),          // RFC 5961 §3.2
        seg(SYN, 100),          // RFC 5961 §4.2
        seg(SYN, 100_000),      // …, wherever it lies
        seg(ACK, 1).ack(9_999), // RFC 5961 §5.2
    ];
    for segment in forged {
        let mut peer = established(true, "0");
        assert_eq!(reason_for(&mut peer, segment), Reason::ChallengeAck, "{:?}", segment.flags);
    }
}

#[test]
fn what_lies_outside_the_window_is_told_what_is_expected() {
    // RFC 9293 §3.10.7.4, first
    for text in [&b""[..], b"text"] {
        let mut peer = established(true, "0");
        let beyond = seg(ACK, 100_000).ack(1).text(text);
        assert_eq!(reason_for(&mut peer, beyond), Reason::OutOfWindow);
    }
}

#[test]
fn probes_are_answered_as_what_they_are() {
    // RFC 9293 §3.8.4
    let mut peer = established(true, "0");
    assert_eq!(reason_for(&mut peer, seg(ACK, 0).ack(1)), Reason::KeepaliveAnswered);
    // RFC 9293 §3.8.6.1, and §3.8.6.2.2 once there is room again
    let mut seq = 1;
    while peer.snapshot().rcv_wnd > 0 {
        let text = vec![7; peer.snapshot().rcv_wnd.min(1000) as usize];
        peer.arrive(seg(ACK, seq).ack(1).text(&text));
        seq += text.len() as u32;
        while peer.poll().is_some() {}
    }
    assert_eq!(reason_for(&mut peer, seg(ACK, seq).ack(1).text(b"?")), Reason::ProbeAnswered);
    peer.recv(60_000).unwrap();
    assert_eq!(reason(&mut peer), Reason::WindowUpdate);
}

#[test]
fn an_old_timestamp_and_a_routers_mark_are_reasons_of_their_own() {
    // RFC 7323 §5.3, R1
    let options = Options { timestamps: Some((5_000, 0)), ..Options::default() };
    let mut peer = Script::accepting(options, &[]);
    peer.poll().unwrap();
    peer.arrive(seg(ACK, 1).ack(1).stamp(5_001));
    let old = seg(ACK, 1).ack(1).stamp(4_000).text(b"old");
    assert_eq!(reason_for(&mut peer, old), Reason::Paws);
    // RFC 3168 §6.1.3
    let flags = SYN.union(Flags::ECE).union(Flags::CWR);
    let mut peer = Script::accepting_flags(flags, Options::default(), &[("tcp_ecn", "1")]);
    peer.poll().unwrap();
    peer.arrive(seg(ACK, 1).ack(1));
    peer.arrive(In { ecn: Ecn::Ce, ..seg(ACK, 1).ack(1).text(b"marked") });
    let outgoing = peer.poll().unwrap();
    assert_eq!(outgoing.reason, Reason::MarkEchoed);
}
