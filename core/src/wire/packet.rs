//! The two shapes in which an IP packet crosses the edge of a host: `Frame` on the way in,
//! `Transmit` on the way out. Both may be super-segments: several TCP segments of `gso_size`
//! payload bytes each under one header.

use bytes::Bytes;
use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::ip::{self, PROTOCOL_TCP};
use super::payload::Payload;
use super::{checksum, tcp, write_u16};
use crate::reason::Reason;

/// What is known of the transport checksum of a packet that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Nobody looked, or it is wrong: the host verifies it.
    Unverified,
    /// The device vouches for it (virtio DATA_VALID, or NEEDS_CSUM from a sender on this machine), or
    /// [`coalesce`](super::coalesce) has found it right.
    Verified,
}

/// A payload is shared with a host on the same machine from this length on; below, a copy of it behind
/// its header costs less.
const SHARE_MIN: usize = 4096;

/// A packet on its way in.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The packet from its IP header on; its headers at least.
    pub front: Bytes,
    /// What of it is not in `front`: nothing, or the payload as its sender shares it.
    pub rest: Payload,
    /// Whether the transport checksum still has to be verified.
    pub verification: Verification,
    /// Payload bytes of each merged TCP segment; 0 when the packet is one segment.
    pub gso_size: u16,
}

impl Frame {
    /// A packet in one piece.
    pub fn new(packet: Bytes, verification: Verification, gso_size: u16) -> Frame {
        Frame { front: packet, rest: Payload::default(), verification, gso_size }
    }

    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a packet is never empty")]
    pub fn len(&self) -> usize {
        self.front.len() + self.rest.len()
    }

    /// The packet in one piece: a copy where it is in several.
    pub fn into_contiguous(self) -> Frame {
        if self.rest.is_empty() {
            return self;
        }
        let packet = contiguous(&self.front, &self.rest);
        Frame::new(packet.into(), self.verification, self.gso_size)
    }
}

/// What is left to do for the transport checksum of a packet that goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumField {
    /// Nothing: it is final.
    Complete,
    /// The field at `start + offset` holds the folded pseudo-header sum (virtio NEEDS_CSUM): whoever
    /// finishes it sums from `start` to the packet's end.
    Partial {
        /// First byte covered, counted from the IP header.
        start: u16,
        /// Where the field is, counted from `start`.
        offset: u16,
    },
}

impl ChecksumField {
    /// Finishes a partial one at the start of a packet, given the sum of what follows `header`.
    pub(super) fn finish(self, header: &mut [u8], sum: u16) {
        if let ChecksumField::Partial { start, offset } = self {
            let covered = &mut header[usize::from(start)..];
            // The field itself holds the pseudo-header's sum, and is covered like all the rest.
            let sum = checksum::concat(checksum::sum(covered), covered.len(), sum);
            write_u16(covered, usize::from(offset), checksum::finish(sum));
        }
    }
}

/// A packet on its way out: a header of its own, and a payload shared with the send buffer.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// IP and transport header (or a whole ICMP packet).
    pub header: SmallVec<[u8; HEADER_CAPACITY]>,
    /// The payload; no byte of it is copied.
    pub payload: Payload,
    /// Payload bytes of each real TCP segment; 0 when the packet is one segment.
    pub gso_size: u16,
    /// The state of the transport checksum.
    pub checksum: ChecksumField,
    /// Why it is sent, for captures.
    pub reason: Option<Reason>,
}

impl Transmit {
    /// A TCP segment, or with `gso_size` below the payload's length a super-segment of several.
    ///
    /// `ip` says from whom to whom, TTL and traffic class (see [`ip::Header::new`]); its protocol and
    /// lengths are filled in here. The checksum is left [`ChecksumField::Partial`], with the sum of the
    /// pseudo-header over the whole length, as virtio wants it for super-segments too.
    ///
    /// ```
    /// use tcpstack::wire::{ip, packet::{ChecksumField, Transmit}, tcp};
    /// let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    /// let syn = tcp::Header { dst_port: 80, flags: tcp::Flags::SYN, ..Default::default() };
    /// let transmit = Transmit::tcp(ip, &syn, Default::default(), 0, None);
    /// assert_eq!(transmit.len(), 40);
    /// assert_eq!(transmit.checksum, ChecksumField::Partial { start: 20, offset: 16 });
    /// ```
    pub fn tcp(
        ip: ip::Header,
        tcp: &tcp::Header,
        payload: Payload,
        gso_size: u16,
        reason: Option<Reason>,
    ) -> Transmit {
        let segment_len = tcp.len() + payload.len();
        let mut header = SmallVec::new();
        ip::Header { protocol: PROTOCOL_TCP, payload_len: segment_len, ..ip }.emit(&mut header);
        let start = header.len();
        tcp.emit(checksum::pseudo_header(ip.src, ip.dst, PROTOCOL_TCP, segment_len), &mut header);
        Transmit {
            header,
            gso_size: if payload.len() > usize::from(gso_size) { gso_size } else { 0 },
            payload,
            checksum: ChecksumField::Partial { start: start as u16, offset: tcp::CHECKSUM as u16 },
            reason,
        }
    }

    /// A whole packet whose checksums are complete, such as an ICMP message.
    pub fn complete(packet: Vec<u8>, reason: Option<Reason>) -> Transmit {
        Transmit {
            header: SmallVec::from_vec(packet),
            payload: Payload::default(),
            gso_size: 0,
            checksum: ChecksumField::Complete,
            reason,
        }
    }

    /// Length of the whole packet in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a packet is never empty")]
    pub fn len(&self) -> usize {
        self.header.len() + self.payload.len()
    }

    /// How many packets this is on the wire: more than 1 for a super-segment.
    pub fn segment_count(&self) -> usize {
        match usize::from(self.gso_size) {
            0 => 1,
            size => self.payload.len().div_ceil(size).max(1),
        }
    }

    /// Finishes a partial checksum in place: no segment leaves without one (RFC 9293 §3.1, MUST-2),
    /// whether the device adds it or this does. Of a super-segment it is then the checksum of the
    /// whole, of use only to a receiver that takes it as one packet.
    pub fn complete_checksum(&mut self) {
        if self.checksum == ChecksumField::Complete {
            return;
        }
        self.checksum.finish(&mut self.header, self.payload.sum());
        self.checksum = ChecksumField::Complete;
    }

    /// The packet in one piece, its checksum finished. A super-segment stays one packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut packet = contiguous(&self.header, &self.payload);
        self.checksum.finish(&mut packet, 0);
        packet
    }

    /// The packet as it comes in at another host of this machine, which shares a long payload with this
    /// one. A partial checksum is left so and counts as verified, since no wire lay between.
    pub fn into_frame(self) -> Frame {
        let verification = match self.checksum {
            ChecksumField::Partial { .. } => Verification::Verified,
            ChecksumField::Complete => Verification::Unverified,
        };
        if self.payload.len() >= SHARE_MIN {
            let front = Bytes::copy_from_slice(&self.header);
            return Frame { front, rest: self.payload, verification, gso_size: self.gso_size };
        }
        let packet = contiguous(&self.header, &self.payload);
        Frame::new(packet.into(), verification, self.gso_size)
    }
}

/// A packet that is in two parts, in one piece.
fn contiguous(front: &[u8], rest: &Payload) -> Vec<u8> {
    let mut packet = Vec::with_capacity(front.len() + rest.len());
    packet.extend_from_slice(front);
    for slice in rest.slices() {
        packet.extend_from_slice(slice);
    }
    packet
}

#[cfg(test)]
mod tests;
