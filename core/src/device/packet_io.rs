//! One packet per system call on a descriptor that keeps packets apart (a TUN queue, a datagram
//! socket), behind a prefix of a few bytes. A packet is read into memory that becomes the frame
//! itself when it is large, and written from the slices it consists of.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::wire::packet::Transmit;

/// The longest prefix that a device puts before a packet.
const PREFIX_MAX: usize = 10;

/// Room for a prefix, the longest IP packet (a 16-bit length, and 40 bytes of IPv6 before it), and one
/// byte by which a longer packet betrays itself.
const CAPACITY: usize = PREFIX_MAX + 65_535 + 40 + 1;

/// From this length on the buffer is handed over, and a fresh one costs less than copying.
const HAND_OVER: usize = 16 * 1024;

/// Buffers that were handed over and are remembered, to be used again when nobody has them any more.
const KEPT: usize = 16;

/// Linux's IOV_MAX.
const SLICES_MAX: usize = 1024;

/// Where packets are read into. The memory is never cleared: the kernel says how much it filled.
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    /// The first one handed over is in front.
    handed_over: VecDeque<Bytes>,
}

impl ReadBuffer {
    pub(super) fn new() -> ReadBuffer {
        ReadBuffer { bytes: Vec::with_capacity(CAPACITY), handed_over: VecDeque::new() }
    }

    /// Reads one packet with its prefix; false: there is none now.
    pub(super) fn read(&mut self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        self.bytes.clear();
        match retry(|| rustix::io::read(fd, rustix::buffer::spare_capacity(&mut self.bytes))) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What was read last, prefix included.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the packet filled the buffer, so that its end may be missing.
    pub(super) fn is_truncated(&self) -> bool {
        self.bytes.len() >= CAPACITY
    }

    /// What was read last, from `prefix_len` on.
    pub(super) fn take(&mut self, prefix_len: usize) -> Bytes {
        if self.bytes.len() < HAND_OVER {
            return Bytes::copy_from_slice(&self.bytes[prefix_len..]);
        }
        let fresh = self.fresh();
        let bytes = Bytes::from(std::mem::replace(&mut self.bytes, fresh));
        self.handed_over.push_back(bytes.clone());
        bytes.slice(prefix_len..)
    }

    /// An empty buffer: the one handed over first, if it is free again.
    fn fresh(&mut self) -> Vec<u8> {
        let first = self.handed_over.pop_front();
        match first.map(Bytes::try_into_mut) {
            Some(Ok(mut bytes)) => {
                bytes.clear();
                bytes.into()
            }
            Some(Err(used)) => {
                if self.handed_over.len() < KEPT {
                    self.handed_over.push_front(used);
                }
                Vec::with_capacity(CAPACITY)
            }
            None => Vec::with_capacity(CAPACITY),
        }
    }
}

/// Writes `prefix` and the packet in one call. WouldBlock: the descriptor is full.
pub(super) fn write(fd: BorrowedFd<'_>, prefix: &[u8], transmit: &Transmit) -> io::Result<()> {
    let written = if transmit.payload.len() + 2 > SLICES_MAX {
        let payload: Vec<u8> = transmit.payload.iter().flatten().copied().collect();
        let slices = [prefix, &transmit.header, &payload].map(IoSlice::new);
        retry(|| rustix::io::writev(fd, &slices))
    } else {
        let mut slices: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
        // An empty first slice is harmless, so a device without a prefix needs no other path.
        slices.push(IoSlice::new(prefix));
        slices.push(IoSlice::new(&transmit.header));
        slices.extend(transmit.payload.iter().map(|part| IoSlice::new(part)));
        retry(|| rustix::io::writev(fd, &slices))
    };
    // Packets go whole or not at all, so the count says nothing new.
    written.map(drop).map_err(io::Error::from)
}

/// Repeats a call that a signal interrupted: neither end of a device ever waits in it.
fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
