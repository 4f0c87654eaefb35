//! The virtio_net_hdr that precedes each packet on a TUN descriptor with offload (virtio 1.2
//! §5.1.6, in the machine's own byte order as the kernel's legacy layout has it).

use crate::wire::packet::{ChecksumField, Transmit, Verification};

/// Its length in bytes.
pub(super) const LEN: usize = 10;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
/// May be set beside the type: the super-segment carries CWR.
const GSO_ECN: u8 = 0x80;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u8,
    pub(super) gso_type: u8,
    /// IP and TCP header of a super-segment, in bytes.
    pub(super) header_len: u16,
    pub(super) gso_size: u16,
    pub(super) checksum_start: u16,
    pub(super) checksum_offset: u16,
}

impl Header {
    /// The header for a packet that the kernel is to receive.
    pub(super) fn of(transmit: &Transmit) -> Header {
        let mut header = Header::default();
        if let ChecksumField::Partial { start, offset } = transmit.checksum {
            header.flags = NEEDS_CSUM;
            header.checksum_start = start;
            header.checksum_offset = offset;
        }
        if transmit.segment_count() > 1 {
            let is_ipv4 = transmit.header.first().is_some_and(|byte| byte >> 4 == 4);
            header.gso_type = if is_ipv4 { GSO_TCPV4 } else { GSO_TCPV6 };
            header.header_len = u16::try_from(transmit.header.len()).unwrap_or(u16::MAX);
            header.gso_size = transmit.gso_size;
        }
        header
    }

    /// The header at the start of `bytes`, if they are long enough.
    pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
        let bytes: &[u8; LEN] = bytes.first_chunk()?;
        let field = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        Some(Header {
            flags: bytes[0],
            gso_type: bytes[1],
            header_len: field(2),
            gso_size: field(4),
            checksum_start: field(6),
            checksum_offset: field(8),
        })
    }

    pub(super) fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [self.flags, self.gso_type, 0, 0, 0, 0, 0, 0, 0, 0];
        let fields = [self.header_len, self.gso_size, self.checksum_start, self.checksum_offset];
        for (place, field) in bytes[2..].chunks_exact_mut(2).zip(fields) {
            place.copy_from_slice(&field.to_ne_bytes());
        }
        bytes
    }

    /// What it says of a packet that the kernel sent: its checksum, and its segments' size. None: a
    /// kind of super-segment that was not asked for.
    pub(super) fn received(self) -> Option<(Verification, u16)> {
        let is_verified = self.flags & (NEEDS_CSUM | DATA_VALID) != 0;
        let verification =
            if is_verified { Verification::Verified } else { Verification::Unverified };
        match self.gso_type & !GSO_ECN {
            GSO_NONE => Some((verification, 0)),
            GSO_TCPV4 | GSO_TCPV6 if is_verified && self.gso_size > 0 => {
                Some((verification, self.gso_size))
            }
            _ => None,
        }
    }
}
