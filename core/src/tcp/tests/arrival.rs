//! RFC 9293 §3.10.7.4 step by step: sequence, RST, SYN, ACK.

use super::*;

#[test]
fn text_outside_the_window_is_acknowledged_and_dropped() {
    for seq in [60_001, 90_000, u32::MAX - 100] {
        let mut peer = Script::established();
        peer.arrive(seg(ACK, seq).ack(1).text(b"x"));
        peer.expect(out(ACK, 1, 1));
        assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    }
}

#[test]
fn a_repeated_segment_is_acknowledged_at_once_and_not_delivered_twice() {
    let mut peer = Script::established();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"hello"));
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"hello"));
    peer.expect(out(ACK, 1, 6));
    assert_eq!(peer.recv(100).unwrap(), b"hello");
    assert_eq!(peer.recv(100), Err(Error::WouldBlock));
}

#[test]
fn a_segment_that_overlaps_what_is_here_gives_its_new_part() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(b"hello"));
    peer.arrive(seg(ACK, 3).ack(1).text(b"llo, world"));
    assert_eq!(peer.recv(100).unwrap(), b"hello, world");
}

#[test]
fn a_segment_that_reaches_over_the_window_is_cut() {
    let mut peer = Script::established();
    let text = vec![7; 60_100];
    peer.arrive(seg(ACK, 1).ack(1).text(&text));
    assert_eq!(peer.recv(100_000).unwrap().len(), 60_000);
}

#[test]
fn a_reset_counts_only_at_exactly_the_expected_number() {
    // RFC 9293 §3.6 (MUST-12).
    // RFC 5961 §3.2.
    let mut peer = Script::established();
    peer.arrive(seg(RST, 2));
    peer.expect_state(State::Established);
    peer.expect(out(ACK, 1, 1));
    peer.arrive(seg(RST, 70_000));
    peer.expect_state(State::Established);
    peer.expect_nothing();
    peer.arrive(seg(RST, 1));
    peer.expect_state(State::Closed);
    assert_eq!(peer.recv(1), Err(Error::Reset));
    assert_eq!(peer.recv(1).unwrap(), b"", "after the error, the end");
    assert_eq!(peer.send(b"x"), Err(Error::BrokenPipe));
    peer.expect_nothing();
}

#[test]
fn what_arrived_before_a_reset_can_still_be_read() {
    let mut peer = Script::established();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"last words"));
    peer.arrive(seg(RST, 11));
    assert_eq!(peer.recv(100).unwrap(), b"last words");
    assert_eq!(peer.recv(100), Err(Error::Reset));
}

#[test]
fn a_syn_in_the_window_is_challenged_but_not_too_often() {
    // RFC 5961 §4.2 and §7.
    let mut peer = Script::established();
    for _ in 0..5 {
        peer.arrive(seg(SYN, 50));
    }
    peer.expect(out(ACK, 1, 1));
    peer.expect_nothing();
    peer.arrive(seg(SYN, 50));
    peer.expect_nothing();
    peer.wait(ms(500));
    peer.arrive(seg(SYN, 50));
    peer.expect(out(ACK, 1, 1));
    peer.expect_state(State::Established);
}

#[test]
fn a_segment_without_ack_goes_no_further() {
    let mut peer = Script::established();
    peer.arrive(seg(Flags::PSH, 1).text(b"x"));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    peer.expect_nothing();
}

#[test]
fn an_ack_of_what_was_not_sent_is_answered_and_its_text_dropped() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(500).text(b"x"));
    peer.expect(out(ACK, 1, 1));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
}

#[test]
fn an_ack_older_than_any_window_is_a_forgery() {
    // RFC 9293 §3.10.7.4 (MAY-12).
    // RFC 5961 §5.2: SND.UNA - MAX.SND.WND =< SEG.ACK.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1_u32.wrapping_sub(60_001)).text(b"x"));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    peer.arrive(seg(ACK, 1).ack(1_u32.wrapping_sub(60_000)).text(b"x"));
    assert_eq!(peer.recv(10).unwrap(), b"x");
}

#[test]
fn an_old_segment_does_not_turn_the_window_back() {
    // SND.WL1 and SND.WL2, RFC 9293 §3.10.7.4.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(b"abc").window(1000));
    peer.arrive(seg(ACK, 4).ack(1).window(2000));
    peer.arrive(seg(ACK, 1).ack(1).text(b"abc").window(9));
    assert_eq!(peer.snapshot().snd_wnd, 2000);
}

#[test]
fn a_closed_window_still_takes_acks_and_resets() {
    // RFC 9293 §3.10.7.4, MUST-66.
    let mut peer = Script::established();
    peer.send(b"question").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"question"));
    peer.arrive(seg(ACK, 1).ack(1).text(&vec![1; 60_000]));
    peer.expect(out(ACK, 9, 60_001));
    assert_eq!(peer.snapshot().rcv_wnd, 0);
    // A probe with one byte: its text does not fit, its ACK counts.
    peer.arrive(seg(ACK, 60_001).ack(9).text(b"!"));
    assert_eq!(peer.snapshot().send_buffer.unacked, 0);
    peer.expect(out(ACK, 9, 60_001));
    peer.arrive(seg(RST, 60_001));
    peer.expect_state(State::Closed);
}

#[test]
fn a_reset_in_close_wait_is_a_broken_pipe() {
    let mut peer = Script::established();
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect(out(ACK, 1, 2));
    assert_eq!(peer.send(b"first").unwrap(), 5);
    peer.expect(out(PSH_ACK, 1, 2).text(b"first"));
    peer.arrive(seg(RST, 2));
    assert_eq!(peer.send(b"second"), Err(Error::BrokenPipe));
}
