//! The IPv4 header (RFC 791 §3.1). Options are stepped over; fragments are refused.

use std::net::Ipv4Addr;

use super::ip::Header;
use super::{Malformed, checksum, length_field, read_u16, read_u32, write_u16};

/// Byte offsets of the fields.
const VERSION_AND_IHL: usize = 0;
const TYPE_OF_SERVICE: usize = 1;
const TOTAL_LENGTH: usize = 2;
const FLAGS_AND_FRAGMENT_OFFSET: usize = 6;
const TIME_TO_LIVE: usize = 8;
const PROTOCOL: usize = 9;
const HEADER_CHECKSUM: usize = 10;
const SOURCE: usize = 12;
const DESTINATION: usize = 16;

/// Both addresses, as the pseudo-header takes them.
pub(super) const ADDRESSES: std::ops::Range<usize> = SOURCE..HEADER_LEN;

/// Length of a header without options.
pub(super) const HEADER_LEN: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET_MASK: u16 = 0x1fff;

/// Reads and verifies the header of a whole packet.
pub(super) fn parse(packet: &[u8]) -> Result<Header, Malformed> {
    let header_len = header_len(packet)?;
    let total_len = usize::from(read_u16(packet, TOTAL_LENGTH));
    if total_len < header_len {
        return Err(Malformed::Length);
    }
    if total_len > packet.len() {
        return Err(Malformed::Truncated);
    }
    if !checksum::verify(&packet[..header_len]) {
        return Err(Malformed::Checksum);
    }
    let fragment = read_u16(packet, FLAGS_AND_FRAGMENT_OFFSET);
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK) != 0 {
        return Err(Malformed::Fragment);
    }
    Ok(fields(packet, header_len, total_len - header_len))
}

/// Reads the header of a packet that an ICMP error quotes: it may be cut off anywhere after the
/// header, and routers on its way may have left its checksum wrong.
pub(super) fn parse_quoted(quoted: &[u8]) -> Result<Header, Malformed> {
    let header_len = header_len(quoted)?;
    // Only the first fragment has the ports.
    if read_u16(quoted, FLAGS_AND_FRAGMENT_OFFSET) & FRAGMENT_OFFSET_MASK != 0 {
        return Err(Malformed::Fragment);
    }
    Ok(fields(quoted, header_len, quoted.len() - header_len))
}

/// The header's length by its IHL field, all of it being there: options are stepped over (RFC 9293
/// §3.9.2, MUST-50).
fn header_len(packet: &[u8]) -> Result<usize, Malformed> {
    if packet.len() < HEADER_LEN {
        return Err(Malformed::Truncated);
    }
    if packet[VERSION_AND_IHL] >> 4 != 4 {
        return Err(Malformed::Version);
    }
    let header_len = usize::from(packet[VERSION_AND_IHL] & 0x0f) * 4;
    if header_len < HEADER_LEN {
        return Err(Malformed::Length);
    }
    if header_len > packet.len() {
        return Err(Malformed::Truncated);
    }
    Ok(header_len)
}

fn fields(packet: &[u8], header_len: usize, payload_len: usize) -> Header {
    Header {
        src: Ipv4Addr::from_bits(read_u32(packet, SOURCE)).into(),
        dst: Ipv4Addr::from_bits(read_u32(packet, DESTINATION)).into(),
        protocol: packet[PROTOCOL],
        ttl: packet[TIME_TO_LIVE],
        traffic_class: packet[TYPE_OF_SERVICE],
        header_len,
        payload_len,
    }
}

/// The header's bytes, for `header.payload_len` bytes of transport.
pub(super) fn bytes(src: Ipv4Addr, dst: Ipv4Addr, header: &Header) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[VERSION_AND_IHL] = 4 << 4 | (HEADER_LEN / 4) as u8;
    bytes[TYPE_OF_SERVICE] = header.traffic_class;
    // The identification stays 0: with DF set nobody uses it (RFC 6864 §4.1).
    write_u16(&mut bytes, FLAGS_AND_FRAGMENT_OFFSET, DONT_FRAGMENT);
    bytes[TIME_TO_LIVE] = header.ttl;
    bytes[PROTOCOL] = header.protocol;
    bytes[SOURCE..DESTINATION].copy_from_slice(&src.octets());
    bytes[DESTINATION..].copy_from_slice(&dst.octets());
    set_total_len(&mut bytes, HEADER_LEN + header.payload_len);
    bytes
}

/// Writes the packet's length into `header` (all of it and nothing else) and completes the header's
/// checksum.
pub(super) fn set_total_len(header: &mut [u8], total_len: usize) {
    write_u16(header, TOTAL_LENGTH, length_field(total_len));
    write_u16(header, HEADER_CHECKSUM, 0);
    let sum = checksum::sum(header);
    write_u16(header, HEADER_CHECKSUM, checksum::finish(sum));
}
