//! The engine: the one thread of a stack, which waits for packets, timers and descriptors.
//!
//! It sleeps in epoll until there is work: a device's descriptor, the timer at exactly the next
//! deadline, the stack's end of a socket's descriptor, or a kick from another thread. Under a manual
//! clock there is no thread, and the embedder's `poll` makes the same turns without sleeping.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nix::sys::epoll::{EpollEvent, EpollFlags};

use super::SocketError;
use super::descriptor;
use super::reactor::{DEVICE, KICK, TIMER};
use super::shared::{Locked, Shared};
use crate::device::{self, Device};
use crate::tcp::State;
use crate::time::Instant;
use crate::wire::packet::Frame;

/// Events taken from epoll at once.
const EVENTS: usize = 64;
/// Batches taken from the device before the others get their turn.
const BATCHES_MAX: usize = 16;

/// The one place from which the device is received from.
pub(super) struct ReceiveSide {
    device: Option<Arc<dyn Device>>,
    frames: Vec<Frame>,
}

impl ReceiveSide {
    pub(super) fn new(device: Arc<dyn Device>) -> ReceiveSide {
        ReceiveSide { device: Some(device), frames: Vec::new() }
    }

    pub(super) fn close(&mut self) {
        self.device = None;
    }

    /// Gives the host what was read.
    fn empty_into(&mut self, locked: &mut Locked, now: Instant) {
        for frame in self.frames.drain(..) {
            locked.host.handle_frame(now, frame);
        }
    }

    /// When the device has something for itself to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.device.as_ref()?.next_deadline()
    }

    /// What the device counted.
    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        self.device.as_ref().map(|device| device.counters()).unwrap_or_default()
    }
}

impl Shared {
    /// Runs the engine until the stack has closed. A panic ends the stack, not the process.
    pub(super) fn run_engine(self: &Arc<Shared>) {
        let turns = catch_unwind(AssertUnwindSafe(|| {
            while self.check_open().is_ok() {
                self.turn(true);
            }
            if self.check_open() == Err(SocketError::StackClosed) {
                self.flush_until_closed();
            }
        }));
        if turns.is_err() {
            self.fail(libc::ENOTRECOVERABLE);
            // `fail` wakes nobody when a lock found the panic first and said so already.
            for endpoint in self.endpoints() {
                endpoint.wake(self);
            }
        }
    }

    /// Does what there is to do; with `may_sleep`, waits until there is something.
    pub(super) fn turn(&self, may_sleep: bool) {
        let mut events = [EpollEvent::empty(); EVENTS];
        let count = self.reactor.wait(self.clock.now(), may_sleep, &mut events);
        let mut has_device_work = false;
        for event in &events[..count] {
            match event.data() {
                KICK => self.reactor.take_kick(),
                TIMER => {
                    self.reactor.disarm();
                    self.run_timers();
                    self.unblock();
                    // A device that holds packets back moves them along when it is asked for more.
                    has_device_work = true;
                }
                DEVICE => {
                    has_device_work = true;
                    if event.events().contains(EpollFlags::EPOLLOUT) {
                        self.unblock();
                    }
                }
                inode => descriptor::handle_event(self, inode, event.events()),
            }
        }
        if has_device_work {
            self.receive();
        }
        self.pump_pending();
        for endpoint in self.take_bridges() {
            if let Some(descriptor) = endpoint.descriptor.get() {
                descriptor.show(self, &endpoint);
            }
        }
    }

    /// Runs the timers that are due now.
    pub(super) fn run_timers(&self) {
        let _ = self.enter_unchecked(|locked, now| locked.host.handle_timers(now));
    }

    /// Takes in what the device has.
    pub(super) fn receive(&self) {
        for _ in 0..BATCHES_MAX {
            if self.receive_batch().0 == 0 {
                return;
            }
        }
    }

    /// Takes in one batch: how many packets, and their bytes.
    pub(super) fn receive_batch(&self) -> (usize, usize) {
        let Ok(mut side) = self.receive.lock() else {
            // A panic in the device: on another thread than this one.
            self.fail(libc::ENOTRECOVERABLE);
            return (0, 0);
        };
        self.fill(&mut side);
        let packets = side.frames.len();
        let bytes = side.frames.iter().map(Frame::len).sum();
        if packets > 0 {
            // It fails when the stack is in pieces: then all has been said.
            let _ = self.enter_unchecked(|locked, now| side.empty_into(locked, now));
        }
        self.arm(side.next_deadline());
        (packets, bytes)
    }

    /// [`Shared::enter`], taking in first what the device has: for a thread that moves a bulk, and for
    /// whose packets the engine would be woken otherwise.
    ///
    /// # Errors
    /// As [`Shared::enter`].
    pub(super) fn enter_hearing<R>(
        &self,
        work: impl FnOnce(&mut Locked, Instant) -> R,
    ) -> Result<R, SocketError> {
        self.check_open()?;
        if !self.reactor.borrow_watch(self.clock.now()) {
            return self.enter(work);
        }
        let Ok(mut side) = self.receive.try_lock() else { return self.enter(work) };
        self.fill(&mut side);
        let result = self.enter(|locked, now| {
            side.empty_into(locked, now);
            work(locked, now)
        });
        self.arm(side.next_deadline());
        result
    }

    /// Reads a batch.
    fn fill(&self, side: &mut ReceiveSide) {
        let Some(device) = &side.device else { return };
        if let Err(error) = device.recv(self.clock.now(), &mut side.frames) {
            self.fail(device::errno(&error));
        }
    }

    /// After `close`: gives data and FINs that are not yet acknowledged, ours and the peers', the time
    /// of `tcp_close_flush_ms`.
    fn flush_until_closed(&self) {
        let Ok(patience) = self.lock().map(|locked| locked.host.knobs().close_flush()) else {
            return;
        };
        let deadline = self.clock.now() + patience;
        while !self.is_flushed() && self.clock.now() < deadline {
            self.reactor.arm(deadline);
            self.turn(true);
        }
    }

    /// Whether the peers have everything.
    fn is_flushed(&self) -> bool {
        let Ok(locked) = self.lock() else { return true };
        // Bridges close their sockets once their last bytes are in the send buffer.
        let waits = |state| {
            matches!(
                state,
                // In FIN-WAIT-2 the peer's FIN would find nobody to acknowledge it.
                State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck
            )
        };
        let is_quiet = locked.endpoints.is_empty()
            && !locked.host.connections().iter().any(|connection| waits(connection.state));
        drop(locked);
        is_quiet
            && self.transmit.lock().is_ok_and(|side| side.is_drained())
            // What an impairment still holds back.
            && self.receive.lock().is_ok_and(|side| side.next_deadline().is_none())
    }
}
