//! What a datagram holds: a prefix of 10 bytes, then the IP packet. Numbers are in network byte order.
//!
//! | bytes | |
//! |---|---|
//! | 0 | version, 1 |
//! | 1 | bit 0: the checksum at start + offset is the pseudo-header's sum alone |
//! | 2..4 | payload bytes of each merged TCP segment, or 0 |
//! | 4..6 | start: first byte that the checksum covers, counted from the IP header |
//! | 6..8 | offset of the checksum from there |
//! | 8..10 | 0 |

use crate::device::packet_io::ReadBuffer;
use crate::wire::packet::{ChecksumField, Frame, Transmit, Verification};

pub(super) const PREFIX_LEN: usize = 10;

const VERSION: u8 = 1;
const CHECKSUM_PARTIAL: u8 = 1;

/// The shortest IP header.
const PACKET_MIN: usize = 20;

pub(super) fn prefix(transmit: &Transmit) -> [u8; PREFIX_LEN] {
    let gso_size = if transmit.segment_count() > 1 { transmit.gso_size } else { 0 };
    let (flags, start, offset) = match transmit.checksum {
        ChecksumField::Complete => (0, 0, 0),
        ChecksumField::Partial { start, offset } => (CHECKSUM_PARTIAL, start, offset),
    };
    let [[g0, g1], [s0, s1], [o0, o1]] = [gso_size, start, offset].map(u16::to_be_bytes);
    [VERSION, flags, g0, g1, s0, s1, o0, o1, 0, 0]
}

/// The packet that was read last. None: it is not one, or its prefix contradicts it.
pub(super) fn parse(buffer: &mut ReadBuffer) -> Option<Frame> {
    let (verification, gso_size) = check(buffer.filled()).filter(|_| !buffer.is_truncated())?;
    Some(Frame::new(buffer.take(PREFIX_LEN), verification, gso_size))
}

fn check(datagram: &[u8]) -> Option<(Verification, u16)> {
    let (prefix, packet) = datagram.split_first_chunk::<PREFIX_LEN>()?;
    let field = |at: usize| u16::from_be_bytes([prefix[at], prefix[at + 1]]);
    let (gso_size, start, offset) = (field(2), usize::from(field(4)), usize::from(field(6)));
    let is_ip = packet.len() >= PACKET_MIN && matches!(packet[0] >> 4, 4 | 6);
    if prefix[0] != VERSION || prefix[8..] != [0, 0] || !is_ip {
        return None;
    }
    match prefix[1] {
        CHECKSUM_PARTIAL if start >= PACKET_MIN && start + offset + 2 <= packet.len() => {
            Some((Verification::Verified, gso_size))
        }
        // Nobody could verify a super-segment by its one checksum.
        0 if gso_size == 0 => Some((Verification::Unverified, 0)),
        _ => None,
    }
}
