//! A device behind a bad network: both directions of the host's own device are impaired, each
//! with chances of its own. Two hosts that do so to each other see both.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::{BATCH, Device, Impairment, ImpairmentQueue, Interest, resegment};
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};

/// How soon a device that took less than it was given is tried again, should nobody wait for its
/// descriptor to become writable.
const RETRY: Duration = Duration::from_millis(1);

/// A device whose packets pass an [`Impairment`] on their way in and on their way out.
pub struct Impaired<D> {
    device: D,
    inbound: Mutex<ImpairmentQueue>,
    outbound: Mutex<Outbound>,
}

struct Outbound {
    queue: ImpairmentQueue,
    /// What came through the link and waits for the device.
    arrived: VecDeque<Transmit>,
    last_tried: Instant,
}

impl<D: Device> Impaired<D> {
    /// `device` behind a link with `impairment` each way.
    pub fn new(device: D, impairment: Impairment, seed: u64) -> Impaired<D> {
        Impaired {
            device,
            inbound: Mutex::new(ImpairmentQueue::new(impairment, seed)),
            // Any other seed: the two directions are independent.
            outbound: Mutex::new(Outbound {
                queue: ImpairmentQueue::new(impairment, !seed),
                arrived: VecDeque::new(),
                last_tried: Instant::ZERO,
            }),
        }
    }

    /// Hands the device what has come through the link.
    fn move_along(&self, now: Instant, outbound: &mut Outbound) -> io::Result<()> {
        loop {
            while outbound.arrived.len() < BATCH {
                let Some(transmit) = outbound.queue.take_due(now) else { break };
                outbound.arrived.push_back(transmit);
            }
            if outbound.arrived.is_empty() {
                return Ok(());
            }
            outbound.last_tried = now;
            self.device.send(now, &mut outbound.arrived)?;
            if !outbound.arrived.is_empty() {
                return Ok(());
            }
        }
    }
}

impl<D: Device> Device for Impaired<D> {
    fn mtu(&self) -> usize {
        self.device.mtu()
    }

    fn gso_max(&self) -> usize {
        self.device.gso_max()
    }

    fn recv(&self, now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        self.move_along(now, &mut lock(&self.outbound))?;
        let mut frames = Vec::new();
        self.device.recv(now, &mut frames)?;
        let mut inbound = lock(&self.inbound);
        for frame in frames {
            inbound.offer(now, resegment::into_transmit(frame));
        }
        let due = std::iter::from_fn(|| inbound.take_due(now));
        batch.extend(due.take(BATCH).map(Transmit::into_frame));
        Ok(())
    }

    fn send(&self, now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        let mut outbound = lock(&self.outbound);
        for transmit in batch.drain(..) {
            outbound.queue.offer(now, transmit);
        }
        self.move_along(now, &mut outbound)
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        self.device.poll_fds(fds);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let outbound = lock(&self.outbound);
        let next_out = match outbound.arrived.is_empty() {
            true => outbound.queue.next_deadline(),
            false => Some(outbound.last_tried + RETRY),
        };
        let next_in = lock(&self.inbound).next_deadline();
        [next_out, next_in, self.device.next_deadline()].into_iter().flatten().min()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.device.counters();
        let inbound = lock(&self.inbound).counts();
        let outbound = lock(&self.outbound).queue.counts();
        counters.extend([
            ("impairment_lost_in", inbound.lost),
            ("impairment_duplicated_in", inbound.duplicated),
            ("impairment_reordered_in", inbound.reordered),
            ("impairment_corrupted_in", inbound.corrupted),
            ("impairment_overflowed_in", inbound.overflowed),
            ("impairment_lost_out", outbound.lost),
            ("impairment_duplicated_out", outbound.duplicated),
            ("impairment_reordered_out", outbound.reordered),
            ("impairment_corrupted_out", outbound.corrupted),
            ("impairment_overflowed_out", outbound.overflowed),
        ]);
        counters
    }
}

/// A panic elsewhere leaves the queues usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
