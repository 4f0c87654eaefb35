//! The engine: the one thread of a stack, which waits for packets, timers and descriptors.
//!
//! It sleeps in epoll until there is work: a device's descriptor, the timer at exactly the next
//! deadline, the stack's end of a socket's descriptor, or a kick from another thread. Under a manual
//! clock there is no thread, and the embedder's `poll` makes the same turns without sleeping.

use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::SocketError;
use super::descriptor;
use super::shared::Shared;
use crate::device::{self, Device, Interest};
use crate::tcp::State;
use crate::time::Instant;
use crate::wire::packet::Frame;

/// Tokens below are inodes of descriptors, which have 32 bits.
const KICK: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;
const DEVICE: u64 = u64::MAX - 2;
/// Events taken from epoll at once.
const EVENTS: usize = 64;
/// Batches taken from the device before the others get their turn.
const BATCHES_MAX: usize = 16;
/// No deadline.
const NEVER: u64 = u64::MAX;

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

    /// When the device has something for itself to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.device.as_ref()?.next_deadline()
    }

    /// What the device counted.
    pub(super) fn counters(&self) -> Vec<(&'static str, u64)> {
        self.device.as_ref().map(|device| device.counters()).unwrap_or_default()
    }
}

/// What the engine waits on.
pub(super) struct Reactor {
    epoll: Epoll,
    kick: EventFd,
    is_kicked: AtomicBool,
    timer: TimerFd,
    /// When the timer fires, in nanoseconds of the clock; NEVER: it is not set.
    armed_ns: AtomicU64,
    arming: Mutex<()>,
    device_fds: Vec<RawFd>,
}

impl Reactor {
    /// Waits on `device`, which must live as long as the reactor is waited with.
    pub(super) fn new(device: &dyn Device) -> nix::Result<Reactor> {
        let mut fds = Vec::new();
        device.poll_fds(&mut fds);
        fds.retain(|(_, interest)| *interest == Interest::Readable);
        let reactor = Reactor {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            kick: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
            is_kicked: AtomicBool::new(false),
            timer: TimerFd::new(
                ClockId::CLOCK_MONOTONIC,
                TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK,
            )?,
            armed_ns: AtomicU64::new(NEVER),
            arming: Mutex::new(()),
            device_fds: fds.into_iter().map(|(fd, _)| fd).collect(),
        };
        reactor.epoll.add(&reactor.kick, EpollEvent::new(EpollFlags::EPOLLIN, KICK))?;
        reactor.epoll.add(&reactor.timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        for &fd in &reactor.device_fds {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, DEVICE);
            reactor.epoll.add(descriptor::borrow(fd), event)?;
        }
        Ok(reactor)
    }

    /// Makes the engine turn.
    pub(super) fn kick(&self) {
        if !self.is_kicked.swap(true, SeqCst) {
            // It fails only when the counter is full, and then it is readable.
            let _ = self.kick.write(1);
        }
    }

    /// Has the timer fire no later than `deadline`. One that fires too early does no harm: the
    /// engine sets it anew.
    pub(super) fn arm(&self, deadline: Instant) {
        let deadline_ns = deadline.as_nanos().max(1);
        if deadline_ns >= self.armed_ns.load(SeqCst) {
            return;
        }
        let _arming = self.arming.lock().unwrap_or_else(PoisonError::into_inner);
        if deadline_ns < self.armed_ns.load(SeqCst) {
            self.armed_ns.store(deadline_ns, SeqCst);
            let at = TimeSpec::from_duration(Duration::from_nanos(deadline_ns));
            // It fails for values out of range only, and this one is in.
            let _ = self.timer.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME);
        }
    }

    fn disarm(&self) {
        let _arming = self.arming.lock().unwrap_or_else(PoisonError::into_inner);
        self.armed_ns.store(NEVER, SeqCst);
        let _ = self.timer.unset();
    }

    /// Waits for the device to take packets again.
    pub(super) fn watch_writable(&self, fds: &[RawFd]) {
        for &fd in fds {
            let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT, DEVICE);
            let fd = descriptor::borrow(fd);
            if self.epoll.modify(fd, &mut event.clone()).is_err() {
                let _ = self.epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLOUT, DEVICE));
            }
        }
    }

    /// Waits for it no longer.
    pub(super) fn unwatch_writable(&self, fds: &[RawFd]) {
        for &fd in fds {
            let mut event = EpollEvent::new(EpollFlags::EPOLLIN, DEVICE);
            if self.device_fds.contains(&fd) {
                let _ = self.epoll.modify(descriptor::borrow(fd), &mut event);
            } else {
                let _ = self.epoll.delete(descriptor::borrow(fd));
            }
        }
    }

    /// Waits for edges on the stack's end of a descriptor.
    pub(super) fn watch(&self, fd: impl AsFd, inode: u64, events: EpollFlags) -> nix::Result<()> {
        self.epoll.add(fd, EpollEvent::new(events | EpollFlags::EPOLLET, inode))
    }

    /// Changes what is waited for; what is there already makes an edge.
    pub(super) fn rewatch(&self, fd: impl AsFd, inode: u64, events: EpollFlags) {
        let mut event = EpollEvent::new(events | EpollFlags::EPOLLET, inode);
        let _ = self.epoll.modify(fd, &mut event);
    }

    /// Waits no longer. A child forked meanwhile may have a copy, so closing would not be enough.
    pub(super) fn unwatch(&self, fd: BorrowedFd<'_>) {
        let _ = self.epoll.delete(fd);
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
                endpoint.wake();
            }
        }
    }

    /// Does what there is to do; with `may_sleep`, waits until there is something.
    pub(super) fn turn(&self, may_sleep: bool) {
        let mut events = [EpollEvent::empty(); EVENTS];
        let timeout = if may_sleep { EpollTimeout::NONE } else { EpollTimeout::ZERO };
        // Interrupted, at worst: the next turn waits again.
        let count = self.reactor.epoll.wait(&mut events, timeout).unwrap_or(0);
        let mut has_device_work = false;
        for event in &events[..count] {
            match event.data() {
                KICK => {
                    let _ = self.reactor.kick.read();
                    // Only now: a kick between the two would be read away, and no other written.
                    self.reactor.is_kicked.store(false, SeqCst);
                }
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
        let Ok(mut side) = self.receive.lock() else { return };
        let side = &mut *side;
        let Some(device) = &side.device else { return };
        for _ in 0..BATCHES_MAX {
            if let Err(error) = device.recv(self.clock.now(), &mut side.frames) {
                self.fail(device::errno(&error));
                return;
            }
            if side.frames.is_empty() {
                break;
            }
            let frames = &mut side.frames;
            let entered = self.enter_unchecked(|locked, now| {
                for frame in frames.drain(..) {
                    locked.host.handle_frame(now, frame);
                }
            });
            if entered.is_err() {
                return;
            }
        }
        self.arm(side.next_deadline());
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
