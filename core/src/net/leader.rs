//! The leader: of the threads whose calls have to wait, one that waits for the device itself.
//!
//! Were it always the engine that does, each packet would wake two threads, the engine and the one that it is
//! for, and both would want the host's lock. So a thread that has to wait until its socket changes takes the
//! lead when nobody has it: it waits for the device and takes in what comes, whosesoever it is, until its own
//! socket has changed. Others that wait meanwhile sleep on their sockets' numbers, as all do while the
//! engine leads. Timers, kicks, descriptors and a device that was full stay with the engine.
//!
//! Nothing is lost:
//!
//! - *A packet.* It keeps the device readable for whoever waits next, and somebody will: the holder of the
//!   watch (`reactor`) is the engine; or a leader, which polls before it leaves or has just taken in
//!   packets; or nobody, and then the engine sleeps for a moment at most, since it is told when it
//!   sleeps longer. The holder changes under one lock.
//! - *A change of the leader's own socket* that another thread makes. That thread changes the number, then looks
//!   whether the socket's thread polls, and wakes it; the leader says that it polls, then looks at the number,
//!   then polls. One of the two sees the other. A wake that comes too late makes the next leader look
//!   once in vain.
//! - *A signal.* Its handler may run while the leader works, and then no poll is interrupted. Before the first
//!   poll this is so for every call of this library, which has to work before it waits; from then on, when
//!   packets of others could keep the leader working, and as long as it looks at the device without sleeping
//!   (see `busy_poll`), signals are let in by `ppoll` alone. So each round goes through it.
//! - *The end of the stack.* Whoever ends it says so first, then wakes all, and waits for the lead before it
//!   lets go of the device; a leader looks whether the stack is open once it has the lead.

use std::hint;
use std::os::fd::AsFd;
use std::sync::TryLockError;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::time::TimeSpec;

use super::SocketError;
use super::blocking::{Endpoint, Patience};
use super::descriptor;
use super::shared::Shared;
use crate::time::Instant;

/// From so many bytes or packets on it is a bulk: the thread will be back for more.
const BULK_BYTES: usize = 16 << 10;
const BULK_PACKETS: usize = 4;

/// Signals that are let in by `ppoll` alone, as long as this lives.
struct SignalsHeld {
    before: SigSet,
}

impl SignalsHeld {
    fn new() -> Option<SignalsHeld> {
        let mut held = SigSet::all();
        // What the processor raises is for the instruction that raised it.
        for fault in
            [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP]
        {
            held.remove(fault);
        }
        let before = held.thread_swap_mask(SigmaskHow::SIG_SETMASK).ok()?;
        Some(SignalsHeld { before })
    }
}

impl Drop for SignalsHeld {
    fn drop(&mut self) {
        // It fails for an unknown `how` only.
        let _ = self.before.thread_set_mask();
    }
}

/// The device's watch, as long as this lives, for a thread that waits until the number of `endpoint` is no
/// longer `sequence`.
struct Lead<'a> {
    shared: &'a Shared,
    endpoint: &'a Endpoint,
    sequence: u32,
    packets: usize,
    bytes: usize,
}

impl Lead<'_> {
    fn is_over(&self) -> bool {
        self.endpoint.sequence() != self.sequence
    }

    /// Takes in a batch; false: there was none.
    fn receive(&mut self) -> bool {
        let (packets, bytes) = self.shared.receive_batch();
        self.packets += packets;
        self.bytes += bytes;
        packets > 0
    }

    /// Looks at the device for so long at most, without sleeping, until it has packets or all is over.
    fn look_for(&mut self, most: Duration) -> bool {
        let end = self.shared.clock.now() + most;
        while !self.receive() && !self.is_over() {
            if self.shared.clock.now() >= end {
                return false;
            }
            hint::spin_loop();
        }
        true
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let is_bulk = self.bytes >= BULK_BYTES || self.packets >= BULK_PACKETS;
        self.shared.reactor.leave_watch(self.shared.clock.now(), is_bulk);
    }
}

impl Shared {
    /// Leads until the number of `endpoint` is no longer `sequence`, or its patience has ended (false). None: it
    /// cannot lead.
    ///
    /// # Errors
    /// `Interrupted` when a signal handler ran.
    pub(super) fn lead(
        &self,
        endpoint: &Endpoint,
        sequence: u32,
        patience: Patience,
    ) -> Option<Result<bool, SocketError>> {
        // Let in again last, when there is no lead any more.
        let mut signals: Option<SignalsHeld> = None;
        // Held to the end of this function.
        let mut busy_poll = match self.leading.try_lock() {
            Ok(lead) => lead,
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return None,
        };
        self.check_open().ok()?;
        let (device, wake) = self.reactor.take_watch(self.clock.now())?;
        let mut lead = Lead { shared: self, endpoint, sequence, packets: 0, bytes: 0 };
        let busy_read = self.lock().ok()?.host.knobs().busy_read();
        loop {
            let Some(mut timeout) = time_left(patience, self.clock.now()) else {
                return Some(Ok(false));
            };
            if !busy_read.is_zero() && busy_poll.begin() {
                signals = signals.or_else(SignalsHeld::new);
                let was_found = lead.look_for(busy_read);
                busy_poll.learn(was_found);
                if lead.is_over() {
                    return Some(Ok(true));
                }
                if was_found {
                    // There may be more, but signals have to be let in.
                    timeout = Some(TimeSpec::from_duration(Duration::ZERO));
                }
            }
            let mut fds = [
                PollFd::new(device, PollFlags::POLLIN),
                PollFd::new(wake.as_fd(), PollFlags::POLLIN),
            ];
            endpoint.is_polling.store(true, SeqCst);
            if lead.is_over() {
                endpoint.is_polling.store(false, SeqCst);
                return Some(Ok(true));
            }
            let mask = signals.as_ref().map(|signals| signals.before);
            let polled = ppoll(&mut fds, timeout, mask);
            endpoint.is_polling.store(false, SeqCst);
            if polled == Err(Errno::EINTR) && !goes_on(patience) {
                return Some(Err(SocketError::Interrupted));
            }
            if fds[1].any() == Some(true) {
                let _ = wake.read();
            }
            if fds[0].any() == Some(true) {
                lead.receive();
            }
            if lead.is_over() {
                return Some(Ok(true));
            }
            signals = signals.or_else(SignalsHeld::new);
        }
    }
}

/// Whether a call goes on when a handler has run: as on Linux where that has SA_RESTART and the call no
/// timeout. Poll itself never does, and does not say which handler it was: one without is enough to stop.
fn goes_on(patience: Patience) -> bool {
    matches!(patience, Patience::Endless) && descriptor::all_handlers_restart()
}

/// How long a poll may take: outer None, not at all any more; inner None, as long as it takes.
fn time_left(patience: Patience, now: Instant) -> Option<Option<TimeSpec>> {
    match patience {
        Patience::None => None,
        Patience::Endless => Some(None),
        Patience::Until(deadline) => {
            let left = deadline.saturating_since(now);
            (!left.is_zero()).then(|| Some(TimeSpec::from_duration(left)))
        }
    }
}

#[cfg(test)]
mod tests;
