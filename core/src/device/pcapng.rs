//! Capture files that Wireshark opens (pcapng, draft-ietf-opsawg-pcapng): one section, one interface
//! with raw IP packets, times in nanoseconds, each packet with its direction and, where the stack
//! knows it, the reason why it was sent as the packet's comment.
//!
//! The writer puts down what it is given: whoever calls it has finished checksums and split
//! super-segments. It reads no clock.

use std::io::{self, Write};

use crate::event::{Language, Reason};
use crate::time::Instant;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Packets start with their IPv4 or IPv6 header.
const LINKTYPE_RAW: u16 = 101;

const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
const SHB_USER_APPLICATION: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TIMESTAMP_RESOLUTION: u16 = 9;
const EPB_FLAGS: u16 = 2;

/// The power of ten of a second's fraction.
const NANOSECONDS: u8 = 9;

/// Which way a packet went, seen from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The host received it.
    Inbound,
    /// The host sent it.
    Outbound,
}

/// Writes one capture. What is written stays in memory until [`flush`](PcapngWriter::flush).
pub struct PcapngWriter<W: Write> {
    out: W,
    buffer: Vec<u8>,
    unix_ns_at_zero: u64,
}

impl<W: Write> PcapngWriter<W> {
    /// Starts a capture on an interface called `interface`. `unix_ns_at_zero` is the wall-clock time of
    /// [`Instant::ZERO`], in nanoseconds since 1970.
    ///
    /// # Errors
    /// Those of writing to `out`.
    pub fn new(out: W, interface: &str, unix_ns_at_zero: u64) -> io::Result<PcapngWriter<W>> {
        let mut writer = PcapngWriter { out, buffer: Vec::new(), unix_ns_at_zero };
        writer.block(SECTION_HEADER, |body| {
            body.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
            // Version 1.0, and a section of unknown length.
            body.extend_from_slice(&[1, 0, 0, 0]);
            body.extend_from_slice(&u64::MAX.to_le_bytes());
            let program = concat!("tcpstack ", env!("CARGO_PKG_VERSION"));
            option(body, SHB_USER_APPLICATION, program.as_bytes());
            option(body, OPT_END, &[]);
        });
        writer.block(INTERFACE_DESCRIPTION, |body| {
            body.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
            // Two bytes reserved, and no limit on a packet's length.
            body.extend_from_slice(&[0; 6]);
            option(body, IF_NAME, interface.as_bytes());
            option(body, IF_TIMESTAMP_RESOLUTION, &[NANOSECONDS]);
            option(body, OPT_END, &[]);
        });
        writer.flush()?;
        Ok(writer)
    }

    /// Appends the IP packet `packet`, in as many slices as it comes.
    pub fn packet(
        &mut self,
        now: Instant,
        direction: Direction,
        reason: Option<Reason>,
        packet: &[&[u8]],
    ) {
        self.cut_packet(now, direction, reason, packet, 0);
    }

    /// Appends the front of an IP packet that had `len` bytes on the wire; where `packet` has more than that,
    /// so many.
    pub fn cut_packet(
        &mut self,
        now: Instant,
        direction: Direction,
        reason: Option<Reason>,
        packet: &[&[u8]],
        len: usize,
    ) {
        let ns = self.unix_ns_at_zero.saturating_add(now.as_nanos());
        let captured = packet.iter().map(|slice| slice.len() as u32).sum::<u32>();
        let original = captured.max(u32::try_from(len).unwrap_or(u32::MAX));
        self.block(ENHANCED_PACKET, |body| {
            // Interface 0; the time's high half first; captured and original length.
            for field in [0, (ns >> 32) as u32, ns as u32, captured, original] {
                body.extend_from_slice(&field.to_le_bytes());
            }
            for slice in packet {
                body.extend_from_slice(slice);
            }
            pad(body);
            let flags: u32 = match direction {
                Direction::Inbound => 1,
                Direction::Outbound => 2,
            };
            option(body, EPB_FLAGS, &flags.to_le_bytes());
            if let Some(reason) = reason {
                option(body, OPT_COMMENT, comment(reason).as_bytes());
            }
            option(body, OPT_END, &[]);
        });
    }

    /// Hands everything to the file, in one write.
    ///
    /// # Errors
    /// Those of writing; what could not be written is lost.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written
    }

    /// A block: type, total length, body, total length again. Every part of `body` is padded to 32 bits.
    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&kind.to_le_bytes());
        self.buffer.extend_from_slice(&[0; 4]);
        body(&mut self.buffer);
        let total = (self.buffer.len() - start + 4) as u32;
        self.buffer[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
        self.buffer.extend_from_slice(&total.to_le_bytes());
    }
}

/// An option: code, length, value. Longer than its 16-bit length field allows, it is cut.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&(value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

/// All blocks and their parts are multiples of 4 bytes, so the buffer's length serves as the position.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn comment(reason: Reason) -> String {
    let english = reason.text(Language::English);
    let chinese = reason.text(Language::Chinese);
    format!("{} ({}): {english}\n{chinese}", reason.id(), reason.clause())
}

#[cfg(test)]
pub(super) mod tests;
