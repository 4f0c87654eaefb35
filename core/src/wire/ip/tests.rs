use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use smallvec::SmallVec;

use super::super::{Malformed, checksum};
use super::{Header, PROTOCOL_TCP};

/// A header from 192.168.0.1 to 192.168.0.199, UDP, 95 bytes, its checksum 0xb861 known from print.
const GOLDEN_V4: [u8; 20] = [
    0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 192, 168, 0, 1, 192,
    168, 0, 199,
];

fn golden_v4() -> Vec<u8> {
    [&GOLDEN_V4[..], &[0; 95]].concat()
}

/// The golden packet with `change` made and its header checksum right again.
fn changed_v4(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut packet = golden_v4();
    change(&mut packet);
    packet[10..12].fill(0);
    let header_len = (usize::from(packet[0] & 0x0f) * 4).min(packet.len());
    let sum = checksum::finish(checksum::sum(&packet[..header_len]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// An IPv6 packet whose first Next Header is `next`, with `after` behind the fixed header.
fn v6(next: u8, after: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, after.len() as u8, next, 64];
    packet.extend_from_slice(&Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).octets());
    packet.extend_from_slice(&Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2).octets());
    packet.extend_from_slice(after);
    packet
}

fn emit(header: &Header) -> Vec<u8> {
    let mut out = SmallVec::new();
    header.emit(&mut out);
    out.to_vec()
}

#[test]
fn the_golden_ipv4_header_is_read_and_written() {
    let header = Header::parse(&golden_v4()).unwrap();
    let expected = Header {
        src: [192, 168, 0, 1].into(),
        dst: [192, 168, 0, 199].into(),
        protocol: 17,
        ttl: 64,
        traffic_class: 0,
        header_len: 20,
        payload_len: 95,
    };
    assert_eq!(header, expected);
    assert_eq!(emit(&header), GOLDEN_V4);
}

#[test]
fn the_ipv6_header_has_the_traffic_class_across_two_bytes() {
    let (src, dst) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
    let header = Header { payload_len: 0x0102, ..Header::new(src, dst, PROTOCOL_TCP, 63, 0xab) };
    let bytes = emit(&header);
    assert_eq!(bytes[..8], [0x6a, 0xb0, 0, 0, 0x01, 0x02, 6, 63]);
    assert_eq!(bytes[8..24], "fd00::1".parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(bytes[24..], "fd00::2".parse::<Ipv6Addr>().unwrap().octets());
}

#[test]
fn bytes_after_the_packet_are_not_part_of_it() {
    let packet = [&golden_v4()[..], b"ethernet padding"].concat();
    assert_eq!(Header::parse(&packet).unwrap().payload_len, 95);
    let packet = [&v6(PROTOCOL_TCP, &[0; 20])[..], b"more"].concat();
    assert_eq!(Header::parse(&packet).unwrap().payload_len, 20);
}

#[test]
fn a_packet_cut_off_anywhere_is_truncated() {
    for packet in [golden_v4(), v6(PROTOCOL_TCP, &[0; 20])] {
        for len in 0..packet.len() {
            assert_eq!(Header::parse(&packet[..len]), Err(Malformed::Truncated), "{len} bytes");
        }
    }
}

#[test]
fn other_versions_are_refused() {
    for version in (0..16).filter(|v| ![4, 6].contains(v)) {
        let mut packet = golden_v4();
        packet[0] = version << 4 | 5;
        assert_eq!(Header::parse(&packet), Err(Malformed::Version));
    }
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    let short_ihl = changed_v4(|p| p[0] = 0x44);
    assert_eq!(Header::parse(&short_ihl), Err(Malformed::Length));
    let total_below_header = changed_v4(|p| p[2..4].copy_from_slice(&[0, 19]));
    assert_eq!(Header::parse(&total_below_header), Err(Malformed::Length));
}

#[test]
fn ipv4_options_are_stepped_over() {
    // RFC 9293 §3.9.2 (MUST-50).
    let header = Header::parse(&changed_v4(|p| p[0] = 0x4f)).unwrap();
    assert_eq!((header.header_len, header.payload_len), (60, 55));
}

#[test]
fn a_damaged_ipv4_header_is_never_read_as_ipv4() {
    for bit in 0..160 {
        let mut packet = golden_v4();
        packet[bit / 8] ^= 1 << (bit % 8);
        // One flip turns version 4 into 6, whose header has no checksum: there the pseudo-header
        // in the transport's checksum is what protects the addresses.
        let is_now_ipv6 = packet[0] >> 4 == 6;
        assert!(Header::parse(&packet).is_err() || is_now_ipv6, "bit {bit}");
    }
}

#[test]
fn ipv4_fragments_are_refused_first_middle_and_last() {
    for fragment in [[0x20, 0x00], [0x20, 0x10], [0x00, 0x10]] {
        let packet = changed_v4(|p| p[6..8].copy_from_slice(&fragment));
        assert_eq!(Header::parse(&packet), Err(Malformed::Fragment));
    }
    let without_df = changed_v4(|p| p[6] = 0);
    assert!(Header::parse(&without_df).is_ok());
}

#[test]
fn ipv6_extension_headers_lead_to_the_transport() {
    let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0]; // router alert, PadN
    let destination = [43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // PadN over all
    let routing = [44, 0, 99, 0, 0, 0, 0, 0]; // unknown type, no segment left
    let atomic_fragment = [PROTOCOL_TCP, 0, 0, 0, 1, 2, 3, 4];
    let all = [&hop_by_hop[..], &destination, &routing, &atomic_fragment, &[0; 20]].concat();
    let header = Header::parse(&v6(0, &all)).unwrap();
    assert_eq!((header.protocol, header.header_len, header.payload_len), (PROTOCOL_TCP, 80, 20));
}

#[test]
fn ipv6_fragments_are_refused() {
    for fragment in [[0x00, 0x01], [0x00, 0x08], [0x01, 0x01]] {
        let extension = [PROTOCOL_TCP, 0, fragment[0], fragment[1], 0, 0, 0, 1];
        assert_eq!(Header::parse(&v6(44, &extension)), Err(Malformed::Fragment));
    }
}

#[test]
fn ipv6_extension_headers_that_must_be_understood_are_refused() {
    let unfinished_route = [PROTOCOL_TCP, 0, 0, 1, 0, 0, 0, 0];
    let unknown_option = [PROTOCOL_TCP, 0, 0x80, 4, 0, 0, 0, 0];
    let jumbo_option = [PROTOCOL_TCP, 0, 0xc2, 4, 0, 1, 0, 0];
    let option_past_the_end = [PROTOCOL_TCP, 0, 1, 5, 0, 0, 0, 0];
    let hop_by_hop_second = [0, 0, 1, 4, 0, 0, 0, 0, PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0];
    for (next, after) in [
        (43, &unfinished_route[..]),
        (60, &unknown_option),
        (0, &jumbo_option),
        (60, &option_past_the_end),
        (60, &hop_by_hop_second),
    ] {
        assert_eq!(Header::parse(&v6(next, after)), Err(Malformed::ExtensionHeaders));
    }
}

#[test]
fn the_walk_over_ipv6_extension_headers_ends() {
    let padding = [60, 0, 1, 4, 0, 0, 0, 0];
    let ends = [&padding.repeat(7)[..], &[PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0]].concat();
    assert_eq!(Header::parse(&v6(60, &ends)).unwrap().header_len, 40 + 64);
    assert_eq!(Header::parse(&v6(60, &padding.repeat(20))), Err(Malformed::ExtensionHeaders));
}

#[test]
fn an_ipv6_extension_header_past_the_payload_is_refused() {
    assert_eq!(Header::parse(&v6(60, &[])), Err(Malformed::Length));
    assert_eq!(Header::parse(&v6(60, &[6, 1, 1, 4, 0, 0, 0, 0])), Err(Malformed::Length));
    // The bytes are in the buffer, but not in the packet.
    let mut packet = v6(60, &[6, 0, 1, 4, 0, 0, 0, 0]);
    packet[5] = 0;
    assert_eq!(Header::parse(&packet), Err(Malformed::Length));
}

fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    prop_oneof![
        any::<(Ipv4Addr, Ipv4Addr)>().prop_map(|(src, dst)| (src.into(), dst.into())),
        any::<(Ipv6Addr, Ipv6Addr)>().prop_map(|(src, dst)| (src.into(), dst.into())),
    ]
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(
        (src, dst) in addresses(), ttl: u8, traffic_class: u8, payload_len in 0usize..=65_515,
    ) {
        let header_len = if src.is_ipv4() { 20 } else { 40 };
        let header = Header {
            header_len, payload_len, ..Header::new(src, dst, PROTOCOL_TCP, ttl, traffic_class)
        };
        let mut packet = emit(&header);
        packet.resize(header_len + payload_len, 0);
        prop_assert_eq!(Header::parse(&packet), Ok(header));
    }

    #[test]
    fn whatever_parses_lies_inside_the_packet(
        version in prop::sample::select(vec![0x45u8, 0x46, 0x60, 0x6f]),
        next in prop::sample::select(vec![0u8, 6, 43, 44, 58, 60]),
        mut packet in prop::collection::vec(0u8..=70, 1..200),
    ) {
        packet[0] = version;
        if let Some(field) = packet.get_mut(6) {
            *field = if version >> 4 == 6 { next } else { 0 };
        }
        if let Ok(header) = Header::parse(&packet) {
            prop_assert!(header.header_len + header.payload_len <= packet.len());
        }
    }

    #[test]
    fn random_bytes_never_panic(packet in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Header::parse(&packet);
    }
}
