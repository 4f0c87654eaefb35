//! Random programs on both ends of random networks, with random knobs: for every seed the bytes that
//! arrive are those that were sent, every invariant holds after every step (`Host::check`), both ends
//! come to CLOSED, nothing is left over, and the same seed gives the same events.
//!
//! `make soak SEEDS=10000` runs more of them; a seed that fails is named, and runs alone with
//! `TCPSTACK_SEED=n cargo test -p tcpstack --test soak`.

#[path = "soak/application.rs"]
mod application;
#[path = "soak/chance.rs"]
mod chance;
#[path = "soak/life.rs"]
mod life;
#[path = "soak/memory.rs"]
mod memory;
#[path = "sim/seeds.rs"]
mod seeds;

use life::Life;

/// Lives in `make test`.
const SEEDS: u64 = 500;

/// Every so many lives are lived twice and compared, event by event.
const TWICE: u64 = 25;

/// What a thread may hold more after a life than before it, in bytes: the test's own tables.
const LEAK_MAX: isize = 4096;

fn seed_count() -> u64 {
    match std::env::var("TCPSTACK_SOAK_SEEDS") {
        Ok(seeds) => seeds.parse().expect("TCPSTACK_SOAK_SEEDS is a number"),
        Err(_) => SEEDS,
    }
}

#[test]
fn whatever_the_programs_do_bytes_are_true_and_connections_end() {
    seeds::for_each_seed(seed_count(), |seed| {
        let before = memory::held_by_this_thread();
        Life::new(seed).live();
        let after = memory::held_by_this_thread();
        assert!(after - before < LEAK_MAX, "{} bytes leak", after - before);
    });
}

#[test]
fn the_same_seed_is_the_same_life() {
    seeds::for_each_seed(seed_count().div_ceil(TWICE), |seed| {
        let (first, second) = (Life::recorded(seed), Life::recorded(seed));
        for (index, (one, other)) in first.iter().zip(&second).enumerate() {
            assert_eq!(one, other, "event {index} differs");
        }
        assert_eq!(first.len(), second.len());
    });
}
