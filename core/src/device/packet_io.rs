//! One packet per system call on a descriptor that keeps packets apart (a TUN queue, a datagram
//! socket), behind a prefix of a few bytes. A packet is read into memory that becomes the frame
//! itself when it is large, and written from the slices it consists of.

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use crate::blocks::Lent;
use crate::wire::packet::Transmit;

/// The longest prefix that a device puts before a packet.
const PREFIX_MAX: usize = 10;

/// Room for a prefix, the longest IP packet (a 16-bit length, and 40 bytes of IPv6 before it), and one
/// byte by which a longer packet betrays itself.
const CAPACITY: usize = PREFIX_MAX + 65_535 + 40 + 1;

/// From this length on the buffer is handed over, and a fresh one costs less than copying.
const HAND_OVER: usize = 16 * 1024;

/// Linux's IOV_MAX.
const SLICES_MAX: usize = 1024;

/// Where packets are read into. The memory is cleared but once: the kernel says how much it filled.
pub(super) struct ReadBuffer {
    buffers: Lent,
    bytes: BytesMut,
    /// Bytes that were read last.
    filled: usize,
}

impl Default for ReadBuffer {
    fn default() -> ReadBuffer {
        ReadBuffer::new()
    }
}

impl ReadBuffer {
    pub(super) fn new() -> ReadBuffer {
        let mut buffers = Lent::new(CAPACITY);
        let bytes = buffers.take();
        ReadBuffer { buffers, bytes, filled: 0 }
    }

    /// Reads one packet with its prefix; false: there is none now.
    pub(super) fn read(&mut self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        let read = retry(|| rustix::io::read(fd, &mut self.bytes[..]));
        self.filled = *read.as_ref().unwrap_or(&0);
        match read {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What was read last, prefix included.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Whether the packet filled the buffer, so that its end may be missing.
    pub(super) fn is_truncated(&self) -> bool {
        self.filled >= CAPACITY
    }

    /// What was read last, from `prefix_len` on.
    pub(super) fn take(&mut self, prefix_len: usize) -> Bytes {
        if self.filled < HAND_OVER {
            return Bytes::copy_from_slice(&self.bytes[prefix_len..self.filled]);
        }
        let full = std::mem::replace(&mut self.bytes, self.buffers.take());
        self.buffers.lend(full).slice(prefix_len..self.filled)
    }
}

/// Writes `prefix` and the packet in one call. WouldBlock: the descriptor is full.
pub(super) fn write(fd: BorrowedFd<'_>, prefix: &[u8], transmit: &Transmit) -> io::Result<()> {
    let written = if transmit.payload.slices().len() + 2 > SLICES_MAX {
        let payload = transmit.payload.clone().into_bytes();
        let slices = [prefix, &transmit.header, &payload].map(IoSlice::new);
        retry(|| rustix::io::writev(fd, &slices))
    } else {
        let mut slices: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
        // An empty first slice is harmless, so a device without a prefix needs no other path.
        slices.push(IoSlice::new(prefix));
        slices.push(IoSlice::new(&transmit.header));
        slices.extend(transmit.payload.slices().iter().map(|part| IoSlice::new(part)));
        retry(|| rustix::io::writev(fd, &slices))
    };
    // Packets go whole or not at all, so the count says nothing new.
    written.map(drop).map_err(io::Error::from)
}

/// Writes `prefix` and a packet in one piece.
pub(super) fn write_packet(fd: BorrowedFd<'_>, prefix: &[u8], packet: &[u8]) -> io::Result<()> {
    let written = if prefix.is_empty() {
        retry(|| rustix::io::write(fd, packet))
    } else {
        retry(|| rustix::io::writev(fd, &[IoSlice::new(prefix), IoSlice::new(packet)]))
    };
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
