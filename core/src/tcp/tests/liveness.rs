//! Keepalive (RFC 9293 §3.8.4) and the user timeout (RFC 9293 §3.10.8, RFC 5482), and how long an
//! orphan waits for the peer's FIN.

use std::time::Duration;

use super::*;

const TWO_HOURS: Duration = Duration::from_secs(7200);

fn kept_alive() -> Settings {
    Settings { keepalive: true, ..settings() }
}

/// A keepalive probe: no text, the number before the oldest one not acknowledged.
fn probe() -> Out {
    out(ACK, 0, 1)
}

#[test]
fn keepalive_is_off_unless_the_application_asks() {
    // MUST-25
    let peer = Script::established();
    assert_eq!(peer.connection.next_deadline(), None);
}

#[test]
fn a_silent_peer_is_asked_after_two_hours_and_given_up_after_nine_questions() {
    // MUST-24, MUST-28: on by the application's wish, two hours unless it says otherwise.
    // MUST-29: eight unanswered probes prove nothing. SHLD-12: they carry no text. MAY-5.
    let mut peer = Script::established_with(kept_alive(), &[]);
    assert_eq!(peer.wait_for_timer(), TWO_HOURS);
    peer.expect(probe());
    for _ in 1..9 {
        assert_eq!(peer.wait_for_timer(), Duration::from_secs(75));
        peer.expect(probe());
        peer.expect_state(State::Established);
    }
    peer.wait_for_timer();
    peer.expect(out(RST_ACK, 1, 1));
    peer.expect_state(State::Closed);
    assert_eq!(peer.recv(1), Err(Error::TimedOut));
}

#[test]
fn an_answered_probe_starts_the_silence_anew() {
    let mut peer = Script::established_with(kept_alive(), &[]);
    peer.wait_for_timer();
    peer.expect(probe());
    peer.arrive(seg(ACK, 1).ack(1));
    peer.expect_nothing();
    // The timer looks after one interval, sees that the peer was heard, and sleeps on.
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(75));
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), TWO_HOURS - Duration::from_secs(75));
    peer.expect(probe());
}

#[test]
fn what_arrives_puts_the_probe_off() {
    // MUST-26: only when nothing came within the interval.
    let mut peer = Script::established_with(kept_alive(), &[("tcp_keepalive_time", "10")]);
    peer.wait(Duration::from_secs(6));
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"here"));
    peer.poll();
    peer.wait(Duration::from_secs(4));
    peer.expect(out(ACK, 1, 5));
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(6));
    peer.expect(out(ACK, 0, 5));
}

#[test]
fn outstanding_data_is_asked_after_by_its_own_timer() {
    // MUST-26: no keepalive while sent data is outstanding.
    let mut peer = Script::established_with(kept_alive(), &[("tcp_keepalive_time", "10")]);
    peer.wait(Duration::from_secs(9));
    peer.send(b"data").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
    peer.wait(Duration::from_secs(1));
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
    peer.expect_nothing();
}

#[test]
fn the_application_chooses_idle_time_interval_and_count() {
    // MUST-27
    let settings = Settings {
        keepalive_idle: Some(Duration::from_secs(5)),
        keepalive_interval: Some(Duration::from_secs(1)),
        keepalive_count: Some(2),
        ..kept_alive()
    };
    let mut peer = Script::established_with(settings, &[]);
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(5));
    peer.expect(probe());
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(1));
    peer.expect(probe());
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(1));
    peer.expect(out(RST_ACK, 1, 1));
    peer.expect_state(State::Closed);
}

#[test]
fn turning_keepalive_off_stops_the_questions() {
    // RFC 9293 §3.8.4 (MUST-24).
    let mut peer = Script::established_with(kept_alive(), &[]);
    peer.set_settings(settings());
    assert_eq!(peer.connection.next_deadline(), None);
    // On again: the silence so far counts.
    peer.wait(Duration::from_secs(3600));
    peer.set_settings(kept_alive());
    assert_eq!(peer.wait_for_timer(), TWO_HOURS - Duration::from_secs(3600));
    peer.expect(probe());
}

#[test]
fn a_keepalive_of_the_peer_is_answered() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 0).ack(1));
    peer.expect(out(ACK, 1, 1));
    peer.expect_nothing();
}

fn impatient() -> Settings {
    Settings { user_timeout: Some(Duration::from_secs(3)), ..settings() }
}

#[test]
fn data_not_acknowledged_for_the_user_timeout_ends_the_connection() {
    // RFC 9293 §3.8.3 (MUST-21).
    // RFC 9293 §3.10.8; RFC 5482 §3: what was sent may go unacknowledged for so long.
    let mut peer = Script::established_with(impatient(), &[]);
    peer.send(b"data").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"data"));
    peer.expect_nothing();
    let begun = peer.now;
    while peer.connection.state() == State::Established {
        peer.wait_for_timer();
        while peer.poll().is_some() {}
    }
    assert_eq!(peer.now.saturating_since(begun), Duration::from_secs(3));
    assert_eq!(peer.send(b"more"), Err(Error::TimedOut));
}

#[test]
fn progress_starts_the_user_timeout_anew() {
    let mut peer = Script::established_with(impatient(), &[]);
    peer.send(&[7; 2000]).unwrap();
    while peer.poll().is_some() {}
    for acknowledged in [1001, 2001] {
        peer.wait(Duration::from_secs(2));
        peer.arrive(seg(ACK, 1).ack(acknowledged));
        while peer.poll().is_some() {}
    }
    peer.wait(Duration::from_secs(60));
    peer.expect_state(State::Established);
}

#[test]
fn a_window_closed_for_the_user_timeout_ends_the_connection_though_the_peer_answers() {
    // As Linux: what the application wrote goes nowhere.
    let mut peer = Script::established_with(impatient(), &[]);
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"stuck").unwrap();
    peer.expect_nothing();
    let begun = peer.now;
    while peer.connection.state() == State::Established {
        peer.wait_for_timer();
        if peer.poll().is_some() {
            peer.arrive(seg(ACK, 1).ack(1).window(0));
        }
        while peer.poll().is_some() {}
    }
    assert_eq!(peer.now.saturating_since(begun), Duration::from_secs(3));
}

#[test]
fn a_dead_peer_of_an_idle_connection_is_given_up_after_the_user_timeout() {
    // RFC 5482 §4.2.
    // As Linux: with both, the user timeout counts instead of the number of probes.
    let settings = Settings {
        keepalive_idle: Some(Duration::from_secs(1)),
        keepalive_interval: Some(Duration::from_secs(1)),
        keepalive: true,
        ..impatient()
    };
    let mut peer = Script::established_with(settings, &[]);
    let begun = peer.now;
    while peer.connection.state() == State::Established {
        peer.wait_for_timer();
        while peer.poll().is_some() {}
    }
    assert_eq!(peer.now.saturating_since(begun), Duration::from_secs(3));
}

#[test]
fn linger2_bounds_an_orphans_wait_for_the_fin() {
    let settings = Settings { linger2: Some(Duration::from_secs(5)), ..settings() };
    let mut peer = Script::established_with(settings, &[]);
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    peer.expect_state(State::FinWait2);
    assert_eq!(peer.wait_for_timer(), Duration::from_secs(5));
    peer.expect_state(State::Closed);
}

#[test]
fn an_orphan_with_linger2_of_zero_does_not_wait_for_the_fin() {
    let settings = Settings { linger2: Some(Duration::ZERO), ..settings() };
    let mut peer = Script::established_with(settings, &[]);
    peer.close();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(ACK, 1).ack(2));
    peer.expect(out(RST_ACK, 2, 1));
    peer.expect_state(State::Closed);
}
