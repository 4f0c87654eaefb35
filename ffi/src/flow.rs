//! Where bytes pass between C and a connection: every call of the read and write families ends here.
//!
//! A direct descriptor's bytes go straight to the stack, a bridged one's through the kernel's pair.

use std::ffi::c_int;
use std::io::{IoSlice, IoSliceMut};

use libc::msghdr;
use nix::errno::Errno;
use smallvec::SmallVec;
use tcpstack::host::Error;
use tcpstack::net::{Flags, SocketError};

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::signal;

/// The msg flags of one call.
#[derive(Clone, Copy)]
struct MessageFlags(c_int);

impl MessageFlags {
    fn new(flags: c_int) -> Result<MessageFlags, Failure> {
        const KNOWN: c_int =
            libc::MSG_PEEK | libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        if flags & !KNOWN != 0 {
            return Err(Failure::Argument(
                Errno::EOPNOTSUPP,
                "flags has another than MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL",
            ));
        }
        Ok(MessageFlags(flags))
    }

    const fn has(self, flag: c_int) -> bool {
        self.0 & flag != 0
    }

    fn for_stack(self, descriptor: &Descriptor) -> Result<Flags, Failure> {
        // The kernel's flag is the one truth; an earlier call may have left another in the socket.
        descriptor.socket.set_nonblocking(descriptor.is_nonblocking()?);
        Ok(Flags {
            peek: self.has(libc::MSG_PEEK),
            dont_wait: self.has(libc::MSG_DONTWAIT),
            wait_all: self.has(libc::MSG_WAITALL),
        })
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
    let flags = MessageFlags::new(flags)?;
    let result = if descriptor.is_bridged() {
        kernel_send(descriptor, data, flags)
    } else {
        stack_send(descriptor, data, flags.for_stack(descriptor)?)
    };
    let no_signal = flags.has(libc::MSG_NOSIGNAL);
    result.map_err(|failure| signal::raise_for(failure, descriptor.socket.stack(), no_signal))
}

/// Takes bytes from the connection.
pub(crate) fn receive(
    descriptor: &Descriptor,
    data: &mut Places<'_>,
    flags: c_int,
) -> Result<isize, Failure> {
    let flags = MessageFlags::new(flags)?;
    if descriptor.is_bridged() {
        return kernel_receive(descriptor, data, flags);
    }
    stack_receive(descriptor, data, flags.for_stack(descriptor)?)
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
    let flags = flags.0 | libc::MSG_NOSIGNAL;
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
    let count = unsafe { libc::recvmsg(descriptor.fd, &raw mut message, flags.0) };
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
