//! Where bytes pass between C and a connection: every call of the read and write families ends here.
//!
//! A direct descriptor's bytes go straight to the stack, a bridged one's through the kernel's pair.

use std::ffi::c_int;
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;

use libc::msghdr;
use nix::errno::Errno;
use smallvec::SmallVec;
use tcpstack::host::{Error, Readiness};
use tcpstack::net::{Flags, SocketError};
use tcpstack::tcp::State;

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::signal;

/// Bytes that one call drops from a bridged descriptor at most.
const SKIP_MAX: usize = 256 << 10;

/// The msg flags of one call. As on Linux those that mean nothing to TCP are passed over:
/// MSG_DONTROUTE, MSG_CONFIRM, ...
#[derive(Clone, Copy)]
pub(crate) struct MessageFlags(pub(crate) c_int);

impl MessageFlags {
    pub(crate) const fn has(self, flag: c_int) -> bool {
        self.0 & flag != 0
    }

    fn for_stack(self, descriptor: &Descriptor) -> Result<Flags, Failure> {
        // The kernel's flag is the one truth; an earlier call may have left another in the socket.
        descriptor.socket.set_nonblocking(descriptor.is_nonblocking()?);
        Ok(Flags {
            peek: self.has(libc::MSG_PEEK),
            dont_wait: self.has(libc::MSG_DONTWAIT),
            wait_all: self.has(libc::MSG_WAITALL),
            more: self.has(libc::MSG_MORE),
            end_of_record: self.has(libc::MSG_EOR),
            out_of_band: self.has(libc::MSG_OOB),
        })
    }

    /// What the pair under a bridged descriptor is to know of: to it MSG_OOB or MSG_TRUNC would mean
    /// something of its own.
    const fn for_pair(self) -> c_int {
        self.0 & (libc::MSG_PEEK | libc::MSG_DONTWAIT | libc::MSG_WAITALL)
    }
}

/// The caller's buffers to send from; most calls have one.
pub(crate) type Sources<'a> = SmallVec<[IoSlice<'a>; 8]>;
/// The caller's buffers to receive into.
pub(crate) type Places<'a> = SmallVec<[IoSliceMut<'a>; 8]>;

/// Hands bytes to the connection; EPIPE raises SIGPIPE where Linux would.
pub(crate) fn send(
    descriptor: &Descriptor,
    data: &Sources<'_>,
    flags: c_int,
) -> Result<isize, Failure> {
    let flags = MessageFlags(flags);
    if flags.has(libc::MSG_FASTOPEN) {
        return Err(SocketError::Host(Error::DestinationRequired).into());
    }
    if flags.has(libc::MSG_OOB) && descriptor.is_bridged() {
        return Err(Failure::Argument(Errno::EOPNOTSUPP, "no MSG_OOB on a bridged descriptor"));
    }
    let result = if descriptor.is_bridged() {
        refuse_unconnected(descriptor, true).and_then(|()| kernel_send(descriptor, data, flags))
    } else {
        stack_send(descriptor, data, flags.for_stack(descriptor)?)
    };
    let no_signal = flags.has(libc::MSG_NOSIGNAL);
    result.map_err(|failure| signal::raise_for(failure, descriptor.socket.stack(), no_signal))
}

/// Connects with data on the SYN (MSG_FASTOPEN).
pub(crate) fn send_opening(
    descriptor: &Descriptor,
    data: &[u8],
    flags: c_int,
    address: SocketAddr,
) -> Result<isize, Failure> {
    let flags = MessageFlags(flags);
    if descriptor.is_bridged() {
        return Err(Failure::Argument(
            Errno::EOPNOTSUPP,
            "no MSG_FASTOPEN on a bridged descriptor",
        ));
    }
    let sent = descriptor.socket.send_opening(address, data, flags.for_stack(descriptor)?);
    let no_signal = flags.has(libc::MSG_NOSIGNAL);
    sent.map(usize::cast_signed)
        .map_err(|error| signal::raise_for(error.into(), descriptor.socket.stack(), no_signal))
}

/// The urgent byte, into the first place there is.
fn receive_urgent(
    descriptor: &Descriptor,
    data: &mut Places<'_>,
    flags: Flags,
) -> Result<isize, Failure> {
    let Some(place) = data.iter_mut().flat_map(|place| place.iter_mut()).next() else {
        return Ok(0);
    };
    match descriptor.socket.recv_urgent(flags)? {
        Some(byte) => {
            *place = byte;
            Ok(1)
        }
        None => Ok(0),
    }
}

/// Takes bytes from the connection.
pub(crate) fn receive(
    descriptor: &Descriptor,
    data: &mut Places<'_>,
    flags: c_int,
) -> Result<isize, Failure> {
    let flags = MessageFlags(flags);
    if flags.has(libc::MSG_ERRQUEUE) {
        return Err(Failure::Argument(Errno::EAGAIN, "TCP has no queue of errors"));
    }
    if flags.has(libc::MSG_OOB) {
        return receive_urgent(descriptor, data, flags.for_stack(descriptor)?);
    }
    if descriptor.is_bridged() {
        refuse_unconnected(descriptor, false)?;
        return kernel_receive(descriptor, data, flags);
    }
    stack_receive(descriptor, data, flags.for_stack(descriptor)?)
}

/// Receives at most `count` bytes into nowhere (MSG_TRUNC).
pub(crate) fn skip(
    descriptor: &Descriptor,
    count: usize,
    flags: MessageFlags,
) -> Result<isize, Failure> {
    if flags.has(libc::MSG_ERRQUEUE | libc::MSG_OOB) || descriptor.is_bridged() {
        // What is dropped has to be taken out of the pair all the same.
        let mut scratch = vec![0; count.min(SKIP_MAX)];
        let mut places = Places::from_iter([IoSliceMut::new(&mut scratch)]);
        return receive(descriptor, &mut places, flags.0);
    }
    let skipped = descriptor.socket.skip(count, flags.for_stack(descriptor)?)?;
    Ok(skipped.cast_signed())
}

/// A bridged descriptor's pair knows a connection alone: before there is one, and while it listens,
/// the answers are TCP's.
fn refuse_unconnected(descriptor: &Descriptor, is_sending: bool) -> Result<(), Failure> {
    let socket = &descriptor.socket;
    let is_unconnected = match socket.state()? {
        State::Listen => true,
        State::Closed => !socket.readiness().intersects(Readiness::RDHUP),
        _ => false,
    };
    match (is_unconnected, is_sending) {
        (false, _) => Ok(()),
        (true, true) => Err(SocketError::Host(Error::BrokenPipe).into()),
        (true, false) => Err(SocketError::Host(Error::NotConnected).into()),
    }
}

/// Direct: straight into the send buffer.
fn stack_send(descriptor: &Descriptor, data: &Sources<'_>, flags: Flags) -> Result<isize, Failure> {
    let count = match data.as_slice() {
        [one] => descriptor.socket.send(one, flags)?,
        many => descriptor.socket.sendv(many, flags)?,
    };
    Ok(count.cast_signed())
}

/// Direct: straight out of the receive buffer.
fn stack_receive(
    descriptor: &Descriptor,
    data: &mut Places<'_>,
    flags: Flags,
) -> Result<isize, Failure> {
    let count = match data.as_mut_slice() {
        [one] => descriptor.socket.recv(one, flags)?,
        many => descriptor.socket.recvv(many, flags)?,
    };
    Ok(count.cast_signed())
}

/// Bridged: the bytes go into the pair, behind those that `write` put there.
fn kernel_send(
    descriptor: &Descriptor,
    data: &Sources<'_>,
    flags: MessageFlags,
) -> Result<isize, Failure> {
    // SAFETY: zero is a value of every field: no address, no control data.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = data.as_ptr().cast_mut().cast();
    message.msg_iovlen = data.len();
    // The signal is raised by `send`, which knows the stack's switch.
    let flags = flags.for_pair() | libc::MSG_NOSIGNAL;
    // SAFETY: IoSlice has iovec's layout, and the slices live until the call returns.
    let count = unsafe { libc::sendmsg(descriptor.fd, &raw const message, flags) };
    Errno::result(count).map_err(|errno| reason_of(descriptor, errno))
}

/// Bridged: the bytes come out of the pair, in turn with those that `read` takes.
fn kernel_receive(
    descriptor: &Descriptor,
    data: &mut Places<'_>,
    flags: MessageFlags,
) -> Result<isize, Failure> {
    // SAFETY: zero is a value of every field: no address, no control data.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = data.as_mut_ptr().cast();
    message.msg_iovlen = data.len();
    // SAFETY: IoSliceMut has iovec's layout, and the slices live until the call returns.
    let count = unsafe { libc::recvmsg(descriptor.fd, &raw mut message, flags.for_pair()) };
    Errno::result(count).map_err(|errno| reason_of(descriptor, errno))
}

/// The pair knows only that it is over; the connection knows why (ETIMEDOUT, EHOSTUNREACH, ...).
fn reason_of(descriptor: &Descriptor, errno: Errno) -> Failure {
    if !matches!(errno, Errno::ECONNRESET | Errno::EPIPE) {
        return errno.into();
    }
    match descriptor.socket.take_error() {
        Ok(Some(error)) => error.into(),
        _ if errno == Errno::EPIPE => SocketError::Host(Error::BrokenPipe).into(),
        _ => errno.into(),
    }
}
