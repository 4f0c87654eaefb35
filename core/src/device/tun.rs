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
use super::{BATCH_BYTES, Device, GSO_MAX_PAYLOAD, Interest, errno};
use crate::time::Instant;
use crate::wire::coalesce::Coalescer;
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
    /// Whether segments are cut and merged here where the kernel does not; else each goes, and comes,
    /// by itself all the way.
    pub in_bulk: bool,
}

impl Default for TunConfig {
    fn default() -> TunConfig {
        TunConfig { mtu: None, host: Vec::new(), offload: true, queues: 1, in_bulk: true }
    }
}

/// Packets taken at once. Each batch is answered by ACKs of its own, and our write of an ACK is where a kernel
/// peer sends: with many small packets to an ACK, more of that is done by the peer's own thread.
const PACKETS_MAX: usize = 128;
/// No queue is full.
const NONE: usize = usize::MAX;

/// An open TUN interface. One that was not made persistent disappears with it.
pub struct TunDevice {
    mtu: usize,
    /// Whether each packet is preceded by a virtio_net_hdr.
    has_virtio_header: bool,
    in_bulk: bool,
    queues: Vec<OwnedFd>,
    inbound: Mutex<Inbound>,
    /// Where packets are written that the kernel wants one by one.
    room: Mutex<Vec<u8>>,
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
            in_bulk: config.in_bulk,
            queues: attached.queues,
            inbound: Mutex::default(),
            room: Mutex::default(),
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

    fn recv_one(
        &self,
        queue: &OwnedFd,
        inbound: &mut Inbound,
        batch: &mut Vec<Frame>,
    ) -> io::Result<Received> {
        let Inbound { buffer, coalescer } = inbound;
        if !buffer.read(queue.as_fd())? {
            return Ok(Received::Nothing);
        }
        let len = buffer.filled().len();
        if !self.has_virtio_header {
            let verification = Verification::Unverified;
            if self.in_bulk {
                coalescer.push(buffer.filled(), verification, batch);
            } else {
                batch.push(Frame::new(buffer.take(0), verification, 0));
            }
            return Ok(Received::Packet(len));
        }
        let is_whole = buffer.filled().len() > virtio::LEN && !buffer.is_truncated();
        let header = virtio::Header::parse(buffer.filled()).filter(|_| is_whole);
        let Some((verification, gso_size)) = header.and_then(virtio::Header::received) else {
            return Ok(Received::Unusable);
        };
        batch.push(Frame::new(buffer.take(virtio::LEN), verification, gso_size));
        Ok(Received::Packet(len))
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

    /// Writes the packets of the wire that the first of `batch` stands for; false: the queue is full, and
    /// what is left of them waits in front.
    fn send_cut(&self, batch: &mut VecDeque<Transmit>) -> io::Result<bool> {
        let Some(transmit) = batch.pop_front() else { return Ok(true) };
        let queue = self.queue_of(&transmit);
        let nothing_asked = virtio::Header::default().to_bytes();
        let prefix = if self.has_virtio_header { &nothing_asked[..] } else { &[] };
        let mut room = self.room.lock().unwrap_or_else(|e| e.into_inner());
        let (mut packets, mut sent) = (transmit.packets(), 0);
        while let Some(len) = packets.next_len() {
            if room.len() < len {
                room.resize(len, 0);
            }
            packets.write(&mut room[..len]);
            let written = packet_io::write_packet(self.queues[queue].as_fd(), prefix, &room[..len]);
            if !self.was_taken(written, queue)? {
                let mut rest = Vec::new();
                transmit.segments(|segment| rest.push(segment));
                rest.drain(sent..).rev().for_each(|segment| batch.push_front(segment));
                return Ok(false);
            }
            sent += 1;
        }
        Ok(true)
    }

    /// What became of a packet; false: the queue is full.
    fn was_taken(&self, written: io::Result<()>, queue: usize) -> io::Result<bool> {
        let Err(error) = written else { return Ok(true) };
        match errno(&error) {
            libc::EAGAIN => {
                self.full_queue.store(queue, Relaxed);
                return Ok(false);
            }
            libc::EBADFD => return Err(context(error, "the TUN interface is gone")),
            // The interface is down, memory is short, or the kernel dislikes this packet.
            _ => _ = self.refused.fetch_add(1, Relaxed),
        }
        Ok(true)
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

/// What it takes to receive.
#[derive(Default)]
struct Inbound {
    buffer: ReadBuffer,
    coalescer: Coalescer,
}

enum Received {
    /// So many bytes long.
    Packet(usize),
    Unusable,
    Nothing,
}

/// The same queue for every packet of a connection, so that none overtakes another: addresses and ports.
fn flow_hash(transmit: &Transmit) -> usize {
    let is_ipv4 = transmit.header.first().is_some_and(|byte| byte >> 4 == 4);
    let flow = if is_ipv4 { 12..24 } else { 8..44 };
    let bytes = transmit.header.get(flow).unwrap_or_default();
    let sum =
        bytes.iter().fold(0, |sum: u64, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    // Knuth's multiplicative hashing. The lowest bits alone would put ports that are all even, as Linux hands
    // them out, on one queue of two.
    (sum.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as usize
}

impl Device for TunDevice {
    fn mtu(&self) -> usize {
        self.mtu
    }

    fn gso_max(&self) -> usize {
        if self.has_virtio_header || self.in_bulk { GSO_MAX_PAYLOAD } else { 0 }
    }

    fn recv(&self, _now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        let mut inbound = self.inbound.lock().unwrap_or_else(|e| e.into_inner());
        let (mut count, mut bytes) = (0, 0);
        let first = self.first_queue.fetch_add(1, Relaxed);
        for index in 0..self.queues.len() {
            let queue = &self.queues[first.wrapping_add(index) % self.queues.len()];
            while count < PACKETS_MAX && bytes < BATCH_BYTES {
                match self.recv_one(queue, &mut inbound, batch) {
                    Ok(Received::Packet(len)) => {
                        count += 1;
                        bytes += len;
                    }
                    Ok(Received::Unusable) => _ = self.unusable.fetch_add(1, Relaxed),
                    Ok(Received::Nothing) => break,
                    Err(error) => return Err(context(error, "reading from the TUN interface")),
                }
            }
        }
        inbound.coalescer.flush(batch);
        Ok(())
    }

    fn send(&self, _now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        while let Some(transmit) = batch.front() {
            if self.is_left_to_us(transmit) {
                if !self.send_cut(batch)? {
                    return Ok(());
                }
                continue;
            }
            if !self.was_taken(self.send_one(transmit), self.queue_of(transmit))? {
                return Ok(());
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
