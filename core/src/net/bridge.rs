//! The bytes of a bridged descriptor, between the pair and the connection.
//!
//! Whoever serves it moves what can be moved now, both ways, and never waits. Outwards a byte of the pair
//! always stays unread, already delivered: closed then, the inner end shows ECONNRESET outside, which is
//! how a reset connection must look, never a clean end. Inwards at most one piece is taken from the
//! connection before the application's end has room, so that the TCP window tells the truth.

use std::cell::RefCell;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use nix::errno::Errno;
use nix::sys::epoll::EpollFlags;
use nix::sys::socket::{Shutdown, shutdown};

use super::blocking::Endpoint;
use super::calls::{Call, shown_bytes};
use super::descriptor::{self, Descriptor, poll_now};
use super::shared::Shared;
use crate::host::{Error, Readiness, SocketOption};

/// Bytes moved at once, each way.
const PIECE: usize = 64 << 10;
/// What is waited for on the inner end.
pub(super) const EDGES: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLRDHUP);

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The state of a bridge.
pub(super) struct Bridge {
    inner: OwnedFd,
    /// Taken from the connection and not yet with the pair.
    inward: Vec<bytes::Bytes>,
    /// Taken from the pair, and then the connection had no room: its buffer was made smaller.
    held: Vec<u8>,
    /// The inner end is shut down for writing: the peer's FIN has been passed on.
    is_fin_shown: bool,
    /// It is shut down both ways: the connection is over.
    is_hup_shown: bool,
    /// The application's end of stream has been passed on.
    is_fin_sent: bool,
    /// Whether room in the pair is waited for.
    waits_for_room: bool,
    /// Something that the connection delivered could not be handed on.
    has_lost: bool,
    /// No copy of the outer end is left.
    is_abandoned: bool,
}

/// How far one direction has come.
#[derive(PartialEq)]
enum Progress {
    /// All that can be done now is done.
    Waiting,
    /// There will never be more.
    Ended,
}

impl Bridge {
    /// A bridge over `inner`, in which one delivered byte is unread.
    pub(super) fn new(inner: OwnedFd) -> Bridge {
        Bridge {
            inner,
            inward: Vec::new(),
            held: Vec::new(),
            is_fin_shown: false,
            is_hup_shown: false,
            is_fin_sent: false,
            waits_for_room: false,
            has_lost: false,
            is_abandoned: false,
        }
    }

    pub(super) fn inner(&self) -> &OwnedFd {
        &self.inner
    }

    /// Bytes in transit: taken from the connection and not yet read outside, as far as they are still
    /// here, and written outside and not yet with the connection.
    pub(super) fn in_transit(&self) -> (usize, usize) {
        let inward = self.inward.iter().map(bytes::Bytes::len).sum();
        // The byte that always stays is delivered already.
        let outward = descriptor::readable(&self.inner).saturating_sub(1) + self.held.len();
        (inward, outward)
    }

    /// Shows RDHUP outside, and HUP when the connection is over both ways.
    fn show_end(&mut self, is_over: bool) {
        if !self.is_fin_shown {
            let _ = shutdown(self.inner.as_raw_fd(), Shutdown::Write);
        }
        if is_over && !self.is_hup_shown {
            let _ = shutdown(self.inner.as_raw_fd(), Shutdown::Both);
        }
        self.is_fin_shown = true;
        self.is_hup_shown = is_over;
    }

    /// The connection has had the application's FIN already.
    pub(super) fn set_fin_sent(&mut self) {
        self.is_fin_sent = true;
    }

    /// The application has let go of the outer end.
    pub(super) fn abandon(&mut self) {
        self.is_abandoned = true;
    }
}

/// Moves what can be moved. True: the connection is over and the inner end has to be closed.
pub(super) fn serve(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    bridge: &mut Bridge,
    descriptor: &Descriptor,
) -> bool {
    // At the end of the process the thread's own memory is gone before the last bytes have moved.
    let mut scratch = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    let outward = move_outward(shared, endpoint, bridge, descriptor, &mut scratch);
    let _ = SCRATCH.try_with(|kept| kept.replace(scratch));
    if bridge.is_abandoned {
        if outward == Progress::Ended {
            close(shared, endpoint, bridge);
        }
        return false;
    }
    // A call that takes from the connection itself comes first; at its end the bridge is served.
    let is_over =
        !descriptor.has_receivers() && move_inward(shared, endpoint, bridge) == Progress::Ended;
    let waits = !bridge.inward.is_empty() && !is_over;
    if waits != bridge.waits_for_room {
        bridge.waits_for_room = waits;
        let room = if waits { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
        shared.reactor.rewatch(&bridge.inner, descriptor.inode(), EDGES | room);
    }
    is_over
}

/// From the application to the connection, as far as there is room in the send buffer. `Ended`: all
/// that the application wrote is with the connection, and it writes no more.
fn move_outward(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    bridge: &mut Bridge,
    descriptor: &Descriptor,
    scratch: &mut Vec<u8>,
) -> Progress {
    scratch.resize(PIECE, 0);
    loop {
        if !bridge.held.is_empty() {
            let Some(count) = hand_over(shared, endpoint, &bridge.held) else {
                return Progress::Ended;
            };
            bridge.held.drain(..count);
            if !bridge.held.is_empty() {
                return Progress::Waiting;
            }
        }
        // Asked for before the bytes are counted: what was written before the end is then counted.
        let shown = poll_now(&bridge.inner);
        let fresh = descriptor::readable(&bridge.inner).saturating_sub(1);
        if fresh == 0 {
            if !shown.contains(Readiness::RDHUP) && !bridge.is_abandoned {
                return Progress::Waiting;
            }
            if shown.contains(Readiness::HUP) && !descriptor.has_outer() {
                // Closed rather than shut down: closing may have to reset, and a FIN would come first.
                bridge.abandon();
            }
            send_fin(shared, endpoint, bridge);
            return Progress::Ended;
        }
        let Ok(locked) = shared.lock() else { return Progress::Ended };
        let queues = locked.host.queues(endpoint.id);
        let readiness = locked.host.readiness(endpoint.id);
        drop(locked);
        if readiness.contains(Readiness::ERR) {
            // Sending would take the error, which is the application's to hear.
            return Progress::Ended;
        }
        let is_writable = readiness.contains(Readiness::OUT);
        let room = match queues {
            Ok((_, _, room)) if is_writable => room,
            Ok(_) => 0,
            Err(_) => return Progress::Ended,
        };
        let count = fresh.min(room).min(PIECE);
        if count == 0 {
            // Writable without room: sending would fail, now and ever after.
            return if is_writable { Progress::Ended } else { Progress::Waiting };
        }
        let Some(taken) = take(&bridge.inner, &mut scratch[..=count.min(PIECE - 1)]) else {
            return Progress::Waiting;
        };
        let Some(count) = hand_over(shared, endpoint, taken) else { return Progress::Ended };
        bridge.held.extend_from_slice(&taken[count..]);
    }
}

/// Reads the byte that stayed and all but the last of the new ones, and looks at the last: those are
/// the new bytes, and the last stays. `scratch` has one byte more than is wanted.
fn take<'a>(inner: &OwnedFd, scratch: &'a mut [u8]) -> Option<&'a [u8]> {
    let fd = inner.as_raw_fd();
    let wanted = scratch.len() - 1;
    let read = descriptor::recv(fd, &mut scratch[..wanted]).ok()?;
    let last = descriptor::peek(fd, &mut scratch[read..=read]).ok()?;
    Some(&scratch[1..read + last])
}

/// Gives the connection bytes for which it had room a moment ago; how many it took. None: it is gone.
fn hand_over(shared: &Shared, endpoint: &Arc<Endpoint>, bytes: &[u8]) -> Option<usize> {
    let mut call = Call::new(shared, "write", || shown_bytes(bytes, bytes.len()));
    let id = endpoint.id;
    let sent = shared.enter_unchecked(|locked, now| {
        call.enter(locked, now, Some(id));
        if locked.host.readiness(id).contains(Readiness::ERR) {
            return Err(Error::BrokenPipe);
        }
        let mut sent = 0;
        // The buffer may take it in several pieces, or not all when it was made smaller meanwhile.
        while sent < bytes.len() {
            match locked.host.send(now, id, &bytes[sent..]) {
                Ok(count) => sent += count,
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    });
    let result = sent.and_then(|sent| Ok(sent?));
    call.finish(shared, Some(id), &result, usize::to_string);
    result.ok()
}

/// The application's FIN.
fn send_fin(shared: &Shared, endpoint: &Arc<Endpoint>, bridge: &mut Bridge) {
    if bridge.is_fin_sent || bridge.is_abandoned {
        return;
    }
    bridge.is_fin_sent = true;
    let mut call = Call::new(shared, "shutdown", || "SHUT_WR".into());
    let id = endpoint.id;
    let done = shared.enter_unchecked(|locked, now| {
        call.enter(locked, now, Some(id));
        locked.host.shutdown(now, id, crate::host::Shutdown::Write)
    });
    let result = done.and_then(|done| Ok(done?));
    call.finish(shared, Some(id), &result, super::calls::zero);
}

/// From the connection to the application. `Ended`: reset, or otherwise gone, and all that came before
/// has been handed over.
fn move_inward(shared: &Shared, endpoint: &Arc<Endpoint>, bridge: &mut Bridge) -> Progress {
    loop {
        if !push(bridge) {
            return Progress::Waiting;
        }
        let id = endpoint.id;
        let taken = shared.enter_unchecked(|locked, now| {
            let readiness = locked.host.readiness(id);
            let (readable, ..) = locked.host.queues(id)?;
            let slices = match readable {
                0 => None,
                _ => Some(locked.host.recv(now, id, PIECE, false)?),
            };
            Ok::<_, Error>((slices, readiness))
        });
        // The error stays with the host: SO_ERROR tells more than the pair can.
        let Ok(Ok((slices, readiness))) = taken else { return Progress::Ended };
        match slices {
            Some(slices) => bridge.inward.extend(slices),
            None if readiness.contains(Readiness::ERR) => return Progress::Ended,
            None if readiness.contains(Readiness::RDHUP) => {
                bridge.show_end(readiness.contains(Readiness::HUP));
                return Progress::Waiting;
            }
            None => return Progress::Waiting,
        }
    }
}

/// Hands the pair what was taken. False: it is full, or there is nobody to read.
fn push(bridge: &mut Bridge) -> bool {
    while let Some(first) = bridge.inward.first_mut() {
        match descriptor::send(bridge.inner.as_raw_fd(), first) {
            Ok(count) => first.advance(count),
            Err(Errno::EAGAIN) => return false,
            // The application reads no more, or is gone: closing will tell the peer.
            Err(_) => {
                first.clear();
                bridge.has_lost = true;
            }
        }
        if first.is_empty() {
            bridge.inward.remove(0);
        }
    }
    true
}

/// The outer end is gone and everything written is handed over.
fn close(shared: &Shared, endpoint: &Arc<Endpoint>, bridge: &mut Bridge) {
    let was_unread = bridge.has_lost
        || !bridge.inward.is_empty()
        || poll_now(&bridge.inner).contains(Readiness::ERR);
    if was_unread {
        // RFC 1122 §4.2.2.13: closed with data unread, the peer has to hear that it was lost.
        let id = endpoint.id;
        let linger = SocketOption::Linger(Some(Duration::ZERO));
        let _ = shared.enter_unchecked(|locked, now| locked.host.set_option(now, id, linger));
    }
    shared.close_unasked(endpoint);
}
