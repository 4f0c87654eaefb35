//! The IPv4 header (RFC 791 §3.1). Options are stepped over, but for source routes, which are
//! refused; a fragment is told from a whole packet.

use std::net::{IpAddr, Ipv4Addr};

use super::fragment::{Fragment, Layout};
use super::ip::{Header, PROTOCOL_TCP};
use super::{Malformed, ProblemKind, checksum, length_field, read_u16, read_u32, write_u16};

/// Byte offsets of the fields.
const VERSION_AND_IHL: usize = 0;
const TYPE_OF_SERVICE: usize = 1;
pub(super) const TOTAL_LENGTH: usize = 2;
pub(super) const IDENTIFICATION: usize = 4;
pub(super) const FLAGS_AND_FRAGMENT_OFFSET: usize = 6;
const TIME_TO_LIVE: usize = 8;
pub(super) const PROTOCOL: usize = 9;
pub(super) const HEADER_CHECKSUM: usize = 10;
const SOURCE: usize = 12;
const DESTINATION: usize = 16;

/// Both addresses, as the pseudo-header takes them.
pub(super) const ADDRESSES: std::ops::Range<usize> = SOURCE..HEADER_LEN;

/// Length of a header without options.
pub(super) const HEADER_LEN: usize = 20;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET_MASK: u16 = 0x1fff;

/// Options (RFC 791 §3.1).
const OPTION_END: u8 = 0;
const OPTION_NO_OPERATION: u8 = 1;
const OPTION_LOOSE_SOURCE_ROUTE: u8 = 131;
const OPTION_STRICT_SOURCE_ROUTE: u8 = 137;

/// Reads and verifies the header of a whole packet.
pub(super) fn parse(front: &[u8], len: usize) -> Result<Header, Malformed> {
    let header = verified(front, len)?;
    if read_u16(front, FLAGS_AND_FRAGMENT_OFFSET) & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK) != 0 {
        return Err(Malformed::Fragment);
    }
    Ok(header)
}

/// Whether it is a whole TCP segment behind a header without options whose checksum is right.
pub(super) fn is_plain(packet: &[u8]) -> bool {
    packet.len() >= HEADER_LEN
        && packet[VERSION_AND_IHL] == 4 << 4 | (HEADER_LEN / 4) as u8
        && read_u16(packet, FLAGS_AND_FRAGMENT_OFFSET) & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK)
            == 0
        && packet[PROTOCOL] == PROTOCOL_TCP
        && checksum::verify(&packet[..HEADER_LEN])
}

/// Reads and verifies the header of a fragment.
pub(super) fn parse_fragment(packet: &[u8]) -> Result<Fragment, Malformed> {
    let header = verified(packet, packet.len())?;
    let field = read_u16(packet, FLAGS_AND_FRAGMENT_OFFSET);
    let offset = usize::from(field & FRAGMENT_OFFSET_MASK) * 8;
    let more = field & MORE_FRAGMENTS != 0;
    // RFC 791 §3.2: all but the last are whole units of 8 bytes, and no whole is longer than the
    // length field can say.
    let is_broken = more && !header.payload_len.is_multiple_of(8);
    let end = header.header_len + offset + header.payload_len;
    if header.payload_len == 0 || is_broken || end > usize::from(u16::MAX) {
        return Err(Malformed::Length);
    }
    let identification = read_u16(packet, IDENTIFICATION).into();
    Ok(Fragment { header, identification, offset, more, layout: Layout::V4 })
}

/// Makes the first fragment's header, with which `packet` begins, the header of the whole.
pub(super) fn make_whole(packet: &mut [u8], header_len: usize, congestion_experienced: bool) {
    if congestion_experienced {
        packet[TYPE_OF_SERVICE] |= 3;
    }
    write_u16(packet, FLAGS_AND_FRAGMENT_OFFSET, 0);
    let total_len = packet.len();
    set_total_len(&mut packet[..header_len], total_len);
}

/// Reads and verifies the header of a packet or a fragment of `len` bytes, with which `front` begins.
fn verified(front: &[u8], len: usize) -> Result<Header, Malformed> {
    let header_len = header_len(front)?;
    let total_len = usize::from(read_u16(front, TOTAL_LENGTH));
    if total_len < header_len {
        return Err(Malformed::Length);
    }
    if total_len > len {
        return Err(Malformed::Truncated);
    }
    if !checksum::verify(&front[..header_len]) {
        return Err(Malformed::Checksum);
    }
    check_options(&front[..header_len])?;
    Ok(fields(front, header_len, total_len - header_len))
}

/// Options mean nothing to this host, and are ignored whatever they say (RFC 1122 §3.2.1.8,
/// RFC 9293 §3.9.2, MUST-50). A source route is refused, as Linux does unless told otherwise:
/// nothing honest bears one, and who may write one decides where the answers go.
fn check_options(header: &[u8]) -> Result<(), Malformed> {
    let mut at = HEADER_LEN;
    while at < header.len() {
        at += match header[at] {
            OPTION_END => return Ok(()),
            OPTION_NO_OPERATION => 1,
            OPTION_LOOSE_SOURCE_ROUTE | OPTION_STRICT_SOURCE_ROUTE => {
                return Err(Malformed::SourceRoute);
            }
            _ => match header.get(at + 1).map(|len| usize::from(*len)) {
                Some(len) if len >= 2 && at + len <= header.len() => len,
                _ => return Err(ProblemKind::ErroneousField.at(at)),
            },
        };
    }
    Ok(())
}

/// Source and destination, if the fixed header is there.
pub(super) fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let header = fields(packet.get(..HEADER_LEN)?, HEADER_LEN, 0);
    Some((header.src, header.dst))
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
        identification: (read_u16(packet, FLAGS_AND_FRAGMENT_OFFSET) & DONT_FRAGMENT == 0)
            .then(|| read_u16(packet, IDENTIFICATION)),
        header_len,
        payload_len,
    }
}

/// The header's bytes, for `header.payload_len` bytes of transport.
pub(super) fn bytes(src: Ipv4Addr, dst: Ipv4Addr, header: &Header) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[VERSION_AND_IHL] = 4 << 4 | (HEADER_LEN / 4) as u8;
    bytes[TYPE_OF_SERVICE] = header.traffic_class;
    match header.identification {
        Some(identification) => write_u16(&mut bytes, IDENTIFICATION, identification),
        // The identification stays 0: with DF set nobody uses it (RFC 6864 §4.1).
        None => write_u16(&mut bytes, FLAGS_AND_FRAGMENT_OFFSET, DONT_FRAGMENT),
    }
    bytes[TIME_TO_LIVE] = header.ttl;
    bytes[PROTOCOL] = header.protocol;
    bytes[SOURCE..DESTINATION].copy_from_slice(&src.octets());
    bytes[DESTINATION..].copy_from_slice(&dst.octets());
    set_total_len(&mut bytes, HEADER_LEN + header.payload_len);
    bytes
}

/// Whether packets made of one have each an identification of its own: routers may cut them.
pub(super) fn is_numbered(header: &[u8]) -> bool {
    read_u16(header, FLAGS_AND_FRAGMENT_OFFSET) & DONT_FRAGMENT == 0
}

/// Gives the `index`th packet made of one its own identification, where it has any. The caller
/// completes the header's checksum.
pub(super) fn set_index(header: &mut [u8], index: usize) {
    if is_numbered(header) {
        let identification = read_u16(header, IDENTIFICATION).wrapping_add(index as u16);
        write_u16(header, IDENTIFICATION, identification);
    }
}

/// Writes the packet's length into `header` (all of it and nothing else) and completes the header's
/// checksum.
pub(super) fn set_total_len(header: &mut [u8], total_len: usize) {
    write_u16(header, TOTAL_LENGTH, length_field(total_len));
    write_u16(header, HEADER_CHECKSUM, 0);
    let sum = checksum::sum(header);
    write_u16(header, HEADER_CHECKSUM, checksum::finish(sum));
}
