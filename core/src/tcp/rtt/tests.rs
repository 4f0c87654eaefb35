use std::time::Duration;

use proptest::prelude::*;

use super::RttEstimator;
use crate::tcp::seq::Seq;
use crate::time::Instant;

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

/// Samples of one round trip each: SND.UNA passes what SND.MAX was at the one before.
struct Rounds {
    rtt: RttEstimator,
    una: u64,
}

impl Rounds {
    fn new() -> Rounds {
        Rounds { rtt: estimator(), una: 0 }
    }

    fn sample(&mut self, sample: u64) {
        self.una += 2;
        let seq = |n| Seq::default() + n;
        self.rtt.sample(ms(sample), seq(self.una), seq(self.una + 1));
    }
}

/// A sample in the round trip of the one before.
fn sample(rtt: &mut RttEstimator, sample: Duration) {
    rtt.sample(sample, Seq::default(), Seq::default());
}

#[test]
fn samples_follow_the_formulas_of_rfc_6298() {
    // RFC 9293 §3.8.1 (MUST-18); RFC 6298 §2.2, §2.3.
    // sample, SRTT, RTTVAR by hand from (2.2) and (2.3), but for the last: RTTVAR grows by an eighth
    // only of what it would where the sample is shorter than SRTT; and RTO = SRTT + 4 * RTTVAR, the
    // margin falling by a quarter of the way each round trip
    let table = [
        (800, 800.0, 400.0, 2400.0),
        (800, 800.0, 300.0, 2400.0),
        (1600, 900.0, 425.0, 2600.0),
        (100, 800.0, 436.71875, 2546.875),
    ];
    let mut rounds = Rounds::new();
    for (sample, srtt, rttvar, rto) in table {
        rounds.sample(sample);
        assert_eq!(rounds.rtt.srtt(), Some(Duration::from_secs_f64(srtt / 1e3)));
        let near = |a: Duration, b: f64| (a.as_secs_f64() * 1e3 - b).abs() < 0.001;
        assert!(near(rounds.rtt.rttvar().unwrap(), rttvar), "{:?}", rounds.rtt);
        assert!(near(rounds.rtt.rto(), rto), "{:?}", rounds.rtt);
    }
}

#[test]
fn on_a_steady_path_the_margin_is_its_floor() {
    // RFC 6298 §4.
    // Linux: SRTT + max(4 * RTTVAR, 200 ms).
    let mut rounds = Rounds::new();
    for _ in 0..200 {
        rounds.sample(50);
    }
    let rto = rounds.rtt.rto();
    assert!(rto >= ms(250) && rto < ms(251), "{rto:?}");
}

#[test]
fn the_margin_rises_at_once_and_falls_a_quarter_each_round_trip() {
    let mut rounds = Rounds::new();
    (0..100).for_each(|_| rounds.sample(100));
    rounds.sample(500);
    let risen = rounds.rtt.rto();
    assert!(risen > ms(500), "{risen:?}");
    for _ in 0..10 {
        // Of the same round trip: the margin stays, though the samples are steady again.
        let (una, max) = (Seq::default(), Seq::default());
        rounds.rtt.sample(ms(100), una, max);
    }
    assert!(rounds.rtt.rto() > ms(400), "{:?}", rounds.rtt.rto());
    (0..40).for_each(|_| rounds.sample(100));
    assert!(rounds.rtt.rto() < ms(302), "{:?}", rounds.rtt.rto());
}

#[test]
fn the_shortest_round_trip_is_forgotten_after_its_window() {
    let mut rtt = estimator().with_least_window(Duration::from_secs(10));
    let at = |s: u64| Instant::from_nanos(s * 1_000_000_000);
    rtt.note_least(at(1), ms(20));
    rtt.note_least(at(2), ms(50));
    assert_eq!(rtt.min_rtt(), Some(ms(20)));
    rtt.note_least(at(7), ms(60));
    assert_eq!(rtt.min_rtt(), Some(ms(20)), "half a window ago it still counts");
    rtt.note_least(at(13), ms(70));
    assert_eq!(rtt.min_rtt(), Some(ms(60)), "the path has become longer");
    rtt.note_least(at(60), ms(90));
    assert_eq!(rtt.min_rtt(), Some(ms(90)), "after a long silence nothing else counts");
}

#[test]
fn the_rto_stays_within_its_bounds() {
    // RFC 6298 §2.4, §2.5.
    let mut rtt = estimator();
    sample(&mut rtt, Duration::ZERO);
    assert_eq!(rtt.rto(), ms(200));
    sample(&mut rtt, Duration::MAX);
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
    sample(&mut rtt, ms(400));
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
    sample(&mut rtt, ms(100));
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
            if sampled { sample(&mut rtt, Duration::from_nanos(ns)) } else { rtt.back_off() }
            prop_assert!((ms(200)..=ms(120_000)).contains(&rtt.rto()));
        }
    }
}
