//! Packets made by hand, good and bad: what a host answers, drops and counts.

mod host_pair;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use host_pair::{CLIENT, Pair, SERVER, at, ip, segment, sent_by, unverified};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tcpstack::event::{Event, Kind, Observer, Reason};
use tcpstack::host::{Config, Domain, Error, Host, OptionName, SocketOption};
use tcpstack::tcp::State;
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Verification};
use tcpstack::wire::tcp::Flags;
use tcpstack::wire::{checksum, ip as ip_wire};

const NOW: Instant = Instant::from_micros(1_000_000);

/// A host with a listener on port 80.
fn server() -> Host {
    let mut host = Host::new(Config::new([ip(SERVER), ip("fd00::2")], 3), None);
    let id = host.socket(Domain::V6);
    host.bind(id, at("::", 80)).unwrap();
    host.listen(NOW, id, 16).unwrap();
    host
}

fn count(host: &Host, name: &str) -> u64 {
    host.counters().get(name).unwrap()
}

/// An ICMPv4 message from `from` to the client, with its checksum.
fn icmp(from: &str, to: &str, mut message: Vec<u8>) -> Vec<u8> {
    message[2..4].fill(0);
    let sum = checksum::finish(checksum::sum(&message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = ip_wire::Header {
        payload_len: message.len(),
        ..ip_wire::Header::new(ip(from), ip(to), ip_wire::PROTOCOL_ICMP, 64, 0)
    };
    let mut packet = smallvec::SmallVec::new();
    header.emit(&mut packet);
    [packet.as_slice(), &message].concat()
}

/// An ICMP error of that type and code, with `rest` in its second word, about `packet`.
fn icmp_error(kind: u8, code: u8, rest: u32, packet: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend(rest.to_be_bytes());
    message.extend(&packet[..28]);
    icmp("10.7.0.254", CLIENT, message)
}

#[test]
fn segments_that_nobody_wants_are_reset_with_the_numbers_of_the_rfc() {
    let mut host = server();
    let (from, to) = (at(CLIENT, 4000), at(SERVER, 9));
    host.handle_frame(NOW, segment(from, to, Flags::SYN, 100, 0, b""));
    let reset = sent_by(&mut host, NOW);
    assert_eq!((reset.flags, reset.seq, reset.ack), (Flags::RST | Flags::ACK, 0, 101));
    host.handle_frame(NOW, segment(from, to, Flags::ACK, 100, 700, b"text"));
    let reset = sent_by(&mut host, NOW);
    assert_eq!((reset.flags, reset.seq), (Flags::RST, 700));
    host.handle_frame(NOW, segment(from, to, Flags::RST, 100, 0, b""));
    assert!(host.poll_transmit(NOW).is_none());
    // To a listener: an ACK is reset, a RST ignored.
    host.handle_frame(NOW, segment(from, at(SERVER, 80), Flags::ACK, 100, 900, b""));
    assert_eq!(sent_by(&mut host, NOW).seq, 900);
    host.handle_frame(NOW, segment(from, at(SERVER, 80), Flags::RST, 100, 0, b""));
    assert!(host.poll_transmit(NOW).is_none());
    assert_eq!((count(&host, "tcp_no_socket"), count(&host, "resets_sent")), (3, 3));
    assert_eq!(count(&host, "listen_ignored"), 1);
}

#[test]
fn what_cannot_be_used_is_dropped_and_counted_by_its_reason() {
    // RFC 9293 §3.1 (MUST-3); RFC 9293 §3.9.2.3 (MUST-57, MUST-63).
    let mut host = server();
    let (from, to) = (at(CLIENT, 4000), at(SERVER, 80));
    let syn = || segment(from, to, Flags::SYN, 1, 0, b"").front.to_vec();
    let edited = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = syn();
        edit(&mut bytes);
        bytes
    };
    let addressed = |from: &str, to: &str| {
        segment(at(from, 4000), at(to, 80), Flags::SYN, 1, 0, b"").front.to_vec()
    };
    let cases: [(&str, Vec<u8>); 11] = [
        ("ip_truncated", vec![]),
        ("ip_truncated", syn()[..30].to_vec()),
        ("ip_version", edited(&|bytes| bytes[0] = 0x55)),
        ("ip_checksum", edited(&|bytes| bytes[8] ^= 1)),
        ("tcp_checksum", edited(&|bytes| bytes[25] ^= 1)),
        ("not_for_us", addressed(CLIENT, "10.7.0.3")),
        ("not_for_us", addressed(CLIENT, "127.0.0.1")),
        ("bad_source", addressed("127.0.0.1", SERVER)),
        ("bad_source", addressed(SERVER, SERVER)),
        ("bad_source", addressed("224.0.0.1", SERVER)),
        ("tcp_port_zero", segment(at(CLIENT, 0), to, Flags::SYN, 1, 0, b"").front.to_vec()),
    ];
    for (counter, packet) in cases {
        let before = count(&host, counter);
        host.handle_frame(NOW, unverified(packet));
        assert_eq!(count(&host, counter), before + 1, "{counter}");
        assert!(host.poll_transmit(NOW).is_none(), "{counter}");
    }
    assert_eq!(host.connections().len(), 1);
}

/// RFC 9293 §3.1 (MUST-3): the checksum covers the whole segment, wherever its pieces lie in memory.
#[test]
fn a_segment_in_pieces_is_verified_and_read_like_one_in_one_piece() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 1);
    let (client, server) = pair.connected(listener);
    let mut expected = Vec::new();
    for (front, middle) in [(52, 1), (52, 499), (60, 501), (52, 999)] {
        let text: Vec<u8> = (0..1000).map(|at| (at % 251) as u8).collect();
        pair.client.send(pair.now, client, &text).unwrap();
        let packet = Bytes::from(pair.client.poll_transmit(pair.now).unwrap().to_bytes());
        let pieces = |packet: &Bytes| Frame {
            rest: [packet.slice(front..front + middle), packet.slice(front + middle..)]
                .into_iter()
                .collect(),
            ..Frame::new(packet.slice(..front), Verification::Unverified, 0)
        };
        let before = count(&pair.server, "tcp_checksum");
        for damaged in [52, 700, packet.len() - 1] {
            let mut wrong = packet.to_vec();
            wrong[damaged] ^= 1;
            pair.server.handle_frame(pair.now, pieces(&wrong.into()));
        }
        assert_eq!(count(&pair.server, "tcp_checksum") - before, 3);
        // Bytes behind the packet's end are not its own.
        let padded = Bytes::from([&packet[..], b"padding"].concat());
        pair.server.handle_frame(pair.now, pieces(&padded));
        pair.settle();
        expected.extend(text);
    }
    assert_eq!(host_pair::read(&mut pair.server, pair.now, server), expected);
}

#[test]
fn a_hundred_thousand_random_and_damaged_packets_do_no_harm() {
    let mut random = ChaCha8Rng::seed_from_u64(20_240_229);
    let mut host = server();
    let mut answers = 0u64;
    for round in 0..100_000u32 {
        let packet = hostile(&mut random);
        let frame = match round % 4 {
            // A device that vouches for a checksum does not make the rest of the packet true.
            0 => {
                let gso_size = random.next_u32() as u16;
                Frame::new(packet.into(), Verification::Verified, gso_size)
            }
            // In pieces, wherever they are cut.
            1 => {
                let cuts = [(); 2].map(|()| random.next_u32() as usize % (packet.len() + 1));
                let (front, rest) = packet.split_at(cuts[0].min(cuts[1]));
                let (middle, end) = rest.split_at(cuts[0].abs_diff(cuts[1]));
                let rest = [middle, end].map(Bytes::copy_from_slice).into_iter().collect();
                Frame { rest, ..unverified(front.to_vec()) }
            }
            _ => unverified(packet),
        };
        let now = NOW + std::time::Duration::from_micros(u64::from(round) * 50);
        host.handle_frame(now, frame);
        while host.next_deadline().is_some_and(|deadline| deadline <= now) {
            host.handle_timers(now);
            while host.poll_transmit(now).is_some() {}
        }
        if round % 7 == 0 {
            answers += std::iter::from_fn(|| host.poll_transmit(now)).count() as u64;
        }
        if round % 1000 == 0 {
            host.check();
        }
    }
    let received = count(&host, "packets_received");
    assert_eq!(received, 100_000);
    for name in ["ip_truncated", "ip_version", "tcp_checksum", "tcp_no_socket", "not_for_us"] {
        assert!(count(&host, name) > 0, "{name} was never counted");
    }
    assert!(answers > 0);
    assert!(host.connections().len() < 40, "the queues of the listener are bounded");
}

/// Noise, or a segment to the host that was truncated, damaged, or right but senseless.
fn hostile(random: &mut ChaCha8Rng) -> Vec<u8> {
    let kind = random.next_u32() % 4;
    if kind == 0 {
        let mut noise = vec![0; random.next_u32() as usize % 120];
        random.fill_bytes(&mut noise);
        return noise;
    }
    let port = if random.next_u32().is_multiple_of(2) { 80 } else { random.next_u32() as u16 };
    let (from, to) = if random.next_u32().is_multiple_of(2) {
        (at(CLIENT, 1 + random.next_u32() as u16 % 50), at(SERVER, port))
    } else {
        (at("fd00::1", 1 + random.next_u32() as u16 % 50), at("fd00::2", port))
    };
    let flags = Flags((random.next_u32() as u16) & 0x1ff);
    let text = vec![1; random.next_u32() as usize % 64];
    let (seq, ack) = (random.next_u32() % 5000, random.next_u32());
    let mut packet = segment(from, to, flags, seq, ack, &text).front.to_vec();
    match kind {
        1 => packet.truncate(random.next_u32() as usize % packet.len()),
        2 => {
            for _ in 0..1 + random.next_u32() % 4 {
                let at = random.next_u32() as usize % packet.len();
                packet[at] = random.next_u32() as u8;
            }
        }
        _ => {}
    }
    packet
}

#[test]
fn a_ping_is_answered_from_the_address_that_was_asked() {
    let mut host = server();
    let request = icmp(CLIENT, SERVER, vec![8, 0, 0, 0, 1, 2, 3, 4, b'd', b'a', b't', b'a']);
    host.handle_frame(NOW, unverified(request));
    let reply = host.poll_transmit(NOW).unwrap().to_bytes();
    let header = ip_wire::Header::parse(&reply).unwrap();
    assert_eq!((header.src, header.dst), (ip(SERVER), ip(CLIENT)));
    assert_eq!(reply[20], 0);
    assert_eq!(&reply[24..], [1, 2, 3, 4, b'd', b'a', b't', b'a']);
    assert_eq!(count(&host, "echo_replies"), 1);
}

#[test]
fn replies_that_nobody_fetches_are_bounded() {
    let mut host = server();
    for _ in 0..300 {
        let request = icmp(CLIENT, SERVER, vec![8, 0, 0, 0, 1, 2, 3, 4]);
        host.handle_frame(NOW, unverified(request));
    }
    assert_eq!(std::iter::from_fn(|| host.poll_transmit(NOW)).count(), 256);
    assert_eq!(count(&host, "replies_dropped"), 44);
}

#[test]
fn an_icmp_error_about_the_syn_ends_the_attempt_with_its_errno() {
    // RFC 9293 §3.9.2.2 (MUST-54, SHLD-26).
    for (code, error) in [
        (0, Error::NetUnreachable),
        (1, Error::HostUnreachable),
        (2, Error::NoOption),
        (3, Error::Refused),
        (13, Error::HostUnreachable),
    ] {
        let mut pair = Pair::new();
        let id = pair.begin(80);
        let syn = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
        let frame = unverified(icmp_error(3, code, 0, &syn));
        pair.client.handle_frame(pair.now, frame);
        assert_eq!(pair.client.connect(pair.now, id, at(SERVER, 80)), Err(error));
    }
}

#[test]
fn an_icmp_error_that_quotes_nothing_in_flight_is_not_believed() {
    // RFC 9293 §3.9.2.2 (MUST-54); RFC 5927 §4.1.
    let mut pair = Pair::new();
    let id = pair.begin(80);
    let mut syn = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
    syn[24] ^= 0x80; // the sequence number
    pair.client.handle_frame(pair.now, unverified(icmp_error(3, 3, 0, &syn)));
    syn[24] ^= 0x80;
    syn[20] ^= 0x01; // the source port
    pair.client.handle_frame(pair.now, unverified(icmp_error(3, 3, 0, &syn)));
    assert_eq!(count(&pair.client, "icmp_unbelieved"), 2);
    assert_eq!(pair.client.state(id), Ok(State::SynSent));
}

#[test]
fn a_hard_error_does_not_end_an_established_connection() {
    // RFC 9293 §3.9.2.2 (SHLD-26); RFC 5927 §5.2.
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, _) = pair.connected(listener);
    pair.client.send(pair.now, socket, b"data").unwrap();
    let data = pair.client.poll_transmit(pair.now).unwrap();
    let frame = unverified(icmp_error(3, 3, 0, &data.to_bytes()));
    pair.client.handle_frame(pair.now, frame);
    assert_eq!(count(&pair.client, "icmp_errors"), 1);
    assert_eq!(pair.client.state(socket), Ok(State::Established));
}

#[test]
fn a_packet_too_big_makes_this_and_the_next_connection_send_smaller_ones() {
    // RFC 1191 §4, §6.2, §6.4; RFC 8201 §5.2, §5.4.
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, child) = pair.connected(listener);
    let size = |pair: &Pair, id| match pair.client.option(id, OptionName::MaxSegment) {
        Ok(SocketOption::MaxSegment(size)) => size,
        other => panic!("{other:?}"),
    };
    assert_eq!(size(&pair, socket), 1448);
    let data = vec![5; 30_000];
    pair.client.send(pair.now, socket, &data).unwrap();
    let packet = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
    pair.client.handle_frame(pair.now, unverified(icmp_error(3, 4, 1000, &packet)));
    assert_eq!(size(&pair, socket), 948, "1000 less 52 of headers");
    pair.pass(host_pair::seconds(5));
    assert_eq!(host_pair::read(&mut pair.server, pair.now, child), data);
    let (next, _) = pair.connected(listener);
    assert_eq!(size(&pair, next), 948, "1000 less 52 of headers");
    // Never below the floor, never upward.
    pair.client.send(pair.now, next, b"x").unwrap();
    let packet = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
    pair.client.handle_frame(pair.now, unverified(icmp_error(3, 4, 68, &packet)));
    assert_eq!(size(&pair, next), 552 - 52);
    pair.client.handle_frame(pair.now, unverified(icmp_error(3, 4, 1400, &packet)));
    assert_eq!(size(&pair, next), 552 - 52);
}

#[test]
fn a_syn_flood_fills_bounded_memory_and_harms_nobody_else() {
    let mut host = server();
    for port in 1..20_000 {
        let syn = segment(at(CLIENT, port), at(SERVER, 80), Flags::SYN, 9, 0, b"");
        host.handle_frame(NOW, syn);
        while host.poll_transmit(NOW).is_some() {}
    }
    assert_eq!(host.connections().len(), 1 + 16);
    assert_eq!(count(&host, "syn_cookies_sent"), 20_000 - 1 - 16);
    host.check();
}

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<Event>>>);

impl Observer for Story {
    fn event(&mut self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn events_tell_of_calls_listeners_resets_and_drops_with_their_causes() {
    let story = Story::default();
    let config = Config::new([ip(SERVER)], 3);
    let mut host = Host::new(config, Some(Box::new(story.clone())));
    let id = host.socket(Domain::V4);
    let call = host.call_entered(NOW, Some(id), "listen", "16".into(), None);
    host.listen(NOW, id, 16).unwrap();
    host.call_returned(NOW, Some(id), call, "listen", "0".into());
    host.handle_frame(NOW, segment(at(CLIENT, 4000), at(SERVER, 9), Flags::SYN, 1, 0, b""));
    host.handle_frame(NOW, unverified(vec![]));

    let events = story.0.lock().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| &event.kind).collect();
    assert!(matches!(kinds[0], Kind::CallEntered { call: 1, .. }));
    let listens = Kind::StateChanged { from: State::Closed, to: State::Listen };
    assert_eq!(*kinds[1], listens);
    assert_eq!(events[1].cause, Some(0));
    assert!(matches!(kinds[2], Kind::CallReturned { call: 1, .. }));
    assert_eq!(events[2].cause, Some(0));
    assert!(matches!(kinds[3], Kind::SegmentReceived(syn) if syn.flags == "SYN"));
    assert_eq!(events[3].cause, None);
    assert!(matches!(kinds[4], Kind::SegmentSent(reset) if reset.ack == 2));
    assert_eq!((events[4].cause, events[4].reason), (Some(3), Some(Reason::NoSuchConnection)));
    assert!(matches!(kinds[5], Kind::PacketDropped { counter, .. } if counter == "ip_truncated"));
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| &*event.host == SERVER));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let story = Story::default();
        let mut client = Host::new(Config::new([ip(CLIENT)], seed), Some(Box::new(story.clone())));
        let mut server = server();
        let id = client.socket(Domain::V4);
        client.connect(NOW, id, at(SERVER, 80)).unwrap_err();
        for _ in 0..10 {
            while let Some(packet) = client.poll_transmit(NOW) {
                server.handle_frame(NOW, packet.into_frame());
            }
            while let Some(packet) = server.poll_transmit(NOW) {
                client.handle_frame(NOW, packet.into_frame());
            }
        }
        let events = story.0.lock().unwrap();
        events.clone()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
