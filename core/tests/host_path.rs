//! What a socket asks of IP, and what it learns of the path to its peer.

mod host_pair;

use std::time::Duration;

use host_pair::{CLIENT, Pair, SERVER, at, ip, read, seconds, segment, unverified};
use tcpstack::host::{Domain, Error, Host, MtuDiscover, OptionName, SocketId, SocketOption};
use tcpstack::wire::icmp_report::Report;
use tcpstack::wire::ip::Header;
use tcpstack::wire::tcp::Flags;
use tcpstack::wire::{Problem, ProblemKind};

/// Two hosts whose segments bear no options: they are as long as the numbers below say.
fn plain_pair() -> Pair {
    Pair::with(|config| config.knobs.set("tcp_timestamps", "0").unwrap())
}

fn count(host: &Host, name: &str) -> u64 {
    host.counters().get(name).unwrap()
}

fn set(pair: &mut Pair, id: SocketId, option: SocketOption) {
    pair.client.set_option(pair.now, id, option).unwrap();
}

fn segment_size(host: &Host, id: SocketId) -> u16 {
    match host.option(id, OptionName::MaxSegment) {
        Ok(SocketOption::MaxSegment(size)) => size,
        other => panic!("{other:?}"),
    }
}

/// The next packet of the client, and its IP header.
fn client_packet(pair: &mut Pair) -> (Header, Vec<u8>) {
    let packet = pair.client.poll_transmit(pair.now).expect("the client has something to send");
    let bytes = packet.to_bytes();
    (Header::parse(&bytes).unwrap(), bytes)
}

/// The same, when the next timer has fired.
fn client_packet_after(pair: &mut Pair, duration: Duration) -> (Header, Vec<u8>) {
    pair.now += duration;
    pair.client.handle_timers(pair.now);
    client_packet(pair)
}

/// The message of a router between the hosts that `packet` is larger than the `mtu` of the next link.
fn too_big(packet: &[u8], mtu: u32) -> Vec<u8> {
    let header = Header::parse(packet).unwrap();
    let (router, kind, code) = match header.src.is_ipv4() {
        true => (ip("10.7.9.9"), 3, 4),
        false => (ip("fd00::99"), 2, 0),
    };
    // A report of another kind; its type, code and word are changed, and its checksum with them.
    let problem = Problem { kind: ProblemKind::ErroneousField, pointer: 0 };
    let mut report = Report::Problem(problem).to_packet(router, header.src, packet);
    let start = Header::parse(&report).unwrap().header_len;
    (report[start], report[start + 1]) = (kind, code);
    report[start + 4..start + 8].copy_from_slice(&mtu.to_be_bytes());
    report[start + 2..start + 4].fill(0);
    let mut sum = tcpstack::wire::checksum::sum(&report[start..]);
    if header.src.is_ipv6() {
        let len = report.len() - start;
        let pseudo = tcpstack::wire::checksum::pseudo_header(router, header.src, 58, len);
        sum = tcpstack::wire::checksum::concat(sum, 0, pseudo);
    }
    let field = tcpstack::wire::checksum::finish(sum);
    report[start + 2..start + 4].copy_from_slice(&field.to_be_bytes());
    report
}

// RFC 9293 §3.9.1.9 (MUST-48, SHLD-21, SHLD-22), §3.9.2 (MUST-49).
#[test]
fn dscp_and_ttl_are_the_applications_to_choose_before_and_after_connect() {
    let mut pair = plain_pair();
    pair.listen(80, 8);
    let id = pair.client.socket(Domain::V4);
    set(&mut pair, id, SocketOption::TypeOfService(0xbb));
    set(&mut pair, id, SocketOption::TimeToLive(Some(9)));
    pair.client.connect(pair.now, id, at(SERVER, 80)).unwrap_err();
    let (syn, bytes) = client_packet(&mut pair);
    // The ECN bits are not the application's.
    assert_eq!((syn.traffic_class & 0xfc, syn.ttl), (0xb8, 9));
    pair.server.handle_frame(pair.now, unverified(bytes));
    pair.settle();
    set(&mut pair, id, SocketOption::TypeOfService(0x28));
    set(&mut pair, id, SocketOption::TimeToLive(None));
    pair.client.send(pair.now, id, b"data").unwrap();
    let (data, _) = client_packet(&mut pair);
    assert_eq!((data.traffic_class & 0xfc, data.ttl), (0x28, 64));
    let ttl = pair.client.option(id, OptionName::TimeToLive);
    assert_eq!(ttl, Ok(SocketOption::TimeToLive(Some(64))));
}

#[test]
fn accepted_connections_inherit_what_the_listener_asks_of_ip() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    for option in [SocketOption::TypeOfService(0x48), SocketOption::TimeToLive(Some(7))] {
        pair.server.set_option(pair.now, listener, option).unwrap();
    }
    let (_, child) = pair.connected(listener);
    let class = pair.server.option(child, OptionName::TypeOfService);
    assert_eq!(class, Ok(SocketOption::TypeOfService(0x48)));
    pair.server.send(pair.now, child, b"data").unwrap();
    let bytes = pair.server.poll_transmit(pair.now).unwrap().to_bytes();
    let header = Header::parse(&bytes).unwrap();
    assert_eq!((header.traffic_class & 0xfc, header.ttl), (0x48, 7));
}

#[test]
fn accepted_connections_reflect_the_dscp_of_the_syn_if_the_knob_says_so() {
    for (reflects, class) in [("0", 0), ("1", 0x48)] {
        let mut pair = Pair::with(|config| config.knobs.set("tcp_reflect_tos", reflects).unwrap());
        let listener = pair.listen(80, 8);
        let id = pair.client.socket(Domain::V4);
        set(&mut pair, id, SocketOption::TypeOfService(0x48));
        pair.client.connect(pair.now, id, at(SERVER, 80)).unwrap_err();
        pair.settle();
        let (child, _) = pair.server.accept(pair.now, listener).unwrap();
        let reflected = pair.server.option(child, OptionName::TypeOfService);
        assert_eq!(reflected, Ok(SocketOption::TypeOfService(class)));
    }
}

// RFC 5082 §3.
#[test]
fn packets_from_too_far_away_are_dropped_if_the_socket_says_so() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    let near = SocketOption::MinTimeToLive(64);
    pair.server.set_option(pair.now, listener, near).unwrap();
    let (socket, child) = pair.connected(listener);
    set(&mut pair, socket, SocketOption::TimeToLive(Some(63)));
    pair.client.send(pair.now, socket, b"far").unwrap();
    pair.settle();
    assert!(pair.server.recv(pair.now, child, 10, false).is_err());
    assert_eq!(count(&pair.server, "min_hop_limit"), 1);
    // So is a SYN, and what an ICMP error from there says.
    let far = pair.client.socket(Domain::V4);
    set(&mut pair, far, SocketOption::TimeToLive(Some(63)));
    pair.client.connect(pair.now, far, at(SERVER, 80)).unwrap_err();
    pair.settle();
    assert_eq!(count(&pair.server, "min_hop_limit"), 2);
    let (_, data) = client_packet_after(&mut pair, seconds(1));
    set(&mut pair, socket, SocketOption::MinTimeToLive(65));
    pair.client.handle_frame(pair.now, unverified(too_big(&data, 1000)));
    assert_eq!(count(&pair.client, "min_hop_limit"), 1);
}

// RFC 6864 §4.3: packets that routers may cut are numbered, all others need no number.
#[test]
fn routers_may_cut_the_packets_of_a_socket_that_does_not_discover_the_mtu() {
    let mut pair = Pair::with(|config| {
        config.gso_max = 60_000;
        config.knobs.set("tcp_timestamps", "0").unwrap();
    });
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    pair.client.send(pair.now, socket, b"x").unwrap();
    let (header, bytes) = client_packet(&mut pair);
    assert_eq!(header.identification, None);
    pair.server.handle_frame(pair.now, unverified(bytes));
    pair.pass(seconds(2));
    set(&mut pair, socket, SocketOption::MtuDiscover(MtuDiscover::Dont));
    let data = vec![1; 10 * 1460];
    pair.client.send(pair.now, socket, &data).unwrap();
    let mut numbers = Vec::new();
    while let Some(packet) = pair.client.poll_transmit(pair.now) {
        packet.segments(|mut segment| {
            segment.complete_checksum();
            let bytes = segment.to_bytes();
            numbers.push(Header::parse(&bytes).unwrap().identification.unwrap());
            pair.server.handle_frame(pair.now, unverified(bytes));
        });
    }
    assert_eq!(numbers.len(), 10);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    pair.settle();
    assert_eq!(read(&mut pair.server, pair.now, child).len(), 1 + data.len());
}

// RFC 1191 §3, §6.4.
#[test]
fn a_narrower_path_is_narrower_for_every_connection_and_resent_is_what_was_too_big() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    let (quoted, _) = pair.connected(listener);
    let (other, _) = pair.connected(listener);
    let data = vec![5; 3 * 1460];
    pair.client.send(pair.now, quoted, &data).unwrap();
    let first = client_packet(&mut pair).1;
    while pair.client.poll_transmit(pair.now).is_some() {}
    pair.client.send(pair.now, other, &data).unwrap();
    let others_first = client_packet(&mut pair).1;
    while pair.client.poll_transmit(pair.now).is_some() {}

    pair.client.handle_frame(pair.now, unverified(too_big(&first, 1000)));
    assert_eq!([quoted, other].map(|id| segment_size(&pair.client, id)), [960, 960]);
    assert_eq!(pair.client.option(other, OptionName::Mtu), Ok(SocketOption::Mtu(1000)));
    // Nothing says that what the other one sent was lost.
    let resent = client_packet(&mut pair).0;
    assert_eq!(resent.payload_len, 20 + 960);
    let ports: Vec<u16> = std::iter::from_fn(|| pair.client.poll_transmit(pair.now))
        .map(|packet| u16::from_be_bytes(packet.to_bytes()[20..22].try_into().unwrap()))
        .collect();
    let quoted_port = pair.client.local_addr(quoted).unwrap().port();
    assert!(ports.iter().all(|port| *port == quoted_port), "{ports:?} are not all {quoted_port}");
    // Until a router says so: once.
    pair.client.handle_frame(pair.now, unverified(too_big(&others_first, 1000)));
    assert_eq!(client_packet(&mut pair).0.payload_len, 20 + 960);
    while pair.client.poll_transmit(pair.now).is_some() {}
    pair.client.handle_frame(pair.now, unverified(too_big(&others_first, 1000)));
    assert!(pair.client.poll_transmit(pair.now).is_none());
    pair.pass(seconds(5));
    let (next, _) = pair.connected(listener);
    assert_eq!(segment_size(&pair.client, next), 960);
}

// RFC 1191 §6.3: ten minutes after the last message larger packets are tried again.
#[test]
fn larger_segments_are_tried_again_after_ten_minutes() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    let (socket, _) = pair.connected(listener);
    let data = vec![5; 1460];
    let mut lengths = Vec::new();
    for wait in [0, 590, 10] {
        pair.pass(seconds(wait));
        pair.client.send(pair.now, socket, &data).unwrap();
        let (header, bytes) = client_packet(&mut pair);
        lengths.push(header.payload_len - 20);
        if wait == 0 {
            pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 1000)));
        } else {
            pair.server.handle_frame(pair.now, unverified(bytes));
        }
        pair.settle();
    }
    assert_eq!(lengths, [1460, 960, 1460]);
}

// RFC 1191 §3 and Linux: below the floor packets may be cut instead.
#[test]
fn below_the_floor_routers_may_cut_the_packets() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    let (socket, _) = pair.connected(listener);
    pair.client.send(pair.now, socket, &[5; 1460]).unwrap();
    let (header, bytes) = client_packet(&mut pair);
    assert_eq!(header.identification, None);
    pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 68)));
    let (header, _) = client_packet(&mut pair);
    assert_eq!(header.payload_len, 552 - 20);
    assert!(header.identification.is_some());
}

#[test]
fn a_socket_that_does_not_believe_routers_sends_as_large_as_the_device_takes() {
    let mut pair = plain_pair();
    let listener = pair.listen(80, 8);
    let (socket, _) = pair.connected(listener);
    set(&mut pair, socket, SocketOption::MtuDiscover(MtuDiscover::Probe));
    pair.client.send(pair.now, socket, &[5; 1460]).unwrap();
    let (_, bytes) = client_packet(&mut pair);
    pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 1000)));
    assert_eq!(count(&pair.client, "icmp_ignored"), 1);
    assert_eq!(segment_size(&pair.client, socket), 1460);
    set(&mut pair, socket, SocketOption::MtuDiscover(MtuDiscover::Do));
    pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 1000)));
    assert_eq!(segment_size(&pair.client, socket), 960);
    // It may change its mind, whatever was learned meanwhile.
    set(&mut pair, socket, SocketOption::MtuDiscover(MtuDiscover::Interface));
    assert_eq!(segment_size(&pair.client, socket), 1460);
}

// RFC 8201 §4.
#[test]
fn an_ipv6_path_is_never_narrower_than_1280_bytes() {
    let mut pair = plain_pair();
    let listener = pair.server.socket(Domain::V6);
    pair.server.bind(listener, at("fd00::2", 80)).unwrap();
    pair.server.listen(pair.now, listener, 8).unwrap();
    let id = pair.client.socket(Domain::V6);
    pair.client.connect(pair.now, id, at("fd00::2", 80)).unwrap_err();
    pair.settle();
    pair.client.send(pair.now, id, &[5; 5000]).unwrap();
    let (_, bytes) = client_packet(&mut pair);
    assert_eq!(segment_size(&pair.client, id), 1440);
    pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 1279)));
    assert_eq!(count(&pair.client, "icmp_unbelieved"), 1);
    assert_eq!(segment_size(&pair.client, id), 1440);
    pair.client.handle_frame(pair.now, unverified(too_big(&bytes, 1300)));
    assert_eq!(segment_size(&pair.client, id), 1240);
    assert_eq!(client_packet(&mut pair).0.payload_len, 20 + 1240);
}

// RFC 9293 §3.9.2.3 (MUST-57, MUST-63), §3.9.1.1 (MUST-46); RFC 1122 §3.2.1.3.
#[test]
fn groups_and_whole_links_neither_open_connections_nor_are_connected_to() {
    let mut pair = Pair::with(|config| config.addresses[0].1 = 24);
    pair.listen(80, 8);
    for (from, to, counter) in [
        (CLIENT, "10.7.0.255", "not_for_us"),
        (CLIENT, "255.255.255.255", "not_for_us"),
        (CLIENT, "224.0.0.1", "not_for_us"),
        ("10.7.0.255", SERVER, "bad_source"),
        ("0.0.0.9", SERVER, "bad_source"),
        ("127.0.0.1", SERVER, "bad_source"),
        (SERVER, SERVER, "bad_source"),
    ] {
        let before = count(&pair.server, counter);
        let syn = segment(at(from, 4000), at(to, 80), Flags::SYN, 1, 0, b"");
        pair.server.handle_frame(pair.now, syn);
        assert_eq!(count(&pair.server, counter), before + 1, "{from} to {to}");
        assert!(pair.server.poll_transmit(pair.now).is_none(), "{from} to {to}");
    }
    for group in ["10.7.0.255", "255.255.255.255", "224.0.0.1"] {
        let id = pair.client.socket(Domain::V4);
        let refused = pair.client.connect(pair.now, id, at(group, 80));
        assert_eq!(refused, Err(Error::NetUnreachable), "{group}");
    }
}

/// What setsockopt and then getsockopt say, with an int.
fn set_and_shown(domain: Domain, level: i32, number: i32, value: i32) -> Result<i32, Error> {
    let mut pair = plain_pair();
    let id = pair.client.socket(domain);
    let option = SocketOption::decode(level, number, &value.to_ne_bytes())?;
    pair.client.set_option(pair.now, id, option)?;
    let shown = pair.client.option(id, option.name())?.encode(4);
    Ok(i32::from_ne_bytes(shown.as_slice().try_into().unwrap()))
}

// Each line as a Linux 6.18 socket answers it.
#[test]
fn the_numbers_of_ip_options_are_taken_and_shown_as_on_linux() {
    let cases = [
        (libc::IPPROTO_IP, libc::IP_TOS, 255, Ok(252)),
        (libc::IPPROTO_IP, libc::IP_TOS, 3, Ok(0)),
        (libc::IPPROTO_IP, libc::IP_TOS, 272, Ok(16)),
        (libc::IPPROTO_IP, libc::IP_TOS, -1, Ok(252)),
        (libc::IPPROTO_IP, libc::IP_TTL, 0, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_TTL, 255, Ok(255)),
        (libc::IPPROTO_IP, libc::IP_TTL, 256, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_TTL, -1, Ok(64)),
        (libc::IPPROTO_IP, libc::IP_TTL, -2, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_MINTTL, 255, Ok(255)),
        (libc::IPPROTO_IP, libc::IP_MINTTL, -1, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, 5, Ok(5)),
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, 6, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, -1, Err(Error::Invalid)),
        (libc::IPPROTO_IP, libc::IP_MTU, 1000, Err(Error::NoOption)),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 255, Ok(252)),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 256, Err(Error::Invalid)),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, -1, Ok(0)),
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 0, Ok(0)),
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, -1, Ok(64)),
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 256, Err(Error::Invalid)),
        (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, 256, Err(Error::Invalid)),
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, 5, Ok(5)),
    ];
    for (level, number, value, shown) in cases {
        let after = set_and_shown(Domain::V6, level, number, value);
        assert_eq!(after, shown, "level {level} number {number} value {value}");
    }
    let mut pair = plain_pair();
    let id = pair.client.socket(Domain::V4);
    assert_eq!(pair.client.option(id, OptionName::Mtu), Err(Error::NotConnected));
    assert_eq!(pair.client.option(id, OptionName::TrafficClass), Err(Error::NotSupported));
    let class = SocketOption::TrafficClass(4);
    assert_eq!(pair.client.set_option(pair.now, id, class), Err(Error::NoOption));
}
