//! The bytes that arrived in order and that the application has not read.
//!
//! Owns the received data before RCV.NXT. It takes every byte that it is given, because the peer
//! has been or will be told that it arrived; that no more is given than [`free`] says is the
//! window's doing, and the window is the receiver's. Sequence numbers are none of its business.
//!
//! [`free`]: ReceiveBuffer::free

use bytes::Bytes;
use smallvec::SmallVec;

use super::byte_queue::{ByteQueue, bounded};
use crate::blocks::Blocks;

/// Data waiting for the application. At rest and without data it holds no heap memory.
#[derive(Debug)]
pub struct ReceiveBuffer {
    capacity: u32,
    queue: ByteQueue,
}

impl ReceiveBuffer {
    /// An empty buffer of `capacity` bytes.
    pub fn new(capacity: usize) -> ReceiveBuffer {
        ReceiveBuffer { capacity: bounded(capacity), queue: ByteQueue::default() }
    }

    /// Adds the next payload in order. From 16 KiB on it is kept as the slice it is; a smaller one
    /// is copied, so that it doesn't keep the device's whole buffer alive.
    pub fn push(&mut self, payload: Bytes, blocks: &mut Blocks) {
        self.queue.push(payload, blocks);
    }

    /// Adds the next bytes, at most `max`, to `slices` as shared slices in order; `peek` leaves them
    /// here.
    pub fn read(&mut self, max: usize, peek: bool, slices: &mut SmallVec<[Bytes; 4]>) {
        self.queue.for_slices(self.queue.start(), max, |slice| slices.push(slice));
        if !peek {
            self.skip(max);
        }
    }

    /// Drops the next bytes, at most `max`.
    pub fn skip(&mut self, max: usize) {
        self.queue.release(self.queue.start().saturating_add(max as u64));
    }

    /// Bytes waiting.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes it may hold.
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Changes how many bytes it may hold. What is in it stays, even when that is more.
    pub fn set_capacity(&mut self, capacity: usize) {
        self.capacity = bounded(capacity);
    }

    /// Bytes that there is room for: what the window may offer.
    pub fn free(&self) -> usize {
        self.capacity().saturating_sub(self.queue.len())
    }

    /// Whether there is nothing to read.
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
