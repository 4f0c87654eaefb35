//! Kernel descriptors for the stack's sockets: the `int` of C, of libuv, of Python.
//!
//! Each is one end of an AF_UNIX pair (`pair`), found again by its inode (`table`). What it shows
//! to `poll` is what a TCP socket would show (`readiness`), and a bridged one carries the bytes, too
//! (`bridge`); one that the application has not asked for (`on_demand`) needs neither. The socket lives
//! until its descriptor is closed, by whatever call in whatever process.

mod on_demand;
mod pair;
mod process;
mod table;

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::epoll::EpollFlags;
use nix::sys::socket::UnixAddr;

pub(super) use on_demand::Receiving;
pub use on_demand::hand_out;
pub(super) use pair::{
    borrow, peek, poll_now, readable, recv, recv_urgent_and_all, send, send_urgent,
};
pub(super) use process::{all_handlers_restart, at_exit, generation, watch_forks};

use super::blocking::Endpoint;
use super::bridge::{self, Bridge};
use super::readiness::Signals;
use super::shared::Shared;
use super::{Socket, SocketError, Stack};
use crate::host::{Domain, Error, OptionName, Readiness, Shutdown};
use crate::tcp::State as TcpState;

/// No inner end, no number.
const NONE: RawFd = -1;

/// What moves through a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorKind {
    /// Readiness only: data moves by calls on the [`Socket`]. The fastest.
    Direct,
    /// The bytes themselves: `read`, `write` and whatever else works on a stream socket.
    Bridged,
    /// Nothing, until the application asks for its number ([`hand_out`]); then it is bridged for good. Before,
    /// data moves by calls on the [`Socket`], with nothing to show on the way.
    OnDemand,
}

/// A socket's descriptor, as the stack knows it.
pub(super) struct Descriptor {
    kind: DescriptorKind,
    inode: u64,
    name: UnixAddr,
    /// The number under which the application named it last.
    number: AtomicI32,
    /// The inner end, once more: a forked child closes it without taking a lock.
    inner: AtomicI32,
    /// Calls of `close_descriptor` under way: they close the socket, not the engine.
    closers: AtomicU32,
    /// Whether the application knows the number; false at first for one on demand only.
    is_handed_out: AtomicBool,
    /// Calls under way that began to receive from the host before it was handed out.
    receivers: AtomicU32,
    state: Mutex<State>,
}

/// The life of a descriptor.
enum State {
    /// No inner end yet: the outer end polls as a fresh TCP socket does.
    Fresh,
    /// The outer end shows what the publisher wants.
    Signals(Signals),
    /// The bytes move.
    Bridge(Bridge),
    /// The inner end is closed: the outer shows HUP, and ERR until it has been asked for.
    Over,
}

/// A descriptor for a new socket, blocking and inherited over `exec` unless told otherwise. The
/// socket lives until the last copy of the descriptor is closed.
///
/// # Errors
/// `StackClosed`; `Os` with EMFILE, ENFILE or ENOMEM.
pub fn open_descriptor(
    stack: &Stack,
    domain: Domain,
    kind: DescriptorKind,
    nonblocking: bool,
    cloexec: bool,
) -> Result<RawFd, SocketError> {
    stack.shared().check_open()?;
    let outer = pair::open_outer(kind, nonblocking, cloexec).map_err(os)?;
    let socket = Socket::open(stack, domain)?;
    socket.set_nonblocking(nonblocking);
    publish(socket, outer, kind, State::Fresh)
}

/// The socket behind a descriptor; None: it is not one of ours.
pub fn lookup(fd: RawFd) -> Option<Arc<Socket>> {
    let socket = find(fd)?;
    if let Some(descriptor) = socket.endpoint().descriptor.get() {
        descriptor.number.store(fd, SeqCst);
    }
    Some(socket)
}

fn find(fd: RawFd) -> Option<Arc<Socket>> {
    table::get(pair::inode(fd)?)
}

/// Waits for a connection and gives it a descriptor of the listener's kind.
///
/// # Errors
/// As [`Socket::accept`]; `Os` with EMFILE, ENFILE or ENOMEM, and the connection stays in the
/// queue.
pub fn accept_descriptor(
    fd: RawFd,
    nonblocking: bool,
    cloexec: bool,
) -> Result<(RawFd, SocketAddr), SocketError> {
    let listener = lookup(fd).ok_or(Error::BadSocket)?;
    let kind = listener.kind().ok_or(Error::BadSocket)?;
    let prepare = || pair::open_pair(kind, nonblocking, cloexec).map_err(os);
    let (child, peer, (outer, inner)) = listener.accept_with(prepare)?;
    child.set_nonblocking(nonblocking);
    let state = match kind {
        DescriptorKind::Direct | DescriptorKind::OnDemand => {
            State::Signals(Signals::new(inner, kind))
        }
        DescriptorKind::Bridged => State::Bridge(Bridge::new(inner)),
    };
    Ok((publish(child, outer, kind, state)?, peer))
}

/// Connects through the descriptor; a bridged one carries bytes from then on.
///
/// # Errors
/// As [`Socket::connect`].
pub fn connect_descriptor(fd: RawFd, addr: SocketAddr) -> Result<(), SocketError> {
    lookup(fd).ok_or(Error::BadSocket)?.connect(addr)
}

/// Closes this number, and the socket when it was the last copy: its port is then free (or its FIN
/// on the way) when this returns. A direct one waits for SO_LINGER; what was written into a bridged
/// one goes on moving.
///
/// # Errors
/// `BadSocket`: not one of ours, and it is left open.
pub fn close_descriptor(fd: RawFd) -> Result<(), SocketError> {
    // The number under which another copy was named last stays known.
    let socket = find(fd).ok_or(Error::BadSocket)?;
    let endpoint = Arc::clone(socket.endpoint());
    let descriptor = Arc::clone(endpoint.descriptor.get().ok_or(Error::BadSocket)?);
    // The number is the application's: from here on somebody else may have it.
    let _ = descriptor.number.compare_exchange(fd, NONE, SeqCst, SeqCst);
    descriptor.closers.fetch_add(1, SeqCst);
    // Linux closes the number even where close() reports an error.
    let closed = nix::unistd::close(fd).map_err(os);
    let was_last = descriptor.is_outer_gone();
    if was_last {
        table::remove(descriptor.inode);
        match descriptor.kind {
            DescriptorKind::Direct => _ = socket.close(),
            DescriptorKind::Bridged | DescriptorKind::OnDemand => {
                descriptor.abandon(socket.shared(), &endpoint);
            }
        }
    }
    descriptor.closers.fetch_sub(1, SeqCst);
    if !was_last && descriptor.is_outer_gone() {
        // The last copy went elsewhere meanwhile, and the engine has left it to this call.
        table::remove(descriptor.inode);
        descriptor.abandon(socket.shared(), &endpoint);
    }
    closed
}

/// Hangs up every descriptor of a stack that is closed. They stay known until the application
/// closes them: a call on one fails with `StackClosed`, rather than reach the bare pair.
pub(super) fn hang_up(shared: &Shared) {
    for socket in table::all(|socket| socket.stack().is(shared)) {
        if let Some(descriptor) = socket.endpoint().descriptor.get() {
            descriptor.end(&mut descriptor.lock(), shared);
            if !descriptor.has_outer() {
                // Closed just before, and the engine ended without having seen it.
                table::remove(descriptor.inode);
            }
        }
    }
}

/// An edge on the inner end of the descriptor with `inode`.
pub(super) fn handle_event(shared: &Shared, inode: u64, events: EpollFlags) {
    let Some(socket) = table::get(inode).filter(|socket| socket.stack().is(shared)) else {
        return;
    };
    let endpoint = socket.endpoint();
    let Some(descriptor) = endpoint.descriptor.get() else { return };
    if events.contains(EpollFlags::EPOLLHUP) && descriptor.is_outer_gone() {
        if descriptor.closers.load(SeqCst) > 0 {
            return;
        }
        table::remove(inode);
        descriptor.abandon(shared, endpoint);
    } else {
        descriptor.show(shared, endpoint);
    }
}

/// Makes a socket known under its descriptor.
fn publish(
    socket: Socket,
    outer: OwnedFd,
    kind: DescriptorKind,
    state: State,
) -> Result<RawFd, SocketError> {
    let inode = pair::inode(outer.as_raw_fd()).ok_or(SocketError::Os(libc::EBADF))?;
    let descriptor = Arc::new(Descriptor {
        kind,
        inode,
        name: pair::name(&outer).map_err(os)?,
        number: AtomicI32::new(outer.as_raw_fd()),
        closers: AtomicU32::new(0),
        is_handed_out: AtomicBool::new(kind != DescriptorKind::OnDemand),
        receivers: AtomicU32::new(0),
        inner: AtomicI32::new(state.inner().map_or(NONE, AsRawFd::as_raw_fd)),
        state: Mutex::new(state),
    });
    let endpoint = Arc::clone(socket.endpoint());
    let socket = Arc::new(socket);
    if let Some(inner) = descriptor.lock().inner() {
        let events = descriptor.edges();
        socket.shared().reactor.watch(inner, inode, events).map_err(os)?;
    }
    // It was made for this descriptor and has no other.
    let _ = endpoint.descriptor.set(Arc::clone(&descriptor));
    for suspect in table::insert(inode, Arc::clone(&socket)) {
        check_suspect(&suspect);
    }
    descriptor.show_own(socket.shared(), &endpoint, false);
    Ok(outer.into_raw_fd())
}

/// Closes a socket that lost its outer end without a sign.
fn check_suspect(socket: &Arc<Socket>) {
    let endpoint = socket.endpoint();
    if let Some(descriptor) = endpoint.descriptor.get()
        && descriptor.inner.load(SeqCst) == NONE
        && descriptor.is_outer_gone()
    {
        table::remove(descriptor.inode);
        descriptor.abandon(socket.shared(), endpoint);
    }
}

fn os(errno: nix::errno::Errno) -> SocketError {
    SocketError::Os(errno as i32)
}

impl State {
    fn inner(&self) -> Option<&OwnedFd> {
        match self {
            State::Fresh | State::Over => None,
            State::Signals(signals) => Some(signals.inner()),
            State::Bridge(bridge) => Some(bridge.inner()),
        }
    }
}

impl Descriptor {
    pub(super) fn kind(&self) -> DescriptorKind {
        self.kind
    }

    /// What a forked child does with its copy of the inner end.
    fn close_inherited(&self) {
        let inner = self.inner.swap(NONE, SeqCst);
        if inner != NONE {
            // The owner's memory is a copy that nobody uses any more.
            let _ = nix::unistd::close(inner);
        }
    }

    /// Has the outer end show what the socket is ready for, as far as that takes no descriptor of the
    /// application's: it may show more than there is until the application's next call, never less.
    pub(super) fn show(&self, shared: &Shared, endpoint: &Arc<Endpoint>) {
        self.reconcile(shared, endpoint, None);
    }

    /// [`Descriptor::show`] from inside a call on this socket, which may use the number that the
    /// application gave. `was_refused`: it sent, and not all of it was taken.
    pub(super) fn show_own(&self, shared: &Shared, endpoint: &Arc<Endpoint>, was_refused: bool) {
        self.reconcile(shared, endpoint, Some(was_refused));
    }

    /// Reads what the host says with the descriptor locked, so that the last one to do so has the last
    /// word: two threads cannot leave a stale mask.
    fn reconcile(&self, shared: &Shared, endpoint: &Arc<Endpoint>, own: Option<bool>) {
        let is_own = own.is_some();
        if !self.is_handed_out() && self.inner.load(SeqCst) != NONE {
            // Nobody looks; whoever hands it out comes here again.
            return;
        }
        let mut state = self.lock();
        if endpoint.is_closed.load(SeqCst) || matches!(*state, State::Over) {
            self.clear_error(&state, shared, endpoint, is_own);
            return;
        }
        if let State::Bridge(bridge) = &mut *state {
            if bridge::serve(shared, endpoint, bridge, self) {
                self.end(&mut state, shared);
            }
            return;
        }
        let Ok(locked) = shared.lock() else { return };
        let wanted = locked.host.readiness(endpoint.id);
        let readable = locked.host.queues(endpoint.id).map_or(0, |queues| queues.0);
        let tcp = locked.host.state(endpoint.id).unwrap_or_default();
        drop(locked);
        // A socket that was disconnected can connect again, but a hang-up is never taken back.
        let is_unconnected = wanted == Readiness::OUT.union(Readiness::HUP);
        let shown = if is_unconnected { Readiness::OUT } else { wanted };
        let number = is_own.then(|| self.number()).flatten();
        if matches!(*state, State::Fresh) && !self.leave_fresh(&mut state, shared, wanted, number) {
            return;
        }
        let State::Signals(signals) = &mut *state else { return };
        if !self.is_handed_out() {
            return;
        }
        if self.kind != DescriptorKind::Direct && carries_bytes(tcp, readable) {
            if let Some(bridge) = self.start_bridge(&mut state, shared, tcp) {
                *state = bridge;
                shared.queue_bridge(endpoint);
            }
        } else if signals.show(shown, number, own == Some(true)) {
            self.end(&mut state, shared);
        }
    }

    /// The inner end, once the outer has to show anything but what a fresh one shows. Only from the
    /// application's own calls; until then a blocking `connect` leaves it fresh, and a refused one
    /// can be tried again.
    fn leave_fresh(
        &self,
        state: &mut State,
        shared: &Shared,
        wanted: Readiness,
        number: Option<RawFd>,
    ) -> bool {
        if wanted == Readiness::OUT.union(Readiness::HUP) {
            return false;
        }
        let Some(number) = number else { return false };
        // Without a descriptor to spare it goes on showing the old mask, and the next call tries
        // again.
        let Ok(inner) = pair::attach(number, self.kind) else { return false };
        if shared.reactor.watch(&inner, self.inode, EpollFlags::empty()).is_err() {
            return false;
        }
        self.inner.store(inner.as_raw_fd(), SeqCst);
        *state = State::Signals(Signals::new(inner, self.kind));
        true
    }

    /// The connection is there: from signals to bytes.
    fn start_bridge(&self, state: &mut State, shared: &Shared, tcp: TcpState) -> Option<State> {
        let State::Signals(signals) = std::mem::replace(state, State::Over) else { return None };
        let inner = signals.into_inner();
        shared.reactor.rewatch(&inner, self.inode, bridge::EDGES);
        let mut bridge = Bridge::new(inner);
        if has_finished(tcp) {
            self.shut_writing(&mut bridge);
        }
        Some(State::Bridge(bridge))
    }

    /// Closes the inner end, which always has something unread: ERR and HUP outside.
    fn end(&self, state: &mut State, shared: &Shared) {
        if let Some(inner) = state.inner() {
            shared.reactor.unwatch(inner.as_fd());
        }
        self.inner.store(NONE, SeqCst);
        *state = State::Over;
    }

    /// Takes ERR from the outer end once the host has none any more.
    fn clear_error(&self, state: &State, shared: &Shared, endpoint: &Endpoint, is_own: bool) {
        if !is_own || !matches!(state, State::Over) {
            return;
        }
        let is_pending = shared
            .lock()
            .is_ok_and(|locked| locked.host.readiness(endpoint.id).contains(Readiness::ERR));
        if !is_pending && let Some(number) = self.number() {
            let error = nix::sys::socket::sockopt::SocketError;
            let _ = nix::sys::socket::getsockopt(&borrow(number), error);
        }
    }

    /// The application's number, if it still names this descriptor.
    fn number(&self) -> Option<RawFd> {
        let number = self.number.load(SeqCst);
        (pair::inode(number) == Some(self.inode)).then_some(number)
    }

    /// Whether the last copy of the outer end is closed, in every process.
    fn is_outer_gone(&self) -> bool {
        match self.lock().inner() {
            // It also hangs up when it is shut down both ways, by whichever end.
            Some(inner) if !poll_now(inner).contains(Readiness::HUP) => false,
            _ => !self.has_outer(),
        }
    }

    /// Whether the outer end is open anywhere.
    pub(super) fn has_outer(&self) -> bool {
        pair::is_alive(&self.name)
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    /// The application has let go: the socket is closed, a bridged one after its last bytes.
    pub(super) fn abandon(&self, shared: &Shared, endpoint: &Arc<Endpoint>) {
        let mut state = self.lock();
        if let State::Bridge(bridge) = &mut *state {
            bridge.abandon();
            drop(state);
            self.show(shared, endpoint);
            return;
        }
        drop(state);
        // The engine cannot wait for SO_LINGER, as it would wait for itself.
        shared.close_unasked(endpoint);
    }

    /// Shuts a bridged descriptor down from the application's side, so that FIN follows the bytes on
    /// their way. False: it carries none.
    pub(super) fn shutdown(&self, how: Shutdown) -> bool {
        if !matches!(*self.lock(), State::Bridge(_)) {
            return false;
        }
        let how = match how {
            Shutdown::Read => nix::sys::socket::Shutdown::Read,
            Shutdown::Write => nix::sys::socket::Shutdown::Write,
            Shutdown::Both => nix::sys::socket::Shutdown::Both,
        };
        self.number().is_some_and(|number| nix::sys::socket::shutdown(number, how).is_ok())
    }

    /// Bytes between a bridged descriptor's outer end and the connection: to be read, and written. None
    /// while the descriptor carries none.
    pub(super) fn in_transit(&self) -> Option<(usize, usize)> {
        let state = self.lock();
        let State::Bridge(bridge) = &*state else { return None };
        let (inward, outward) = bridge.in_transit();
        let shown = self.number().map_or(0, |number| pair::readable(borrow(number)));
        Some((inward + shown, outward))
    }

    /// Has the data calls of a bridged one, which are the kernel's, wait no longer than `timeout`.
    pub(super) fn set_timeout(&self, name: OptionName, timeout: Option<Duration>) {
        if self.kind != DescriptorKind::Direct
            && let Some(number) = self.number()
        {
            pair::set_timeout(number, name, timeout);
        }
    }

    fn edges(&self) -> EpollFlags {
        match self.kind {
            DescriptorKind::Direct | DescriptorKind::OnDemand => EpollFlags::empty(),
            DescriptorKind::Bridged => bridge::EDGES,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each step leaves a state that can be shown from.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection has, or had, bytes to move.
fn carries_bytes(tcp: TcpState, readable: usize) -> bool {
    match tcp {
        TcpState::Listen | TcpState::SynSent | TcpState::SynReceived => false,
        // Reset before the bridge was there.
        TcpState::Closed => readable > 0,
        _ => true,
    }
}

/// Whether our FIN is on the way, so that nothing more can be written.
fn has_finished(tcp: TcpState) -> bool {
    matches!(
        tcp,
        TcpState::FinWait1
            | TcpState::FinWait2
            | TcpState::Closing
            | TcpState::LastAck
            | TcpState::TimeWait
    )
}
