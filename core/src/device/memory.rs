//! Two devices that are each other's network, in one process: for tests and benchmarks.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{BATCH, Device, Interest};
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};

/// Packets on their way in one direction at most; what comes on top is dropped and counted, as on
/// a network interface whose queue is full.
const QUEUE_MAX: usize = 4096;

/// One end of a pair.
pub struct MemoryDevice {
    mtu: usize,
    gso_max: usize,
    inbound: Arc<Way>,
    outbound: Arc<Way>,
}

/// One direction. The descriptor is readable while a packet is under way.
struct Way {
    frames: Mutex<VecDeque<Frame>>,
    readable: EventFd,
    dropped: AtomicU64,
}

impl MemoryDevice {
    /// Two ends with packets of at most `mtu` bytes and super-segments of at most `gso_max` bytes of payload
    /// (0: none).
    ///
    /// # Errors
    /// EMFILE when there are too many open descriptors.
    ///
    /// ```
    /// use tcpstack::device::{Device, MemoryDevice};
    /// let (a, b) = MemoryDevice::pair(1500, 0)?;
    /// assert_eq!((a.mtu(), b.gso_max()), (1500, 0));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair(mtu: usize, gso_max: usize) -> io::Result<(MemoryDevice, MemoryDevice)> {
        let (one, other) = (Arc::new(Way::new()?), Arc::new(Way::new()?));
        let first = MemoryDevice { mtu, gso_max, inbound: one.clone(), outbound: other.clone() };
        let second = MemoryDevice { mtu, gso_max, inbound: other, outbound: one };
        Ok((first, second))
    }
}

impl Way {
    fn new() -> io::Result<Way> {
        let readable = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Way { frames: Mutex::default(), readable, dropped: AtomicU64::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Frame>> {
        self.frames.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Device for MemoryDevice {
    fn mtu(&self) -> usize {
        self.mtu
    }

    fn gso_max(&self) -> usize {
        self.gso_max
    }

    fn recv(&self, _now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        let mut frames = self.inbound.lock();
        let taken = frames.len().min(BATCH);
        batch.extend(frames.drain(..taken));
        if taken > 0 && frames.is_empty() {
            self.inbound.readable.read()?;
        }
        Ok(())
    }

    fn send(&self, _now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        let mut frames = self.outbound.lock();
        let was_empty = frames.is_empty();
        for transmit in batch.drain(..) {
            if frames.len() < QUEUE_MAX {
                frames.push_back(transmit.into_frame());
            } else {
                self.outbound.dropped.fetch_add(1, Relaxed);
            }
        }
        if was_empty && !frames.is_empty() {
            self.outbound.readable.write(1)?;
        }
        Ok(())
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        fds.push((self.inbound.readable.as_raw_fd(), Interest::Readable));
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("memory_queue_full_out", self.outbound.dropped.load(Relaxed))]
    }
}

#[cfg(test)]
mod tests;
