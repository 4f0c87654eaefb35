//! How connections end when the application has let go of them: dissolved by connect(AF_UNSPEC),
//! orphaned, in TIME-WAIT, and how many of those there may be.

mod host_pair;

use host_pair::{Pair, SERVER, at, read, seconds};
use tcpstack::host::{Domain, Error, Readiness, SocketOption};
use tcpstack::tcp::State;

#[test]
fn a_dissolved_connection_is_reset_and_its_socket_connects_again() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 4);
    let (client, server) = pair.connected(listener);
    pair.take_sent();
    pair.client.dissolve(pair.now, client).unwrap();
    assert_eq!(pair.client.state(client), Ok(State::Closed));
    assert_eq!(pair.client.peer_addr(client), Err(Error::NotConnected));
    pair.settle();
    assert_eq!(pair.take_flags(), ["> RST|ACK"]);
    assert_eq!(pair.server.take_error(server), Ok(Some(Error::Reset)));
    assert!(pair.client.connections().is_empty(), "nothing of it is left");

    let again = pair.client.connect(pair.now, client, at(SERVER, 80));
    assert_eq!(again, Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.client.state(client), Ok(State::Established));
}

#[test]
fn a_dissolved_socket_keeps_the_address_that_bind_gave_it() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 4);
    let client = pair.client.socket(Domain::V4);
    pair.client.bind(client, at("0.0.0.0", 4000)).unwrap();
    let connect = pair.client.connect(pair.now, client, at(SERVER, 80));
    assert_eq!(connect, Err(Error::InProgress));
    pair.settle();
    pair.server.accept(pair.now, listener).unwrap();
    pair.client.dissolve(pair.now, client).unwrap();
    assert_eq!(pair.client.local_addr(client), Ok(at("0.0.0.0", 4000)));
    pair.settle();
    let connect = pair.client.connect(pair.now, client, at(SERVER, 80));
    assert_eq!(connect, Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.client.state(client), Ok(State::Established));
}

#[test]
fn dissolving_what_is_no_connection_is_no_error() {
    let mut pair = Pair::new();
    let idle = pair.client.socket(Domain::V4);
    assert_eq!(pair.client.dissolve(pair.now, idle), Ok(()));
    let listener = pair.listen(80, 4);
    pair.server.dissolve(pair.now, listener).unwrap();
    assert_eq!(pair.server.state(listener), Ok(State::Closed));
    let refused = pair.begin(80);
    pair.settle();
    assert_eq!(pair.client.take_error(refused), Ok(Some(Error::Refused)));
}

#[test]
fn dissolving_does_not_cut_time_wait_short() {
    // MUST-13: 2 MSL are kept for the pair of ends, whatever becomes of the socket.
    let mut pair = Pair::new();
    let listener = pair.listen(80, 4);
    let (client, server) = pair.connected(listener);
    pair.client.shutdown(pair.now, client, tcpstack::host::Shutdown::Write).unwrap();
    pair.settle();
    pair.server.close(pair.now, server).unwrap();
    pair.settle();
    assert_eq!(pair.client.state(client), Ok(State::TimeWait));
    pair.client.dissolve(pair.now, client).unwrap();
    pair.settle();
    let states: Vec<_> = pair.client.connections().iter().map(|row| row.state).collect();
    assert_eq!(states, [State::TimeWait]);
    pair.pass(seconds(60));
    assert!(pair.client.connections().is_empty());
    pair.client.check();
}

#[test]
fn one_orphan_too_many_is_reset_at_once() {
    let mut pair = Pair::with(|config| config.knobs.set("tcp_max_orphans", "1").unwrap());
    let listener = pair.listen(80, 4);
    let (first, _held) = pair.connected(listener);
    let (second, other) = pair.connected(listener);
    // Both servers hold their ends open: the clients' FINs leave orphans in FIN-WAIT-2.
    pair.client.close(pair.now, first).unwrap();
    pair.settle();
    pair.take_sent();
    pair.client.close(pair.now, second).unwrap();
    pair.settle();
    assert_eq!(pair.take_flags(), ["> RST|ACK"]);
    assert_eq!(pair.server.take_error(other), Ok(Some(Error::Reset)));
    assert_eq!(pair.client.counters().get("orphans_aborted"), Some(1));
    assert_eq!(pair.client.connections().len(), 1);
}

#[test]
fn one_time_wait_too_many_is_forgotten_at_once() {
    let mut pair = Pair::with(|config| config.knobs.set("tcp_max_tw_buckets", "1").unwrap());
    let listener = pair.listen(80, 4);
    for _ in 0..3 {
        let (client, server) = pair.connected(listener);
        pair.client.close(pair.now, client).unwrap();
        pair.settle();
        pair.server.close(pair.now, server).unwrap();
        pair.settle();
    }
    let states: Vec<_> = pair.client.connections().iter().map(|row| row.state).collect();
    assert_eq!(states, [State::TimeWait]);
    assert_eq!(pair.client.counters().get("time_wait_overflow"), Some(2));
    pair.client.check();
}

/// A client with one port to connect from, whose last connection is in TIME-WAIT.
fn with_one_port(tw_reuse: &str) -> Pair {
    let mut pair = Pair::with(|config| {
        config.knobs.set("ip_local_port_range", "4000 4000").unwrap();
        config.knobs.set("tcp_tw_reuse", tw_reuse).unwrap();
    });
    let listener = pair.listen(80, 4);
    let (client, server) = pair.connected(listener);
    pair.client.send(pair.now, client, &[7; 50_000]).unwrap();
    pair.settle();
    pair.client.close(pair.now, client).unwrap();
    pair.settle();
    assert_eq!(read(&mut pair.server, pair.now, server).len(), 50_000);
    pair.server.close(pair.now, server).unwrap();
    pair.settle();
    pair
}

#[test]
fn an_active_open_takes_over_from_time_wait_after_a_second() {
    // RFC 9293 §3.6.1 (SHLD-4).
    // RFC 6191 §2: timestamps tell the old connection's segments from the new one's.
    let mut pair = with_one_port("1");
    let old_end = pair.take_sent().iter().map(|sent| sent.header.seq).max().unwrap();
    let socket = pair.client.socket(Domain::V4);
    let connect = pair.client.connect(pair.now, socket, at(SERVER, 80));
    assert_eq!(connect, Err(Error::AddressNotAvailable), "the second is not over");
    pair.pass(seconds(2));
    let connect = pair.client.connect(pair.now, socket, at(SERVER, 80));
    assert_eq!(connect, Err(Error::InProgress));
    pair.settle();
    assert_eq!(pair.client.state(socket), Ok(State::Established));
    let iss = pair.take_sent()[0].header.seq;
    assert!(iss.wrapping_sub(old_end) as i32 > 0, "its numbers lie beyond the old ones");
    pair.client.check();
}

#[test]
fn time_wait_of_other_hosts_is_kept_unless_the_knob_says_otherwise() {
    // MUST-13
    for tw_reuse in ["0", "2"] {
        let mut pair = with_one_port(tw_reuse);
        pair.pass(seconds(59));
        let socket = pair.client.socket(Domain::V4);
        let connect = pair.client.connect(pair.now, socket, at(SERVER, 80));
        assert_eq!(connect, Err(Error::AddressNotAvailable));
    }
}

#[test]
fn listeners_that_share_a_port_share_its_connections() {
    let mut pair = Pair::new();
    let mut listeners = Vec::new();
    for _ in 0..4 {
        let id = pair.server.socket(Domain::V4);
        pair.server.set_option(pair.now, id, SocketOption::ReusePort(true)).unwrap();
        pair.server.bind(id, at("0.0.0.0", 80)).unwrap();
        pair.server.listen(pair.now, id, 200).unwrap();
        listeners.push(id);
    }
    for _ in 0..200 {
        pair.begin(80);
    }
    pair.settle();
    for listener in listeners {
        let mut accepted = 0;
        while pair.server.readiness(listener).contains(Readiness::IN) {
            let (id, _) = pair.server.accept(pair.now, listener).unwrap();
            assert_eq!(read(&mut pair.server, pair.now, id), b"");
            accepted += 1;
        }
        assert!((25..=75).contains(&accepted), "one of four listeners got {accepted} of 200");
    }
}
