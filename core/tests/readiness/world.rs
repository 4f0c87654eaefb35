//! The two worlds that are compared: the kernel's sockets, and ours behind each kind of descriptor. The same
//! calls work in both.

use std::net::SocketAddr;
use std::os::fd::{IntoRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrIn, sockopt,
};
use nix::sys::socket::{getsockname, getsockopt, setsockopt};
use tcpstack::host::{Domain, Error, Shutdown, SocketOption};
use tcpstack::net::{
    DescriptorKind, Flags, SocketError, Stack, accept_descriptor, close_descriptor,
    connect_descriptor, lookup, open_descriptor,
};

use crate::net_support::{self, borrow};
use crate::{Walk, mask_becomes_other};

/// Nothing waits on a non-blocking socket.
const DONT_WAIT: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);

/// One side of the comparison. Descriptors are numbers, non-blocking.
pub(crate) enum World {
    Kernel,
    Ours { stack: Stack, kind: DescriptorKind },
}

impl World {
    pub(crate) fn ours(kind: DescriptorKind) -> World {
        World::Ours { stack: Stack::open("user:?addr=10.7.0.2&seed=1").unwrap(), kind }
    }

    pub(crate) fn socket(&self) -> RawFd {
        self.socket_with(true)
    }

    pub(crate) fn socket_with(&self, nonblocking: bool) -> RawFd {
        match self {
            World::Kernel => {
                let mut flags = SockFlag::SOCK_CLOEXEC;
                flags.set(SockFlag::SOCK_NONBLOCK, nonblocking);
                socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)
                    .unwrap()
                    .into_raw_fd()
            }
            World::Ours { stack, kind } => {
                open_descriptor(stack, Domain::V4, *kind, nonblocking, true).unwrap()
            }
        }
    }

    pub(crate) fn bind(&self, fd: RawFd) -> SocketAddr {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        match self {
            World::Kernel => {
                socket::bind(fd, &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
                let addr: SockaddrIn = getsockname(fd).unwrap();
                SocketAddr::from(std::net::SocketAddrV4::from(addr))
            }
            World::Ours { .. } => {
                lookup(fd).unwrap().bind(any).unwrap();
                lookup(fd).unwrap().local_addr().unwrap()
            }
        }
    }

    pub(crate) fn listen(&self, fd: RawFd, backlog: u32) {
        match self {
            World::Kernel => {
                socket::listen(&borrow(fd), Backlog::new(backlog as i32).unwrap()).unwrap();
            }
            World::Ours { .. } => lookup(fd).unwrap().listen(backlog).unwrap(),
        }
    }

    /// The errno, 0 for none.
    pub(crate) fn connect(&self, fd: RawFd, addr: SocketAddr) -> i32 {
        match self {
            World::Kernel => {
                let SocketAddr::V4(addr) = addr else { unreachable!() };
                socket::connect(fd, &SockaddrIn::from(addr)).err().map_or(0, |errno| errno as i32)
            }
            World::Ours { .. } => connect_descriptor(fd, addr).err().map_or(0, SocketError::errno),
        }
    }

    pub(crate) fn accept(&self, fd: RawFd) -> RawFd {
        match self {
            World::Kernel => socket::accept4(fd, SockFlag::SOCK_NONBLOCK).unwrap(),
            World::Ours { .. } => accept_descriptor(fd, true, true).unwrap().0,
        }
    }

    /// Whether the bytes go through the descriptor.
    pub(crate) fn carries_bytes(&self, fd: RawFd) -> bool {
        match self {
            World::Ours { kind: DescriptorKind::Direct, .. } => false,
            World::Ours { kind: DescriptorKind::OnDemand, .. } => {
                lookup(fd).unwrap().is_handed_out()
            }
            _ => true,
        }
    }

    /// Bytes that went; None: would block.
    pub(crate) fn send(&self, fd: RawFd, bytes: &[u8]) -> Option<usize> {
        match self {
            World::Ours { .. } if !self.carries_bytes(fd) => {
                match lookup(fd).unwrap().send(bytes, Flags::default()) {
                    Err(SocketError::Host(Error::WouldBlock)) => None,
                    sent => Some(sent.unwrap()),
                }
            }
            _ => match socket::send(fd, bytes, DONT_WAIT) {
                Err(Errno::EAGAIN) => None,
                sent => Some(sent.unwrap()),
            },
        }
    }

    /// MSG_OOB: the last byte is urgent.
    pub(crate) fn send_urgent(&self, fd: RawFd, bytes: &[u8]) {
        let flags = Flags { out_of_band: true, ..Flags::default() };
        let sent = match self {
            World::Ours { .. } => lookup(fd).unwrap().send(bytes, flags).unwrap(),
            World::Kernel => socket::send(fd, bytes, DONT_WAIT | MsgFlags::MSG_OOB).unwrap(),
        };
        assert_eq!(sent, bytes.len());
    }

    /// MSG_OOB: the urgent byte.
    pub(crate) fn recv_urgent(&self, fd: RawFd) -> u8 {
        let mut byte = [0];
        match self {
            World::Ours { .. } => {
                byte[0] = lookup(fd).unwrap().recv_urgent(Flags::default()).unwrap().unwrap();
            }
            World::Kernel => {
                assert_eq!(socket::recv(fd, &mut byte, MsgFlags::MSG_OOB), Ok(1));
            }
        }
        byte[0]
    }

    /// Takes what is there; whether anything was, the end included.
    pub(crate) fn recv(&self, fd: RawFd, buffer: &mut [u8]) -> Option<usize> {
        match self {
            World::Ours { .. } if !self.carries_bytes(fd) => {
                match lookup(fd).unwrap().recv(buffer, Flags::default()) {
                    Err(SocketError::Host(Error::WouldBlock)) => None,
                    received => Some(received.unwrap()),
                }
            }
            _ => match socket::recv(fd, buffer, DONT_WAIT) {
                Err(Errno::EAGAIN) => None,
                received => Some(received.unwrap()),
            },
        }
    }

    pub(crate) fn shutdown(&self, fd: RawFd, how: Shutdown) {
        match self {
            World::Ours { .. } => lookup(fd).unwrap().shutdown(how).unwrap(),
            World::Kernel => {
                let how = match how {
                    Shutdown::Read => socket::Shutdown::Read,
                    Shutdown::Write => socket::Shutdown::Write,
                    Shutdown::Both => socket::Shutdown::Both,
                };
                socket::shutdown(fd, how).unwrap();
            }
        }
    }

    pub(crate) fn close(&self, fd: RawFd) {
        match self {
            World::Kernel => nix::unistd::close(fd).unwrap(),
            World::Ours { .. } => close_descriptor(fd).unwrap(),
        }
    }

    /// Closes so that the peer gets a RST.
    pub(crate) fn abort(&self, fd: RawFd) {
        match self {
            World::Kernel => {
                let linger = libc::linger { l_onoff: 1, l_linger: 0 };
                setsockopt(&borrow(fd), sockopt::Linger, &linger).unwrap();
            }
            World::Ours { .. } => {
                let zero = SocketOption::Linger(Some(Duration::ZERO));
                lookup(fd).unwrap().set_option(zero).unwrap();
            }
        }
        self.close(fd);
    }

    /// SO_ERROR.
    pub(crate) fn take_error(&self, fd: RawFd) -> i32 {
        match self {
            World::Kernel => getsockopt(&borrow(fd), sockopt::SocketError).unwrap(),
            World::Ours { .. } => {
                let error = lookup(fd).unwrap().take_error().unwrap();
                error.map_or(0, Error::errno)
            }
        }
    }

    /// A listening socket.
    pub(crate) fn listener(&self, backlog: u32) -> (RawFd, SocketAddr) {
        let fd = self.socket();
        let addr = self.bind(fd);
        self.listen(fd, backlog);
        (fd, addr)
    }

    /// Both ends of a connection, the connecting one first.
    pub(crate) fn connection(&self, walk: &mut Walk<'_>) -> (RawFd, RawFd) {
        let (listener, addr) = self.listener(1);
        let client = self.socket();
        assert_eq!(self.connect(client, addr), libc_einprogress());
        walk.wait(listener, "IN");
        let server = self.accept(listener);
        self.close(listener);
        walk.wait(client, "OUT");
        walk.wait(server, "OUT");
        (client, server)
    }

    /// Fills everything between `fd` and its peer. Returns how much that was.
    pub(crate) fn fill(&self, fd: RawFd) -> usize {
        let piece = [7; 60_000];
        let mut total = 0;
        // Moving on takes a moment where an engine does it.
        let mut rounds_without = 0;
        while rounds_without < 20 {
            match self.send(fd, &piece) {
                Some(sent) => {
                    total += sent;
                    rounds_without = 0;
                }
                None => {
                    rounds_without += 1;
                    mask_becomes_other(fd, "");
                }
            }
        }
        total
    }

    /// Reads `total` bytes.
    pub(crate) fn drain(&self, fd: RawFd, total: usize) {
        let mut buffer = vec![0; 1 << 20];
        let mut left = total;
        net_support::eventually("everything is read", || {
            if let Some(count) = self.recv(fd, &mut buffer) {
                left -= count;
            }
            left == 0
        });
    }
}

pub(crate) fn libc_einprogress() -> i32 {
    Errno::EINPROGRESS as i32
}
