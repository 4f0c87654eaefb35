//! Every kind of capture that is read: byte orders, clocks, links, IP headers; and what of a capture
//! is not shown, said with the first packet concerned.

use std::net::SocketAddr;

use tcpstack::event::{Event, Kind, SegmentRecord};
use tcpstack::wire::packet::Transmit;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;
use tcpstack::wire::{checksum, ip};
use tcpstack_lab::capture::{self, CaptureError};
use tcpstack_lab::run::{Origin, Run};

const CLIENT: &str = "10.9.0.1:40000";
const SERVER: &str = "10.9.0.2:80";
const RAW: u32 = 101;

/// An IP packet with a TCP segment.
fn packet(from: &str, to: &str, header: Header, payload: &'static [u8]) -> Vec<u8> {
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let ip = ip::Header::new(from.ip(), to.ip(), ip::PROTOCOL_TCP, 64, 0);
    let header = Header { src_port: from.port(), dst_port: to.port(), window: 1000, ..header };
    let payload = [bytes::Bytes::from_static(payload)].into_iter().collect();
    Transmit::tcp(ip, &header, payload, 0, None).to_bytes()
}

fn header(flags: Flags, seq: u32, ack: u32) -> Header {
    Header { seq, ack, flags, ..Header::default() }
}

fn data(seq: u32, payload: &'static [u8]) -> Vec<u8> {
    packet(CLIENT, SERVER, header(Flags::ACK, seq, 1), payload)
}

/// A pcap file, little-endian: seconds and fractions, and the kept packets, each whole.
fn pcap(magic: u32, link: u32, packets: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [magic, 4 << 16 | 2, 0, 0, 65_535, link] {
        file.extend(word.to_le_bytes());
    }
    for (seconds, fraction, packet) in packets {
        let len = packet.len() as u32;
        for word in [*seconds, *fraction, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

fn run(file: &[u8]) -> Run {
    capture::run("file", file).unwrap()
}

fn of(link: u32, packets: Vec<Vec<u8>>) -> Run {
    let packets: Vec<_> = packets.into_iter().map(|packet| (7, 0, packet)).collect();
    run(&pcap(MICROSECONDS, link, &packets))
}

fn segments(run: &Run) -> Vec<SegmentRecord> {
    let segment = |event: &Event| match &event.kind {
        Kind::SegmentSent(segment) => segment.clone(),
        other => panic!("an onlooker sees segments alone, not {other:?}"),
    };
    run.events.iter().map(segment).collect()
}

/// The remarks in one text.
fn said(run: &Run) -> String {
    let Origin::Captured { remarks, .. } = &run.origin else { panic!("a capture expected") };
    remarks.iter().map(|remark| format!("{}\n", remark.en)).collect()
}

#[test]
fn times_count_microseconds_or_nanoseconds_as_the_file_says() {
    let packets = [(7, 1, data(1, b"a")), (8, 3, data(2, b"b"))];
    let apart = |magic| run(&pcap(magic, RAW, &packets)).events[1].time_ns;
    assert_eq!(apart(MICROSECONDS), 1_000_002_000);
    assert_eq!(apart(NANOSECONDS), 1_000_000_002);
}

#[test]
fn a_file_in_the_other_byte_order_is_the_same_run() {
    let packets = [(7, 1, data(1, b"a")), (8, 3, data(2, b"b"))];
    let little = pcap(NANOSECONDS, RAW, &packets);
    let mut big = Vec::new();
    let word = |at: usize| u32::from_le_bytes(little[at..at + 4].try_into().unwrap());
    big.extend(NANOSECONDS.to_be_bytes());
    big.extend([0, 2, 0, 4]);
    (8..24).step_by(4).for_each(|at| big.extend(word(at).to_be_bytes()));
    let mut at = 24;
    for (_, _, packet) in &packets {
        (at..at + 16).step_by(4).for_each(|at| big.extend(word(at).to_be_bytes()));
        big.extend(packet);
        at += 16 + packet.len();
    }
    assert_eq!(run(&big), run(&little));
}

/// A pcapng block: its type and body, both lengths around it.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (12 + body.len()) as u32;
    [&kind.to_le_bytes(), &len.to_le_bytes(), body, &len.to_le_bytes()].concat()
}

/// A pcapng file with one interface of raw IP, whose times have `resolution`, and its packets.
fn pcapng(resolution: u8, packets: &[(u64, u32, Vec<u8>)]) -> Vec<u8> {
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let option = [9, 0, 1, 0, resolution, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&[101, 0, 0, 0, 0, 0, 0, 0][..], &option].concat();
    let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface)].concat();
    for (ticks, interface, packet) in packets {
        let len = packet.len() as u32;
        let mut body = Vec::new();
        for word in [*interface, (ticks >> 32) as u32, *ticks as u32, len, len] {
            body.extend(word.to_le_bytes());
        }
        body.extend(packet);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend(block(6, &body));
    }
    file
}

#[test]
fn times_of_any_resolution_become_nanoseconds() {
    const MILLISECONDS: u8 = 3;
    const QUARTERS: u8 = 0x80 | 2;
    let apart = |resolution| {
        let packets = [(1_000, 0, data(1, b"a")), (1_005, 0, data(2, b"b"))];
        run(&pcapng(resolution, &packets)).events[1].time_ns
    };
    assert_eq!(apart(MILLISECONDS), 5_000_000);
    assert_eq!(apart(QUARTERS), 1_250_000_000);
}

#[test]
fn packets_of_several_interfaces_are_put_in_order_of_time() {
    let run = run(&pcapng(6, &[(900, 0, data(2, b"b")), (500, 0, data(1, b"a"))]));
    let times: Vec<u64> = run.events.iter().map(|event| event.time_ns).collect();
    assert_eq!(times, [0, 400_000]);
    assert_eq!(run.events[1].index, 1);
}

#[test]
fn an_interface_that_the_file_has_not_described_is_named() {
    let file = pcapng(6, &[(1, 0, data(1, b"a")), (2, 3, data(2, b"b"))]);
    let error = capture::run("file", file.as_slice()).unwrap_err();
    let offset = (file.len() - 2 * 32 - 41_usize.next_multiple_of(4) + 32) as u64;
    assert_eq!(error, CaptureError::Interface { number: 2, offset, interface: 3, known: 1 });
}

#[test]
fn every_link_leads_to_the_same_segment() {
    let segment = || data(1, b"hello");
    let behind = |header: &[u8]| [header, &segment()].concat();
    let ethernet = |ether_type: &[u8]| behind(&[&[2; 12], ether_type].concat());
    let links = [
        (101, segment()),
        (12, segment()),
        (228, segment()),
        (1, ethernet(&[8, 0])),
        // VLAN, and one in another.
        (1, ethernet(&[0x81, 0, 0, 5, 8, 0])),
        (1, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0])),
        (0, behind(&[2, 0, 0, 0])),
        (108, behind(&[0, 0, 0, 2])),
        (113, behind(&[&[0; 14][..], &[8, 0]].concat())),
        (276, behind(&[&[8, 0][..], &[0; 18]].concat())),
    ];
    for (link, frame) in links {
        let run = of(link, vec![frame]);
        assert_eq!(segments(&run).len(), 1, "link type {link}");
        assert_eq!(segments(&run)[0].payload, "68656c6c6f", "link type {link}");
    }
}

#[test]
fn a_frame_check_sequence_and_padding_are_no_payload() {
    let frame = [&[2; 12][..], &[8, 0], &data(1, b"hi"), &[0xee; 20]].concat();
    // The upper bits say that four bytes of check sequence end each frame.
    let run = of(0x4400_0001, vec![frame]);
    assert_eq!((segments(&run)[0].len, segments(&run)[0].payload.as_str()), (2, "6869"));
    assert!(!said(&run).contains("checksum"));
}

#[test]
fn ipv6_extension_headers_are_stepped_over() {
    let plain = packet("[fd09::1]:5", "[fd09::2]:6", header(Flags::SYN, 9, 0), b"");
    let mut extended = plain.clone();
    // Destination options, eight bytes of them.
    extended[6] = 60;
    extended[5] += 8;
    extended.splice(40..40, [6, 0, 1, 4, 0, 0, 0, 0]);
    let run = of(229, vec![plain, extended]);
    assert_eq!(segments(&run).len(), 2);
    assert!(segments(&run)[1].retransmission);
}

#[test]
fn what_is_not_shown_is_counted_by_its_reason() {
    let mut udp = data(1, b"x");
    udp[9] = 17;
    let mut fragment = data(1, b"x");
    fragment[6] = 0x20;
    let mut offset = data(1, b"x");
    offset[20 + 12] = 0xf0;
    let arp = [&[2; 12][..], &[8, 6], &[0; 28]].concat();
    let frame = |packet: Vec<u8>| [&[2; 12][..], &[8, 0], &packet].concat();
    let packets = vec![arp, frame(udp), frame(fragment), frame(offset)];
    let run = of(1, packets);
    assert!(run.events.is_empty() && run.hosts.is_empty());
    let said = said(&run);
    for reason in [
        "There is no TCP segment in this file.",
        "1 packet (no IP); the first is packet 1 at byte 24.",
        "1 packet (no TCP); the first is packet 2",
        "1 packet (fragments of IP packets); the first is packet 3",
        "1 packet (malformed: a length field is out of bounds); the first is packet 4",
    ] {
        assert!(said.contains(reason), "{reason} is missing in {said}");
    }
    let other = of(105, vec![vec![0; 60], vec![0; 60]]);
    let Origin::Captured { remarks, .. } = &other.origin else { panic!("a capture expected") };
    assert!(remarks.iter().any(|one| one.en.contains("2 packets (of link type 105")));
}

#[test]
fn what_a_sending_machine_leaves_to_its_card_is_filled_in() {
    let mut cut_later = data(1, &[b'x'; 3000]);
    // No length, no header checksum: the card writes both.
    cut_later[2..4].fill(0);
    cut_later[10..12].fill(0);
    let mss = Options { mss: Some(1000), ..Options::default() };
    let syn = Header { options: mss, ..header(Flags::SYN | Flags::ACK, 0, 1) };
    let run = of(RAW, vec![packet(SERVER, CLIENT, syn, b""), cut_later]);
    let segment = &segments(&run)[1];
    assert_eq!((segment.len, segment.segments), (3000, 3));
    assert!(said(&run).contains("1 segment longer than the receiver takes in one"));
}

#[test]
fn a_checksum_that_is_wrong_is_counted_and_one_that_is_right_is_not() {
    let mut damaged = data(2, b"hello");
    *damaged.last_mut().unwrap() ^= 1;
    assert!(checksum::sum(&damaged) != 0);
    let run = of(RAW, vec![data(1, b"a"), damaged]);
    assert!(said(&run).contains("1 segment with a wrong checksum"));
}

#[test]
fn numbers_go_on_past_the_wrap_of_the_sequence_space() {
    let syn = packet(CLIENT, SERVER, header(Flags::SYN, u32::MAX - 1, 0), b"");
    let run = of(RAW, vec![syn, data(u32::MAX, b"ab"), data(1, b"cd"), data(u32::MAX, b"ab")]);
    let numbers: Vec<_> = segments(&run).iter().map(|one| one.relative_seq).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(3), Some(1)]);
    let again: Vec<bool> = segments(&run).iter().map(|one| one.retransmission).collect();
    assert_eq!(again, [false, false, false, true]);
}

#[test]
fn a_connection_whose_beginning_was_missed_counts_from_what_was_seen() {
    let run = of(RAW, vec![data(5000, b"abc"), data(5003, b"d"), data(4000, b"older")]);
    let numbers: Vec<_> = segments(&run).iter().map(|one| one.relative_seq).collect();
    assert_eq!(numbers, [Some(1), Some(4), None]);
    // Ephemeral ports are high: the lower one is taken for the server's.
    assert_eq!(run.hosts[1].name, "10.9.0.2");
    assert!(said(&run).contains("1 connection whose first segments were not captured"));
}

#[test]
fn the_same_ports_used_again_are_another_connection() {
    let syn = |seq| packet(CLIENT, SERVER, header(Flags::SYN, seq, 0), b"");
    let run = of(RAW, vec![syn(100), syn(100), data(101, b"a"), syn(9000), data(9001, b"b")]);
    let ids: Vec<_> = run.events.iter().map(|event| event.connection.unwrap().id).collect();
    assert_eq!(ids, [1, 1, 1, 2, 2]);
    assert_eq!(segments(&run)[4].relative_seq, Some(1));
}

#[test]
fn syns_that_cross_open_one_connection() {
    let there = packet(CLIENT, SERVER, header(Flags::SYN, 100, 0), b"");
    let back = packet(SERVER, CLIENT, header(Flags::SYN, 700, 0), b"");
    let run = of(RAW, vec![there, back]);
    assert!(run.events.iter().all(|event| event.connection.unwrap().id == 1));
}
