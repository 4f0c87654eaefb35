//! Two hosts talk: the handshake, data both ways, every order of closing, and what becomes of the
//! sockets afterwards.

mod host_pair;

use std::time::Duration;

use host_pair::{Pair, SERVER, at, ip, read, seconds};
use tcpstack::host::{Domain, Error, Readiness, Shutdown, SocketOption};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;

#[test]
fn a_connection_opens_by_three_segments_and_each_connect_says_how_far_it_is() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let server = at(SERVER, 80);
    let socket = pair.begin(80);
    assert_eq!(pair.client.connect(pair.now, socket, server), Err(Error::Already));
    assert_eq!(pair.client.state(socket), Ok(State::SynSent));
    assert_eq!(pair.client.peer_addr(socket), Err(Error::NotConnected));
    assert_eq!(pair.client.readiness(socket), Readiness::EMPTY);

    pair.settle();
    assert_eq!(pair.take_flags(), ["> SYN", "< SYN|ACK", "> ACK"]);
    assert_eq!(pair.client.connect(pair.now, socket, server), Ok(()));
    assert_eq!(pair.client.connect(pair.now, socket, server), Err(Error::IsConnected));
    assert_eq!(pair.client.peer_addr(socket), Ok(server));
    assert_eq!(pair.client.readiness(socket), Readiness::OUT);
    assert_eq!(pair.server.readiness(listener), Readiness::IN);

    let (child, peer) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(Ok(peer), pair.client.local_addr(socket));
    assert_eq!(pair.server.local_addr(child), Ok(server));
    assert_eq!(pair.server.readiness(listener), Readiness::EMPTY);
    assert_eq!(pair.server.accept(pair.now, listener), Err(Error::WouldBlock));
    assert_eq!(pair.server.connect(pair.now, child, peer), Err(Error::IsConnected));
}

#[test]
fn data_flows_both_ways_at_once_and_arrives_whole() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    let up: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let down: Vec<u8> = (0..2_000_000u32).map(|n| (n % 241) as u8).collect();
    let (mut sent_up, mut sent_down, mut got_up, mut got_down) = (0, 0, vec![], vec![]);
    while got_up.len() < up.len() || got_down.len() < down.len() {
        sent_up += pair.client.send(pair.now, socket, &up[sent_up..]).unwrap_or(0);
        sent_down += pair.server.send(pair.now, child, &down[sent_down..]).unwrap_or(0);
        pair.settle();
        got_up.extend(read(&mut pair.server, pair.now, child));
        got_down.extend(read(&mut pair.client, pair.now, socket));
        pair.pass(Duration::from_millis(1));
    }
    assert!(got_up == up && got_down == down);
}

#[test]
fn the_first_to_close_stays_in_time_wait_for_two_msl_and_then_nothing_is_left() {
    for client_first in [true, false] {
        let mut pair = Pair::new();
        let listener = pair.listen(80, 8);
        let (socket, child) = pair.connected(listener);
        pair.take_sent();
        if client_first {
            pair.client.close(pair.now, socket).unwrap();
            pair.settle();
            assert!(pair.server.readiness(child).contains(Readiness::RDHUP | Readiness::IN));
            assert_eq!(pair.server.state(child), Ok(State::CloseWait));
            pair.server.close(pair.now, child).unwrap();
        } else {
            pair.server.close(pair.now, child).unwrap();
            pair.settle();
            pair.client.close(pair.now, socket).unwrap();
        }
        pair.pass(Duration::from_millis(500));
        let (first, second) =
            if client_first { (&pair.client, &pair.server) } else { (&pair.server, &pair.client) };
        let states = |host: &tcpstack::host::Host| -> Vec<State> {
            let rows = host.connections();
            rows.iter().map(|row| row.state).filter(|state| *state != State::Listen).collect()
        };
        assert_eq!(states(first), [State::TimeWait]);
        assert_eq!(states(second), []);
        pair.pass(Duration::from_millis(59_400));
        assert_eq!(pair.client.connections().len() + pair.server.connections().len(), 2);
        pair.pass(Duration::from_millis(700));
        assert_eq!(pair.client.connections().len() + pair.server.connections().len(), 1);
    }
}

#[test]
fn both_may_close_at_once_and_both_wait() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    pair.client.close(pair.now, socket).unwrap();
    pair.server.close(pair.now, child).unwrap();
    assert!(pair.client.is_closing(socket) && pair.server.is_closing(child));
    pair.pass(seconds(1));
    assert!(!pair.client.is_closing(socket) && !pair.server.is_closing(child));
    assert_eq!(pair.client.connections()[0].state, State::TimeWait);
    assert!(pair.server.connections().iter().any(|row| row.state == State::TimeWait && row.orphan));
    pair.pass(seconds(61));
    assert!(pair.client.connections().is_empty());
}

#[test]
fn after_half_a_close_data_still_flows_back() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    pair.client.send(pair.now, socket, b"request").unwrap();
    pair.client.shutdown(pair.now, socket, Shutdown::Write).unwrap();
    pair.settle();
    assert_eq!(pair.client.state(socket), Ok(State::FinWait2));
    assert_eq!(pair.client.send(pair.now, socket, b"more"), Err(Error::BrokenPipe));
    assert_eq!(read(&mut pair.server, pair.now, child), b"request");
    assert!(pair.server.recv(pair.now, child, 1, false).unwrap().is_empty(), "end of stream");
    for _ in 0..3 {
        pair.pass(seconds(100));
        pair.server.send(pair.now, child, b"answer").unwrap();
        pair.settle();
        assert_eq!(read(&mut pair.client, pair.now, socket), b"answer");
    }
    pair.server.close(pair.now, child).unwrap();
    pair.settle();
    assert_eq!(pair.client.state(socket), Ok(State::TimeWait));
    assert_eq!(pair.client.peer_addr(socket), Err(Error::NotConnected));
    assert_eq!(pair.client.shutdown(pair.now, socket, Shutdown::Read), Err(Error::NotConnected));
}

#[test]
fn sending_to_a_peer_that_is_gone_is_reset_and_then_a_broken_pipe() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    pair.server.close(pair.now, child).unwrap();
    pair.settle();
    assert_eq!(pair.client.send(pair.now, socket, b"into the void"), Ok(13));
    pair.settle();
    // Linux: the first error is what the RST meant in CLOSE-WAIT.
    let error = pair.client.take_error(socket).unwrap();
    assert!(matches!(error, Some(Error::BrokenPipe | Error::Reset)), "{error:?}");
    assert_eq!(pair.client.send(pair.now, socket, b"again"), Err(Error::BrokenPipe));
}

#[test]
fn closing_with_unread_data_or_linger_zero_resets_the_peer() {
    for linger in [true, false] {
        let mut pair = Pair::new();
        let listener = pair.listen(80, 8);
        let (socket, child) = pair.connected(listener);
        if linger {
            let zero = SocketOption::Linger(Some(Duration::ZERO));
            pair.server.set_option(pair.now, child, zero).unwrap();
        } else {
            pair.client.send(pair.now, socket, b"never read").unwrap();
            pair.settle();
        }
        pair.server.close(pair.now, child).unwrap();
        pair.settle();
        assert!(pair.client.readiness(socket).contains(Readiness::ERR | Readiness::HUP));
        assert_eq!(pair.client.recv(pair.now, socket, 9, false), Err(Error::Reset));
        assert!(pair.client.recv(pair.now, socket, 9, false).unwrap().is_empty());
        assert_eq!(pair.server.connections().len(), 1, "only the listener is left");
    }
}

#[test]
fn a_lost_syn_is_sent_again_after_a_second_and_given_up_after_the_retries() {
    let mut pair = Pair::new();
    pair.listen(80, 8);
    pair.lose = Box::new(|_| true);
    pair.client.set_knob("tcp_syn_retries", "2").unwrap();
    let socket = pair.begin(80);
    let start = pair.now;
    pair.pass(seconds(100));
    let times: Vec<_> =
        pair.take_sent().iter().map(|sent| sent.at.saturating_since(start).as_secs()).collect();
    assert_eq!(times, [0, 1, 3]);
    let server = at(SERVER, 80);
    assert_eq!(pair.client.connect(pair.now, socket, server), Err(Error::TimedOut));
    assert_eq!(pair.client.connect(pair.now, socket, server), Err(Error::InProgress));
}

#[test]
fn an_orphan_in_fin_wait_2_is_forgotten_when_the_peer_never_closes() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, _child) = pair.connected(listener);
    pair.client.close(pair.now, socket).unwrap();
    pair.pass(seconds(59));
    assert_eq!(pair.client.connections()[0].state, State::FinWait2);
    pair.pass(seconds(2));
    assert!(pair.client.connections().is_empty());
}

#[test]
fn a_closed_id_is_dead_for_every_call_though_the_orphan_lives() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, _child) = pair.connected(listener);
    pair.client.close(pair.now, socket).unwrap();
    assert_eq!(pair.client.close(pair.now, socket), Err(Error::BadSocket));
    assert_eq!(pair.client.send(pair.now, socket, b"x"), Err(Error::BadSocket));
    assert_eq!(pair.client.local_addr(socket), Err(Error::BadSocket));
    assert_eq!(pair.client.readiness(socket), Readiness::EMPTY);
    let successor = pair.client.socket(Domain::V4);
    assert_ne!(successor, socket);
}

#[test]
fn a_new_syn_reopens_ends_that_are_in_time_wait() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    let local = pair.client.local_addr(socket).unwrap();
    pair.server.close(pair.now, child).unwrap();
    pair.settle();
    pair.client.close(pair.now, socket).unwrap();
    pair.pass(seconds(1));
    assert!(pair.server.connections().iter().any(|row| row.state == State::TimeWait));

    let again = pair.client.socket(Domain::V4);
    pair.client.bind(again, local).unwrap();
    assert_eq!(pair.client.connect(pair.now, again, at(SERVER, 80)), Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.client.connect(pair.now, again, at(SERVER, 80)), Ok(()));
    assert_eq!(pair.server.accept(pair.now, listener).unwrap().1, local);
    assert!(pair.server.connections().iter().all(|row| row.state != State::TimeWait));
}

#[test]
fn a_host_talks_to_itself_without_a_packet_leaving() {
    for (domain, address) in [
        (Domain::V4, "127.0.0.1"),
        (Domain::V4, SERVER),
        (Domain::V6, "::1"),
        (Domain::V6, "fd00::2"),
    ] {
        let mut pair = Pair::new();
        let (host, now) = (&mut pair.server, pair.now);
        let listener = host.socket(domain);
        host.bind(listener, at(address, 7)).unwrap();
        host.listen(now, listener, 1).unwrap();
        let socket = host.socket(domain);
        assert_eq!(host.connect(now, socket, at(address, 7)), Err(Error::InProgress));
        assert!(host.poll_transmit(now).is_none());
        let (child, peer) = host.accept(now, listener).unwrap();
        assert_eq!(peer.ip(), ip(address));
        let data = vec![7; 80_000];
        assert_eq!(host.send(now, socket, &data), Ok(data.len()));
        assert!(host.poll_transmit(now).is_none());
        assert_eq!(read(host, now, child), data);
        host.check();
    }
}

#[test]
fn an_ipv6_listener_takes_ipv4_peers_by_their_mapped_address() {
    let mut pair = Pair::new();
    let listener = pair.server.socket(Domain::V6);
    pair.server.bind(listener, at("::", 80)).unwrap();
    pair.server.listen(pair.now, listener, 8).unwrap();

    let v4 = pair.begin(80);
    pair.settle();
    let (child, peer) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(peer.ip(), ip("::ffff:10.7.0.1"));
    assert_eq!(pair.server.local_addr(child).unwrap(), at("::ffff:10.7.0.2", 80));
    assert_eq!(pair.client.connect(pair.now, v4, at(SERVER, 80)), Ok(()));

    let v6 = pair.client.socket(Domain::V6);
    let remote = at("fd00::2", 80);
    assert_eq!(pair.client.connect(pair.now, v6, remote), Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.server.accept(pair.now, listener).unwrap().1.ip(), ip("fd00::1"));

    let mapped = pair.client.socket(Domain::V6);
    let remote = at("::ffff:10.7.0.2", 80);
    assert_eq!(pair.client.connect(pair.now, mapped, remote), Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.client.peer_addr(mapped), Ok(remote));
}

#[test]
fn sockets_are_named_for_waking_when_what_they_show_has_changed() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let socket = pair.begin(80);
    pair.settle();
    let woken = |host: &mut tcpstack::host::Host| {
        std::iter::from_fn(|| host.poll_wake()).collect::<Vec<_>>()
    };
    assert!(woken(&mut pair.server).contains(&listener));
    assert!(woken(&mut pair.client).contains(&socket));
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    woken(&mut pair.server);
    pair.client.send(pair.now, socket, b"one").unwrap();
    pair.settle();
    assert_eq!(woken(&mut pair.server), [child]);
    pair.client.send(pair.now, socket, b"two").unwrap();
    pair.settle();
    assert_eq!(woken(&mut pair.server), [child], "more can be read");
    pair.client.close(pair.now, socket).unwrap();
    pair.settle();
    assert_eq!(woken(&mut pair.server), [child], "end of stream");
    assert!(!pair.client.is_closing(socket));
    assert_eq!(woken(&mut pair.client), [socket], "the FIN is acknowledged");
}

#[test]
fn connections_take_turns_so_that_none_waits_for_anothers_whole_buffer() {
    let mut pair = Pair::with(|config| config.knobs.set("tcp_initial_window", "100").unwrap());
    let listener = pair.listen(80, 8);
    let (first, _) = pair.connected(listener);
    let (second, _) = pair.connected(listener);
    for socket in [first, second] {
        pair.client.send(pair.now, socket, &[0; 60_000]).unwrap();
    }
    let ports: Vec<u16> =
        (0..20).map(|_| host_pair::sent_by(&mut pair.client, pair.now).src_port).collect();
    let second_port = pair.client.local_addr(second).unwrap().port();
    assert!(ports.contains(&second_port), "{ports:?}");
}

#[test]
fn a_lost_last_ack_brings_the_fin_again_and_time_wait_answers_it() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    pair.client.close(pair.now, socket).unwrap();
    pair.settle();
    pair.server.close(pair.now, child).unwrap();
    let mut is_first = true;
    pair.lose = Box::new(move |sent| {
        sent.from_client && sent.header.flags == Flags::ACK && std::mem::take(&mut is_first)
    });
    pair.take_sent();
    pair.pass(seconds(5));
    let fins = pair.sent.iter().filter(|s| !s.from_client && s.header.flags.contains(Flags::FIN));
    assert_eq!(fins.count(), 2);
    assert_eq!(pair.server.connections().len(), 1, "the server's end is gone");
    assert_eq!(pair.client.connections()[0].state, State::TimeWait);
}

#[test]
fn a_host_may_move_to_another_thread() {
    fn moves(_: impl Send) {}
    moves(Pair::new().client);
}
