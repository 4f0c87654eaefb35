//! Requirements of RFC 9293 that the scripts about other things do not show.

use super::*;

fn text(len: usize) -> Vec<u8> {
    vec![b'x'; len]
}

/// Everything that leaves now: number and length of its text.
fn drain(peer: &mut Script) -> Vec<(u32, usize)> {
    std::iter::from_fn(|| peer.poll_relative()).map(|out| (out.seq, out.text.len())).collect()
}

#[test]
fn a_window_field_above_32767_is_a_large_window_and_no_negative_one() {
    // RFC 9293 §3.1 (MUST-1).
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(0xffff));
    assert_eq!(peer.snapshot().snd_wnd, 65_535);
    peer.send(&text(5000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 5);
}

#[test]
fn an_mss_option_goes_out_on_no_segment_but_a_syn() {
    // RFC 9293 §3.2 (MUST-65).
    let mut peer = Script::established();
    let steps: [fn(&mut Script); 4] = [
        |peer| assert_eq!(peer.send(b"text"), Ok(4)),
        |peer| peer.arrive(seg(ACK, 9).ack(1).text(b"ahead of a gap")),
        |peer| peer.shutdown(Shutdown::Write).unwrap(),
        Script::abort,
    ];
    for (step, flags) in steps.into_iter().zip([PSH_ACK, ACK, FIN_ACK, RST_ACK]) {
        step(&mut peer);
        let header = peer.poll().unwrap().header;
        assert_eq!((header.flags, header.options.mss), (flags, None));
    }
}

#[test]
fn a_reset_may_carry_text() {
    // RFC 9293 §3.5.3 (SHLD-2).
    let mut peer = Script::established();
    peer.arrive(seg(RST, 1).text(b"no such service"));
    peer.expect_state(State::Closed);
    assert_eq!(peer.recv(100), Err(Error::Reset), "its text is no data");
}

#[test]
fn a_path_known_to_be_narrow_shows_in_the_mss_option() {
    // RFC 9293 §3.7.3 (SHLD-6).
    let mut peer = Script::connecting(&[]);
    peer.path_mtu(640);
    assert_eq!(peer.poll().unwrap().header.options.mss, Some(600));
}

#[test]
fn a_window_that_shrinks_holds_new_data_back_and_what_lies_inside_is_sent_again() {
    // RFC 9293 §3.8.6 (MUST-34, SHLD-15, SHLD-16).
    let mut peer = Script::established();
    peer.send(&text(5000)).unwrap();
    assert_eq!(drain(&mut peer).len(), 5);
    // The right edge goes back from 60,001 to 2,001, far left of SND.NXT.
    peer.arrive(seg(ACK, 1).ack(1).window(2000));
    peer.send(&text(1000)).unwrap();
    peer.expect_nothing();
    peer.wait(ms(10_000));
    assert_eq!(drain(&mut peer)[0], (1, 1000));
    peer.arrive(seg(ACK, 1).ack(1001).window(1000));
    assert_eq!(drain(&mut peer), [(1001, 1000)]);
    peer.arrive(seg(ACK, 1).ack(2001).window(60_000));
    let rest: usize = drain(&mut peer).iter().map(|&(_, len)| len).sum();
    assert!(rest >= 1000, "the window is open again");
}

#[test]
fn a_window_shrunken_to_nothing_is_probed_and_not_given_up() {
    // RFC 9293 §3.8.6 (MUST-35, SHLD-17).
    let mut peer = Script::established_with(settings(), &[("tcp_retries2", "3")]);
    peer.send(&text(5000)).unwrap();
    drain(&mut peer);
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    drain(&mut peer);
    for _ in 0..20 {
        peer.wait_for_timer();
        for (seq, len) in drain(&mut peer) {
            // The timeout sends one segment again, which is the probe.
            assert!(seq == 1 && len <= 1000, "a probe, not {len} bytes from {seq}");
        }
        peer.arrive(seg(ACK, 1).ack(1).window(0));
        drain(&mut peer);
    }
    peer.expect_state(State::Established);
    peer.arrive(seg(ACK, 1).ack(1).window(60_000));
    assert_eq!(drain(&mut peer)[0].0, 1);
}

#[test]
fn several_small_writes_leave_as_full_segments() {
    // RFC 9293 §3.9.1.2 (SHLD-27, SHLD-28, MUST-61).
    let mut peer = Script::established_with(Settings { no_delay: true, ..settings() }, &[]);
    for _ in 0..5 {
        peer.send(&text(500)).unwrap();
    }
    peer.expect(out(ACK, 1, 1).text(&text(1000)));
    peer.expect(out(ACK, 1001, 1).text(&text(1000)));
    peer.expect(out(PSH_ACK, 2001, 1).text(&text(500)));
}

#[test]
fn a_soft_error_ends_nothing_and_is_told_when_the_connection_times_out() {
    // RFC 9293 §3.9.2.2 (MUST-56, SHLD-25); §3.9.1.8 (MUST-47, SHLD-20).
    let mut peer = Script::established_with(settings(), &[("tcp_retries2", "3")]);
    peer.send(b"hello").unwrap();
    drain(&mut peer);
    peer.icmp(Error::HostUnreachable, false, 1);
    peer.expect_state(State::Established);
    assert_eq!(peer.connection.error(), None, "who does not ask is not disturbed");
    while peer.connection.state() == State::Established {
        peer.wait_for_timer();
        drain(&mut peer);
    }
    assert_eq!(peer.connection.take_error(), Some(Error::HostUnreachable));
}

#[test]
fn segments_that_come_together_are_acknowledged_together() {
    // RFC 9293 §3.10.7.4 (MUST-58, MUST-59).
    let mut peer = Script::established();
    for i in 0..6 {
        peer.arrive(seg(ACK, 1 + 1000 * i).ack(1).text(&text(1000)));
    }
    peer.expect(out(ACK, 1, 6001));
    peer.expect_nothing();
}
