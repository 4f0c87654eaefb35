//! What the network does to packets on their way to a host: cut into fragments, dressed in options and
//! extension headers, sent from or to addresses that cannot be.

mod host_pair;

use std::time::Duration;

use host_pair::{CLIENT, SERVER, at, ip, segment, sent_by, unverified};
use tcpstack::host::{Config, Domain, Host};
use tcpstack::time::Instant;
use tcpstack::wire::tcp::Flags;
use tcpstack::wire::{checksum, ip as ip_wire};

const NOW: Instant = Instant::from_micros(1_000_000);

/// A host with a listener on port 80, after `change`.
fn server_with(change: impl FnOnce(&mut Config)) -> Host {
    let mut config = Config::new([ip(SERVER), ip("fd00::2")], 3);
    change(&mut config);
    let mut host = Host::new(config, None);
    let id = host.socket(Domain::V6);
    host.bind(id, at("::", 80)).unwrap();
    host.listen(NOW, id, 16).unwrap();
    host
}

fn server() -> Host {
    server_with(|_| {})
}

fn count(host: &Host, name: &str) -> u64 {
    host.counters().get(name).unwrap()
}

/// Takes in a packet that nobody vouches for.
fn arrives(host: &mut Host, packet: &[u8]) {
    host.handle_frame(NOW, unverified(packet.to_vec()));
    host.check();
}

/// A SYN to the listener, with 12 bytes of text so that there is something to cut.
fn syn(v6: bool) -> Vec<u8> {
    let (from, to) = if v6 { ("fd00::1", "fd00::2") } else { (CLIENT, SERVER) };
    segment(at(from, 4000), at(to, 80), Flags::SYN, 100, 0, b"twelve bytes").front.to_vec()
}

/// The part of a packet's payload from `start` to `end`, as a router or sender would cut it.
fn cut(packet: &[u8], id: u8, start: usize, end: usize) -> Vec<u8> {
    let header = ip_wire::Header::parse(packet).unwrap();
    let payload = &packet[header.header_len..][start..end];
    let more = end < header.payload_len;
    if header.src.is_ipv6() {
        let mut part = packet[..40].to_vec();
        part[4..6].copy_from_slice(&(8 + payload.len() as u16).to_be_bytes());
        part[6] = 44;
        part.extend([header.protocol, 0]);
        part.extend((start as u16 | u16::from(more)).to_be_bytes());
        part.extend([0, 0, 0, id]);
        return [&part, payload].concat();
    }
    let mut part = packet[..20].to_vec();
    part[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    part[4..6].copy_from_slice(&[0, id]);
    part[6..8].copy_from_slice(&((start / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
    mend(&mut part);
    [&part, payload].concat()
}

/// Makes an IPv4 header's checksum right.
fn mend(packet: &mut [u8]) {
    let len = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let sum = checksum::finish(checksum::sum(&packet[..len]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// Type, code and second word of the one ICMP message that the host sends, and what it quotes.
fn icmp_sent(host: &mut Host, now: Instant) -> (u8, u8, u32, Vec<u8>) {
    let packet = host.poll_transmit(now).expect("the host has a report to send").to_bytes();
    let header = ip_wire::Header::parse(&packet).unwrap();
    assert!([ip_wire::PROTOCOL_ICMP, ip_wire::PROTOCOL_ICMPV6].contains(&header.protocol));
    let message = &packet[header.header_len..];
    let word = u32::from_be_bytes(message[4..8].try_into().unwrap());
    (message[0], message[1], word, message[8..].to_vec())
}

// RFC 791 §3.2, RFC 1122 §3.3.2, RFC 8200 §4.5; RFC 9293 §3.7.1 (MUST-67): a segment larger than any
// link is reassembled below TCP.
#[test]
fn a_syn_that_comes_in_parts_in_any_order_is_answered() {
    for v6 in [false, true] {
        let (whole, mut host) = (syn(v6), server());
        for (start, end) in [(24, 32), (0, 24)] {
            assert!(host.poll_transmit(NOW).is_none());
            arrives(&mut host, &cut(&whole, 9, start, end));
        }
        let answer = sent_by(&mut host, NOW);
        assert_eq!((answer.flags, answer.ack), (Flags::SYN | Flags::ACK, 101));
        assert_eq!((count(&host, "ip_fragments"), count(&host, "ip_reassembled")), (2, 1));
    }
}

#[test]
fn parts_of_different_packets_and_hosts_do_not_mix() {
    let mut host = server();
    let whole = syn(false);
    arrives(&mut host, &cut(&whole, 9, 0, 24));
    arrives(&mut host, &cut(&whole, 8, 24, 32));
    let other = segment(at("10.7.0.9", 4000), at(SERVER, 80), Flags::SYN, 100, 0, b"twelve bytes");
    arrives(&mut host, &cut(&other.front, 9, 24, 32));
    assert!(host.poll_transmit(NOW).is_none());
    assert_eq!((count(&host, "ip_fragments"), count(&host, "ip_reassembled")), (3, 0));
}

#[test]
fn a_reassembled_packet_is_verified_even_if_the_device_vouches_for_its_parts() {
    let mut host = server();
    let mut whole = syn(false);
    whole[45] ^= 1;
    for (start, end) in [(0, 24), (24, 32)] {
        let mut frame = unverified(cut(&whole, 9, start, end));
        frame.verification = tcpstack::wire::packet::Verification::Verified;
        host.handle_frame(NOW, frame);
    }
    assert_eq!((count(&host, "ip_reassembled"), count(&host, "tcp_checksum")), (1, 1));
}

#[test]
fn parts_that_overlap_make_no_packet() {
    for v6 in [false, true] {
        let (whole, mut host) = (syn(v6), server());
        for (start, end) in [(0, 24), (16, 32), (24, 32)] {
            arrives(&mut host, &cut(&whole, 9, start, end));
        }
        assert!(host.poll_transmit(NOW).is_none());
        assert_eq!((count(&host, "ip_fragment_overlap"), count(&host, "ip_fragment")), (1, 1));
    }
}

// RFC 1122 §3.3.2, RFC 8200 §4.5.
#[test]
fn parts_have_their_time_and_the_sender_is_told_when_it_is_over() {
    for (v6, seconds, report) in [(false, 30, (11, 1)), (true, 60, (3, 1))] {
        let (whole, mut host) = (syn(v6), server());
        let first = cut(&whole, 9, 0, 24);
        arrives(&mut host, &first);
        let over = NOW + Duration::from_secs(seconds);
        assert_eq!(host.next_deadline(), Some(over));
        host.handle_timers(over - Duration::from_nanos(1));
        assert!(host.poll_transmit(over).is_none());
        host.handle_timers(over);
        let (kind, code, word, quoted) = icmp_sent(&mut host, over);
        assert_eq!((kind, code, word, quoted), (report.0, report.1, 0, first));
        assert_eq!((host.next_deadline(), count(&host, "ip_reassembly_timeout")), (None, 1));
        // Without the first part there is nothing that the sender could know again.
        arrives(&mut host, &cut(&whole, 9, 24, 32));
        let over = host.next_deadline().unwrap();
        host.handle_timers(over);
        assert!(host.poll_transmit(over).is_none());
        assert_eq!(count(&host, "ip_reassembly_timeout"), 2);
    }
}

#[test]
fn the_knobs_bound_the_time_and_the_memory_of_parts() {
    let mut host = server_with(|config| {
        config.knobs.set("ipfrag_time", "3").unwrap();
        config.knobs.set("ipfrag_high_thresh", "1000").unwrap();
    });
    let whole = syn(false);
    for id in 1..=10 {
        arrives(&mut host, &cut(&whole, id, 0, 24));
    }
    assert_eq!(host.next_deadline(), Some(NOW + Duration::from_secs(3)));
    assert_eq!(count(&host, "ip_reassembly_memory"), 8);
    host.set_knob("ipfrag_high_thresh", "0").unwrap();
    arrives(&mut host, &cut(&whole, 99, 0, 24));
    assert_eq!(count(&host, "ip_reassembly_memory"), 11);
}

/// An IPv6 packet with an extension header of type `next` before the TCP segment.
fn extended(next: u8, extension: &[u8]) -> Vec<u8> {
    let mut packet = syn(true);
    packet[6] = next;
    let len = (packet.len() - 40 + extension.len()) as u16;
    packet[4..6].copy_from_slice(&len.to_be_bytes());
    packet.splice(40..40, extension.iter().copied());
    packet
}

// RFC 8200 §4.
#[test]
fn ipv6_extension_headers_are_stepped_over_or_the_sender_is_told() {
    let padding = [6, 0, 1, 4, 0, 0, 0, 0];
    let atomic_fragment = [6, 0, 0, 0, 0, 0, 0, 1]; // RFC 6946
    for (next, extension) in [(0, padding), (60, padding), (44, atomic_fragment)] {
        let mut host = server();
        arrives(&mut host, &extended(next, &extension));
        assert_eq!(sent_by(&mut host, NOW).flags, Flags::SYN | Flags::ACK);
    }
    let route = [6, 0, 0, 1, 0, 0, 0, 0]; // RFC 5095: a route of type 0 that has not ended
    let unknown_option = [6, 0, 0x9e, 4, 0, 0, 0, 0];
    for (next, extension, code, pointer) in
        [(43, route, 0, 42), (60, unknown_option, 2, 42), (200, padding, 1, 6)]
    {
        let mut host = server();
        let packet = extended(next, &extension);
        arrives(&mut host, &packet);
        assert_eq!(icmp_sent(&mut host, NOW), (4, code, pointer, packet));
        assert!(host.poll_transmit(NOW).is_none());
        assert_eq!(count(&host, "icmp_reports"), 1);
    }
    let silent_option = [6, 0, 0x5e, 4, 0, 0, 0, 0];
    let nothing_follows = [59, 0, 1, 4, 0, 0, 0, 0];
    for extension in [silent_option, nothing_follows] {
        let mut host = server();
        arrives(&mut host, &extended(60, &extension));
        assert!(host.poll_transmit(NOW).is_none());
    }
}

// RFC 1122 §3.2.2.1.
#[test]
fn the_sender_of_a_transport_that_nobody_speaks_is_told() {
    let mut host = server();
    let mut datagram = syn(false);
    datagram[9] = 17;
    mend(&mut datagram);
    arrives(&mut host, &datagram);
    assert_eq!(icmp_sent(&mut host, NOW), (3, 2, 0, datagram));
    assert_eq!(count(&host, "unknown_protocol"), 1);
}

// RFC 1122 §3.2.2, RFC 4443 §2.4 (e) and (f).
#[test]
fn reports_are_few_and_never_about_an_error_or_to_nobody() {
    let mut host = server();
    let mut datagram = syn(false);
    datagram[9] = 17;
    mend(&mut datagram);
    for _ in 0..80 {
        arrives(&mut host, &datagram);
    }
    assert_eq!((count(&host, "icmp_reports"), count(&host, "icmp_rate_limited")), (50, 30));

    let mut host = server();
    let from_group = segment(at("ff02::1", 4000), at("fd00::2", 80), Flags::SYN, 1, 0, b"");
    let to_another = segment(at("fd00::1", 4000), at("fd00::9", 80), Flags::SYN, 1, 0, b"");
    for packet in [from_group, to_another] {
        let mut packet = packet.front.to_vec();
        packet[6] = 200;
        arrives(&mut host, &packet);
    }
    // An ICMP error of which only the first part comes.
    let mut error = syn(false);
    error[9] = ip_wire::PROTOCOL_ICMP;
    error[20] = 3;
    mend(&mut error);
    arrives(&mut host, &cut(&error, 9, 0, 24));
    host.handle_timers(NOW + Duration::from_secs(30));
    assert!(host.poll_transmit(NOW).is_none());
    assert_eq!((count(&host, "icmp_reports"), count(&host, "ip_reassembly_timeout")), (0, 1));
}
