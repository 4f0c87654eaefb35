//! A TCP segment out of an IP packet of which perhaps only the beginning was kept. Headers are read
//! by the stack's own `wire`; what a sending machine leaves to its network card is filled in first.

use std::net::SocketAddr;

use tcpstack::wire::tcp::{self, Flags};
use tcpstack::wire::{Malformed, checksum, ip};

use super::Skipped;

/// Fields of the IPv4 header, by their offsets.
const TOTAL_LENGTH: usize = 2;
const HEADER_CHECKSUM: usize = 10;
/// The shortest and the longest header of IPv4 and of TCP.
const LEAST_HEADER: usize = 20;
const MOST_HEADER: usize = 60;
/// Where the length of the TCP header stands, in its upper four bits, in units of four bytes.
const DATA_OFFSET: usize = 12;

/// A segment as it was on the wire, and what was kept of it.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    pub(super) src: SocketAddr,
    pub(super) dst: SocketAddr,
    pub(super) header: tcp::Header,
    /// The header's bytes that were kept.
    pub(super) header_bytes: &'a [u8],
    /// The payload's bytes that were kept.
    pub(super) payload: &'a [u8],
    /// How long the payload was.
    pub(super) len: usize,
    /// The header's length by its data offset.
    pub(super) header_len: usize,
    /// Whether the checksum is right; none: it cannot be known, as bytes are missing.
    pub(super) is_intact: Option<bool>,
}

impl<'a> Segment<'a> {
    /// Reads the segment in `packet`, the kept part of an IP packet of `len` bytes.
    pub(super) fn read(packet: &'a [u8], len: usize) -> Result<Segment<'a>, Skipped> {
        let ip = ip_header(packet, len)?;
        if ip.protocol != ip::PROTOCOL_TCP {
            return Err(Skipped::NotTcp);
        }
        let kept = packet.get(ip.header_len..).ok_or(Skipped::CutShort)?;
        let kept = &kept[..kept.len().min(ip.payload_len)];
        let is_whole = kept.len() == ip.payload_len;
        if kept.len() < LEAST_HEADER {
            return Err(Skipped::cut_or(is_whole, Malformed::Truncated));
        }
        let header_len = usize::from(kept[DATA_OFFSET] >> 4) * 4;
        if header_len < LEAST_HEADER || header_len > ip.payload_len {
            return Err(Skipped::Malformed(Malformed::Length));
        }
        // Options that were not kept count as none.
        let header_bytes = &kept[..kept.len().min(header_len)];
        let mut padded = [0; MOST_HEADER];
        padded[..header_bytes.len()].copy_from_slice(header_bytes);
        let (header, _) = tcp::Header::parse(&padded[..header_len]).map_err(Skipped::Malformed)?;
        Ok(Segment {
            src: SocketAddr::new(ip.src, header.src_port),
            dst: SocketAddr::new(ip.dst, header.dst_port),
            header,
            header_bytes,
            payload: kept.get(header_len..).unwrap_or_default(),
            len: ip.payload_len - header_len,
            header_len,
            is_intact: is_whole.then(|| checksum::verify_transport_checksum(&ip, kept)),
        })
    }

    /// How much of the sequence space it takes: SYN and FIN count as one each (RFC 9293 §3.4).
    pub(super) fn sequence_len(&self) -> u64 {
        let flag = |flag| u64::from(self.header.flags.contains(flag));
        self.len as u64 + flag(Flags::SYN) + flag(Flags::FIN)
    }
}

/// The IP header of a packet that was `len` bytes long.
fn ip_header(packet: &[u8], len: usize) -> Result<ip::Header, Skipped> {
    let is_whole = packet.len() >= len;
    let refused = |malformed: Malformed| match malformed {
        Malformed::Fragment => Skipped::Fragment,
        Malformed::Truncated => Skipped::cut_or(is_whole, malformed),
        _ => Skipped::Malformed(malformed),
    };
    // How much was kept says nothing about the packet: the header's own length counts.
    let any = usize::MAX;
    if packet.first().is_none_or(|first| first >> 4 != 4) {
        return ip::Header::parse_front(packet, any).map_err(refused);
    }
    let header_len = usize::from(packet[0] & 0x0f) * 4;
    let kept = packet.get(..header_len).ok_or(refused(Malformed::Truncated))?;
    if header_len < LEAST_HEADER {
        return Err(Skipped::Malformed(Malformed::Length));
    }
    let mut header = [0; MOST_HEADER];
    let header = &mut header[..header_len];
    header.copy_from_slice(kept);
    // A packet that a network card will cut, and the checksum that it will add: neither is there yet
    // where the sending machine captures.
    if header[TOTAL_LENGTH..TOTAL_LENGTH + 2] == [0, 0] {
        let total = u16::try_from(len).unwrap_or(u16::MAX);
        header[TOTAL_LENGTH..TOTAL_LENGTH + 2].copy_from_slice(&total.to_be_bytes());
    }
    header[HEADER_CHECKSUM..HEADER_CHECKSUM + 2].fill(0);
    let sum = checksum::finish(checksum::sum(header));
    header[HEADER_CHECKSUM..HEADER_CHECKSUM + 2].copy_from_slice(&sum.to_be_bytes());
    ip::Header::parse_front(header, any).map_err(refused)
}
