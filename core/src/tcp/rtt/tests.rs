use std::time::Duration;

use proptest::prelude::*;

use super::RttEstimator;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn estimator() -> RttEstimator {
    RttEstimator::new(ms(1000), ms(200), ms(120_000))
}

#[test]
fn before_the_first_sample_the_rto_is_the_initial_one() {
    // RFC 6298 §2.1.
    // RFC 6298 (2.1)
    let rtt = estimator();
    assert_eq!(rtt.rto(), ms(1000));
    assert_eq!((rtt.srtt(), rtt.rttvar(), rtt.min_rtt()), (None, None, None));
}

#[test]
fn samples_follow_the_formulas_of_rfc_6298() {
    // RFC 9293 §3.8.1 (MUST-18); RFC 6298 §2.2, §2.3.
    // sample, SRTT, RTTVAR, RTO = SRTT + 4 * RTTVAR; by hand from (2.2) and (2.3)
    let table = [
        (800, 800.0, 400.0, 2400.0),
        (800, 800.0, 300.0, 2000.0),
        (1600, 900.0, 425.0, 2600.0),
        (100, 800.0, 518.75, 2875.0),
    ];
    let mut rtt = estimator();
    for (sample, srtt, rttvar, rto) in table {
        rtt.sample(ms(sample));
        assert_eq!(rtt.srtt(), Some(Duration::from_secs_f64(srtt / 1e3)));
        assert_eq!(rtt.rttvar(), Some(Duration::from_secs_f64(rttvar / 1e3)));
        assert_eq!(rtt.rto(), Duration::from_secs_f64(rto / 1e3));
    }
    assert_eq!(rtt.min_rtt(), Some(ms(100)));
}

#[test]
fn a_steady_round_trip_leaves_the_granularity_as_margin() {
    // RFC 6298 §4.
    let mut rtt = RttEstimator::new(ms(1000), Duration::ZERO, ms(60_000));
    for _ in 0..200 {
        rtt.sample(ms(50));
    }
    let margin = rtt.rto() - ms(50);
    assert!(margin <= ms(1) && margin > Duration::from_micros(999), "{margin:?}");
}

#[test]
fn the_rto_stays_within_its_bounds() {
    // RFC 6298 §2.4, §2.5.
    let mut rtt = estimator();
    rtt.sample(Duration::ZERO);
    assert_eq!(rtt.rto(), ms(200));
    rtt.sample(Duration::MAX);
    assert_eq!(rtt.rto(), ms(120_000));
    assert_eq!(RttEstimator::new(ms(1), ms(200), ms(300)).rto(), ms(200));
    assert_eq!(RttEstimator::new(ms(1000), ms(200), ms(300)).rto(), ms(300));
    assert_eq!(RttEstimator::new(ms(1), ms(200), ms(100)).rto(), ms(200));
}

#[test]
fn each_timeout_doubles_the_rto_up_to_the_maximum() {
    // RFC 9293 §3.8.2 (MUST-19); RFC 6298 §5.5.
    // (5.5)
    let mut rtt = RttEstimator::new(ms(1000), ms(200), ms(10_000));
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(rtt.rto());
        rtt.back_off();
    }
    assert_eq!(seen, [1000, 2000, 4000, 8000, 10_000, 10_000].map(ms));
    assert_eq!(rtt.backoffs(), 6);
    rtt.reset_backoff();
    assert_eq!((rtt.rto(), rtt.backoffs()), (ms(1000), 0));
}

#[test]
fn a_sample_ends_backing_off() {
    let mut rtt = estimator();
    rtt.back_off();
    rtt.back_off();
    rtt.sample(ms(400));
    assert_eq!((rtt.rto(), rtt.backoffs()), (ms(1200), 0));
}

#[test]
fn after_a_lost_syn_data_begins_with_three_seconds() {
    // RFC 6298 §5.7.
    // (5.7)
    let mut rtt = estimator();
    rtt.back_off();
    rtt.back_off();
    rtt.back_off();
    rtt.restart_after_syn_loss();
    assert_eq!((rtt.rto(), rtt.backoffs()), (ms(3000), 0));
    rtt.sample(ms(100));
    assert_eq!(rtt.rto(), ms(300));

    let mut longer = RttEstimator::new(ms(5000), ms(200), ms(120_000));
    longer.restart_after_syn_loss();
    assert_eq!(longer.rto(), ms(5000));
}

proptest! {
    #[test]
    fn no_history_leaves_the_bounds(steps in prop::collection::vec((any::<bool>(), any::<u64>()), 0..200)) {
        let mut rtt = estimator();
        for (sampled, ns) in steps {
            if sampled { rtt.sample(Duration::from_nanos(ns)) } else { rtt.back_off() }
            prop_assert!((ms(200)..=ms(120_000)).contains(&rtt.rto()));
        }
    }
}
