//! getsockopt and setsockopt: the value's bytes, to and from the stack's own table of options.
//!
//! What the stack lacks is ENOPROTOOPT: no option is taken and then ignored.

use std::ffi::{c_int, c_void};

use libc::socklen_t;
use tcpstack::host::{Encoded, OptionName, SocketOption};

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::panic::boundary;
use crate::pointer;

/// No option's value is longer.
const VALUE_MAX: usize = 4096;

/// The bytes of the caller's value.
///
/// # Safety
/// `value` is NULL or points to `len` readable bytes.
unsafe fn value_at<'a>(
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> Result<&'a [u8], Failure> {
    let len = c_int::try_from(len).map_err(|_| Failure::invalid("a negative length"))?;
    let len = (len.unsigned_abs() as usize).min(VALUE_MAX);
    if value.is_null() {
        // Linux finds a wrong length before a wrong pointer.
        SocketOption::decode(level, name, &[0; VALUE_MAX][..len])?;
        return Err(Failure::null("the option's value is NULL"));
    }
    // SAFETY: the condition of this function.
    unsafe { pointer::bytes(value, len) }
}

fn is_known(level: c_int, name: c_int) -> bool {
    OptionName::find(level, name).is_some_and(|row| row.is_readable)
        || (level, name) == (libc::SOL_SOCKET, libc::SO_ERROR)
        || (level, name) == (libc::IPPROTO_TCP, libc::TCP_INFO)
}

/// # Safety
/// `value` is not NULL and points to as many writable bytes as `encoded` has.
unsafe fn write(encoded: &Encoded, value: *mut c_void) -> Result<(), Failure> {
    // SAFETY: the condition of this function.
    unsafe { pointer::bytes_mut(value, encoded.len()) }?.copy_from_slice(encoded);
    Ok(())
}

/// Reads an option of a socket: those listed under "Socket options" above.
///
/// fd       the socket
/// level    SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6
/// name     the option
/// value    where the value goes
/// len      in: the room at value; out: the value's length
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           a pointer is NULL
///   EINVAL           *len is negative
///   ENOPROTOOPT      the stack does not have the option, or it can only be set
///   EOPNOTSUPP       an AF_INET socket has no options of that level
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    boundary("tcps_getsockopt", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives a length, or NULL.
        let cap = unsafe { pointer::read(len, "the option's length is NULL") }?;
        let cap = c_int::try_from(cap).map_err(|_| Failure::invalid("a negative length"))?;
        let cap = cap.unsigned_abs() as usize;
        if value.is_null() && cap > 0 && is_known(level, name) {
            // Before it is read: SO_ERROR is gone once it was.
            return Err(Failure::null("the place for the option's value is NULL"));
        }
        let got = descriptor.socket.raw_option(level, name, cap)?;
        // SAFETY: the caller gives *len writable bytes at value, and no more were asked for.
        unsafe { write(&got, value) }?;
        // SAFETY: the length just read, which the caller lets us write.
        unsafe { pointer::write(len, got.len() as socklen_t, "the option's length is NULL") }?;
        Ok(0)
    })
}

/// Sets an option of a socket: those listed under "Socket options" above. A connection that a
/// listening socket accepts has the options of that socket.
///
/// fd       the socket
/// level    SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6
/// name     the option
/// value    its value
/// len      the value's length in bytes
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           value is NULL
///   EINVAL           len is too small, the value is out of its range, or it comes too late
///   EDOM             a timeout's tv_usec is not between 0 and 999999
///   ENOENT           no congestion control has that name
///   ENOPROTOOPT      the stack does not have the option, or it can only be read
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    boundary("tcps_setsockopt", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len readable bytes at value, or NULL.
        let value = unsafe { value_at(level, name, value, len) }?;
        descriptor.socket.set_raw_option(level, name, value)?;
        Ok(0)
    })
}

#[cfg(test)]
mod tests;
