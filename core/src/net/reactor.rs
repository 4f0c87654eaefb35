//! What the engine sleeps in: epoll over the device, the timer, the stack's ends of descriptors and a
//! kick from other threads; and who waits for the device at a time.
//!
//! The device is watched by the engine, or by a thread that leads (see `leader`), never by both: a packet
//! would wake two threads. A thread that leaves after a bulk of packets, or that was back at once the last
//! time, is likely to be back at once; and handing the device over and back costs two system calls and a
//! change of threads for every packet between. So it may leave the device to nobody, but for [`GRACE`] at
//! most: the engine then takes it, and believes in no quick return for a while.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::descriptor;
use crate::device::{Device, Interest};
use crate::time::Instant;

/// Tokens below are inodes of descriptors, which have 32 bits.
pub(super) const KICK: u64 = u64::MAX;
pub(super) const TIMER: u64 = u64::MAX - 1;
pub(super) const DEVICE: u64 = u64::MAX - 2;
/// How long the device may be without anyone who waits for it.
const GRACE: Duration = Duration::from_millis(1);
/// A thread that is back within this time is likely to be so again.
const SOON: Duration = Duration::from_micros(100);
/// Leaves without that belief after it was wrong: few enough packets wait for [`GRACE`] in vain that the
/// ninety-ninth of a hundred does not.
const DOUBTS: u32 = 256;
/// No deadline.
const NEVER: u64 = u64::MAX;

/// What the engine waits on.
pub(super) struct Reactor {
    epoll: Epoll,
    kick: EventFd,
    is_kicked: AtomicBool,
    timer: TimerFd,
    /// When the timer fires, in nanoseconds of the clock; NEVER: it is not set.
    armed_ns: AtomicU64,
    arming: Mutex<()>,
    /// Readable when the device has packets; None: it has no descriptor.
    source: Option<Source>,
    watch: Mutex<Watch>,
    /// Wakes the thread that leads.
    leader: EventFd,
}

/// The one descriptor that says that the device has packets.
enum Source {
    /// The device's own.
    One(RawFd),
    /// A set of them.
    Several(Epoll),
}

/// Who waits for the device to be readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Engine,
    Leader,
    Nobody,
}

/// The state of the device's watch.
struct Watch {
    holder: Holder,
    /// When a thread last took or left it.
    since: Instant,
    /// Whether the engine sleeps without an end, so that it has to be told of a watch without a holder.
    is_engine_resting: bool,
    /// Whether the thread that has it was back soon.
    was_soon: bool,
    /// Leaves to come at which a quick return is not believed in.
    doubts: u32,
    /// Whether the source is also waited on for room to write.
    wants_room: bool,
}

impl Reactor {
    /// Waits on `device`, which must live as long as the reactor is waited with.
    pub(super) fn new(device: &dyn Device) -> nix::Result<Reactor> {
        let eventfd = || EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let reactor = Reactor {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            kick: eventfd()?,
            is_kicked: AtomicBool::new(false),
            timer: TimerFd::new(
                ClockId::CLOCK_MONOTONIC,
                TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK,
            )?,
            armed_ns: AtomicU64::new(NEVER),
            arming: Mutex::new(()),
            source: Source::of(device)?,
            watch: Mutex::new(Watch {
                holder: Holder::Engine,
                since: Instant::ZERO,
                is_engine_resting: true,
                was_soon: false,
                doubts: 0,
                wants_room: false,
            }),
            leader: eventfd()?,
        };
        reactor.epoll.add(&reactor.kick, EpollEvent::new(EpollFlags::EPOLLIN, KICK))?;
        reactor.epoll.add(&reactor.timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        if let Some(source) = &reactor.source {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, DEVICE);
            reactor.epoll.add(descriptor::borrow(source.fd()), event)?;
        }
        Ok(reactor)
    }

    /// Sleeps until there is work for the engine, or it has to look after the device's watch.
    pub(super) fn wait(&self, now: Instant, may_sleep: bool, events: &mut [EpollEvent]) -> usize {
        let timeout = if may_sleep { self.timeout(now) } else { EpollTimeout::ZERO };
        // Interrupted, at worst: the next turn waits again.
        self.epoll.wait(events, timeout).unwrap_or(0)
    }

    /// How long the engine may sleep: without an end only while somebody waits for the device.
    fn timeout(&self, now: Instant) -> EpollTimeout {
        let mut watch = self.lock_watch();
        let left = GRACE.saturating_sub(now.saturating_since(watch.since));
        watch.is_engine_resting = watch.holder == Holder::Engine || left.is_zero();
        if !watch.is_engine_resting {
            return EpollTimeout::from(u8::try_from(left.as_millis() + 1).unwrap_or(u8::MAX));
        }
        if watch.holder == Holder::Nobody {
            watch.holder = Holder::Engine;
            watch.doubts = DOUBTS;
            self.apply(&watch);
        }
        EpollTimeout::NONE
    }

    /// Makes the engine turn.
    pub(super) fn kick(&self) {
        if !self.is_kicked.swap(true, SeqCst) {
            // It fails only when the counter is full, and then it is readable.
            let _ = self.kick.write(1);
        }
    }

    /// Takes note of a kick.
    pub(super) fn take_kick(&self) {
        let _ = self.kick.read();
        // Only now: a kick between the two would be read away, and no other written.
        self.is_kicked.store(false, SeqCst);
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

    /// The timer has fired.
    pub(super) fn disarm(&self) {
        let _arming = self.arming.lock().unwrap_or_else(PoisonError::into_inner);
        self.armed_ns.store(NEVER, SeqCst);
        let _ = self.timer.unset();
    }

    /// A thread waits for the device from now on: what is readable then, and what wakes it besides. None:
    /// the device has no descriptor.
    pub(super) fn take_watch(&self, now: Instant) -> Option<(BorrowedFd<'_>, &EventFd)> {
        let source = self.source.as_ref()?;
        let mut watch = self.lock_watch();
        let was_engine = watch.holder == Holder::Engine;
        watch.was_soon = now.saturating_since(watch.since) < SOON;
        (watch.holder, watch.since) = (Holder::Leader, now);
        if was_engine {
            self.apply(&watch);
        }
        Some((descriptor::borrow(source.fd()), &self.leader))
    }

    /// It waits no longer. `is_bulk`: it will be back soon.
    pub(super) fn leave_watch(&self, now: Instant, is_bulk: bool) {
        let mut watch = self.lock_watch();
        watch.since = now;
        let is_trusted = watch.was_soon && watch.doubts == 0;
        watch.doubts = watch.doubts.saturating_sub(1);
        if is_bulk || is_trusted {
            self.leave_to_nobody(watch);
        } else {
            watch.holder = Holder::Engine;
            self.apply(&watch);
        }
    }

    /// A thread that is busy with a bulk looks after the device, without waiting for it. False: another
    /// thread waits for it.
    pub(super) fn borrow_watch(&self, now: Instant) -> bool {
        let mut watch = self.lock_watch();
        if self.source.is_none() || watch.holder == Holder::Leader {
            return false;
        }
        watch.since = now;
        if watch.holder == Holder::Engine {
            watch.holder = Holder::Nobody;
            self.apply(&watch);
            self.leave_to_nobody(watch);
        }
        true
    }

    fn leave_to_nobody(&self, mut watch: MutexGuard<'_, Watch>) {
        watch.holder = Holder::Nobody;
        let was_resting = std::mem::replace(&mut watch.is_engine_resting, false);
        drop(watch);
        if was_resting {
            self.kick();
        }
    }

    /// Wakes the thread that leads.
    pub(super) fn wake_leader(&self) {
        // It fails only when the counter is full, and then it is readable.
        let _ = self.leader.write(1);
    }

    /// Waits for the device to take packets again.
    pub(super) fn watch_writable(&self, fds: &[RawFd]) {
        for &fd in fds {
            if !self.set_wants_room(fd, true) {
                let event = EpollEvent::new(EpollFlags::EPOLLOUT, DEVICE);
                let _ = self.epoll.add(descriptor::borrow(fd), event);
            }
        }
    }

    /// Waits for it no longer.
    pub(super) fn unwatch_writable(&self, fds: &[RawFd]) {
        for &fd in fds {
            if !self.set_wants_room(fd, false) {
                let _ = self.epoll.delete(descriptor::borrow(fd));
            }
        }
    }

    /// False: `fd` is not the source.
    fn set_wants_room(&self, fd: RawFd, wanted: bool) -> bool {
        if !matches!(self.source, Some(Source::One(source)) if source == fd) {
            return false;
        }
        let mut watch = self.lock_watch();
        watch.wants_room = wanted;
        self.apply(&watch);
        true
    }

    /// Has epoll wait for what the engine is to wait for. Level-triggered: what is there already is seen.
    fn apply(&self, watch: &Watch) {
        let Some(source) = &self.source else { return };
        let mut events = EpollFlags::empty();
        events.set(EpollFlags::EPOLLIN, watch.holder == Holder::Engine);
        events.set(EpollFlags::EPOLLOUT, watch.wants_room);
        // The source stays in the set until both go.
        let mut event = EpollEvent::new(events, DEVICE);
        let _ = self.epoll.modify(descriptor::borrow(source.fd()), &mut event);
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

    fn lock_watch(&self) -> MutexGuard<'_, Watch> {
        // No invariant spans two steps.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    fn of(device: &dyn Device) -> nix::Result<Option<Source>> {
        let mut fds = Vec::new();
        device.poll_fds(&mut fds);
        fds.retain(|(_, interest)| *interest == Interest::Readable);
        match fds.as_slice() {
            [] => Ok(None),
            [(fd, _)] => Ok(Some(Source::One(*fd))),
            several => {
                let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
                for (fd, _) in several {
                    let event = EpollEvent::new(EpollFlags::EPOLLIN, DEVICE);
                    set.add(descriptor::borrow(*fd), event)?;
                }
                Ok(Some(Source::Several(set)))
            }
        }
    }

    fn fd(&self) -> RawFd {
        match self {
            Source::One(fd) => *fd,
            Source::Several(set) => set.0.as_raw_fd(),
        }
    }
}

#[cfg(test)]
mod tests;
