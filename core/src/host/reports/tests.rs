use std::time::Duration;

use super::*;

// RFC 4443 §2.4 (f).
#[test]
fn a_bucket_gives_its_burst_and_then_its_rate() {
    let mut limit = RateLimit::default();
    let start = Instant::from_micros(1_000_000);
    let taken = |limit: &mut RateLimit, now| (0..200).filter(|_| limit.take(now, 100, 5)).count();
    assert_eq!(taken(&mut limit, start), 5);
    assert_eq!(taken(&mut limit, start + Duration::from_micros(9_999)), 0);
    assert_eq!(taken(&mut limit, start + Duration::from_millis(10)), 1);
    assert_eq!(taken(&mut limit, start + Duration::from_millis(40)), 3);
    assert_eq!(taken(&mut limit, start + Duration::from_secs(100)), 5);
}

#[test]
fn a_rate_of_none_sends_none() {
    assert!(!RateLimit::default().take(Instant::ZERO, 0, 50));
}
