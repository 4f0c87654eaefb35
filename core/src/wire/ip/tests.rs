use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use smallvec::SmallVec;

use super::super::fragment::Fragment;
use super::super::{Malformed, Problem, ProblemKind, checksum};
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
        identification: None,
        header_len: 20,
        payload_len: 95,
    };
    assert_eq!(header, expected);
    assert_eq!(emit(&header), GOLDEN_V4);
}

#[test]
fn the_ipv6_header_has_the_traffic_class_across_two_bytes() {
    // RFC 8200 §3.
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

/// The golden packet with these options.
fn with_options(options: &[u8]) -> Vec<u8> {
    changed_v4(|p| {
        p[0] = 0x45 + (options.len() / 4) as u8;
        p[20..20 + options.len()].copy_from_slice(options);
    })
}

// RFC 9293 §3.9.2 (MUST-50): options that are not understood are ignored, whatever they say.
#[test]
fn ipv4_options_are_stepped_over() {
    // RFC 9293 §3.9.2 (MUST-50).
    let header = Header::parse(&changed_v4(|p| p[0] = 0x4f)).unwrap();
    assert_eq!((header.header_len, header.payload_len), (60, 55));
    let timestamp = [68, 8, 5, 0, 1, 2, 3, 4];
    let record_route = [7, 7, 4, 0, 0, 0, 0, 1];
    let unknown_between = [1, 222, 2, 1, 0, 99, 99, 99]; // after the end of the list: anything
    for options in [timestamp, record_route, unknown_between] {
        assert_eq!(Header::parse(&with_options(&options)).unwrap().header_len, 28);
    }
}

#[test]
fn ipv4_source_routes_are_refused_loose_and_strict() {
    for kind in [131, 137] {
        let route = [1, kind, 7, 4, 10, 0, 0, 1];
        assert_eq!(Header::parse(&with_options(&route)), Err(Malformed::SourceRoute));
    }
}

#[test]
fn an_ipv4_option_of_impossible_length_is_a_problem_at_its_place() {
    for (options, pointer) in
        [([222, 0, 0, 0], 20), ([1, 222, 1, 0], 21), ([1, 222, 4, 0], 21), ([1, 1, 1, 222], 23)]
    {
        let problem = Problem { kind: ProblemKind::ErroneousField, pointer };
        let refused = Err(Malformed::Problem(problem));
        assert_eq!(Header::parse(&with_options(&options)), refused, "{options:?}");
    }
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
fn ipv4_fragments_are_no_packets_first_middle_and_last() {
    for fragment in [[0x20, 0x00], [0x20, 0x10], [0x00, 0x10]] {
        let packet = changed_v4(|p| p[6..8].copy_from_slice(&fragment));
        assert_eq!(Header::parse(&packet), Err(Malformed::Fragment));
    }
    let without_df = changed_v4(|p| p[6] = 0);
    assert!(Header::parse(&without_df).is_ok());
}

#[test]
fn ipv6_extension_headers_lead_to_the_transport() {
    // RFC 8200 §3, §4.
    let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0]; // router alert, PadN
    let destination = [43, 1, 1, 4, 0, 0, 0, 0, 30, 1, 0, 1, 3, 0, 0, 0]; // PadN, unknown, PadN
    let routing = [44, 0, 99, 0, 0, 0, 0, 0]; // unknown type, no segment left
    let atomic_fragment = [PROTOCOL_TCP, 0, 0, 0, 1, 2, 3, 4];
    let all = [&hop_by_hop[..], &destination, &routing, &atomic_fragment, &[0; 20]].concat();
    let header = Header::parse(&v6(0, &all)).unwrap();
    assert_eq!((header.protocol, header.header_len, header.payload_len), (PROTOCOL_TCP, 80, 20));
}

#[test]
fn ipv6_fragments_are_no_packets() {
    for fragment in [[0x00, 0x01], [0x00, 0x08], [0x01, 0x01]] {
        let extension = [PROTOCOL_TCP, 0, fragment[0], fragment[1], 0, 0, 0, 1];
        assert_eq!(Header::parse(&v6(44, &extension)), Err(Malformed::Fragment));
    }
}

/// An extension header of one unit whose options are these.
fn options(next: u8, options: [u8; 6]) -> Vec<u8> {
    [&[next, 0][..], &options].concat()
}

// RFC 8200 §4.2: the two highest bits of an unknown option's type.
#[test]
fn an_unknown_ipv6_option_is_skipped_dropped_or_a_problem_as_its_high_bits_say() {
    // RFC 8200 §4.2.
    let walk = |kind| Header::parse(&v6(60, &options(PROTOCOL_TCP, [0, kind, 3, 9, 9, 9])));
    assert!(walk(0x1e).is_ok());
    assert_eq!(walk(0x5e), Err(Malformed::ExtensionHeaders));
    for kind in [0x9e, 0xde] {
        let problem = Problem { kind: ProblemKind::UnrecognizedOption, pointer: 43 };
        assert_eq!(walk(kind), Err(Malformed::Problem(problem)));
    }
}

#[test]
fn ipv6_extension_headers_that_must_be_understood_are_problems_at_their_place() {
    // RFC 8200 §4.1, §4.4.
    let unfinished_route = [PROTOCOL_TCP, 0, 0, 1, 0, 0, 0, 0]; // RFC 5095: type 0
    let jumbo = options(PROTOCOL_TCP, [0xc2, 4, 0, 1, 0, 0]);
    let second =
        [options(0, [1, 4, 0, 0, 0, 0]), options(PROTOCOL_TCP, [1, 4, 0, 0, 0, 0])].concat();
    for (next, after, kind, pointer) in [
        (43, &unfinished_route[..], ProblemKind::ErroneousField, 42),
        (0, &jumbo, ProblemKind::UnrecognizedOption, 42),
        (60, &second, ProblemKind::UnrecognizedNextHeader, 40),
        (0, &second, ProblemKind::UnrecognizedNextHeader, 40),
    ] {
        let refused = Err(Malformed::Problem(Problem { kind, pointer }));
        assert_eq!(Header::parse(&v6(next, after)), refused, "{after:?}");
    }
}

#[test]
fn ipv6_options_are_bounded_in_number_and_in_padding() {
    let many = |count: usize| {
        let units = (2 + 2 * count).div_ceil(8);
        let mut header = vec![PROTOCOL_TCP, (units - 1) as u8];
        header.extend([0x1e, 0].repeat(count));
        header.resize(units * 8, 0);
        Header::parse(&v6(60, &header))
    };
    assert!(many(8).is_ok());
    assert_eq!(many(9), Err(Malformed::ExtensionHeaders));
    let long_padding = [PROTOCOL_TCP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let carrying_padding = options(PROTOCOL_TCP, [1, 4, 0, 0, 7, 0]);
    let past_the_end = options(PROTOCOL_TCP, [1, 5, 0, 0, 0, 0]);
    for header in
        [&long_padding[..], &[PROTOCOL_TCP, 1].repeat(8), &carrying_padding, &past_the_end]
    {
        assert_eq!(Header::parse(&v6(60, header)), Err(Malformed::ExtensionHeaders), "{header:?}");
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
        identification: Option<u16>,
    ) {
        let header_len = if src.is_ipv4() { 20 } else { 40 };
        let identification = identification.filter(|_| src.is_ipv4());
        let header = Header {
            header_len, payload_len, identification, ..Header::new(src, dst, PROTOCOL_TCP, ttl, traffic_class)
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
            prop_assert!(Header::protocol_field(&packet) < header.header_len);
        }
        if let Ok(fragment) = Fragment::parse(&packet) {
            prop_assert!(fragment.header.header_len + fragment.header.payload_len <= packet.len());
            prop_assert!(fragment.end() <= 0xffff && fragment.header.payload_len > 0);
        }
    }

    #[test]
    fn random_bytes_never_panic(packet in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (Header::parse(&packet), Fragment::parse(&packet), Header::addresses(&packet));
    }
}
