//! A kernel TCP socket and ours walk through the same life, and `poll` shows the same at each step.
//!
//! The kernel's masks are the expectation: they are taken in the same run, not written down here. A descriptor
//! on demand walks through each life once for every step at which the application may ask for it first.

mod net_support;
#[path = "readiness/world.rs"]
mod world;

use std::os::fd::RawFd;
use std::time::Duration;

use nix::errno::Errno;
use tcpstack::host::Shutdown;
use tcpstack::net::{DescriptorKind, hand_out, lookup};

use net_support::{mask, mask_becomes};
use world::{World, libc_einprogress};

/// Gives the mask a moment to become another one.
fn mask_becomes_other(fd: RawFd, mask_now: &str) {
    let start = net_support::now();
    while shown(fd) == mask_now && start.elapsed() < Duration::from_millis(5) {
        std::thread::yield_now();
    }
}

/// What `poll` shows; of a descriptor that was not handed out, what it would.
fn shown(fd: RawFd) -> String {
    match lookup(fd).filter(|socket| !socket.is_handed_out()).map(|socket| socket.readiness()) {
        None => mask(fd),
        Some(readiness) if readiness.is_empty() => String::new(),
        Some(readiness) => readiness.to_string(),
    }
}

/// The steps of a life, with the mask at each: written down in the kernel's world, compared in ours.
struct Walk<'a> {
    expected: Option<&'a [(String, String)]>,
    seen: Vec<(String, String)>,
    /// From which step on it asks for descriptors on demand.
    asks_from: usize,
}

impl<'a> Walk<'a> {
    fn new(expected: Option<&'a [(String, String)]>, asks_from: usize) -> Walk<'a> {
        Walk { expected, seen: Vec::new(), asks_from }
    }

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
    net_support::becomes(expected, || shown(fd))
}

/// Lets the kernel and every kind of descriptor live the same life.
fn compare(life: impl Fn(&World, &mut Walk<'_>)) {
    let kernel = compare_kinds(&[DescriptorKind::Direct, DescriptorKind::Bridged], &life);
    for asks_from in 0..=kernel.len() {
        let mut ours = Walk::new(Some(&kernel), asks_from);
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
    let mut kernel = Walk::new(None, 0);
    life(&World::Kernel, &mut kernel);
    for &kind in kinds {
        let mut ours = Walk::new(Some(&kernel.seen), 0);
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
    let (client, server) = world.connection(&mut Walk::new(None, 0));
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
    let mut first = Walk::new(None, 0);
    life(&mut first);
    let mut second = Walk::new(Some(&first.seen), 0);
    life(&mut second);
    assert_eq!(first.seen, second.seen);
    assert_eq!(first.seen[0].1, "IN|OUT");
}
