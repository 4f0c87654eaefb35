//! What stands before the IP header: one small header for each kind of link.

use super::Skipped;

/// Link types, see <https://www.tcpdump.org/linktypes.html>; of "raw IP" several numbers are in use.
const NULL: u16 = 0;
const ETHERNET: u16 = 1;
const RAW_BSD: u16 = 12;
const RAW_OPENBSD: u16 = 14;
const RAW: u16 = 101;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// EtherTypes.
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
/// VLAN tags: IEEE 802.1Q, 802.1ad, and what came before.
const TYPES_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const VLAN_TAG_LEN: usize = 4;
/// More tags than any honest frame has.
const MOST_TAGS: usize = 4;

/// The IP packet in a frame of the link type `link`.
pub(super) fn ip_packet(link: u16, frame: &[u8]) -> Result<&[u8], Skipped> {
    match link {
        ETHERNET => typed(frame, 12, 14),
        LINUX_SLL => typed(frame, 14, 16),
        LINUX_SLL2 => typed(frame, 0, 20),
        // Four bytes for the address family, whose numbers differ between systems; the IP header
        // itself says its version.
        NULL | LOOP => frame.get(4..).ok_or(Skipped::CutShort),
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => Ok(frame),
        other => Err(Skipped::Link(other)),
    }
}

/// What is behind a header of `header_len` bytes with an EtherType at `type_at`, and behind VLAN tags.
fn typed(frame: &[u8], type_at: usize, header_len: usize) -> Result<&[u8], Skipped> {
    let read = |at: usize| -> Result<u16, Skipped> {
        let bytes = frame.get(at..at + 2).ok_or(Skipped::CutShort)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let mut ether_type = read(type_at)?;
    let mut at = header_len;
    for _ in 0..MOST_TAGS {
        if !TYPES_VLAN.contains(&ether_type) {
            break;
        }
        ether_type = read(at + 2)?;
        at += VLAN_TAG_LEN;
    }
    match ether_type {
        TYPE_IPV4 | TYPE_IPV6 => frame.get(at..).ok_or(Skipped::CutShort),
        _ => Err(Skipped::NotIp),
    }
}
