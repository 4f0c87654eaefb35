use std::net::IpAddr;

use bytes::Bytes;
use proptest::prelude::*;

use super::Coalescer;
use crate::wire::ip::{self, PROTOCOL_TCP};
use crate::wire::packet::{ChecksumField, Frame, Transmit, Verification};
use crate::wire::tcp::{self, Flags};
use crate::wire::tcp_options::Options;
use crate::wire::{checksum, icmp};

fn ends(v6: bool) -> (IpAddr, IpAddr) {
    match v6 {
        true => ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap()),
        false => ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
    }
}

/// A stream shortly before its sequence numbers wrap.
fn header(seq: u32) -> tcp::Header {
    tcp::Header {
        src_port: 40_000,
        dst_port: 80,
        seq: 0xffff_f000_u32.wrapping_add(seq),
        ack: 7,
        flags: Flags::ACK,
        window: 1000,
        options: Options { timestamps: Some((1, 2)), ..Options::default() },
        ..tcp::Header::default()
    }
}

/// A segment of `len` bytes of the stream from `seq` on.
fn segment(v6: bool, len: usize, header: tcp::Header) -> Vec<u8> {
    let (src, dst) = ends(v6);
    let ip = ip::Header::new(src, dst, PROTOCOL_TCP, 64, 0);
    let text: Vec<u8> =
        (0..len as u32).map(|at| header.seq.wrapping_add(at).wrapping_mul(31) as u8).collect();
    Transmit::tcp(ip, &header, [Bytes::from(text)].into_iter().collect(), 0, None).to_bytes()
}

/// Segments of these lengths, one after the other.
fn stream(v6: bool, lens: &[usize]) -> Vec<Vec<u8>> {
    let mut at = 0;
    let segments = lens.iter().map(|len| {
        at += *len as u32;
        segment(v6, *len, header(at - *len as u32))
    });
    segments.collect()
}

fn coalesce(packets: &[Vec<u8>]) -> Vec<Frame> {
    let (mut coalescer, mut frames) = (Coalescer::default(), Vec::new());
    for packet in packets {
        coalescer.push(packet, Verification::Unverified, &mut frames);
    }
    coalescer.flush(&mut frames);
    frames
}

/// How many segments each frame is, and of how many bytes.
fn shapes(frames: &[Frame]) -> Vec<(u16, usize)> {
    frames.iter().map(|frame| (frame.gso_size, frame.front.len())).collect()
}

/// The packets that a frame stands for.
fn split(frame: &Frame) -> Vec<Vec<u8>> {
    if frame.gso_size == 0 {
        return vec![frame.front.to_vec()];
    }
    let ip = ip::Header::parse(&frame.front).unwrap();
    assert_eq!(ip.header_len + ip.payload_len, frame.front.len(), "the length is the packet's");
    let (_, len) = tcp::Header::parse(&frame.front[ip.header_len..]).unwrap();
    let payload = frame.front.slice(ip.header_len + len..);
    let transmit = Transmit {
        header: frame.front[..ip.header_len + len].into(),
        payload: [payload].into_iter().collect(),
        gso_size: frame.gso_size,
        checksum: ChecksumField::Complete,
        reason: None,
    };
    let mut packets = Vec::new();
    transmit.segments(|segment| packets.push(segment.to_bytes()));
    packets
}

fn split_all(frames: &[Frame]) -> Vec<Vec<u8>> {
    frames.iter().flat_map(split).collect()
}

#[test]
fn segments_that_follow_each_other_become_one_until_a_shorter_one() {
    for v6 in [false, true] {
        let packets = stream(v6, &[1000, 1000, 1000, 400, 1000, 1000]);
        let frames = coalesce(&packets);
        let headers = if v6 { 72 } else { 52 };
        assert_eq!(shapes(&frames), [(1000, headers + 3400), (1000, headers + 2000)]);
        assert!(frames.iter().all(|frame| frame.verification == Verification::Verified));
        assert_eq!(split_all(&frames), packets);
    }
}

#[test]
fn the_text_of_a_run_is_one_slice_and_a_small_batch_keeps_no_block() {
    let (mut coalescer, mut frames) = (Coalescer::default(), Vec::new());
    for packet in stream(false, &[1000; 40]) {
        coalescer.push(&packet, Verification::Unverified, &mut frames);
    }
    coalescer.flush(&mut frames);
    assert_eq!(shapes(&frames), [(1000, 40_052)]);
    assert!(coalescer.block.is_empty(), "it is lent");
    coalescer.push(&segment(false, 100, header(0)), Verification::Unverified, &mut frames);
    coalescer.flush(&mut frames);
    assert!(!coalescer.block.is_empty(), "it was not worth lending");
    assert_eq!(frames[1].front.len(), 152);
}

#[test]
fn a_run_ends_where_no_length_field_goes_further() {
    for v6 in [false, true] {
        let packets = stream(v6, &[1448; 100]);
        let frames = coalesce(&packets);
        let most = frames.iter().map(|frame| frame.front.len()).max();
        assert_eq!(most, Some(if v6 { 45 * 1448 + 72 } else { 45 * 1448 + 52 }));
        assert_eq!(frames.len(), 3);
        assert_eq!(split_all(&frames), packets);
    }
}

#[test]
fn psh_and_fin_end_a_run_and_are_told_once() {
    for end in [Flags::PSH, Flags::FIN, Flags::PSH | Flags::FIN] {
        let mut packets = stream(false, &[500, 500, 500]);
        packets[1] = segment(false, 500, tcp::Header { flags: Flags::ACK | end, ..header(500) });
        let frames = coalesce(&packets);
        assert_eq!(shapes(&frames), [(500, 1052), (0, 552)]);
        let (merged, _) = tcp::Header::parse(&frames[0].front[20..]).unwrap();
        assert_eq!(merged.flags, Flags::ACK | end);
        assert_eq!(split_all(&frames), packets);
    }
}

#[test]
fn a_packet_whose_checksum_is_wrong_is_in_no_run() {
    for at in [0, 1, 2] {
        let mut packets = stream(false, &[500; 3]);
        *packets[at].last_mut().unwrap() ^= 1;
        let frames = coalesce(&packets);
        assert_eq!(split_all(&frames), packets);
        let damaged = frames.iter().find(|frame| frame.front == packets[at]).unwrap();
        assert_eq!((damaged.verification, damaged.gso_size), (Verification::Unverified, 0));
        assert_eq!(frames.len(), if at == 1 { 3 } else { 2 });
    }
}

/// Each change by which a segment does not go on the run before it.
#[test]
fn what_says_something_of_its_own_comes_by_itself() {
    let next = header(500);
    let flags = |flags: Flags| tcp::Header { flags: Flags::ACK | flags, ..next };
    let changed = [
        tcp::Header { seq: next.seq + 1, ..next },
        tcp::Header { seq: next.seq - 500, ..next },
        tcp::Header { ack: 8, ..next },
        tcp::Header { window: 999, ..next },
        tcp::Header { urgent: 1, ..next },
        tcp::Header { src_port: 1, ..next },
        tcp::Header { dst_port: 1, ..next },
        tcp::Header { options: Options { timestamps: Some((2, 2)), ..Options::default() }, ..next },
        tcp::Header { options: Options::default(), ..next },
        flags(Flags::SYN),
        flags(Flags::RST),
        flags(Flags::URG),
        flags(Flags::ECE),
        flags(Flags::CWR),
        flags(Flags::AE),
        tcp::Header { flags: Flags::EMPTY, ..next },
    ];
    for v6 in [false, true] {
        for (index, header) in changed.into_iter().enumerate() {
            let packets = [stream(v6, &[500]).remove(0), segment(v6, 500, header)];
            let frames = coalesce(&packets);
            assert_eq!(frames.len(), 2, "change {index}");
            assert_eq!(split_all(&frames), packets);
        }
    }
}

#[test]
fn another_ip_header_ends_a_run() {
    // Version and length, traffic class, flags, TTL, source; the checksum is made right again.
    for (at, value) in [(0, 0x46), (1, 3), (6, 0x60), (6, 0), (8, 63), (15, 9)] {
        let mut packets = stream(false, &[500, 500]);
        packets[1][at] = value;
        packets[1][10..12].fill(0);
        let sum = checksum::finish(checksum::sum(&packets[1][..20]));
        packets[1][10..12].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(coalesce(&packets).len(), 2, "byte {at}");
    }
    for (at, value) in [(0, 0x61), (1, 0x10), (3, 1), (6, 17), (7, 63), (23, 9)] {
        let mut packets = stream(true, &[500, 500]);
        packets[1][at] = value;
        assert_eq!(coalesce(&packets).len(), 2, "byte {at}");
    }
    // A header that was damaged on its way.
    let mut packets = stream(false, &[500, 500]);
    packets[1][10] ^= 1;
    assert_eq!(coalesce(&packets).len(), 2);
}

#[test]
fn bytes_behind_a_packets_end_and_what_is_no_packet_go_on_as_they_came() {
    let mut padded = stream(false, &[500, 500]);
    padded[1].push(0);
    let echo = icmp::echo_reply(ends(false).0, ends(false).1, b"\0\x01\0\x01data");
    let packets = [
        vec![],
        vec![0x45],
        vec![0x60; 41],
        echo,
        padded.remove(0),
        padded.remove(0),
        vec![9; 70_000],
    ];
    let frames = coalesce(&packets);
    let bytes: Vec<&[u8]> = frames.iter().map(|frame| &frame.front[..]).collect();
    assert_eq!(bytes, packets);
}

#[test]
fn what_a_device_vouches_for_is_not_looked_at_again() {
    let mut packets = stream(false, &[500; 3]);
    // As the kernel hands it over: the field holds the pseudo-header's sum alone.
    packets[1][36] ^= 0xff;
    let (mut coalescer, mut frames) = (Coalescer::default(), Vec::new());
    for packet in &packets {
        coalescer.push(packet, Verification::Verified, &mut frames);
    }
    coalescer.flush(&mut frames);
    assert_eq!(shapes(&frames), [(500, 1552)]);
}

/// What happens to a packet on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lost,
    Twice,
    Late,
    Damaged(usize),
}

proptest! {
    /// Whatever comes, the packets that leave are those that came, in the same order.
    #[test]
    fn the_frames_stand_for_just_the_packets_that_came(
        v6: bool,
        lens in prop::collection::vec(prop_oneof![3 => Just(700), 1 => 0usize..1400], 1..150),
        flags in prop::collection::vec((0usize..150, prop_oneof![Just(0x08), Just(0x09), 0u16..0x200]), 0..5),
        fates in prop::collection::vec((0usize..150, prop_oneof![
            Just(Fate::Lost), Just(Fate::Twice), Just(Fate::Late),
            (0usize..1500).prop_map(Fate::Damaged),
        ]), 0..8),
    ) {
        let mut at = 0;
        let mut packets = Vec::new();
        for (index, len) in lens.iter().enumerate() {
            let flag = flags.iter().find(|(at, _)| *at == index).map_or(0, |(_, flag)| *flag);
            let flags = Flags::ACK | Flags(flag);
            packets.push(segment(v6, *len, tcp::Header { flags, ..header(at) }));
            at += *len as u32;
        }
        for (index, fate) in fates {
            let index = index % packets.len();
            match fate {
                Fate::Lost => packets[index].clear(),
                Fate::Twice => packets.insert(index, packets[index].clone()),
                Fate::Late => {
                    let late = packets.remove(index);
                    packets.push(late);
                }
                Fate::Damaged(at) => {
                    if let Some(byte) = packets[index].get_mut(at) {
                        *byte ^= 0x10;
                    }
                }
            }
        }
        packets.retain(|packet| !packet.is_empty());
        let frames = coalesce(&packets);
        prop_assert_eq!(split_all(&frames), packets);
    }
}
