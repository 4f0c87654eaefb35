//! What is measured, besides single functions: pairs of stacks in memory ([`hosts`], [`interfaces`])
//! one stack over a TUN interface to the kernel ([`tun`]), and both over bad links in virtual time
//! ([`recovery`]), tcpstack's and smoltcp's each.
//!
//! Both do the same work, or the comparison means nothing: the same MTU, the same buffers, the bytes
//! copied from and to the application's memory. In memory also the same number of packets carried at
//! a time, each copied once onto the "wire" with its checksums computed, and verified on arrival.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

pub mod hosts;
pub mod interfaces;
pub mod recovery;
pub mod tun;
pub mod turns;

/// Packets that cross at a time, as a network card's ring would hand them over.
pub const BATCH: usize = 64;

/// Size of the application's reads and writes, in bytes.
pub const CALL: usize = 64 * 1024;

/// What both pairs have in common.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Largest IP packet, in bytes.
    pub mtu: usize,
    /// Send and receive buffer of each socket, in bytes.
    pub buffer: usize,
}

/// An established connection inside one process.
pub trait Pair {
    /// Moves `len` bytes from the client's application to the server's.
    fn transfer(&mut self, len: usize);
}

/// The application's data: what is written at a position of the stream must be read there.
pub(crate) struct Stream {
    source: Vec<u8>,
    written: usize,
    read: usize,
}

impl Stream {
    pub(crate) fn new() -> Stream {
        Stream { source: pattern(CALL), written: 0, read: 0 }
    }

    /// What to write next, at most `len` bytes.
    pub(crate) fn next(&self, len: usize) -> &[u8] {
        let at = self.written % CALL;
        &self.source[at..(at + len).min(CALL)]
    }

    /// So many bytes were taken.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.written += count;
    }

    /// These bytes were read; in debug builds they are compared.
    pub(crate) fn read(&mut self, data: &[u8]) {
        for (at, byte) in data.iter().enumerate().filter(|_| cfg!(debug_assertions)) {
            assert_eq!(*byte, self.source[(self.read + at) % CALL], "at {}", self.read + at);
        }
        self.read += data.len();
    }
}

/// `len` bytes that do not repeat within a segment.
#[must_use]
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

#[cfg(test)]
mod tests;
