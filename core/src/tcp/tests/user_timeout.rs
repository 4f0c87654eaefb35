//! The user timeout option (RFC 5482): what is said, when, and what a peer's word changes.

use super::*;
use crate::wire::tcp_options::UserTimeout;

const ON: (&str, &str) = ("tcp_user_timeout_option", "1");

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn with_timeout(timeout: u64) -> Settings {
    Settings { user_timeout: Some(seconds(timeout)), ..settings() }
}

/// The option of the next segment.
#[track_caller]
fn said(peer: &mut Script) -> Option<Duration> {
    peer.poll().expect("a segment leaves").header.options.user_timeout?.duration()
}

fn advising(timeout: u64) -> Options {
    let user_timeout = Some(UserTimeout::of(seconds(timeout)));
    Options { user_timeout, ..Options::default() }
}

/// ESTABLISHED, and the peer has said how long it will wait.
fn advised(own: Settings, advice: u64, knobs: &[(&str, &str)]) -> Script {
    let mut peer = Script::established_with(own, knobs);
    peer.arrive(seg(ACK, 1).ack(1).options(advising(advice)));
    peer
}

/// How long data goes unanswered before the connection ends.
fn patience(peer: &mut Script) -> Duration {
    peer.send(b"data").unwrap();
    let begun = peer.now;
    loop {
        while peer.poll().is_some() {}
        if peer.connection.state() == State::Closed {
            return peer.now.saturating_since(begun);
        }
        peer.wait_for_timer();
    }
}

#[test]
fn the_syn_the_first_segment_after_it_and_every_change_tell_the_peer() {
    // RFC 5482 §3.
    let mut peer = Script::connecting(&[ON]);
    peer.set_settings(with_timeout(200));
    assert_eq!(said(&mut peer), Some(seconds(200)));
    peer.wait(seconds(1));
    assert_eq!(said(&mut peer), Some(seconds(200)), "a repeated SYN says it again");
    peer.arrive(seg(SYN_ACK, 0).ack(1));
    assert_eq!(said(&mut peer), Some(seconds(200)));
    peer.send(b"data").unwrap();
    assert_eq!(said(&mut peer), None, "once is enough");
    peer.set_settings(with_timeout(300));
    peer.send(b"more").unwrap();
    peer.arrive(seg(ACK, 1).ack(5));
    assert_eq!(said(&mut peer), Some(seconds(300)));
}

#[test]
fn a_passive_open_tells_the_peer_too() {
    let mut peer = Script::accepting(Options { mss: Some(1000), ..Options::default() }, &[ON]);
    peer.set_settings(with_timeout(90));
    assert_eq!(said(&mut peer), Some(seconds(90)));
    peer.arrive(seg(ACK, 1).ack(1));
    peer.send(b"data").unwrap();
    assert_eq!(said(&mut peer), Some(seconds(90)));
}

#[test]
fn nothing_is_said_or_heeded_unless_the_knob_is_on() {
    let mut peer = Script::established_with(with_timeout(90), &[]);
    peer.send(b"data").unwrap();
    assert_eq!(said(&mut peer), None);
    let usual = patience(&mut Script::established());
    assert_eq!(patience(&mut advised(settings(), 3000, &[])), usual);
}

#[test]
fn without_a_timeout_of_its_own_an_end_has_nothing_to_say() {
    let mut peer = Script::established_with(settings(), &[ON]);
    peer.send(b"data").unwrap();
    assert_eq!(said(&mut peer), None);
}

#[test]
fn the_option_takes_its_room_from_the_text() {
    // RFC 9293 §3.7.1 (MUST-16).
    let mut peer = Script::established_with(with_timeout(90), &[ON]);
    peer.send(&[7; 2000]).unwrap();
    let lengths: Vec<usize> =
        std::iter::from_fn(|| peer.poll()).map(|segment| segment.payload.len()).collect();
    assert_eq!(lengths, [996, 1000, 4]);
}

#[test]
fn a_lost_option_is_not_missed() {
    // RFC 5482 §3.2: what bore it is sent again without.
    let mut peer = Script::established_with(with_timeout(90), &[ON]);
    peer.send(b"data").unwrap();
    assert_eq!(said(&mut peer), Some(seconds(90)));
    peer.expect_nothing();
    peer.wait_for_timer();
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
    peer.arrive(seg(ACK, 1).ack(5));
    peer.expect_nothing();
    peer.expect_state(State::Established);
}

#[test]
fn a_peer_makes_a_connection_wait_longer_within_limits() {
    // RFC 5482 §3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)).
    assert_eq!(patience(&mut advised(settings(), 2000, &[ON])), seconds(2000));
    assert_eq!(patience(&mut advised(settings(), 20_000, &[ON])), seconds(3600));
    let wide = [ON, ("tcp_user_timeout_max", "86400")];
    assert_eq!(patience(&mut advised(settings(), 20_000, &wide)), seconds(20_000));
}

#[test]
fn a_peer_makes_no_connection_end_sooner() {
    // The time of R2, and the lower limit.
    let usual = Duration::from_millis(924_600);
    assert_eq!(patience(&mut advised(settings(), 1, &[ON])), usual);
    let hasty = [ON, ("tcp_retries2", "3")];
    assert_eq!(patience(&mut advised(settings(), 1, &hasty)), seconds(100));
}

#[test]
fn the_lower_limit_exceeds_the_retransmission_timeout() {
    // RFC 5482 §3.1: whatever the knobs say.
    let tight = [
        ON,
        ("tcp_user_timeout_min", "1"),
        ("tcp_user_timeout_max", "1"),
        ("tcp_initial_rto_ms", "20000"),
        ("tcp_retries2", "1"),
    ];
    let mut peer = advised(settings(), 1, &tight);
    peer.send(b"data").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
    peer.expect_nothing();
    peer.wait_for_timer();
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
}

#[test]
fn what_the_application_asked_for_no_peer_changes() {
    // RFC 5482 §3.1: CHANGEABLE is false then.
    assert_eq!(patience(&mut advised(with_timeout(5), 2000, &[ON])), seconds(5));
}

#[test]
fn a_timeout_longer_than_r2_is_kept() {
    // RFC 9293 §3.8.3 (MUST-21): as on Linux it takes the place of tcp_retries2.
    let mut peer = Script::established_with(with_timeout(2000), &[]);
    assert_eq!(patience(&mut peer), seconds(2000));
}

#[test]
fn advice_of_zero_is_ignored_and_the_last_word_counts() {
    // RFC 5482 §3.4.
    let mut peer = advised(settings(), 2000, &[ON]);
    for field in [0, 0x8000] {
        let user_timeout = Some(UserTimeout(field));
        peer.arrive(seg(ACK, 1).ack(1).options(Options { user_timeout, ..Options::default() }));
    }
    peer.arrive(seg(ACK, 1).ack(1).options(advising(1500)));
    assert_eq!(patience(&mut peer), seconds(1500));
}

#[test]
fn advice_out_of_window_is_not_heard() {
    let mut peer = advised(settings(), 2000, &[ON]);
    peer.arrive(seg(ACK, 100_000).ack(1).options(advising(3000)));
    peer.arrive(seg(ACK, 1).ack(900).options(advising(3000)));
    while peer.poll().is_some() {}
    assert_eq!(patience(&mut peer), seconds(2000));
}

#[test]
fn keepalive_does_not_cut_an_adopted_timeout_short() {
    // RFC 5482 §4.2.
    let settings = Settings {
        keepalive: true,
        keepalive_idle: Some(seconds(1)),
        keepalive_interval: Some(seconds(1)),
        keepalive_count: Some(2),
        ..settings()
    };
    let mut peer = advised(settings, 1500, &[ON]);
    let begun = peer.now;
    while peer.connection.state() == State::Established {
        peer.wait_for_timer();
        while peer.poll().is_some() {}
    }
    assert_eq!(peer.now.saturating_since(begun), seconds(1500));
}
