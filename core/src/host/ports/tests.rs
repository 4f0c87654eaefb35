use std::collections::HashSet;

use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use super::*;

fn claim(local: &str, v6_only: bool, usage: Use, reuse_addr: bool) -> Claim {
    let place = Place::of(local.parse().unwrap(), v6_only);
    Claim { place, usage, reuse_addr, reuse_port: false }
}

fn ports() -> Ports {
    Ports::new(&mut ChaCha8Rng::seed_from_u64(1))
}

const PLACES: [(&str, bool); 6] = [
    ("10.0.0.1:80", false),
    ("10.0.0.2:80", false),
    ("0.0.0.0:80", false),
    ("[fd00::1]:80", false),
    ("[::]:80", true),
    ("[::]:80", false),
];

#[test]
fn addresses_overlap_as_on_linux() {
    // Row and column as in PLACES.
    let expected = ["x.x..x", ".xx..x", "xxx..x", "...xxx", "...xxx", "xxxxxx"];
    for (row, (left, left_only)) in PLACES.into_iter().enumerate() {
        for (column, (right, right_only)) in PLACES.into_iter().enumerate() {
            let mut ports = ports();
            ports.hold(claim(left, left_only, Use::Bound, false));
            let is_taken = ports.is_taken(&claim(right, right_only, Use::Bound, false));
            let overlaps = expected[row].as_bytes()[column] == b'x';
            assert_eq!(is_taken, overlaps, "{left} {left_only} against {right} {right_only}");
        }
    }
}

#[test]
fn reuse_must_be_wanted_by_both_and_never_beside_a_listener() {
    for (held, wanted, usage, is_taken) in [
        (true, true, Use::Bound, false),
        (true, false, Use::Bound, true),
        (false, true, Use::Bound, true),
        (true, true, Use::Listening, true),
    ] {
        let mut ports = ports();
        ports.hold(claim("10.0.0.1:80", false, usage, held));
        let wanted = claim("10.0.0.1:80", false, Use::Bound, wanted);
        assert_eq!(ports.is_taken(&wanted), is_taken);
    }
}

#[test]
fn ports_to_one_peer_rise_from_a_start_that_differs_by_peer_and_seed() {
    // RFC 6056 §3.3, §3.4.
    let range = (40_000, 40_999);
    let run = |seed, peer: &str| -> Vec<u16> {
        let mut ports = Ports::new(&mut ChaCha8Rng::seed_from_u64(seed));
        let local = "10.0.0.1".parse().unwrap();
        (0..3)
            .map(|_| ports.for_connect(range, local, peer.parse().unwrap(), |_| true).unwrap())
            .collect()
    };
    let first = run(1, "10.0.0.2:80");
    let next = |port: u16| if port == range.1 { range.0 } else { port + 1 };
    assert_eq!(first, [first[0], next(first[0]), next(next(first[0]))]);
    assert_ne!(first, run(1, "10.0.0.3:80"));
    assert_ne!(first, run(2, "10.0.0.2:80"));
    assert_eq!(first, run(1, "10.0.0.2:80"));
}

#[test]
fn every_port_of_the_range_is_found_before_it_runs_out() {
    let range = (65_500, 65_535);
    let mut ports = ports();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let bound = |port| claim(&format!("10.0.0.1:{port}"), false, Use::Bound, true);
    let mut found = HashSet::new();
    while let Some(port) = ports.for_bind(range, &mut random, bound) {
        assert!(found.insert(port));
        ports.hold(bound(port));
    }
    assert_eq!(found.len(), 36);
    let (local, remote) = ("10.0.0.1".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    assert_eq!(ports.for_connect(range, local, remote, |_| true), None, "bind() has them all");
}

proptest! {
    #[test]
    fn what_is_held_and_released_leaves_nothing(order in prop::collection::vec(0usize..24, 0..100)) {
        let mut ports = ports();
        let mut held = Vec::new();
        for choice in order {
            let (local, v6_only) = PLACES[choice % 6];
            let usage = [Use::Bound, Use::Listening][choice / 6 % 2];
            let claim = claim(local, v6_only, usage, choice / 12 == 1);
            match held.iter().position(|other| *other == claim) {
                Some(index) if choice % 3 == 0 => {
                    held.swap_remove(index);
                    ports.release(claim);
                }
                _ => {
                    held.push(claim);
                    ports.hold(claim);
                }
            }
            prop_assert_eq!(ports.len(), held.len());
        }
        for claim in held {
            ports.release(claim);
        }
        prop_assert!(ports.rows.is_empty());
    }
}
