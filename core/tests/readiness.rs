//! A kernel TCP socket and ours walk through the same life, and `poll` shows the same at each step.
//!
//! The kernel's masks are the expectation: they are taken in the same run, not written down here. A descriptor
//! on demand walks through each life once for every step at which the application may ask for it first.

mod net_support;

use std::net::SocketAddr;
use std::os::fd::{IntoRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrIn, sockopt,
};
use nix::sys::socket::{getsockname, getsockopt, setsockopt};
use tcpstack::host::{Domain, Error, Readiness, Shutdown, SocketOption};
use tcpstack::net::{
    DescriptorKind, Flags, SocketError, Stack, accept_descriptor, close_descriptor,
    connect_descriptor, hand_out, lookup, open_descriptor,
};

use net_support::{borrow, mask, mask_becomes};

/// Nothing waits on a non-blocking socket.
const DONT_WAIT: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);

/// One side of the comparison. Descriptors are numbers, non-blocking.
enum World {
    Kernel,
    Ours { stack: Stack, kind: DescriptorKind },
}

impl World {
    fn ours(kind: DescriptorKind) -> World {
        World::Ours { stack: Stack::open("user:?addr=10.7.0.2&seed=1").unwrap(), kind }
    }

    fn socket(&self) -> RawFd {
        self.socket_with(true)
    }

    fn socket_with(&self, nonblocking: bool) -> RawFd {
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

    fn bind(&self, fd: RawFd) -> SocketAddr {
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

    fn listen(&self, fd: RawFd, backlog: u32) {
        match self {
            World::Kernel => {
                socket::listen(&borrow(fd), Backlog::new(backlog as i32).unwrap()).unwrap();
            }
            World::Ours { .. } => lookup(fd).unwrap().listen(backlog).unwrap(),
        }
    }

    /// The errno, 0 for none.
    fn connect(&self, fd: RawFd, addr: SocketAddr) -> i32 {
        match self {
            World::Kernel => {
                let SocketAddr::V4(addr) = addr else { unreachable!() };
                socket::connect(fd, &SockaddrIn::from(addr)).err().map_or(0, |errno| errno as i32)
            }
            World::Ours { .. } => connect_descriptor(fd, addr).err().map_or(0, SocketError::errno),
        }
    }

    fn accept(&self, fd: RawFd) -> RawFd {
        match self {
            World::Kernel => socket::accept4(fd, SockFlag::SOCK_NONBLOCK).unwrap(),
            World::Ours { .. } => accept_descriptor(fd, true, true).unwrap().0,
        }
    }

    /// Whether the bytes go through the descriptor.
    fn carries_bytes(&self, fd: RawFd) -> bool {
        match self {
            World::Ours { kind: DescriptorKind::Direct, .. } => false,
            World::Ours { kind: DescriptorKind::OnDemand, .. } => {
                lookup(fd).unwrap().is_handed_out()
            }
            _ => true,
        }
    }

    /// Bytes that went; None: would block.
    fn send(&self, fd: RawFd, bytes: &[u8]) -> Option<usize> {
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
    fn send_urgent(&self, fd: RawFd, bytes: &[u8]) {
        let flags = Flags { out_of_band: true, ..Flags::default() };
        let sent = match self {
            World::Ours { .. } => lookup(fd).unwrap().send(bytes, flags).unwrap(),
            World::Kernel => socket::send(fd, bytes, DONT_WAIT | MsgFlags::MSG_OOB).unwrap(),
        };
        assert_eq!(sent, bytes.len());
    }

    /// MSG_OOB: the urgent byte.
    fn recv_urgent(&self, fd: RawFd) -> u8 {
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
    fn recv(&self, fd: RawFd, buffer: &mut [u8]) -> Option<usize> {
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

    fn shutdown(&self, fd: RawFd, how: Shutdown) {
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

    fn close(&self, fd: RawFd) {
        match self {
            World::Kernel => nix::unistd::close(fd).unwrap(),
            World::Ours { .. } => close_descriptor(fd).unwrap(),
        }
    }

    /// Closes so that the peer gets a RST.
    fn abort(&self, fd: RawFd) {
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
    fn take_error(&self, fd: RawFd) -> i32 {
        match self {
            World::Kernel => getsockopt(&borrow(fd), sockopt::SocketError).unwrap(),
            World::Ours { .. } => {
                let error = lookup(fd).unwrap().take_error().unwrap();
                error.map_or(0, Error::errno)
            }
        }
    }

    /// A listening socket.
    fn listener(&self, backlog: u32) -> (RawFd, SocketAddr) {
        let fd = self.socket();
        let addr = self.bind(fd);
        self.listen(fd, backlog);
        (fd, addr)
    }

    /// Both ends of a connection, the connecting one first.
    fn connection(&self, walk: &mut Walk<'_>) -> (RawFd, RawFd) {
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
    fn fill(&self, fd: RawFd) -> usize {
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
    fn drain(&self, fd: RawFd, total: usize) {
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

fn libc_einprogress() -> i32 {
    Errno::EINPROGRESS as i32
}

/// Gives the mask a moment to become another one.
fn mask_becomes_other(fd: RawFd, mask_now: &str) {
    let start = net_support::now();
    while shown(fd) == mask_now && start.elapsed() < Duration::from_millis(5) {
        std::thread::yield_now();
    }
}

/// What `poll` shows; of a descriptor that was not handed out, what it would.
fn shown(fd: RawFd) -> String {
    const NAMES: [(Readiness, &str); 5] = [
        (Readiness::IN, "IN"),
        (Readiness::OUT, "OUT"),
        (Readiness::RDHUP, "RDHUP"),
        (Readiness::HUP, "HUP"),
        (Readiness::ERR, "ERR"),
    ];
    let Some(socket) = lookup(fd).filter(|socket| !socket.is_handed_out()) else {
        return mask(fd);
    };
    let readiness = socket.readiness();
    let names = NAMES.iter().filter(|(bit, _)| readiness.contains(*bit));
    names.map(|(_, name)| *name).collect::<Vec<_>>().join("|")
}

/// The steps of a life, with the mask at each: written down in the kernel's world, compared in ours.
struct Walk<'a> {
    expected: Option<&'a [(String, String)]>,
    seen: Vec<(String, String)>,
    /// From which step on it asks for descriptors on demand.
    asks_from: usize,
}

impl Walk<'_> {
    fn step(&mut self, name: &str, fd: RawFd) {
        self.ask_for(fd);
        let shown = match self.expected {
            None => mask(fd),
            Some(expected) => becomes(fd, &expected[self.seen.len()].1),
        };
        self.seen.push((name.to_owned(), shown));
    }

    /// A step on the way, the same everywhere.
    fn wait(&mut self, fd: RawFd, shown: &str) {
        self.ask_for(fd);
        assert_eq!(becomes(fd, shown), shown);
    }

    fn ask_for(&self, fd: RawFd) {
        if self.seen.len() >= self.asks_from && lookup(fd).is_some() {
            hand_out(fd).unwrap();
        }
    }
}

/// [`mask_becomes`] of what is [`shown`].
fn becomes(fd: RawFd, expected: &str) -> String {
    match lookup(fd) {
        Some(socket) if !socket.is_handed_out() => {
            net_support::eventually(expected, || shown(fd) == expected);
            expected.to_owned()
        }
        _ => mask_becomes(fd, expected),
    }
}

/// Lets the kernel and every kind of descriptor live the same life.
fn compare(life: impl Fn(&World, &mut Walk<'_>)) {
    let kernel = compare_kinds(&[DescriptorKind::Direct, DescriptorKind::Bridged], &life);
    for asks_from in 0..=kernel.len() {
        let mut ours = Walk { expected: Some(&kernel), seen: Vec::new(), asks_from };
        life(&World::ours(DescriptorKind::OnDemand), &mut ours);
        assert_eq!(
            ours.seen, kernel,
            "asked for from step {asks_from} (left) and the kernel (right)"
        );
    }
}

/// Returns what the kernel's shows.
fn compare_kinds(
    kinds: &[DescriptorKind],
    life: impl Fn(&World, &mut Walk<'_>),
) -> Vec<(String, String)> {
    let mut kernel = Walk { expected: None, seen: Vec::new(), asks_from: 0 };
    life(&World::Kernel, &mut kernel);
    for &kind in kinds {
        let mut ours = Walk { expected: Some(&kernel.seen), seen: Vec::new(), asks_from: 0 };
        life(&World::ours(kind), &mut ours);
        assert_eq!(ours.seen, kernel.seen, "{kind:?} (left) and the kernel (right)");
    }
    kernel.seen
}

#[test]
fn urgent_data_shows_what_the_kernels_does() {
    // RFC 9293 §3.8.5 (MUST-32): the application is told.
    compare_kinds(&[DescriptorKind::Direct], |world, walk| {
        let (client, server) = world.connection(walk);
        world.send_urgent(client, b"ab!");
        walk.step("text and an urgent byte", server);
        assert_eq!(world.recv_urgent(server), b'!');
        walk.step("the urgent byte taken", server);
        let mut buffer = [0; 10];
        assert_eq!(world.recv(server, &mut buffer), Some(2));
        walk.step("the text taken", server);
        for round in 0..40 {
            // More edges than a queue of signals holds.
            world.send(client, b"text");
            world.send_urgent(client, b"cd?");
            walk.wait(server, "IN|PRI|OUT");
            if round % 2 == 0 {
                world.recv_urgent(server);
                walk.wait(server, "IN|OUT");
            }
        }
        while world.recv(server, &mut buffer).is_some() {}
        walk.step("everything taken", server);
        for fd in [client, server] {
            world.close(fd);
        }
    });
}

#[test]
fn an_urgent_byte_alone_shows_as_readable_until_it_is_taken() {
    let world = World::ours(DescriptorKind::Direct);
    let (client, server) =
        world.connection(&mut Walk { expected: None, seen: Vec::new(), asks_from: 0 });
    world.send_urgent(client, b"!");
    assert_eq!(mask_becomes(server, "IN|PRI|OUT"), "IN|PRI|OUT");
    assert_eq!(world.recv_urgent(server), b'!');
    assert_eq!(mask(server), "OUT");
    for fd in [client, server] {
        world.close(fd);
    }
}

#[test]
fn a_listening_socket_shows_what_the_kernels_does() {
    compare(|world, walk| {
        let listener = world.socket();
        walk.step("fresh", listener);
        let addr = world.bind(listener);
        walk.step("bound", listener);
        world.listen(listener, 8);
        walk.step("listening", listener);
        let clients: Vec<_> = (0..2).map(|_| world.socket()).collect();
        world.connect(clients[0], addr);
        walk.step("one to accept", listener);
        world.connect(clients[1], addr);
        walk.step("two to accept", listener);
        let first = world.accept(listener);
        walk.step("one left", listener);
        walk.step("the accepted one", first);
        let second = world.accept(listener);
        walk.step("all accepted", listener);
        for fd in clients.into_iter().chain([first, second, listener]) {
            world.close(fd);
        }
    });
}

#[test]
fn a_connecting_socket_shows_what_the_kernels_does() {
    compare(|world, walk| {
        // A full accept queue leaves the next SYN without an answer.
        let (listener, addr) = world.listener(0);
        let first = world.socket();
        walk.step("fresh", first);
        world.connect(first, addr);
        walk.step("connected", first);
        let second = world.socket();
        assert_eq!(world.connect(second, addr), libc_einprogress());
        walk.step("connecting", second);
        for fd in [first, second, listener] {
            world.close(fd);
        }
    });
}

#[test]
fn data_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        walk.step("idle", client);
        world.send(server, b"abc");
        walk.step("readable", client);
        let mut one = [0; 1];
        assert_eq!(world.recv(client, &mut one), Some(1));
        walk.step("still readable", client);
        assert_eq!(world.recv(client, &mut [0; 8]), Some(2));
        walk.step("all read", client);
        assert_eq!(world.recv(client, &mut one), None);
        walk.step("would block", client);
        // A descriptor that is handed out full has the room of the bridge to offer.
        walk.ask_for(client);
        let total = world.fill(client);
        walk.step("send buffer full", client);
        walk.step("its reader", server);
        world.drain(server, total);
        walk.step("drained", client);
        walk.step("all of it read", server);
        world.close(client);
        world.close(server);
    });
}

#[test]
fn closing_one_direction_after_the_other_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        world.send(server, b"last");
        world.shutdown(server, Shutdown::Write);
        walk.step("the peer has finished, data unread", client);
        walk.step("own direction finished", server);
        assert_eq!(world.recv(client, &mut [0; 8]), Some(4));
        walk.step("the peer has finished, data read", client);
        assert_eq!(world.recv(client, &mut [0; 8]), Some(0));
        walk.step("the end was read", client);
        world.send(client, b"reply");
        walk.step("own direction finished, readable", server);
        assert_eq!(world.recv(server, &mut [0; 8]), Some(5));
        walk.step("own direction finished, read", server);
        world.shutdown(client, Shutdown::Write);
        walk.step("both finished, the peer first", client);
        walk.step("both finished, this side first", server);
        world.close(client);
        walk.step("and the peer closed", server);
        world.close(server);
    });
}

#[test]
fn a_peer_that_closes_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        world.close(server);
        walk.step("the peer closed", client);
        assert_eq!(world.recv(client, &mut [0; 8]), Some(0));
        walk.step("the end was read", client);
        world.shutdown(client, Shutdown::Both);
        walk.step("shut down both ways", client);
        world.close(client);
    });
}

#[test]
fn shutting_down_both_ways_at_once_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        world.shutdown(client, Shutdown::Both);
        walk.step("shut down both ways", client);
        walk.step("its peer", server);
        world.close(client);
        world.close(server);
    });
}

#[test]
fn a_reset_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        world.abort(server);
        walk.step("reset", client);
        assert_eq!(world.take_error(client), Errno::ECONNRESET as i32);
        walk.step("SO_ERROR taken", client);
        assert_eq!(world.take_error(client), 0);
        world.close(client);
    });
}

#[test]
fn a_reset_while_the_send_buffer_is_full_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let (client, server) = world.connection(walk);
        world.fill(client);
        walk.step("send buffer full", client);
        world.abort(server);
        walk.step("reset", client);
        world.close(client);
    });
}

#[test]
fn a_refused_connect_shows_as_the_kernels_does() {
    compare(|world, walk| {
        let closed = world.socket();
        let addr = world.bind(closed);
        let client = world.socket();
        assert_eq!(world.connect(client, addr), libc_einprogress());
        walk.step("refused", client);
        assert_eq!(world.take_error(client), Errno::ECONNREFUSED as i32);
        walk.step("SO_ERROR taken", client);
        world.close(client);
        world.close(closed);
    });
}

#[test]
fn after_a_refused_blocking_connect_a_socket_is_fresh_and_can_try_again() {
    compare(|world, walk| {
        let server = world.socket();
        let addr = world.bind(server);
        let client = world.socket_with(false);
        assert_eq!(world.connect(client, addr), Errno::ECONNREFUSED as i32);
        walk.step("refused", client);
        world.listen(server, 1);
        assert_eq!(world.connect(client, addr), 0);
        walk.step("connected", client);
        world.close(client);
        world.close(server);
    });
}

#[test]
fn a_kernel_descriptor_is_compared_with_itself() {
    // The harness itself: two walks of the kernel agree.
    let life = |walk: &mut Walk<'_>| {
        let (client, server) = World::Kernel.connection(walk);
        World::Kernel.send(server, b"x");
        walk.step("readable", client);
        World::Kernel.close(client);
        World::Kernel.close(server);
    };
    let mut first = Walk { expected: None, seen: Vec::new(), asks_from: 0 };
    life(&mut first);
    let mut second = Walk { expected: Some(&first.seen), seen: Vec::new(), asks_from: 0 };
    life(&mut second);
    assert_eq!(first.seen, second.seen);
    assert_eq!(first.seen[0].1, "IN|OUT");
}
