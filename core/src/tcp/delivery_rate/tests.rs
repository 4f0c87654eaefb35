use std::time::Duration;

use super::{DeliveryRate, SentSnapshot};
use crate::time::Instant;

const BYTES: u64 = 1000;

fn ms(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

/// Sends `count` segments at once at `at`.
fn burst(rate: &mut DeliveryRate, at: Instant, count: u64) -> Vec<SentSnapshot> {
    (0..count).map(|index| rate.on_send(at, index * BYTES, BYTES)).collect()
}

#[test]
fn a_paced_flight_measures_the_rate_at_which_it_arrives() {
    let mut rate = DeliveryRate::new();
    let sent = burst(&mut rate, ms(0), 10);
    // The bottleneck lets one segment through each millisecond, after 20 ms.
    let mut last = None;
    for (index, snapshot) in sent.iter().enumerate() {
        let now = ms(20 + index as u64);
        rate.on_delivered(now, snapshot, ms(0), BYTES);
        last = rate.take_sample(now, Some(Duration::from_millis(20)));
    }
    let sample = last.unwrap();
    assert_eq!(sample.interval, Duration::from_millis(29));
    assert_eq!(
        (sample.delivered, sample.total_delivered, sample.prior_delivered),
        (10_000, 10_000, 0)
    );
    assert_eq!(sample.tx_in_flight, 10_000);
    assert_eq!(sample.bytes_per_s(), 10_000 * 1000 / 29);
    assert_eq!(rate.last_rate(), Some((10_000 * 1000 / 29, false)));
}

#[test]
fn acks_that_arrive_in_a_heap_do_not_raise_the_rate() {
    // Sent over 90 ms, acknowledged all at once: the time of sending counts.
    let mut rate = DeliveryRate::new();
    let sent: Vec<_> = (0..10)
        .map(|index| (ms(10 * index), rate.on_send(ms(10 * index), index * BYTES, BYTES)))
        .collect();
    for (at, snapshot) in &sent {
        rate.on_delivered(ms(100), snapshot, *at, BYTES);
    }
    let sample = rate.take_sample(ms(100), Some(Duration::from_millis(10))).unwrap();
    assert_eq!(sample.interval, Duration::from_millis(100));
    assert_eq!(sample.delivered, 10_000);
}

#[test]
fn idle_time_is_not_the_networks() {
    let mut rate = DeliveryRate::new();
    for start in [0, 60_000] {
        let sent = burst(&mut rate, ms(start), 2);
        for snapshot in &sent {
            rate.on_delivered(ms(start + 10), snapshot, ms(start), BYTES);
        }
        let sample = rate.take_sample(ms(start + 10), None).unwrap();
        assert_eq!((sample.interval, sample.delivered), (Duration::from_millis(10), 2000));
    }
}

#[test]
fn a_sample_faster_than_the_shortest_round_trip_is_not_believed() {
    let mut rate = DeliveryRate::new();
    let snapshot = burst(&mut rate, ms(0), 1)[0];
    rate.on_delivered(ms(5), &snapshot, ms(0), BYTES);
    assert_eq!(rate.take_sample(ms(5), Some(Duration::from_millis(20))), None);
    assert_eq!(rate.delivered(), 1000, "what arrived counts all the same");
    assert_eq!(
        rate.take_sample(ms(6), None),
        None,
        "an ACK that delivers nothing measures nothing"
    );
}

#[test]
fn the_last_segment_sent_is_the_one_measured() {
    let mut rate = DeliveryRate::new();
    let first = rate.on_send(ms(0), 0, BYTES);
    let second = rate.on_send(ms(7), BYTES, BYTES);
    // SACK delivers them in the order of the sequence space, not of time.
    rate.on_delivered(ms(30), &second, ms(7), BYTES);
    rate.on_delivered(ms(30), &first, ms(0), BYTES);
    let sample = rate.take_sample(ms(30), None).unwrap();
    assert_eq!(sample.tx_in_flight, 2000);
}

#[test]
fn what_is_sent_while_the_application_lags_is_marked_until_it_has_arrived() {
    let mut rate = DeliveryRate::new();
    let full = rate.on_send(ms(0), 0, BYTES);
    rate.on_app_limited(BYTES);
    assert!(rate.is_app_limited());
    let lagging = rate.on_send(ms(1), BYTES, BYTES);
    rate.on_delivered(ms(20), &full, ms(0), BYTES);
    assert!(!rate.take_sample(ms(20), None).unwrap().is_app_limited);
    assert!(rate.is_app_limited(), "what was under way then is not yet past");
    rate.on_delivered(ms(21), &lagging, ms(1), BYTES);
    assert!(rate.take_sample(ms(21), None).unwrap().is_app_limited);
    assert!(!rate.is_app_limited());
    let later = rate.on_send(ms(22), 0, BYTES);
    rate.on_delivered(ms(42), &later, ms(22), BYTES);
    assert!(!rate.take_sample(ms(42), None).unwrap().is_app_limited);
}

#[test]
fn losses_are_counted_from_the_sending_of_each_segment() {
    let mut rate = DeliveryRate::new();
    let sent = burst(&mut rate, ms(0), 3);
    assert_eq!(rate.on_lost(&sent[0], BYTES).lost, 1000);
    let later = rate.on_send(ms(20), 2 * BYTES, BYTES);
    let lost = rate.on_lost(&sent[1], BYTES);
    assert_eq!((lost.lost, lost.tx_in_flight), (2000, 2000));
    rate.on_delivered(ms(40), &later, ms(20), BYTES);
    assert_eq!(rate.take_sample(ms(40), None).unwrap().lost, 1000);
    assert_eq!(rate.lost(), 2000);
}
