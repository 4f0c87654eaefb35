//! `tun:NAME`: a Linux TUN interface. What the kernel routes to it comes in here, and what goes out
//! here the kernel receives.
//!
//! With offload each packet carries a virtio_net_hdr: the kernel then takes super-segments and
//! unfinished checksums, and hands over its own the same way. Where the kernel lacks that, or
//! `offload` is off, packets are split and finished here. The interface is created, addressed and
//! brought up as far as that is missing and the process may; otherwise the error says what to do.

mod configure;
#[allow(unsafe_code)]
mod ioctl;
mod netlink;
mod virtio;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::error::context;
use super::packet_io::{self, ReadBuffer};
use super::{BATCH, BATCH_BYTES, Device, GSO_MAX_PAYLOAD, Interest, errno, resegment};
use crate::time::Instant;
use crate::wire::packet::{ChecksumField, Frame, Transmit, Verification};
pub use configure::{create_persistent, remove};

/// How a TUN interface is opened.
#[derive(Clone, Debug)]
pub struct TunConfig {
    /// Largest IP packet in bytes, 68 to 65,535 (IPv6: from 1280); None: what the interface has (1500 if new).
    pub mtu: Option<usize>,
    /// The kernel's addresses on the interface with prefix lengths, such as 10.7.0.1/24 when the
    /// stack itself is 10.7.0.2.
    pub host: Vec<(IpAddr, u8)>,
    /// Whether the kernel may do checksums and segmentation.
    pub offload: bool,
    /// Queues, 1 to 256: the kernel spreads flows over them.
    pub queues: usize,
}

impl Default for TunConfig {
    fn default() -> TunConfig {
        TunConfig { mtu: None, host: Vec::new(), offload: true, queues: 1 }
    }
}

/// No queue is full.
const NONE: usize = usize::MAX;

/// An open TUN interface. One that was not made persistent disappears with it.
pub struct TunDevice {
    mtu: usize,
    /// Whether each packet is preceded by a virtio_net_hdr.
    has_virtio_header: bool,
    queues: Vec<OwnedFd>,
    inbound: Mutex<ReadBuffer>,
    /// The queue that `recv` reads first, so that each gets its turn.
    first_queue: AtomicUsize,
    /// The queue that was full when `send` left something; waiting for the others too would wake at once.
    full_queue: AtomicUsize,
    unusable: AtomicU64,
    refused: AtomicU64,
}

impl TunDevice {
    /// Opens the interface `name` (1 to 15 bytes), creating and configuring what is missing.
    ///
    /// # Errors
    /// EPERM or EACCES when something is missing that takes CAP_NET_ADMIN to make, EBUSY when another
    /// process has the interface, EINVAL for a bad name or value, ENOENT without the kernel's tun module.
    pub fn open(name: &str, config: &TunConfig) -> io::Result<TunDevice> {
        let attached = configure::attach(name, config)?;
        let mtu = configure::configure(name, config)?;
        Ok(TunDevice {
            mtu,
            has_virtio_header: attached.has_virtio_header,
            queues: attached.queues,
            inbound: Mutex::new(ReadBuffer::new()),
            first_queue: AtomicUsize::new(0),
            full_queue: AtomicUsize::new(NONE),
            unusable: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Whether the kernel takes super-segments whole.
    pub fn has_offload(&self) -> bool {
        self.has_virtio_header
    }

    fn recv_one(&self, queue: &OwnedFd, buffer: &mut ReadBuffer) -> io::Result<Received> {
        if !buffer.read(queue.as_fd())? {
            return Ok(Received::Nothing);
        }
        if !self.has_virtio_header {
            let bytes = buffer.take(0);
            let verification = Verification::Unverified;
            return Ok(Received::Packet(Frame { bytes, verification, gso_size: 0 }));
        }
        let is_whole = buffer.filled().len() > virtio::LEN && !buffer.is_truncated();
        let header = virtio::Header::parse(buffer.filled()).filter(|_| is_whole);
        let Some((verification, gso_size)) = header.and_then(virtio::Header::received) else {
            return Ok(Received::Unusable);
        };
        Ok(Received::Packet(Frame { bytes: buffer.take(virtio::LEN), verification, gso_size }))
    }

    fn queue_of(&self, transmit: &Transmit) -> usize {
        flow_hash(transmit) % self.queues.len()
    }

    fn send_one(&self, transmit: &Transmit) -> io::Result<()> {
        let queue = self.queues[self.queue_of(transmit)].as_fd();
        if self.has_virtio_header {
            packet_io::write(queue, &virtio::Header::of(transmit).to_bytes(), transmit)
        } else {
            packet_io::write(queue, &[], transmit)
        }
    }

    /// Whether the kernel can't take it as it is: a super-segment's checksum must be left to whoever splits it.
    fn is_left_to_us(&self, transmit: &Transmit) -> bool {
        let is_complete = transmit.checksum == ChecksumField::Complete;
        let is_super = transmit.segment_count() > 1;
        if self.has_virtio_header { is_super && is_complete } else { is_super || !is_complete }
    }
}

/// The first queue, and the only one unless there were to be more.
impl AsFd for TunDevice {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queues[0].as_fd()
    }
}

enum Received {
    Packet(Frame),
    Unusable,
    Nothing,
}

/// The same queue for every packet of a connection, so that none overtakes another: addresses and ports.
fn flow_hash(transmit: &Transmit) -> usize {
    let is_ipv4 = transmit.header.first().is_some_and(|byte| byte >> 4 == 4);
    let flow = if is_ipv4 { 12..24 } else { 8..44 };
    let bytes = transmit.header.get(flow).unwrap_or_default();
    bytes.iter().fold(0, |hash: usize, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)))
}

impl Device for TunDevice {
    fn mtu(&self) -> usize {
        self.mtu
    }

    fn gso_max(&self) -> usize {
        GSO_MAX_PAYLOAD
    }

    fn recv(&self, _now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        let mut buffer = self.inbound.lock().unwrap_or_else(|e| e.into_inner());
        let end = batch.len() + BATCH;
        let mut bytes = 0;
        let first = self.first_queue.fetch_add(1, Relaxed);
        for index in 0..self.queues.len() {
            let queue = &self.queues[first.wrapping_add(index) % self.queues.len()];
            while batch.len() < end && bytes < BATCH_BYTES {
                match self.recv_one(queue, &mut buffer) {
                    Ok(Received::Packet(frame)) => {
                        bytes += frame.bytes.len();
                        batch.push(frame);
                    }
                    Ok(Received::Unusable) => _ = self.unusable.fetch_add(1, Relaxed),
                    Ok(Received::Nothing) => break,
                    Err(error) => return Err(context(error, "reading from the TUN interface")),
                }
            }
        }
        Ok(())
    }

    fn send(&self, _now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        while let Some(transmit) = batch.front() {
            if self.is_left_to_us(transmit) {
                let mut segments = Vec::new();
                if let Some(transmit) = batch.pop_front() {
                    resegment::split(transmit, |segment| segments.push(segment));
                }
                for segment in segments.into_iter().rev() {
                    batch.push_front(segment);
                }
                continue;
            }
            if let Err(error) = self.send_one(transmit) {
                match errno(&error) {
                    libc::EAGAIN => {
                        self.full_queue.store(self.queue_of(transmit), Relaxed);
                        return Ok(());
                    }
                    libc::EBADFD => {
                        return Err(context(error, "the TUN interface is gone"));
                    }
                    // The interface is down, memory is short, or the kernel dislikes this packet.
                    _ => _ = self.refused.fetch_add(1, Relaxed),
                }
            }
            batch.pop_front();
        }
        self.full_queue.store(NONE, Relaxed);
        Ok(())
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        for (index, queue) in self.queues.iter().enumerate() {
            fds.push((queue.as_raw_fd(), Interest::Readable));
            if self.full_queue.load(Relaxed) == index {
                fds.push((queue.as_raw_fd(), Interest::Writable));
            }
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("tun_unusable_in", self.unusable.load(Relaxed)),
            ("tun_refused_out", self.refused.load(Relaxed)),
        ]
    }
}

#[cfg(test)]
mod tests;
