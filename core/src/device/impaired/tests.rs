use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;

use super::*;
use crate::device::MemoryDevice;
use crate::wire::packet::Verification;
use crate::wire::{ip, tcp};

fn ms(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn segment(len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header { src_port: 1, dst_port: 2, ..Default::default() };
    Transmit::tcp(ip, &tcp, Bytes::from(vec![7; len]).into(), gso_size, None)
}

fn send(device: &dyn Device, now: Instant, transmit: Transmit) {
    device.send(now, &mut VecDeque::from([transmit])).unwrap();
}

fn recv(device: &dyn Device, now: Instant) -> Vec<Frame> {
    let mut frames = Vec::new();
    device.recv(now, &mut frames).unwrap();
    frames
}

fn delayed(device: MemoryDevice) -> Impaired<MemoryDevice> {
    let delay = Duration::from_millis(10);
    Impaired::new(device, Impairment { delay, ..Impairment::NONE }, 1)
}

#[test]
fn what_goes_out_is_held_back_until_its_deadline_and_recv_moves_it_along() {
    let (a, b) = MemoryDevice::pair(1500, 65_000).unwrap();
    let a = delayed(a);
    send(&a, ms(0), segment(3000, 1000));
    assert_eq!(a.next_deadline(), Some(ms(10)));
    recv(&a, ms(9));
    assert!(recv(&b, ms(9)).is_empty());
    recv(&a, ms(10));
    assert_eq!(recv(&b, ms(10)).len(), 3);
    assert_eq!(a.next_deadline(), None);
}

#[test]
fn what_comes_in_is_held_back_too_and_split_to_wire_size() {
    let (a, b) = MemoryDevice::pair(1500, 65_000).unwrap();
    let a = delayed(a);
    send(&b, ms(0), segment(2500, 1000));
    assert!(recv(&a, ms(0)).is_empty());
    assert_eq!(a.next_deadline(), Some(ms(10)));
    let frames = recv(&a, ms(10));
    let lens: Vec<usize> = frames.iter().map(|frame| frame.front.len()).collect();
    assert_eq!(lens, [1040, 1040, 540]);
    assert!(frames.iter().all(|f| f.gso_size == 0 && f.verification == Verification::Verified));
}

#[test]
fn losses_are_counted_by_direction() {
    let (a, b) = MemoryDevice::pair(1500, 0).unwrap();
    let a = Impaired::new(a, Impairment { loss: 1.0, ..Impairment::NONE }, 1);
    send(&a, ms(0), segment(1, 0));
    send(&b, ms(0), segment(1, 0));
    assert!(recv(&a, ms(0)).is_empty() && recv(&b, ms(0)).is_empty());
    let counters = a.counters();
    assert!(counters.contains(&("impairment_lost_out", 1)), "{counters:?}");
    assert!(counters.contains(&("impairment_lost_in", 1)), "{counters:?}");
}

/// A device that takes nothing until it is opened.
struct Gate {
    device: MemoryDevice,
    is_open: AtomicBool,
}

impl Device for Gate {
    fn mtu(&self) -> usize {
        self.device.mtu()
    }
    fn gso_max(&self) -> usize {
        self.device.gso_max()
    }
    fn recv(&self, now: Instant, batch: &mut Vec<Frame>) -> io::Result<()> {
        self.device.recv(now, batch)
    }
    fn send(&self, now: Instant, batch: &mut VecDeque<Transmit>) -> io::Result<()> {
        if self.is_open.load(Relaxed) { self.device.send(now, batch) } else { Ok(()) }
    }
    fn poll_fds(&self, fds: &mut Vec<(RawFd, Interest)>) {
        self.device.poll_fds(fds);
    }
}

#[test]
fn what_a_full_device_leaves_is_tried_again_in_order() {
    let (a, b) = MemoryDevice::pair(1500, 0).unwrap();
    let gate = Gate { device: a, is_open: AtomicBool::new(false) };
    let a = Impaired::new(gate, Impairment { duplicate: 1e-300, ..Impairment::NONE }, 1);
    for len in 1..=BATCH + 5 {
        send(&a, ms(1), segment(len, 0));
    }
    assert_eq!(a.next_deadline(), Some(ms(1) + RETRY));
    a.device.is_open.store(true, Relaxed);
    recv(&a, ms(2));
    let mut frames = recv(&b, ms(2));
    frames.extend(recv(&b, ms(2)));
    let lens: Vec<usize> = frames.iter().map(|frame| frame.front.len() - 40).collect();
    assert_eq!(lens, (1..=BATCH + 5).collect::<Vec<_>>());
    assert_eq!(a.next_deadline(), None);
}
