//! What arrives: order, windows, and when it is acknowledged.

use super::*;

#[test]
fn text_in_order_is_acknowledged_late_and_every_second_segment_at_once() {
    // RFC 9293 §3.8.6.3 (SHLD-18).
    // RFC 9293 §3.8.6.3, MUST-40 and SHLD-19.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(&[1; 1000]));
    peer.expect_nothing();
    peer.arrive(seg(ACK, 1001).ack(1).text(&[2; 1000]));
    peer.expect(out(ACK, 1, 2001));
    peer.arrive(seg(ACK, 2001).ack(1).text(&[3; 1000]));
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), ms(40));
    peer.expect(out(ACK, 1, 3001));
    peer.expect_nothing();
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn an_acknowledgment_rides_on_text() {
    let mut peer = Script::established();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"ping"));
    peer.send(b"pong").unwrap();
    peer.expect(out(PSH_ACK, 1, 5).text(b"pong"));
    peer.expect_nothing();
}

#[test]
fn a_connection_starts_with_quick_acknowledgments() {
    let mut peer = Script::established_with(settings(), &[("tcp_quickack_start", "2")]);
    for i in 0..2 {
        peer.arrive(seg(ACK, 1 + i).ack(1).text(b"x"));
        peer.expect(out(ACK, 1, 2 + i));
    }
    peer.arrive(seg(ACK, 3).ack(1).text(b"x"));
    peer.expect_nothing();
}

#[test]
fn a_hole_is_reported_at_once_and_so_is_its_filling() {
    // RFC 9293 §3.10.7.4 (SHLD-31, MAY-13).
    // RFC 5681 §4.2.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 4).ack(1).text(b"def"));
    peer.expect(out(ACK, 1, 1));
    peer.arrive(seg(ACK, 10).ack(1).text(b"jkl"));
    peer.expect(out(ACK, 1, 1));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    peer.arrive(seg(ACK, 1).ack(1).text(b"abc"));
    peer.expect(out(ACK, 1, 7));
    peer.arrive(seg(ACK, 7).ack(1).text(b"ghi"));
    peer.expect(out(ACK, 1, 13));
    assert_eq!(peer.recv(100).unwrap(), b"abcdefghijkl");
}

#[test]
fn each_segment_past_a_hole_has_its_own_acknowledgment_even_in_a_batch() {
    // RFC 5681 §4.2: a sender without SACK counts them.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1001).ack(1).text(&[1; 1000]));
    peer.arrive(seg(ACK, 2001).ack(1).text(&[1; 1000]));
    peer.arrive_merged(seg(ACK, 3001).ack(1).text(&[1; 2000]), 1000);
    for _ in 0..4 {
        peer.expect(out(ACK, 1, 1));
    }
    peer.expect_nothing();
}

#[test]
fn what_is_filled_before_it_is_reported_is_no_hole() {
    let mut peer = Script::established();
    for start in [1001, 2001, 3001, 1] {
        peer.arrive(seg(ACK, start).ack(1).text(&[1; 1000]));
    }
    peer.expect(out(ACK, 1, 4001));
    peer.expect_nothing();
}

#[test]
fn selective_acknowledgment_tells_of_a_batch_at_once() {
    // RFC 2018 §4.
    let options = Options { mss: Some(1000), sack_permitted: true, ..Options::default() };
    let mut peer = Script::accepting(options, &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    peer.arrive(seg(ACK, 1001).ack(1).text(&[1; 1000]));
    peer.arrive(seg(ACK, 2001).ack(1).text(&[1; 1000]));
    peer.expect(out(ACK, 1, 1));
    peer.expect_nothing();
}

#[test]
fn the_window_is_the_buffer_less_what_is_queued() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(&[1; 2000]));
    peer.arrive(seg(ACK, 2001).ack(1).text(&[1; 2000]));
    assert_eq!(peer.poll().unwrap().header.window, 56_000);
}

#[test]
fn the_right_edge_never_retreats_and_opens_in_worthwhile_steps() {
    // RFC 9293 §3.8.6 (SHLD-14); RFC 9293 §3.8.6.2.2 (MUST-39).
    // RFC 9293 §3.8.6.2.2.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(&[1; 60_000]));
    assert_eq!(peer.poll().unwrap().header.window, 0);
    peer.recv(999).unwrap();
    peer.expect_nothing();
    peer.recv(1).unwrap();
    assert_eq!(peer.poll().unwrap().header.window, 1000, "a whole segment is worth saying");
    peer.recv(999).unwrap();
    peer.expect_nothing();
    peer.recv(1).unwrap();
    assert_eq!(peer.poll().unwrap().header.window, 2000, "twice what the peer knows of");
    peer.recv(30_000).unwrap();
    assert_eq!(peer.poll().unwrap().header.window, 32_000);
    peer.recv(28_000).unwrap();
    peer.expect_nothing(); // above half the buffer nobody waits for more
}

#[test]
fn peeking_takes_nothing() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).text(b"abc"));
    assert_eq!(peer.peek(2).unwrap(), b"ab");
    assert_eq!(peer.recv(10).unwrap(), b"abc");
}

#[test]
fn reading_a_shut_side_is_the_end() {
    let mut peer = Script::established();
    peer.shutdown(Shutdown::Read).unwrap();
    assert_eq!(peer.recv(10).unwrap(), b"");
    peer.expect_nothing();
}

#[test]
fn text_after_the_fin_is_not_taken_and_not_answered() {
    let mut peer = Script::established();
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect(out(ACK, 1, 2));
    peer.arrive(seg(PSH_ACK, 2).ack(1).text(b"lie"));
    peer.expect_nothing();
    assert_eq!(peer.recv(10).unwrap(), b"");
}

#[test]
fn a_small_buffer_under_a_large_maximum_can_still_say_its_window() {
    // Offered by a shift of 14, no window below 16 KiB could be.
    let knobs = [("tcp_window_scaling", "1"), ("tcp_rmem", "1024 8192 1073741824")];
    let options = Options { window_scale: Some(0), ..Options::default() };
    let mut peer = Script::accepting(options, &knobs);
    let shift = peer.poll().unwrap().header.options.window_scale.unwrap();
    assert!(60_000 >> shift > 0, "the script's buffer of 60,000 bytes, shifted by {shift}");
    assert!(shift <= 12);
}

#[test]
fn a_forged_byte_past_the_end_does_not_keep_the_fin_out() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 50).ack(1).text(b"x"));
    peer.expect(out(ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(1).text(b"end"));
    peer.expect_state(State::CloseWait);
    peer.expect(out(ACK, 1, 5));
    assert_eq!(peer.recv(10).unwrap(), b"end");
}

#[test]
fn reading_the_end_of_a_write_acknowledges_it() {
    let mut peer = Script::established_with(settings(), &[("tcp_quickack_start", "1")]);
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"!"));
    peer.expect(out(ACK, 1, 2));
    peer.arrive(seg(PSH_ACK, 2).ack(1).text(b"request"));
    peer.expect_nothing();
    peer.recv(3).unwrap();
    peer.expect_nothing();
    peer.recv(100).unwrap();
    peer.expect(out(ACK, 1, 9));
}

#[test]
fn in_a_conversation_the_reply_carries_the_acknowledgment() {
    let mut peer = Script::established_with(settings(), &[("tcp_quickack_start", "16")]);
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"ping"));
    peer.expect(out(ACK, 1, 5));
    peer.recv(10).unwrap();
    peer.send(b"pong").unwrap();
    peer.expect(out(PSH_ACK, 1, 5).text(b"pong"));
    peer.arrive(seg(PSH_ACK, 5).ack(5).text(b"ping"));
    peer.recv(10).unwrap();
    peer.expect_nothing();
    peer.send(b"pong").unwrap();
    peer.expect(out(PSH_ACK, 5, 9).text(b"pong"));
}

#[test]
fn quick_acknowledgments_can_be_asked_for_and_refused() {
    let mut peer = Script::established_with(settings(), &[("tcp_quickack_start", "16")]);
    peer.set_quick_ack(false);
    assert!(!peer.connection.is_quick_ack());
    peer.arrive(seg(ACK, 1).ack(1).text(b"x"));
    peer.expect_nothing();
    peer.recv(10).unwrap();
    peer.expect_nothing();
    peer.set_quick_ack(true);
    peer.expect(out(ACK, 1, 2));
    peer.arrive(seg(ACK, 2).ack(1).text(b"x"));
    peer.expect(out(ACK, 1, 3));
}

#[test]
fn a_clamped_window_is_never_larger() {
    let clamped = Settings { window_clamp: Some(5000), ..settings() };
    let mut peer = Script::established_with(clamped, &[]);
    for start in [1, 3001] {
        peer.arrive(seg(ACK, start).ack(1).text(&[1; 3000]));
        assert_eq!(peer.poll().unwrap().header.window, 5000);
    }
}

#[test]
fn the_receive_buffer_grows_with_what_is_read_in_a_round_trip() {
    let grown = |knobs: &[(&str, &str)], is_fixed| {
        let settings = Settings { is_receive_buffer_fixed: is_fixed, ..settings() };
        let mut peer = Script::established_with(settings, knobs);
        let mut seq = 1;
        for _ in 0..4 {
            for _ in 0..50 {
                peer.arrive(seg(ACK, seq).ack(1).text(&[1; 1000]));
                seq += 1000;
            }
            peer.wait(ms(10));
            peer.recv(50_000).unwrap();
            while peer.poll().is_some() {}
        }
        peer.connection.receive_buffer.capacity()
    };
    assert!(grown(&[("tcp_moderate_rcvbuf", "1")], false) > 120_000);
    assert_eq!(grown(&[("tcp_moderate_rcvbuf", "1")], true), 60_000);
    assert_eq!(grown(&[("tcp_moderate_rcvbuf", "0")], false), 60_000);
    let small = [("tcp_moderate_rcvbuf", "1"), ("tcp_rmem", "4096 8192 70000")];
    assert_eq!(grown(&small, false), 70_000);
}
