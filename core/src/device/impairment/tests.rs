use proptest::prelude::*;

use super::*;
use crate::wire::ip::Ecn;
use crate::wire::{checksum, ip, tcp};

const MS: Duration = Duration::from_millis(1);

fn ms(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

/// A segment that carries its number, and a super-segment if `gso_size` is less than `len`.
fn segment(seq: u32, len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header { src_port: 1, dst_port: 2, seq, ..Default::default() };
    Transmit::tcp(ip, &tcp, bytes::Bytes::from(vec![7; len]).into(), gso_size, None)
}

fn seq_of(transmit: &Transmit) -> u32 {
    u32::from_be_bytes(transmit.header[24..28].try_into().unwrap())
}

/// Runs the link until it is empty: arrival and sequence number of each packet.
fn drain(queue: &mut ImpairmentQueue) -> Vec<(Instant, u32)> {
    let mut arrived = Vec::new();
    while let Some(due) = queue.next_deadline() {
        let transmit = queue.take_due(due).expect("a packet is due at its deadline");
        arrived.push((due, seq_of(&transmit)));
    }
    arrived
}

fn is_intact(transmit: &Transmit) -> bool {
    let bytes = transmit.to_bytes();
    let ip = ip::Header::parse(&bytes).expect("the IP header is spared");
    checksum::verify_transport_checksum(&ip, &bytes[ip.header_len..])
}

#[test]
fn a_perfect_link_passes_a_super_segment_whole_and_at_once() {
    let mut queue = ImpairmentQueue::new(Impairment::NONE, 1);
    queue.offer(ms(5), segment(1, 3000, 1000));
    let transmit = queue.take_due(ms(5)).unwrap();
    assert_eq!((transmit.payload.len(), transmit.gso_size), (3000, 1000));
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn any_impairment_judges_packets_of_wire_size() {
    let mut queue = ImpairmentQueue::new(Impairment { delay: MS, ..Impairment::NONE }, 1);
    queue.offer(ms(0), segment(1, 2500, 1000));
    assert_eq!(drain(&mut queue), [(ms(1), 1), (ms(1), 1001), (ms(1), 2001)]);
}

#[test]
fn the_bottleneck_spaces_packets_and_drops_what_its_queue_does_not_hold() {
    let rate = Some(8_000_000);
    let mut queue = ImpairmentQueue::new(Impairment { rate, limit: 2, ..Impairment::NONE }, 1);
    for seq in 0..3 {
        // 1000 bytes with headers: 1 ms each.
        queue.offer(ms(0), segment(seq, 960, 0));
    }
    assert_eq!(drain(&mut queue), [(ms(1), 0), (ms(2), 1)]);
    assert_eq!(queue.counts().overflowed, 1);
    // The first is through, so one more has room, behind the second.
    queue.offer(ms(1), segment(3, 960, 0));
    assert_eq!(drain(&mut queue), [(ms(3), 3)]);
}

/// A packet over IPv4 or IPv6 with that ECN codepoint.
fn with_ecn(src: &str, dst: &str, ecn: Ecn) -> Transmit {
    let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
    // DSCP AF11 beside it.
    let traffic_class = 0b0010_1000 | ecn.bits();
    let ip = ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, traffic_class);
    Transmit::tcp(ip, &tcp::Header::default(), bytes::Bytes::from(vec![7; 500]).into(), 0, None)
}

#[test]
fn a_bottleneck_marks_what_understands_marks_once_enough_waits() {
    // RFC 3168 §5: ECT(0) and ECT(1) become CE; the rest of the header stays, and its checksum fits.
    let link = Impairment { rate: Some(8_000_000), ecn: Some(2), ..Impairment::NONE };
    for (src, dst) in [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")] {
        for ecn in [Ecn::Ect0, Ecn::Ect1, Ecn::NotEct] {
            let mut queue = ImpairmentQueue::new(link, 1);
            for _ in 0..4 {
                queue.offer(ms(0), with_ecn(src, dst, ecn));
            }
            let mut seen = Vec::new();
            while let Some(due) = queue.next_deadline() {
                let transmit = queue.take_due(due).unwrap();
                assert!(is_intact(&transmit));
                let header = ip::Header::parse(&transmit.to_bytes()).unwrap();
                assert_eq!(header.traffic_class >> 2, 0b00_1010);
                seen.push(header.ecn());
            }
            let marked = if ecn == Ecn::NotEct { Ecn::NotEct } else { Ecn::Ce };
            assert_eq!(seen, [ecn, ecn, marked, marked]);
            assert_eq!(queue.counts().marked, if marked == Ecn::Ce { 2 } else { 0 });
        }
    }
}

#[test]
fn on_a_link_with_delay_a_reordered_packet_overtakes() {
    let link = Impairment { delay: 10 * MS, ..Impairment::NONE };
    let mut queue = ImpairmentQueue::new(link, 1);
    queue.offer(ms(0), segment(1, 1, 0));
    queue.set_impairment(Impairment { reorder: 1.0, ..link });
    queue.offer(ms(1), segment(2, 1, 0));
    assert_eq!(drain(&mut queue), [(ms(1), 2), (ms(10), 1)]);
}

#[test]
fn on_a_link_without_delay_a_reordered_packet_is_overtaken() {
    let mut queue = ImpairmentQueue::new(Impairment { reorder: 1.0, ..Impairment::NONE }, 1);
    queue.offer(ms(0), segment(1, 1, 0));
    queue.set_impairment(Impairment { duplicate: 1e-300, ..Impairment::NONE });
    queue.offer(ms(0), segment(2, 1, 0));
    assert_eq!(drain(&mut queue), [(ms(0), 2), (ms(0) + REORDER_HOLD, 1)]);
}

#[test]
fn one_flipped_bit_never_passes_the_checksum_and_spares_the_send_buffer() {
    let mut queue = ImpairmentQueue::new(Impairment { corrupt: 1.0, ..Impairment::NONE }, 3);
    let original = segment(9, 700, 0);
    for _ in 0..500 {
        queue.offer(ms(0), original.clone());
        let damaged = queue.take_due(ms(0)).unwrap();
        assert!(!is_intact(&damaged));
        let frame = damaged.into_frame();
        assert_eq!(frame.verification, crate::wire::packet::Verification::Unverified);
        assert!(original.payload.slices()[0].iter().all(|byte| *byte == 7));
    }
    assert_eq!(queue.counts().corrupted, 500);
}

#[test]
fn turning_up_one_impairment_leaves_the_choices_of_the_others() {
    let arrivals = |duplicate| {
        let link = Impairment { loss: 0.3, delay: MS, duplicate, ..Impairment::NONE };
        let mut queue = ImpairmentQueue::new(link, 11);
        for seq in 0..200 {
            queue.offer(ms(0), segment(seq, 1, 0));
        }
        let mut seqs: Vec<u32> = drain(&mut queue).into_iter().map(|(_, seq)| seq).collect();
        seqs.dedup();
        seqs
    };
    assert_eq!(arrivals(0.0), arrivals(0.5));
}

#[test]
fn chances_come_out_about_as_often_as_asked() {
    let link = Impairment { loss: 0.05, duplicate: 0.02, reorder: 0.1, ..Impairment::NONE };
    let mut queue = ImpairmentQueue::new(link, 5);
    for seq in 0..20_000 {
        queue.offer(ms(u64::from(seq)), segment(seq, 1, 0));
    }
    let counts = queue.counts();
    assert!((900..1100).contains(&counts.lost), "{counts:?}");
    assert!((330..430).contains(&counts.duplicated), "{counts:?}");
    assert!((1800..2000).contains(&counts.reordered), "{counts:?}");
}

#[test]
fn settings_read_as_people_write_them() {
    let mut link = Impairment::NONE;
    for (key, value) in [
        ("loss", "1%"),
        ("delay", "20ms"),
        ("jitter", "150us"),
        ("reorder", "0.05"),
        ("duplicate", "2.5%"),
        ("corrupt", "0"),
        ("rate", "1.5gbit"),
        ("limit", "50"),
        ("ecn", "20"),
    ] {
        link.set(key, value).unwrap();
    }
    let expected = Impairment {
        loss: 0.01,
        delay: 20 * MS,
        jitter: Duration::from_micros(150),
        reorder: 0.05,
        duplicate: 0.025,
        corrupt: 0.0,
        rate: Some(1_500_000_000),
        limit: 50,
        ecn: Some(20),
    };
    assert_eq!(link, expected);
}

#[test]
fn a_bad_setting_names_the_key_and_what_would_be_right() {
    let mut link = Impairment::NONE;
    for (key, value, expected) in [
        ("loss", "101%", PROBABILITY_HINT),
        ("loss", "-1", PROBABILITY_HINT),
        ("loss", "nan", PROBABILITY_HINT),
        ("corrupt", "", PROBABILITY_HINT),
        ("delay", "20", "a time such as"),
        ("delay", "1e9s", "a time such as"),
        ("jitter", "2h", "a time such as"),
        ("rate", "100", "a rate such as"),
        ("rate", "0mbit", "a rate such as"),
        ("limit", "0", "a number of packets"),
        ("ecn", "0", "a number of packets"),
        ("latency", "1ms", "one of loss, delay"),
    ] {
        let message = link.set(key, value).unwrap_err().to_string();
        assert!(message.starts_with(&format!("`{key}={value}`: expected {expected}")), "{message}");
    }
    assert!(link.is_none());
}

const PROBABILITY_HINT: &str = "a probability such as";

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1.0f64]
}

prop_compose! {
    fn impairment()(
        loss in probability(), duplicate in probability(), corrupt in probability(),
        reorder in probability(), delay in 0u64..50, jitter in 0u64..80,
        rate in prop::option::of(1_000_000u64..1_000_000_000), limit in 1usize..20,
    ) -> Impairment {
        Impairment { loss, delay: delay as u32 * MS, jitter: jitter as u32 * MS, reorder, duplicate, corrupt, rate, limit, ecn: Some(limit / 2) }
    }
}

proptest! {
    #[test]
    fn the_same_seed_gives_the_same_link(link in impairment(), seed: u64, gaps in prop::collection::vec(0u64..20, 1..60)) {
        let run = || {
            let mut queue = ImpairmentQueue::new(link, seed);
            let mut now = 0;
            for (seq, gap) in gaps.iter().enumerate() {
                now += gap;
                queue.offer(ms(now), segment(seq as u32, 100, 0));
            }
            (queue.counts(), drain(&mut queue))
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn without_reordering_packets_keep_their_order_and_every_one_is_accounted_for(
        link in impairment(), seed: u64, gaps in prop::collection::vec(0u64..20, 1..60),
    ) {
        let link = Impairment { reorder: 0.0, corrupt: 0.0, ..link };
        let mut queue = ImpairmentQueue::new(link, seed);
        let mut now = 0;
        for (seq, gap) in gaps.iter().enumerate() {
            now += gap;
            queue.offer(ms(now), segment(seq as u32, 100, 0));
        }
        let arrived = drain(&mut queue);
        prop_assert!(arrived.is_sorted());
        let counts = queue.counts();
        let entered = gaps.len() as u64 - counts.lost - counts.overflowed;
        prop_assert_eq!(arrived.len() as u64, entered + counts.duplicated);
    }
}
