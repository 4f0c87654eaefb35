//! The way out to each peer: a connected socket, so that its being writable means that this peer
//! has room, and a bounded queue for when it has none.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::socket::{connect, setsockopt, sockopt};

use super::{UnixDevice, datagram, directory, unreachable};
use crate::device::{errno, packet_io, resegment};
use crate::wire::packet::{ChecksumField, Transmit};

/// What waits for one peer at most. The payload is shared with the send buffers, so the packets cost
/// little; the bytes bound how late the last of them can be.
const WAITING_PACKETS_MAX: usize = 4096;
const WAITING_BYTES_MAX: usize = 8 << 20;

/// Peers with an open socket at most.
const PEERS_MAX: usize = 512;

/// Room for several super-segments under way; the kernel caps it at net.core.wmem_max.
const SEND_BUFFER: usize = 4 << 20;

pub(super) struct Outbound {
    directory: PathBuf,
    work: Arc<Epoll>,
    peers: BTreeMap<IpAddr, Peer>,
}

struct Peer {
    socket: OwnedFd,
    waiting: VecDeque<Transmit>,
    waiting_bytes: usize,
    /// The kernel had no room; the socket is registered for when it has.
    is_blocked: bool,
}

enum Flushed {
    /// Nothing waits any more.
    All,
    /// The peer has no room now.
    Blocked,
    /// Nobody holds the peer's socket any more.
    Gone,
}

impl Outbound {
    pub(super) fn new(directory: PathBuf, work: Arc<Epoll>) -> Outbound {
        Outbound { directory, work, peers: BTreeMap::new() }
    }

    /// Puts a packet into its peer's queue; [`flush`](Outbound::flush) sends it.
    pub(super) fn enqueue(&mut self, transmit: Transmit, device: &UnixDevice) {
        let Some(address) = unreachable::destination(&transmit.header) else {
            device.counters.refused_out.fetch_add(1, Relaxed);
            return;
        };
        let peer = match self.peer(address) {
            Ok(peer) => peer,
            Err(Errno::ENOENT | Errno::ECONNREFUSED) => return device.answer(&transmit),
            Err(_) => {
                device.counters.refused_out.fetch_add(1, Relaxed);
                return;
            }
        };
        if transmit.segment_count() > 1 && transmit.checksum == ChecksumField::Complete {
            // No receiver could verify it as a whole.
            return resegment::split(transmit, |segment| peer.push(segment, device));
        }
        peer.push(transmit, device);
    }

    /// Sends to every peer that is not known to be full.
    pub(super) fn flush(&mut self, device: &UnixDevice) {
        let ready = self.peers.iter().filter(|(_, p)| !p.is_blocked && !p.waiting.is_empty());
        let ready: Vec<IpAddr> = ready.map(|(address, _)| *address).collect();
        for address in ready {
            self.flush_peer(address, device);
        }
    }

    /// Sends to the peers that were full and have room again. The kernel copies a datagram before
    /// it looks for room, so asking first is cheaper than trying.
    pub(super) fn resume(&mut self, device: &UnixDevice) {
        let blocked: Vec<_> = self.peers.iter().filter(|(_, peer)| peer.is_blocked).collect();
        if blocked.is_empty() {
            return;
        }
        let mut fds: Vec<_> = blocked
            .iter()
            .map(|(_, peer)| PollFd::new(peer.socket.as_fd(), PollFlags::POLLOUT))
            .collect();
        if poll(&mut fds, PollTimeout::ZERO).is_err() {
            return;
        }
        let ready: Vec<IpAddr> = (blocked.iter().zip(&fds))
            .filter(|(_, fd)| fd.any() == Some(true))
            .map(|((address, _), _)| **address)
            .collect();
        for address in ready {
            self.flush_peer(address, device);
        }
    }

    fn flush_peer(&mut self, address: IpAddr, device: &UnixDevice) {
        let Some(peer) = self.peers.get_mut(&address) else { return };
        let mut flushed = peer.flush(device);
        if matches!(flushed, Flushed::Gone) {
            // Its process ended; another may have taken the address since.
            if let Ok(socket) = connect_to(&self.directory, address) {
                // Closing is not enough: a forked child may have a copy.
                let _ = self.work.delete(&peer.socket);
                peer.socket = socket;
                peer.is_blocked = false;
                flushed = peer.flush(device);
            }
        }
        match flushed {
            Flushed::Blocked if !peer.is_blocked => {
                // Without memory for the registration the next `send` tries again.
                let writable = EpollEvent::new(EpollFlags::EPOLLOUT, 0);
                peer.is_blocked = self.work.add(&peer.socket, writable).is_ok();
            }
            Flushed::All if peer.is_blocked => {
                let _ = self.work.delete(&peer.socket);
                peer.is_blocked = false;
            }
            Flushed::Gone => {
                let _ = self.work.delete(&peer.socket);
                let gone = self.peers.remove(&address);
                for transmit in gone.into_iter().flat_map(|peer| peer.waiting) {
                    device.answer(&transmit);
                }
            }
            Flushed::All | Flushed::Blocked => {}
        }
    }

    fn peer(&mut self, address: IpAddr) -> Result<&mut Peer, Errno> {
        if !self.peers.contains_key(&address) {
            let socket = connect_to(&self.directory, address)?;
            if self.peers.len() >= PEERS_MAX {
                self.peers.retain(|_, peer| !peer.waiting.is_empty());
            }
            if self.peers.len() >= PEERS_MAX {
                return Err(Errno::ENOBUFS);
            }
            let peer =
                Peer { socket, waiting: VecDeque::new(), waiting_bytes: 0, is_blocked: false };
            self.peers.insert(address, peer);
        }
        self.peers.get_mut(&address).ok_or(Errno::ENOBUFS)
    }
}

impl Peer {
    fn push(&mut self, transmit: Transmit, device: &UnixDevice) {
        let bytes = self.waiting_bytes + transmit.len();
        if self.waiting.len() >= WAITING_PACKETS_MAX || bytes > WAITING_BYTES_MAX {
            device.counters.queue_full_out.fetch_add(1, Relaxed);
            return;
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(transmit);
    }

    fn flush(&mut self, device: &UnixDevice) -> Flushed {
        while let Some(transmit) = self.waiting.front() {
            let prefix = datagram::prefix(transmit);
            if let Err(error) = packet_io::write(self.socket.as_fd(), &prefix, transmit) {
                match errno(&error) {
                    libc::EAGAIN => return Flushed::Blocked,
                    libc::ECONNREFUSED | libc::ENOTCONN | libc::EPIPE | libc::ECONNRESET => {
                        return Flushed::Gone;
                    }
                    _ => _ = device.counters.refused_out.fetch_add(1, Relaxed),
                }
            }
            self.waiting_bytes -= transmit.len();
            self.waiting.pop_front();
        }
        Flushed::All
    }
}

fn connect_to(directory: &std::path::Path, address: IpAddr) -> Result<OwnedFd, Errno> {
    let socket = directory::datagram_socket()?;
    connect(socket.as_raw_fd(), &directory::socket_name(directory, address)?)?;
    // A smaller buffer serves too, only with more waiting.
    let _ = setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER);
    Ok(socket)
}
