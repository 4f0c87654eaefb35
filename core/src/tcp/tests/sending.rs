//! What leaves and when: windows, Nagle, retransmission, recovery, probes.

use super::*;

/// `len` bytes that differ from their neighbours.
fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn no_delay() -> Settings {
    Settings { no_delay: true, ..settings() }
}

/// Polls until nothing comes and gives the (relative number, length) of each segment.
fn drain(peer: &mut Script) -> Vec<(u32, usize)> {
    std::iter::from_fn(|| peer.poll())
        .map(|outgoing| (outgoing.header.seq.wrapping_sub(ISS), outgoing.payload.len()))
        .collect()
}

#[test]
fn the_initial_window_is_ten_segments() {
    // RFC 6928.
    let mut peer = Script::established();
    peer.send(&text(50_000)).unwrap();
    let sent = drain(&mut peer);
    assert_eq!(sent.len(), 10);
    assert!(sent.iter().all(|&(_, len)| len == 1000));
}

#[test]
fn slow_start_doubles_and_the_peers_window_bounds_it() {
    let mut peer = Script::established();
    peer.send(&text(100_000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 10);
    for acked in [2001, 4001, 6001, 8001, 10_001] {
        peer.arrive(seg(ACK, 1).ack(acked));
        assert_eq!(drain(&mut peer).len(), 4, "two for the room, two for the growth");
    }
    peer.arrive(seg(ACK, 1).ack(10_001).window(20_500));
    let sent = drain(&mut peer);
    assert!(sent.is_empty(), "20,000 are in flight and 500 would be a silly segment: {sent:?}");
}

#[test]
fn nothing_is_sent_past_the_peers_window() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(2500));
    peer.send(&text(5000)).unwrap();
    assert_eq!(drain(&mut peer), [(1, 1000), (1001, 1000)], "500 more would be a silly segment");
}

#[test]
fn small_text_waits_while_small_text_is_unacknowledged() {
    // RFC 9293 §3.7.4 (SHLD-7); RFC 9293 §3.9.1.2 (MAY-16, MUST-60).
    // Nagle, RFC 9293 §3.7.4.
    let mut peer = Script::established();
    peer.send(b"a").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"a"));
    peer.send(b"b").unwrap();
    peer.send(b"c").unwrap();
    peer.expect_nothing();
    peer.arrive(seg(ACK, 1).ack(2));
    peer.expect(out(PSH_ACK, 2, 1).text(b"bc"));
}

#[test]
fn full_segments_do_not_wait_and_neither_does_the_tail_behind_them() {
    // RFC 9293 §3.9.1.2 (SHLD-28, MUST-61).
    let mut peer = Script::established();
    peer.send(&text(1500)).unwrap();
    assert_eq!(drain(&mut peer), [(1, 1000), (1001, 500)]);
}

#[test]
fn no_delay_sends_small_text_at_once() {
    // RFC 9293 §3.7.4 (MUST-17).
    let mut peer = Script::established_with(no_delay(), &[]);
    for (i, byte) in [b"a", b"b", b"c"].into_iter().enumerate() {
        peer.send(byte).unwrap();
        peer.expect(out(PSH_ACK, 1 + i as u32, 1).text(byte));
    }
}

#[test]
fn a_super_segment_is_whole_segments_and_counts_as_many() {
    let mut peer = Script::established();
    peer.super_segments(64_000);
    peer.send(&text(20_500)).unwrap();
    let first = peer.poll().unwrap();
    assert_eq!((first.payload.len(), first.gso_size), (10_000, 1000), "the initial window");
    assert_eq!(first.payload.into_bytes(), text(10_000));
    assert!(peer.poll().is_none());
    peer.arrive(seg(ACK, 1).ack(10_001));
    let second = peer.poll().unwrap();
    assert_eq!((second.payload.len(), second.gso_size), (10_500, 1000), "the tail comes along");
    assert!(second.header.flags.contains(Flags::PSH));
}

#[test]
fn an_unacknowledged_segment_is_sent_again_with_doubled_patience() {
    // RFC 6298 §5.1, §5.4, §5.5, §5.6.
    let mut peer = Script::established();
    peer.send(b"hello").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
    // The handshake took no time at all: RTO is at its floor.
    for patience in [200, 400, 800, 1600] {
        assert_eq!(peer.wait_for_timer(), ms(patience));
        peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
        peer.expect_nothing();
    }
    peer.arrive(seg(ACK, 1).ack(6));
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn a_retransmitted_segment_gives_no_round_trip() {
    // RFC 9293 §3.8.1 (MUST-18).
    // Karn, RFC 6298 §3.
    let mut peer = Script::established();
    peer.send(b"hello").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
    peer.wait_for_timer();
    peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
    let before = peer.snapshot().srtt_ns;
    peer.wait(ms(5));
    peer.arrive(seg(ACK, 1).ack(6));
    assert_eq!(peer.snapshot().srtt_ns, before);
}

#[test]
fn an_unanswered_connection_times_out() {
    // RFC 9293 §3.8.3 (MUST-20).
    let mut peer = Script::established_with(settings(), &[("tcp_retries2", "3")]);
    peer.send(b"hello").unwrap();
    for _ in 0..4 {
        peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
        peer.wait_for_timer();
    }
    peer.expect_state(State::Closed);
    assert_eq!(peer.recv(1), Err(Error::TimedOut));
    assert_eq!(peer.send(b"x"), Err(Error::BrokenPipe));
}

#[test]
fn three_duplicates_bring_one_segment_back_at_once() {
    // RFC 5681 §3.2; limited transmit falls out of counting what is in flight (RFC 3042).
    let mut peer = Script::established_with(settings(), &[("tcp_congestion_control", "reno")]);
    peer.send(&text(30_000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 10);
    peer.arrive(seg(ACK, 1).ack(1));
    peer.arrive(seg(ACK, 1).ack(1));
    assert_eq!(drain(&mut peer), [(10_001, 1000), (11_001, 1000)]);
    peer.arrive(seg(ACK, 1).ack(1));
    assert_eq!(drain(&mut peer), [(1, 1000)]);
    assert_eq!(peer.snapshot().ssthresh, 5000, "half of what was in flight");
    peer.expect_nothing();
}

#[test]
fn a_partial_ack_brings_the_next_hole_back_and_a_full_one_ends_recovery() {
    // RFC 6298 §5.2, §5.3.
    // RFC 6582 §3.2: segments 1 and 4 of ten are lost.
    let mut peer = Script::established();
    peer.send(&text(10_000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 10);
    for _ in 0..8 {
        peer.arrive(seg(ACK, 1).ack(1));
    }
    assert_eq!(drain(&mut peer), [(1, 1000)]);
    peer.arrive(seg(ACK, 1).ack(3001));
    assert_eq!(drain(&mut peer), [(3001, 1000)]);
    peer.arrive(seg(ACK, 1).ack(10_001));
    peer.expect_nothing();
    assert_eq!(peer.snapshot().in_flight, 0);
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn window_updates_and_text_are_no_duplicates() {
    let mut peer = Script::established();
    peer.send(&text(10_000)).unwrap();
    drain(&mut peer);
    for window in [50_000, 51_000, 52_000, 53_000] {
        peer.arrive(seg(ACK, 1).ack(1).window(window));
    }
    for (i, byte) in [b"a", b"b", b"c", b"d"].into_iter().enumerate() {
        peer.arrive(seg(ACK, 1 + i as u32).ack(1).window(53_000).text(byte));
    }
    let sent = drain(&mut peer);
    assert!(sent.iter().all(|&(_, len)| len == 0), "nothing is sent again: {sent:?}");
}

#[test]
fn after_a_timeout_sending_starts_over_from_one_segment() {
    // RFC 5681 §3.1.
    let mut peer = Script::established();
    peer.send(&text(10_000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 10);
    peer.wait_for_timer();
    assert_eq!(drain(&mut peer), [(1, 1000)]);
    peer.arrive(seg(ACK, 1).ack(1001));
    assert_eq!(drain(&mut peer), [(1001, 1000), (2001, 1000)]);
    // The peer had the rest all along.
    peer.arrive(seg(ACK, 1).ack(10_001));
    assert_eq!(drain(&mut peer), []);
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn a_closed_window_is_probed_ever_more_rarely_and_never_given_up() {
    // RFC 9293 §3.8.6.1 (SHLD-29, SHLD-30).
    // RFC 9293 §3.8.6.1, MUST-36 and MUST-37.
    let mut peer = Script::established_with(settings(), &[("tcp_retries2", "3")]);
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"hello").unwrap();
    peer.expect_nothing();
    for wait in [200, 400, 800, 1600, 3200, 6400, 12_800] {
        assert_eq!(peer.wait_for_timer(), ms(wait));
        peer.expect(out(ACK, 1, 1).text(b"h"));
        peer.expect_nothing();
        peer.arrive(seg(ACK, 1).ack(1).window(0));
    }
    peer.arrive(seg(ACK, 1).ack(1).window(1000));
    peer.expect(out(PSH_ACK, 1, 1).text(b"hello"));
}

#[test]
fn unanswered_probes_end_the_connection() {
    let mut peer = Script::established_with(settings(), &[("tcp_retries2", "3")]);
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"hello").unwrap();
    peer.expect_nothing();
    for _ in 0..3 {
        peer.wait_for_timer();
        peer.expect(out(ACK, 1, 1).text(b"h"));
        peer.expect_nothing();
    }
    peer.wait_for_timer();
    peer.expect_state(State::Closed);
    assert_eq!(peer.connection.take_error(), Some(Error::TimedOut));
}

#[test]
fn a_probed_byte_that_was_taken_is_not_sent_again() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"hello").unwrap();
    peer.expect_nothing();
    peer.wait_for_timer();
    peer.expect(out(ACK, 1, 1).text(b"h"));
    peer.arrive(seg(ACK, 1).ack(2).window(1000));
    peer.expect(out(PSH_ACK, 2, 1).text(b"ello"));
}

#[test]
fn a_silly_window_is_waited_for_but_not_for_ever() {
    // RFC 9293 §3.8.6.2.1 (MUST-38); RFC 9293 §3.9.1.2 (MUST-60).
    // RFC 9293 §3.8.6.2.1: less than half the largest window ever seen is no window.
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(100));
    peer.send(&text(5000)).unwrap();
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), ms(200));
    assert_eq!(drain(&mut peer), [(1, 100)]);
}

#[test]
fn a_fin_waits_behind_a_closed_window_and_is_probed_for() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.close();
    peer.expect_nothing();
    peer.wait_for_timer();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2).window(0));
    peer.expect_state(State::FinWait2);
}

#[test]
fn a_smaller_path_mtu_cuts_what_is_outstanding_anew() {
    // RFC 1191 §6.4; RFC 8201 §5.4.
    // RFC 9293 §3.7.1 (MUST-16).
    let mut peer = Script::established();
    peer.send(&text(2000)).unwrap();
    assert_eq!(drain(&mut peer), [(1, 1000), (1001, 1000)]);
    peer.path_mtu(540);
    assert_eq!(drain(&mut peer), [(1, 500), (501, 500), (1001, 500), (1501, 500)]);
}

#[test]
fn a_full_buffer_would_block_and_opens_again() {
    let mut peer = Script::established();
    assert_eq!(peer.send(&text(150_000)).unwrap(), 100_000);
    assert_eq!(peer.send(b"x"), Err(Error::WouldBlock));
    drain(&mut peer);
    peer.arrive(seg(ACK, 1).ack(5001));
    assert_eq!(peer.send(&text(150_000)).unwrap(), 5000);
}

#[test]
fn idleness_costs_the_grown_window() {
    // RFC 5681 §4.1.
    let mut peer = Script::established();
    peer.send(&text(60_000)).unwrap();
    let mut acked = 1;
    loop {
        let sent: usize = drain(&mut peer).iter().map(|&(_, len)| len).sum();
        if sent == 0 {
            break;
        }
        acked += sent as u32;
        peer.arrive(seg(ACK, 1).ack(acked));
    }
    assert!(peer.snapshot().cwnd > 10_000);
    peer.wait(ms(10_000));
    peer.send(&text(60_000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 10);
}

#[test]
fn a_smaller_path_in_the_middle_of_fast_recovery_does_not_freeze_the_window() {
    let mut peer = Script::established();
    peer.send(&text(40_000)).unwrap();
    drain(&mut peer);
    for _ in 0..3 {
        peer.arrive(seg(ACK, 1).ack(1));
    }
    drain(&mut peer);
    peer.path_mtu(540);
    let mut acked = 1;
    for _ in 0..40 {
        let sent: usize = drain(&mut peer).iter().map(|&(_, len)| len).sum();
        acked = (acked + sent as u32).min(40_001);
        peer.arrive(seg(ACK, 1).ack(acked));
    }
    assert_eq!(acked, 40_001);
    let (cwnd, ssthresh) = {
        let now = peer.snapshot();
        (now.cwnd, now.ssthresh)
    };
    assert!(cwnd > ssthresh, "it grew again: {cwnd} over {ssthresh}");
}

#[test]
fn the_floor_of_the_segment_size_never_exceeds_the_path() {
    let mut peer = Script::established_with(settings(), &[("tcp_min_snd_mss", "1460")]);
    peer.send(&text(3000)).unwrap();
    assert_eq!(drain(&mut peer), [(1, 1000), (1001, 1000), (2001, 1000)]);
}
