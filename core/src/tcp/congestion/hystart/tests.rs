use std::time::Duration;

use super::{Advice, HyStart};
use crate::tcp::seq::Seq;

const FLIGHT: u64 = 10_000;

/// A slow start whose rounds are counted for it.
struct Rounds {
    hystart: HyStart,
    una: Seq,
}

impl Rounds {
    fn new() -> Rounds {
        Rounds { hystart: HyStart::new(), una: Seq::from_initial(0) }
    }

    /// A round of `samples` ACKs, each of which measures `ms`; what the last but one advised.
    fn round(&mut self, samples: u32, ms: u64) -> Advice {
        let max = self.una + FLIGHT;
        let mut advice = Advice::Double;
        for _ in 0..samples {
            advice = self.hystart.on_ack(self.una, max, Some(Duration::from_millis(ms)));
        }
        self.una = max;
        // The ACK that ends the round measures nothing here, so that the counts are plain.
        self.hystart.on_ack(self.una, max + FLIGHT, None);
        advice
    }
}

#[test]
fn a_longer_round_trip_leads_to_caution_and_five_rounds_of_it_to_an_end() {
    // RFC 9406 §4.2: CSS_ROUNDS = 5, the one in which it began counted
    let mut rounds = Rounds::new();
    assert_eq!(rounds.round(8, 40), Advice::Double);
    assert_eq!(rounds.round(8, 40), Advice::Double);
    assert_eq!(rounds.round(8, 45), Advice::Caution);
    for _ in 1..5 {
        assert_eq!(rounds.round(8, 45), Advice::Caution);
    }
    assert_eq!(rounds.round(8, 45), Advice::Stop);
}

#[test]
fn the_threshold_is_an_eighth_within_four_and_sixteen_milliseconds() {
    // RFC 9406 §4.2: RttThresh = max(4 ms, min(lastRoundMinRTT / 8, 16 ms)); before, after, advice
    let table = [
        (10, 13, Advice::Double),
        (10, 14, Advice::Caution),
        (80, 89, Advice::Double),
        (80, 90, Advice::Caution),
        (400, 415, Advice::Double),
        (400, 416, Advice::Caution),
    ];
    for (before, after, advice) in table {
        let mut rounds = Rounds::new();
        rounds.round(8, before);
        assert_eq!(rounds.round(8, after), advice, "{before} ms, then {after} ms");
    }
}

#[test]
fn fewer_than_eight_samples_are_not_judged() {
    // RFC 9406 §4.3: N_RTT_SAMPLE = 8
    let mut rounds = Rounds::new();
    rounds.round(8, 40);
    assert_eq!(rounds.round(7, 80), Advice::Double);
}

#[test]
fn a_round_trip_that_shrinks_again_ends_the_caution() {
    // RFC 9406 §4.2: currentRoundMinRTT < cssBaselineMinRtt
    let mut rounds = Rounds::new();
    rounds.round(8, 40);
    assert_eq!(rounds.round(8, 50), Advice::Caution);
    assert_eq!(rounds.round(8, 49), Advice::Double);
    assert_eq!(rounds.round(8, 49), Advice::Double);
    assert_eq!(rounds.round(8, 56), Advice::Caution, "and it begins anew");
}

#[test]
fn one_short_sample_outweighs_the_long_ones_of_its_round() {
    let mut rounds = Rounds::new();
    rounds.round(8, 40);
    let max = rounds.una + FLIGHT;
    for ms in [90, 90, 41, 90, 90, 90, 90, 90, 90] {
        let advice = rounds.hystart.on_ack(rounds.una, max, Some(Duration::from_millis(ms)));
        assert_eq!(advice, Advice::Double);
    }
}
