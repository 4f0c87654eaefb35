use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_lowered_mtu_is_believed_for_ten_minutes() {
    // RFC 1191 §6.2, §6.3; RFC 8201 §5.2, §5.3.
    let mut cache = PathMtu::new(KeyedHash::new((1, 2)));
    let learned = Instant::from_micros(5);
    cache.learn(learned, ip("10.0.0.1"), 1000);
    assert_eq!(cache.get(learned + Duration::from_secs(599), ip("10.0.0.1")), Some(1000));
    assert_eq!(cache.get(learned + Duration::from_secs(600), ip("10.0.0.1")), None);
    assert_eq!(cache.get(learned, ip("10.0.0.2")), None);
}

#[test]
fn a_full_cache_learns_nothing_until_entries_are_old() {
    let mut cache = PathMtu::new(KeyedHash::new((1, 2)));
    let address = |n: u32| IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
    for n in 0..2000 {
        cache.learn(Instant::ZERO, address(n), 1000);
    }
    assert_eq!(cache.entries.len(), CAPACITY);
    cache.learn(Instant::ZERO, address(3), 900);
    assert_eq!(cache.get(Instant::ZERO, address(3)), Some(900));
    let later = Instant::ZERO + LIFETIME;
    cache.learn(later, address(5000), 1000);
    assert_eq!(cache.get(later, address(5000)), Some(1000));
    assert_eq!(cache.entries.len(), 1);
}

#[test]
fn no_message_brings_the_mtu_below_the_floor() {
    // RFC 1191 §3; RFC 8201 §4.
    assert_eq!(believed(ip("10.0.0.1"), 68), 552);
    assert_eq!(believed(ip("10.0.0.1"), 0), 576);
    assert_eq!(believed(ip("fd00::1"), 0), 1280);
    assert_eq!(believed(ip("fd00::1"), 1400), 1400);
}
