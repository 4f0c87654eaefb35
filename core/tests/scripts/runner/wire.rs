//! Packets as bytes, written and read here from the RFCs alone: the judge does not lean on the code
//! that it judges. What the stack sends has its lengths and checksums verified.

use std::net::{IpAddr, SocketAddr};

use super::packet::{Cookie, IcmpKind, Ip, RST, TcpOption};

const TCP: u8 = 6;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// A TCP segment with the numbers of the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u16,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    pub(crate) options: Vec<TcpOption>,
    pub(crate) payload: Vec<u8>,
}

/// A TCP packet that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) ip: Ip,
    pub(crate) segment: Segment,
}

/// A TCP packet as bytes.
pub(crate) fn tcp_packet(
    from: SocketAddr,
    to: SocketAddr,
    ip: &Ip,
    segment: &Segment,
) -> Result<Vec<u8>, String> {
    let options = option_bytes(&segment.options)?;
    let offset = 20 + options.len();
    let mut tcp = Vec::with_capacity(offset + segment.payload.len());
    tcp.extend_from_slice(&from.port().to_be_bytes());
    tcp.extend_from_slice(&to.port().to_be_bytes());
    tcp.extend_from_slice(&segment.seq.to_be_bytes());
    tcp.extend_from_slice(&segment.ack.to_be_bytes());
    let field = (offset as u16 / 4) << 12 | segment.flags;
    tcp.extend_from_slice(&field.to_be_bytes());
    tcp.extend_from_slice(&segment.window.to_be_bytes());
    tcp.extend_from_slice(&[0, 0]);
    tcp.extend_from_slice(&segment.urgent.to_be_bytes());
    tcp.extend_from_slice(&options);
    tcp.extend_from_slice(&segment.payload);
    let mut sum = !ones_complement(pseudo_header(from.ip(), to.ip(), TCP, tcp.len()), &tcp);
    if ip.bad_checksum {
        sum ^= 0x5555;
    }
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    Ok(ip_packet(from.ip(), to.ip(), ip, TCP, &tcp))
}

/// An ICMP error that a router sends to `from` about a segment with number `seq` on its way to `to`.
pub(crate) fn icmp_packet(
    from: SocketAddr,
    to: SocketAddr,
    kind: IcmpKind,
    mtu: u32,
    seq: u32,
    len: u32,
) -> Result<Vec<u8>, String> {
    let mut quoted = vec![0; 20];
    quoted[..2].copy_from_slice(&from.port().to_be_bytes());
    quoted[2..4].copy_from_slice(&to.port().to_be_bytes());
    quoted[4..8].copy_from_slice(&seq.to_be_bytes());
    quoted[12] = 0x50;
    // A router quotes what fits; the numbers are in the first eight bytes (RFC 792).
    quoted.resize(20 + len as usize, 0);
    let mut quoted = ip_packet(from.ip(), to.ip(), &Ip::default(), TCP, &quoted);
    quoted.truncate(64);
    let (kind, code) = icmp_numbers(kind, from.is_ipv4())?;
    let mut message = vec![kind, code, 0, 0];
    message.extend_from_slice(&mtu.to_be_bytes());
    message.extend_from_slice(&quoted);
    // The router's word comes in the peer's name: that is as good as any (RFC 5927 §4).
    let (src, dst) = (to.ip(), from.ip());
    let (protocol, sum) = match src {
        IpAddr::V4(_) => (ICMP, 0),
        IpAddr::V6(_) => (ICMPV6, pseudo_header(src, dst, ICMPV6, message.len())),
    };
    let sum = !ones_complement(sum, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    Ok(ip_packet(src, dst, &Ip::default(), protocol, &message))
}

/// Type and code.
fn icmp_numbers(kind: IcmpKind, is_v4: bool) -> Result<(u8, u8), String> {
    Ok(match (kind, is_v4) {
        (IcmpKind::NetUnreachable, true) => (3, 0),
        (IcmpKind::HostUnreachable, true) => (3, 1),
        (IcmpKind::ProtocolUnreachable, true) => (3, 2),
        (IcmpKind::PortUnreachable, true) => (3, 3),
        (IcmpKind::FragNeeded, true) => (3, 4),
        (IcmpKind::PacketFiltered, true) => (3, 13),
        (IcmpKind::SourceQuench, true) => (4, 0),
        (IcmpKind::TimeExceeded, true) => (11, 0),
        (IcmpKind::ParameterProblem, true) => (12, 0),
        (IcmpKind::NetUnreachable, false) => (1, 0),
        (IcmpKind::PacketFiltered, false) => (1, 1),
        (IcmpKind::HostUnreachable, false) => (1, 3),
        (IcmpKind::PortUnreachable, false) => (1, 4),
        (IcmpKind::FragNeeded, false) => (2, 0),
        (IcmpKind::TimeExceeded, false) => (3, 0),
        (IcmpKind::ParameterProblem, false) => (4, 0),
        (IcmpKind::ProtocolUnreachable | IcmpKind::SourceQuench, false) => {
            return Err(format!("ICMPv6 has no {kind:?}: the script needs --ip_version=ipv4"));
        }
    })
}

fn ip_packet(src: IpAddr, dst: IpAddr, ip: &Ip, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let traffic_class = ip.dscp.unwrap_or(0) | ip.ecn.unwrap_or(0);
    let ttl = ip.ttl.unwrap_or(64);
    let mut packet = Vec::with_capacity(40 + payload.len());
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            packet.extend_from_slice(&[0x45, traffic_class]);
            packet.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
            // No fragments: id 0, DF.
            packet.extend_from_slice(&[0, 0, 0x40, 0, ttl, protocol, 0, 0]);
            packet.extend_from_slice(&src.octets());
            packet.extend_from_slice(&dst.octets());
            let sum = !ones_complement(0, &packet);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            packet.extend_from_slice(&[0x60 | traffic_class >> 4, traffic_class << 4, 0, 0]);
            packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            packet.extend_from_slice(&[protocol, ttl]);
            packet.extend_from_slice(&src.octets());
            packet.extend_from_slice(&dst.octets());
        }
        _ => unreachable!("both ends of a script are of one family"),
    }
    packet.extend_from_slice(payload);
    packet
}

/// The options as bytes, filled up to a multiple of four with ends of list.
fn option_bytes(options: &[TcpOption]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for option in options {
        let (kind, value) = match option {
            TcpOption::EndOfList => {
                bytes.push(0);
                continue;
            }
            TcpOption::NoOperation => {
                bytes.push(1);
                continue;
            }
            TcpOption::Raw(raw) => {
                bytes.extend_from_slice(raw);
                continue;
            }
            TcpOption::Mss(mss) => (2, mss.to_be_bytes().to_vec()),
            TcpOption::WindowScale(shift) => (3, vec![*shift]),
            TcpOption::SackPermitted => (4, vec![]),
            TcpOption::Sack(blocks) => (
                5,
                blocks
                    .iter()
                    .flat_map(|(left, right)| [*left, *right])
                    .flat_map(u32::to_be_bytes)
                    .collect(),
            ),
            TcpOption::Timestamps { value, echo } => {
                (8, [*value, *echo].into_iter().flat_map(u32::to_be_bytes).collect())
            }
            TcpOption::FastOpen(Cookie::Request) => (34, vec![]),
            TcpOption::FastOpen(Cookie::Bytes(cookie)) => (34, cookie.clone()),
            TcpOption::FastOpen(Cookie::Named(name)) => {
                return Err(format!("no cookie `${name}` was seen so far"));
            }
            TcpOption::Other { kind, value } => (*kind, value.clone()),
        };
        bytes.extend_from_slice(&[kind, 2 + value.len() as u8]);
        bytes.extend_from_slice(&value);
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    if bytes.len() > 40 { Err("more than 40 bytes of options".into()) } else { Ok(bytes) }
}

/// Reads a packet that the stack sent.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(packet: &[u8]) -> Result<Sent, String> {
    let (ip, src, dst, protocol, transport) = match packet.first().map(|byte| byte >> 4) {
        Some(4) => read_v4(packet)?,
        Some(6) => read_v6(packet)?,
        _ => return Err("neither IPv4 nor IPv6".into()),
    };
    if protocol != TCP {
        return Err(format!("a packet of protocol {protocol}"));
    }
    let offset = transport.get(12).map_or(0, |byte| usize::from(byte >> 4) * 4);
    if transport.len() < 20 || offset < 20 || offset > transport.len() {
        return Err("the TCP header does not fit".into());
    }
    if ones_complement(pseudo_header(src, dst, TCP, transport.len()), transport) != 0xffff {
        return Err("the TCP checksum is wrong".into());
    }
    let flags = u16_at(transport, 12) & 0xfff;
    let segment = Segment {
        seq: u32_at(transport, 4),
        ack: u32_at(transport, 8),
        flags,
        window: u16_at(transport, 14),
        urgent: u16_at(transport, 18),
        options: read_options(&transport[20..offset])?,
        payload: transport[offset..].to_vec(),
    };
    if segment.flags & RST != 0 && !segment.payload.is_empty() {
        return Err("a RST with text".into());
    }
    let from = SocketAddr::new(src, u16_at(transport, 0));
    let to = SocketAddr::new(dst, u16_at(transport, 2));
    Ok(Sent { from, to, ip, segment })
}

type Network<'a> = (Ip, IpAddr, IpAddr, u8, &'a [u8]);

fn read_v4(packet: &[u8]) -> Result<Network<'_>, String> {
    if packet.len() < 20 || packet[0] != 0x45 || usize::from(u16_at(packet, 2)) != packet.len() {
        return Err("the IPv4 header's lengths are wrong".into());
    }
    if ones_complement(0, &packet[..20]) != 0xffff {
        return Err("the IPv4 header checksum is wrong".into());
    }
    let address = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).unwrap());
    Ok((ip_of(packet[1], packet[8]), address(12), address(16), packet[9], &packet[20..]))
}

fn read_v6(packet: &[u8]) -> Result<Network<'_>, String> {
    if packet.len() < 40 || usize::from(u16_at(packet, 4)) != packet.len() - 40 {
        return Err("the IPv6 header's length is wrong".into());
    }
    let traffic_class = packet[0] << 4 | packet[1] >> 4;
    let address = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).unwrap());
    Ok((ip_of(traffic_class, packet[7]), address(8), address(24), packet[6], &packet[40..]))
}

fn ip_of(traffic_class: u8, ttl: u8) -> Ip {
    let (ecn, dscp) = (Some(traffic_class & 3), Some(traffic_class & 0xfc));
    Ip { ecn, dscp, ttl: Some(ttl), bad_checksum: false }
}

fn read_options(mut bytes: &[u8]) -> Result<Vec<TcpOption>, String> {
    let mut options = Vec::new();
    loop {
        match bytes {
            [] => return Ok(options),
            [0, rest @ ..] => (options.push(TcpOption::EndOfList), bytes = rest).0,
            [1, rest @ ..] => (options.push(TcpOption::NoOperation), bytes = rest).0,
            [kind, len, ..] if *len >= 2 && usize::from(*len) <= bytes.len() => {
                let (option, rest) = bytes.split_at(usize::from(*len));
                options.push(read_option(*kind, &option[2..]));
                bytes = rest;
            }
            _ => return Err("the options' lengths are wrong".into()),
        }
    }
}

fn read_option(kind: u8, value: &[u8]) -> TcpOption {
    match (kind, value) {
        (2, [high, low]) => TcpOption::Mss(u16::from_be_bytes([*high, *low])),
        (3, [shift]) => TcpOption::WindowScale(*shift),
        (4, []) => TcpOption::SackPermitted,
        (5, blocks) if blocks.len().is_multiple_of(8) => {
            let block = |bytes: &[u8]| (u32_at(bytes, 0), u32_at(bytes, 4));
            TcpOption::Sack(blocks.chunks_exact(8).map(block).collect())
        }
        (8, value) if value.len() == 8 => {
            TcpOption::Timestamps { value: u32_at(value, 0), echo: u32_at(value, 4) }
        }
        (34, []) => TcpOption::FastOpen(Cookie::Request),
        (34, cookie) => TcpOption::FastOpen(Cookie::Bytes(cookie.to_vec())),
        (kind, value) => TcpOption::Other { kind, value: value.to_vec() },
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The sum of the addresses, protocol and length that a transport checksum covers as well
/// (RFC 9293 §3.1, RFC 8200 §8.1).
fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: usize) -> u64 {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    add(add(u64::from(protocol) + len as u64, &octets(src)), &octets(dst))
}

fn add(sum: u64, bytes: &[u8]) -> u64 {
    bytes.chunks(2).fold(sum, |sum, word| {
        sum + u64::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]))
    })
}

/// The ones' complement sum (RFC 1071), not complemented.
fn ones_complement(sum: u64, bytes: &[u8]) -> u16 {
    let mut sum = add(sum, bytes);
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}
