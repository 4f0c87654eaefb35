//! fcntl and ioctl, as far as they mean something on a TCP socket.

use std::ffi::{c_int, c_long, c_ulong, c_void};

use nix::errno::Errno;

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::panic::boundary;
use crate::pointer;

/// Linux's SIOCINQ and SIOCOUTQ: the same numbers as FIONREAD and TIOCOUTQ.
const SIOCINQ: c_ulong = libc::FIONREAD;
const SIOCOUTQ: c_ulong = libc::TIOCOUTQ;
/// linux/sockios.h's, of which only what was never sent is counted.
const SIOCOUTQNSD: c_ulong = 0x894b;
/// asm-generic/sockios.h's.
const SIOCATMARK: c_ulong = 0x8905;

/// Reads and sets the flags of a descriptor, and copies it.
///
/// The flags are the kernel's own, so that plain fcntl() does the same: O_NONBLOCK counts however it
/// was set.
///
/// fd       the socket
/// cmd      F_GETFL, F_SETFL           O_NONBLOCK among them
///          F_GETFD, F_SETFD           FD_CLOEXEC
///          F_DUPFD, F_DUPFD_CLOEXEC   a copy: the socket lives until its last copy is closed
/// arg      what cmd needs, else 0
///
/// Returns what cmd returns; or -1, with errno
///   EBADF            fd is not open
///   ENOTSOCK         fd is not a stack's
///   EINVAL           cmd is another one, or arg is too great a descriptor
///   EMFILE           too many descriptors are open
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_fcntl(fd: c_int, cmd: c_int, arg: c_long) -> c_int {
    boundary("tcps_fcntl", |call| {
        Descriptor::get(call, fd)?;
        match cmd {
            libc::F_GETFL
            | libc::F_SETFL
            | libc::F_GETFD
            | libc::F_SETFD
            | libc::F_DUPFD
            | libc::F_DUPFD_CLOEXEC => {
                // SAFETY: these commands take a number, and touch no memory.
                Ok(Errno::result(unsafe { libc::fcntl(fd, cmd, arg) })?)
            }
            _ => Err(Failure::invalid("the command is not one of those that sockets have here")),
        }
    })
}

/// Asks how much is queued, or switches between blocking and non-blocking.
///
/// fd       the socket
/// request  FIONREAD, SIOCINQ   how many bytes can be read without waiting
///          SIOCOUTQ, TIOCOUTQ  how many bytes were written and not yet acknowledged by the peer
///          SIOCOUTQNSD         how many of these were never sent
///          SIOCATMARK          1 when the urgent byte comes next, 0 else
///          FIONBIO             non-blocking if the int is not 0; as O_NONBLOCK of tcps_fcntl()
///          FIOASYNC            SIGIO when readiness changes, if the int is not 0; as O_ASYNC
/// arg      an int, read or written
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           arg is NULL
///   EINVAL           the socket listens: nothing is queued there
///   ENOTTY           request is another one
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_ioctl(fd: c_int, request: c_ulong, arg: *mut c_void) -> c_int {
    boundary("tcps_ioctl", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        let null = "the request's argument is NULL";
        match request {
            SIOCINQ | SIOCOUTQ | SIOCOUTQNSD => {
                let count = queued(&descriptor, request)?;
                // SAFETY: the caller gives a place for an int, or NULL.
                unsafe { pointer::write(arg.cast(), count, null) }?;
            }
            SIOCATMARK => {
                let is_at_mark = c_int::from(descriptor.socket.is_at_urgent_mark()?);
                // SAFETY: the caller gives a place for an int, or NULL.
                unsafe { pointer::write(arg.cast(), is_at_mark, null) }?;
            }
            libc::FIONBIO | libc::FIOASYNC => {
                // SAFETY: the caller gives an int, or NULL.
                let mut on: c_int = unsafe { pointer::read(arg.cast(), null) }?;
                // SAFETY: the kernel reads one int, which lives until the call returns.
                Errno::result(unsafe { libc::ioctl(fd, request, &raw mut on) })?;
            }
            _ => return Err(Failure::Argument(Errno::ENOTTY, "TCP has no such request")),
        }
        Ok(0)
    })
}

/// Bytes that wait in one direction, for the application or for the peer's ACK.
fn queued(descriptor: &Descriptor, request: c_ulong) -> Result<c_int, Failure> {
    let count = match request {
        SIOCOUTQNSD => descriptor.socket.unsent()?,
        SIOCOUTQ => descriptor.socket.queues()?.1,
        _ => descriptor.socket.queues()?.0,
    };
    Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
}
