//! Blocking sockets: the calls of BSD on top of a host where nothing blocks.
//!
//! Each call is a loop of the same shape ([`Socket::drive`]): with the host locked, try; if that
//! would block, sleep on the socket's number and try again. What Linux says of timeouts, partial
//! counts, flags and signals holds here.

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use super::blocking::{Endpoint, Patience};
use super::calls::{Call, zero};
use super::descriptor::DescriptorKind;
use super::shared::{Locked, Shared};
use super::{Flags, SocketError, Stack, transfer};
use crate::host::{
    Domain, Error, OptionName, Readiness, Shutdown, SocketId, SocketOption, wording,
};
use crate::time::Instant;

/// No timeout.
const ENDLESS: u64 = u64::MAX;

/// A blocking socket. `&self` everywhere, usable from many threads at once. Dropping the last
/// handle closes it, unless it has a descriptor: that decides then.
///
/// ```
/// use tcpstack::host::Domain;
/// use tcpstack::net::{Flags, Stack};
///
/// let stack = Stack::open("user:?addr=10.7.0.2")?;
/// let listener = stack.socket(Domain::V4)?;
/// listener.bind("127.0.0.1:0".parse()?)?;
/// listener.listen(16)?;
/// let client = stack.socket(Domain::V4)?;
/// client.connect(listener.local_addr()?)?;
/// let (server, _) = listener.accept()?;
/// client.send(b"hello", Flags::default())?;
/// let mut buffer = [0; 16];
/// assert_eq!(server.recv(&mut buffer, Flags::default())?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Socket {
    stack: Stack,
    domain: Domain,
    endpoint: Arc<Endpoint>,
    is_nonblocking: AtomicBool,
    recv_timeout_ns: AtomicU64,
    send_timeout_ns: AtomicU64,
}

impl Socket {
    pub(super) fn open(stack: &Stack, domain: Domain) -> Result<Socket, SocketError> {
        let mut call = Call::new(stack.shared(), "socket", || wording::domain(domain));
        let opened = stack.shared().enter(|locked, now| {
            call.enter(locked, now, None);
            let id = locked.host.socket(domain);
            register(locked, id)
        });
        let socket = opened.map(|endpoint| Socket::new(stack, domain, endpoint));
        // Its number, if it gets one, is chosen later.
        call.finish(stack.shared(), None, &socket, |_| "ok".into());
        socket
    }

    fn new(stack: &Stack, domain: Domain, endpoint: Arc<Endpoint>) -> Socket {
        Socket {
            stack: stack.clone(),
            domain,
            endpoint,
            is_nonblocking: AtomicBool::new(false),
            recv_timeout_ns: AtomicU64::new(ENDLESS),
            send_timeout_ns: AtomicU64::new(ENDLESS),
        }
    }

    /// Its stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// IPv4 or IPv6, as it was created.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The kind of its kernel descriptor; None when it has none.
    pub fn kind(&self) -> Option<DescriptorKind> {
        self.endpoint.descriptor.get().map(|descriptor| descriptor.kind())
    }

    /// Whether the application knows the number of its descriptor; false without one, and for one on
    /// demand until it is handed out. From then on `recv` fails with `HandedOut`.
    pub fn is_handed_out(&self) -> bool {
        self.endpoint.descriptor.get().is_some_and(|descriptor| descriptor.is_handed_out())
    }

    /// Takes a local address; port 0 is one that the stack chooses.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`, `AddressFamily`, `Invalid` (bound before).
    pub fn bind(&self, addr: SocketAddr) -> Result<(), SocketError> {
        self.call("bind", || addr.to_string(), |locked, _, id| locked.host.bind(id, addr))
    }

    /// Takes connections from now on, `backlog` of them until they are accepted.
    ///
    /// # Errors
    /// `AddressInUse`, `Invalid` (connected).
    pub fn listen(&self, backlog: u32) -> Result<(), SocketError> {
        self.call(
            "listen",
            || backlog.to_string(),
            |locked, now, id| locked.host.listen(now, id, backlog),
        )
    }

    /// Waits for a connection: its socket and the peer's address.
    ///
    /// # Errors
    /// `WouldBlock` (non-blocking, or the receive timeout has passed), `Invalid` (not listening),
    /// `Interrupted`.
    pub fn accept(&self) -> Result<(Socket, SocketAddr), SocketError> {
        self.accept_with(|| Ok(())).map(|(socket, peer, ())| (socket, peer))
    }

    /// [`Socket::accept`] that makes ready what it takes to hold a connection before it takes one
    /// out of the queue, where no failure can lose it.
    pub(super) fn accept_with<T>(
        &self,
        mut prepare: impl FnMut() -> Result<T, SocketError>,
    ) -> Result<(Socket, SocketAddr, T), SocketError> {
        let mut call = Call::new(self.shared(), "accept", String::new);
        let patience = self.recv_patience(Flags::default());
        let accepted = loop {
            let ready = self.drive(&mut call, patience, |locked, _, id| {
                // Only a listening socket has an address and no peer or connection under way: let
                // the host say what is wrong with any other.
                let ready = locked.host.readiness(id).intersects(Readiness::IN);
                Ok((ready || !is_listening(locked, id)).then_some(()))
            });
            let taken = match ready {
                Err(error) => break Err(error),
                Ok(None) => break Err(Error::WouldBlock.into()),
                Ok(Some(())) => prepare().and_then(|prepared| {
                    let taken = self.drive(&mut call, Patience::None, |locked, now, id| {
                        let Some((child, peer)) = unless_blocked(locked.host.accept(now, id))?
                        else {
                            return Ok(None);
                        };
                        Ok(Some((register(locked, child), peer)))
                    })?;
                    Ok(taken.map(|(child, peer)| (child, peer, prepared)))
                }),
            };
            // Another thread may have been faster: then it waits on.
            if let Some(done) = taken.transpose() {
                break done;
            }
        };
        call.finish(self.shared(), Some(self.endpoint.id), &accepted, |(_, peer, _)| {
            peer.to_string()
        });
        self.show();
        let (endpoint, peer, prepared) = accepted?;
        let child = Socket::new(&self.stack, self.domain, endpoint);
        // As Linux: a child has its parent's timeouts, but is blocking.
        child.recv_timeout_ns.store(self.recv_timeout_ns.load(SeqCst), SeqCst);
        child.send_timeout_ns.store(self.send_timeout_ns.load(SeqCst), SeqCst);
        Ok((child, peer, prepared))
    }

    /// Connects, and waits until the handshake is done.
    ///
    /// # Errors
    /// `InProgress` (non-blocking, or the send timeout has passed), `Already`, `IsConnected`,
    /// `Refused`, `TimedOut`, `HostUnreachable`, `NetUnreachable`, `AddressNotAvailable`,
    /// `AddressFamily`; `Interrupted`, and the handshake goes on.
    pub fn connect(&self, addr: SocketAddr) -> Result<(), SocketError> {
        let mut call = Call::new(self.shared(), "connect", || addr.to_string());
        let mut unfinished = Error::InProgress;
        let is_nonblocking = self.is_nonblocking();
        let patience = self.send_patience(Flags::default());
        let connected = self.drive(&mut call, patience, |locked, now, id| {
            match locked.host.connect(now, id, addr) {
                Ok(()) => Ok(Some(())),
                Err(error @ (Error::InProgress | Error::Already)) => {
                    if is_nonblocking {
                        unfinished = error;
                    }
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        });
        let result = connected.and_then(|done| done.ok_or(SocketError::Host(unfinished)));
        call.finish(self.shared(), Some(self.endpoint.id), &result, zero);
        self.show();
        result
    }

    /// Sends: returns when all of `data` is accepted; non-blocking, what fits.
    ///
    /// # Errors
    /// When nothing was accepted: `BrokenPipe`, `Reset`, `NotConnected`, `TimedOut`; `WouldBlock`
    /// (non-blocking, or the send timeout has passed); `Interrupted`. Otherwise the count, and the
    /// next call says why.
    pub fn send(&self, data: &[u8], flags: Flags) -> Result<usize, SocketError> {
        self.sendv(&[IoSlice::new(data)], flags)
    }

    /// Receives what is there, at least one byte; 0: the peer has finished, or `data` is empty. With
    /// `wait_all`, until `data` is full.
    ///
    /// # Errors
    /// `Reset`, `TimedOut`, `NotConnected`; `WouldBlock` (non-blocking, `dont_wait`, or the receive
    /// timeout has passed); `Interrupted`; `HandedOut`.
    pub fn recv(&self, data: &mut [u8], flags: Flags) -> Result<usize, SocketError> {
        self.recvv(&mut [IoSliceMut::new(data)], flags)
    }

    /// MSG_OOB: takes the urgent byte, which is not in the stream, or with `peek` looks at it; None at
    /// the end of the stream. It never waits.
    ///
    /// # Errors
    /// `Invalid` when there is none or SO_OOBINLINE keeps it in the stream; `WouldBlock` when it is
    /// announced and not here; `NotConnected`.
    pub fn recv_urgent(&self, flags: Flags) -> Result<Option<u8>, SocketError> {
        let mut call = Call::new(self.shared(), "recv", || "1, MSG_OOB".into());
        let id = self.endpoint.id;
        let taken = self.shared().enter(|locked, now| {
            call.enter(locked, now, Some(id));
            locked.host.recv_urgent(now, id, flags.peek)
        });
        let result = taken.and_then(|taken| Ok(taken?));
        call.finish(self.shared(), Some(id), &result, |byte| byte.map_or("0", |_| "1").to_owned());
        self.show();
        result
    }

    /// MSG_FASTOPEN: connects with as much of `data` as may go on the SYN (RFC 7413), and sends the
    /// rest when the connection is open, unless the socket does not wait.
    ///
    /// # Errors
    /// `NotSupported` when the knob `tcp_fastopen` has no client; `InProgress` for a socket that does
    /// not wait, when the SYN left without data; else those of [`Socket::connect`] and
    /// [`Socket::send`].
    pub fn send_opening(
        &self,
        addr: SocketAddr,
        data: &[u8],
        flags: Flags,
    ) -> Result<usize, SocketError> {
        let mut call = Call::new(self.shared(), "sendto", || format!("MSG_FASTOPEN, {addr}"));
        let id = self.endpoint.id;
        let opened = self.shared().enter(|locked, now| {
            call.enter(locked, now, Some(id));
            locked.host.connect_with(now, id, addr, data)
        });
        let result = opened.and_then(|opened| Ok(opened?));
        call.finish(self.shared(), Some(id), &result, usize::to_string);
        self.show();
        let may_wait = !flags.dont_wait && !self.is_nonblocking();
        let early = match result {
            Err(SocketError::Host(Error::InProgress)) if may_wait => 0,
            early => early?,
        };
        if early == data.len() || (early > 0 && !may_wait) {
            return Ok(early);
        }
        match self.send(&data[early..], flags) {
            Err(_) if early > 0 => Ok(early),
            rest => Ok(early + rest?),
        }
    }

    /// Takes bytes as [`Socket::recv`] does and drops them, `count` at most (MSG_TRUNC).
    ///
    /// # Errors
    /// As [`Socket::recv`].
    pub fn skip(&self, count: usize, flags: Flags) -> Result<usize, SocketError> {
        let result = transfer::skip(self, count, flags);
        self.show();
        result
    }

    /// [`Socket::send`] from several buffers, in order.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub fn sendv(&self, data: &[IoSlice<'_>], flags: Flags) -> Result<usize, SocketError> {
        let result = transfer::send(self, data, flags);
        let total: usize = data.iter().map(|slice| slice.len()).sum();
        let was_refused = result.map_or_else(
            |error| error == SocketError::Host(Error::WouldBlock),
            |sent| sent < total,
        );
        self.show_after(was_refused);
        result
    }

    /// [`Socket::recv`] into several buffers, in order.
    ///
    /// # Errors
    /// As [`Socket::recv`].
    pub fn recvv(&self, data: &mut [IoSliceMut<'_>], flags: Flags) -> Result<usize, SocketError> {
        let result = transfer::recv(self, data, flags);
        self.show();
        result
    }

    /// Ends one direction, or both: `Write` sends FIN after what was sent before.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> Result<(), SocketError> {
        let mut how = how;
        if let Some(descriptor) = self.endpoint.descriptor.get()
            && descriptor.shutdown(how)
        {
            // The FIN follows the bytes that are still inside the pair.
            if how == Shutdown::Write || !descriptor.has_receivers() {
                return Ok(());
            }
            // Who receives from the host hears of it there.
            how = Shutdown::Read;
        }
        self.call(
            "shutdown",
            || wording::shutdown(how),
            |locked, now, id| locked.host.shutdown(now, id, how),
        )
    }

    /// Closes: the port is free (or its FIN on the way) when this returns. With SO_LINGER, waits until
    /// the peer has everything, as long as that says. Threads that wait in other calls on the
    /// socket return with `BadSocket`.
    ///
    /// # Errors
    /// `BadSocket` when it was closed before.
    pub fn close(&self) -> Result<(), SocketError> {
        let shared = self.shared();
        let id = self.endpoint.id;
        let mut call = Call::new(shared, "close", String::new);
        if !shared.is_ours() {
            return Err(SocketError::StackClosed);
        }
        let linger = match self.option(OptionName::Linger) {
            Ok(SocketOption::Linger(time)) => time.filter(|time| !time.is_zero()),
            _ => None,
        };
        let closed = shared.close_endpoint(&self.endpoint, &mut call);
        if let (Ok(()), Some(time)) = (&closed, linger) {
            self.linger(&mut call, time);
        }
        call.finish(shared, Some(id), &closed, zero);
        closed
    }

    /// Waits until the peer has everything, `time` at most. As on Linux the socket is closed either
    /// way, so there is nothing to report.
    fn linger(&self, call: &mut Call, time: Duration) {
        let shared = self.shared();
        let id = self.endpoint.id;
        let endpoint = Arc::clone(&self.endpoint);
        let _ = shared.enter_unchecked(|locked, _| {
            // Known again for as long as it lingers, to be woken.
            locked.endpoints.insert(id, endpoint);
        });
        let patience = Patience::new(shared.clock.now(), false, Some(time));
        let _ = self
            .drive(call, patience, |locked, _, id| Ok((!locked.host.is_closing(id)).then_some(())));
        let _ = shared.enter_unchecked(|locked, _| locked.endpoints.remove(&id));
    }

    /// SO_ERROR: the pending error, once.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn take_error(&self) -> Result<Option<Error>, SocketError> {
        let id = self.endpoint.id;
        let taken = self.shared().enter(|locked, _| locked.host.take_error(id))??;
        self.show();
        Ok(taken)
    }

    /// O_NONBLOCK.
    pub fn set_nonblocking(&self, on: bool) {
        self.is_nonblocking.store(on, SeqCst);
    }

    /// Whether calls fail with `WouldBlock` instead of waiting.
    pub fn is_nonblocking(&self) -> bool {
        self.is_nonblocking.load(SeqCst)
    }

    /// How long `recv` and `accept` wait; None: as long as it takes; zero: not at all.
    pub fn set_recv_timeout(&self, timeout: Option<Duration>) {
        self.recv_timeout_ns.store(timeout_ns(timeout), SeqCst);
    }

    /// How long `send` and `connect` wait; None: as long as it takes; zero: not at all.
    pub fn set_send_timeout(&self, timeout: Option<Duration>) {
        self.send_timeout_ns.store(timeout_ns(timeout), SeqCst);
    }

    /// How long `recv` and `accept` wait.
    pub fn recv_timeout(&self) -> Option<Duration> {
        timeout(&self.recv_timeout_ns)
    }

    /// How long `send` and `connect` wait.
    pub fn send_timeout(&self) -> Option<Duration> {
        timeout(&self.send_timeout_ns)
    }

    /// connect() to AF_UNSPEC: aborts the connection or ends listening, and the socket can be used
    /// again. A descriptor that has shown the end of a connection goes on showing it.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn disconnect(&self) -> Result<(), SocketError> {
        self.call("connect", || "AF_UNSPEC".into(), |locked, now, id| locked.host.dissolve(now, id))
    }

    pub(super) fn shared(&self) -> &Shared {
        self.stack.shared()
    }

    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    pub(super) fn recv_patience(&self, flags: Flags) -> Patience {
        self.patience(flags, self.recv_timeout())
    }

    pub(super) fn send_patience(&self, flags: Flags) -> Patience {
        self.patience(flags, self.send_timeout())
    }

    fn patience(&self, flags: Flags, timeout: Option<Duration>) -> Patience {
        let dont_wait = flags.dont_wait || self.is_nonblocking();
        Patience::new(self.shared().clock.now(), dont_wait, timeout)
    }

    /// Tries `step` until it has something, with the host locked each time and asleep in between.
    /// None: the patience has ended.
    pub(super) fn drive<T>(
        &self,
        call: &mut Call,
        patience: Patience,
        step: impl FnMut(&mut Locked, Instant, SocketId) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, SocketError> {
        self.drive_hearing(false, call, patience, step)
    }

    /// [`Socket::drive`]; with `hears`, packets that are there are taken in first, so that their senders are
    /// answered along with what the step does.
    pub(super) fn drive_hearing<T>(
        &self,
        hears: bool,
        call: &mut Call,
        patience: Patience,
        mut step: impl FnMut(&mut Locked, Instant, SocketId) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, SocketError> {
        let shared = self.shared();
        let id = self.endpoint.id;
        loop {
            let work = |locked: &mut Locked, now: Instant| {
                call.enter(locked, now, Some(id));
                let outcome = step(locked, now, id);
                if matches!(outcome, Ok(None)) && !matches!(patience, Patience::None) {
                    call.block(locked, now, id);
                }
                (outcome, self.endpoint.sequence())
            };
            let (outcome, sequence) =
                if hears { shared.enter_hearing(work) } else { shared.enter(work) }?;
            if let Some(done) = outcome? {
                return Ok(Some(done));
            }
            if !self.endpoint.wait(shared, sequence, patience)? {
                return Ok(None);
            }
        }
    }

    /// A call that never waits and returns 0.
    fn call(
        &self,
        name: &'static str,
        arguments: impl FnOnce() -> String,
        work: impl FnOnce(&mut Locked, Instant, SocketId) -> Result<(), Error>,
    ) -> Result<(), SocketError> {
        let shared = self.shared();
        let id = self.endpoint.id;
        let mut call = Call::new(shared, name, arguments);
        let entered = shared.enter(|locked, now| {
            call.enter(locked, now, Some(id));
            work(locked, now, id)
        });
        let result = entered.and_then(|done| done.map_err(SocketError::from));
        call.finish(shared, Some(id), &result, zero);
        self.show();
        result
    }

    /// Brings what the descriptor shows up to date. Called by the application's own calls alone:
    /// they name the descriptor, and only through it can readiness be taken back.
    fn show(&self) {
        self.show_after(false);
    }

    /// [`Socket::show`] after a send that may not have got all its bytes in.
    fn show_after(&self, was_refused: bool) {
        // In a forked child the descriptor may be locked for ever.
        if let Some(descriptor) = self.endpoint.descriptor.get()
            && self.shared().is_ours()
        {
            descriptor.show_own(self.shared(), &self.endpoint, was_refused);
        }
    }

    /// The host, for a look.
    pub(super) fn look(&self) -> Result<std::sync::MutexGuard<'_, Locked>, SocketError> {
        self.shared().check_open()?;
        self.shared().lock()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A socket with a descriptor lives as long as that.
        if self.endpoint.descriptor.get().is_none() && !self.endpoint.is_closed.load(SeqCst) {
            // Nobody is left to hear of an error.
            let _ = self.close();
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish_non_exhaustive()
    }
}

/// Makes a new socket known to those who wake.
fn register(locked: &mut Locked, id: SocketId) -> Arc<Endpoint> {
    let endpoint = Arc::new(Endpoint::new(id));
    locked.endpoints.insert(id, Arc::clone(&endpoint));
    endpoint
}

fn is_listening(locked: &Locked, id: SocketId) -> bool {
    locked.host.state(id).is_ok_and(|state| state == crate::tcp::State::Listen)
}

/// `WouldBlock` as "not yet".
pub(super) fn unless_blocked<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::WouldBlock) => Ok(None),
        Err(error) => Err(error),
    }
}

fn timeout_ns(timeout: Option<Duration>) -> u64 {
    timeout.map_or(ENDLESS, |time| u64::try_from(time.as_nanos()).unwrap_or(ENDLESS))
}

fn timeout(ns: &AtomicU64) -> Option<Duration> {
    match ns.load(SeqCst) {
        ENDLESS => None,
        ns => Some(Duration::from_nanos(ns)),
    }
}
