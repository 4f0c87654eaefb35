use std::time::Duration;

use super::{ReceiveTuning, send_buffer_for};
use crate::tcp::Seq;
use crate::time::Instant;

fn at(offset: u64) -> Seq {
    Seq::from_initial(7) + offset
}

fn ms(ms: u64) -> Instant {
    Instant::from_micros(1000 * ms)
}

/// Tuning whose first text has come at 0 ms, with a round trip of 10 ms.
fn started() -> ReceiveTuning {
    let mut tuning = ReceiveTuning::default();
    tuning.start(ms(0), at(0), 10_000);
    tuning.on_rtt(Duration::from_millis(10));
    tuning
}

#[test]
fn nothing_is_said_before_a_round_trip_is_over() {
    let mut tuning = started();
    assert_eq!(tuning.on_read(ms(9), at(50_000), 1000), None);
    assert!(tuning.on_read(ms(10), at(50_000), 1000).is_some());
}

#[test]
fn nothing_is_said_before_a_round_trip_is_known() {
    let mut tuning = ReceiveTuning::default();
    tuning.start(ms(0), at(0), 10_000);
    assert_eq!(tuning.on_read(ms(1000), at(50_000), 1000), None);
}

#[test]
fn a_steady_rate_asks_for_nothing_and_a_growing_one_for_more() {
    let mut tuning = started();
    assert_eq!(tuning.on_read(ms(10), at(10_000), 1000), None, "no more than a sender starts with");
    // Twice as much: 2 x 20,000 + 16 segments, and as much again twice for the growth of 100 %.
    assert_eq!(tuning.on_read(ms(20), at(30_000), 1000), Some(3 * 56_000));
    assert_eq!(tuning.on_read(ms(30), at(50_000), 1000), None);
    // A quarter more.
    assert_eq!(tuning.on_read(ms(40), at(75_000), 1000), Some(66_000 + 33_000));
}

#[test]
fn a_full_window_measures_the_round_trip_and_the_shortest_counts() {
    let mut tuning = ReceiveTuning::default();
    tuning.start(ms(0), at(0), 10_000);
    tuning.on_text(ms(0), at(1000), 20_000);
    tuning.on_text(ms(10), at(11_000), 20_000);
    assert_eq!(tuning.rtt_us, 0);
    tuning.on_text(ms(30), at(21_000), 20_000);
    assert_eq!(tuning.rtt_us, 30_000);
    tuning.on_text(ms(50), at(41_000), 20_000);
    assert_eq!(tuning.rtt_us, 20_000);
    tuning.on_text(ms(500), at(61_000), 20_000);
    assert_eq!(tuning.rtt_us, 20_000, "a pause of the sender's is no round trip");
}

#[test]
fn absurd_numbers_do_not_overflow() {
    let mut tuning = ReceiveTuning::default();
    tuning.start(ms(0), at(0), 1);
    tuning.on_rtt(Duration::from_secs(1 << 40));
    tuning.on_rtt(Duration::from_nanos(1));
    let read = tuning.on_read(ms(10_000_000_000), at(u64::from(u32::MAX)), 65_535);
    assert!(read.is_some_and(|window| window > 1 << 40));
}

#[test]
fn a_send_buffer_holds_two_windows_and_never_less_than_ten_segments_do() {
    assert_eq!(send_buffer_for(14_600, 1460), 87_040, "as a fresh socket on Ethernet has on Linux");
    assert_eq!(send_buffer_for(1, 1460), 87_040);
    assert_eq!(send_buffer_for(1_460_000, 1460), 8_704_000);
    assert_eq!(send_buffer_for(0, 65_483), 2_626_560, "and one on the loopback");
}
