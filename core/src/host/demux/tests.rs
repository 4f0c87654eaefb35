use std::sync::Arc;

use super::super::Knobs;
use super::super::options::Options;
use super::super::output::context;
use super::super::path::Path;
use super::super::socket::{Domain, Kind, Owner, Socket};
use super::*;
use crate::blocks::Blocks;
use crate::event::{ConnectionName, EventLog};
use crate::tcp::Connection;
use crate::tcp::isn::Origin;
use crate::time::Instant;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn id(slot: u32) -> SocketId {
    SocketId { slot, generation: 1 }
}

fn demux() -> Demux {
    Demux::new(KeyedHash::new((1, 2)))
}

#[test]
fn the_narrowest_listener_gets_the_segment() {
    let mut demux = demux();
    let tuple = FourTuple { local: at("10.0.0.1:80"), remote: at("10.0.0.2:4000") };
    let places = [("[::]:80", false), ("0.0.0.0:80", false), ("10.0.0.1:80", false)];
    for (slot, (local, v6_only)) in places.into_iter().enumerate() {
        demux.insert_listener(Place::of(at(local), v6_only), id(slot as u32));
        assert_eq!(demux.listener(&tuple), Some(id(slot as u32)));
    }
    let other = FourTuple { local: at("10.0.0.1:81"), ..tuple };
    assert_eq!(demux.listener(&other), None);
    demux.remove_listener(Place::of(at("10.0.0.1:80"), false), id(2));
    assert_eq!(demux.listener(&tuple), Some(id(1)));
}

#[test]
fn an_ipv6_only_listener_leaves_ipv4_alone() {
    let mut demux = demux();
    demux.insert_listener(Place::of(at("[::]:80"), true), id(1));
    let v4 = FourTuple { local: at("10.0.0.1:80"), remote: at("10.0.0.2:4000") };
    let v6 = FourTuple { local: at("[fd00::1]:80"), remote: at("[fd00::2]:4000") };
    assert_eq!((demux.listener(&v4), demux.listener(&v6)), (None, Some(id(1))));
}

/// A socket whose connection has these ends.
fn connected(sockets: &mut Sockets, tuple: FourTuple) -> SocketId {
    let (knobs, mut log) = (Knobs::default(), EventLog::off());
    let mut blocks = Blocks::default();
    let mut cx = context(&knobs, &mut log, &mut blocks, Path::default(), Instant::ZERO);
    let name = ConnectionName { id: 1, local: tuple.local, remote: Some(tuple.remote) };
    let options = Arc::new(Options::new(&knobs));
    let origin = Origin { iss: 1, ts_offset: 0 };
    let connection = Connection::connect(&mut cx, name, origin, options.settings());
    let mut socket = Socket::new(Domain::V4, Owner::Application, 1, options);
    socket.kind = Kind::Connection(Box::new(connection));
    sockets.insert(socket)
}

#[test]
fn two_ends_belong_to_one_connection_and_only_it_can_give_them_up() {
    let (mut demux, mut sockets) = (demux(), Sockets::default());
    for ends in [("10.0.0.1:80", "10.0.0.2:4000"), ("[fd00::1]:80", "[fd00::2]:4000")] {
        let tuple = FourTuple { local: at(ends.0), remote: at(ends.1) };
        let (first, second) = (connected(&mut sockets, tuple), connected(&mut sockets, tuple));
        assert!(demux.insert_connection(tuple, first, &sockets));
        assert!(!demux.insert_connection(tuple, second, &sockets));
        demux.remove_connection(&tuple, second);
        assert_eq!(demux.connection(&tuple, &sockets), Some(first));
        let other = FourTuple { local: at("10.0.0.1:81"), ..tuple };
        assert_eq!(demux.connection(&other, &sockets), None);
        demux.remove_connection(&tuple, first);
        assert_eq!(demux.connection(&tuple, &sockets), None);
    }
}

#[test]
fn segments_are_routed_to_whoever_has_the_ends_now() {
    let (mut demux, mut sockets) = (demux(), Sockets::default());
    let tuple = |port| FourTuple {
        local: at("10.0.0.1:80"),
        remote: SocketAddr::new("10.0.0.2".parse().unwrap(), port),
    };
    let (old, new) = (connected(&mut sockets, tuple(1)), connected(&mut sockets, tuple(1)));
    let other = connected(&mut sockets, tuple(2));
    assert_eq!(demux.route(&tuple(1), &sockets), None);
    demux.insert_connection(tuple(1), old, &sockets);
    demux.insert_connection(tuple(2), other, &sockets);
    for _ in 0..2 {
        assert_eq!(demux.route(&tuple(1), &sockets), Some(old));
        assert_eq!(demux.route(&tuple(2), &sockets), Some(other));
        assert_eq!(demux.route(&tuple(3), &sockets), None);
        assert_eq!(demux.route(&tuple(1), &sockets), Some(old));
    }
    // It still knows its ends, as one that the application holds on to in CLOSED does.
    demux.remove_connection(&tuple(1), old);
    assert_eq!(demux.route(&tuple(1), &sockets), None);
    demux.insert_connection(tuple(1), new, &sockets);
    assert_eq!(demux.route(&tuple(1), &sockets), Some(new));
    sockets.remove(new);
    assert_eq!(demux.route(&tuple(1), &sockets), None, "nobody is there");
}

#[test]
fn each_of_many_connections_is_found_as_the_table_grows() {
    let (mut demux, mut sockets) = (demux(), Sockets::default());
    let tuples = (1..=5000).map(|port| FourTuple {
        local: at("10.0.0.1:80"),
        remote: SocketAddr::new("10.0.0.2".parse().unwrap(), port),
    });
    let ids: Vec<_> = tuples
        .map(|tuple| {
            let id = connected(&mut sockets, tuple);
            assert!(demux.insert_connection(tuple, id, &sockets));
            (tuple, id)
        })
        .collect();
    for (tuple, id) in ids {
        assert_eq!(demux.connection(&tuple, &sockets), Some(id));
    }
}

#[test]
fn each_peer_stays_with_its_listener_of_a_group() {
    let mut demux = demux();
    let place = Place::of(at("10.0.0.1:80"), false);
    for slot in 0..4 {
        demux.insert_listener(place, id(slot));
    }
    let mut shares = [0; 4];
    for port in 1..=1000 {
        let tuple = FourTuple {
            local: at("10.0.0.1:80"),
            remote: SocketAddr::new("10.0.0.2".parse().unwrap(), port),
        };
        let chosen = demux.listener(&tuple).unwrap();
        assert_eq!(demux.listener(&tuple), Some(chosen));
        shares[chosen.slot as usize] += 1;
    }
    assert!(shares.iter().all(|share| (150..350).contains(share)), "{shares:?}");
}
