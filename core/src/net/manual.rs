//! The `user:` device and the manual clock: the embedder moves packets by hand, and time.
//!
//! With `clock=manual` nothing sleeps and no thread runs: a call that must wait calls the wait
//! function on its own thread, with no lock held. Packets take the same way through the house as from any
//! other device, so impairments and captures work, and one can be had from `output` as soon as the call
//! that made it possible returns. The bytes of bridged descriptors move when `poll` is called.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::blocking::Patience;
use super::descriptor;
use super::shared::Shared;
use super::{SocketError, Stack};
use crate::device::{Device, Interest};
use crate::host::Error;
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit, Verification};

/// Packets that wait for `output`; more stay in the host.
const OUTBOUND_MAX: usize = 256;
/// No IP packet is longer.
const PACKET_MAX: usize = 65_535;

/// What a call that must wait does: it gets the time at which the call gives up in microseconds
/// (`u64::MAX`: never), and says whether to look again (true) or to fail with `Interrupted`.
pub(super) type WaitFunction = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// The queues between the stack and its embedder.
pub(super) struct UserDevice {
    mtu: usize,
    inbound: Mutex<VecDeque<Frame>>,
    outbound: Mutex<VecDeque<Transmit>>,
}

impl UserDevice {
    pub(super) fn new(mtu: usize) -> UserDevice {
        UserDevice { mtu, inbound: Mutex::default(), outbound: Mutex::default() }
    }
}

/// A queue is whole after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device for Arc<UserDevice> {
    fn mtu(&self) -> usize {
        self.mtu
    }

    fn gso_max(&self) -> usize {
        0
    }

    fn recv(&self, _now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        batch.extend(lock(&self.inbound).drain(..));
        Ok(())
    }

    fn send(&self, _now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        let mut outbound = lock(&self.outbound);
        let free = OUTBOUND_MAX.saturating_sub(outbound.len());
        let taken = free.min(batch.len());
        outbound.extend(batch.drain(..taken));
        Ok(())
    }

    fn poll_fds(&self, _fds: &mut Vec<(RawFd, Interest)>) {}
}

impl Shared {
    /// Lets the embedder's function wait, with no lock held.
    pub(super) fn wait_manually(&self, patience: Patience) -> Result<bool, SocketError> {
        let wait = lock(&self.wait).clone();
        // Nothing could ever end the wait: there is no thread.
        let Some(wait) = wait else { return Err(SocketError::Os(libc::EDEADLK)) };
        let deadline_us = match patience {
            Patience::Until(deadline) => rounded_up_us(deadline),
            Patience::None | Patience::Endless => u64::MAX,
        };
        if wait(deadline_us) { Ok(true) } else { Err(SocketError::Interrupted) }
    }

    fn next_timer(&self) -> Result<Option<Instant>, SocketError> {
        Ok(self.lock()?.host.next_timer())
    }

    fn next_device_deadline(&self) -> Option<Instant> {
        lock(&self.receive).next_deadline()
    }

    /// Runs what is due until `target`, each at its own time. A timer may be armed anew for the
    /// instant at which it fired; a device that cannot move its packets along stays due, and is asked
    /// once.
    fn run_until(&self, target: Instant) -> Result<(), SocketError> {
        let mut asked = None;
        loop {
            let timer = self.next_timer()?;
            let device = self.next_device_deadline().filter(|at| asked != Some(*at));
            let Some(next) = timer.into_iter().chain(device).min().filter(|at| *at <= target)
            else {
                return Ok(());
            };
            self.clock.advance(next);
            if timer == Some(next) {
                self.run_timers();
            }
            if device == Some(next) {
                asked = device;
                self.receive();
            }
        }
    }

    /// Whether calls from outside get in; a stack that has failed hangs its descriptors up, for which
    /// there is no thread here.
    fn check_alive(&self) -> Result<(), SocketError> {
        let alive = self.check_open();
        if let (Err(SocketError::Os(_)), true) = (alive, self.clock.is_manual()) {
            descriptor::hang_up(self);
        }
        alive
    }
}

/// A timer asked for at this microsecond is never early.
fn rounded_up_us(at: Instant) -> u64 {
    at.as_nanos().div_ceil(1000)
}

/// The `user:` device and the manual clock.
impl Stack {
    /// Sets the manual clock to `now_us` microseconds and runs the timers that are due by then, in
    /// the order of their deadlines, each at its own time. Returns when the next one is due.
    ///
    /// # Errors
    /// `Invalid` when `now_us` is before the time given last, `NotSupported` when the clock is not
    /// manual.
    pub fn poll(&self, now_us: u64) -> Result<Option<u64>, SocketError> {
        let shared = self.shared();
        shared.check_alive()?;
        let target = Instant::from_micros(now_us);
        if !shared.clock.is_manual() {
            return Err(Error::NotSupported.into());
        }
        if target < shared.clock.now() {
            return Err(Error::Invalid.into());
        }
        shared.run_until(target)?;
        shared.clock.advance(target);
        shared.receive();
        shared.turn(false);
        let next = shared.next_timer()?.into_iter().chain(shared.next_device_deadline()).min();
        Ok(next.map(rounded_up_us))
    }

    /// Takes in one IP packet. A packet that turns out to be of no use is counted and dropped, as a
    /// network interface would.
    ///
    /// # Errors
    /// `NotSupported` unless the device is `user:`; `MessageSize` when it is longer than any IP packet.
    pub fn input(&self, packet: &[u8]) -> Result<(), SocketError> {
        let shared = self.shared();
        shared.check_alive()?;
        let user = shared.user.as_ref().ok_or(Error::NotSupported)?;
        if packet.len() > PACKET_MAX {
            return Err(Error::MessageSize.into());
        }
        let packet = Bytes::copy_from_slice(packet);
        lock(&user.inbound).push_back(Frame::new(packet, Verification::Unverified, 0));
        shared.receive();
        Ok(())
    }

    /// Copies the next packet to send into `packet` and returns its length in bytes; 0: there is
    /// none. The MTU is always room enough.
    ///
    /// # Errors
    /// `NotSupported` unless the device is `user:`; `MessageSize` when `packet` is too small, and the
    /// packet stays.
    pub fn output(&self, packet: &mut [u8]) -> Result<usize, SocketError> {
        let shared = self.shared();
        shared.check_alive()?;
        let user = shared.user.as_ref().ok_or(Error::NotSupported)?;
        let (transmit, was_full) = {
            let mut outbound = lock(&user.outbound);
            let Some(next) = outbound.front() else { return Ok(0) };
            if next.len() > packet.len() {
                return Err(Error::MessageSize.into());
            }
            let was_full = outbound.len() >= OUTBOUND_MAX;
            (outbound.pop_front(), was_full)
        };
        if was_full {
            shared.unblock();
            // A capture or a worse network in between may hold the next packet.
            shared.receive();
        }
        let bytes = transmit.map(|transmit| transmit.to_bytes()).unwrap_or_default();
        packet[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// What a call that must wait does under a manual clock: `wait` gets the time in microseconds at
    /// which the call gives up (`u64::MAX`: never), moves packets and the clock, and returns true
    /// (look again) or false (fail with `Interrupted`). Without one such a call fails with EDEADLK.
    pub fn set_wait(&self, wait: Option<WaitFunction>) {
        *lock(&self.shared().wait) = wait;
    }
}
