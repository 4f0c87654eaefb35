//! Descriptors on demand: what goes straight before the application asks for the number, what goes through
//! the descriptor afterwards, and the change, in which no byte is lost and nobody left waiting.

mod net_support;

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use nix::sys::socket::{self, MsgFlags};
use nix::unistd::ForkResult;
use tcpstack::host::{Domain, Shutdown, SocketOption};
use tcpstack::net::{
    DescriptorKind, Flags, Socket, SocketError, TcpListener, TcpStream, accept_descriptor,
    close_descriptor, connect_descriptor, hand_out, lookup, open_descriptor,
};
use tcpstack::tcp::State;

use net_support::{Network, beside, blocked_calls, eventually, is_alone, mask, own, pattern};

/// A descriptor on demand of Alice's, connected, the socket behind it, and Bob's end.
fn connection(network: &Network) -> (RawFd, Arc<Socket>, TcpStream) {
    let listener = TcpListener::bind(&network.bob, "10.7.0.2:0").unwrap();
    let kind = DescriptorKind::OnDemand;
    let fd = open_descriptor(&network.alice, Domain::V4, kind, false, true).unwrap();
    connect_descriptor(fd, listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    (fd, lookup(fd).unwrap(), peer)
}

/// Waits until `count` bytes are there for `socket` to read.
fn has_arrived(socket: &Socket, count: usize) {
    eventually("the bytes have arrived", || socket.queues().unwrap().0 >= count);
}

/// The descriptor, handed out, as a stream of std's.
fn handed_out(fd: RawFd) -> UnixStream {
    hand_out(fd).unwrap();
    UnixStream::from(own(fd))
}

fn recv(socket: &Socket, max: usize) -> Result<Vec<u8>, SocketError> {
    let mut buffer = vec![0; max];
    let count = socket.recv(&mut buffer, Flags::default())?;
    buffer.truncate(count);
    Ok(buffer)
}

#[test]
fn bytes_go_straight_until_the_number_is_asked_for_and_through_it_then() {
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    assert!(!socket.is_handed_out());
    socket.send(b"straight, ", Flags::default()).unwrap();
    peer.write_all(b"one two three").unwrap();
    has_arrived(&socket, 13);
    assert_eq!(recv(&socket, 4).unwrap(), b"one ");

    let mut end = handed_out(fd);
    // What is there already shows at once.
    assert_eq!(mask(fd), "IN|OUT");
    end.write_all(b"through").unwrap();
    let mut text = [0; 9];
    end.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"two three");
    assert_eq!(recv(&socket, 1), Err(SocketError::HandedOut));
    let mut text = [0; 17];
    peer.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"straight, through");
}

#[test]
fn what_listens_can_be_handed_out_and_what_it_accepts_is_not_yet() {
    let network = Network::new();
    let kind = DescriptorKind::OnDemand;
    let listener = open_descriptor(&network.bob, Domain::V4, kind, false, true).unwrap();
    let listening = lookup(listener).unwrap();
    listening.bind("10.7.0.2:0".parse().unwrap()).unwrap();
    listening.listen(1).unwrap();
    hand_out(listener).unwrap();
    assert_eq!(mask(listener), "");
    let mut client = TcpStream::connect(&network.alice, listening.local_addr().unwrap()).unwrap();
    eventually("the listener shows it", || mask(listener) == "IN");
    let (server, _) = accept_descriptor(listener, false, true).unwrap();
    let socket = lookup(server).unwrap();
    assert!(!socket.is_handed_out());
    client.write_all(b"hello").unwrap();
    assert_eq!(recv(&socket, 8).unwrap(), b"hello");
    close_descriptor(listener).unwrap();
    close_descriptor(server).unwrap();
}

#[test]
fn one_that_is_handed_out_before_it_connects_is_bridged_from_the_start() {
    let network = Network::new();
    let listener = TcpListener::bind(&network.bob, "10.7.0.2:0").unwrap();
    let kind = DescriptorKind::OnDemand;
    let fd = open_descriptor(&network.alice, Domain::V4, kind, false, true).unwrap();
    hand_out(fd).unwrap();
    assert_eq!(mask(fd), "OUT|HUP");
    connect_descriptor(fd, listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let mut end = UnixStream::from(own(fd));
    end.write_all(b"hello").unwrap();
    let mut text = [0; 5];
    peer.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");
}

#[test]
fn a_call_that_waits_when_it_is_handed_out_gets_its_bytes_and_leaves_the_rest() {
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    let blocked = blocked_calls(&network.alice);
    let receiver = beside(move || recv(&socket, 4));
    blocked.recv().unwrap();
    let mut end = handed_out(fd);
    assert_eq!(mask(fd), "OUT");
    peer.write_all(b"for the one, for the other").unwrap();
    assert_eq!(receiver().unwrap(), b"for ");
    drop(peer);
    let mut rest = String::new();
    end.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "the one, for the other");
}

#[test]
fn a_call_that_sends_when_it_is_handed_out_sends_all() {
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    let data = pattern(8 << 20);
    let sent = data.clone();
    let blocked = blocked_calls(&network.alice);
    let sender = beside(move || socket.send(&sent, Flags::default()));
    blocked.recv().unwrap();
    let mut end = handed_out(fd);
    let reader = beside(move || {
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        received
    });
    assert_eq!(sender(), Ok(data.len()));
    end.write_all(b"behind it").unwrap();
    drop(end);
    let received = reader();
    assert!(received[..data.len()] == data);
    assert_eq!(&received[data.len()..], b"behind it");
}

/// Receives straight as long as that goes, then from the descriptor; counts on the way.
fn receive_all(fd: RawFd, socket: &Socket, count: &AtomicUsize) -> Vec<u8> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 5000];
    loop {
        let taken = match socket.recv(&mut buffer, Flags::default()) {
            Err(SocketError::HandedOut) => {
                socket::recv(fd, &mut buffer, MsgFlags::empty()).unwrap()
            }
            taken => taken.unwrap(),
        };
        if taken == 0 {
            return received;
        }
        received.extend_from_slice(&buffer[..taken]);
        count.store(received.len(), SeqCst);
    }
}

#[test]
fn wherever_in_a_stream_it_is_handed_out_every_byte_arrives_in_order() {
    let network = Network::new();
    let data = Arc::new(pattern(1 << 20));
    for at in (0..data.len()).step_by(data.len() / 24) {
        let (fd, socket, mut peer) = connection(&network);
        let count = Arc::new(AtomicUsize::new(0));
        let (sent, seen) = (Arc::clone(&data), Arc::clone(&count));
        let sender = beside(move || peer.write_all(&sent));
        let receiver = beside(move || receive_all(fd, &socket, &seen));
        eventually("so much was received", || count.load(SeqCst) >= at);
        hand_out(fd).unwrap();
        sender().unwrap();
        assert!(receiver() == *data, "handed out after {at} bytes");
        close_descriptor(fd).unwrap();
    }
}

#[test]
fn what_was_finished_before_stays_finished() {
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    socket.send(b"that is all", Flags::default()).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut end = handed_out(fd);
    let error = end.write_all(b"no, more").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
    let mut text = String::new();
    peer.read_to_string(&mut text).unwrap();
    assert_eq!(text, "that is all");
    peer.write_all(b"understood").unwrap();
    drop(peer);
    let mut text = String::new();
    end.read_to_string(&mut text).unwrap();
    assert_eq!(text, "understood");
}

#[test]
fn a_shutdown_through_the_descriptor_reaches_a_call_that_began_before() {
    let network = Network::new();
    for how in [Shutdown::Read, Shutdown::Both] {
        let (fd, socket, mut peer) = connection(&network);
        let blocked = blocked_calls(&network.alice);
        let receiver = beside({
            let socket = Arc::clone(&socket);
            move || recv(&socket, 4)
        });
        blocked.recv().unwrap();
        let mut end = handed_out(fd);
        end.write_all(b"last").unwrap();
        socket.shutdown(how).unwrap();
        assert_eq!(receiver().unwrap(), b"");
        drop(end);
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "last");
    }
}

#[test]
fn a_reset_before_shows_after_what_came_before_it() {
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    peer.write_all(b"last words").unwrap();
    has_arrived(&socket, 10);
    let zero = SocketOption::Linger(Some(Duration::ZERO));
    peer.as_socket().set_option(zero).unwrap();
    drop(peer);
    eventually("it is reset", || socket.state() == Ok(State::Closed));
    let mut end = handed_out(fd);
    assert_eq!(mask(fd), "IN|OUT|RDHUP|HUP|ERR");
    let mut text = [0; 10];
    end.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"last words");
    let error = end.read(&mut text).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
}

#[test]
fn closing_the_number_ends_a_call_that_waits() {
    let network = Network::new();
    let (fd, socket, _peer) = connection(&network);
    let blocked = blocked_calls(&network.alice);
    let receiver = beside(move || recv(&socket, 4));
    blocked.recv().unwrap();
    close_descriptor(fd).unwrap();
    assert_eq!(receiver().unwrap_err().errno(), libc::EBADF);
}

#[test]
fn a_fork_hands_everything_out_so_that_the_child_has_it() {
    if !is_alone("a_fork_hands_everything_out_so_that_the_child_has_it") {
        return;
    }
    let network = Network::new();
    let (fd, socket, mut peer) = connection(&network);
    socket.send(b"from the parent, ", Flags::default()).unwrap();
    // SAFETY: the child makes only calls that are allowed after a fork, and exits at once.
    #[allow(unsafe_code)]
    let fork = unsafe { nix::unistd::fork() }.unwrap();
    let ForkResult::Parent { child } = fork else {
        let text = b"from the child";
        let sent = socket::send(fd, text, MsgFlags::empty()) == Ok(text.len());
        let is_refused = socket.recv(&mut [0; 1], Flags::default()) == Err(SocketError::HandedOut);
        // SAFETY: ends the child without running anything of the test's.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(i32::from(!(sent && is_refused)))
        }
    };
    let status = nix::sys::wait::waitpid(child, None).unwrap();
    assert_eq!(status, nix::sys::wait::WaitStatus::Exited(child, 0));
    assert!(socket.is_handed_out());
    let mut text = [0; 31];
    peer.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"from the parent, from the child");
    // The parent's copy is bridged as well, and the last.
    peer.write_all(b"bye").unwrap();
    let mut text = [0; 3];
    assert_eq!(socket::recv(fd, &mut text, MsgFlags::MSG_WAITALL), Ok(3));
    nix::unistd::close(fd).unwrap();
    assert_eq!(peer.read(&mut text).unwrap(), 0);
}

#[test]
fn what_is_not_ours_is_not_handed_out() {
    let (one, _other) = UnixStream::pair().unwrap();
    assert_eq!(hand_out(one.as_raw_fd()).unwrap_err().errno(), libc::EBADF);
}
