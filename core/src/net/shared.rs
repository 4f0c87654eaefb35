//! What the threads of a stack share: the host behind its one lock, and all that stands around it.
//!
//! Every call and every arrival goes through [`Shared::enter`]: lock, work, unlock, then transmit
//! what became ready, wake who waits, set the timer, hand out events. No system call is made while the
//! host is locked, and locks are taken in this order only: the lead, a descriptor's, the receive side's, the
//! transmit side's, the host's.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::SocketError;
use super::blocking::Endpoint;
use super::busy_poll::BusyPoll;
use super::clock::Clock;
use super::descriptor::{self, DescriptorKind};
use super::engine::ReceiveSide;
use super::events::EventStream;
use super::manual::{UserDevice, WaitFunction};
use super::pump::TransmitSide;
use super::reactor::Reactor;
use crate::host::{Host, SocketId};
use crate::time::Instant;

/// What the one lock of a stack guards.
pub(super) struct Locked {
    pub(super) host: Host,
    /// The open sockets, for waking.
    pub(super) endpoints: HashMap<SocketId, Arc<Endpoint>>,
}

/// A stack's parts, shared by its handles, its sockets and its engine.
pub(super) struct Shared {
    locked: Mutex<Locked>,
    pub(super) transmit: Mutex<TransmitSide>,
    /// Set when packets may be ready and nobody is known to have looked (see `pump`).
    pub(super) is_pending: AtomicBool,
    pub(super) receive: Mutex<ReceiveSide>,
    /// Held by the thread that waits for the device in the engine's place (see `leader`): what those before
    /// it have learned.
    pub(super) leading: Mutex<BusyPoll>,
    /// The queues of a `user:` device.
    pub(super) user: Option<Arc<UserDevice>>,
    pub(super) clock: Clock,
    pub(super) reactor: Reactor,
    pub(super) events: EventStream,
    /// Bridged descriptors that have something to move.
    bridges: Mutex<Vec<Arc<Endpoint>>>,
    /// What a call that must wait does under a manual clock.
    pub(super) wait: Mutex<Option<WaitFunction>>,
    /// 0 while open; then the errno of every call from outside.
    failure: AtomicI32,
    /// Which process of a line of forks opened it.
    generation: u32,
}

/// What is left to do once the lock is gone.
#[derive(Default)]
pub(super) struct Aftermath {
    wakes: SmallVec<[Arc<Endpoint>; 8]>,
    deadline: Option<Instant>,
}

impl Aftermath {
    /// Takes from the host whom to wake and when its next timer is.
    pub(super) fn collect(&mut self, locked: &mut Locked) {
        while let Some(id) = locked.host.poll_wake() {
            if let Some(endpoint) = locked.endpoints.get(&id)
                && !self.wakes.iter().any(|known| Arc::ptr_eq(known, endpoint))
            {
                self.wakes.push(Arc::clone(endpoint));
            }
        }
        self.deadline = locked.host.next_timer();
    }
}

/// What a stack is built from.
pub(super) struct Parts {
    pub(super) host: Host,
    pub(super) transmit: TransmitSide,
    pub(super) receive: ReceiveSide,
    pub(super) user: Option<Arc<UserDevice>>,
    pub(super) clock: Clock,
    pub(super) reactor: Reactor,
    pub(super) events: EventStream,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Shared {
        Shared {
            locked: Mutex::new(Locked { host: parts.host, endpoints: HashMap::new() }),
            transmit: Mutex::new(parts.transmit),
            is_pending: AtomicBool::new(false),
            receive: Mutex::new(parts.receive),
            leading: Mutex::new(BusyPoll::new()),
            user: parts.user,
            clock: parts.clock,
            reactor: parts.reactor,
            events: parts.events,
            bridges: Mutex::default(),
            wait: Mutex::default(),
            failure: AtomicI32::new(0),
            generation: descriptor::generation(),
        }
    }

    /// Whether calls from outside get in.
    ///
    /// # Errors
    /// `StackClosed`, or the errno of what ended the stack.
    pub(super) fn check_open(&self) -> Result<(), SocketError> {
        if self.generation != descriptor::generation() {
            // A forked child has the memory but not the engine: its locks may never open.
            return Err(SocketError::StackClosed);
        }
        match self.failure.load(SeqCst) {
            0 => Ok(()),
            libc::EBADF => Err(SocketError::StackClosed),
            errno => Err(SocketError::Os(errno)),
        }
    }

    /// Whether this process opened the stack, rather than a parent it was forked from.
    pub(super) fn is_ours(&self) -> bool {
        self.generation == descriptor::generation()
    }

    /// Works on the host for a call from outside, and does what follows from it.
    ///
    /// # Errors
    /// As [`Shared::check_open`].
    pub(super) fn enter<R>(
        &self,
        work: impl FnOnce(&mut Locked, Instant) -> R,
    ) -> Result<R, SocketError> {
        self.check_open()?;
        // Once more under the lock: whoever ends the stack takes it before waking. Either the end is
        // seen here, or the number a waiter reads is older than the wake.
        self.enter_unchecked(|locked, now| self.check_open().map(|()| work(locked, now)))?
    }

    /// [`Shared::enter`] for the stack itself, which still has to move data while it closes.
    ///
    /// # Errors
    /// ENOTRECOVERABLE after a panic under the lock.
    pub(super) fn enter_unchecked<R>(
        &self,
        work: impl FnOnce(&mut Locked, Instant) -> R,
    ) -> Result<R, SocketError> {
        // The transmit side first: packets then leave in the order in which the lock was held.
        let side = self.transmit.try_lock().ok();
        let mut locked = self.lock()?;
        let now = self.clock.now();
        let result = work(&mut locked, now);
        let mut aftermath = Aftermath::default();
        let side = match side {
            Some(mut side) => {
                side.refill(&mut locked.host, now);
                Some(side)
            }
            None => {
                self.is_pending.store(true, SeqCst);
                None
            }
        };
        aftermath.collect(&mut locked);
        drop(locked);
        self.pump(side, &mut aftermath);
        self.settle(aftermath);
        Ok(result)
    }

    /// The host, for a look, or for changes from which nothing follows.
    ///
    /// # Errors
    /// ENOTRECOVERABLE after a panic under the lock.
    pub(super) fn lock(&self) -> Result<MutexGuard<'_, Locked>, SocketError> {
        match self.locked.lock() {
            Ok(locked) => Ok(locked),
            Err(poisoned) => {
                // It holds the lock, which telling everyone takes as well.
                drop(poisoned);
                self.fail(libc::ENOTRECOVERABLE);
                Err(SocketError::Os(libc::ENOTRECOVERABLE))
            }
        }
    }

    /// Wakes, sets the timer, hands out events: the last steps, with no lock held.
    pub(super) fn settle(&self, aftermath: Aftermath) {
        for endpoint in aftermath.wakes {
            endpoint.wake(self);
            if let Some(descriptor) = endpoint.descriptor.get() {
                match descriptor.kind() {
                    DescriptorKind::Direct => descriptor.show(self, &endpoint),
                    // Moving its bytes comes back here: from the engine's loop, not from inside.
                    DescriptorKind::Bridged => self.queue_bridge(&endpoint),
                    DescriptorKind::OnDemand if descriptor.is_handed_out() => {
                        self.queue_bridge(&endpoint);
                    }
                    DescriptorKind::OnDemand => {}
                }
            }
        }
        self.arm(aftermath.deadline);
        self.events.flush();
    }

    /// Has the timer fire no later than `deadline`.
    pub(super) fn arm(&self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline
            && !self.clock.is_manual()
        {
            self.reactor.arm(deadline);
        }
    }

    /// Has the engine serve a bridged descriptor.
    pub(super) fn queue_bridge(&self, endpoint: &Arc<Endpoint>) {
        if !endpoint.is_queued.swap(true, SeqCst) {
            self.bridges.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(endpoint));
            self.reactor.kick();
        }
    }

    /// The bridged descriptors to serve now.
    pub(super) fn take_bridges(&self) -> Vec<Arc<Endpoint>> {
        let queued = mem::take(&mut *self.bridges.lock().unwrap_or_else(PoisonError::into_inner));
        for endpoint in &queued {
            endpoint.is_queued.store(false, SeqCst);
        }
        queued
    }

    /// Closes the stack to calls from outside, with `errno` from now on; true for the first to do so.
    pub(super) fn shut_out(&self, errno: i32) -> bool {
        self.failure.compare_exchange(0, errno, SeqCst, SeqCst).is_ok()
    }

    /// Ends the stack at once: the device is gone or a panic left the host in pieces. Whoever waits
    /// is woken to hear of it.
    pub(super) fn fail(&self, errno: i32) {
        if !self.shut_out(errno) {
            return;
        }
        for endpoint in self.endpoints() {
            endpoint.wake(self);
        }
        self.reactor.kick();
    }

    /// Every open socket.
    pub(super) fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        // The map is whole even when a panic came out of the host.
        let locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.endpoints.values().cloned().collect()
    }

    /// Lets go of the device, so that its address is free for the next stack.
    pub(super) fn drop_device(&self) {
        // Who waits for it has been woken, and nobody begins to: the stack is shut.
        let _lead = self.leading.lock().unwrap_or_else(PoisonError::into_inner);
        self.transmit.lock().unwrap_or_else(PoisonError::into_inner).close();
        self.receive.lock().unwrap_or_else(PoisonError::into_inner).close();
    }
}

#[cfg(test)]
mod tests;
