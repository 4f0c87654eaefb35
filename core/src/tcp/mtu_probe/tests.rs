use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn seq(n: u64) -> Seq {
    Seq::from_initial(0) + n
}

/// A probe of `size` leaves, with the numbers from `start` on.
fn leave(search: &mut MtuProbe, start: u64, size: u32) {
    let (start, end) = (seq(start), seq(start + u64::from(size)));
    search.probe = Some(Attempt { start, end, size });
    search.check();
}

#[test]
fn a_probe_that_arrives_raises_the_lower_end() {
    let mut search = MtuProbe::new(1024, 1460, Instant::ZERO);
    assert_eq!(search.candidate(1460, 8), Some(1242));
    leave(&mut search, 100, 1242);
    assert_eq!(search.candidate(1460, 8), None);
    search.settle(seq(1341));
    assert_eq!(search.low, 1024);
    search.settle(seq(1342));
    assert_eq!((search.low, search.high), (1242, 1460));
    search.check();
}

#[test]
fn a_probe_that_alone_is_lost_lowers_the_upper_end() {
    // RFC 4821 §7.6.2
    let mut search = MtuProbe::new(1024, 1460, Instant::ZERO);
    leave(&mut search, 100, 1242);
    search.on_lost(Instant::ZERO);
    assert_eq!((search.low, search.high), (1024, 1241));
    search.check();
}

#[test]
fn a_probe_that_is_lost_with_others_says_nothing() {
    // RFC 4821 §7.6.4
    let mut search = MtuProbe::new(1024, 1460, Instant::ZERO);
    leave(&mut search, 100, 1242);
    search.on_repeat(seq(50));
    assert_eq!(search.on_its_way(), Some((seq(100), seq(1342))));
    search.on_repeat(seq(100));
    assert_eq!((search.low, search.high, search.on_its_way()), (1024, 1460, None));
    search.check();
}

#[test]
fn what_a_router_says_bounds_the_search_too() {
    let search = MtuProbe::new(1024, 1460, Instant::ZERO);
    assert_eq!(search.candidate(1100, 8), Some(1062));
    assert_eq!(search.candidate(1031, 8), None);
    assert_eq!(search.candidate(900, 8), None);
}

#[test]
fn a_search_begun_anew_has_the_whole_range_above_what_passes() {
    let mut search = MtuProbe::new(1024, 1100, Instant::ZERO);
    let later = Instant::ZERO + Duration::from_secs(600);
    search.restart(1460, later);
    assert_eq!((search.low, search.high, search.began), (1024, 1460, later));
}

proptest! {
    #[test]
    fn the_search_ends_within_the_threshold_of_what_passes(
        low in 48u32..1400, passes in 48u32..9000, high in 1400u32..9000, threshold in 1u32..100,
    ) {
        let passes = passes.max(low);
        let mut search = MtuProbe::new(low, high, Instant::ZERO);
        let mut rounds = 0;
        while let Some(size) = search.candidate(high, threshold) {
            leave(&mut search, 1, size);
            if size <= passes {
                search.settle(seq(1 + u64::from(size)));
            } else {
                search.on_lost(Instant::ZERO);
            }
            search.check();
            rounds += 1;
            prop_assert!(rounds < 20);
        }
        prop_assert!(search.low <= passes.max(low));
        prop_assert!(search.low + threshold > passes.min(high));
    }
}
