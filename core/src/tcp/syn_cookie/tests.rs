use proptest::prelude::*;

use super::*;

const COOKIES: SynCookies = SynCookies::new((1, 2), (3, 4));

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn ends() -> (SocketAddr, SocketAddr) {
    ("10.7.0.2:80".parse().unwrap(), "10.7.0.1:4000".parse().unwrap())
}

#[test]
fn a_cookie_brings_the_segment_size_back_rounded_down() {
    // RFC 4987 §3.6
    let (local, remote) = ends();
    let round_trip = |mss| {
        let iss = COOKIES.make(at(100), local, remote, 7000, mss);
        COOKIES.check(at(100), local, remote, 7000, iss)
    };
    let pairs = [(100, 48), (536, 536), (1299, 536), (1300, 1300), (1459, 1440), (9000, 1460)];
    for (mss, remembered) in pairs {
        assert_eq!(round_trip(mss), Some(remembered), "{mss}");
    }
}

#[test]
fn no_cookie_remembers_more_than_the_peer_said() {
    // RFC 9293 §3.7.1 (MUST-16)
    let v6 = ("[::1]:80".parse().unwrap(), "[::2]:4000".parse().unwrap());
    for (local, remote) in [ends(), v6] {
        for mss in 48..=9000 {
            let iss = COOKIES.make(at(100), local, remote, 7000, mss);
            let remembered = COOKIES.check(at(100), local, remote, 7000, iss).unwrap();
            assert!(remembered <= mss, "{remembered} for {mss}");
        }
    }
}

#[test]
fn a_stale_cookie_is_refused() {
    let (local, remote) = ends();
    let iss = COOKIES.make(at(60), local, remote, 7000, 1460);
    let check = |seconds| COOKIES.check(at(seconds), local, remote, 7000, iss).is_some();
    assert!(check(60) && check(119) && check(179), "this minute and the next");
    assert!(!check(180) && !check(100_000));
    assert!(!check(59), "nor one of the future");
}

#[test]
fn a_cookie_is_good_for_its_own_ends_and_number_alone() {
    let (local, remote) = ends();
    let iss = COOKIES.make(at(60), local, remote, 7000, 1460);
    let other: SocketAddr = "10.7.0.1:4001".parse().unwrap();
    assert_eq!(COOKIES.check(at(60), local, other, 7000, iss), None);
    assert_eq!(COOKIES.check(at(60), other, remote, 7000, iss), None);
    assert_eq!(COOKIES.check(at(60), local, remote, 7000 + (1 << 24), iss), None);
    let stranger = SynCookies::new((1, 2), (3, 5));
    assert_eq!(stranger.check(at(60), local, remote, 7000, iss), None);
}

#[test]
fn guessing_a_cookie_is_hopeless() {
    // Of 2^24 data values 5 are good, in 2 of 256 minutes: one guess in more than 2^28.
    let (local, remote) = ends();
    let lucky = (0..1_000_000u32)
        .filter(|guess| {
            let guess = guess.wrapping_mul(2_654_435_761);
            COOKIES.check(at(60), local, remote, 7000, guess).is_some()
        })
        .count();
    assert_eq!(lucky, 0);
}

#[test]
fn without_timestamps_only_the_segment_size_is_remembered() {
    let syn = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((1, 0)),
        ..Options::default()
    };
    assert_eq!(remembered(&syn), syn);
    let without = Options { timestamps: None, ..syn };
    assert_eq!(remembered(&without), Options { mss: Some(1460), ..Options::default() });
}

proptest! {
    #[test]
    fn a_timestamp_remembers_what_was_agreed_on_and_is_not_ahead(
        clock: u32, window_scale in prop::option::of(0..=14u8), sack_permitted: bool, ecn: bool,
    ) {
        let clock = clock.max(64);
        let said = Agreed { window_scale, sack_permitted, ecn };
        let value = stamp(clock, &said);
        prop_assert_eq!(agreed(value), said);
        prop_assert!(value <= clock && clock - value < 64);
    }
}
