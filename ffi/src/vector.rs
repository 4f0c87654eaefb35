//! Bytes in and out of many buffers: readv, writev, sendmsg, recvmsg.

use std::ffi::c_int;
use std::io::{IoSlice, IoSliceMut};

use libc::{iovec, msghdr};
use nix::errno::Errno;

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::flow::{self, MessageFlags, Places, Sources};
use crate::panic::boundary;
use crate::{control_message, pointer};

/// Linux's UIO_MAXIOV: most buffers that one call takes.
const UIO_MAXIOV: usize = 1024;

/// Reads into several buffers, one after the other.
///
/// fd       the socket
/// buffers  the buffers
/// count    how many, at most 1024
///
/// Returns as tcps_read(); or -1, with the errno of tcps_recv(), or
///   EINVAL           count is negative or too great
///   EFAULT           buffers, or the place of one that has a length, is NULL
/// Threads: any; each byte goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_readv(fd: c_int, buffers: *const iovec, count: c_int) -> isize {
    boundary("tcps_readv", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives count buffers, each with its own writable bytes.
        let mut data = unsafe { places(buffers, iovec_count(count)?, Errno::EINVAL) }?;
        flow::receive(&descriptor, &mut data, 0)
    })
}

/// Writes from several buffers, one after the other.
///
/// fd       the socket
/// buffers  the buffers
/// count    how many, at most 1024
///
/// Returns as tcps_write(); or -1, with the errno of tcps_send(), or
///   EINVAL           count is negative or too great
///   EFAULT           buffers, or the place of one that has a length, is NULL
/// Threads: any; the bytes of two calls at once may mix. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_writev(fd: c_int, buffers: *const iovec, count: c_int) -> isize {
    boundary("tcps_writev", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives count buffers, each with its readable bytes.
        let data = unsafe { sources(buffers, iovec_count(count)?, Errno::EINVAL) }?;
        flow::send(&descriptor, &data, 0)
    })
}

/// As tcps_writev(), with flags.
///
/// fd       the socket
/// message  the buffers in msg_iov, at most 1024; msg_name is ignored. Control messages of other levels
///          than SOL_SOCKET, SCM_RIGHTS and SCM_CREDENTIALS are passed over, as on Linux
/// flags    as for tcps_send()
///
/// Returns as tcps_send(); or -1, with the errno of tcps_send(), or
///   EFAULT           message, its msg_iov, or the place of a buffer that has a length, is NULL
///   EMSGSIZE         msg_iovlen is too great
///   EINVAL           a control message is not one of these, or does not fit its length
/// Threads: any; the bytes of two calls at once may mix. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> isize {
    boundary("tcps_sendmsg", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives a message, or NULL.
        let message = unsafe { pointer::read(message, "the message is NULL") }?;
        // SAFETY: the caller gives msg_controllen readable bytes at msg_control, or NULL.
        unsafe { control_message::check(&message) }?;
        // SAFETY: the caller gives msg_iovlen buffers, each with its readable bytes.
        let data = unsafe { sources(message.msg_iov, message.msg_iovlen, Errno::EMSGSIZE) }?;
        flow::send(&descriptor, &data, flags)
    })
}

/// As tcps_readv(), with flags.
///
/// fd       the socket
/// message  the buffers in msg_iov, at most 1024; msg_namelen becomes 0. With TCP_INQ on, msg_control gets
///          a message TCP_CM_INQ of IPPROTO_TCP with an int: how many bytes are left to read. MSG_CTRUNC
///          in msg_flags says that it had no room
/// flags    as for tcps_recv()
///
/// Returns as tcps_recv(); or -1, with the errno of tcps_recv(), or
///   EFAULT           message, its msg_iov, or the place of a buffer that has a length, is NULL
///   EMSGSIZE         msg_iovlen is too great
/// Threads: any; each byte goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> isize {
    boundary("tcps_recvmsg", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives a message, or NULL.
        let mut header = unsafe { pointer::read(message, "the message is NULL") }?;
        // SAFETY: the caller gives msg_iovlen buffers, each with its own writable bytes.
        let mut data = unsafe { places(header.msg_iov, header.msg_iovlen, Errno::EMSGSIZE) }?;
        let flags = MessageFlags(flags);
        let count = match flags.has(libc::MSG_TRUNC) {
            true => flow::skip(&descriptor, data.iter().map(|place| place.len()).sum(), flags)?,
            false => flow::receive(&descriptor, &mut data, flags.0)?,
        };
        header.msg_namelen = 0;
        header.msg_flags = 0;
        let room = std::mem::take(&mut header.msg_controllen);
        if let Some(left) = descriptor.left_to_tell()? {
            // SAFETY: the caller gives msg_controllen writable bytes at msg_control, or NULL.
            unsafe { control_message::write_inq(&mut header, room, left) }?;
        }
        // SAFETY: the message just read, which the caller lets us write.
        unsafe { pointer::write(message, header, "the message is NULL") }?;
        Ok(count)
    })
}

fn iovec_count(count: c_int) -> Result<usize, Failure> {
    usize::try_from(count).map_err(|_| Failure::invalid("a negative number of buffers"))
}

/// The buffers at `buffers`, to read from; more than UIO_MAXIOV is `too_many`.
///
/// # Safety
/// `buffers` is NULL or points to `count` iovecs, each with that many readable bytes or NULL.
unsafe fn sources<'a>(
    buffers: *const iovec,
    count: usize,
    too_many: Errno,
) -> Result<Sources<'a>, Failure> {
    check_count(buffers, count, too_many)?;
    // SAFETY: `at` < count, and the condition of this function.
    (0..count)
        .map(|at| unsafe { buffer(buffers, at) })
        .map(|iov| {
            // SAFETY: the condition of this function.
            unsafe { pointer::bytes(iov.iov_base, iov.iov_len) }.map(IoSlice::new)
        })
        .collect()
}

/// The buffers at `buffers`, to write to; more than UIO_MAXIOV is `too_many`.
///
/// # Safety
/// `buffers` is NULL or points to `count` iovecs, each with that many writable bytes of its own or
/// NULL.
unsafe fn places<'a>(
    buffers: *const iovec,
    count: usize,
    too_many: Errno,
) -> Result<Places<'a>, Failure> {
    check_count(buffers, count, too_many)?;
    // SAFETY: `at` < count, and the condition of this function.
    (0..count)
        .map(|at| unsafe { buffer(buffers, at) })
        .map(|iov| {
            // SAFETY: the condition of this function.
            unsafe { pointer::bytes_mut(iov.iov_base, iov.iov_len) }.map(IoSliceMut::new)
        })
        .collect()
}

fn check_count(buffers: *const iovec, count: usize, too_many: Errno) -> Result<(), Failure> {
    if count > UIO_MAXIOV {
        return Err(Failure::Argument(too_many, "more than 1024 buffers"));
    }
    if buffers.is_null() && count > 0 {
        return Err(Failure::null("the list of buffers is NULL"));
    }
    Ok(())
}

/// # Safety
/// `buffers` points to more than `at` iovecs.
unsafe fn buffer(buffers: *const iovec, at: usize) -> iovec {
    // SAFETY: the condition of this function.
    unsafe { buffers.add(at).read_unaligned() }
}
