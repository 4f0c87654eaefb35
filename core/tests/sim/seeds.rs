//! Many seeds on all cores; a failure names its seed and how to run it alone.

use std::sync::atomic::{AtomicU64, Ordering};

/// Runs `life` with the seeds from 0 on, `count` of them, or with the one that `$TCPSTACK_SEED` names.
pub(crate) fn for_each_seed(count: u64, life: impl Fn(u64) + Sync) {
    let seeds = match std::env::var("TCPSTACK_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("TCPSTACK_SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..count,
    };
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let next = AtomicU64::new(seeds.start);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let _announced = Announced { seed, name: &name };
            life(seed);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
}

struct Announced<'a> {
    seed: u64,
    name: &'a str,
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Announced { seed, name } = self;
            let test = env!("CARGO_CRATE_NAME");
            eprintln!(
                "seed {seed} failed; alone: TCPSTACK_SEED={seed} cargo test --test {test} {name}"
            );
        }
    }
}
