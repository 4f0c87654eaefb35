//! The IPv6 header (RFC 8200 §3) and the walk over its extension headers (§4).
//!
//! The walk takes a bounded number of steps within the packet's own length. It refuses fragments,
//! jumbograms, source routes that have not ended, and whatever says that a node that does not know
//! it must drop the packet.

use std::net::Ipv6Addr;

use super::ip::Header;
use super::{Malformed, length_field, read_u16, write_u16, write_u32};

/// Byte offsets of the fields.
const VERSION_CLASS_FLOW: usize = 0;
const PAYLOAD_LENGTH: usize = 4;
const NEXT_HEADER: usize = 6;
const HOP_LIMIT: usize = 7;
const SOURCE: usize = 8;
const DESTINATION: usize = 24;

/// Both addresses, as the pseudo-header takes them.
pub(super) const ADDRESSES: std::ops::Range<usize> = SOURCE..HEADER_LEN;

/// Length of the fixed header.
pub(super) const HEADER_LEN: usize = 40;

/// Extension headers, by their Next Header values.
const HOP_BY_HOP_OPTIONS: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// Byte offsets inside an extension header, and the unit of its length.
const EXTENSION_LENGTH: usize = 1;
const EXTENSION_OPTIONS: usize = 2;
const ROUTING_SEGMENTS_LEFT: usize = 3;
const FRAGMENT_OFFSET_AND_MORE: usize = 2;
const EXTENSION_UNIT: usize = 8;

/// Offset and M flag of a Fragment header, without its two reserved bits.
const FRAGMENT_MASK: u16 = 0xfff9;

/// More extension headers than any honest packet has: RFC 8200 §4.1 names six places for them.
const MAX_EXTENSION_HEADERS: usize = 8;

/// An option that is one byte of padding.
const OPTION_PAD1: u8 = 0;

/// Reads the headers of a whole packet.
pub(super) fn parse(packet: &[u8]) -> Result<Header, Malformed> {
    check_fixed_header(packet)?;
    let end = HEADER_LEN + usize::from(read_u16(packet, PAYLOAD_LENGTH));
    // A jumbogram (RFC 2675) says 0 here and ends as `Length` or `ExtensionHeaders` below.
    fields(packet.get(..end).ok_or(Malformed::Truncated)?)
}

/// Reads the headers of a packet that an ICMP error quotes: it may be cut off after them.
pub(super) fn parse_quoted(quoted: &[u8]) -> Result<Header, Malformed> {
    check_fixed_header(quoted)?;
    fields(quoted)
}

fn check_fixed_header(packet: &[u8]) -> Result<(), Malformed> {
    if packet.len() < HEADER_LEN {
        return Err(Malformed::Truncated);
    }
    if packet[VERSION_CLASS_FLOW] >> 4 != 6 {
        return Err(Malformed::Version);
    }
    Ok(())
}

fn fields(packet: &[u8]) -> Result<Header, Malformed> {
    let (protocol, header_len) = transport(packet)?;
    Ok(Header {
        src: address(packet, SOURCE),
        dst: address(packet, DESTINATION),
        protocol,
        ttl: packet[HOP_LIMIT],
        traffic_class: (read_u16(packet, VERSION_CLASS_FLOW) >> 4) as u8,
        header_len,
        payload_len: packet.len() - header_len,
    })
}

fn address(packet: &[u8], at: usize) -> std::net::IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&packet[at..at + 16]);
    Ipv6Addr::from(octets).into()
}

/// Walks the extension headers: the transport protocol, and where it starts.
fn transport(packet: &[u8]) -> Result<(u8, usize), Malformed> {
    let mut next = packet[NEXT_HEADER];
    let mut at = HEADER_LEN;
    for _ in 0..=MAX_EXTENSION_HEADERS {
        if !matches!(next, HOP_BY_HOP_OPTIONS | ROUTING | FRAGMENT | DESTINATION_OPTIONS) {
            return Ok((next, at));
        }
        let extension = extension(next, &packet[at..])?;
        check_extension(next, extension, at == HEADER_LEN)?;
        next = extension[0];
        at += extension.len();
    }
    Err(Malformed::ExtensionHeaders)
}

/// The bytes of the extension header of type `kind` that `rest` starts with.
fn extension(kind: u8, rest: &[u8]) -> Result<&[u8], Malformed> {
    let units = match kind {
        FRAGMENT => 0, // the field is reserved there
        _ => usize::from(*rest.get(EXTENSION_LENGTH).ok_or(Malformed::Length)?),
    };
    rest.get(..(units + 1) * EXTENSION_UNIT).ok_or(Malformed::Length)
}

/// Whether the packet may be used although this extension header is only stepped over.
fn check_extension(kind: u8, extension: &[u8], is_first: bool) -> Result<(), Malformed> {
    let may_skip = match kind {
        // RFC 8200 §4: hop-by-hop options anywhere but first are an error.
        HOP_BY_HOP_OPTIONS => is_first && options_may_be_skipped(&extension[EXTENSION_OPTIONS..]),
        DESTINATION_OPTIONS => options_may_be_skipped(&extension[EXTENSION_OPTIONS..]),
        // RFC 8200 §4.4: an unknown routing header is ignored only when no segment is left.
        ROUTING => extension[ROUTING_SEGMENTS_LEFT] == 0,
        // RFC 8200 §4.5: offset 0 and no more fragments is a whole packet, processed as such.
        _ if read_u16(extension, FRAGMENT_OFFSET_AND_MORE) & FRAGMENT_MASK != 0 => {
            return Err(Malformed::Fragment);
        }
        _ => true,
    };
    if may_skip { Ok(()) } else { Err(Malformed::ExtensionHeaders) }
}

/// RFC 8200 §4.2: the two highest bits of an option's type say whether a node that does not know
/// it skips it (00) or drops the packet.
fn options_may_be_skipped(mut options: &[u8]) -> bool {
    loop {
        options = match options {
            [] => return true,
            [OPTION_PAD1, rest @ ..] => rest,
            [kind, len, rest @ ..] if kind >> 6 == 0 && rest.len() >= usize::from(*len) => {
                &rest[usize::from(*len)..]
            }
            _ => return false,
        };
    }
}

/// The fixed header's bytes, for `header.payload_len` bytes of transport. The flow label is 0.
pub(super) fn bytes(src: Ipv6Addr, dst: Ipv6Addr, header: &Header) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    write_u32(&mut bytes, VERSION_CLASS_FLOW, 6 << 28 | u32::from(header.traffic_class) << 20);
    set_payload_len(&mut bytes, header.payload_len);
    bytes[NEXT_HEADER] = header.protocol;
    bytes[HOP_LIMIT] = header.ttl;
    bytes[SOURCE..DESTINATION].copy_from_slice(&src.octets());
    bytes[DESTINATION..].copy_from_slice(&dst.octets());
    bytes
}

/// Writes the length of what follows the fixed header into it.
pub(super) fn set_payload_len(header: &mut [u8], payload_len: usize) {
    write_u16(header, PAYLOAD_LENGTH, length_field(payload_len));
}
