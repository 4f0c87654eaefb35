//! The transmit pump: from the host to the device, by whichever thread has something to send.
//!
//! Only the holder of the [`TransmitSide`] asks the host for packets, and it asks with the host
//! locked, so packets leave in the order in which the lock was held. A thread that finds the side
//! taken leaves a note (`is_pending`) and goes on: the holder looks for the note after it has let go, so
//! nothing is stranded. What a full device leaves stays at the front until it is writable again.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, MutexGuard};

use super::shared::{Aftermath, Shared};
use crate::device::{self, Device, Interest};
use crate::host::Host;
use crate::time::Instant;
use crate::wire::packet::Transmit;

/// Packets taken from the host in one hold of the lock.
const BATCH: usize = 64;
/// Batches that one call sends before it leaves the rest to the engine.
const BATCHES_MAX: usize = 64;

/// The one place from which the device is sent to.
pub(super) struct TransmitSide {
    device: Option<Arc<dyn Device>>,
    batch: VecDeque<Transmit>,
    /// Whether the host may have more than the last refill took.
    has_more: bool,
    /// Whether the device left packets and is being waited for.
    is_blocked: bool,
    /// The descriptors that are waited on for that.
    awaited: Vec<RawFd>,
}

impl TransmitSide {
    pub(super) fn new(device: Arc<dyn Device>) -> TransmitSide {
        TransmitSide {
            device: Some(device),
            batch: VecDeque::with_capacity(BATCH),
            has_more: false,
            is_blocked: false,
            awaited: Vec::new(),
        }
    }

    /// Takes packets from the host, a batch at most; none while the device is full.
    pub(super) fn refill(&mut self, host: &mut Host, now: Instant) {
        self.has_more = self.is_blocked;
        if self.is_blocked {
            return;
        }
        while let Some(transmit) = host.poll_transmit(now) {
            self.batch.push_back(transmit);
            if self.batch.len() >= BATCH {
                self.has_more = true;
                return;
            }
        }
        self.has_more = host.has_left_over();
    }

    /// Whether everything taken from the host is with the device.
    pub(super) fn is_drained(&self) -> bool {
        self.batch.is_empty() && !self.has_more
    }

    /// Lets go of the device; what waits for it is dropped.
    pub(super) fn close(&mut self) {
        self.device = None;
        self.batch.clear();
    }

    /// The descriptors to wait on until the device takes packets again.
    fn writable_fds(&self) -> Vec<RawFd> {
        let mut fds = Vec::new();
        if let Some(device) = &self.device {
            device.poll_fds(&mut fds);
        }
        fds.retain(|(_, interest)| *interest == Interest::Writable);
        fds.into_iter().map(|(fd, _)| fd).collect()
    }
}

impl Shared {
    /// Sends until the host has nothing more, or the device takes nothing more, or another thread
    /// does it.
    pub(super) fn pump(
        &self,
        mut held: Option<MutexGuard<'_, TransmitSide>>,
        aftermath: &mut Aftermath,
    ) {
        let mut batches = 0;
        loop {
            let Some(mut side) = held.take().or_else(|| self.transmit.try_lock().ok()) else {
                return;
            };
            loop {
                self.send(&mut side);
                let has_note = !side.is_blocked && self.is_pending.swap(false, SeqCst);
                if side.is_blocked || !(has_note || side.has_more) {
                    break;
                }
                batches += 1;
                if batches > BATCHES_MAX {
                    // Others keep it busy: a call has to return some day.
                    self.is_pending.store(true, SeqCst);
                    // First, so that the engine finds it free.
                    drop(side);
                    self.reactor.kick();
                    return;
                }
                let Ok(mut locked) = self.lock() else { return };
                side.refill(&mut locked.host, self.clock.now());
                aftermath.collect(&mut locked);
            }
            let is_blocked = side.is_blocked;
            drop(side);
            if is_blocked || !self.is_pending.load(SeqCst) {
                return;
            }
        }
    }

    /// Pumps if somebody left a note; for the engine.
    pub(super) fn pump_pending(&self) {
        if self.is_pending.load(SeqCst) {
            let mut aftermath = Aftermath::default();
            self.pump(None, &mut aftermath);
            self.settle(aftermath);
        }
    }

    /// The device may take packets again.
    pub(super) fn unblock(&self) {
        let Ok(mut side) = self.transmit.lock() else { return };
        if !side.is_blocked {
            drop(side);
            self.pump_pending();
            return;
        }
        side.is_blocked = false;
        side.has_more = true;
        self.reactor.unwatch_writable(&mem::take(&mut side.awaited));
        let mut aftermath = Aftermath::default();
        self.pump(Some(side), &mut aftermath);
        self.settle(aftermath);
    }

    /// Sends the batch; what does not go is waited for.
    fn send(&self, side: &mut TransmitSide) {
        if side.batch.is_empty() || side.is_blocked {
            return;
        }
        let Some(device) = &side.device else {
            side.batch.clear();
            return;
        };
        if let Err(error) = device.send(self.clock.now(), &mut side.batch) {
            self.fail(device::errno(&error));
            side.batch.clear();
            return;
        }
        self.arm(device.next_deadline());
        if !side.batch.is_empty() {
            side.is_blocked = true;
            side.has_more = true;
            side.awaited = side.writable_fds();
            self.reactor.watch_writable(&side.awaited);
        }
    }
}
