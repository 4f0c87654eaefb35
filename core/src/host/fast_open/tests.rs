use super::*;

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn cache() -> FastOpenCache {
    FastOpenCache::new(KeyedHash::new((1, 2)))
}

fn cookie(byte: u8) -> FastOpenCookie {
    FastOpenCookie::new(&[byte; 8]).unwrap()
}

fn server(number: u32) -> IpAddr {
    IpAddr::V4(number.into())
}

#[test]
fn a_cookie_is_remembered_with_the_segment_size_until_a_newer_comes() {
    // RFC 7413 §4.1.3
    let mut cache = cache();
    assert_eq!(cache.get(at(0), server(1)), Known::Nothing);
    cache.learn(at(0), server(1), Lesson::Cookie(cookie(1), 1400));
    cache.learn(at(1), server(1), Lesson::Cookie(cookie(2), 1460));
    assert_eq!(cache.get(at(2), server(1)), Known::Cookie(cookie(2), 1460));
    assert_eq!(cache.get(at(2), server(2)), Known::Nothing);
}

#[test]
fn after_two_losses_in_a_row_plain_syns_are_sent_for_a_while() {
    // RFC 7413 §4.1.3.1
    let mut cache = cache();
    cache.learn(at(0), server(1), Lesson::Cookie(cookie(1), 1400));
    cache.learn(at(0), server(1), Lesson::Lost);
    assert_eq!(cache.get(at(0), server(1)), Known::Cookie(cookie(1), 1400), "one is an accident");
    cache.learn(at(0), server(1), Lesson::Lost);
    assert_eq!(cache.get(at(239), server(1)), Known::Caution);
    assert_eq!(cache.get(at(240), server(1)), Known::Cookie(cookie(1), 1400));
}

#[test]
fn the_memory_is_bounded_and_forgets_the_oldest() {
    let mut cache = cache();
    for number in 0..2000 {
        cache.learn(at(number.into()), server(number), Lesson::Cookie(cookie(1), 1400));
    }
    assert_eq!(cache.entries.len(), CAPACITY);
    assert_eq!(cache.get(at(2000), server(0)), Known::Nothing);
    assert_eq!(cache.get(at(2000), server(1999)), Known::Cookie(cookie(1), 1400));
}
