//! TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018), emitted in Linux's order and padding.
//!
//! It guarantees that what is emitted is a multiple of 4 bytes and at most 40. It refuses to believe
//! an option whose length is wrong; which options count in which segment is the protocol's matter.

use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::{read_u16, read_u32};

/// Option kinds.
const END_OF_LIST: u8 = 0;
const NO_OPERATION: u8 = 1;
const MAXIMUM_SEGMENT_SIZE: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// Option lengths, kind and length bytes included.
const MSS_LEN: u8 = 4;
const WINDOW_SCALE_LEN: u8 = 3;
const SACK_PERMITTED_LEN: u8 = 2;
const TIMESTAMPS_LEN: u8 = 10;

/// The most that a data offset of 15 leaves for options.
const MAX_LEN: usize = 40;
/// A SACK block: left and right edge.
const BLOCK_LEN: usize = 8;
const MAX_BLOCKS: usize = 4;

/// The options that the stack knows; unknown ones are skipped on arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size, in bytes.
    pub mss: Option<u16>,
    /// The window's shift count as received; the protocol caps it at 14 (RFC 7323 §2.3).
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// TSval, TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// Ranges received past a hole.
    pub sack: SackBlocks,
}

impl Options {
    /// Reads a header's option bytes. An option with a length that is impossible ends the reading,
    /// since nobody can say where the next one starts; a known option with a length not its own is
    /// skipped; of two of a kind the last counts.
    ///
    /// RFC 9293 §3.1: end of list, no-operation and MSS are there (MUST-4); the rest is passed over
    /// (MUST-6) by its length octet (MUST-68), wherever it begins (MUST-64); a bad length does no harm
    /// (MUST-7).
    pub fn parse(mut bytes: &[u8]) -> Options {
        let mut options = Options::default();
        loop {
            bytes = match bytes {
                [] | [END_OF_LIST, ..] => return options,
                [NO_OPERATION, rest @ ..] => rest,
                [kind, len, ..] if *len >= 2 && usize::from(*len) <= bytes.len() => {
                    let (option, rest) = bytes.split_at(usize::from(*len));
                    options.read(*kind, &option[2..]);
                    rest
                }
                _ => return options,
            };
        }
    }

    /// Takes over one option, given what follows its kind and length.
    fn read(&mut self, kind: u8, value: &[u8]) {
        match (kind, value) {
            (MAXIMUM_SEGMENT_SIZE, [_, _]) => self.mss = Some(read_u16(value, 0)),
            (WINDOW_SCALE, [shift]) => self.window_scale = Some(*shift),
            (SACK_PERMITTED, []) => self.sack_permitted = true,
            (TIMESTAMPS, [_, _, _, _, _, _, _, _]) => {
                self.timestamps = Some((read_u32(value, 0), read_u32(value, 4)));
            }
            (SACK, value) => {
                if let (blocks @ [_, ..], []) = value.as_chunks::<BLOCK_LEN>() {
                    self.sack = SackBlocks::default();
                    for block in blocks {
                        self.sack.push(read_u32(block, 0), read_u32(block, 4));
                    }
                }
            }
            _ => {}
        }
    }

    /// Length in bytes of what [`Options::emit`] appends: a multiple of 4, at most 40.
    pub fn len(&self) -> usize {
        let blocks = self.blocks_that_fit().len();
        self.len_without_sack() + if blocks == 0 { 0 } else { 4 + blocks * BLOCK_LEN }
    }

    /// Whether there is no option.
    pub fn is_empty(&self) -> bool {
        *self == Options::default()
    }

    /// Appends the options. Those that come in less than a multiple of 4 bytes have NOPs before
    /// them, so that every number lies on a 32-bit boundary; SACK permitted takes the place of the
    /// timestamps' NOPs where both are there. SACK blocks go as far as there is room: 4 alone, 3
    /// beside timestamps. What is padded so needs no end of list, nor zeros after it (MUST-69).
    pub fn emit(&self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        const NOP: u8 = NO_OPERATION;
        if let Some(mss) = self.mss {
            out.extend_from_slice(&[MAXIMUM_SEGMENT_SIZE, MSS_LEN]);
            out.extend_from_slice(&mss.to_be_bytes());
        }
        if self.sack_permitted && self.timestamps.is_none() {
            out.extend_from_slice(&[NOP, NOP]);
        }
        if self.sack_permitted {
            out.extend_from_slice(&[SACK_PERMITTED, SACK_PERMITTED_LEN]);
        }
        if let Some((value, echo_reply)) = self.timestamps {
            if !self.sack_permitted {
                out.extend_from_slice(&[NOP, NOP]);
            }
            out.extend_from_slice(&[TIMESTAMPS, TIMESTAMPS_LEN]);
            out.extend_from_slice(&value.to_be_bytes());
            out.extend_from_slice(&echo_reply.to_be_bytes());
        }
        if let Some(shift) = self.window_scale {
            out.extend_from_slice(&[NOP, WINDOW_SCALE, WINDOW_SCALE_LEN, shift]);
        }
        let blocks = self.blocks_that_fit();
        if !blocks.is_empty() {
            out.extend_from_slice(&[NOP, NOP, SACK, (2 + blocks.len() * BLOCK_LEN) as u8]);
        }
        for (left, right) in blocks {
            out.extend_from_slice(&left.to_be_bytes());
            out.extend_from_slice(&right.to_be_bytes());
        }
    }

    /// Length of all but SACK, padding included.
    fn len_without_sack(&self) -> usize {
        let mss = if self.mss.is_some() { 4 } else { 0 };
        let sack_permitted_and_timestamps = match (self.sack_permitted, self.timestamps) {
            (_, Some(_)) => 12,
            (true, None) => 4,
            (false, None) => 0,
        };
        let window_scale = if self.window_scale.is_some() { 4 } else { 0 };
        mss + sack_permitted_and_timestamps + window_scale
    }

    fn blocks_that_fit(&self) -> &[(u32, u32)] {
        let room = (MAX_LEN - self.len_without_sack() - 4) / BLOCK_LEN;
        let blocks = self.sack.as_slice();
        &blocks[..blocks.len().min(room)]
    }
}

/// At most 4 blocks `[left, right)` in 32-bit sequence numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlocks {
    blocks: [(u32, u32); MAX_BLOCKS],
    len: u8,
}

impl SackBlocks {
    /// The blocks, in the order in which they were pushed or received.
    pub fn as_slice(&self) -> &[(u32, u32)] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Adds the block `[left, right)`; false, and nothing added, when there are 4 already.
    pub fn push(&mut self, left: u32, right: u32) -> bool {
        let Some(block) = self.blocks.get_mut(usize::from(self.len)) else { return false };
        *block = (left, right);
        self.len += 1;
        true
    }
}

#[cfg(test)]
mod tests;
