//! What leaves no faster than it is told to (SO_MAX_PACING_RATE).

use super::*;

/// A connection with ten segments acknowledged and more to send than its window takes, at 1000 bytes
/// a millisecond: what is unpaced at the beginning is over.
fn paced() -> Script {
    let rate = Some(1_000_000);
    let settings = Settings { max_pacing_rate_bytes_per_s: rate, ..settings() };
    let mut peer = Script::established_with(settings, &[]);
    peer.send(&[7; 50_000]).unwrap();
    let sent = std::iter::from_fn(|| peer.poll()).count();
    assert_eq!(sent, 10, "the initial window leaves at once");
    peer.arrive(seg(ACK, 1).ack(10_001));
    peer
}

#[test]
fn segments_leave_a_gap_apart() {
    let mut peer = paced();
    peer.expect(out(ACK, 10_001, 1).text(&[7; 1000]));
    peer.expect_nothing();
    // It comes after a silence: half a gap.
    let half = Duration::from_micros(500);
    for (seq, gap) in [(11_001, half), (12_001, ms(1)), (13_001, ms(1))] {
        assert_eq!(peer.wait_for_timer(), gap);
        peer.expect(out(ACK, seq, 1).text(&[7; 1000]));
        peer.expect_nothing();
    }
}

/// Four segments have left, the first of them is lost, and its turn has not come.
fn losing() -> Script {
    let mut peer = paced();
    peer.expect(out(ACK, 10_001, 1).text(&[7; 1000]));
    peer.expect_nothing();
    for _ in 0..3 {
        peer.wait_for_timer();
        assert!(peer.poll().is_some());
        peer.expect_nothing();
    }
    for _ in 0..3 {
        peer.arrive(seg(ACK, 1).ack(10_001));
    }
    peer
}

#[test]
fn what_is_lost_waits_for_its_turn_too() {
    let mut peer = losing();
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), ms(1));
    peer.expect(out(ACK, 10_001, 1).text(&[7; 1000]));
}

#[test]
fn a_connection_that_is_over_waits_for_no_turn() {
    let mut peer = losing();
    peer.arrive(seg(RST, 1));
    peer.expect_state(State::Closed);
    peer.expect_nothing();
    assert_eq!(peer.connection.next_deadline(), None);
}
