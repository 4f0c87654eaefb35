//! getsockopt and setsockopt: (level, name) to the stack's typed options, and the values in and out.
//!
//! What the stack lacks is ENOPROTOOPT: no option is taken and then ignored.

use std::ffi::{c_int, c_void};
use std::mem::size_of;
use std::time::Duration;

use libc::{linger, socklen_t, timeval};
use nix::errno::Errno;
use tcpstack::host::{OptionName, SocketOption};
use tcpstack::tcp::State;

use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::panic::boundary;
use crate::pointer;

/// An option by what its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// The protocol's own.
    Stack(OptionName),
    /// A `struct timeval`.
    ReceiveTimeout,
    SendTimeout,
    /// Ints to be read only.
    Type,
    Domain,
    Protocol,
    AcceptConn,
    Error,
}

impl Name {
    fn new(level: c_int, name: c_int) -> Result<Name, Failure> {
        Ok(match (level, name) {
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => Name::Stack(OptionName::ReuseAddr),
            (libc::SOL_SOCKET, libc::SO_REUSEPORT) => Name::Stack(OptionName::ReusePort),
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => Name::Stack(OptionName::SendBuffer),
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => Name::Stack(OptionName::ReceiveBuffer),
            (libc::SOL_SOCKET, libc::SO_LINGER) => Name::Stack(OptionName::Linger),
            (libc::SOL_SOCKET, libc::SO_KEEPALIVE) => Name::Stack(OptionName::KeepAlive),
            (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => Name::ReceiveTimeout,
            (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => Name::SendTimeout,
            (libc::SOL_SOCKET, libc::SO_TYPE) => Name::Type,
            (libc::SOL_SOCKET, libc::SO_DOMAIN) => Name::Domain,
            (libc::SOL_SOCKET, libc::SO_PROTOCOL) => Name::Protocol,
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => Name::AcceptConn,
            (libc::SOL_SOCKET, libc::SO_ERROR) => Name::Error,
            (libc::IPPROTO_TCP, libc::TCP_NODELAY) => Name::Stack(OptionName::NoDelay),
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => Name::Stack(OptionName::MaxSegment),
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => Name::Stack(OptionName::V6Only),
            _ => return Err(Failure::Argument(Errno::ENOPROTOOPT, "the stack has no such option")),
        })
    }
}

/// A value as it lies in the caller's memory.
#[derive(Clone, Copy)]
enum Value {
    Int(c_int),
    Linger(linger),
    Time(timeval),
}

impl Value {
    /// Writes as much of the value as has room; returns how much that is.
    ///
    /// # Safety
    /// `out` is NULL or points to `cap` writable bytes.
    unsafe fn write(self, out: *mut c_void, cap: usize) -> Result<usize, Failure> {
        match self {
            // SAFETY: the condition of this function, for each.
            Value::Int(value) => unsafe { write_prefix(&value, out, cap) },
            // SAFETY: as above.
            Value::Linger(value) => unsafe { write_prefix(&value, out, cap) },
            // SAFETY: as above.
            Value::Time(value) => unsafe { write_prefix(&value, out, cap) },
        }
    }
}

/// # Safety
/// `out` is NULL or points to `cap` writable bytes; `T` has no padding.
unsafe fn write_prefix<T: Copy>(value: &T, out: *mut c_void, cap: usize) -> Result<usize, Failure> {
    // SAFETY: the condition of this function.
    let out = unsafe { pointer::bytes_mut(out, cap.min(size_of::<T>())) }?;
    // SAFETY: the bytes of a value without padding are all initialised.
    let bytes = unsafe { pointer::bytes((&raw const *value).cast(), out.len()) }?;
    out.copy_from_slice(bytes);
    Ok(out.len())
}

/// The value at `value`, which must have room for a `T`.
///
/// # Safety
/// `value` is NULL or points to `len` readable bytes that are a `T`'s.
unsafe fn read_value<T: Copy>(value: *const c_void, len: socklen_t) -> Result<T, Failure> {
    if (len as usize) < size_of::<T>() {
        return Err(Failure::invalid("the option's length is less than its value needs"));
    }
    // SAFETY: the condition of this function, the length just checked.
    unsafe { pointer::read(value.cast(), "the option's value is NULL") }
}

/// Linux's reading of a timeout: zero is none, and a negative one has passed already.
fn timeout_from(time: timeval) -> Result<Option<Duration>, Failure> {
    if !(0..1_000_000).contains(&time.tv_usec) {
        return Err(Failure::Argument(Errno::EDOM, "tv_usec is not between 0 and 999999"));
    }
    if time.tv_sec < 0 {
        return Ok(Some(Duration::ZERO));
    }
    let timeout = Duration::from_secs(time.tv_sec.unsigned_abs())
        + Duration::from_micros(time.tv_usec.unsigned_abs());
    Ok(Some(timeout).filter(|timeout| !timeout.is_zero()))
}

fn timeval_from(timeout: Option<Duration>) -> timeval {
    let timeout = timeout.unwrap_or_default();
    timeval {
        tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
        tv_usec: timeout.subsec_micros().into(),
    }
}

fn get(descriptor: &Descriptor, name: Name) -> Result<Value, Failure> {
    let socket = &descriptor.socket;
    Ok(match name {
        Name::Stack(name) => value_from(socket.option(name)?),
        Name::ReceiveTimeout => Value::Time(timeval_from(socket.recv_timeout())),
        Name::SendTimeout => Value::Time(timeval_from(socket.send_timeout())),
        Name::Type => Value::Int(libc::SOCK_STREAM),
        Name::Domain => Value::Int(descriptor.family()),
        Name::Protocol => Value::Int(libc::IPPROTO_TCP),
        Name::AcceptConn => {
            let listens = socket.info().is_ok_and(|info| info.state == State::Listen);
            Value::Int(listens.into())
        }
        Name::Error => Value::Int(socket.take_error()?.map_or(0, |error| error.errno())),
    })
}

fn value_from(option: SocketOption) -> Value {
    let int = |value: u32| Value::Int(c_int::try_from(value).unwrap_or(c_int::MAX));
    match option {
        SocketOption::ReuseAddr(on)
        | SocketOption::ReusePort(on)
        | SocketOption::NoDelay(on)
        | SocketOption::V6Only(on)
        | SocketOption::KeepAlive(on) => Value::Int(on.into()),
        SocketOption::SendBuffer(bytes) | SocketOption::ReceiveBuffer(bytes) => int(bytes),
        SocketOption::MaxSegment(bytes) => int(bytes.into()),
        SocketOption::Linger(time) => Value::Linger(linger {
            l_onoff: time.is_some().into(),
            l_linger: time.map_or(0, |time| time.as_secs().try_into().unwrap_or(c_int::MAX)),
        }),
    }
}

/// # Safety
/// `value` is NULL or points to `len` readable bytes that are the option's value.
unsafe fn set(
    descriptor: &Descriptor,
    name: Name,
    value: *const c_void,
    len: socklen_t,
) -> Result<(), Failure> {
    match name {
        Name::Stack(OptionName::Linger) => {
            // SAFETY: the condition of this function.
            let value: linger = unsafe { read_value(value, len) }?;
            let seconds = value.l_linger.try_into().unwrap_or(u64::from(u32::MAX));
            let time = (value.l_onoff != 0).then(|| Duration::from_secs(seconds));
            descriptor.socket.set_option(SocketOption::Linger(time))?;
        }
        Name::Stack(name) => {
            // SAFETY: the condition of this function.
            let value: c_int = unsafe { read_value(value, len) }?;
            descriptor.socket.set_option(option_from(name, value)?)?;
        }
        Name::ReceiveTimeout | Name::SendTimeout => {
            // SAFETY: the condition of this function.
            let time: timeval = unsafe { read_value(value, len) }?;
            set_timeout(descriptor, name, time)?;
        }
        Name::Type | Name::Domain | Name::Protocol | Name::AcceptConn | Name::Error => {
            return Err(Failure::Argument(Errno::ENOPROTOOPT, "the option can only be read"));
        }
    }
    Ok(())
}

fn option_from(name: OptionName, value: c_int) -> Result<SocketOption, Failure> {
    let on = value != 0;
    // Linux takes the sizes as unsigned and then cuts them to what it allows.
    let bytes = value.cast_unsigned();
    Ok(match name {
        OptionName::ReuseAddr => SocketOption::ReuseAddr(on),
        OptionName::ReusePort => SocketOption::ReusePort(on),
        OptionName::SendBuffer => SocketOption::SendBuffer(bytes),
        OptionName::ReceiveBuffer => SocketOption::ReceiveBuffer(bytes),
        OptionName::Linger => SocketOption::Linger(on.then_some(Duration::ZERO)),
        OptionName::NoDelay => SocketOption::NoDelay(on),
        OptionName::MaxSegment => SocketOption::MaxSegment(
            u16::try_from(value).map_err(|_| Failure::invalid("no segment is as long"))?,
        ),
        OptionName::V6Only => SocketOption::V6Only(on),
        OptionName::KeepAlive => SocketOption::KeepAlive(on),
    })
}

fn set_timeout(descriptor: &Descriptor, name: Name, time: timeval) -> Result<(), Failure> {
    let timeout = timeout_from(time)?;
    let kernel_name = match name {
        Name::ReceiveTimeout => {
            descriptor.socket.set_recv_timeout(timeout);
            libc::SO_RCVTIMEO
        }
        _ => {
            descriptor.socket.set_send_timeout(timeout);
            libc::SO_SNDTIMEO
        }
    };
    if descriptor.is_bridged() {
        // Its data calls are the kernel's, and so are their timeouts.
        // SAFETY: the kernel reads one timeval, which lives until the call returns.
        let result = unsafe {
            libc::setsockopt(
                descriptor.fd,
                libc::SOL_SOCKET,
                kernel_name,
                (&raw const time).cast(),
                size_of::<timeval>() as socklen_t,
            )
        };
        Errno::result(result)?;
    }
    Ok(())
}

/// Reads an option of a socket.
///
/// SOL_SOCKET
///   SO_REUSEADDR, SO_SNDBUF, SO_RCVBUF, SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO, SO_REUSEPORT,
///   SO_KEEPALIVE   as set (buffers: twice what was set, as on Linux)
///   SO_ERROR       int: the errno of the error that waits, which is gone with this; 0 for none
///   SO_TYPE        int: SOCK_STREAM
///   SO_DOMAIN      int: AF_INET or AF_INET6
///   SO_PROTOCOL    int: IPPROTO_TCP
///   SO_ACCEPTCONN  int: 1 for a socket that listens
/// IPPROTO_TCP
///   TCP_NODELAY    int: 1 when Nagle's algorithm is off
///   TCP_MAXSEG     int: most bytes of data in a segment
/// IPPROTO_IPV6
///   IPV6_V6ONLY    int: 1 when an AF_INET6 socket takes no IPv4 peers
///
/// fd       the socket
/// level    SOL_SOCKET, IPPROTO_TCP or IPPROTO_IPV6
/// name     the option
/// value    where the value goes
/// len      in: the room at value; out: the value's length
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           a pointer is NULL
///   EINVAL           *len is negative
///   ENOPROTOOPT      the stack does not have the option
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
        if value.is_null() {
            return Err(Failure::null("the place for the option's value is NULL"));
        }
        let got = get(&descriptor, Name::new(level, name)?)?;
        // SAFETY: the caller gives *len writable bytes at value.
        let written = unsafe { got.write(value, cap.unsigned_abs() as usize) }?;
        // SAFETY: the length just read, which the caller lets us write.
        unsafe { pointer::write(len, written as socklen_t, "the option's length is NULL") }?;
        Ok(0)
    })
}

/// Sets an option of a socket.
///
/// SOL_SOCKET
///   SO_REUSEADDR   int: 1 lets bind take an address that only connections in TIME_WAIT, or sockets
///                  with the same option that do not listen, still have
///   SO_REUSEPORT   int: 1 lets several sockets, all of which have it, listen on one address: they
///                  share its connections
///   SO_SNDBUF      int: the send buffer's bytes, doubled and bounded as on Linux
///   SO_RCVBUF      int: the receive buffer's bytes, and so the window, in the same way
///   SO_LINGER      struct linger: close waits so long for the peer's ACK of everything; with 0
///                  seconds it sends RST instead of FIN
///   SO_RCVTIMEO    struct timeval: recv and accept give up with EAGAIN; 0: never
///   SO_SNDTIMEO    struct timeval: send gives up with EAGAIN, connect with EINPROGRESS; 0: never
/// IPPROTO_TCP
///   TCP_NODELAY    int: 1 sends small segments at once (Nagle's algorithm off)
///   TCP_MAXSEG     int: most bytes of data in a segment; before connect or listen also told to the
///                  peer
/// IPPROTO_IPV6
///   IPV6_V6ONLY    int: 1 keeps an AF_INET6 socket to IPv6, before bind
///
/// fd       the socket
/// level    SOL_SOCKET, IPPROTO_TCP or IPPROTO_IPV6
/// name     the option
/// value    its value
/// len      the value's length in bytes
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           value is NULL
///   EINVAL           len is too small, or the value can't be
///   EDOM             a timeout's tv_usec is not between 0 and 999999
///   ENOPROTOOPT      the stack does not have the option, or it can only be read. So, for now,
///                    SO_KEEPALIVE when it is to be switched on
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
        unsafe { set(&descriptor, Name::new(level, name)?, value, len) }?;
        Ok(0)
    })
}

#[cfg(test)]
mod tests;
