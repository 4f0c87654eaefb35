//! Kernel descriptors in the hands of programs: `read`, `write`, `epoll`, `dup`, other processes, and every way
//! to close them.

mod net_support;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{self, MsgFlags};
use tcpstack::host::{Domain, Error, SocketOption};
use tcpstack::net::{
    DescriptorKind, Flags, SocketError, Stack, accept_descriptor, close_descriptor,
    connect_descriptor, lookup, open_descriptor,
};
use tcpstack::tcp::State;

use net_support::{
    Network, beside, borrow, eventually, is_alone, mask, mask_becomes, now, own, pattern,
};

const KINDS: [DescriptorKind; 2] = [DescriptorKind::Direct, DescriptorKind::Bridged];
/// One on demand shows nothing; it is closed like the others.
const KINDS_CLOSED_ALIKE: [DescriptorKind; 3] =
    [DescriptorKind::Direct, DescriptorKind::Bridged, DescriptorKind::OnDemand];

/// A blocking listener of Bob's.
fn listener(network: &Network, kind: DescriptorKind) -> (RawFd, SocketAddr) {
    let fd = open_descriptor(&network.bob, Domain::V4, kind, false, true).unwrap();
    let socket = lookup(fd).unwrap();
    socket.bind("10.7.0.2:0".parse().unwrap()).unwrap();
    socket.listen(16).unwrap();
    (fd, socket.local_addr().unwrap())
}

/// Both ends of a connection from Alice to Bob.
fn connection(network: &Network, kind: DescriptorKind) -> (RawFd, RawFd) {
    let (listener, addr) = listener(network, kind);
    let client = open_descriptor(&network.alice, Domain::V4, kind, false, true).unwrap();
    connect_descriptor(client, addr).unwrap();
    let (server, _) = accept_descriptor(listener, false, true).unwrap();
    close_descriptor(listener).unwrap();
    (client, server)
}

/// A bridged descriptor as any stream socket of std's.
fn stream(fd: RawFd) -> UnixStream {
    UnixStream::from(own(fd))
}

/// Whether the mask is `expected` for as long as `time`.
fn mask_stays(fd: RawFd, expected: &str, time: Duration) -> Option<()> {
    let start = now();
    while start.elapsed() < time {
        (mask(fd) == expected).then_some(())?;
        std::thread::yield_now();
    }
    Some(())
}

/// The connections of a stack that are not in TIME-WAIT and not the application's any more.
fn states(stack: &Stack) -> Vec<State> {
    stack.connections().into_iter().map(|row| row.state).collect()
}

#[test]
fn bridged_bytes_are_plain_reads_and_writes() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (mut client, mut server) = (stream(client), stream(server));
    client.write_all(b"hello").unwrap();
    let mut text = [0; 5];
    server.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");
    server.write_all(b"world").unwrap();
    drop(server);
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "world");
}

#[test]
fn bridged_descriptors_move_ten_megabytes_both_ways_at_once() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let data = pattern(10 << 20);
    let mut ends = Vec::new();
    for end in [stream(client), stream(server)] {
        let (mut writer, mut reader) = (end.try_clone().unwrap(), end);
        let (sent, expected) = (data.clone(), data.clone());
        let writer: Box<dyn FnOnce() -> bool + Send> = Box::new(move || {
            writer.write_all(&sent).unwrap();
            writer.shutdown(std::net::Shutdown::Write).unwrap();
            true
        });
        let reader: Box<dyn FnOnce() -> bool + Send> = Box::new(move || {
            let mut received = Vec::new();
            reader.read_to_end(&mut received).unwrap();
            received == expected
        });
        ends.push(beside(writer));
        ends.push(beside(reader));
    }
    for end in ends {
        assert!(end());
    }
}

#[test]
fn a_reset_is_never_a_clean_end_of_a_bridged_stream() {
    let network = Network::new();
    for unread in [0, 5] {
        let (client, server) = connection(&network, DescriptorKind::Bridged);
        let (mut client, mut server_end) = (stream(client), stream(server));
        server_end.write_all(&pattern(unread)).unwrap();
        let mut received = vec![0; unread];
        client.read_exact(&mut received).unwrap();
        let zero = SocketOption::Linger(Some(Duration::ZERO));
        lookup(server).unwrap().set_option(zero).unwrap();
        drop(server_end);
        let error = client.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET), "after {unread} bytes");
    }
}

#[test]
fn data_that_came_before_a_reset_can_still_be_read_from_a_bridged_stream() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (mut client_end, mut server_end) = (stream(client), stream(server));
    server_end.write_all(b"last words").unwrap();
    eventually("the words have arrived", || mask(client) == "IN|OUT");
    lookup(server).unwrap().set_option(SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    drop(server_end);
    assert_eq!(mask_becomes(client, "IN|OUT|RDHUP|HUP|ERR"), "IN|OUT|RDHUP|HUP|ERR");
    let mut text = [0; 10];
    client_end.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"last words");
    let error = client_end.read(&mut text).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
}

#[test]
fn closing_a_bridged_descriptor_with_data_unread_resets_the_peer() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (mut client, server_end) = (stream(client), stream(server));
    client.write_all(b"never read").unwrap();
    eventually("it has arrived", || mask(server) == "IN|OUT");
    drop(server_end);
    let error = client.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
}

#[test]
fn what_was_written_before_closing_a_bridged_descriptor_arrives() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (mut client, mut server) = (stream(client), stream(server));
    let data = pattern(3 << 20);
    let sent = data.clone();
    let writer = beside(move || {
        client.write_all(&sent).unwrap();
        // The last of it is still inside the pair.
    });
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    writer();
    assert!(received == data);
}

#[test]
fn a_slow_reader_of_a_bridged_descriptor_closes_the_window() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (mut client_end, mut server_end) = (stream(client), stream(server));
    client_end.set_nonblocking(true).unwrap();
    let mut written = 0;
    // Full is what still is a while later: the engine moves things on meanwhile.
    while mask_stays(client, "", Duration::from_millis(200)) != Some(()) {
        while let Ok(count) = client_end.write(&[1; 65536]) {
            written += count;
        }
    }
    // Two send and two receive buffers, and what the pairs hold.
    assert!(written < 6 << 20, "{written} bytes went although nobody reads");
    let mut buffer = vec![0; written];
    server_end.read_exact(&mut buffer).unwrap();
    assert_eq!(mask_becomes(client, "OUT"), "OUT");
}

#[test]
fn a_bridged_descriptor_serves_as_the_standard_streams_of_another_program() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let server = own(server);
    let input: OwnedFd = server.try_clone().unwrap();
    let mut cat =
        Command::new("cat").stdin(Stdio::from(input)).stdout(Stdio::from(server)).spawn().unwrap();
    // No copy is left in this process; the other one's keeps the connection.
    let mut client = stream(client);
    let data = pattern(1 << 20);
    let (sent, mut writer) = (data.clone(), client.try_clone().unwrap());
    let writer = beside(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).unwrap();
    writer();
    assert!(received == data);
    assert!(cat.wait().unwrap().success());
}

#[test]
fn the_socket_closes_with_the_last_copy_of_its_descriptor() {
    let network = Network::new();
    for kind in KINDS {
        let (client, server) = connection(&network, kind);
        let copy = nix::unistd::dup(borrow(client)).unwrap();
        close_descriptor(client).unwrap();
        let socket = lookup(copy.as_raw_fd()).expect("found by its copy");
        assert_eq!(socket.info().unwrap().state, State::Established);
        drop(copy);
        assert_eq!(mask_becomes(server, "IN|OUT|RDHUP"), "IN|OUT|RDHUP", "{kind:?}");
        drop(own(server));
    }
}

#[test]
fn the_kernels_close_closes_the_socket_in_every_state() {
    let network = Network::new();
    for kind in KINDS_CLOSED_ALIKE {
        let fresh = open_descriptor(&network.bob, Domain::V4, kind, false, true).unwrap();
        let (listening, addr) = listener(&network, kind);
        let client = open_descriptor(&network.alice, Domain::V4, kind, false, true).unwrap();
        connect_descriptor(client, addr).unwrap();
        let (server, _) = accept_descriptor(listening, false, true).unwrap();
        drop(own(fresh));
        drop(own(listening));
        eventually("the listener is gone", || !states(&network.bob).contains(&State::Listen));
        let port_is_free = network.bob.socket(Domain::V4).unwrap().bind(addr);
        assert_eq!(port_is_free.err(), Some(SocketError::Host(Error::AddressInUse)));
        drop(own(client));
        drop(own(server));
        eventually("both ends are closed", || {
            let is_over = |state: &State| matches!(state, State::TimeWait | State::Closed);
            states(&network.bob).iter().chain(&states(&network.alice)).all(is_over)
        });
    }
}

#[test]
fn closing_frees_the_port_before_it_returns() {
    let network = Network::new();
    for kind in KINDS_CLOSED_ALIKE {
        let mut addr: SocketAddr = "10.7.0.2:0".parse().unwrap();
        for _ in 0..50 {
            let fd = open_descriptor(&network.bob, Domain::V4, kind, false, true).unwrap();
            let socket = lookup(fd).unwrap();
            socket.bind(addr).unwrap();
            socket.listen(1).unwrap();
            addr = socket.local_addr().unwrap();
            close_descriptor(fd).unwrap();
        }
    }
}

#[test]
fn a_descriptor_that_is_not_the_stacks_is_left_alone() {
    let (other, _peer) = UnixStream::pair().unwrap();
    assert!(lookup(other.as_raw_fd()).is_none());
    assert!(lookup(-1).is_none());
    let refused = close_descriptor(other.as_raw_fd()).unwrap_err();
    assert_eq!(refused, Error::BadSocket.into());
    assert_eq!(mask(other.as_raw_fd()), "OUT");
}

#[test]
fn a_closed_number_that_is_used_again_is_not_the_old_socket() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let fd = open_descriptor(&stack, Domain::V4, DescriptorKind::Direct, false, true).unwrap();
    let old = lookup(fd).unwrap();
    close_descriptor(fd).unwrap();
    assert!(lookup(fd).is_none());
    assert_eq!(old.listen(1).unwrap_err(), Error::BadSocket.into());
}

#[test]
fn new_data_makes_a_new_edge_although_the_old_is_unread() {
    let network = Network::new();
    for kind in KINDS {
        let (client, server) = connection(&network, kind);
        lookup(client).unwrap().set_option(SocketOption::NoDelay(true)).unwrap();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        epoll.add(borrow(server), EpollEvent::new(edges, 0)).unwrap();
        let mut events = [EpollEvent::empty()];
        let soon = EpollTimeout::from(5000_u16);
        for round in 0..300 {
            match kind {
                DescriptorKind::Direct => {
                    lookup(client).unwrap().send(b"x", Flags::default()).unwrap();
                }
                _ => _ = socket::send(client, b"x", MsgFlags::empty()),
            }
            let count = epoll.wait(&mut events, soon).unwrap();
            assert_eq!(count, 1, "{kind:?}, arrival {round}");
            // The application reads some of it now and then, never all.
            if round % 50 == 49 {
                match kind {
                    DescriptorKind::Direct => {
                        lookup(server).unwrap().recv(&mut [0; 20], Flags::default()).unwrap();
                    }
                    _ => {
                        socket::recv(server, &mut [0; 45], MsgFlags::empty()).unwrap();
                    }
                }
            }
        }
        drop((own(client), own(server)));
    }
}

#[test]
fn a_direct_descriptor_follows_readiness_from_any_thread() {
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Direct);
    // Two threads, one filling and one emptying, must never leave a stale mask behind.
    for _ in 0..20 {
        let writer = beside(move || {
            let socket = lookup(client).unwrap();
            for _ in 0..200 {
                socket.send(b"0123456789", Flags::default()).unwrap();
            }
        });
        let reader = beside(move || {
            let socket = lookup(server).unwrap();
            let mut left = 2000;
            while left > 0 {
                left -= socket.recv(&mut [0; 37], Flags::default()).unwrap();
            }
        });
        writer();
        reader();
        // A late look by the engine may show IN once more; the next call takes it back.
        let again = lookup(server)
            .unwrap()
            .recv(&mut [0; 1], Flags { dont_wait: true, ..Flags::default() });
        assert_eq!(again.unwrap_err(), SocketError::Host(Error::WouldBlock));
        assert_eq!(mask(server), "OUT");
        assert_eq!(mask(client), "OUT");
    }
    close_descriptor(client).unwrap();
    close_descriptor(server).unwrap();
}

#[test]
fn connections_stay_in_the_queue_when_descriptors_run_out() {
    if !is_alone("connections_stay_in_the_queue_when_descriptors_run_out") {
        return;
    }
    let network = Network::new();
    let (listening, addr) = listener(&network, DescriptorKind::Direct);
    let client = network.alice.socket(Domain::V4).unwrap();
    client.connect(addr).unwrap();
    assert_eq!(mask_becomes(listening, "IN"), "IN");
    let mut hoard = Vec::new();
    while let Ok(fd) = nix::unistd::dup(borrow(listening)) {
        hoard.push(fd);
        assert!(hoard.len() < 1 << 20, "no limit on descriptors");
    }
    let refused = accept_descriptor(listening, false, true).unwrap_err();
    assert_eq!(refused, SocketError::Os(Errno::EMFILE as i32));
    hoard.clear();
    accept_descriptor(listening, false, true).unwrap();
}

#[test]
fn a_descriptor_of_a_closed_stack_hangs_up_and_its_calls_fail() {
    for kind in KINDS {
        let network = Network::new();
        let (client, server) = connection(&network, kind);
        network.alice.close();
        assert_eq!(mask_becomes(client, "IN|OUT|RDHUP|HUP|ERR"), "IN|OUT|RDHUP|HUP|ERR");
        let call = lookup(client).unwrap().recv(&mut [0; 1], Flags::default());
        assert_eq!(call.unwrap_err(), SocketError::StackClosed);
        assert_eq!(mask_becomes(server, "IN|OUT|RDHUP"), "IN|OUT|RDHUP", "{kind:?}");
        close_descriptor(client).unwrap();
        close_descriptor(server).unwrap();
    }
}

#[test]
fn a_thousand_connections_come_and_go_and_leave_nothing() {
    if !is_alone("a_thousand_connections_come_and_go_and_leave_nothing") {
        return;
    }
    let network = Network::with("&tcp_msl_ms=1");
    let before = std::fs::read_dir("/proc/self/fd").unwrap().count();
    for kind in KINDS_CLOSED_ALIKE {
        let (listening, addr) = listener(&network, kind);
        for round in 0..500 {
            let client = open_descriptor(&network.alice, Domain::V4, kind, false, true).unwrap();
            connect_descriptor(client, addr).unwrap();
            let (server, _) = accept_descriptor(listening, false, true).unwrap();
            if round % 3 == 0 {
                let zero = SocketOption::Linger(Some(Duration::ZERO));
                lookup(client).unwrap().set_option(zero).unwrap();
            }
            drop(own(client));
            drop(own(server));
        }
        close_descriptor(listening).unwrap();
    }
    eventually("all connections are gone", || {
        // Those that were reset have no sign of their end: they go when the table grows.
        states(&network.bob).len() < 200 && states(&network.alice).len() < 200
    });
    let after = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    eventually("the descriptors are closed", || after() < before + 200);
}

/// What a forked child finds, as its exit status: 0 when all is as it should be. Only system calls and
/// lock-free looks: the other threads are not there.
fn child_of_a_fork(client: RawFd, direct: RawFd) -> i32 {
    let text = b"from the child";
    match () {
        () if lookup(direct).is_some() => 1,
        () if socket::send(client, text, MsgFlags::empty()) != Ok(text.len()) => 2,
        () => 0,
    }
}

#[test]
fn a_forked_child_uses_a_bridged_descriptor_and_finds_the_stack_closed() {
    if !is_alone("a_forked_child_uses_a_bridged_descriptor_and_finds_the_stack_closed") {
        return;
    }
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    let (direct, _peer) = connection(&network, DescriptorKind::Direct);
    // SAFETY: the child makes only calls that are allowed after a fork, and exits at once.
    #[allow(unsafe_code)]
    let fork = unsafe { nix::unistd::fork() }.unwrap();
    let nix::unistd::ForkResult::Parent { child } = fork else {
        let status = child_of_a_fork(client, direct);
        // Parked until the parent has closed its copy and seen what it has to see.
        let mut end = [0; 1];
        let _ = socket::recv(client, &mut end, MsgFlags::empty());
        // SAFETY: ends the child without running anything of the test's.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(status)
        }
    };
    close_descriptor(client).unwrap();
    let mut server = stream(server);
    let mut text = [0; 14];
    server.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"from the child");
    // The child has a copy, so the connection lives; it ends with the child.
    assert_eq!(
        states(&network.alice).iter().filter(|state| **state == State::Established).count(),
        2
    );
    server.write_all(b"!").unwrap();
    assert_eq!(server.read(&mut text).unwrap(), 0);
    let status = nix::sys::wait::waitpid(child, None).unwrap();
    assert_eq!(status, nix::sys::wait::WaitStatus::Exited(child, 0));
}

#[test]
fn a_reset_reaches_a_descriptor_although_a_forked_child_lives() {
    if !is_alone("a_reset_reaches_a_descriptor_although_a_forked_child_lives") {
        return;
    }
    let network = Network::new();
    let (client, server) = connection(&network, DescriptorKind::Bridged);
    // SAFETY: the child only waits for the signal that ends it.
    #[allow(unsafe_code)]
    let fork = unsafe { nix::unistd::fork() }.unwrap();
    let nix::unistd::ForkResult::Parent { child } = fork else {
        nix::unistd::close(server).unwrap();
        loop {
            nix::unistd::pause();
        }
    };
    lookup(server).unwrap().set_option(SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    eventually("the child has let go", || {
        let links = std::fs::read_dir(format!("/proc/{child}/fd")).unwrap();
        links.count() < std::fs::read_dir("/proc/self/fd").unwrap().count() - 2
    });
    drop(own(server));
    let error = stream(client).read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
    nix::sys::signal::kill(child, nix::sys::signal::SIGKILL).unwrap();
    nix::sys::wait::waitpid(child, None).unwrap();
}
