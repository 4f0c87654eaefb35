//! Opens: active, passive, simultaneous, refused, repeated.

use super::*;

#[test]
fn an_active_open_is_three_segments() {
    let mut peer = Script::connecting(&[]);
    peer.expect(out(SYN, 0, 0));
    peer.expect_nothing();
    peer.arrive(seg(SYN_ACK, 0).ack(1));
    peer.expect_state(State::Established);
    peer.expect(out(ACK, 1, 1));
    peer.expect_nothing();
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn a_passive_open_answers_and_waits_for_the_third_segment() {
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect_state(State::SynReceived);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.expect_nothing();
    peer.arrive(seg(ACK, 1).ack(1));
    peer.expect_state(State::Established);
    peer.expect_nothing();
}

#[test]
fn a_simultaneous_open_ends_in_established_on_both_sides() {
    // RFC 9293 §3.5 (MUST-10).
    // RFC 9293 §3.5, figure 7.
    let mut peer = Script::connecting(&[]);
    peer.expect(out(SYN, 0, 0));
    peer.arrive(seg(SYN, 0));
    peer.expect_state(State::SynReceived);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(SYN_ACK, 0).ack(1));
    peer.expect_state(State::Established);
    peer.expect(out(ACK, 1, 1));
    peer.expect_nothing();
}

#[test]
fn a_refused_syn_tells_the_application() {
    // RFC 9293 §3.6 (MUST-12).
    let mut peer = Script::connecting(&[]);
    peer.expect(out(SYN, 0, 0));
    peer.arrive(seg(RST_ACK, 0).ack(1));
    peer.expect_state(State::Closed);
    assert_eq!(peer.connection.take_error(), Some(Error::Refused));
    assert_eq!(peer.connection.take_error(), None);
    peer.expect_nothing();
}

#[test]
fn a_reset_that_acknowledges_nothing_of_ours_is_not_believed() {
    for reset in [seg(RST, 0), seg(RST_ACK, 0).ack(0), seg(RST_ACK, 0).ack(2)] {
        let mut peer = Script::connecting(&[]);
        peer.expect(out(SYN, 0, 0));
        peer.arrive(reset);
        peer.expect_state(State::SynSent);
        peer.expect_nothing();
    }
}

#[test]
fn an_ack_of_something_never_sent_is_reset() {
    let mut peer = Script::connecting(&[]);
    peer.expect(out(SYN, 0, 0));
    peer.arrive(seg(ACK, 90).ack(77));
    peer.expect(out(RST, 77, 0));
    peer.expect_state(State::SynSent);
    // The old duplicate has been dealt with; the real answer still counts.
    peer.arrive(seg(SYN_ACK, 0).ack(1));
    peer.expect_state(State::Established);
}

#[test]
fn a_bad_third_segment_is_reset_and_the_half_open_connection_stays() {
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(5));
    peer.expect(out(RST, 5, 0));
    peer.expect_state(State::SynReceived);
}

#[test]
fn a_lost_syn_is_sent_again_ever_more_rarely_and_then_given_up() {
    // RFC 9293 §3.8.3 (MUST-22).
    let mut peer = Script::connecting(&[("tcp_syn_retries", "3")]);
    peer.expect(out(SYN, 0, 0));
    for seconds in [1, 2, 4] {
        assert_eq!(peer.wait_for_timer(), Duration::from_secs(seconds));
        peer.expect(out(SYN, 0, 0));
        peer.expect_nothing();
    }
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(8));
    peer.expect_state(State::Closed);
    assert_eq!(peer.connection.take_error(), Some(Error::TimedOut));
}

#[test]
fn a_repeated_syn_is_answered_with_the_same_syn_and_ack() {
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(SYN, 0));
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    peer.expect_state(State::Established);
}

#[test]
fn a_syn_repeated_for_ever_does_not_put_off_the_end_of_a_half_open_connection() {
    let mut peer = Script::accepting(Options::default(), &[("tcp_synack_retries", "3")]);
    let mut half_seconds = 0;
    while peer.connection.state() == State::SynReceived {
        while peer.poll().is_some() {}
        peer.wait(ms(500));
        peer.arrive(seg(SYN, 0).text(b"text too"));
        half_seconds += 1;
        assert!(half_seconds < 100, "it is still there");
    }
    // 1 + 2 + 4 + 8 s, as without the repetitions.
    assert_eq!(half_seconds, 30);
}

#[test]
fn a_half_open_passive_connection_is_forgotten_on_reset_without_an_error() {
    // RFC 9293 §3.5 (MUST-11).
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(RST, 1));
    peer.expect_state(State::Closed);
    assert_eq!(peer.connection.error(), None);
    assert!(peer.connection.is_finished());
}

#[test]
fn the_third_segment_may_carry_text_and_fin() {
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(1).text(b"hi"));
    peer.expect_state(State::CloseWait);
    assert_eq!(peer.recv(10).unwrap(), b"hi");
    peer.expect(out(ACK, 1, 4));
}

#[test]
fn options_go_out_on_both_syns() {
    // RFC 9293 §3.7.1 (MUST-14, SHLD-5, MAY-3).
    let mut peer = Script::connecting(&[("tcp_window_scaling", "1")]);
    let syn = peer.poll().unwrap().header;
    assert_eq!(syn.options.mss, Some(1000), "the MTU of 1040 less 40");
    assert!(syn.options.window_scale.is_some());
    assert_eq!(syn.window, 60_000, "never scaled on a SYN");
}

#[test]
fn scaling_needs_both_ends() {
    // RFC 7323 §2.2.
    let ours = [("tcp_window_scaling", "1"), ("tcp_rmem", "4096 60000 4000000")];
    let scaled = Options { window_scale: Some(3), ..Options::default() };
    let mut peer = Script::accepting(scaled, &ours);
    let answer = peer.poll().unwrap().header;
    assert_eq!(answer.options.window_scale, Some(6), "4,000,000 >> 6 fits the field");
    peer.arrive(seg(ACK, 1).ack(1).window(1000));
    assert_eq!(peer.snapshot().snd_wnd, 8000);

    let mut peer = Script::accepting(Options::default(), &ours);
    assert_eq!(peer.poll().unwrap().header.options.window_scale, None);
    peer.arrive(seg(ACK, 1).ack(1).window(1000));
    assert_eq!(peer.snapshot().snd_wnd, 1000);
}

#[test]
fn a_shift_above_fourteen_counts_as_fourteen() {
    // RFC 7323 §2.3.
    let options = Options { window_scale: Some(200), ..Options::default() };
    let mut peer = Script::accepting(options, &[("tcp_window_scaling", "1")]);
    let _ = peer.poll();
    peer.arrive(seg(ACK, 1).ack(1).window(1));
    assert_eq!(peer.snapshot().snd_wnd, 1 << 14);
}

#[test]
fn a_peer_that_names_no_mss_gets_536_bytes_at_most() {
    // RFC 9293 §3.7.1 (MUST-16).
    // RFC 9293 §3.7.1, MUST-15.
    let mut peer = Script::accepting(Options::default(), &[]);
    let _ = peer.poll();
    peer.arrive(seg(ACK, 1).ack(1));
    assert_eq!(peer.connection.smss(), 536);
}

#[test]
fn a_tiny_mss_is_not_believed() {
    let options = Options { mss: Some(1), ..Options::default() };
    let peer = Script::accepting(options, &[]);
    assert_eq!(peer.connection.smss(), 48);
}

#[test]
fn one_lost_syn_keeps_the_initial_window_and_two_cost_it() {
    // RFC 6928 §2.
    for (losses, window) in [(1, 10_000), (2, 1000)] {
        let mut peer = Script::connecting(&[]);
        for _ in 0..losses {
            peer.expect(out(SYN, 0, 0));
            peer.wait_for_timer();
        }
        peer.expect(out(SYN, 0, 0));
        let options = Options { mss: Some(1000), ..Options::default() };
        peer.arrive(In { options, ..seg(SYN_ACK, 0).ack(1) });
        assert_eq!(peer.snapshot().cwnd, window);
        assert_eq!(peer.snapshot().rto_ns, 3_000_000_000, "RFC 6298 §5.7");
    }
}
