use bytes::Bytes;

use super::*;
use crate::wire::{ip, tcp};

fn segment(src: &str, dst: &str, len: usize, gso_size: u16) -> Transmit {
    let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
    let ip = ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header { src_port: 1, dst_port: 2, ..Default::default() };
    Transmit::tcp(ip, &tcp, Bytes::from(vec![7; len]).into(), gso_size, None)
}

#[test]
fn a_super_segment_is_described_to_the_kernel() {
    let header = virtio::Header::of(&segment("10.0.0.1", "10.0.0.2", 3000, 1000));
    let expected = virtio::Header {
        flags: 1,
        gso_type: 1,
        header_len: 40,
        gso_size: 1000,
        checksum_start: 20,
        checksum_offset: 16,
    };
    assert_eq!(header, expected);
    assert_eq!(virtio::Header::parse(&header.to_bytes()), Some(expected));
    assert_eq!(header.received(), Some((Verification::Verified, 1000)));
}

#[test]
fn ipv6_and_single_segments_are_told_apart() {
    let header = virtio::Header::of(&segment("fd00::1", "fd00::2", 3000, 1000));
    assert_eq!((header.gso_type, header.header_len, header.checksum_start), (4, 60, 40));
    let header = virtio::Header::of(&segment("10.0.0.1", "10.0.0.2", 1000, 1000));
    assert_eq!((header.gso_type, header.gso_size, header.flags), (0, 0, 1));
}

#[test]
fn a_finished_packet_asks_nothing_of_the_kernel() {
    let mut transmit = segment("10.0.0.1", "10.0.0.2", 10, 0);
    transmit.complete_checksum();
    assert_eq!(virtio::Header::of(&transmit), virtio::Header::default());
    let unverified = Some((Verification::Unverified, 0));
    assert_eq!(virtio::Header::default().received(), unverified);
}

#[test]
fn super_segments_that_were_not_asked_for_are_unusable() {
    let udp = virtio::Header { flags: 1, gso_type: 5, gso_size: 100, ..Default::default() };
    let unverified = virtio::Header { gso_type: 1, gso_size: 100, ..Default::default() };
    let endless = virtio::Header { flags: 1, gso_type: 1, ..Default::default() };
    assert_eq!([udp, unverified, endless].map(virtio::Header::received), [None; 3]);
    assert_eq!(virtio::Header::parse(&[0; virtio::LEN - 1]), None);
}

#[test]
fn a_flow_keeps_its_queue() {
    let one = flow_hash(&segment("10.0.0.1", "10.0.0.2", 1, 0));
    assert_eq!(one, flow_hash(&segment("10.0.0.1", "10.0.0.2", 900, 0)));
    assert_ne!(one, flow_hash(&segment("10.0.0.1", "10.0.0.3", 1, 0)));
    let truncated = Transmit::complete(vec![0x45; 3], None);
    assert_eq!(flow_hash(&truncated), 0);
}

#[test]
fn flows_are_spread_over_the_queues_even_when_all_their_ports_are_even() {
    for queues in [2, 3, 4, 8] {
        let mut flows = vec![0; queues];
        for port in (32_768..33_768).step_by(2) {
            let mut transmit = segment("10.0.0.1", "10.0.0.2", 1, 0);
            transmit.header[22..24].copy_from_slice(&u16::to_be_bytes(port));
            flows[flow_hash(&transmit) % queues] += 1;
        }
        assert!(flows.iter().all(|&flows| flows > 400 / queues), "{flows:?}");
    }
}

#[test]
fn bad_names_and_values_are_refused_before_anything_is_opened() {
    let open = |name: &str, config: &TunConfig| {
        let error = TunDevice::open(name, config).err().expect("it is refused");
        (errno(&error), error.to_string())
    };
    for name in ["", "sixteen-bytes-xx", "a/b", "a b", "tun%d", "..", "a:1"] {
        let (errno, message) = open(name, &TunConfig::default());
        assert_eq!(errno, libc::EINVAL);
        assert!(message.contains("1 to 15 bytes"), "{message}");
    }
    for queues in [0, 257] {
        let (errno, message) = open("tcps0", &TunConfig { queues, ..Default::default() });
        assert_eq!(errno, libc::EINVAL);
        assert!(message.contains("1 to 256 are possible"), "{message}");
    }
    let error = create_persistent("tcps0", "no such user", &TunConfig::default()).unwrap_err();
    assert!(error.to_string().contains("there is no user `no such user`"), "{error}");
}
