use super::WindowUse;
use crate::tcp::seq::Seq;

const SMSS: u32 = 1000;
const START: Seq = Seq::from_initial(0);

/// Segments that leave one by one, of which `sent` leave and none is acknowledged.
fn burst(usage: &mut WindowUse, una: Seq, sent: u64, cwnd: u64) {
    for segment in 1..=sent {
        usage.on_transmit(una, una + 1000 * segment, 1000 * segment, cwnd, SMSS);
    }
}

#[test]
fn a_full_window_is_remembered_for_its_round_trip() {
    let mut usage = WindowUse::default();
    burst(&mut usage, START, 10, 10_000);
    assert!(usage.is_cwnd_limited(10_000, 10_000));
    // Several ACKs are read before anything leaves: each counts.
    assert!(usage.is_cwnd_limited(10_500, 10_000));
    // Then the application has little: the next round trip tells.
    usage.on_transmit(START + 9000, START + 11_000, 2000, 10_500, SMSS);
    assert!(usage.is_cwnd_limited(10_500, 10_000));
    usage.on_transmit(START + 10_000, START + 12_000, 2000, 10_500, SMSS);
    assert!(!usage.is_cwnd_limited(10_500, 10_000));
}

#[test]
fn a_segment_less_than_the_window_is_a_full_window() {
    let mut usage = WindowUse::default();
    burst(&mut usage, START, 9, 9999);
    assert!(usage.is_cwnd_limited(9999, 1000));
}

#[test]
fn in_slow_start_half_of_the_window_is_enough() {
    // in flight, cwnd, whether it counts below ssthresh; above it none of these does
    for (sent, cwnd, counts) in [(6, 10_000, true), (5, 10_000, false), (5, 9999, true)] {
        let mut usage = WindowUse::default();
        burst(&mut usage, START, sent, cwnd);
        assert_eq!(usage.is_cwnd_limited(cwnd, u64::MAX), counts, "{sent} of {cwnd}");
        assert!(!usage.is_cwnd_limited(cwnd, cwnd));
    }
}
