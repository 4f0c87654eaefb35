//! Every way to close, and what comes after.

use super::*;

#[test]
fn closing_first_goes_through_both_fin_waits_to_time_wait() {
    // RFC 9293 §3.6.1 (MUST-13).
    let mut peer = Script::established();
    peer.close();
    peer.expect_state(State::FinWait1);
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    peer.expect_state(State::FinWait2);
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    peer.expect_state(State::TimeWait);
    peer.expect(out(ACK, 2, 2));
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(60), "2 MSL");
    peer.expect_state(State::Closed);
    assert!(peer.connection.is_finished());
}

#[test]
fn closing_second_goes_through_close_wait_and_last_ack() {
    // RFC 9293 §3.6 (MUST-12).
    let mut peer = Script::established();
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect_state(State::CloseWait);
    peer.expect(out(ACK, 1, 2));
    assert_eq!(peer.recv(10).unwrap(), b"");
    peer.close();
    peer.expect_state(State::LastAck);
    peer.expect(out(FIN_ACK, 1, 2));
    peer.arrive(seg(ACK, 2).ack(2));
    peer.expect_state(State::Closed);
    peer.expect_nothing();
}

#[test]
fn closing_at_once_goes_through_closing() {
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect_state(State::Closing);
    peer.expect(out(ACK, 2, 2));
    peer.arrive(seg(ACK, 2).ack(2));
    peer.expect_state(State::TimeWait);
}

#[test]
fn a_fin_that_acknowledges_ours_leads_straight_to_time_wait() {
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    peer.expect_state(State::TimeWait);
    peer.expect(out(ACK, 2, 2));
}

#[test]
fn time_wait_answers_a_repeated_fin_and_starts_anew() {
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    peer.expect(out(ACK, 2, 2));
    peer.wait(ms(59_000));
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    peer.expect(out(ACK, 2, 2));
    peer.wait(ms(59_999));
    peer.expect_state(State::TimeWait);
    peer.wait(ms(1));
    peer.expect_state(State::Closed);
}

#[test]
fn the_fin_rides_on_the_last_text() {
    let mut peer = Script::established();
    peer.send(b"bye").unwrap();
    peer.close();
    peer.expect(out(FIN_ACK.union(Flags::PSH), 1, 1).text(b"bye"));
    peer.expect_nothing();
}

#[test]
fn half_closed_still_receives() {
    let mut peer = Script::established();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    peer.expect_state(State::FinWait2);
    assert_eq!(peer.send(b"no"), Err(Error::BrokenPipe));
    peer.arrive(seg(PSH_ACK, 1).ack(2).text(b"more"));
    assert_eq!(peer.recv(10).unwrap(), b"more");
    peer.arrive(seg(FIN_ACK, 5).ack(2));
    peer.expect_state(State::TimeWait);
    assert_eq!(peer.recv(10).unwrap(), b"");
}

#[test]
fn a_fin_ahead_of_missing_text_waits_for_it() {
    let mut peer = Script::established();
    peer.arrive(seg(FIN_ACK, 4).ack(1).text(b"def"));
    peer.expect(out(ACK, 1, 1));
    peer.expect_state(State::Established);
    peer.arrive(seg(ACK, 1).ack(1).text(b"abc"));
    peer.expect_state(State::CloseWait);
    peer.expect(out(ACK, 1, 8));
    assert_eq!(peer.recv(10).unwrap(), b"abcdef");
    assert_eq!(peer.recv(10).unwrap(), b"");
}

#[test]
fn closing_with_unread_data_resets() {
    // RFC 9293 §3.6.1 (SHLD-3).
    // RFC 2525 §2.17.
    let mut peer = Script::established();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"unread"));
    peer.close();
    peer.expect(out(RST_ACK, 1, 7));
    peer.expect_state(State::Closed);
    assert!(peer.connection.is_finished());
}

#[test]
fn a_linger_of_zero_resets() {
    let mut peer = Script::established();
    peer.close_with_reset();
    peer.expect(out(RST_ACK, 1, 1));
    peer.expect_state(State::Closed);
}

#[test]
fn data_for_a_closed_application_is_reset_not_swallowed() {
    // RFC 9293 §3.6.1 (SHLD-3, MAY-1).
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    peer.arrive(seg(PSH_ACK, 1).ack(2).text(b"late"));
    peer.expect(out(RST, 2, 0));
    peer.expect_state(State::Closed);
}

#[test]
fn an_orphan_waits_for_the_peers_fin_only_so_long() {
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(60));
    peer.expect_state(State::Closed);
}

#[test]
fn an_unanswered_fin_is_repeated_and_given_up() {
    let mut peer = Script::established_with(settings(), &[("tcp_orphan_retries", "2")]);
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    for _ in 0..2 {
        peer.wait_for_timer();
        peer.expect(out(FIN_ACK, 1, 1));
    }
    peer.wait_for_timer();
    peer.expect_state(State::Closed);
}

#[test]
fn time_wait_yields_only_to_a_syn_beyond_its_numbers() {
    // RFC 9293 §3.6.1 (MAY-2).
    let mut peer = Script::established();
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    let syn = |seq: u32| Header { seq: IRS.wrapping_add(seq), flags: SYN, ..Header::default() };
    assert!(!peer.connection.accepts_new_syn(&syn(1), true));
    assert!(!peer.connection.accepts_new_syn(&syn(2), true));
    assert!(peer.connection.accepts_new_syn(&syn(3), true));
}

#[test]
fn time_wait_yields_to_a_syn_by_its_timestamp() {
    // RFC 7323 §5.8.
    // RFC 9293 §3.6.1 (SHLD-4); RFC 6191 §2.
    let with = |value| Options { timestamps: Some((value, 0)), ..Options::default() };
    let in_time_wait = |options: Options| {
        let mut peer = Script::accepting(options, &[("tcp_timestamps", "1")]);
        let syn_ack = peer.poll().unwrap().header.options.timestamps;
        let options = options.timestamps.map_or_else(Options::default, |(value, _)| Options {
            timestamps: syn_ack.map(|(ours, _)| (value, ours)),
            ..Options::default()
        });
        peer.arrive(In { options, ..seg(ACK, 1).ack(1) });
        peer.close();
        while peer.poll().is_some() {}
        peer.arrive(In { options, ..seg(FIN_ACK, 1).ack(2) });
        peer.expect_state(State::TimeWait);
        peer
    };
    let accepts = |peer: &Script, seq: u32, options, takes| {
        let seq = IRS.wrapping_add(seq);
        peer.connection
            .accepts_new_syn(&Header { seq, options, flags: SYN, ..Header::default() }, takes)
    };
    let (old, new) = (1, 3);
    let used = in_time_wait(with(500));
    assert!(accepts(&used, old, with(501), true), "a newer timestamp, whatever the number");
    assert!(!accepts(&used, new, with(499), true), "an older one never");
    assert!(accepts(&used, new, with(500), true) && !accepts(&used, old, with(500), true));
    for options in [Options::default(), with(501)] {
        assert!(accepts(&used, new, options, false) && !accepts(&used, old, options, false));
    }
    let unused = in_time_wait(Options::default());
    assert!(accepts(&unused, old, with(1), true), "nothing old bears a timestamp");
    assert!(!accepts(&unused, old, Options::default(), true));
}

#[test]
fn closing_with_unread_data_resets_even_behind_a_queued_fin() {
    // The FIN of LAST-ACK may still stand behind data that dies with the close.
    let mut peer = Script::established();
    peer.arrive(seg(FIN_ACK.union(Flags::PSH), 1).ack(1).text(b"unread").window(0));
    peer.expect(out(ACK, 1, 8));
    peer.send(b"never sent").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect_state(State::LastAck);
    peer.expect_nothing();
    peer.close();
    peer.expect(out(RST_ACK, 1, 8));
    peer.expect_state(State::Closed);
}

#[test]
fn time_wait_outlasts_a_close_with_unread_data() {
    let mut peer = Script::established();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK.union(Flags::PSH), 1).ack(2).text(b"unread"));
    peer.expect(out(ACK, 2, 8));
    peer.close();
    peer.expect_state(State::TimeWait);
    peer.expect_nothing();
}

#[test]
fn an_orphan_does_not_probe_a_closed_window_for_ever() {
    let knobs = [("tcp_orphan_retries", "2"), ("tcp_max_rto_ms", "1000")];
    let mut peer = Script::established_with(settings(), &knobs);
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"unwanted").unwrap();
    peer.close();
    for _ in 0..3 {
        peer.expect_nothing();
        peer.wait_for_timer();
        peer.expect(out(ACK, 1, 1).text(b"u"));
        peer.arrive(seg(ACK, 1).ack(1).window(0));
    }
    peer.expect_nothing();
    peer.wait_for_timer();
    peer.expect_state(State::Closed);
}
