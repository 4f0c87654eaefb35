//! Waiting for a socket: for a change of a number that counts the socket's changes, by waiting for the
//! device (see `leader`) or else on a futex.
//!
//! A thread reads the number while it holds the host's lock, finds that it must wait, lets go, and
//! sleeps as long as the number is still the one it read: no change is missed. Threads asleep are
//! counted, so that a change that nobody waits for costs no system call.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::SocketError;
use super::descriptor::Descriptor;
use super::shared::Shared;
use crate::host::SocketId;
use crate::time::Instant;

/// A socket as seen by those who wait for it and those who wake them.
pub(super) struct Endpoint {
    pub(super) id: SocketId,
    sequence: AtomicU32,
    sleepers: AtomicU32,
    /// Whether a thread that leads polls until the number changes.
    pub(super) is_polling: AtomicBool,
    /// Set once by whoever closes the socket.
    pub(super) is_closed: AtomicBool,
    /// Whether it stands in the queue of bridges to be served.
    pub(super) is_queued: AtomicBool,
    /// Its kernel descriptor, if it has one.
    pub(super) descriptor: OnceLock<Arc<Descriptor>>,
}

/// How long a call waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    /// Not at all.
    None,
    /// Until then.
    Until(Instant),
    /// As long as it takes.
    Endless,
}

impl Patience {
    /// Patience that ends `timeout` from `now`.
    pub(super) fn new(now: Instant, dont_wait: bool, timeout: Option<Duration>) -> Patience {
        match timeout {
            _ if dont_wait => Patience::None,
            Some(timeout) => Patience::Until(now + timeout),
            None => Patience::Endless,
        }
    }
}

impl Endpoint {
    pub(super) fn new(id: SocketId) -> Endpoint {
        Endpoint {
            id,
            sequence: AtomicU32::new(0),
            sleepers: AtomicU32::new(0),
            is_polling: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_queued: AtomicBool::new(false),
            descriptor: OnceLock::new(),
        }
    }

    /// The number to hand to [`Endpoint::wait`]; read it while the host is locked.
    pub(super) fn sequence(&self) -> u32 {
        self.sequence.load(SeqCst)
    }

    /// Something changed: everyone asleep looks again.
    pub(super) fn wake(&self, shared: &Shared) {
        self.sequence.fetch_add(1, SeqCst);
        // A sleeper counts itself before the kernel compares the number: it is seen here, or it sees
        // the new number there.
        if self.sleepers.load(SeqCst) > 0 {
            // It cannot fail: the address is ours.
            let _ = futex::wake(&self.sequence, Flags::PRIVATE, u32::MAX >> 1);
        }
        if self.is_polling.load(SeqCst) {
            shared.reactor.wake_leader();
        }
    }

    /// Waits until the number is no longer `sequence`. False: the time is up. It may also return
    /// early for no reason; the caller looks again.
    ///
    /// # Errors
    /// `Interrupted` when a signal handler ran; EDEADLK under a manual clock without a wait function.
    pub(super) fn wait(
        &self,
        shared: &Shared,
        sequence: u32,
        patience: Patience,
    ) -> Result<bool, SocketError> {
        let left = match patience {
            Patience::None => return Ok(false),
            Patience::Endless => None,
            Patience::Until(deadline) => Some(deadline.saturating_since(shared.clock.now())),
        };
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        if shared.clock.is_manual() {
            return shared.wait_manually(patience);
        }
        if let Some(led) = shared.lead(self, sequence, patience) {
            return led;
        }
        let timeout = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        self.sleepers.fetch_add(1, SeqCst);
        let slept = futex::wait(&self.sequence, Flags::PRIVATE, sequence, timeout.as_ref());
        self.sleepers.fetch_sub(1, SeqCst);
        match slept {
            Err(Errno::INTR) => Err(SocketError::Interrupted),
            // Whether the time is up is seen at the next look.
            _ => Ok(true),
        }
    }
}
