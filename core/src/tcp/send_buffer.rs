//! The bytes that the application gave and the peer has not acknowledged.
//!
//! Owns the data from SND.UNA on, sent or not, by sequence number. Bytes leave it by an
//! acknowledgment alone, so everything in it can be sent again; it never takes in more than its
//! capacity. SYN and FIN occupy sequence numbers but no room here: the sender counts them. What
//! has been sent is the sender's to know too.

use bytes::Bytes;

use super::byte_queue::{ByteQueue, bounded};
use super::seq::Seq;
use crate::blocks::Blocks;
use crate::wire::payload::Payload;

/// Unacknowledged and unsent data. At rest and without data it holds no heap memory.
#[derive(Debug)]
pub struct SendBuffer {
    /// Where position 0 of the queue lies in the sequence space.
    origin: Seq,
    capacity: u32,
    queue: ByteQueue,
}

impl SendBuffer {
    /// A buffer of `capacity` bytes whose first byte will have the sequence number `start`
    /// (ISS + 1).
    pub fn new(capacity: usize, start: Seq) -> SendBuffer {
        SendBuffer { origin: start, capacity: bounded(capacity), queue: ByteQueue::default() }
    }

    /// Copies in as much of `data` as there is room for, and returns how much that is.
    pub fn push(&mut self, data: &[u8], blocks: &mut Blocks) -> usize {
        let count = data.len().min(self.free());
        self.queue.push_copied(&data[..count], blocks);
        count
    }

    /// Takes as much from the front of `data` as there is room for, and returns how much that is.
    /// From 16 KiB on the bytes are shared, not copied.
    pub fn push_bytes(&mut self, data: &mut Bytes, blocks: &mut Blocks) -> usize {
        let count = data.len().min(self.free());
        self.queue.push(data.split_to(count), blocks);
        count
    }

    /// Drops the bytes before `una`, which the peer has acknowledged; at most up to [`end`].
    ///
    /// [`end`]: SendBuffer::end
    pub fn release(&mut self, una: Seq) {
        debug_assert!(una <= self.end(), "{una:?} acknowledged, but data ends at {:?}", self.end());
        self.queue.release(una.since(self.origin));
    }

    /// The bytes `seq..seq + len` (clipped to what is held) as slices of shared memory, in order.
    ///
    /// They stay valid whatever happens to the buffer. Logarithmic in the number of chunks; mostly
    /// one slice or two.
    pub fn payload(&mut self, seq: Seq, len: usize) -> Payload {
        debug_assert!(seq >= self.start(), "{seq:?} is already acknowledged");
        self.queue.payload(seq.since(self.origin), len)
    }

    /// Sequence number of the first byte held: SND.UNA, as far as data goes.
    pub fn start(&self) -> Seq {
        self.origin + self.queue.start()
    }

    /// Sequence number that the next byte written will have.
    pub fn end(&self) -> Seq {
        self.origin + self.queue.end()
    }

    /// Bytes held.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes that can be written now.
    pub fn free(&self) -> usize {
        self.capacity().saturating_sub(self.queue.len())
    }

    /// Bytes it may hold.
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Changes how many bytes it may hold. What is in it stays, even when that is more.
    pub fn set_capacity(&mut self, capacity: usize) {
        self.capacity = bounded(capacity);
    }

    /// Whether everything written is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// No byte is expected soon: an empty buffer gives its memory back.
    pub fn rest(&mut self) {
        self.queue.rest();
    }

    /// Asserts that the bytes held are contiguous.
    ///
    /// # Panics
    /// When they are not: a bug.
    pub fn check(&self) {
        self.queue.check();
    }
}

#[cfg(test)]
mod tests;
