use std::time::Duration;

use super::*;

const LIFETIME: Duration = Duration::from_secs(600);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn learned(mtu: u32, since: Instant) -> Learned {
    Learned { mtu, is_below_floor: false, expires: since + LIFETIME }
}

#[test]
fn a_lowered_mtu_is_believed_for_ten_minutes() {
    // RFC 1191 §6.2, §6.3; RFC 8201 §5.2, §5.3.
    let mut cache = PathMtu::new(KeyedHash::new((1, 2)));
    let start = Instant::from_micros(5);
    cache.learn(start, ip("10.0.0.1"), learned(1000, start));
    let last = start + LIFETIME - Duration::from_nanos(1);
    assert_eq!(cache.get(last, ip("10.0.0.1")), Some(learned(1000, start)));
    assert_eq!(cache.get(start + LIFETIME, ip("10.0.0.1")), None);
    assert_eq!(cache.get(start, ip("10.0.0.2")), None);
}

#[test]
fn a_full_cache_learns_nothing_until_entries_are_old() {
    let mut cache = PathMtu::new(KeyedHash::new((1, 2)));
    let address = |n: u32| IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
    for n in 0..2000 {
        cache.learn(Instant::ZERO, address(n), learned(1000, Instant::ZERO));
    }
    assert_eq!(cache.entries.len(), CAPACITY);
    cache.learn(Instant::ZERO, address(3), learned(900, Instant::ZERO));
    assert_eq!(cache.get(Instant::ZERO, address(3)), Some(learned(900, Instant::ZERO)));
    let later = Instant::ZERO + LIFETIME;
    cache.learn(later, address(5000), learned(1000, later));
    assert_eq!(cache.get(later, address(5000)), Some(learned(1000, later)));
    assert_eq!(cache.entries.len(), 1);
}

#[test]
fn no_message_brings_the_mtu_below_the_floor() {
    // RFC 8200 §5.
    // RFC 1191 §3.
    let believed = |destination, claimed, current| {
        let learned = believed(ip(destination), claimed, current, 552, Instant::ZERO)?;
        Some((learned.mtu, learned.is_below_floor))
    };
    assert_eq!(believed("10.0.0.1", 1400, 1500), Some((1400, false)));
    assert_eq!(believed("10.0.0.1", 552, 1500), Some((552, false)));
    assert_eq!(believed("10.0.0.1", 68, 1500), Some((552, true)));
    // RFC 1191 §5, §7.1: a router that does not say leads down the table of link MTUs.
    assert_eq!(believed("10.0.0.1", 0, 1500), Some((1492, false)));
    assert_eq!(believed("10.0.0.1", 0, 1492), Some((1006, false)));
    assert_eq!(believed("10.0.0.1", 0, 1006), Some((552, true)));
    assert_eq!(believed("10.0.0.1", 0, 68), None);
    // RFC 8201 §4.
    assert_eq!(believed("fd00::1", 1400, 1500), Some((1400, false)));
    assert_eq!(believed("fd00::1", 1279, 1500), None);
    assert_eq!(believed("fd00::1", 0, 1500), None);
}
