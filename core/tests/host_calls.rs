//! The application's calls in states in which they fail: the answers are those of a Linux socket.

mod host_pair;

use std::time::Duration;

use host_pair::{CLIENT, Pair, SERVER, at, read, seconds};
use tcpstack::host::{
    Domain, Error, Host, OptionName, Readiness, Shutdown, SocketId, SocketOption,
};
use tcpstack::tcp::State;

fn bound(host: &mut Host, domain: Domain, address: &str, port: u16, reuse: bool) -> SocketId {
    let id = host.socket(domain);
    let now = tcpstack::time::Instant::ZERO;
    host.set_option(now, id, SocketOption::ReuseAddr(reuse)).unwrap();
    host.bind(id, at(address, port)).unwrap();
    id
}

/// Whether a socket can be bound there.
fn bind(
    host: &mut Host,
    domain: Domain,
    address: &str,
    port: u16,
    reuse: bool,
) -> Result<(), Error> {
    let id = host.socket(domain);
    let now = tcpstack::time::Instant::ZERO;
    host.set_option(now, id, SocketOption::ReuseAddr(reuse)).unwrap();
    let result = host.bind(id, at(address, port));
    host.close(now, id).unwrap();
    result
}

#[test]
fn a_fresh_socket_answers_as_on_linux() {
    let mut pair = Pair::new();
    let (host, now) = (&mut pair.client, pair.now);
    let id = host.socket(Domain::V4);
    assert_eq!(host.readiness(id), Readiness::OUT | Readiness::HUP);
    assert_eq!(host.state(id), Ok(State::Closed));
    assert_eq!(host.local_addr(id), Ok(at("0.0.0.0", 0)));
    assert_eq!(host.peer_addr(id), Err(Error::NotConnected));
    assert_eq!(host.send(now, id, b"x"), Err(Error::BrokenPipe));
    assert_eq!(host.recv(now, id, 1, false), Err(Error::NotConnected));
    assert_eq!(host.accept(now, id), Err(Error::Invalid));
    assert_eq!(host.shutdown(now, id, Shutdown::Both), Err(Error::NotConnected));
    assert_eq!(host.take_error(id), Ok(None));
    assert_eq!(host.queues(id).unwrap().2, 16_384);
}

#[test]
fn a_listener_answers_as_on_linux() {
    let mut pair = Pair::new();
    let (host, now) = (&mut pair.client, pair.now);
    let id = host.socket(Domain::V4);
    host.listen(now, id, 1).unwrap();
    let port = host.local_addr(id).unwrap().port();
    assert!((32_768..=60_999).contains(&port));
    assert_eq!(host.readiness(id), Readiness::EMPTY);
    assert_eq!(host.connect(now, id, at(SERVER, 9)), Err(Error::IsConnected));
    assert_eq!(host.send(now, id, b"x"), Err(Error::BrokenPipe));
    assert_eq!(host.recv(now, id, 1, false), Err(Error::NotConnected));
    assert_eq!(host.accept(now, id), Err(Error::WouldBlock));
    assert_eq!(host.bind(id, at(CLIENT, 0)), Err(Error::Invalid));
    assert_eq!(host.listen(now, id, 5), Ok(()));
    assert_eq!(host.shutdown(now, id, Shutdown::Write), Ok(()));
    assert_eq!(host.state(id), Ok(State::Listen));

    assert_eq!(host.shutdown(now, id, Shutdown::Read), Ok(()));
    assert_eq!(host.readiness(id), Readiness::OUT | Readiness::HUP);
    assert_eq!(host.accept(now, id), Err(Error::Invalid));
    assert_eq!(host.local_addr(id).unwrap().port(), port);
    assert_eq!(host.listen(now, id, 1), Ok(()));
}

#[test]
fn a_refused_connection_says_so_once_and_the_socket_may_try_again() {
    for is_bound in [false, true] {
        let mut pair = Pair::new();
        let id = pair.client.socket(Domain::V4);
        if is_bound {
            pair.client.bind(id, at(CLIENT, 5000)).unwrap();
        }
        let closed = at(SERVER, 9);
        assert_eq!(pair.client.connect(pair.now, id, closed), Err(Error::InProgress));
        pair.settle();
        assert_eq!(pair.take_flags(), ["> SYN", "< RST|ACK"]);
        let everything = Readiness::IN | Readiness::OUT | Readiness::RDHUP | Readiness::HUP;
        assert_eq!(pair.client.readiness(id), everything | Readiness::ERR);
        let port = pair.client.local_addr(id).unwrap().port();

        assert_eq!(pair.client.connect(pair.now, id, closed), Err(Error::Refused));
        assert_eq!(pair.client.readiness(id), Readiness::OUT | Readiness::HUP);
        let shown = if is_bound { at(CLIENT, 5000) } else { at("0.0.0.0", port) };
        assert_eq!(pair.client.local_addr(id), Ok(shown));
        assert_eq!(pair.client.send(pair.now, id, b"x"), Err(Error::BrokenPipe));
        assert_eq!(pair.client.recv(pair.now, id, 1, false), Err(Error::NotConnected));

        assert_eq!(pair.client.connect(pair.now, id, closed), Err(Error::InProgress));
        pair.settle();
        assert_eq!(pair.client.take_error(id), Ok(Some(Error::Refused)));
        assert_eq!(pair.client.readiness(id), everything);
        assert_eq!(pair.client.connect(pair.now, id, closed), Err(Error::Aborted));
        pair.listen(9, 1);
        assert_eq!(pair.client.connect(pair.now, id, closed), Err(Error::InProgress));
        pair.settle();
        assert_eq!(pair.client.connect(pair.now, id, closed), Ok(()));
    }
}

#[test]
fn an_attempt_to_connect_can_be_given_up_by_shutdown_or_close() {
    let mut pair = Pair::new();
    pair.lose = Box::new(|_| true);
    let id = pair.begin(80);
    assert_eq!(pair.client.shutdown(pair.now, id, Shutdown::Write), Ok(()));
    assert_eq!(pair.client.state(id), Ok(State::Closed));
    assert_eq!(pair.client.readiness(id), Readiness::OUT | Readiness::HUP);
    let id = pair.begin(80);
    assert_eq!(pair.client.close(pair.now, id), Ok(()));
    pair.settle();
    assert!(pair.client.connections().is_empty());
    assert_eq!(pair.client.next_deadline(), None);
}

#[test]
fn a_destination_that_cannot_be_is_refused_without_a_packet() {
    // RFC 9293 §3.9.1.1 (MUST-46).
    let mut pair = Pair::new();
    let (host, now) = (&mut pair.client, pair.now);
    for (domain, address, port, error) in [
        (Domain::V4, "fd00::2", 80, Error::AddressFamily),
        (Domain::V6, SERVER, 80, Error::AddressFamily),
        (Domain::V4, "255.255.255.255", 80, Error::NetUnreachable),
        (Domain::V4, "224.0.0.1", 80, Error::NetUnreachable),
        (Domain::V6, "ff02::1", 80, Error::NetUnreachable),
        (Domain::V4, SERVER, 0, Error::Refused),
    ] {
        let id = host.socket(domain);
        assert_eq!(host.connect(now, id, at(address, port)), Err(error), "{address}");
        assert!(host.poll_transmit(now).is_none());
    }
    let id = bound(host, Domain::V4, "127.0.0.1", 0, false);
    assert_eq!(host.connect(now, id, at(SERVER, 80)), Err(Error::Invalid));

    let config = tcpstack::host::Config::new([host_pair::ip(CLIENT)], 1);
    let mut only_v4 = Host::new(config, None);
    let id = only_v4.socket(Domain::V6);
    assert_eq!(only_v4.connect(now, id, at("fd00::2", 80)), Err(Error::NetUnreachable));
}

#[test]
fn bind_conflicts_as_on_linux() {
    // RFC 9293 §3.9.1.1 (MUST-41, MUST-43).
    let mut pair = Pair::new();
    let host = &mut pair.client;
    let id = bound(host, Domain::V4, CLIENT, 80, false);
    assert_eq!(host.bind(id, at(CLIENT, 81)), Err(Error::Invalid));
    assert_eq!(bind(host, Domain::V4, SERVER, 80, false), Err(Error::AddressNotAvailable));
    for (domain, address, reuse, expected) in [
        (Domain::V4, CLIENT, false, Err(Error::AddressInUse)),
        (Domain::V4, CLIENT, true, Err(Error::AddressInUse)),
        (Domain::V4, "0.0.0.0", false, Err(Error::AddressInUse)),
        (Domain::V6, "::", false, Err(Error::AddressInUse)),
        (Domain::V6, "::ffff:10.7.0.1", false, Err(Error::AddressInUse)),
        (Domain::V4, "127.0.0.1", false, Ok(())),
        (Domain::V6, "fd00::1", false, Ok(())),
    ] {
        assert_eq!(bind(host, domain, address, 80, reuse), expected, "{address}");
    }

    let now = pair.now;
    let host = &mut pair.client;
    let first = bound(host, Domain::V4, CLIENT, 90, true);
    let second = bound(host, Domain::V4, "0.0.0.0", 90, true);
    assert_eq!(bind(host, Domain::V4, CLIENT, 90, false), Err(Error::AddressInUse));
    assert_eq!(host.listen(now, first, 1), Ok(()));
    assert_eq!(host.listen(now, second, 1), Err(Error::AddressInUse));
    assert_eq!(bind(host, Domain::V4, CLIENT, 90, true), Err(Error::AddressInUse));
    host.close(now, first).unwrap();
    assert_eq!(host.listen(now, second, 1), Ok(()));
    host.check();
}

#[test]
fn a_server_comes_back_over_its_time_wait_with_reuse_addr_alone() {
    let mut pair = Pair::new();
    for reuse in [false, true] {
        let port = 80 + u16::from(reuse);
        let listener = bound(&mut pair.server, Domain::V4, SERVER, port, reuse);
        pair.server.listen(pair.now, listener, 8).unwrap();
        let (socket, child) = pair.connected(listener);
        pair.server.close(pair.now, child).unwrap();
        pair.settle();
        pair.client.close(pair.now, socket).unwrap();
        pair.server.close(pair.now, listener).unwrap();
        pair.settle();
        assert_eq!(pair.server.connections().last().unwrap().state, State::TimeWait);
        let expected = if reuse { Ok(()) } else { Err(Error::AddressInUse) };
        assert_eq!(bind(&mut pair.server, Domain::V4, SERVER, port, true), expected);
    }
    pair.pass(seconds(61));
    assert_eq!(bind(&mut pair.server, Domain::V4, SERVER, 80, false), Ok(()));
}

#[test]
fn ephemeral_ports_come_from_the_range_and_run_out() {
    // RFC 6056 §3.2.
    let mut pair = Pair::with(|config| {
        config.knobs.set("ip_local_port_range", "40000 40002").unwrap();
    });
    pair.listen(80, 8);
    pair.listen(81, 8);
    let mut ports: Vec<u16> = (0..3)
        .map(|_| {
            let id = pair.begin(80);
            pair.client.local_addr(id).unwrap().port()
        })
        .collect();
    ports.sort_unstable();
    assert_eq!(ports, [40_000, 40_001, 40_002]);
    let id = pair.client.socket(Domain::V4);
    let now = pair.now;
    assert_eq!(pair.client.connect(now, id, at(SERVER, 80)), Err(Error::AddressNotAvailable));
    assert_eq!(pair.client.bind(id, at(CLIENT, 0)), Err(Error::AddressInUse));
    // Another peer's port makes another pair of ends.
    assert_eq!(pair.client.connect(now, id, at(SERVER, 81)), Err(Error::InProgress));
    pair.settle();
}

#[test]
fn the_same_ends_cannot_connect_twice() {
    let mut pair = Pair::new();
    pair.listen(80, 8);
    let first = bound(&mut pair.client, Domain::V4, CLIENT, 5000, true);
    let second = bound(&mut pair.client, Domain::V4, CLIENT, 5000, true);
    let (now, server) = (pair.now, at(SERVER, 80));
    assert_eq!(pair.client.connect(now, first, server), Err(Error::InProgress));
    assert_eq!(pair.client.connect(now, second, server), Err(Error::AddressNotAvailable));
    pair.settle();
}

#[test]
fn a_full_accept_queue_drops_syns_and_last_acks_until_there_is_room() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 1);
    let sockets: Vec<_> = (0..4).map(|_| pair.begin(80)).collect();
    pair.settle();
    // As Linux: one more than the backlog.
    assert_eq!(pair.server.counters().get("listen_overflow").unwrap(), 2);
    let mut accepted = 0;
    for _ in 0..20 {
        while let Ok((child, _)) = pair.server.accept(pair.now, listener) {
            accepted += 1;
            pair.server.send(pair.now, child, b"hello").unwrap();
        }
        pair.pass(seconds(1));
    }
    assert_eq!(accepted, 4);
    for socket in sockets {
        assert_eq!(read(&mut pair.client, pair.now, socket), b"hello");
    }
}

#[test]
fn half_open_connections_are_bounded_by_the_knob() {
    // RFC 4987 §3.2.
    let mut pair = Pair::with(|config| config.knobs.set("tcp_max_syn_backlog", "3").unwrap());
    pair.listen(80, 100);
    pair.lose = Box::new(|sent| !sent.from_client);
    for _ in 0..5 {
        pair.begin(80);
    }
    pair.settle();
    assert_eq!(pair.server.connections().len(), 1 + 3);
    assert_eq!(pair.server.counters().get("syn_cookies_sent"), Some(2));
    // And they are forgotten when their SYN+ACK is never answered.
    pair.lose = Box::new(|_| true);
    pair.pass(seconds(200));
    assert_eq!(pair.server.connections().len(), 1);
    assert_eq!(pair.server.next_deadline(), None);
}

#[test]
fn closing_a_listener_resets_whoever_was_not_accepted() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (accepted, _child) = pair.connected(listener);
    let waiting = pair.begin(80);
    pair.settle();
    pair.server.close(pair.now, listener).unwrap();
    pair.settle();
    assert_eq!(pair.client.recv(pair.now, waiting, 1, false), Err(Error::Reset));
    assert_eq!(pair.client.recv(pair.now, accepted, 1, false), Err(Error::WouldBlock));
    assert_eq!(pair.server.connections().len(), 1);
    assert_eq!(pair.server.accept(pair.now, listener), Err(Error::BadSocket));
}

#[test]
fn a_child_that_was_reset_in_the_accept_queue_is_accepted_with_its_error() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let socket = pair.begin(80);
    pair.settle();
    let zero = SocketOption::Linger(Some(Duration::ZERO));
    pair.client.set_option(pair.now, socket, zero).unwrap();
    pair.client.close(pair.now, socket).unwrap();
    pair.settle();
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(pair.server.recv(pair.now, child, 1, false), Err(Error::Reset));
    pair.server.close(pair.now, child).unwrap();
    pair.settle();
    assert_eq!(pair.server.connections().len(), 1);
}

#[test]
fn reuse_port_listeners_share_the_connections() {
    let mut pair = Pair::new();
    let listeners: Vec<_> = (0..2)
        .map(|_| {
            let id = pair.server.socket(Domain::V4);
            pair.server.set_option(pair.now, id, SocketOption::ReusePort(true)).unwrap();
            pair.server.bind(id, at(SERVER, 80)).unwrap();
            pair.server.listen(pair.now, id, 64).unwrap();
            id
        })
        .collect();
    for _ in 0..40 {
        pair.begin(80);
    }
    pair.settle();
    let shares: Vec<_> = listeners
        .iter()
        .map(|id| std::iter::from_fn(|| pair.server.accept(pair.now, *id).ok()).count())
        .collect();
    assert_eq!(shares.iter().sum::<usize>(), 40);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[test]
fn options_are_stored_and_ranged_as_on_linux() {
    let mut pair = Pair::new();
    let (host, now) = (&mut pair.client, pair.now);
    let id = host.socket(Domain::V4);
    let get = |host: &Host, name| host.option(id, name);
    assert_eq!(get(host, OptionName::ReceiveBuffer), Ok(SocketOption::ReceiveBuffer(131_072)));
    for (asked, shown) in [(1, 4096), (10_000, 20_000), (u32::MAX, 2 * 6_291_456)] {
        host.set_option(now, id, SocketOption::ReceiveBuffer(asked)).unwrap();
        assert_eq!(get(host, OptionName::ReceiveBuffer), Ok(SocketOption::ReceiveBuffer(shown)));
    }
    assert_eq!(get(host, OptionName::MaxSegment), Ok(SocketOption::MaxSegment(536)));
    for (size, result) in [(87, Err(Error::Invalid)), (88, Ok(())), (40_000, Err(Error::Invalid))] {
        assert_eq!(host.set_option(now, id, SocketOption::MaxSegment(size)), result);
    }
    assert_eq!(get(host, OptionName::MaxSegment), Ok(SocketOption::MaxSegment(88)));
    assert_eq!(host.set_option(now, id, SocketOption::V6Only(true)), Err(Error::NoOption));
    assert_eq!(host.set_option(now, id, SocketOption::KeepCount(0)), Err(Error::Invalid));
    assert_eq!(host.set_option(now, id, SocketOption::KeepCount(127)), Ok(()));
    assert_eq!(host.set_option(now, id, SocketOption::Listens(true)), Err(Error::NoOption));
    let linger = SocketOption::Linger(Some(seconds(3)));
    host.set_option(now, id, linger).unwrap();
    assert_eq!(get(host, OptionName::Linger), Ok(linger));

    let v6 = host.socket(Domain::V6);
    host.set_option(now, v6, SocketOption::V6Only(true)).unwrap();
    assert_eq!(host.bind(v6, at("::ffff:10.7.0.1", 0)), Err(Error::Invalid));
    host.bind(v6, at("::", 80)).unwrap();
    assert_eq!(host.set_option(now, v6, SocketOption::V6Only(false)), Err(Error::Invalid));
    assert_eq!(bind(host, Domain::V4, "0.0.0.0", 80, false), Ok(()));
}

#[test]
fn accepted_sockets_inherit_the_listeners_options() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    pair.server.set_option(pair.now, listener, SocketOption::NoDelay(true)).unwrap();
    pair.server.set_option(pair.now, listener, SocketOption::SendBuffer(10_000)).unwrap();
    let (_, child) = pair.connected(listener);
    assert_eq!(pair.server.option(child, OptionName::NoDelay), Ok(SocketOption::NoDelay(true)));
    assert_eq!(pair.server.queues(child), Ok((0, 0, 10_000)));
    let max_segment = pair.server.option(child, OptionName::MaxSegment);
    assert_eq!(max_segment, Ok(SocketOption::MaxSegment(1448)), "1460 less the timestamps");
}
