//! The TCP header (RFC 9293 §3.1), without its payload.
//!
//! It guarantees that a header that was read lies inside the segment. It judges nothing: which
//! flags, ports or numbers make sense is for the host and the protocol. Its checksum covers the
//! payload and the addresses too, so it is computed in [`super::checksum`] and [`super::packet`].

use std::fmt;
use std::ops::BitOr;

use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::tcp_options::Options;
use super::{Malformed, read_u16, read_u32, write_u16, write_u32};

/// Byte offsets of the fields.
const SOURCE_PORT: usize = 0;
const DESTINATION_PORT: usize = 2;
pub(super) const SEQUENCE_NUMBER: usize = 4;
const ACKNOWLEDGMENT_NUMBER: usize = 8;
const DATA_OFFSET: usize = 12;
pub(super) const FLAGS: usize = 13;
const WINDOW: usize = 14;
pub(super) const CHECKSUM: usize = 16;
const URGENT_POINTER: usize = 18;

/// The ninth flag, in the byte of the data offset.
const AE_BIT: u8 = 0x01;

/// Length of a header without options.
pub(super) const HEADER_LEN: usize = 20;

/// The header's length by its data offset; None: it is not all there.
pub(super) fn header_len(segment: &[u8]) -> Option<usize> {
    let len = usize::from(segment.get(DATA_OFFSET)? >> 4) * 4;
    (HEADER_LEN..=segment.len()).contains(&len).then_some(len)
}

/// The control bits AE CWR ECE URG ACK PSH RST SYN FIN, from 0x100 to 0x01.
///
/// The reserved ones beyond them are ignored on arrival and sent as 0 (RFC 9293 §3.1).
/// Shown as a learner says it, `SYN|ACK`, from FIN up; without any bit as `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Flags = Flags(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Flags = Flags(0x02);
    /// Reset the connection.
    pub const RST: Flags = Flags(0x04);
    /// Push function.
    pub const PSH: Flags = Flags(0x08);
    /// The acknowledgment number is significant.
    pub const ACK: Flags = Flags(0x10);
    /// The urgent pointer is significant.
    pub const URG: Flags = Flags(0x20);
    /// ECN echo (RFC 3168).
    pub const ECE: Flags = Flags(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Flags = Flags(0x80);
    /// Accurate ECN (RFC 9768), once the nonce sum.
    pub const AE: Flags = Flags(0x100);
    /// No bit at all.
    pub const EMPTY: Flags = Flags(0);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    pub const fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The bits that both have.
    pub const fn intersection(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    /// The bits of `self` that are not in `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        self.union(other)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
        let set = |&(bit, _): &(usize, &str)| self.0 >> bit & 1 == 1;
        let names: Vec<&str> = NAMES.into_iter().enumerate().filter(set).map(|(_, n)| n).collect();
        f.pad(if names.is_empty() { "none".into() } else { names.join("|") }.as_str())
    }
}

/// A TCP header, its numbers as on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The sender's port.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// SEG.SEQ.
    pub seq: u32,
    /// SEG.ACK; without meaning unless ACK is set.
    pub ack: u32,
    /// The control bits.
    pub flags: Flags,
    /// The window field, unscaled.
    pub window: u16,
    /// The urgent pointer; without meaning unless URG is set.
    pub urgent: u16,
    /// The options that the stack knows.
    pub options: Options,
}

impl Header {
    /// Reads the header at the start of `segment`; the payload starts at the returned offset.
    ///
    /// Options are read on any segment (RFC 9293 §3.1, MUST-5); from one with an impossible length
    /// on they are ignored; the checksum is not looked at, and
    /// ports of 0 are the host's matter.
    ///
    /// # Errors
    /// `Truncated` below 20 bytes, `Length` when the data offset is below 5 or past the end.
    pub fn parse(segment: &[u8]) -> Result<(Header, usize), Malformed> {
        if segment.len() < HEADER_LEN {
            return Err(Malformed::Truncated);
        }
        let header_len = header_len(segment).ok_or(Malformed::Length)?;
        let header = Header {
            src_port: read_u16(segment, SOURCE_PORT),
            dst_port: read_u16(segment, DESTINATION_PORT),
            seq: read_u32(segment, SEQUENCE_NUMBER),
            ack: read_u32(segment, ACKNOWLEDGMENT_NUMBER),
            flags: Flags(u16::from(segment[DATA_OFFSET] & AE_BIT) << 8 | u16::from(segment[FLAGS])),
            window: read_u16(segment, WINDOW),
            urgent: read_u16(segment, URGENT_POINTER),
            options: Options::parse(&segment[HEADER_LEN..header_len]),
        };
        Ok((header, header_len))
    }

    /// Length in bytes with options padded to 32 bits: 20 to 60.
    #[expect(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub fn len(&self) -> usize {
        HEADER_LEN + self.options.len()
    }

    /// Appends the header with a checksum field of `checksum`.
    pub fn emit(&self, checksum: u16, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        let mut bytes = [0; HEADER_LEN];
        write_u16(&mut bytes, SOURCE_PORT, self.src_port);
        write_u16(&mut bytes, DESTINATION_PORT, self.dst_port);
        write_u32(&mut bytes, SEQUENCE_NUMBER, self.seq);
        write_u32(&mut bytes, ACKNOWLEDGMENT_NUMBER, self.ack);
        let [high, low] = self.flags.0.to_be_bytes();
        bytes[DATA_OFFSET] = ((self.len() / 4) as u8) << 4 | high & AE_BIT;
        bytes[FLAGS] = low;
        write_u16(&mut bytes, WINDOW, self.window);
        write_u16(&mut bytes, CHECKSUM, checksum);
        write_u16(&mut bytes, URGENT_POINTER, self.urgent);
        out.extend_from_slice(&bytes);
        self.options.emit(out);
    }
}

#[cfg(test)]
mod tests;
