//! What a router says of a packet for a host that is not there: ICMP destination unreachable,
//! host (RFC 792) or address (RFC 4443 §3.1), with the packet's header quoted.

use std::net::IpAddr;

use smallvec::SmallVec;

use crate::wire::{checksum, ip};

/// What is quoted at most: the longest headers that the stack sends. With it an answer stays below the
/// 576 bytes of RFC 1812 §4.3.2.3.
const QUOTED_MAX: usize = 128;

/// The answer, a whole packet; None where none may be sent (RFC 1122 §3.2.2): about another ICMP
/// message, a multicast or a broadcast. `sent` is the packet from its IP header on, cut off anywhere
/// after the transport's header.
pub(super) fn answer_to(sent: &[u8]) -> Option<Vec<u8>> {
    let (src, dst, protocol) = addresses(sent)?;
    let is_broadcast = matches!(dst, IpAddr::V4(dst) if dst.is_broadcast());
    if dst.is_multicast() || is_broadcast || is_icmp(protocol) {
        return None;
    }
    // Type, code, checksum, and 4 unused bytes.
    let (icmp, kind, code) = match src {
        IpAddr::V4(_) => (ip::PROTOCOL_ICMP, 3, 1),
        IpAddr::V6(_) => (ip::PROTOCOL_ICMPV6, 1, 3),
    };
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&sent[..sent.len().min(QUOTED_MAX)]);
    let mut sum = checksum::sum(&message);
    if src.is_ipv6() {
        let pseudo_header = checksum::pseudo_header(src, src, icmp, message.len());
        sum = checksum::concat(pseudo_header, 0, sum);
    }
    message[2..4].copy_from_slice(&checksum::finish(sum).to_be_bytes());
    // The sender itself is the router: it found nobody on its link.
    let mut packet = SmallVec::new();
    ip::Header { payload_len: message.len(), ..ip::Header::new(src, src, icmp, 64, 0) }
        .emit(&mut packet);
    packet.extend_from_slice(&message);
    Some(packet.into_vec())
}

/// Whom the packet is for; None: it is no IP packet.
pub(super) fn destination(packet: &[u8]) -> Option<IpAddr> {
    addresses(packet).map(|(_, dst, _)| dst)
}

/// From whom and for whom, and the protocol. Only the fixed header is looked at, since what is behind
/// a sent packet's header need not be in the same slice.
fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8)> {
    match packet.first()? >> 4 {
        4 => {
            let src: [u8; 4] = *packet.get(12..)?.first_chunk()?;
            let dst: [u8; 4] = *packet.get(16..)?.first_chunk()?;
            Some((src.into(), dst.into(), packet[9]))
        }
        6 => {
            let src: [u8; 16] = *packet.get(8..)?.first_chunk()?;
            let dst: [u8; 16] = *packet.get(24..)?.first_chunk()?;
            Some((src.into(), dst.into(), packet[6]))
        }
        _ => None,
    }
}

fn is_icmp(protocol: u8) -> bool {
    matches!(protocol, ip::PROTOCOL_ICMP | ip::PROTOCOL_ICMPV6)
}
