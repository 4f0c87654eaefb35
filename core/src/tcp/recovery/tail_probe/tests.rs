use std::time::Duration;

use super::{ProbeAck, TailProbe};
use crate::tcp::seq::Seq;
use crate::time::Instant;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn seq(number: u64) -> Seq {
    Seq::default() + number
}

fn ack(number: u64) -> ProbeAck {
    ProbeAck { ack: seq(number), ..ProbeAck::default() }
}

/// A probe that repeated the segment before 5000 is under way.
fn repeated() -> TailProbe {
    let mut probe = TailProbe::default();
    probe.on_rtt();
    probe.on_timer();
    assert!(probe.take_due());
    probe.on_sent(seq(5000), true);
    probe
}

#[test]
fn it_waits_two_round_trips_and_for_a_lone_segment_the_delayed_ack_too() {
    // RFC 8985 §7.2.
    assert_eq!(TailProbe::timeout(Some(ms(50)), false), ms(102));
    assert_eq!(TailProbe::timeout(Some(ms(50)), true), ms(300));
    assert_eq!(TailProbe::timeout(None, false), ms(1000));
    let now = Instant::from_micros(0);
    let rto_at = now + ms(250);
    assert_eq!(TailProbe::deadline(now, Some(ms(50)), true, Some(rto_at)), rto_at);
}

#[test]
fn one_at_a_time_and_none_without_a_round_trip_since_the_last() {
    // RFC 8985 §7.3, both conditions.
    let mut probe = repeated();
    assert!(!probe.is_possible());
    assert!(!probe.on_ack(ProbeAck { is_bare_duplicate: true, ..ack(5000) }));
    assert!(!probe.is_possible(), "no round trip was measured since");
    probe.on_rtt();
    assert!(probe.is_possible());
}

#[test]
fn an_ack_beyond_the_repeated_segment_without_a_dsack_shows_that_it_had_been_lost() {
    // RFC 8985 §7.4.2.
    let mut probe = repeated();
    assert!(!probe.on_ack(ack(4000)));
    assert!(!probe.on_ack(ack(5000)), "a DSACK may still come");
    assert!(probe.on_ack(ack(6000)));
    assert!(!probe.on_ack(ack(7000)), "once");
}

#[test]
fn a_dsack_or_a_duplicate_shows_that_both_arrived() {
    let mut probe = repeated();
    assert!(!probe.on_ack(ProbeAck { is_dsack_of_probe: true, ..ack(5000) }));
    assert!(!probe.on_ack(ack(6000)));
    let mut probe = repeated();
    assert!(!probe.on_ack(ProbeAck { is_bare_duplicate: true, ..ack(5000) }));
    assert!(!probe.on_ack(ack(6000)));
}

#[test]
fn new_data_as_a_probe_costs_nothing() {
    let mut probe = TailProbe::default();
    probe.on_rtt();
    probe.on_sent(seq(5000), false);
    assert!(!probe.on_ack(ack(5000)));
    assert!(!probe.on_ack(ack(6000)));
}
