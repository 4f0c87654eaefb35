//! Sockets: from `socket` to `close`.

use std::ffi::c_int;

use libc::{sockaddr, socklen_t};
use nix::errno::Errno;
use tcpstack::host::{Domain, Shutdown};
use tcpstack::net::{self, DescriptorKind, Stack};

use crate::address::{self, Place};
use crate::descriptor::Descriptor;
use crate::errno::Failure;
use crate::handle;
use crate::panic::{Call, boundary};
use crate::stack::tcps_stack;

/// A flag beside SOCK_STREAM: the bytes themselves move through the descriptor.
///
/// Then whatever takes a descriptor works on it: read(), write(), stdio, sendfile(), TLS libraries,
/// fork(), passing it to another process. Without it the descriptor carries readiness only, and data
/// moves by the tcps_ calls: the fastest. Meant for the real clock: with clock=manual the bytes move
/// when tcps_stack_poll() is called, and a read() that waits sleeps in the kernel.
pub const TCPS_BRIDGED: c_int = 0x0100_0000;

/// Linux's SOCK_MAX: no socket type is greater.
const SOCK_MAX: c_int = 11;
/// Linux's IPPROTO_MAX (with MPTCP): no protocol is greater.
const IPPROTO_MAX: c_int = 263;
/// Linux's AF_MAX: no address family is greater.
const AF_MAX: c_int = 46;

const TYPE_FLAGS: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC | TCPS_BRIDGED;

/// What `socket` was asked for, checked in Linux's order.
struct Request {
    domain: Domain,
    kind: DescriptorKind,
    nonblocking: bool,
    cloexec: bool,
}

impl Request {
    fn new(domain: c_int, type_and_flags: c_int, protocol: c_int) -> Result<Request, Failure> {
        const FAMILY: Failure =
            Failure::Argument(Errno::EAFNOSUPPORT, "the domain is neither AF_INET nor AF_INET6");
        let kind = type_and_flags & 0xf;
        if type_and_flags & !(0xf | TYPE_FLAGS) != 0 {
            return Err(Failure::invalid("the type has an unknown flag"));
        }
        if !(0..AF_MAX).contains(&domain) {
            return Err(FAMILY);
        }
        if kind >= SOCK_MAX {
            return Err(Failure::invalid("no socket has this type"));
        }
        let domain = match domain {
            libc::AF_INET => Domain::V4,
            libc::AF_INET6 => Domain::V6,
            _ => return Err(FAMILY),
        };
        if !(0..IPPROTO_MAX).contains(&protocol) {
            return Err(Failure::invalid("no protocol has this number"));
        }
        if kind != libc::SOCK_STREAM {
            return Err(Failure::Argument(Errno::ESOCKTNOSUPPORT, "the type is not SOCK_STREAM"));
        }
        if protocol != 0 && protocol != libc::IPPROTO_TCP {
            return Err(Failure::Argument(
                Errno::EPROTONOSUPPORT,
                "the protocol is neither 0 nor IPPROTO_TCP",
            ));
        }
        Ok(Request {
            domain,
            kind: match type_and_flags & TCPS_BRIDGED {
                0 => DescriptorKind::Direct,
                _ => DescriptorKind::Bridged,
            },
            nonblocking: type_and_flags & libc::SOCK_NONBLOCK != 0,
            cloexec: type_and_flags & libc::SOCK_CLOEXEC != 0,
        })
    }

    fn open(self, stack: &Stack) -> Result<c_int, Failure> {
        Ok(net::open_descriptor(stack, self.domain, self.kind, self.nonblocking, self.cloexec)?)
    }
}

/// Makes a TCP socket on a stack.
///
/// stack     the stack
/// domain    AF_INET or AF_INET6
/// type      SOCK_STREAM; or'ed to it SOCK_NONBLOCK, SOCK_CLOEXEC, TCPS_BRIDGED
/// protocol  0 or IPPROTO_TCP
///
/// Returns a descriptor, to be closed with tcps_close(); or -1, with errno
///   EFAULT           stack is NULL
///   EBADF            stack is not an open one
///   EAFNOSUPPORT     domain is another one
///   EINVAL           type or protocol is out of range, or type has an unknown flag
///   ESOCKTNOSUPPORT  type is not SOCK_STREAM
///   EPROTONOSUPPORT  protocol is another one
///   EMFILE, ENFILE   too many descriptors are open
///   ENOBUFS, ENOMEM  no memory
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_stack_socket(
    stack: *mut tcps_stack,
    domain: c_int,
    r#type: c_int,
    protocol: c_int,
) -> c_int {
    boundary("tcps_stack_socket", |call| {
        let stack = handle::get(call, stack)?;
        Request::new(domain, r#type, protocol)?.open(&stack)
    })
}

/// Makes a TCP socket on the default stack (see tcps_stack_default()).
///
/// domain    AF_INET or AF_INET6
/// type      SOCK_STREAM; or'ed to it SOCK_NONBLOCK, SOCK_CLOEXEC, TCPS_BRIDGED
/// protocol  0 or IPPROTO_TCP
///
/// Returns a descriptor, to be closed with tcps_close(); or -1, with errno
///   EAFNOSUPPORT     domain is another one
///   EINVAL           type or protocol is out of range, type has an unknown flag, or $TCPSTACK is not
///                    understood
///   ESOCKTNOSUPPORT  type is not SOCK_STREAM
///   EPROTONOSUPPORT  protocol is another one
///   EMFILE, ENFILE   too many descriptors are open
///   ENOBUFS, ENOMEM  no memory
///   others           as tcps_stack_open() has them, when this is the first use
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_socket(domain: c_int, r#type: c_int, protocol: c_int) -> c_int {
    boundary("tcps_socket", |call| {
        let request = Request::new(domain, r#type, protocol)?;
        let stack = Stack::default_stack()?;
        *call = Call::Stack(stack.clone());
        request.open(&stack)
    })
}

/// Gives a socket its local address.
///
/// fd       the socket
/// address  a struct sockaddr_in or sockaddr_in6; port 0: the stack chooses one
/// len      its length in bytes
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           address is NULL
///   EINVAL           len can't be, or the socket has an address already
///   EAFNOSUPPORT     address is of another family than the socket
///   EADDRINUSE       another socket has it (see SO_REUSEADDR); or no port is free
///   EADDRNOTAVAIL    it is not an address of this stack
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_bind(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    boundary("tcps_bind", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len readable bytes at address, or NULL.
        let address = unsafe { address::read(descriptor.socket.domain(), address, len) }?;
        descriptor.socket.bind(address)?;
        Ok(0)
    })
}

/// Makes a socket listen for connections.
///
/// fd       the socket; unbound, it gets a port now
/// backlog  how many connections may wait, established, for tcps_accept(). As on Linux one more than
///          that has room, a negative one means as many as the knob somaxconn says, and it may be
///          called again with another one
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EINVAL           the socket is connected, or connecting
///   EADDRINUSE       another socket listens on the address; or no port is free
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_listen(fd: c_int, backlog: c_int) -> c_int {
    boundary("tcps_listen", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // Linux: compared as unsigned with somaxconn, so that -1 is the most there is.
        descriptor.socket.listen(backlog.cast_unsigned())?;
        Ok(0)
    })
}

/// Accepts the next connection; waits for one.
///
/// fd       a socket that listens
/// address  where the peer's address goes, or NULL
/// len      in: the room at address; out: the address's length; NULL with address
///
/// Returns a descriptor of the kind that fd has, blocking and without FD_CLOEXEC, to be closed with
/// tcps_close(); or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EINVAL           the socket does not listen, or *len is negative
///   EFAULT           address is not NULL, and len is
///   EAGAIN           no connection waits, and the socket is non-blocking or SO_RCVTIMEO has passed
///   ECONNABORTED     the connection was reset before it was accepted
///   EINTR            a signal handler ran
///   EMFILE, ENFILE   too many descriptors are open; the connection still waits
///   ENOBUFS, ENOMEM  no memory
/// Threads: any; each connection goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_accept(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    boundary("tcps_accept", |call| {
        // SAFETY: the caller's pointers, passed on.
        unsafe { accept(call, fd, address, len, 0) }
    })
}

/// As tcps_accept(), and sets flags on the new descriptor.
///
/// fd       a socket that listens
/// address  where the peer's address goes, or NULL
/// len      in: the room at address; out: the address's length; NULL with address
/// flags    SOCK_NONBLOCK, SOCK_CLOEXEC, both or'ed, or 0
///
/// Returns a descriptor; or -1, with the errno of tcps_accept(), or
///   EINVAL           flags has another one
/// Threads: any; each connection goes to one. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_accept4(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> c_int {
    boundary("tcps_accept4", |call| {
        // SAFETY: the caller's pointers, passed on.
        unsafe { accept(call, fd, address, len, flags) }
    })
}

/// # Safety
/// `len` is NULL or points to a length, and `address` is NULL or points to that many writable bytes.
unsafe fn accept(
    call: &mut Call,
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> Result<c_int, Failure> {
    if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
        return Err(Failure::invalid(
            "flags has neither SOCK_NONBLOCK nor SOCK_CLOEXEC but another",
        ));
    }
    let descriptor = Descriptor::get(call, fd)?;
    // A connection taken out of the queue can't be put back: the pointers are checked first.
    let place = match address.is_null() {
        true => None,
        // SAFETY: the condition of this function.
        false => Some(unsafe { Place::check(address, len) }?),
    };
    descriptor.socket.set_nonblocking(descriptor.is_nonblocking()?);
    let (child, peer) = net::accept_descriptor(
        fd,
        flags & libc::SOCK_NONBLOCK != 0,
        flags & libc::SOCK_CLOEXEC != 0,
    )?;
    if let Some(place) = place {
        // SAFETY: the pointers of `check`, good until the caller's call returns.
        unsafe { place.fill(descriptor.family(), peer) }?;
    }
    Ok(child)
}

/// Connects: sends SYN and waits until the three-way handshake is done.
///
/// To an address of the family AF_UNSPEC it disconnects: the connection is aborted with RST, a socket
/// that listens ends to listen, and either can be used again.
///
/// fd       the socket; unbound, it gets the address that reaches the peer, and a port
/// address  the peer's struct sockaddr_in or sockaddr_in6
/// len      its length in bytes
///
/// Returns 0: ESTABLISHED; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           address is NULL
///   EINVAL           len can't be
///   EAFNOSUPPORT     address is of another family than the socket
///   EINPROGRESS      the handshake has begun, and the socket is non-blocking or SO_SNDTIMEO has
///                    passed: poll for POLLOUT, then ask SO_ERROR
///   EALREADY         the handshake begun before is not done
///   EISCONN          the socket is connected, or listens
///   ECONNREFUSED     nobody listens there: RST came back
///   ETIMEDOUT        no answer to any SYN (the knob tcp_syn_retries)
///   EHOSTUNREACH, ENETUNREACH  ICMP said so, or there is no way from this stack
///   EADDRNOTAVAIL    no port is free
///   EADDRINUSE       a connection between the same two addresses is still there
///   EINTR            a signal handler ran; the handshake goes on, as after EINPROGRESS
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_connect(
    fd: c_int,
    address: *const sockaddr,
    len: socklen_t,
) -> c_int {
    boundary("tcps_connect", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        // SAFETY: the caller gives len readable bytes at address, or NULL.
        if unsafe { address::is_unspecified(address, len) }? {
            descriptor.socket.disconnect()?;
            return Ok(0);
        }
        // SAFETY: as above.
        let address = unsafe { address::read(descriptor.socket.domain(), address, len) }?;
        descriptor.socket.set_nonblocking(descriptor.is_nonblocking()?);
        net::connect_descriptor(fd, address)?;
        Ok(0)
    })
}

/// Ends one direction of a connection, or both. SHUT_WR sends FIN after the data written before;
/// the peer may go on sending.
///
/// fd       the socket
/// how      SHUT_RD, SHUT_WR or SHUT_RDWR
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EINVAL           how is another one
///   ENOTCONN         the socket is not connected
/// Threads: any; reads and writes that wait in other threads return. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_shutdown(fd: c_int, how: c_int) -> c_int {
    boundary("tcps_shutdown", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        descriptor.socket.shutdown(match how {
            libc::SHUT_RD => Shutdown::Read,
            libc::SHUT_WR => Shutdown::Write,
            libc::SHUT_RDWR => Shutdown::Both,
            _ => return Err(Failure::invalid("how is not SHUT_RD, SHUT_WR or SHUT_RDWR")),
        })?;
        Ok(0)
    })
}

/// Closes a descriptor. With its last copy the socket goes: a connection sends what is written and
/// FIN, or RST where bytes were received that nobody read; the port of a listening socket is free
/// when this returns. With SO_LINGER it waits, as long as that says, until the peer has everything.
///
/// close() does the same, a moment later, when the stack notices.
///
/// fd       the socket
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open
///   ENOTSOCK         fd is not a stack's
/// Threads: any; calls that wait on it in other threads return. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_close(fd: c_int) -> c_int {
    boundary("tcps_close", |call| {
        Descriptor::get(call, fd)?;
        // The handle in `call` must be gone before the socket can be.
        *call = Call::Unresolved;
        net::close_descriptor(fd)?;
        Ok(0)
    })
}

/// Tells a socket's own address.
///
/// fd       the socket
/// address  where it goes
/// len      in: the room at address; out: the address's length
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           a pointer is NULL
///   EINVAL           *len is negative
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_getsockname(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    boundary("tcps_getsockname", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        let local = descriptor.socket.local_addr()?;
        // SAFETY: the caller gives room for *len bytes at address, or NULL.
        unsafe { Place::check(address, len)?.fill(descriptor.family(), local) }?;
        Ok(0)
    })
}

/// Tells the address of the peer of a connection.
///
/// fd       the socket
/// address  where it goes
/// len      in: the room at address; out: the address's length
///
/// Returns 0; or -1, with errno
///   EBADF            fd is not open, or its stack was closed
///   ENOTSOCK         fd is not a stack's
///   EFAULT           a pointer is NULL
///   EINVAL           *len is negative
///   ENOTCONN         the socket is not connected
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_getpeername(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    boundary("tcps_getpeername", |call| {
        let descriptor = Descriptor::get(call, fd)?;
        let peer = descriptor.socket.peer_addr()?;
        // SAFETY: the caller gives room for *len bytes at address, or NULL.
        unsafe { Place::check(address, len)?.fill(descriptor.family(), peer) }?;
        Ok(0)
    })
}
