//! Where packets enter and leave: one trait, and the devices that implement it.
//!
//! `tun` is a Linux network interface, `unix` a directory of datagram sockets, `memory` a pair of
//! queues. `impaired` and `captured` wrap any of them. A device moves packets and looks into them
//! no further than it must; whether they make sense is the host's question.

mod captured;
mod error;
mod impaired;
pub mod impairment;
mod memory;
mod packet_io;
mod pcapng;
mod resegment;
pub mod tun;
mod unix;

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;

pub use captured::Captured;
pub use error::{DeviceError, errno};
pub use impaired::Impaired;
pub use impairment::{Impairment, ImpairmentQueue};
pub use memory::MemoryDevice;
pub use pcapng::{Direction, PcapngWriter};
pub use tun::{TunConfig, TunDevice};
pub use unix::UnixDevice;

use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};

/// The largest super-segment's payload: what a 16-bit IP length leaves beside the longest headers
/// (40 bytes of IPv6, 60 of TCP).
pub const GSO_MAX_PAYLOAD: usize = 65_535 - 40 - 60;

/// Packets that one `recv` hands over at most, so that sending gets its turn.
const BATCH: usize = 64;

/// Bytes after which `recv` hands over what it has: few enough that a processor's cache still holds them when they
/// are copied to the application.
const BATCH_BYTES: usize = 1 << 20;

/// What a device waits for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read.
    Readable,
    /// Room to write.
    Writable,
}

/// A network interface of one host. `recv` is called by one thread at a time, and so is `send`, but the
/// two may run at once. Nothing blocks.
///
/// A device may hold packets back itself (a peer's full queue, an impairment's delay). Those need no
/// second `send`: `recv` moves them along too, so whoever calls `recv` when a descriptor of
/// [`poll_fds`](Device::poll_fds) is ready or [`next_deadline`](Device::next_deadline) has come serves
/// both directions.
pub trait Device: Send + Sync {
    /// Largest IP packet on the wire, in bytes.
    fn mtu(&self) -> usize;

    /// Largest payload of a super-segment that `send` takes, in bytes; 0: none.
    fn gso_max(&self) -> usize;

    /// Appends packets that are there now, a batch at most; none there is Ok with nothing appended.
    fn recv(&self, now: Instant, batch: &mut Vec<Frame>) -> io::Result<()>;

    /// Sends from the front; what would block stays in `batch`. An error is the device's own end
    /// (a packet that can't be sent alone is dropped and counted).
    fn send(&self, now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()>;

    /// Descriptors to wait on: readable -> recv has work; writable (only when send left something) -> send again.
    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>);

    /// When recv or send should be called again for packets held back (impairments).
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// What was dropped so far, by reason; each has a stable name.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

impl<D: Device + ?Sized> Device for Box<D> {
    fn mtu(&self) -> usize {
        (**self).mtu()
    }

    fn gso_max(&self) -> usize {
        (**self).gso_max()
    }

    fn recv(&self, now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        (**self).recv(now, batch)
    }

    fn send(&self, now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        (**self).send(now, batch)
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        (**self).poll_fds(fds);
    }

    fn next_deadline(&self) -> Option<Instant> {
        (**self).next_deadline()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        (**self).counters()
    }
}
