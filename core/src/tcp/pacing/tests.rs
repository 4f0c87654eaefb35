use std::time::Duration;

use super::{Pacer, send_quantum};
use crate::time::Instant;

const RATE: u64 = 1_000_000;

fn us(us: u64) -> Instant {
    Instant::from_micros(us)
}

#[test]
fn segments_leave_as_far_apart_as_the_rate_asks() {
    let mut pacer = Pacer::new(0);
    let mut now = us(0);
    pacer.on_send(now, 1000, RATE);
    for _ in 0..5 {
        let next = pacer.wait(now).unwrap();
        assert_eq!(next.saturating_since(now), Duration::from_millis(1));
        now = next;
        assert_eq!(pacer.wait(now), None);
        pacer.on_send(now, 1000, RATE);
    }
}

#[test]
fn the_initial_window_leaves_at_once() {
    let mut pacer = Pacer::new(3000);
    for _ in 0..3 {
        pacer.on_send(us(0), 1000, RATE);
        assert_eq!(pacer.wait(us(0)), None);
    }
    pacer.on_send(us(0), 1000, RATE);
    assert!(pacer.wait(us(0)).is_some());
}

#[test]
fn lateness_is_made_up_for_by_half_a_gap_at_most() {
    let mut pacer = Pacer::new(0);
    pacer.on_send(us(10_000), 1000, RATE);
    assert_eq!(pacer.wait(us(10_000)), Some(us(10_500)), "after idling, half a gap");
    pacer.on_send(us(10_700), 1000, RATE);
    assert_eq!(pacer.wait(us(10_700)), Some(us(11_500)), "0.2 ms late");
    pacer.on_send(us(99_000), 1000, RATE);
    assert_eq!(pacer.wait(us(99_000)), Some(us(99_500)), "no burst after a long silence");
}

#[test]
fn the_quantum_is_a_millisecond_within_two_segments_and_a_super_segment() {
    // draft-ietf-ccwg-bbr §5.6.3; rate in bytes per second
    for (rate, quantum) in [(1000, 2920), (10_000_000, 10_000), (10_000_000_000, 65_536)] {
        assert_eq!(send_quantum(rate, 1460), quantum);
    }
}
