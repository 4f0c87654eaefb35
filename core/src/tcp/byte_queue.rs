//! A first-in first-out queue of bytes that hands out shared slices: what the send and the receive
//! buffer are made of.
//!
//! It owns how bytes are stored: large payloads as the slice they came in, small ones gathered in
//! blocks, so that neither a one-byte write nor a one-byte segment costs an allocation of its own
//! or keeps a device's 64 KiB buffer alive. It guarantees that what is stored costs memory in
//! proportion to its bytes, and that an empty queue holds no heap at all. It knows no capacity:
//! how much may come in is for the buffers to say.
//!
//! ```text
//!   start                                    end
//!     |  chunk  |   chunk   |     chunk    | tail |..spare..|
//!        shared, never written again         one owner, grows
//! ```

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

use crate::blocks::{BLOCK, Blocks};

/// From this length on a payload is kept as the slice it is; below, its bytes are copied. A slice
/// may keep a 64 KiB buffer alive, so this bounds the waste to a factor of four.
pub(super) const SHARE_MIN: usize = 16 * 1024;

/// Blocks that small writes are gathered in grow with the queue from this size to [`BLOCK`].
const BLOCK_MIN: usize = 1024;

/// A slice of the tail shorter than this is copied: freezing the tail for it would leave a chunk
/// whose bookkeeping outweighs its bytes.
const FREEZE_MIN: usize = 256;

/// Bytes that are not written any more.
#[derive(Debug)]
struct Chunk {
    /// Position of the first byte.
    start: u64,
    data: Bytes,
}

impl Chunk {
    fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }
}

/// Bytes at the positions `start()..end()`; added at the end, released at the start.
#[derive(Debug, Default)]
pub struct ByteQueue {
    start: u64,
    end: u64,
    /// Contiguous, none empty.
    chunks: VecDeque<Chunk>,
    /// The last bytes; its spare room takes the next small write.
    tail: BytesMut,
}

impl ByteQueue {
    /// Position of the first byte still held.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Position after the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes held.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether no byte is held.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Adds a copy of `data`, in memory from `blocks` once there is much.
    pub fn push_copied(&mut self, mut data: &[u8], blocks: &mut Blocks) {
        while !data.is_empty() {
            let spare = self.tail.capacity() - self.tail.len();
            if spare == 0 {
                self.freeze_tail();
                self.tail = match self.len().max(data.len()).max(BLOCK_MIN) {
                    BLOCK.. => blocks.take(),
                    len => BytesMut::with_capacity(len),
                };
                continue;
            }
            let (now, later) = data.split_at(spare.min(data.len()));
            self.tail.extend_from_slice(now);
            self.end += now.len() as u64;
            data = later;
        }
    }

    /// Adds `data`: as the slice it is from 16 KiB on, as a copy below.
    pub fn push(&mut self, data: Bytes, blocks: &mut Blocks) {
        if data.len() < SHARE_MIN {
            return self.push_copied(&data, blocks);
        }
        self.freeze_tail();
        let start = self.end;
        self.end += data.len() as u64;
        self.chunks.push_back(Chunk { start, data });
    }

    /// The bytes at `position..position + len`, clipped to what is held, as shared slices.
    ///
    /// Logarithmic in the number of chunks. Nothing is copied but a piece of the tail that is too
    /// short to be worth sharing.
    pub fn slices<const N: usize>(&mut self, position: u64, len: usize) -> SmallVec<[Bytes; N]> {
        let mut slices = SmallVec::new();
        let mut at = position.max(self.start);
        let end = position.saturating_add(len as u64).min(self.end);
        if at >= end {
            return slices;
        }
        let tail_start = self.tail_start();
        if end > tail_start && end - at.max(tail_start) >= FREEZE_MIN as u64 {
            self.freeze_tail();
        }
        let first = self.chunks.partition_point(|chunk| chunk.end() <= at);
        for chunk in self.chunks.range(first..) {
            if chunk.start >= end {
                break;
            }
            let upto = end.min(chunk.end());
            let range = (at - chunk.start) as usize..(upto - chunk.start) as usize;
            slices.push(chunk.data.slice(range));
            at = upto;
        }
        if at < end {
            let tail_start = self.tail_start();
            let range = (at - tail_start) as usize..(end - tail_start) as usize;
            slices.push(Bytes::copy_from_slice(&self.tail[range]));
        }
        slices
    }

    /// Lets go of everything before `position` (clipped to what is held).
    pub fn release(&mut self, position: u64) {
        let position = position.clamp(self.start, self.end);
        self.start = position;
        if self.is_empty() {
            // An idle connection keeps no memory.
            self.chunks = VecDeque::new();
            self.tail = BytesMut::new();
            return;
        }
        while self.chunks.front().is_some_and(|chunk| chunk.end() <= position) {
            self.chunks.pop_front();
        }
        match self.chunks.front_mut() {
            Some(chunk) => {
                chunk.data.advance((position - chunk.start) as usize);
                chunk.start = position;
            }
            None => {
                let gone = self.tail.len() - self.len();
                self.tail.advance(gone);
            }
        }
    }

    fn tail_start(&self) -> u64 {
        self.end - self.tail.len() as u64
    }

    /// Makes a chunk of the tail's bytes; its spare room stays the tail's.
    fn freeze_tail(&mut self) {
        if !self.tail.is_empty() {
            let start = self.tail_start();
            self.chunks.push_back(Chunk { start, data: self.tail.split().freeze() });
        }
    }

    /// Asserts that the chunks and the tail cover `start()..end()` without a gap.
    ///
    /// # Panics
    /// When they don't: a bug in this module.
    pub fn check(&self) {
        let mut at = self.start;
        for chunk in &self.chunks {
            assert_eq!(chunk.start, at, "a chunk does not start where the one before ends");
            assert!(!chunk.data.is_empty(), "an empty chunk is kept at {at}");
            at = chunk.end();
        }
        assert_eq!(at, self.tail_start(), "the tail does not follow the last chunk");
        if self.is_empty() {
            assert_eq!(self.heap_bytes(), 0, "an empty queue holds memory");
        }
    }

    /// Heap memory held, by the sizes asked for: blocks shared with others count in full.
    fn heap_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.data.len()).sum();
        chunks + self.chunks.capacity() * size_of::<Chunk>() + self.tail.capacity()
    }
}

#[cfg(test)]
mod tests;
