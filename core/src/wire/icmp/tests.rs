use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use smallvec::SmallVec;

use super::super::{Malformed, checksum, ip};
use super::{ErrorKind, Message, Quoted, echo_reply, parse};

/// (us, the peer)
const V4: (IpAddr, IpAddr) =
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)));
const V6: (IpAddr, IpAddr) = (
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)),
);

/// The first 8 bytes of a TCP header: 40000 to 80, sequence number 0x01020304.
const TCP_START: [u8; 8] = [0x9c, 0x40, 0x00, 0x50, 1, 2, 3, 4];

/// The outer header of a message from the peer to us.
fn outer((us, peer): (IpAddr, IpAddr)) -> ip::Header {
    let protocol = if us.is_ipv4() { ip::PROTOCOL_ICMP } else { ip::PROTOCOL_ICMPV6 };
    ip::Header::new(peer, us, protocol, 64, 0)
}

/// A message with a right checksum.
fn message(ip: &ip::Header, kind: u8, code: u8, word: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0][..], &word, data].concat();
    let mut sum = checksum::sum(&message);
    if ip.protocol == ip::PROTOCOL_ICMPV6 {
        let pseudo = checksum::pseudo_header(ip.src, ip.dst, ip.protocol, message.len());
        sum = checksum::add(sum, pseudo);
    }
    message[2..4].copy_from_slice(&checksum::finish(sum).to_be_bytes());
    message
}

/// The packet of ours that an error quotes, `transport` being all that is left of it.
fn quoted_packet((us, peer): (IpAddr, IpAddr), protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut packet = SmallVec::new();
    ip::Header { payload_len: 1480, ..ip::Header::new(us, peer, protocol, 3, 0) }.emit(&mut packet);
    [&packet[..], transport].concat()
}

fn error_kind(ends: (IpAddr, IpAddr), kind: u8, code: u8, word: [u8; 4]) -> ErrorKind {
    let ip = outer(ends);
    let bytes = message(&ip, kind, code, word, &quoted_packet(ends, 6, &TCP_START));
    match parse(&ip, &bytes) {
        Ok(Message::Error { kind, quoted }) => {
            let (src, dst) = ends;
            let expected = Quoted { src, dst, src_port: 40_000, dst_port: 80, seq: 0x0102_0304 };
            assert_eq!(quoted, expected);
            kind
        }
        other => panic!("type {kind} code {code}: {other:?}"),
    }
}

#[test]
fn a_golden_ping_is_read() {
    // Identifier 0x1234, sequence 1, data "abc": 0800 + 1234 + 0001 + 6162 + 6300 = de97.
    let ping = [8, 0, 0x21, 0x68, 0x12, 0x34, 0x00, 0x01, b'a', b'b', b'c'];
    let rest = &ping[4..];
    assert_eq!(parse(&outer(V4), &ping), Ok(Message::EchoRequest { rest }));
}

#[test]
fn a_ping_is_answered_with_its_own_data_in_both_versions() {
    for (ends, request) in [(V4, 8), (V6, 128)] {
        let ip = outer(ends);
        let ping = message(&ip, request, 0, [0xca, 0xfe, 0, 7], b"odd");
        let Ok(Message::EchoRequest { rest }) = parse(&ip, &ping) else { panic!("a ping") };
        let packet = echo_reply(ip.dst, ip.src, rest);
        let reply_ip = ip::Header::parse(&packet).unwrap();
        assert_eq!((reply_ip.src, reply_ip.dst, reply_ip.ttl), (ip.dst, ip.src, 64));
        assert_eq!(reply_ip.header_len + reply_ip.payload_len, packet.len());
        let reply = &packet[reply_ip.header_len..];
        let rest = &[0xca, 0xfe, 0, 7, b'o', b'd', b'd'];
        assert_eq!(parse(&reply_ip, reply), Ok(Message::EchoReply { rest }));
    }
}

#[test]
fn icmpv4_errors_have_their_kinds() {
    use ErrorKind::*;
    for (code, kind) in [
        (0, NetUnreachable),
        (1, HostUnreachable),
        (2, ProtocolUnreachable),
        (3, PortUnreachable),
        (5, Unreachable),
        (6, NetUnreachable),
        (7, HostUnreachable),
        (9, AdminProhibited),
        (13, AdminProhibited),
        (200, Unreachable),
    ] {
        assert_eq!(error_kind(V4, 3, code, [0; 4]), kind);
    }
    assert_eq!(error_kind(V4, 3, 4, [9, 9, 0x05, 0x78]), PacketTooBig { mtu: 1400 });
    assert_eq!(error_kind(V4, 11, 0, [0; 4]), TimeExceeded);
    assert_eq!(error_kind(V4, 12, 0, [9; 4]), ParameterProblem);
}

#[test]
fn icmpv6_errors_have_their_kinds() {
    use ErrorKind::*;
    for (code, kind) in [
        (0, NetUnreachable),
        (1, AdminProhibited),
        (2, HostUnreachable),
        (3, HostUnreachable),
        (4, PortUnreachable),
        (5, AdminProhibited),
        (6, AdminProhibited),
        (200, Unreachable),
    ] {
        assert_eq!(error_kind(V6, 1, code, [0; 4]), kind);
    }
    assert_eq!(error_kind(V6, 2, 0, [0, 1, 0, 0]), PacketTooBig { mtu: 65_536 });
    assert_eq!(error_kind(V6, 3, 0, [0; 4]), TimeExceeded);
    assert_eq!(error_kind(V6, 4, 1, [0; 4]), ParameterProblem);
}

#[test]
fn a_wrong_checksum_is_refused_in_both_versions() {
    for (ends, request) in [(V4, 8), (V6, 128)] {
        let ip = outer(ends);
        let mut ping = message(&ip, request, 0, [0, 1, 0, 1], b"data");
        ping[9] ^= 0x10;
        assert_eq!(parse(&ip, &ping), Err(Malformed::Checksum));
    }
}

#[test]
fn an_error_about_something_else_than_tcp_is_other() {
    for (ends, kind) in [(V4, 3), (V6, 1)] {
        let ip = outer(ends);
        let bytes = message(&ip, kind, 3, [0; 4], &quoted_packet(ends, 17, &TCP_START));
        assert_eq!(parse(&ip, &bytes), Ok(Message::Other));
    }
}

#[test]
fn an_error_that_does_not_quote_the_sequence_number_is_refused() {
    for (ends, kind) in [(V4, 3), (V6, 1)] {
        let ip = outer(ends);
        let packet = quoted_packet(ends, 6, &TCP_START);
        for len in 0..packet.len() {
            let bytes = message(&ip, kind, 3, [0; 4], &packet[..len]);
            assert_eq!(parse(&ip, &bytes), Err(Malformed::Truncated), "{len} bytes quoted");
        }
    }
}

#[test]
fn an_error_that_quotes_a_later_fragment_has_no_ports_and_is_refused() {
    let ip = outer(V4);
    let mut packet = quoted_packet(V4, 6, &TCP_START);
    packet[7] = 8;
    let bytes = message(&ip, 3, 3, [0; 4], &packet);
    assert_eq!(parse(&ip, &bytes), Err(Malformed::Fragment));
}

#[test]
fn an_error_that_quotes_the_other_ip_version_is_refused() {
    for (ends, other, kind) in [(V4, V6, 3), (V6, V4, 1)] {
        let ip = outer(ends);
        let packet = quoted_packet(other, 6, &[TCP_START; 4].concat());
        let bytes = message(&ip, kind, 3, [0; 4], &packet);
        assert_eq!(parse(&ip, &bytes), Err(Malformed::Version));
    }
}

#[test]
fn other_messages_and_the_wrong_version_of_icmp_are_other() {
    let ip = outer(V4);
    for kind in [4, 5, 13] {
        let bytes = message(&ip, kind, 0, [0; 4], &quoted_packet(V4, 6, &TCP_START));
        assert_eq!(parse(&ip, &bytes), Ok(Message::Other));
    }
    let neighbour_solicitation = message(&outer(V6), 135, 0, [0; 4], &[0; 16]);
    assert_eq!(parse(&outer(V6), &neighbour_solicitation), Ok(Message::Other));
    let v4_in_v6 = ip::Header { protocol: ip::PROTOCOL_ICMP, ..outer(V6) };
    assert_eq!(parse(&v4_in_v6, &message(&ip, 8, 0, [0; 4], b"")), Ok(Message::Other));
}

proptest! {
    #[test]
    fn random_messages_with_a_right_checksum_never_panic(
        ends in prop::sample::select(vec![V4, V6]),
        kind in prop::sample::select(vec![0u8, 1, 2, 3, 4, 8, 11, 12, 128, 129]),
        code in 0u8..16,
        first in prop::sample::select(vec![0x45u8, 0x46, 0x4f, 0x60]),
        mut data in prop::collection::vec(0u8..=64, 0..120),
    ) {
        if let Some(byte) = data.first_mut() {
            *byte = first;
        }
        let ip = outer(ends);
        let _ = parse(&ip, &message(&ip, kind, code, [0; 4], &data));
    }

    #[test]
    fn random_bytes_never_panic(
        ends in prop::sample::select(vec![V4, V6]),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let _ = parse(&outer(ends), &bytes);
    }
}
