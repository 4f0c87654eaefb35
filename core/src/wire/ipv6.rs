//! The IPv6 header (RFC 8200 §3) and the walk over its extension headers (§4).
//!
//! The walk takes a bounded number of steps within the packet's own length, and tells a fragment from
//! a whole packet. It refuses jumbograms, source routes that have not ended, and whatever says that
//! a node that does not know it must drop the packet.

use std::net::{IpAddr, Ipv6Addr};

use super::fragment::{Fragment, Layout};
use super::ip::{Header, PROTOCOL_TCP};
use super::{Malformed, ProblemKind, length_field, read_u16, read_u32, tcp, write_u16, write_u32};

/// Byte offsets of the fields.
const VERSION_CLASS_FLOW: usize = 0;
pub(super) const PAYLOAD_LENGTH: usize = 4;
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
const ROUTING_TYPE: usize = 2;
const ROUTING_SEGMENTS_LEFT: usize = 3;
const FRAGMENT_OFFSET_AND_MORE: usize = 2;
const FRAGMENT_IDENTIFICATION: usize = 4;
const EXTENSION_UNIT: usize = 8;

/// Length of a Fragment header.
pub(super) const FRAGMENT_LEN: usize = EXTENSION_UNIT;

/// The offset (in units of 8 bytes, already in its place) and the M flag of a Fragment header.
const FRAGMENT_OFFSET_MASK: u16 = 0xfff8;
const FRAGMENT_MORE: u16 = 1;

/// More extension headers than any honest packet has: RFC 8200 §4.1 names six places for them.
const MAX_EXTENSION_HEADERS: usize = 8;

/// Most options of one extension header, and most bytes of padding in a row, as on Linux.
const MAX_OPTIONS: u32 = 8;
const MAX_PADDING: usize = 7;

/// Padding: one byte, or as many as the option says.
const OPTION_PAD1: u8 = 0;
const OPTION_PADN: u8 = 1;

/// Whether it is a TCP segment behind a header without extensions.
pub(super) fn is_plain(packet: &[u8]) -> bool {
    packet.len() >= HEADER_LEN && packet[NEXT_HEADER] == PROTOCOL_TCP
}

/// Reads the headers of a whole packet.
pub(super) fn parse(front: &[u8], len: usize) -> Result<Header, Malformed> {
    check_fixed_header(front)?;
    let end = HEADER_LEN + usize::from(read_u16(front, PAYLOAD_LENGTH));
    if end > len {
        return Err(Malformed::Truncated);
    }
    // A jumbogram (RFC 2675) says 0 here and ends as `Length` or `ExtensionHeaders` below.
    let header = fields(&front[..end.min(front.len())])?;
    Ok(Header { payload_len: end - header.header_len, ..header })
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
    let walk = Walk::start(packet).run(packet)?;
    if walk.next == FRAGMENT { Err(Malformed::Fragment) } else { Ok(header(packet, &walk)) }
}

/// What a packet says whose transport starts where the walk has ended.
fn header(packet: &[u8], walk: &Walk) -> Header {
    Header {
        src: address(packet, SOURCE),
        dst: address(packet, DESTINATION),
        protocol: walk.next,
        ttl: packet[HOP_LIMIT],
        traffic_class: (read_u16(packet, VERSION_CLASS_FLOW) >> 4) as u8,
        identification: None,
        header_len: walk.at,
        payload_len: packet.len() - walk.at,
    }
}

fn address(packet: &[u8], at: usize) -> IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&packet[at..at + 16]);
    Ipv6Addr::from(octets).into()
}

/// Where a walk over the extension headers stands.
#[derive(Clone, Copy)]
struct Walk {
    /// What comes next.
    next: u8,
    /// The field that says so.
    named_at: usize,
    /// Where it starts.
    at: usize,
}

impl Walk {
    fn start(packet: &[u8]) -> Walk {
        Walk { next: packet[NEXT_HEADER], named_at: NEXT_HEADER, at: HEADER_LEN }
    }

    /// Goes on to the transport, or to a Fragment header that makes the packet a fragment.
    fn run(mut self, packet: &[u8]) -> Result<Walk, Malformed> {
        for _ in 0..=MAX_EXTENSION_HEADERS {
            match self.next {
                FRAGMENT if is_fragment(extension(FRAGMENT, &packet[self.at..])?) => {
                    return Ok(self);
                }
                HOP_BY_HOP_OPTIONS | ROUTING | FRAGMENT | DESTINATION_OPTIONS => {}
                _ => return Ok(self),
            }
            self.step(packet)?;
        }
        Err(Malformed::ExtensionHeaders)
    }

    /// Steps over one extension header, if the packet may be used although nobody has read it.
    fn step(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        let extension = extension(self.next, &packet[self.at..])?;
        let end = self.at + extension.len();
        match self.next {
            // RFC 8200 §4: a zero anywhere but in the fixed header names nothing.
            HOP_BY_HOP_OPTIONS if self.named_at != NEXT_HEADER => {
                return Err(ProblemKind::UnrecognizedNextHeader.at(self.named_at));
            }
            HOP_BY_HOP_OPTIONS | DESTINATION_OPTIONS => {
                check_options(&packet[..end], self.at + EXTENSION_OPTIONS)?;
            }
            // RFC 8200 §4.4: a routing header of a type not known (type 0 among them, RFC 5095 §3) is
            // ignored only when no segment is left.
            ROUTING if extension[ROUTING_SEGMENTS_LEFT] != 0 => {
                return Err(ProblemKind::ErroneousField.at(self.at + ROUTING_TYPE));
            }
            // RFC 8200 §4.5, RFC 6946 §4: a Fragment header of offset 0 with no more fragments to come
            // is that of a whole packet, processed as such.
            _ => {}
        }
        *self = Walk { next: extension[0], named_at: self.at, at: end };
        Ok(())
    }
}

/// The bytes of the extension header of type `kind` that `rest` starts with.
fn extension(kind: u8, rest: &[u8]) -> Result<&[u8], Malformed> {
    let units = match kind {
        FRAGMENT => 0, // the field is reserved there
        _ => usize::from(*rest.get(EXTENSION_LENGTH).ok_or(Malformed::Length)?),
    };
    rest.get(..(units + 1) * EXTENSION_UNIT).ok_or(Malformed::Length)
}

/// Whether this Fragment header says that there is more before or behind.
fn is_fragment(extension: &[u8]) -> bool {
    read_u16(extension, FRAGMENT_OFFSET_AND_MORE) & (FRAGMENT_OFFSET_MASK | FRAGMENT_MORE) != 0
}

/// RFC 8200 §4.2: the two highest bits of an option's type say whether a node that does not know
/// it skips it (00), drops the packet (01), or drops it and tells the sender (10, 11: to one
/// host, as here, both mean the same). Their number is bounded, and so is padding
/// (RFC 8504 §5.3), which is all zeros or else carries something.
fn check_options(packet: &[u8], mut at: usize) -> Result<(), Malformed> {
    let (mut options, mut padding) = (0, 0);
    while at < packet.len() {
        let kind = packet[at];
        let content = match (kind, packet.get(at + 1)) {
            (OPTION_PAD1, _) => at + 1..at + 1,
            (_, Some(len)) => at + 2..at + 2 + usize::from(*len),
            (_, None) => return Err(Malformed::ExtensionHeaders),
        };
        let end = content.end;
        let Some(content) = packet.get(content) else { return Err(Malformed::ExtensionHeaders) };
        if kind == OPTION_PAD1 || kind == OPTION_PADN {
            padding += end - at;
            if padding > MAX_PADDING || content.iter().any(|byte| *byte != 0) {
                return Err(Malformed::ExtensionHeaders);
            }
        } else {
            padding = 0;
            options += 1;
            match kind >> 6 {
                0 if options <= MAX_OPTIONS => {}
                0 | 1 => return Err(Malformed::ExtensionHeaders),
                _ => return Err(ProblemKind::UnrecognizedOption.at(at)),
            }
        }
        at = end;
    }
    Ok(())
}

/// Reads the headers of a fragment.
pub(super) fn parse_fragment(packet: &[u8]) -> Result<Fragment, Malformed> {
    check_fixed_header(packet)?;
    let end = HEADER_LEN + usize::from(read_u16(packet, PAYLOAD_LENGTH));
    let packet = packet.get(..end).ok_or(Malformed::Truncated)?;
    let walk = Walk::start(packet).run(packet)?;
    if walk.next != FRAGMENT {
        return Err(Malformed::Length);
    }
    let extension = &packet[walk.at..][..EXTENSION_UNIT];
    let field = read_u16(extension, FRAGMENT_OFFSET_AND_MORE);
    let behind = Walk { next: extension[0], named_at: walk.at, at: walk.at + EXTENSION_UNIT };
    let header = header(packet, &behind);
    let offset = usize::from(field & FRAGMENT_OFFSET_MASK);
    let more = field & FRAGMENT_MORE != 0;
    // RFC 8200 §4.5: the two lengths that cannot be, and what the sender is told of them.
    if more && !header.payload_len.is_multiple_of(8) {
        return Err(ProblemKind::ErroneousField.at(PAYLOAD_LENGTH));
    }
    if walk.at - HEADER_LEN + offset + header.payload_len > usize::from(u16::MAX) {
        return Err(ProblemKind::ErroneousField.at(walk.at + FRAGMENT_OFFSET_AND_MORE));
    }
    if header.payload_len == 0 {
        return Err(Malformed::Length);
    }
    if offset == 0 {
        check_first_fragment(packet, behind)?;
    }
    let identification = read_u32(extension, FRAGMENT_IDENTIFICATION);
    let layout = Layout::V6 { fragment_at: walk.at, named_at: walk.named_at };
    Ok(Fragment { header, identification, offset, more, layout })
}

/// RFC 7112 §5, RFC 8200 §4.5: the first fragment has every header up to the transport's, so that what it
/// is can be told from it alone.
fn check_first_fragment(packet: &[u8], behind: Walk) -> Result<(), Malformed> {
    let is_complete = match behind.run(packet) {
        Ok(Walk { next: PROTOCOL_TCP, at, .. }) => packet.len() - at >= tcp::HEADER_LEN,
        Ok(_) => true,
        // Whatever else is wrong shows in the whole.
        Err(malformed) => malformed != Malformed::Length,
    };
    if is_complete { Ok(()) } else { Err(ProblemKind::IncompleteFirstFragment.at(0)) }
}

/// Makes the first fragment's headers, with which `packet` begins, those of the whole: without
/// the Fragment header at `fragment_at`, which the field at `named_at` names.
pub(super) fn make_whole(
    packet: &mut Vec<u8>,
    fragment_at: usize,
    named_at: usize,
    congestion_experienced: bool,
) {
    packet[named_at] = packet[fragment_at];
    packet.drain(fragment_at..fragment_at + EXTENSION_UNIT);
    if congestion_experienced {
        packet[VERSION_CLASS_FLOW + 1] |= 3 << 4;
    }
    let payload_len = packet.len() - HEADER_LEN;
    set_payload_len(packet, payload_len);
}

/// Source and destination, if the fixed header is there.
pub(super) fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    check_fixed_header(packet).ok()?;
    Some((address(packet, SOURCE), address(packet, DESTINATION)))
}

/// Where the field is that names the transport.
pub(super) fn protocol_field(packet: &[u8]) -> usize {
    Walk::start(packet).run(packet).map_or(NEXT_HEADER, |walk| walk.named_at)
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
