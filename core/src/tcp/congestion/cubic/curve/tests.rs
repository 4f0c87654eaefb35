use std::time::Duration;

use proptest::prelude::*;

use super::{Epoch, SECOND_BITS, cube_root, time_to_vertex, units};
use crate::time::Instant;

const SMSS: u64 = 1460;
const START: Instant = Instant::from_nanos(5_000_000_000);

fn seconds(units: u64) -> f64 {
    units as f64 / f64::from(1 << SECOND_BITS)
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// RFC 9438 §4.2, figure 2: K = cbrt((W_max - cwnd_epoch) / C), in seconds and segments.
fn k(w_max: f64, cwnd: f64) -> f64 {
    ((w_max - cwnd) / 0.4).cbrt()
}

/// RFC 9438 §4.2, figure 1: W_cubic(t) = C * (t - K)^3 + W_max, in segments.
fn w_cubic(t: f64, w_max: f64, cwnd: f64) -> f64 {
    0.4 * (t - k(w_max, cwnd)).powi(3) + w_max
}

#[test]
fn the_time_to_the_vertex_is_the_cube_root_of_the_distance() {
    // W_max in segments, and K in seconds for a window of 0.7 * W_max, by RFC 9438 §4.2
    let table = [(10, 1.957), (100, 4.217), (1000, 9.086), (83_333, 39.685)];
    for (w_max, expected) in table {
        let distance = w_max * SMSS * 3 / 10;
        let found = seconds(time_to_vertex(distance, SMSS));
        assert!((found - expected).abs() < 0.001, "W_max {w_max}: {found} s, not {expected} s");
    }
    assert_eq!(time_to_vertex(0, SMSS), 0);
}

#[test]
fn the_curve_is_that_of_the_formula() {
    // RFC 9438 §4.2; SMSS, W_max in segments, t in ms
    for smss in [536, 1460, 8960] {
        for w_max in [10_u64, 64, 1000, 50_000] {
            let cwnd = w_max * 7 / 10;
            let epoch = Epoch::begin(START, cwnd * smss, w_max * smss, w_max * smss, smss);
            for ms in [0, 1, 10, 500, 1957, 4217, 9000, 40_000, 100_000] {
                let found = epoch.w_cubic(units(millis(ms)), smss) as f64 / smss as f64;
                let expected = w_cubic(ms as f64 / 1000.0, w_max as f64, cwnd as f64);
                let close = 0.01 + expected.abs() * 1e-5;
                assert!(
                    (found - expected).abs() < close,
                    "SMSS {smss}, W_max {w_max}, {ms} ms: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn the_curve_passes_the_last_window_at_k_and_is_flat_there() {
    let epoch = Epoch::begin(START, 70 * SMSS, 100 * SMSS, 100 * SMSS, SMSS);
    let around = epoch.k;
    assert_eq!(epoch.w_cubic(around, SMSS), 100 * SMSS);
    let second = 1 << SECOND_BITS;
    // One second beside the vertex: C segments.
    assert_eq!((epoch.w_cubic(around + second, SMSS) - 100 * SMSS) / 10, 58);
    assert_eq!((100 * SMSS - epoch.w_cubic(around - second, SMSS)) / 10, 58);
}

#[test]
fn without_a_loss_to_return_to_the_curve_starts_at_its_vertex() {
    // RFC 9438 §4.8, §4.10: K = 0
    let epoch = Epoch::begin(START, 100 * SMSS, 0, 0, SMSS);
    assert_eq!((epoch.k, epoch.vertex), (0, 100 * SMSS));
}

#[test]
fn renos_line_rises_by_nine_seventeenths_a_round_trip_and_by_one_segment_later() {
    // RFC 9438 §4.3: alpha_cubic = 3 * 0.3 / 1.7 up to cwnd_prior, 1 from there
    let (cwnd, prior) = (700 * SMSS, 709 * SMSS);
    let mut epoch = Epoch::begin(START, cwnd, prior, prior, SMSS);
    for _ in 0..17 * 700 {
        epoch.grow_reno(cwnd, SMSS, SMSS);
    }
    assert_eq!(epoch.w_est, prior, "9 segments in 17 windows");
    for _ in 0..2 * 700 {
        epoch.grow_reno(cwnd, SMSS, SMSS);
    }
    assert_eq!(epoch.w_est, prior + 2 * SMSS);
}

#[test]
fn on_short_paths_it_is_as_fast_as_reno() {
    // RFC 9438 §4.3: RTT 1 ms, 20 segments: the curve needs 2.5 s, Reno's line 12 ms.
    let mut cwnd = 14 * SMSS;
    let mut epoch = Epoch::begin(START, cwnd, 20 * SMSS, 20 * SMSS, SMSS);
    let mut round_trips = 0;
    while cwnd < 20 * SMSS {
        round_trips += 1;
        let now = START + millis(round_trips);
        for _ in 0..cwnd / SMSS {
            cwnd = epoch.grow(now, millis(1), cwnd, SMSS, SMSS);
        }
    }
    // 6 segments at 9/17 a round trip
    assert!((11..=13).contains(&round_trips), "{round_trips} round trips");
}

#[test]
fn a_window_grows_by_half_at_most_in_a_round_trip() {
    // RFC 9438 §4.2: target <= 1.5 * cwnd
    let cwnd = 100 * SMSS;
    let mut epoch = Epoch::begin(START, cwnd, 0, 0, SMSS);
    let late = START + Duration::from_secs(600);
    assert_eq!(epoch.grow(late, millis(100), cwnd, cwnd, SMSS), cwnd + cwnd / 2);
    assert_eq!(epoch.grow(late, millis(100), cwnd, 100 * cwnd, SMSS), cwnd + cwnd / 2);
}

#[test]
fn a_curve_that_stood_still_goes_on_where_it_was() {
    let mut epoch = Epoch::begin(START, 70 * SMSS, 100 * SMSS, 100 * SMSS, SMSS);
    let mut moved = epoch.clone();
    moved.postpone(Duration::from_secs(3600));
    let grown = epoch.grow(START + millis(700), millis(50), 70 * SMSS, SMSS, SMSS);
    let later = START + millis(3_600_700);
    assert_eq!(moved.grow(later, millis(50), 70 * SMSS, SMSS, SMSS), grown);
}

proptest! {
    #[test]
    fn a_cube_root_is_the_largest_number_whose_cube_fits(cube in 0..1_u128 << 126) {
        let root = u128::from(cube_root(cube));
        prop_assert!(root.pow(3) <= cube);
        prop_assert!((root + 1).pow(3) > cube || root == (1 << 42) - 1);
    }

    #[test]
    fn no_input_overflows_or_shrinks_the_window(
        cwnd in 1..1_u64 << 32,
        w_max in 0..1_u64 << 32,
        delivered in 0..u64::MAX,
        smss in 1..70_000_u64,
        elapsed_ns in any::<u64>(),
        srtt_ns in any::<u64>(),
    ) {
        let mut epoch = Epoch::begin(Instant::ZERO, cwnd, w_max, w_max, smss);
        let srtt = Duration::from_nanos(srtt_ns);
        for _ in 0..3 {
            let grown = epoch.grow(Instant::from_nanos(elapsed_ns), srtt, cwnd, delivered, smss);
            prop_assert!(grown >= cwnd);
        }
    }
}
