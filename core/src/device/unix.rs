//! `unix:DIR`: a directory is the network, and each host on it a datagram socket named by its address.
//! Any number of processes, no privilege, no daemon.
//!
//! A packet goes whole into one datagram, super-segments and unfinished checksums included, since no
//! wire lies between. Each peer has a socket and a bounded queue of its own, so that a slow one
//! holds up nobody else; the kernel queues but a few datagrams (net.unix.max_dgram_qlen), the rest waits
//! here. A packet for an address that nobody has is answered as a router would: host unreachable.
//! Who may join is the directory's permissions; what comes in is checked for its shape.

mod datagram;
mod directory;
mod outbound;
mod unreachable;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::error::context;
use super::packet_io::ReadBuffer;
use super::{BATCH, BATCH_BYTES, Device, GSO_MAX_PAYLOAD, Interest};
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};
use directory::BoundSocket;
use outbound::Outbound;

/// Answers to ourselves that wait to be received, at most; TCP sends again.
const UNREACHABLE_MAX: usize = 64;

/// What was dropped, by reason.
#[derive(Default)]
struct Counters {
    /// Came in and was no packet.
    garbage_in: AtomicU64,
    /// The peer's queue was full.
    queue_full_out: AtomicU64,
    /// Nobody has the address (answered as far as that is allowed).
    unreachable_out: AtomicU64,
    /// The kernel would not take it, or it has no destination.
    refused_out: AtomicU64,
}

/// A host's place in a directory. Its sockets are removed with it.
pub struct UnixDevice {
    mtu: usize,
    directory: PathBuf,
    sockets: Vec<BoundSocket>,
    /// Readable when `recv` has work: a datagram, an answer of our own, or a full peer that has room
    /// again. One descriptor, so that a thread that waits on it already sees what another adds.
    work: Arc<Epoll>,
    inbound: Mutex<Inbound>,
    outbound: Mutex<Outbound>,
    answers: Mutex<VecDeque<Frame>>,
    has_answers: EventFd,
    counters: Counters,
}

struct Inbound {
    buffer: ReadBuffer,
    /// The socket that is read first, so that each gets its turn.
    first: usize,
}

impl UnixDevice {
    /// Joins the network `directory`, or this user's own, under each of `addresses`. The directory is made
    /// (for this user alone) when it is not there. `mtu` in bytes.
    ///
    /// # Errors
    /// EADDRINUSE when a running process has one of the addresses (the message says which), EINVAL
    /// without an address, ENAMETOOLONG for a directory of more than about 90 bytes, EACCES where
    /// the directory may not be used.
    pub fn open(
        directory: Option<&Path>,
        addresses: &[IpAddr],
        mtu: usize,
    ) -> io::Result<UnixDevice> {
        let directory = match directory {
            Some(directory) => directory::open(directory)?,
            None => directory::open_default()?,
        };
        if addresses.is_empty() {
            return Err(context(Errno::EINVAL, "a host needs at least one address"));
        }
        let sockets = directory::bind_all(&directory, addresses)?;
        let waiting = |e| context(io::Error::from(e), "preparing to wait for packets");
        let work = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(waiting)?;
        let has_answers =
            EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map_err(waiting)?;
        let readable = || EpollEvent::new(EpollFlags::EPOLLIN, 0);
        work.add(&has_answers, readable()).map_err(waiting)?;
        for socket in &sockets {
            work.add(socket.as_fd(), readable()).map_err(waiting)?;
        }
        let work = Arc::new(work);
        Ok(UnixDevice {
            mtu,
            outbound: Mutex::new(Outbound::new(directory.clone(), Arc::clone(&work))),
            directory,
            sockets,
            work,
            inbound: Mutex::new(Inbound { buffer: ReadBuffer::new(), first: 0 }),
            answers: Mutex::new(VecDeque::new()),
            has_answers,
            counters: Counters::default(),
        })
    }

    /// The directory in use.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Puts the router's answer to a packet that nobody is there for into our own way in.
    fn answer(&self, transmit: &Transmit) {
        self.counters.unreachable_out.fetch_add(1, Relaxed);
        let Some(packet) = unreachable::answer_to(&transmit.header) else { return };
        let mut answers = lock(&self.answers);
        if answers.len() < UNREACHABLE_MAX {
            answers.push_back(Transmit::complete(packet, None).into_frame());
            // It can only fail when the counter is full, and then it is readable anyway.
            let _ = self.has_answers.write(1);
        }
    }

    fn take_answers(&self, batch: &mut Vec<Frame>) {
        let mut answers = lock(&self.answers);
        if !answers.is_empty() {
            batch.extend(answers.drain(..));
            let _ = self.has_answers.read();
        }
    }

    fn read_sockets(&self, end: usize, batch: &mut Vec<Frame>) -> io::Result<()> {
        let mut inbound = lock(&self.inbound);
        inbound.first = (inbound.first + 1) % self.sockets.len();
        let first = inbound.first;
        let mut bytes = 0;
        for index in 0..self.sockets.len() {
            let socket = &self.sockets[(first + index) % self.sockets.len()];
            while batch.len() < end && bytes < BATCH_BYTES {
                match inbound.buffer.read(socket.as_fd()) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        return Err(context(error, "reading from the directory's socket"));
                    }
                }
                match datagram::parse(&mut inbound.buffer) {
                    Some(frame) => {
                        bytes += frame.len();
                        batch.push(frame);
                    }
                    None => _ = self.counters.garbage_in.fetch_add(1, Relaxed),
                }
            }
        }
        Ok(())
    }
}

impl Device for UnixDevice {
    fn mtu(&self) -> usize {
        self.mtu
    }

    fn gso_max(&self) -> usize {
        GSO_MAX_PAYLOAD
    }

    fn recv(&self, _now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        let end = batch.len() + BATCH;
        lock(&self.outbound).resume(self);
        self.take_answers(batch);
        self.read_sockets(end, batch)
    }

    fn send(&self, _now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        let mut outbound = lock(&self.outbound);
        for transmit in batch.drain(..) {
            outbound.enqueue(transmit, self);
        }
        outbound.flush(self);
        Ok(())
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        fds.push((self.work.0.as_raw_fd(), Interest::Readable));
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let counters = &self.counters;
        vec![
            ("unix_garbage_in", counters.garbage_in.load(Relaxed)),
            ("unix_queue_full_out", counters.queue_full_out.load(Relaxed)),
            ("unix_unreachable_out", counters.unreachable_out.load(Relaxed)),
            ("unix_refused_out", counters.refused_out.load(Relaxed)),
        ]
    }
}

/// No invariant spans two steps under these locks, so a panic elsewhere leaves them usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
