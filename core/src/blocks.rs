//! Blocks of memory that are used again: what the buffers of a connection are made of while much data
//! moves.
//!
//! An allocator may give so large a block back to the system as soon as it is free and have it mapped
//! and cleared anew the next time, which costs more than to fill it. Of each block that it makes,
//! [`Blocks`] keeps an empty handle; once nobody else has any part of the block, the handle gets all of
//! it back. Nothing is given back by hand, no more than 2 MiB are remembered, and none for long where
//! none is taken ([`Blocks::handle_timers`]).
//!
//! Much is copied to them and from them: [`copy`] and [`append`] do it in pieces.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Length of a block in bytes.
pub const BLOCK: usize = 64 * 1024;

/// Blocks remembered at most: 2 MiB.
const KEPT: usize = 32;

/// Handles looked at before a new block is made.
const TRIES: usize = 2;

/// Bytes copied at a time. From 2 KiB on libc lets the processor copy a string of bytes by itself, and
/// some take sixteen times as long over it where source and destination lie at nearly the same place of
/// their pages; in pieces it is as fast there as anywhere (benches/benches/buffers.rs tells).
const PIECE: usize = 1024;

/// Copies `from` to `to`, which is as long.
///
/// # Panics
/// When the lengths differ.
pub fn copy(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len(), "a copy is as long as what it is made of");
    for (from, to) in from.chunks(PIECE).zip(to.chunks_mut(PIECE)) {
        to.copy_from_slice(from);
    }
}

/// Puts a copy of `from` behind what is in `to`.
pub fn append(from: &[u8], to: &mut BytesMut) {
    for piece in from.chunks(PIECE) {
        to.extend_from_slice(piece);
    }
}

/// The blocks of one host, or of one device.
#[derive(Debug, Default)]
pub struct Blocks {
    /// Without any bytes of their own; the block used first is in front.
    handles: VecDeque<BytesMut>,
    /// A block was taken of late.
    was_used: bool,
}

impl Blocks {
    /// An empty buffer with room for [`BLOCK`] bytes.
    ///
    /// ```
    /// use tcpstack::blocks::{BLOCK, Blocks};
    /// let mut blocks = Blocks::default();
    /// let block = blocks.take();
    /// let memory = block.as_ptr();
    /// drop(block);
    /// let again = blocks.take();
    /// assert_eq!(again.as_ptr(), memory);
    /// assert_ne!(blocks.take().as_ptr(), memory);
    /// ```
    pub fn take(&mut self) -> BytesMut {
        self.was_used = true;
        for _ in 0..TRIES.min(self.handles.len()) {
            let Some(mut handle) = self.handles.pop_front() else { break };
            if handle.try_reclaim(BLOCK) {
                return self.remember(handle);
            }
            // Somebody is slow to let go of it; others behind it may be free.
            self.handles.push_back(handle);
        }
        self.remember(BytesMut::with_capacity(BLOCK))
    }

    /// Time has passed: forgets all blocks if none was taken since the last time this was said.
    pub fn handle_timers(&mut self) {
        if !std::mem::take(&mut self.was_used) {
            self.handles = VecDeque::new();
        }
    }

    fn remember(&mut self, mut block: BytesMut) -> BytesMut {
        if self.handles.len() == KEPT {
            self.handles.pop_front();
        }
        self.handles.push_back(block.split_off(BLOCK));
        block
    }
}

/// Buffers of one length that are filled and then shared as a whole, by whoever reads packets.
///
/// ```
/// use tcpstack::blocks::Lent;
/// let mut buffers = Lent::new(1000);
/// let mut buffer = buffers.take();
/// buffer[..5].copy_from_slice(b"hello");
/// let hello = buffers.lend(buffer).slice(..5);
/// assert_eq!(hello, "hello");
/// let memory = hello.as_ptr();
/// drop(hello);
/// // It is not even cleared.
/// assert_eq!((buffers.take().as_ptr(), buffers.take().len()), (memory, 1000));
/// ```
#[derive(Debug)]
pub struct Lent {
    len: usize,
    /// The one lent first is in front.
    lent: VecDeque<Bytes>,
}

impl Lent {
    /// Buffers of `len` bytes; there are none as yet.
    pub fn new(len: usize) -> Lent {
        Lent { len, lent: VecDeque::new() }
    }

    /// A buffer to be filled, whatever is in it now.
    pub fn take(&mut self) -> BytesMut {
        for _ in 0..TRIES.min(self.lent.len()) {
            match self.lent.pop_front().map(Bytes::try_into_mut) {
                Some(Ok(buffer)) => return buffer,
                Some(Err(used)) => self.lent.push_back(used),
                None => break,
            }
        }
        BytesMut::zeroed(self.len)
    }

    /// Shares a whole buffer, and remembers it.
    pub fn lend(&mut self, buffer: BytesMut) -> Bytes {
        debug_assert_eq!(buffer.len(), self.len, "only a whole buffer can be used again");
        let shared = buffer.freeze();
        if self.lent.len() == KEPT {
            self.lent.pop_front();
        }
        self.lent.push_back(shared.clone());
        shared
    }
}

#[cfg(test)]
mod tests;
