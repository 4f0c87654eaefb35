//! A device whose packets are written to a capture file, as an observer on its wire would see them:
//! checksums finished, super-segments split, both ways.
//!
//! A packet is in the file before it is sent, so that a process that is killed has written down
//! whatever it sent. When the file can't be written any more the packets go on and the capture ends, counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Device, Direction, Interest, PcapngWriter, resegment};
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};

/// How soon a device that took less than it was given is tried again, should nobody wait for its
/// descriptor to become writable.
const RETRY: Duration = Duration::from_millis(1);

/// A device with a capture of what passes it.
pub struct Captured<D, W: Write> {
    device: D,
    capture: Mutex<Capture<W>>,
    outbound: Mutex<Outbound>,
}

struct Capture<W: Write> {
    /// None once writing failed.
    writer: Option<PcapngWriter<W>>,
    missing: u64,
}

/// What has been written down and waits for the device.
struct Outbound {
    written: VecDeque<Transmit>,
    last_tried: Instant,
}

impl<D: Device, W: Write + Send> Captured<D, W> {
    /// Writes what passes `device` to `writer`.
    pub fn new(device: D, writer: PcapngWriter<W>) -> Captured<D, W> {
        Captured {
            device,
            capture: Mutex::new(Capture { writer: Some(writer), missing: 0 }),
            outbound: Mutex::new(Outbound { written: VecDeque::new(), last_tried: Instant::ZERO }),
        }
    }

    fn move_along(&self, now: Instant, outbound: &mut Outbound) -> io::Result<()> {
        outbound.last_tried = now;
        self.device.send(now, &mut outbound.written)
    }
}

impl<W: Write> Capture<W> {
    fn write(&mut self, now: Instant, direction: Direction, transmit: Transmit) {
        let Some(writer) = &mut self.writer else {
            self.missing += 1;
            return;
        };
        let reason = transmit.reason;
        resegment::split(transmit, |segment| {
            let mut slices: SmallVec<[&[u8]; 4]> = SmallVec::new();
            slices.push(&segment.header);
            slices.extend(segment.payload.slices().iter().map(Bytes::as_ref));
            writer.packet(now, direction, reason, &slices);
        });
    }

    fn flush(&mut self) {
        if self.writer.as_mut().is_some_and(|writer| writer.flush().is_err()) {
            self.writer = None;
            self.missing += 1;
        }
    }
}

impl<D: Device, W: Write + Send> Device for Captured<D, W> {
    fn mtu(&self) -> usize {
        self.device.mtu()
    }

    fn gso_max(&self) -> usize {
        self.device.gso_max()
    }

    fn recv(&self, now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        let mut outbound = lock(&self.outbound);
        if !outbound.written.is_empty() {
            self.move_along(now, &mut outbound)?;
        }
        drop(outbound);
        let start = batch.len();
        self.device.recv(now, batch)?;
        if batch.len() > start {
            let mut capture = lock(&self.capture);
            for frame in &batch[start..] {
                let transmit = resegment::into_transmit(frame.clone());
                capture.write(now, Direction::Inbound, transmit);
            }
            capture.flush();
        }
        Ok(())
    }

    fn send(&self, now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        let mut outbound = lock(&self.outbound);
        self.move_along(now, &mut outbound)?;
        // While the device is full the rest stays with the caller, so nothing piles up here.
        if !outbound.written.is_empty() || batch.is_empty() {
            return Ok(());
        }
        let mut capture = lock(&self.capture);
        for transmit in &*batch {
            capture.write(now, Direction::Outbound, transmit.clone());
        }
        capture.flush();
        drop(capture);
        outbound.written.append(batch);
        self.move_along(now, &mut outbound)
    }

    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        self.device.poll_fds(fds);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let outbound = lock(&self.outbound);
        let retry = (!outbound.written.is_empty()).then(|| outbound.last_tried + RETRY);
        [retry, self.device.next_deadline()].into_iter().flatten().min()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.device.counters();
        counters.push(("capture_missing", lock(&self.capture).missing));
        counters
    }
}

/// A panic elsewhere leaves the capture usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
