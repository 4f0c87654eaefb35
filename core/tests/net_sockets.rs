//! Blocking sockets over `unix:` and loopback, as a program sees them.

mod net_support;

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use net_support::{Network, SOON, beside, blocked_calls, now, pattern};
use tcpstack::host::{Domain, Error, SocketOption};
use tcpstack::net::{Flags, SocketError, Stack, TcpListener, TcpStream};

const PEEK: Flags = Flags { peek: true, ..Flags::NONE };
const DONT_WAIT: Flags = Flags { dont_wait: true, ..Flags::NONE };
const WAIT_ALL: Flags = Flags { wait_all: true, ..Flags::NONE };

fn would_block<T: std::fmt::Debug>(result: Result<T, SocketError>) {
    assert_eq!(result.unwrap_err(), SocketError::Host(Error::WouldBlock));
}

#[test]
fn what_one_process_writes_another_echoes() {
    let network = Network::new();
    let listener = TcpListener::bind(&network.bob, "10.7.0.2:7777").unwrap();
    let echo = beside(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        let mut text = [0; 5];
        stream.read_exact(&mut text).unwrap();
        stream.write_all(&text).unwrap();
        peer
    });
    let mut client = TcpStream::connect(&network.alice, "10.7.0.2:7777").unwrap();
    client.write_all(b"hello").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    assert_eq!(echo(), client.local_addr().unwrap());
}

#[test]
fn a_stack_talks_to_itself_over_loopback_and_its_own_address_in_both_families() {
    let stack = Stack::open("user:?addr=10.7.0.2&addr=fd00::2&seed=1").unwrap();
    for addr in ["127.0.0.1:0", "10.7.0.2:0", "[::1]:0", "[fd00::2]:0"] {
        let listener = TcpListener::bind(&stack, addr).unwrap();
        let mut client = TcpStream::connect(&stack, listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"ping").unwrap();
        let mut text = [0; 4];
        server.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"ping", "{addr}");
    }
}

#[test]
fn ten_megabytes_go_both_ways_at_once() {
    let network = Network::new();
    let (client, server) = network.connection();
    let data = pattern(10 << 20);
    let mut ends = Vec::new();
    for stream in [client, server] {
        let (mut writer, mut reader) = (stream.clone(), stream);
        let sent = data.clone();
        ends.push(beside(move || {
            writer.write_all(&sent).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
            true
        }));
        let expected = data.clone();
        ends.push(beside(move || {
            let mut received = Vec::new();
            reader.read_to_end(&mut received).unwrap();
            received == expected
        }));
    }
    for end in ends {
        assert!(end());
    }
}

#[test]
fn data_survives_a_bad_network() {
    let network = Network::with("&loss=2%&delay=1ms&reorder=2%&tcp_min_rto_ms=20");
    let (mut client, mut server) = network.connection();
    let data = pattern(1 << 20);
    let sent = data.clone();
    let sender = beside(move || {
        client.write_all(&sent).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    sender();
    assert!(received == data);
}

#[test]
fn a_receive_timeout_is_would_block_after_that_time() {
    let network = Network::new();
    let (client, _server) = network.connection();
    client.set_read_timeout(Some(Duration::from_millis(50)));
    let start = now();
    would_block(client.as_socket().recv(&mut [0; 1], Flags::default()));
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(50) && waited < Duration::from_secs(5), "{waited:?}");
}

#[test]
fn a_send_timeout_returns_what_was_accepted_and_then_would_block() {
    let network = Network::new();
    let (client, _server) = network.connection();
    client.set_write_timeout(Some(Duration::from_millis(50)));
    let much = vec![0; 16 << 20];
    let accepted = client.as_socket().send(&much, Flags::default()).unwrap();
    assert!(accepted > 0 && accepted < much.len());
    would_block(client.as_socket().send(&much, Flags::default()));
}

#[test]
fn an_accept_timeout_is_would_block() {
    let network = Network::new();
    let (listener, _) = network.listener(1);
    listener.set_recv_timeout(Some(Duration::from_millis(20)));
    would_block(listener.accept().map(|_| ()));
}

#[test]
fn a_nonblocking_connect_is_in_progress_then_already_then_connected() {
    let network = Network::with("&delay=50ms");
    let (listener, addr) = network.listener(1);
    let client = network.alice.socket(Domain::V4).unwrap();
    client.set_nonblocking(true);
    assert_eq!(client.connect(addr).unwrap_err(), Error::InProgress.into());
    assert_eq!(client.connect(addr).unwrap_err(), Error::Already.into());
    let (_server, peer) = listener.accept().unwrap();
    client.set_nonblocking(false);
    // Blocking, it waits for the handshake begun before.
    client.connect(addr).unwrap();
    assert_eq!(client.connect(addr).unwrap_err(), Error::IsConnected.into());
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
fn nonblocking_calls_take_what_fits_and_dont_wait_is_one_call_only() {
    let network = Network::new();
    let (client, server) = network.connection();
    would_block(server.as_socket().recv(&mut [0; 1], DONT_WAIT));
    client.set_nonblocking(true);
    would_block(client.as_socket().recv(&mut [0; 1], Flags::default()));
    let much = vec![7; 64 << 20];
    let accepted = client.as_socket().send(&much, Flags::default()).unwrap();
    assert!(accepted > 0 && accepted < much.len());
    let mut received = vec![0; accepted];
    assert_eq!(server.as_socket().recv(&mut received, WAIT_ALL).unwrap(), accepted);
}

#[test]
fn wait_all_fills_the_buffer_unless_the_stream_ends() {
    let network = Network::new();
    let (mut client, server) = network.connection();
    let reader = beside(move || {
        let mut first = [0; 6];
        assert_eq!(server.as_socket().recv(&mut first, WAIT_ALL).unwrap(), 6);
        let mut second = [0; 6];
        (first, server.as_socket().recv(&mut second, WAIT_ALL).unwrap())
    });
    for piece in [&b"ab"[..], b"cd", b"ef", b"gh"] {
        client.write_all(piece).unwrap();
    }
    drop(client);
    assert_eq!(reader(), (*b"abcdef", 2));
}

#[test]
fn peek_leaves_the_data_and_with_wait_all_waits_for_all_of_it() {
    let network = Network::new();
    let (mut client, server) = network.connection();
    let blocked = blocked_calls(&network.bob);
    client.write_all(b"abc").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(server.as_socket().recv(&mut buffer, PEEK).unwrap(), 3);
    let writer = beside(move || {
        blocked.recv_timeout(SOON).unwrap();
        client.write_all(b"def").unwrap();
        client
    });
    let mut six = [0; 6];
    let flags = Flags { peek: true, wait_all: true, ..Flags::NONE };
    assert_eq!(server.as_socket().recv(&mut six, flags).unwrap(), 6);
    assert_eq!(&six, b"abcdef");
    assert_eq!(server.as_socket().recv(&mut six, Flags::default()).unwrap(), 6);
    // What is there is the answer when the stream ends first.
    writer().write_all(b"x").unwrap();
    assert_eq!(server.as_socket().recv(&mut six, flags).unwrap(), 1);
}

#[test]
fn several_buffers_are_one_stream() {
    let network = Network::new();
    let (client, server) = network.connection();
    let sent = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cdef")];
    assert_eq!(client.as_socket().sendv(&sent, Flags::default()).unwrap(), 6);
    let (mut one, mut two) = ([0; 3], [0; 3]);
    let mut buffers = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(server.as_socket().recvv(&mut buffers, WAIT_ALL).unwrap(), 6);
    assert_eq!((&one, &two), (b"abc", b"def"));
}

#[test]
fn closing_a_socket_wakes_the_threads_that_wait_on_it() {
    let network = Network::new();
    let (listener, _) = network.listener(1);
    let (client, _server) = network.connection();
    let listener = std::sync::Arc::new(listener);
    let (waiting, reading) = (std::sync::Arc::clone(&listener), client.clone());
    let (bob_waits, alice_waits) = (blocked_calls(&network.bob), blocked_calls(&network.alice));
    let accept = beside(move || waiting.accept().map(|_| ()).unwrap_err());
    let recv = beside(move || reading.as_socket().recv(&mut [0; 1], Flags::default()).unwrap_err());
    bob_waits.recv_timeout(SOON).unwrap();
    alice_waits.recv_timeout(SOON).unwrap();
    listener.close().unwrap();
    client.as_socket().close().unwrap();
    assert_eq!(accept(), Error::BadSocket.into());
    assert_eq!(recv(), Error::BadSocket.into());
    assert_eq!(listener.close().unwrap_err(), Error::BadSocket.into());
}

#[test]
fn a_closed_port_refuses_and_an_empty_address_is_unreachable() {
    let network = Network::new();
    let client = network.alice.socket(Domain::V4).unwrap();
    let refused = client.connect("10.7.0.2:1".parse().unwrap()).unwrap_err();
    assert_eq!(refused, Error::Refused.into());
    let lost = network.alice.socket(Domain::V4).unwrap();
    let unreachable = lost.connect("10.7.0.99:1".parse().unwrap()).unwrap_err();
    assert_eq!(unreachable, Error::HostUnreachable.into());
}

#[test]
fn the_port_is_free_when_close_returns() {
    let network = Network::new();
    for _ in 0..20 {
        let listener = network.bob.socket(Domain::V4).unwrap();
        listener.bind("10.7.0.2:7000".parse().unwrap()).unwrap();
        listener.listen(1).unwrap();
        listener.close().unwrap();
    }
}

#[test]
fn linger_waits_until_the_peer_has_everything() {
    let network = Network::with("&delay=40ms");
    let (mut client, server) = network.connection();
    let socket = client.as_socket();
    socket.set_option(SocketOption::Linger(Some(Duration::from_secs(10)))).unwrap();
    client.write_all(b"last words").unwrap();
    let start = now();
    client.as_socket().close().unwrap();
    let waited = start.elapsed();
    // Data and FIN out, ACK back.
    assert!(waited >= Duration::from_millis(75) && waited < Duration::from_secs(5), "{waited:?}");
    assert_eq!(server.as_socket().queues().unwrap().0, 10);
}

#[test]
fn linger_gives_up_after_its_time() {
    let network = Network::new();
    let (mut client, _server) = network.connection();
    client.as_socket().set_option(SocketOption::Linger(Some(Duration::from_secs(1)))).unwrap();
    client.write_all(b"never heard").unwrap();
    // More than the peer's window: it cannot all be acknowledged while nobody reads.
    client.write_all(&vec![0; 150_000]).unwrap();
    let start = now();
    client.as_socket().close().unwrap();
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(5), "{waited:?}");
}

#[test]
fn linger_zero_resets() {
    let network = Network::new();
    let (client, server) = network.connection();
    client.as_socket().set_option(SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    drop(client);
    let reset = server.as_socket().recv(&mut [0; 1], Flags::default()).unwrap_err();
    assert_eq!(reset, Error::Reset.into());
}

#[test]
fn a_reset_in_the_middle_of_wait_all_is_told_after_what_came_before_it() {
    let network = Network::new();
    let (client, server) = network.connection();
    client.as_socket().send(b"half", Flags::default()).unwrap();
    let reader = beside(move || {
        let flags = Flags { wait_all: true, ..Flags::default() };
        let first = server.as_socket().recv(&mut [0; 8], flags);
        (first, server.as_socket().recv(&mut [0; 8], flags))
    });
    // What was sent is acknowledged, and read, before the reset comes.
    let deadline = now() + SOON;
    while client.as_socket().queues().unwrap().1 > 0 {
        assert!(now() < deadline);
    }
    client.as_socket().set_option(SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    drop(client);
    assert_eq!(reader(), (Ok(4), Err(Error::Reset.into())));
}

#[test]
fn after_the_peer_is_gone_one_send_succeeds_and_the_next_is_a_broken_pipe() {
    let network = Network::new();
    let (client, mut server) = network.connection();
    drop(client);
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
    server.write_all(b"too late").unwrap();
    let deadline = now() + SOON;
    // The reset is on its way.
    while server.as_socket().send(b"x", Flags::default()).is_ok() {
        assert!(now() < deadline);
    }
    let error = server.as_socket().send(b"x", Flags::default()).unwrap_err();
    assert_eq!(error, Error::BrokenPipe.into());
}

#[test]
fn many_threads_share_one_stack() {
    let network = Network::new();
    let listener = TcpListener::bind(&network.bob, "10.7.0.2:7777").unwrap();
    let server = beside(move || {
        let mut workers = Vec::new();
        for stream in listener.incoming().take(16) {
            let mut stream = stream.unwrap();
            workers.push(thread::spawn(move || {
                let mut data = Vec::new();
                stream.read_to_end(&mut data).unwrap();
                stream.write_all(&data).unwrap();
            }));
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    let clients: Vec<_> = (0..16)
        .map(|number| {
            let stack = network.alice.clone();
            beside(move || {
                let mut stream = TcpStream::connect(&stack, "10.7.0.2:7777").unwrap();
                let data = pattern(100_000 + number);
                stream.write_all(&data).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let mut echo = Vec::new();
                stream.read_to_end(&mut echo).unwrap();
                assert!(echo == data);
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client());
    server();
}

#[test]
fn a_signal_interrupts_a_waiting_call() {
    use std::os::unix::thread::JoinHandleExt;
    extern "C" fn nothing(_: libc::c_int) {}
    let action = nix::sys::signal::SigAction::new(
        nix::sys::signal::SigHandler::Handler(nothing),
        nix::sys::signal::SaFlags::empty(),
        nix::sys::signal::SigSet::empty(),
    );
    // SAFETY: the handler does nothing.
    #[allow(unsafe_code)]
    unsafe { nix::sys::signal::sigaction(nix::sys::signal::SIGUSR1, &action) }.unwrap();
    let network = Network::new();
    let blocked = blocked_calls(&network.alice);
    let (client, mut server) = network.connection();
    while blocked.try_recv().is_ok() {}
    let reader = thread::spawn(move || {
        let socket = client.as_socket();
        let first = socket.recv(&mut [0; 1], Flags::default()).unwrap_err();
        (first, socket.recv(&mut [0; 1], Flags::default()))
    });
    blocked.recv_timeout(SOON).unwrap();
    // A signal between the look and the sleep would be missed, as with any call: again, then.
    let mut interrupted = false;
    while !interrupted {
        // SAFETY: the thread is joined below.
        #[allow(unsafe_code)]
        unsafe {
            libc::pthread_kill(reader.as_pthread_t(), libc::SIGUSR1)
        };
        interrupted = blocked.recv_timeout(Duration::from_millis(50)).is_ok();
    }
    server.write_all(b"x").unwrap();
    let (first, second) = reader.join().unwrap();
    assert_eq!(first, SocketError::Interrupted);
    // More than one signal may have found it; the data is there in the end.
    assert!(matches!(second, Ok(1) | Err(SocketError::Interrupted)));
}
