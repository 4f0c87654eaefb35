use std::time::Duration;

use proptest::prelude::*;

use super::Cubic;
use crate::tcp::congestion::{
    AckSample, CongestionControl, CongestionEvent, CongestionSignal, Parameters, Phase,
};
use crate::tcp::seq::Seq;
use crate::time::Instant;

const SMSS: u32 = 1000;
const SEGMENT: u64 = 1000;
const PARAMETERS: Parameters = Parameters { abc_l: 0, hystart: true, abe: false, seed: 1 };

fn at(ms: u64) -> Instant {
    Instant::from_micros(1000 * ms)
}

fn ack(now: Instant, delivered: u64) -> AckSample {
    AckSample {
        now,
        acked: delivered,
        delivered,
        lost: 0,
        in_flight_before: delivered,
        in_flight: 0,
        una: Seq::default(),
        max: Seq::default() + 1,
        is_cwnd_limited: true,
        rtt: None,
        min_rtt: None,
        srtt: Some(Duration::from_millis(100)),
        ce_bytes: 0,
        rate: None,
    }
}

fn congestion(now: Instant, signal: CongestionSignal) -> CongestionEvent {
    CongestionEvent { now, flight_size: 0, in_flight: 0, signal }
}

/// A controller with a window of `segments` on which a loss is repaired at `now`.
fn after_loss(segments: u64, now: Instant) -> Cubic {
    let mut cubic = Cubic::new(SMSS, segments * SEGMENT, &PARAMETERS);
    cubic.on_congestion(&congestion(now, CongestionSignal::Loss));
    cubic.on_recovered(now, 0);
    cubic
}

/// Full windows, each acknowledged segment by segment after 100 ms, until `until_ms`.
fn run(cubic: &mut Cubic, from_ms: u64, until_ms: u64) {
    for ms in (from_ms + 100..=until_ms).step_by(100) {
        for _ in 0..cubic.cwnd() / SEGMENT {
            cubic.on_ack(&ack(at(ms), SEGMENT));
        }
    }
}

#[test]
fn a_loss_leaves_seven_tenths_and_a_mark_too() {
    // RFC 9438 §4.6; cwnd in segments, ssthresh in bytes
    for (segments, ssthresh) in [(10, 7000), (100, 70_000), (3, 2100), (2, 2000), (1, 2000)] {
        for signal in [CongestionSignal::Loss, CongestionSignal::Ecn] {
            let mut cubic = Cubic::new(SMSS, segments * SEGMENT, &PARAMETERS);
            cubic.on_congestion(&congestion(at(0), signal));
            assert_eq!((cubic.ssthresh(), cubic.cwnd()), (ssthresh, ssthresh), "{segments}");
        }
    }
}

#[test]
fn a_mark_costs_less_where_abe_is_on() {
    // RFC 8511 §3
    let abe = Parameters { abe: true, ..PARAMETERS };
    for (signal, left) in [(CongestionSignal::Ecn, 85_000), (CongestionSignal::Loss, 70_000)] {
        let mut cubic = Cubic::new(SMSS, 100_000, &abe);
        cubic.on_congestion(&congestion(at(0), signal));
        assert_eq!(cubic.ssthresh(), left);
    }
}

#[test]
fn the_window_follows_the_curve_back_to_the_loss_and_beyond() {
    // RFC 9438 §4.4, §4.5.
    // RFC 9438 §4.2: W_max = 1000, K = cbrt(300 / 0.4) = 9.086 s; seconds, W_cubic(t)
    let mut cubic = after_loss(1000, at(0));
    run(&mut cubic, 0, 100);
    let mut from = 100;
    for (seconds, expected) in [(2, 855.0), (5, 972.7), (9, 1000.0), (14, 1047.4), (18, 1283.4)] {
        run(&mut cubic, from, seconds * 1000);
        from = seconds * 1000;
        let segments = cubic.cwnd() as f64 / 1000.0;
        // It aims a round trip ahead, and began at the first ACK.
        assert!((segments / expected - 1.0).abs() < 0.02, "{seconds} s: {segments} segments");
    }
}

#[test]
fn a_second_loss_at_a_smaller_window_lets_others_have_room() {
    // RFC 9438 §4.7: W_max = cwnd * (1 + beta) / 2
    let mut cubic = after_loss(100, at(0));
    assert_eq!(cubic.w_max(), 100_000);
    cubic.on_congestion(&congestion(at(1), CongestionSignal::Loss));
    assert_eq!((cubic.w_max(), cubic.ssthresh()), (59_500, 49_000));
}

#[test]
fn after_a_timeout_the_curve_begins_where_slow_start_ends() {
    // RFC 9438 §4.8
    let mut cubic = after_loss(100, at(0));
    cubic.on_timeout(at(10), 70_000, true);
    assert_eq!((cubic.cwnd(), cubic.ssthresh(), cubic.phase()), (1000, 49_000, Phase::Loss));
    cubic.on_timeout(at(1000), 1000, false);
    assert_eq!(cubic.ssthresh(), 49_000, "held on a repeated timeout");
    cubic.on_recovered(at(1100), 0);
    cubic.on_ack(&ack(at(1100), 48_000));
    assert_eq!((cubic.cwnd(), cubic.phase()), (49_000, Phase::CongestionAvoidance));
    cubic.on_ack(&ack(at(1200), SEGMENT));
    assert_eq!(cubic.w_max(), 0);
    assert!(cubic.cwnd() >= 49_000 && cubic.cwnd() < 49_100, "{}", cubic.cwnd());
}

#[test]
fn a_reduction_for_nothing_leaves_the_curve_as_it_was() {
    // RFC 9438 §4.9
    let mut disturbed = after_loss(1000, at(0));
    run(&mut disturbed, 0, 3000);
    let mut quiet = disturbed.clone();
    disturbed.on_congestion(&congestion(at(3050), CongestionSignal::Loss));
    disturbed.set_cwnd(800_000);
    disturbed.undo(at(3090));
    assert_eq!((disturbed.cwnd(), disturbed.ssthresh()), (quiet.cwnd(), quiet.ssthresh()));
    run(&mut disturbed, 3000, 6000);
    run(&mut quiet, 3000, 6000);
    assert_eq!(disturbed.cwnd(), quiet.cwnd());
    disturbed.undo(at(6000));
    assert_eq!(disturbed.cwnd(), quiet.cwnd(), "nothing is left to undo");
}

#[test]
fn a_timeout_for_nothing_is_undone_too() {
    let mut cubic = after_loss(100, at(0));
    run(&mut cubic, 0, 1000);
    let before = (cubic.cwnd(), cubic.ssthresh(), cubic.w_max());
    cubic.on_timeout(at(1200), 70_000, true);
    cubic.on_timeout(at(1600), 70_000, false);
    cubic.undo(at(1700));
    assert_eq!((cubic.cwnd(), cubic.ssthresh(), cubic.w_max()), before);
    assert_eq!(cubic.phase(), Phase::CongestionAvoidance);
}

#[test]
fn slow_start_grows_by_all_that_an_ack_covers() {
    // One ACK for a super-segment of 40; split ACKs gain nothing.
    let mut merged = Cubic::new(SMSS, 40_000, &PARAMETERS);
    merged.on_ack(&ack(at(10), 40_000));
    let mut split = Cubic::new(SMSS, 40_000, &PARAMETERS);
    for _ in 0..40_000 {
        split.on_ack(&ack(at(10), 1));
    }
    assert_eq!((merged.cwnd(), split.cwnd()), (80_000, 80_000));
}

#[test]
fn slow_start_stops_at_ssthresh_and_the_rest_counts_for_congestion_avoidance() {
    let mut cubic = after_loss(100, at(0));
    cubic.on_idle_restart(at(5000), 10_000);
    assert_eq!((cubic.cwnd(), cubic.ssthresh(), cubic.phase()), (10_000, 70_000, Phase::SlowStart));
    cubic.on_ack(&ack(at(5100), 90_000));
    assert!((70_000..75_000).contains(&cubic.cwnd()), "{}", cubic.cwnd());
    assert_eq!(cubic.phase(), Phase::CongestionAvoidance);
}

#[test]
fn a_window_that_is_not_used_does_not_grow_and_the_curve_waits() {
    // RFC 7661 §4.2, §4.3.
    let mut cubic = after_loss(1000, at(0));
    run(&mut cubic, 0, 1000);
    let before = cubic.cwnd();
    for ms in (1100..60_000).step_by(100) {
        cubic.on_ack(&AckSample { is_cwnd_limited: false, ..ack(at(ms), SEGMENT) });
    }
    assert_eq!(cubic.cwnd(), before);
    // A minute of silence, and the next window grows as if there had been none.
    cubic.on_transmit_start(at(120_000), true);
    let mut busy = after_loss(1000, at(0));
    run(&mut busy, 0, 1100);
    run(&mut cubic, 120_000, 120_100);
    let difference = cubic.cwnd().abs_diff(busy.cwnd());
    assert!(difference < 2 * SEGMENT, "{} and {}", cubic.cwnd(), busy.cwnd());
}

/// Slow start over a bottleneck of 100 segments and a queue of 600, a segment a millisecond: the
/// window at the first loss, or at the end of slow start before it.
fn slow_start_over_a_bottleneck(parameters: &Parameters) -> (u64, Phase) {
    let mut cubic = Cubic::new(SMSS, 10_000, parameters);
    let (mut una, mut max) = (Seq::default(), Seq::default() + 10_000);
    let mut now_ms = 100;
    loop {
        // Each ACK frees a segment's place, and lets its growth out behind it.
        let in_flight = max.since(una);
        let queued = (in_flight / SEGMENT).saturating_sub(100);
        if queued > 600 {
            return (cubic.cwnd(), cubic.phase());
        }
        now_ms += 1;
        una += SEGMENT;
        let rtt = Some(Duration::from_millis(100 + queued));
        cubic.on_ack(&AckSample { una, max, rtt, ..ack(at(now_ms), SEGMENT) });
        max = max.max(una + cubic.cwnd());
        if !matches!(cubic.phase(), Phase::SlowStart | Phase::ConservativeSlowStart) {
            return (cubic.cwnd(), cubic.phase());
        }
    }
}

#[test]
fn hystart_ends_slow_start_before_the_queue_overflows() {
    // RFC 9406
    let (cwnd, phase) = slow_start_over_a_bottleneck(&PARAMETERS);
    assert_eq!(phase, Phase::CongestionAvoidance, "{cwnd}");
    assert!((100_000..700_000).contains(&cwnd), "the path is full, the queue is not: {cwnd}");
    let without = Parameters { hystart: false, ..PARAMETERS };
    assert_eq!(slow_start_over_a_bottleneck(&without).1, Phase::SlowStart);
}

#[derive(Clone, Debug)]
enum Step {
    Ack { ms: u64, delivered: u64, limited: bool },
    Congestion(bool),
    Recovered,
    Timeout(bool),
    Undo,
    Prr(u64),
    Idle(u64),
    Smss(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..10_000_u64, any::<u64>(), any::<bool>())
            .prop_map(|(ms, delivered, limited)| Step::Ack { ms, delivered, limited }),
        1 => any::<bool>().prop_map(Step::Congestion),
        1 => Just(Step::Recovered),
        1 => any::<bool>().prop_map(Step::Timeout),
        1 => Just(Step::Undo),
        1 => any::<u64>().prop_map(Step::Prr),
        1 => any::<u64>().prop_map(Step::Idle),
        1 => (1..70_000_u32).prop_map(Step::Smss),
    ]
}

proptest! {
    #[test]
    fn the_window_stays_within_its_bounds(steps in prop::collection::vec(step(), 0..100)) {
        let mut cubic = Cubic::new(SMSS, 10_000, &PARAMETERS);
        let (mut now, mut smss) = (at(0), SMSS);
        for step in steps {
            match step {
                Step::Ack { ms, delivered, limited } => {
                    now += Duration::from_millis(ms);
                    cubic.on_ack(&AckSample { is_cwnd_limited: limited, ..ack(now, delivered) });
                }
                Step::Congestion(is_mark) => {
                    let signal =
                        if is_mark { CongestionSignal::Ecn } else { CongestionSignal::Loss };
                    cubic.on_congestion(&congestion(now, signal));
                }
                Step::Recovered => cubic.on_recovered(now, 0),
                Step::Timeout(is_first) => cubic.on_timeout(now, 0, is_first),
                Step::Undo => cubic.undo(now),
                Step::Prr(cwnd) => cubic.set_cwnd(cwnd),
                Step::Idle(window) => cubic.on_idle_restart(now, window),
                Step::Smss(new) => {
                    smss = new;
                    cubic.set_smss(new);
                }
            }
            prop_assert!(cubic.cwnd() >= u64::from(smss) && cubic.cwnd() <= 1 << 32);
            prop_assert!(cubic.ssthresh() >= 2 * u64::from(smss));
        }
    }
}
