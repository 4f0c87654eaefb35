//! Blocks of memory that are used again: what the buffers of a connection are made of while much data
//! moves.
//!
//! An allocator may give so large a block back to the system as soon as it is free and have it mapped
//! and cleared anew the next time, which costs more than to fill it. Of each block that it makes,
//! [`Blocks`] keeps an empty handle; once nobody else has any part of the block, the handle gets all of
//! it back. Nothing is given back by hand, no more than [`KEPT`] blocks are remembered, and none for
//! long where none is taken ([`Blocks::handle_timers`]).

use std::collections::VecDeque;

use bytes::BytesMut;

/// Length of a block in bytes.
pub const BLOCK: usize = 64 * 1024;

/// Blocks remembered at most: 1 MiB.
const KEPT: usize = 16;

/// Handles looked at before a new block is made.
const TRIES: usize = 2;

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
    /// assert_eq!(blocks.take().as_ptr(), memory);
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

#[cfg(test)]
mod tests;
