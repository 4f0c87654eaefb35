//! IPv4 on IPv6 sockets (RFC 4291 §2.5.5.2, RFC 3493 §3.7): each answer as a Linux 6.18 socket gives it.

mod host_pair;

use std::net::SocketAddr;

use host_pair::{Pair, at, read};
use tcpstack::host::{Domain, Error, Host, OptionName, SocketId, SocketOption};

/// Where a socket is bound: the family, IPV6_V6ONLY, the address.
type Place = (Domain, bool, &'static str);

const ANY_BOTH: Place = (Domain::V6, false, "::");
const ANY_6: Place = (Domain::V6, true, "::");
const LOOPBACK_6: Place = (Domain::V6, false, "::1");
const MAPPED: Place = (Domain::V6, false, "::ffff:127.0.0.1");
const MAPPED_ANY: Place = (Domain::V6, false, "::ffff:0.0.0.0");
const ANY_4: Place = (Domain::V4, false, "0.0.0.0");
const LOOPBACK_4: Place = (Domain::V4, false, "127.0.0.1");

fn bound(pair: &mut Pair, (domain, v6_only, address): Place, port: u16) -> Result<SocketId, Error> {
    let id = pair.client.socket(domain);
    if v6_only {
        pair.client.set_option(pair.now, id, SocketOption::V6Only(true)).unwrap();
    }
    pair.client.bind(id, at(address, port))?;
    Ok(id)
}

/// A listener of the client's host, for itself.
fn listener(pair: &mut Pair, place: Place) -> SocketId {
    let id = bound(pair, place, 80).unwrap();
    pair.client.listen(pair.now, id, 8).unwrap();
    id
}

/// Connects `id` to port 80 of that address of its own host; what came of it, and both names.
fn connect(pair: &mut Pair, id: SocketId, to: &str) -> Result<(SocketAddr, SocketAddr), Error> {
    match pair.client.connect(pair.now, id, at(to, 80)) {
        Err(Error::InProgress) => {}
        other => other?,
    }
    pair.settle();
    pair.client.connect(pair.now, id, at(to, 80))?;
    Ok((pair.client.local_addr(id)?, pair.client.peer_addr(id)?))
}

#[test]
fn addresses_conflict_where_one_ipv4_or_ipv6_address_belongs_to_both() {
    let all = [ANY_BOTH, ANY_6, LOOPBACK_6, MAPPED, MAPPED_ANY, ANY_4, LOOPBACK_4];
    for listens in [false, true] {
        for first in all {
            for second in all {
                let is_four = |place| [MAPPED, MAPPED_ANY, ANY_4, LOOPBACK_4].contains(&place);
                let is_six = |place| [ANY_6, LOOPBACK_6].contains(&place);
                let disjoint =
                    (is_four(first) && is_six(second)) || (is_six(first) && is_four(second));
                let mut pair = Pair::new();
                let id = bound(&mut pair, first, 80).unwrap();
                if listens {
                    pair.client.listen(pair.now, id, 1).unwrap();
                }
                let after = bound(&mut pair, second, 80).map(drop);
                let expected = if disjoint { Ok(()) } else { Err(Error::AddressInUse) };
                assert_eq!(after, expected, "{first:?} then {second:?}");
            }
        }
    }
}

#[test]
fn a_socket_of_ipv6_only_has_nothing_to_do_with_mapped_addresses() {
    let mut pair = Pair::new();
    assert_eq!(bound(&mut pair, (Domain::V6, true, MAPPED.2), 80).err(), Some(Error::Invalid));
    let id = pair.client.socket(Domain::V6);
    pair.client.set_option(pair.now, id, SocketOption::V6Only(true)).unwrap();
    assert_eq!(connect(&mut pair, id, MAPPED.2).err(), Some(Error::NetUnreachable));
    // It has to be said before bind and connect.
    let id = bound(&mut pair, ANY_BOTH, 90).unwrap();
    let late = pair.client.set_option(pair.now, id, SocketOption::V6Only(true));
    assert_eq!(late, Err(Error::Invalid));
}

#[test]
fn names_of_ipv4_peers_are_mapped_on_ipv6_sockets_alone() {
    let mut pair = Pair::new();
    let listening = listener(&mut pair, ANY_BOTH);
    let four = pair.client.socket(Domain::V4);
    let (_, remote) = connect(&mut pair, four, "127.0.0.1").unwrap();
    assert_eq!(remote, at("127.0.0.1", 80));
    let (child, peer) = pair.client.accept(pair.now, listening).unwrap();
    assert_eq!(peer.ip(), at(MAPPED.2, 0).ip());
    assert_eq!(pair.client.peer_addr(child).unwrap(), peer);
    assert_eq!(pair.client.local_addr(child).unwrap(), at(MAPPED.2, 80));
    let v6_only = pair.client.option(child, OptionName::V6Only);
    assert_eq!(v6_only, Ok(SocketOption::V6Only(false)));
    pair.client.send(pair.now, four, b"across").unwrap();
    pair.settle();
    assert_eq!(read(&mut pair.client, pair.now, child), b"across");

    let six = pair.client.socket(Domain::V6);
    let (local, remote) = connect(&mut pair, six, MAPPED.2).unwrap();
    assert_eq!((local.ip(), remote), (at(MAPPED.2, 0).ip(), at(MAPPED.2, 80)));
}

#[test]
fn every_address_of_a_family_leads_to_its_listener() {
    let name = |host: &Host, id| host.local_addr(id).unwrap().ip().to_string();
    let mut pair = Pair::new();
    let listening = listener(&mut pair, MAPPED_ANY);
    assert_eq!(name(&pair.client, listening), MAPPED_ANY.2);
    let four = pair.client.socket(Domain::V4);
    assert!(connect(&mut pair, four, "127.0.0.1").is_ok());
    let six = pair.client.socket(Domain::V6);
    assert_eq!(connect(&mut pair, six, "::1").err(), Some(Error::Refused));
    // The unspecified address, mapped or not, is this host.
    let six = pair.client.socket(Domain::V6);
    let (_, remote) = connect(&mut pair, six, MAPPED_ANY.2).unwrap();
    assert_eq!(remote, at(MAPPED.2, 80));
    let mut pair = Pair::new();
    listener(&mut pair, ANY_BOTH);
    let six = pair.client.socket(Domain::V6);
    assert_eq!(connect(&mut pair, six, "::").unwrap().1, at("::1", 80));
}

#[test]
fn a_bound_socket_connects_within_its_family_alone() {
    for (place, to, outcome) in [
        (ANY_BOTH, MAPPED.2, Ok(MAPPED.2)),
        (ANY_BOTH, "::1", Ok("::1")),
        (MAPPED, MAPPED.2, Ok(MAPPED.2)),
        (MAPPED_ANY, MAPPED.2, Ok(MAPPED.2)),
        (LOOPBACK_6, MAPPED.2, Err(Error::NetUnreachable)),
        (MAPPED, "::1", Err(Error::AddressFamily)),
        (MAPPED_ANY, "::1", Err(Error::AddressFamily)),
    ] {
        let mut pair = Pair::new();
        listener(&mut pair, ANY_BOTH);
        let id = bound(&mut pair, place, 0).unwrap();
        let after = connect(&mut pair, id, to).map(|(local, _)| local.ip());
        let expected = outcome.map(|address| at(address, 0).ip());
        assert_eq!(after, expected, "{place:?} to {to}");
    }
}
