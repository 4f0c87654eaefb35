//! The packets of a pcap or pcapng file, in the order of the file: each with its time, its link type
//! and what was kept of it. The formats are `pcap-parser`'s matter; this file trusts no length that
//! it cannot check, and reads a block of at most [`LONGEST_BLOCK`] bytes.

use std::io::Read;

use pcap_parser::pcapng::InterfaceDescriptionBlock;
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapHeader, create_reader};

use super::CaptureError;

/// The longest block read, in bytes: many times the longest packet.
const LONGEST_BLOCK: usize = 16 << 20;
/// Bytes read at once.
const AT_ONCE: usize = 64 << 10;
/// Times that the format does not name count microseconds.
const MICROSECONDS: u8 = 6;

/// A packet as the file has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// From 1, as other programs number them.
    pub(super) number: u64,
    /// Where its block begins in the file.
    pub(super) offset: u64,
    /// When it was seen, in nanoseconds since 1970; none: the file does not say.
    pub(super) time_ns: Option<u64>,
    /// What it begins with, see <https://www.tcpdump.org/linktypes.html>.
    pub(super) link: u16,
    /// What was kept of it.
    pub(super) data: &'a [u8],
    /// How long it was, in bytes.
    pub(super) len: usize,
}

/// Where a file ends inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutShort {
    pub(super) number: u64,
    pub(super) offset: u64,
}

/// Gives every packet of `input` to `each`, until that says that it has had enough.
pub(super) fn read_packets(
    input: impl Read + Send,
    mut each: impl FnMut(Packet<'_>) -> bool,
) -> Result<Option<CutShort>, CaptureError> {
    let mut reader = create_reader(AT_ONCE, input).map_err(|error| match error {
        PcapError::ReadError => CaptureError::Unreadable { offset: 0 },
        PcapError::Incomplete(_) | PcapError::Eof => CaptureError::TooShort,
        _ => CaptureError::NotACapture,
    })?;
    let mut place = Place { section: Section::default(), number: 0, offset: 0 };
    let mut capacity = AT_ONCE;
    loop {
        place.offset = reader.consumed() as u64;
        let refill = match reader.next() {
            Ok((len, block)) => {
                if !place.take(block, &mut each)? {
                    return Ok(None);
                }
                reader.consume(len);
                continue;
            }
            Err(PcapError::Eof) => return Ok(None),
            Err(PcapError::UnexpectedEof) => return place.ending(reader.as_ref()),
            Err(PcapError::Incomplete(_)) => capacity,
            Err(PcapError::BufferTooSmall) if capacity < LONGEST_BLOCK => capacity * 2,
            Err(error) => return Err(place.refusal(&error)),
        };
        if refill > capacity {
            capacity = refill;
            reader.grow(capacity);
        }
        if reader.refill().is_err() {
            return Err(CaptureError::Unreadable { offset: place.offset });
        }
    }
}

/// How far the reading is.
struct Place {
    section: Section,
    number: u64,
    offset: u64,
}

impl Place {
    /// Hands on the packet of a block, if it has one; false: enough.
    fn take(
        &mut self,
        block: PcapBlockOwned<'_>,
        each: &mut impl FnMut(Packet<'_>) -> bool,
    ) -> Result<bool, CaptureError> {
        let (interface, ticks, len, data) = match &block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.section.interfaces = vec![Interface::of_header(header)];
                return Ok(true);
            }
            PcapBlockOwned::Legacy(packet) => {
                let unit = self.section.interfaces.first().map_or(1, Interface::ticks_per_s);
                let ticks = u64::from(packet.ts_sec) * unit + u64::from(packet.ts_usec);
                (0, Some(ticks), packet.origlen, packet.data)
            }
            PcapBlockOwned::NG(Block::SectionHeader(header)) => {
                let is_big_endian = header.big_endian();
                self.section = Section { is_big_endian, interfaces: Vec::new() };
                return Ok(true);
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                let interface = Interface::of_block(interface, self.section.is_big_endian);
                self.section.interfaces.push(interface);
                return Ok(true);
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                (packet.if_id, Some(ticks), packet.orig_len(), packet.packet_data())
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                (0, None, packet.orig_len(), packet.packet_data())
            }
            PcapBlockOwned::NG(_) => return Ok(true),
        };
        self.number += 1;
        let known = self.section.interfaces.len();
        let Some(interface) = self.section.interfaces.get(interface as usize) else {
            let (number, offset) = (self.number, self.offset);
            return Err(CaptureError::Interface { number, offset, interface, known });
        };
        Ok(each(Packet {
            number: self.number,
            offset: self.offset,
            time_ns: ticks.map(|ticks| interface.time_ns(ticks)),
            link: interface.link,
            data,
            len: data.len().max(len as usize),
        }))
    }

    /// The file ends inside a block; or the block is all there, and contradicts itself.
    fn ending(&self, reader: &dyn PcapReaderIterator) -> Result<Option<CutShort>, CaptureError> {
        let (number, offset) = (self.number + 1, self.offset);
        if reader.data().is_empty() {
            return Ok(None);
        }
        if self.section.announced(reader.data()).is_some_and(|len| len <= reader.data().len()) {
            return Err(CaptureError::Block { number, offset });
        }
        Ok(Some(CutShort { number, offset }))
    }

    /// Why the next block cannot be read.
    fn refusal<I>(&self, error: &PcapError<I>) -> CaptureError {
        let (number, offset) = (self.number + 1, self.offset);
        match error {
            PcapError::BufferTooSmall => CaptureError::TooLong { number, offset },
            _ => CaptureError::Block { number, offset },
        }
    }
}

/// What holds from a section header on; an old pcap file is one section with one interface.
#[derive(Default)]
struct Section {
    is_big_endian: bool,
    interfaces: Vec<Interface>,
}

impl Section {
    /// How long the block at the start of `data` says it is (pcapng alone says so at that place).
    fn announced(&self, data: &[u8]) -> Option<usize> {
        if self.interfaces.first().is_some_and(|interface| interface.is_legacy) {
            return None;
        }
        let len: [u8; 4] = data.get(4..8)?.try_into().ok()?;
        let len =
            if self.is_big_endian { u32::from_be_bytes(len) } else { u32::from_le_bytes(len) };
        Some(len as usize)
    }
}

/// Where packets were seen, and how their times count.
struct Interface {
    link: u16,
    /// As `if_tsresol` says it: a power of 10, or with the highest bit set of 2.
    resolution: u8,
    /// Seconds to add.
    offset_s: i64,
    is_legacy: bool,
}

impl Interface {
    fn of_header(header: &PcapHeader) -> Interface {
        let resolution = if header.is_nanosecond_precision() { 9 } else { MICROSECONDS };
        Interface { link: link_type(header.network.0), resolution, offset_s: 0, is_legacy: true }
    }

    fn of_block(block: &InterfaceDescriptionBlock<'_>, is_big_endian: bool) -> Interface {
        // The parser reads the offset as if every file were little-endian.
        let offset = block.if_tsoffset;
        let offset_s = if is_big_endian { offset.swap_bytes() } else { offset };
        let link = link_type(block.linktype.0);
        Interface { link, resolution: block.if_tsresol, offset_s, is_legacy: false }
    }

    /// Of an old pcap file: 1,000,000 or 1,000,000,000.
    fn ticks_per_s(&self) -> u64 {
        10_u64.saturating_pow(self.resolution.into())
    }

    /// A time in nanoseconds since 1970, as near as 64 bits can say it.
    fn time_ns(&self, ticks: u64) -> u64 {
        const POWER_OF_TWO: u8 = 0x80;
        let exponent = u32::from(self.resolution & !POWER_OF_TWO);
        let base: u128 = if self.resolution & POWER_OF_TWO == 0 { 10 } else { 2 };
        let per_s = base.checked_pow(exponent).unwrap_or(u128::MAX);
        let since_offset = u128::from(ticks).saturating_mul(1_000_000_000) / per_s;
        let since_offset = i128::try_from(since_offset).unwrap_or(i128::MAX);
        let time = since_offset.saturating_add(i128::from(self.offset_s) * 1_000_000_000);
        u64::try_from(time.max(0)).unwrap_or(u64::MAX)
    }
}

/// The upper bits of the field say other things, such as the length of a frame's check sequence.
fn link_type(field: i32) -> u16 {
    (field & 0xffff) as u16
}
