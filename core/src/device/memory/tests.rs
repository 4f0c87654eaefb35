use std::collections::VecDeque;

use bytes::Bytes;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;
use crate::wire::packet::Verification;
use crate::wire::{ip, tcp};

fn segment(payload_len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header { src_port: 1, dst_port: 2, ..Default::default() };
    let payload = Bytes::from(vec![7; payload_len]).into();
    Transmit::tcp(ip, &tcp, payload, gso_size, None)
}

fn is_readable(device: &MemoryDevice) -> bool {
    let mut fds =
        [PollFd::new(std::os::fd::AsFd::as_fd(&device.inbound.readable), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
}

fn send(device: &MemoryDevice, transmits: impl IntoIterator<Item = Transmit>) {
    let mut batch: VecDeque<_> = transmits.into_iter().collect();
    device.send(Instant::ZERO, &mut batch).unwrap();
    assert!(batch.is_empty());
}

fn recv(device: &MemoryDevice) -> Vec<Frame> {
    let mut frames = Vec::new();
    device.recv(Instant::ZERO, &mut frames).unwrap();
    frames
}

#[test]
fn a_super_segment_arrives_whole_at_the_other_end_alone() {
    let (a, b) = MemoryDevice::pair(1500, 65_000).unwrap();
    send(&a, [segment(3000, 1000)]);
    assert!(recv(&a).is_empty());
    let frames = recv(&b);
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].front.len(), frames[0].gso_size), (3040, 1000));
    assert_eq!(frames[0].verification, Verification::Verified);
}

#[test]
fn the_descriptor_is_readable_exactly_while_packets_wait() {
    let (a, b) = MemoryDevice::pair(1500, 0).unwrap();
    assert!(!is_readable(&b));
    send(&a, (0..BATCH + 1).map(|_| segment(1, 0)));
    assert!(is_readable(&b));
    assert_eq!(recv(&b).len(), BATCH);
    assert!(is_readable(&b));
    assert_eq!(recv(&b).len(), 1);
    assert!(!is_readable(&b));
    assert!(recv(&b).is_empty());
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let (a, b) = MemoryDevice::pair(1500, 0).unwrap();
    send(&a, (0..QUEUE_MAX + 3).map(|_| segment(1, 0)));
    assert_eq!(a.counters(), [("memory_queue_full_out", 3)]);
    assert_eq!(b.counters(), [("memory_queue_full_out", 0)]);
}
