//! Bytes in and out of one buffer: read, write, send, recv, sendto, recvfrom.
//!
//! The descriptor is looked at first, then the pointers: EBADF and ENOTSOCK before EFAULT, as Linux.

use std::ffi::{c_int, c_void};
use std::io::{IoSlice, IoSliceMut};

use libc::{sockaddr, socklen_t};
use smallvec::SmallVec;

use crate::address::{self, Place};
use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::flow::{self, MessageFlags};
use crate::panic::boundary;
use crate::pointer;

/// Reads: takes bytes that arrived; waits for the first.
///
/// fd       the socket
/// data     where they go
/// len      most bytes to take
///
/// Returns how many, at least 1; 0 at the end of the stream (the peer's FIN) or for len 0; or -1,
/// with the errno of tcps_recv().
/// Threads: any; each byte goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_read(fd: c_int, data: *mut c_void, len: usize) -> isize {
    boundary("tcps_read", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len writable bytes at data, or NULL.
        unsafe { receive_into(&descriptor, data, len, 0) }
    })
}

/// Writes: hands bytes to the stack, which sends them as the peer's window and the network allow.
/// Waits until all have a place in the send buffer.
///
/// fd       the socket
/// data     the bytes
/// len      how many
///
/// Returns how many were taken, less than len only if the socket is non-blocking, or a signal or an
/// error came in between; or -1, with the errno of tcps_send(). EPIPE comes with SIGPIPE.
/// Threads: any; the bytes of two calls at once may mix. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_write(fd: c_int, data: *const c_void, len: usize) -> isize {
    boundary("tcps_write", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len readable bytes at data, or NULL.
        unsafe { send_from(&descriptor, data, len, 0) }
    })
}

/// Sends: as tcps_write(), with flags.
///
/// fd       the socket
/// data     the bytes
/// len      how many
/// flags    MSG_DONTWAIT   does not wait, as if the socket were non-blocking
///          MSG_NOSIGNAL   EPIPE without SIGPIPE
///          MSG_MORE       a small segment waits for what the next call sends
///          MSG_EOR        what is sent later does not share a segment with this
///          MSG_OOB        the last byte is urgent
///          As on Linux, others that mean nothing to TCP are passed over: MSG_CONFIRM, ...
///
/// Returns as tcps_write(); or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           data is NULL and len is not 0
///   EOPNOTSUPP       MSG_OOB on a bridged descriptor
///   EDESTADDRREQ     MSG_FASTOPEN: only tcps_sendto() says where to
///   EAGAIN           the send buffer is full, and the socket is non-blocking or SO_SNDTIMEO has
///                    passed
///   EPIPE            this side has shut down writing, is not connected, or an error was told
///                    before; with SIGPIPE to the calling thread, unless MSG_NOSIGNAL is set or the
///                    knob tcp_sigpipe is 0
///   ECONNRESET       the peer sent RST
///   ETIMEDOUT        the peer does not answer (the knob tcp_retries2)
///   EHOSTUNREACH, ENETUNREACH  it timed out, and ICMP had told why
///   EINTR            a signal handler ran before a byte was taken
///   ENOBUFS          no memory
/// Threads: any; the bytes of two calls at once may mix. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_send(
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
) -> isize {
    boundary("tcps_send", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len readable bytes at data, or NULL.
        unsafe { send_from(&descriptor, data, len, flags) }
    })
}

/// Receives: as tcps_read(), with flags.
///
/// fd       the socket
/// data     where the bytes go
/// len      most bytes to take
/// flags    MSG_PEEK       leaves them where they are
///          MSG_DONTWAIT   does not wait, as if the socket were non-blocking
///          MSG_WAITALL    waits for all len bytes, the end of the stream, an error or a signal
///          MSG_OOB        takes the urgent byte, which is not in the stream, and does not wait
///          MSG_TRUNC      takes the bytes and drops them: data may be NULL
///          As on Linux, others that mean nothing to TCP are passed over
///
/// Returns as tcps_read(); or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           data is NULL and len is not 0
///   EINVAL           MSG_OOB, and no urgent byte is there, or SO_OOBINLINE keeps it in the stream
///   EAGAIN           flags has MSG_ERRQUEUE; or nothing is there, and the socket is non-blocking or
///                    SO_RCVTIMEO has passed
///   ENOTCONN         the socket was never connected
///   ECONNREFUSED     the connect that went on meanwhile was refused
///   ECONNRESET       the peer sent RST
///   ETIMEDOUT        the peer does not answer what was sent
///   EHOSTUNREACH, ENETUNREACH  it timed out, and ICMP had told why
///   EINTR            a signal handler ran before a byte was there
/// Threads: any; each byte goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_recv(
    fd: c_int,
    data: *mut c_void,
    len: usize,
    flags: c_int,
) -> isize {
    boundary("tcps_recv", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len writable bytes at data, or NULL.
        unsafe { receive_into(&descriptor, data, len, flags) }
    })
}

/// As tcps_send(). TCP knows where to send to: the address is not looked at, as on Linux, but with
/// MSG_FASTOPEN. Then it connects there, and the data goes with the SYN where the peer has given a
/// cookie before (RFC 7413); else it follows the handshake.
///
/// fd       the socket
/// data     the bytes
/// len      how many
/// flags    as for tcps_send(), and MSG_FASTOPEN
/// address  with MSG_FASTOPEN the peer's; else ignored; may be NULL
/// address_len  its length in bytes
///
/// Returns as tcps_send(); or -1, with the errno of tcps_send(), or
///   EINVAL           address_len can't be
///   EINPROGRESS      MSG_FASTOPEN, and a socket that does not wait sent its SYN without the data
///   EOPNOTSUPP       MSG_FASTOPEN on a bridged descriptor, or the knob tcp_fastopen does not allow it
///   others           MSG_FASTOPEN: as tcps_connect()
/// Threads: any; the bytes of two calls at once may mix. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_sendto(
    fd: c_int,
    data: *const c_void,
    len: usize,
    flags: c_int,
    address: *const sockaddr,
    address_len: socklen_t,
) -> isize {
    boundary("tcps_sendto", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        if !address.is_null() {
            // SAFETY: the caller gives address_len readable bytes at address.
            unsafe { address::raw(address, address_len) }?;
            if flags & libc::MSG_FASTOPEN != 0 {
                let domain = descriptor.socket.domain();
                // SAFETY: as above.
                let peer = unsafe { address::read(domain, address, address_len) }?;
                // SAFETY: the caller gives len readable bytes at data, or NULL.
                let bytes = unsafe { pointer::bytes(data, len) }?;
                return flow::send_opening(&descriptor, bytes, flags, peer);
            }
        }
        // SAFETY: the caller gives len readable bytes at data, or NULL.
        unsafe { send_from(&descriptor, data, len, flags) }
    })
}

/// As tcps_recv(). On a connection there is no address to tell: *address_len becomes 0, as on Linux;
/// ask tcps_getpeername().
///
/// fd       the socket
/// data     where the bytes go
/// len      most bytes to take
/// flags    as for tcps_recv()
/// address  may be NULL; nothing is written there
/// address_len  becomes 0; NULL with address
///
/// Returns as tcps_recv(); or -1, with the errno of tcps_recv(), or
///   EFAULT           address is not NULL, and address_len is
///   EINVAL           *address_len is negative
/// Threads: any; each byte goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_recvfrom(
    fd: c_int,
    data: *mut c_void,
    len: usize,
    flags: c_int,
    address: *mut sockaddr,
    address_len: *mut socklen_t,
) -> isize {
    boundary("tcps_recvfrom", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        let place = match address.is_null() {
            true => None,
            // SAFETY: the caller gives room for *address_len bytes at address.
            false => Some(unsafe { Place::check(address, address_len) }?),
        };
        // SAFETY: the caller gives len writable bytes at data, or NULL.
        let count = unsafe { receive_into(&descriptor, data, len, flags) }?;
        if let Some(place) = place {
            // SAFETY: the pointers of `check`, good until the caller's call returns.
            unsafe { place.clear() }?;
        }
        Ok(count)
    })
}

/// # Safety
/// `data` is NULL or points to `len` readable bytes.
unsafe fn send_from(
    descriptor: &Descriptor,
    data: *const c_void,
    len: usize,
    flags: c_int,
) -> Result<isize, Failure> {
    // SAFETY: the condition of this function.
    let bytes = unsafe { pointer::bytes(data, len) }?;
    flow::send(descriptor, &SmallVec::from_iter([IoSlice::new(bytes)]), flags)
}

/// # Safety
/// `data` is NULL or points to `len` writable bytes that nobody else uses meanwhile.
unsafe fn receive_into(
    descriptor: &Descriptor,
    data: *mut c_void,
    len: usize,
    flags: c_int,
) -> Result<isize, Failure> {
    if flags & libc::MSG_TRUNC != 0 {
        // Nothing is written, so there need be no place for it.
        return flow::skip(descriptor, len, MessageFlags(flags));
    }
    // SAFETY: the condition of this function.
    let bytes = unsafe { pointer::bytes_mut(data, len) }?;
    flow::receive(descriptor, &mut SmallVec::from_iter([IoSliceMut::new(bytes)]), flags)
}
