use std::net::IpAddr;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::checksum::{pseudo_header, verify_transport_checksum};
use super::super::ip::{self, PROTOCOL_TCP};
use super::super::payload::Payload;
use super::super::tcp::{self, Flags};
use super::super::tcp_options::Options;
use super::{ChecksumField, Transmit, Verification};
use crate::event::Reason;

const REASON: Option<Reason> = Some(Reason::NewData);

fn ends(v6: bool) -> (IpAddr, IpAddr) {
    match v6 {
        true => ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap()),
        false => ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
    }
}

fn ip(v6: bool) -> ip::Header {
    let (src, dst) = ends(v6);
    ip::Header::new(src, dst, PROTOCOL_TCP, 64, 0)
}

fn syn() -> tcp::Header {
    tcp::Header {
        src_port: 40_000,
        dst_port: 80,
        seq: 0x0102_0304,
        flags: Flags::SYN,
        window: 0xffff,
        options: Options {
            mss: Some(1460),
            sack_permitted: true,
            window_scale: Some(7),
            ..Options::default()
        },
        ..tcp::Header::default()
    }
}

/// `len` bytes that differ from their neighbours, cut into slices at `cuts`.
fn payload(len: usize, cuts: &[usize]) -> Payload {
    let whole = Bytes::from((0..len).map(|i| (i * 31 + i / 251) as u8).collect::<Vec<u8>>());
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (len + 1)).collect();
    cuts.extend([0, len]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| whole.slice(pair[0]..pair[1])).collect()
}

/// A super-segment with PSH, FIN and CWR, shortly before the sequence numbers wrap.
fn super_segment(v6: bool, len: usize, cuts: &[usize], gso_size: u16) -> Transmit {
    let header = tcp::Header {
        seq: 0xffff_ff00,
        flags: Flags::ACK | Flags::PSH | Flags::FIN | Flags::CWR,
        options: Options { timestamps: Some((1, 2)), ..Options::default() },
        ..syn()
    };
    Transmit::tcp(ip(v6), &header, payload(len, cuts), gso_size, REASON)
}

fn segments(transmit: Transmit) -> Vec<Transmit> {
    let mut segments = Vec::new();
    transmit.segments(|segment| segments.push(segment));
    segments
}

/// Reads a packet off the wire, everything verified.
fn read(packet: &[u8]) -> (ip::Header, tcp::Header, &[u8]) {
    let ip = ip::Header::parse(packet).unwrap();
    assert_eq!(ip.header_len + ip.payload_len, packet.len());
    let segment = &packet[ip.header_len..];
    assert!(verify_transport_checksum(&ip, segment), "the TCP checksum is right");
    let (tcp, offset) = tcp::Header::parse(segment).unwrap();
    (ip, tcp, &segment[offset..])
}

#[test]
fn a_golden_syn_has_the_checksum_computed_by_hand() {
    // RFC 6864 §4.1.
    // RFC 9293 §3.1 (MUST-2).
    let mut transmit = Transmit::tcp(ip(false), &syn(), Payload::default(), 0, REASON);
    // 0a00 + 0001 + 0a00 + 0002 + 0006 + 0020
    assert_eq!(transmit.header[36..38], [0x14, 0x29]);
    assert_eq!(transmit.checksum, ChecksumField::Partial { start: 20, offset: 16 });
    transmit.complete_checksum();
    assert_eq!(transmit.checksum, ChecksumField::Complete);
    // IPv4: 4500 + 0034 + 4000 + 4006 + 0a00 + 0001 + 0a00 + 0002 = d93d
    // TCP: 315e + 1429 = 4587
    let golden = [
        0x45, 0, 0, 52, 0, 0, 0x40, 0, 64, 6, 0x26, 0xc2, 10, 0, 0, 1, 10, 0, 0, 2, //
        0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, 0x80, 0x02, 0xff, 0xff, 0xba,
        0x78, 0, 0, 2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7,
    ];
    assert_eq!(transmit.header[..], golden);
    assert_eq!(transmit.to_bytes(), golden);
}

#[test]
fn a_super_segment_has_the_pseudo_header_of_its_whole_length() {
    let transmit = super_segment(false, 4000, &[], 1448);
    let (src, dst) = ends(false);
    let expected = pseudo_header(src, dst, PROTOCOL_TCP, 32 + 4000).to_be_bytes();
    assert_eq!(transmit.header[36..38], expected);
    assert_eq!(transmit.segment_count(), 3);
    assert_eq!(transmit.len(), 20 + 32 + 4000);
}

#[test]
fn a_payload_of_one_segment_is_no_super_segment() {
    let transmit = super_segment(false, 1448, &[], 1448);
    assert_eq!((transmit.gso_size, transmit.segment_count()), (0, 1));
    let header = transmit.header.clone();
    let parts = segments(transmit);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].header, header);
}

#[test]
fn the_first_segment_alone_has_cwr_and_the_last_alone_psh_and_fin() {
    for v6 in [false, true] {
        let flags: Vec<String> = segments(super_segment(v6, 3000, &[], 1000))
            .iter()
            .map(|part| read(&part.to_bytes()).1.flags.to_string())
            .collect();
        assert_eq!(flags, ["ACK|CWR", "ACK", "FIN|PSH|ACK"]);
    }
}

#[test]
fn segments_share_the_payload_with_the_send_buffer() {
    let whole = payload(3000, &[]);
    let range = whole.slices()[0].as_ptr_range();
    let transmit = Transmit::tcp(ip(false), &syn(), whole.clone(), 1000, REASON);
    for part in segments(transmit) {
        assert_eq!(part.payload.slices().len(), 1);
        assert!(range.contains(&part.payload.slices()[0].as_ptr()), "no byte was copied");
    }
}

#[test]
fn a_super_segment_with_a_complete_checksum_splits_into_right_segments_too() {
    let mut transmit = super_segment(true, 2500, &[77], 1000);
    transmit.complete_checksum();
    for part in segments(transmit) {
        read(&part.to_bytes());
    }
}

#[test]
fn a_partial_checksum_counts_as_verified_on_the_same_machine() {
    let transmit = super_segment(false, 3000, &[1], 1000);
    let frame = transmit.clone().into_frame();
    assert_eq!((frame.verification, frame.gso_size), (Verification::Verified, 1000));
    assert_eq!(frame.front.len(), transmit.len());
    assert_eq!(frame.front[..transmit.header.len()], transmit.header[..]);

    let mut transmit = super_segment(false, 100, &[1], 0);
    transmit.complete_checksum();
    let frame = transmit.into_frame();
    assert_eq!(frame.verification, Verification::Unverified);
    read(&frame.front);
}

#[test]
fn a_copy_of_a_packet_is_what_arrives_on_the_same_machine() {
    for len in [3000, 30_000] {
        let transmit = super_segment(true, len, &[7, 1500], 1000);
        let whole = [&transmit.header[..], &transmit.payload.slices().concat()].concat();
        assert_eq!(transmit.into_frame().into_contiguous().front, whole);
    }
}

#[test]
fn a_long_payload_is_shared_with_a_host_of_the_same_machine() {
    let transmit = super_segment(false, 30_000, &[10_000], 1000);
    let memory = transmit.payload.slices().iter().map(|slice| slice.as_ptr());
    let memory: Vec<*const u8> = memory.collect();
    let frame = transmit.clone().into_frame();
    assert_eq!((&frame.front[..], frame.len()), (&transmit.header[..], transmit.len()));
    let shared = frame.rest.slices().iter().map(|slice| slice.as_ptr());
    assert_eq!(shared.collect::<Vec<_>>(), memory);
}

#[test]
fn a_complete_packet_goes_through_unchanged() {
    let packet = super::super::icmp::echo_reply(ends(false).0, ends(false).1, b"\0\x01\0\x01data");
    let mut transmit = Transmit::complete(packet.clone(), None);
    transmit.complete_checksum();
    assert_eq!(transmit.len(), packet.len());
    assert_eq!(transmit.to_bytes(), packet);
    let parts = segments(transmit);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].to_bytes(), packet);
}

proptest! {
    #[test]
    fn segments_put_together_are_the_payload_and_each_is_right(
        v6: bool, len in 0usize..10_000, cuts in prop::collection::vec(any::<usize>(), 0..4),
        gso_size in 100u16..3000,
    ) {
        let transmit = super_segment(v6, len, &cuts, gso_size);
        let count = transmit.segment_count();
        let whole = transmit.payload.clone().into_bytes();
        let parts = segments(transmit);
        prop_assert_eq!(parts.len(), count);
        let mut received = Vec::new();
        for part in &parts {
            prop_assert_eq!((part.gso_size, part.reason), (0, REASON));
            prop_assert!(part.payload.len() <= usize::from(gso_size));
            let packet = part.to_bytes();
            let (ip_header, tcp, data) = read(&packet);
            prop_assert_eq!((ip_header.src, ip_header.dst), ends(v6));
            prop_assert_eq!(tcp.seq, 0xffff_ff00_u32.wrapping_add(received.len() as u32));
            prop_assert_eq!(tcp.options.timestamps, Some((1, 2)));
            received.extend_from_slice(data);
        }
        prop_assert_eq!(received, whole);
    }

    #[test]
    fn a_checksum_is_the_same_completed_in_slices_or_in_one_piece(
        v6: bool, len in 0usize..3000, cuts in prop::collection::vec(any::<usize>(), 0..5),
    ) {
        let mut transmit = super_segment(v6, len, &cuts, 0);
        let bytes = transmit.to_bytes();
        read(&bytes);
        transmit.complete_checksum();
        prop_assert_eq!(transmit.to_bytes(), bytes);
    }
}
