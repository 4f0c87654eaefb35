//! Super-segments back into the packets that an observer on the wire would see.

use std::net::IpAddr;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::wire::HEADER_CAPACITY;
use crate::wire::packet::{ChecksumField, Frame, Transmit, Verification};
use crate::wire::{checksum, ip};

const PROTOCOL_UDP: u8 = 17;

/// Calls `f` with each packet of wire size in `transmit`, checksums finished.
pub(super) fn split(transmit: Transmit, mut f: impl FnMut(Transmit)) {
    transmit.segments(|mut segment| {
        segment.complete_checksum();
        f(segment);
    });
}

/// A received packet as one to send. Where a device vouched for the checksum, the field may hold
/// the pseudo-header's sum or the final value; it is put back to the former, so that it can be finished.
pub(super) fn into_transmit(frame: Frame) -> Transmit {
    let frame = frame.into_contiguous();
    match transport(&frame) {
        Some((ip, header_len, offset)) if frame.verification == Verification::Verified => {
            with_partial_checksum(&frame, ip, header_len, offset)
        }
        _ => separate(&frame.front, frame.front.len().min(HEADER_CAPACITY), 0),
    }
}

/// Where the transport header starts and ends and where in it the checksum is, if it is one of TCP or UDP.
fn transport(frame: &Frame) -> Option<(ip::Header, usize, usize)> {
    let packet = &frame.front;
    let header = ip::Header::parse(packet).ok()?;
    let segment = packet.get(header.header_len..header.header_len + header.payload_len)?;
    let (len, offset) = match header.protocol {
        ip::PROTOCOL_TCP => (usize::from(segment.get(12)? >> 4) * 4, 16),
        PROTOCOL_UDP => (8, 6),
        _ => return None,
    };
    (len > offset && len <= segment.len()).then_some((header, header.header_len + len, offset))
}

fn with_partial_checksum(
    frame: &Frame,
    ip: ip::Header,
    header_len: usize,
    offset: usize,
) -> Transmit {
    let end = ip.header_len + ip.payload_len;
    // Bytes behind the IP packet's end would be summed too.
    let mut transmit = separate(&frame.front.slice(..end), header_len, frame.gso_size);
    if ip.protocol != ip::PROTOCOL_TCP || ip.header_len != plain_header_len(ip.src) {
        // Only TCP is ever split, and only behind an IP header without options.
        transmit.gso_size = 0;
    }
    let sum = checksum::pseudo_header(ip.src, ip.dst, ip.protocol, ip.payload_len);
    let field = ip.header_len + offset;
    transmit.header[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    transmit.checksum = ChecksumField::Partial {
        start: u16::try_from(ip.header_len).unwrap_or(u16::MAX),
        offset: u16::try_from(offset).unwrap_or(u16::MAX),
    };
    transmit
}

fn plain_header_len(address: IpAddr) -> usize {
    if address.is_ipv4() { 20 } else { 40 }
}

fn separate(packet: &Bytes, header_len: usize, gso_size: u16) -> Transmit {
    let payload = packet.slice(header_len..);
    Transmit {
        header: SmallVec::from_slice(&packet[..header_len]),
        payload: payload.into(),
        gso_size,
        checksum: ChecksumField::Complete,
        reason: None,
    }
}
