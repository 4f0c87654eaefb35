//! Requirements of RFC 9293 on the host that the tests about other things do not show.

mod host_pair;

use std::sync::{Arc, Mutex};

use host_pair::{CLIENT, Pair, SERVER, at, ip, segment, sent_by, unverified};
use tcpstack::event::{Event, Kind, Observer, TimerName};
use tcpstack::host::{Config, Domain, Error, Host, SocketOption};
use tcpstack::tcp::State;
use tcpstack::time::Instant;
use tcpstack::wire::tcp::Flags;
use tcpstack::wire::{checksum, ip as ip_wire};

const NOW: Instant = Instant::from_micros(1_000_000);

#[test]
fn a_port_can_be_listened_on_while_a_connection_from_it_is_being_opened() {
    // RFC 9293 §3.9.1.1 (MUST-42).
    let mut pair = Pair::new();
    let (host, now) = (&mut pair.client, pair.now);
    let [connecting, listening] = [0, 1].map(|_| {
        let id = host.socket(Domain::V4);
        host.set_option(now, id, SocketOption::ReuseAddr(true)).unwrap();
        host.bind(id, at(CLIENT, 5000)).unwrap();
        id
    });
    assert_eq!(host.connect(now, connecting, at(SERVER, 80)), Err(Error::InProgress));
    assert_eq!(host.state(connecting), Ok(State::SynSent));
    assert_eq!(host.listen(now, listening, 1), Ok(()));
}

#[test]
fn a_connection_speaks_from_the_address_that_it_was_opened_at() {
    // RFC 9293 §3.9.1.1 (MUST-45), whichever of its addresses the host would choose by itself.
    let addresses = [ip(SERVER), ip("10.7.0.9")];
    let mut host = Host::new(Config::new(addresses, 1), None);
    let listener = host.socket(Domain::V4);
    host.bind(listener, at("0.0.0.0", 80)).unwrap();
    host.listen(NOW, listener, 1).unwrap();
    for address in [SERVER, "10.7.0.9"] {
        let (from, to) = (at(CLIENT, 4000), at(address, 80));
        host.handle_frame(NOW, segment(from, to, Flags::SYN, 100, 0, b""));
        let syn_ack = host.poll_transmit(NOW).unwrap().to_bytes();
        assert_eq!(ip_wire::Header::parse(&syn_ack).unwrap().src, ip(address));
        let iss = u32::from_be_bytes(syn_ack[24..28].try_into().unwrap());
        host.handle_frame(NOW, segment(from, to, Flags::ACK, 101, iss + 1, b""));
        let (child, _) = host.accept(NOW, listener).unwrap();
        host.send(NOW, child, b"text").unwrap();
        let data = host.poll_transmit(NOW).unwrap().to_bytes();
        assert_eq!(ip_wire::Header::parse(&data).unwrap().src, ip(address));
    }
}

#[test]
fn segments_have_the_time_to_live_of_the_knob() {
    // RFC 9293 §3.9.2 (MUST-49).
    for ttl in ["1", "64", "255"] {
        let mut pair = Pair::with(|config| config.knobs.set("ip_default_ttl", ttl).unwrap());
        pair.begin(80);
        let syn = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
        assert_eq!(syn[8].to_string(), ttl);
    }
}

#[test]
fn source_quench_changes_nothing() {
    // RFC 9293 §3.9.2.2 (MUST-55); RFC 5927 §6.2.
    let mut pair = Pair::new();
    let listener = pair.listen(80, 8);
    let (socket, _) = pair.connected(listener);
    pair.client.send(pair.now, socket, &[0; 100_000]).unwrap();
    let data = pair.client.poll_transmit(pair.now).unwrap().to_bytes();
    let mut message = [&[4, 0, 0, 0, 0, 0, 0, 0], &data[..28]].concat();
    let sum = checksum::finish(checksum::sum(&message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = ip_wire::Header {
        payload_len: message.len(),
        ..ip_wire::Header::new(ip("10.7.0.254"), ip(CLIENT), ip_wire::PROTOCOL_ICMP, 64, 0)
    };
    let mut packet = smallvec::SmallVec::new();
    header.emit(&mut packet);
    let before = pair.client.counters().get("icmp_ignored").unwrap();
    let quench = unverified([packet.as_slice(), &message].concat());
    pair.client.handle_frame(pair.now, quench);
    assert_eq!(pair.client.counters().get("icmp_ignored"), Some(before + 1));
    let rest = std::iter::from_fn(|| pair.client.poll_transmit(pair.now)).count();
    assert!(rest >= 9, "the initial window goes on: {rest}");
}

#[test]
fn a_connection_that_takes_over_from_time_wait_begins_beyond_the_old_numbers() {
    // RFC 9293 §3.6.1 (MAY-2): whatever the clock of the ISN says meanwhile.
    let mut host = Host::new(Config::new([ip(SERVER)], 1), None);
    let listener = host.socket(Domain::V4);
    host.bind(listener, at(SERVER, 80)).unwrap();
    host.listen(NOW, listener, 8).unwrap();
    let (from, to) = (at(CLIENT, 4000), at(SERVER, 80));
    host.handle_frame(NOW, segment(from, to, Flags::SYN, 100, 0, b""));
    let first = sent_by(&mut host, NOW).seq;
    host.handle_frame(NOW, segment(from, to, Flags::ACK, 101, first.wrapping_add(1), b""));
    let (child, _) = host.accept(NOW, listener).unwrap();
    // No time passes, so the clock alone would begin where the old connection began.
    host.send(NOW, child, b"some text").unwrap();
    host.close(NOW, child).unwrap();
    while host.poll_transmit(NOW).is_some() {}
    let end = first.wrapping_add(11);
    host.handle_frame(NOW, segment(from, to, Flags::FIN | Flags::ACK, 101, end, b""));
    while host.poll_transmit(NOW).is_some() {}
    assert_eq!(host.connections().last().unwrap().state, State::TimeWait);
    host.handle_frame(NOW, segment(from, to, Flags::SYN, 5000, 0, b""));
    let second = sent_by(&mut host, NOW);
    assert_eq!((second.flags, second.ack), (Flags::SYN | Flags::ACK, 5001));
    let ahead = second.seq.wrapping_sub(end);
    assert!(ahead < 1 << 31, "{ahead} ahead of the largest number that was used");
}

/// The timers that fired, as an observer hears of them.
#[derive(Clone, Default)]
struct Fired(Arc<Mutex<Vec<TimerName>>>);

impl Observer for Fired {
    fn event(&mut self, event: &Event) {
        if let Kind::TimerFired { timer } = event.kind {
            self.0.lock().unwrap().push(timer);
        }
    }
}

#[test]
fn who_listens_hears_of_each_retransmission_timeout() {
    // RFC 9293 §3.8.3 (SHLD-9); nobody else does (§3.9.1.8, SHLD-20).
    let fired = Fired::default();
    let mut host = Host::new(Config::new([ip(CLIENT)], 1), Some(Box::new(fired.clone())));
    let id = host.socket(Domain::V4);
    host.connect(NOW, id, at(SERVER, 80)).unwrap_err();
    let mut now = NOW;
    for _ in 0..4 {
        while host.poll_transmit(now).is_some() {}
        now = host.next_deadline().unwrap();
        host.handle_timers(now);
    }
    assert_eq!(*fired.0.lock().unwrap(), [TimerName::Retransmission; 4]);
    assert_eq!(host.take_error(id), Ok(None));
}
