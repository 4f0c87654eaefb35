//! From the `int` of C to the socket behind it.

use std::ffi::c_int;
use std::sync::Arc;

use nix::errno::Errno;
use tcpstack::host::{Domain, OptionName, Readiness, SocketOption};
use tcpstack::net::{self, DescriptorKind, Socket};

use crate::errno::Failure;
use crate::panic::Call;

/// A descriptor that is the stack's, for the length of one call.
pub(crate) struct Descriptor {
    pub(crate) fd: c_int,
    pub(crate) socket: Arc<Socket>,
}

impl Descriptor {
    /// The socket of `fd`, noted in `call`.
    pub(crate) fn get(call: &mut Call, fd: c_int) -> Result<Descriptor, Failure> {
        let socket = net::lookup(fd).ok_or_else(|| not_a_socket(fd))?;
        *call = Call::Socket(Arc::clone(&socket));
        Ok(Descriptor { fd, socket })
    }

    /// Whether the bytes move through the pair, so that data calls are the kernel's.
    pub(crate) fn is_bridged(&self) -> bool {
        self.socket.kind() == Some(DescriptorKind::Bridged)
    }

    /// O_NONBLOCK as it stands on the descriptor now: the kernel's flag is the only truth, whether
    /// `fcntl`, `ioctl`, `tcps_fcntl` or SOCK_NONBLOCK set it, here or in a process forked from here.
    pub(crate) fn is_nonblocking(&self) -> Result<bool, Failure> {
        Ok(flags(self.fd, libc::F_GETFL)? & libc::O_NONBLOCK != 0)
    }

    /// How many bytes recvmsg is to tell of, where TCP_INQ is on: those that are left to read, and 1 for
    /// an end that is not read yet, as Linux has it.
    pub(crate) fn left_to_tell(&self) -> Result<Option<c_int>, Failure> {
        if self.socket.option(OptionName::Inq)? != SocketOption::Inq(true) {
            return Ok(None);
        }
        let (readable, ..) = self.socket.queues()?;
        let is_at_end = readable == 0 && self.socket.readiness().contains(Readiness::RDHUP);
        let left = if is_at_end { 1 } else { readable };
        Ok(Some(c_int::try_from(left).unwrap_or(c_int::MAX)))
    }

    /// AF_INET or AF_INET6.
    pub(crate) fn family(&self) -> c_int {
        match self.socket.domain() {
            Domain::V4 => libc::AF_INET,
            Domain::V6 => libc::AF_INET6,
        }
    }
}

/// EBADF for no descriptor, ENOTSOCK for somebody else's.
fn not_a_socket(fd: c_int) -> Failure {
    match flags(fd, libc::F_GETFD) {
        Ok(_) => Failure::Argument(Errno::ENOTSOCK, "the descriptor is not a stack's"),
        Err(failure) => failure,
    }
}

/// F_GETFD or F_GETFL; EBADF for a number that is not open.
fn flags(fd: c_int, command: c_int) -> Result<c_int, Failure> {
    // SAFETY: these two commands read two words of the kernel's and touch no memory of ours.
    Ok(Errno::result(unsafe { libc::fcntl(fd, command) })?)
}
