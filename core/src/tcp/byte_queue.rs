//! A first-in first-out queue of bytes that hands out shared slices: what the send and the receive
//! buffer are made of.
//!
//! It owns how bytes are stored: large payloads as the slice they came in, small ones gathered in
//! blocks, so that neither a one-byte write nor a one-byte segment costs an allocation of its own
//! or keeps a device's 64 KiB buffer alive. It guarantees that what is stored costs memory in
//! proportion to its bytes, that an empty queue holds little, and one at [rest](ByteQueue::rest) no heap
//! at all. It knows no capacity: how much may come in is for the buffers to say.
//!
//! ```text
//!   start                                    end
//!     |  chunk  |   chunk   |     chunk    | tail |..spare..|
//!        shared, never written again         one owner, grows
//! ```

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::blocks::{self, BLOCK, Blocks};
use crate::wire::payload::Payload;

/// From this length on a payload is kept as the slice it is; below, its bytes are copied. A slice
/// may keep a 64 KiB buffer alive, so this bounds the waste to a factor of four.
pub(super) const SHARE_MIN: usize = 16 * 1024;

/// Blocks that small writes are gathered in grow with the queue from this size to [`BLOCK`]. Allocators
/// have ready what is below 1 KiB, and most of what is said in small writes is shorter.
const BLOCK_MIN: usize = 512;

/// A slice of the tail shorter than this is copied: freezing the tail for it would leave a chunk
/// whose bookkeeping outweighs its bytes.
const FREEZE_MIN: usize = 256;

/// An empty queue keeps the places of so many chunks at most.
const CHUNKS_KEPT: usize = 8;

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
    /// None while it rests.
    held: Option<Box<Held>>,
}

/// The memory of the bytes.
#[derive(Debug, Default)]
struct Held {
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
            let len = self.len();
            let held = self.held.get_or_insert_default();
            let spare = held.tail.capacity() - held.tail.len();
            if spare == 0 {
                held.freeze_tail(self.end);
                held.tail = match len.max(data.len()).max(BLOCK_MIN) {
                    BLOCK.. => blocks.take(),
                    len => BytesMut::with_capacity(len),
                };
                continue;
            }
            let (now, later) = data.split_at(spare.min(data.len()));
            blocks::append(now, &mut held.tail);
            self.end += now.len() as u64;
            data = later;
        }
    }

    /// Adds `data`: as the slice it is from 16 KiB on, as a copy below.
    pub fn push(&mut self, data: Bytes, blocks: &mut Blocks) {
        if data.len() < SHARE_MIN {
            return self.push_copied(&data, blocks);
        }
        let held = self.held.get_or_insert_default();
        held.freeze_tail(self.end);
        let start = self.end;
        self.end += data.len() as u64;
        held.chunks.push_back(Chunk { start, data });
    }

    /// The bytes at `position..position + len`, clipped to what is held, as what a packet carries.
    pub fn payload(&mut self, position: u64, len: usize) -> Payload {
        let mut payload = Payload::default();
        self.for_slices(position, len, |slice| payload.push(slice));
        payload
    }

    /// Hands the bytes at `position..position + len`, clipped to what is held, to `f` as shared slices,
    /// in order and none of them empty.
    ///
    /// Logarithmic in the number of chunks. Nothing is copied but a piece of the tail that is too
    /// short to be worth sharing.
    pub fn for_slices(&mut self, position: u64, len: usize, f: impl FnMut(Bytes)) {
        let at = position.max(self.start);
        let end = position.saturating_add(len as u64).min(self.end);
        if let Some(held) = &mut self.held
            && at < end
        {
            held.for_slices(at, end, self.end, f);
        }
    }

    /// Lets go of everything before `position` (clipped to what is held).
    pub fn release(&mut self, position: u64) {
        let position = position.clamp(self.start, self.end);
        self.start = position;
        let len = self.len();
        let Some(held) = &mut self.held else { return };
        if len == 0 {
            held.clear();
            return;
        }
        while held.chunks.front().is_some_and(|chunk| chunk.end() <= position) {
            held.chunks.pop_front();
        }
        match held.chunks.front_mut() {
            Some(chunk) => {
                chunk.data.advance((position - chunk.start) as usize);
                chunk.start = position;
            }
            None => {
                let gone = held.tail.len() - len;
                held.tail.advance(gone);
            }
        }
    }

    /// No byte is expected soon: an empty queue gives its memory back.
    pub fn rest(&mut self) {
        if self.is_empty() {
            self.held = None;
        }
    }

    /// Asserts that the chunks and the tail cover `start()..end()` without a gap.
    ///
    /// # Panics
    /// When they don't: a bug in this module.
    pub fn check(&self) {
        let mut at = self.start;
        for chunk in self.held.iter().flat_map(|held| &held.chunks) {
            assert_eq!(chunk.start, at, "a chunk does not start where the one before ends");
            assert!(!chunk.data.is_empty(), "an empty chunk is kept at {at}");
            at = chunk.end();
        }
        let tail = self.held.as_ref().map_or(0, |held| held.tail.len() as u64);
        assert_eq!(at, self.end - tail, "the tail does not follow the last chunk");
        if self.is_empty() {
            let most = BLOCK_MIN + CHUNKS_KEPT * size_of::<Chunk>();
            assert!(self.heap_bytes() <= most, "an empty queue holds much memory");
        }
    }

    /// Heap memory held, by the sizes asked for: blocks shared with others count in full.
    fn heap_bytes(&self) -> usize {
        let Some(held) = &self.held else { return 0 };
        let chunks: usize = held.chunks.iter().map(|chunk| chunk.data.len()).sum();
        chunks + held.chunks.capacity() * size_of::<Chunk>() + held.tail.capacity()
    }
}

impl Held {
    /// The bytes at `at..end`, none of which is missing; the last byte lies before `queue_end`.
    fn for_slices(&mut self, mut at: u64, end: u64, queue_end: u64, mut f: impl FnMut(Bytes)) {
        let mut tail_start = queue_end - self.tail.len() as u64;
        if end > tail_start && end - at.max(tail_start) >= FREEZE_MIN as u64 {
            self.freeze_tail(queue_end);
            tail_start = queue_end;
        }
        let first = self.chunks.partition_point(|chunk| chunk.end() <= at);
        for chunk in self.chunks.range(first..) {
            if chunk.start >= end {
                break;
            }
            let upto = end.min(chunk.end());
            let range = (at - chunk.start) as usize..(upto - chunk.start) as usize;
            f(chunk.data.slice(range));
            at = upto;
        }
        if at < end {
            let range = (at - tail_start) as usize..(end - tail_start) as usize;
            f(Bytes::copy_from_slice(&self.tail[range]));
        }
    }

    /// Makes a chunk of the tail's bytes, which end at `end`; its spare room stays the tail's.
    fn freeze_tail(&mut self, end: u64) {
        if !self.tail.is_empty() {
            let start = end - self.tail.len() as u64;
            self.chunks.push_back(Chunk { start, data: self.tail.split().freeze() });
        }
    }

    /// All bytes are gone: a little room is kept for the next ones, large blocks are not.
    fn clear(&mut self) {
        self.chunks.clear();
        if self.chunks.capacity() > CHUNKS_KEPT {
            self.chunks = VecDeque::new();
        }
        if self.tail.capacity() <= BLOCK_MIN {
            self.tail.clear();
        } else {
            self.tail = BytesMut::new();
        }
    }
}

/// The capacity of what is made of a queue: no window is larger (RFC 7323 §2.3).
pub(super) fn bounded(capacity: usize) -> u32 {
    u32::try_from(capacity).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
