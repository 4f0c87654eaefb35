//! The TUN device against the real kernel, each test in a network namespace of its own.
//!
//! Needs root. Without it every test says that it is left out; with CI=true that is a failure.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::thread;

use bytes::Bytes;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;
use tcpstack::device::{Device, Interest, TunConfig, TunDevice, errno, tun};
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};
use tcpstack::wire::{checksum, icmp, ip, tcp};

const KERNEL: &str = "10.7.0.1";
const OURS: &str = "10.7.0.2";
const KERNEL6: &str = "fd07::1";
const OURS6: &str = "fd07::2";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Runs `test` on a thread in a network namespace that exists for it alone.
fn in_own_network(test: impl FnOnce() + Send + 'static) {
    if !Uid::effective().is_root() {
        assert!(std::env::var_os("CI").is_none(), "the TUN tests need root");
        eprintln!("left out: the TUN tests need root");
        return;
    }
    let inside = move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace of our own");
        test();
    };
    if let Err(panic) = thread::spawn(inside).join() {
        std::panic::resume_unwind(panic);
    }
}

fn config() -> TunConfig {
    let host = vec![(address(KERNEL), 24), (address(KERNEL6), 64)];
    TunConfig { host, ..TunConfig::default() }
}

fn send(device: &TunDevice, transmit: Transmit) {
    let mut batch = VecDeque::from([transmit]);
    device.send(Instant::ZERO, &mut batch).unwrap();
    assert!(batch.is_empty());
    assert_eq!(device.counters(), [("tun_unusable_in", 0), ("tun_refused_out", 0)]);
}

/// Waits for packets to us, two seconds at most, until `is_last` says so of one. Others, such as the
/// kernel's router solicitations, are passed over.
fn recv_until(device: &TunDevice, is_last: impl Fn(&ip::Header, &[u8]) -> bool) -> Vec<Frame> {
    let mut found = Vec::new();
    loop {
        let mut batch = Vec::new();
        device.recv(Instant::ZERO, &mut batch).unwrap();
        for frame in batch {
            let ip = ip::Header::parse(&frame.front).expect("the kernel sends sound packets");
            if ![address(OURS), address(OURS6)].contains(&ip.dst) {
                continue;
            }
            let is_last = is_last(&ip, &frame.front[ip.header_len..]);
            found.push(frame);
            if is_last {
                return found;
            }
        }
        assert!(wait(device), "nothing (more) came: {found:?}");
    }
}

#[allow(unsafe_code)]
fn wait(device: &TunDevice) -> bool {
    let mut fds = Vec::new();
    device.poll_fds(&mut fds);
    assert!(fds.iter().all(|(_, interest)| *interest == Interest::Readable));
    let mut fds: Vec<PollFd> = fds
        .iter()
        // SAFETY: the descriptors are the device's, which outlives the call.
        .map(|(fd, _)| PollFd::new(unsafe { BorrowedFd::borrow_raw(*fd) }, PollFlags::POLLIN))
        .collect();
    poll(&mut fds, PollTimeout::from(2000u16)).unwrap() > 0
}

fn is_protocol(protocol: u8) -> impl Fn(&ip::Header, &[u8]) -> bool {
    move |ip, _| ip.protocol == protocol
}

fn segment(src: &str, dst: &str, tcp: tcp::Header, len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new(address(src), address(dst), ip::PROTOCOL_TCP, 64, 0);
    let payload = Bytes::from(vec![7; len]).into();
    Transmit::tcp(ip, &tcp, payload, gso_size, None)
}

fn tcp_of(frame: &Frame) -> (tcp::Header, usize) {
    let ip = ip::Header::parse(&frame.front).unwrap();
    let (header, offset) = tcp::Header::parse(&frame.front[ip.header_len..]).unwrap();
    (header, ip.payload_len - offset)
}

#[test]
fn what_the_kernel_sends_to_our_address_comes_in() {
    in_own_network(|| {
        let device = TunDevice::open("tcps0", &config()).unwrap();
        assert_eq!(device.mtu(), 1500);
        for (from, to) in [(KERNEL, OURS), (KERNEL6, OURS6)] {
            let socket = UdpSocket::bind((from, 0)).unwrap();
            socket.send_to(b"hello", (to, 9)).unwrap();
            let frames = recv_until(&device, is_protocol(17));
            let frame = frames.last().unwrap();
            assert!(frame.front.ends_with(b"hello"));
            assert_eq!(frame.gso_size, 0);
        }
    });
}

#[test]
fn the_kernel_answers_our_ping() {
    in_own_network(|| {
        let device = TunDevice::open("tcps0", &config()).unwrap();
        // An echo request is an echo reply of another type.
        let mut request = icmp::echo_reply(address(OURS), address(KERNEL), &[0, 1, 0, 1, 42]);
        request[20] = 8;
        request[22..24].fill(0);
        let sum = checksum::finish(checksum::sum(&request[20..]));
        request[22..24].copy_from_slice(&sum.to_be_bytes());
        send(&device, Transmit::complete(request, None));
        let frames = recv_until(&device, is_protocol(ip::PROTOCOL_ICMP));
        let bytes = &frames.last().unwrap().front;
        let ip = ip::Header::parse(bytes).unwrap();
        let message = icmp::parse(&ip, &bytes[ip.header_len..]).unwrap();
        assert_eq!(message, icmp::Message::EchoReply { rest: &[0, 1, 0, 1, 42] });
    });
}

/// Sends a super-segment to a closed port; the kernel's resets say how it took it.
fn resets_for_super_segment(offload: bool, src: &str, dst: &str) -> Vec<u32> {
    let device = TunDevice::open("tcps0", &TunConfig { offload, ..config() }).unwrap();
    assert_eq!(device.has_offload(), offload);
    let header = tcp::Header { src_port: 1000, dst_port: 9, seq: 100, ..Default::default() };
    send(&device, segment(src, dst, header, 40_000, 1400));
    let frames = recv_until(&device, |ip, segment| {
        let last = tcp::Header::parse(segment).is_ok_and(|(tcp, _)| tcp.ack == 40_100);
        ip.protocol == ip::PROTOCOL_TCP && last
    });
    let segments = frames.iter().map(|frame| tcp_of(frame).0);
    segments.filter(|tcp| tcp.flags.contains(tcp::Flags::RST)).map(|tcp| tcp.ack).collect()
}

#[test]
fn with_offload_the_kernel_takes_a_super_segment_as_one() {
    in_own_network(|| {
        assert_eq!(resets_for_super_segment(true, OURS, KERNEL), [40_100]);
        assert_eq!(resets_for_super_segment(true, OURS6, KERNEL6), [40_100]);
    });
}

#[test]
fn without_offload_it_reaches_the_kernel_in_finished_packets() {
    in_own_network(|| {
        let expected: Vec<u32> = (1..=28).map(|n| 100 + 1400 * n).chain([40_100]).collect();
        assert_eq!(resets_for_super_segment(false, OURS, KERNEL), expected);
        assert_eq!(resets_for_super_segment(false, OURS6, KERNEL6), expected);
    });
}

/// Plays a server by hand; the segments of the 14,000 bytes that the kernel then sends at once.
fn kernel_sends_in_bulk(offload: bool, in_bulk: bool) -> Vec<Frame> {
    let config = TunConfig { offload, in_bulk, ..config() };
    let device = TunDevice::open("tcps0", &config).unwrap();
    // A thread that this one starts is in the same namespace.
    let client = thread::spawn(|| {
        let mut stream = TcpStream::connect((OURS, 80)).unwrap();
        stream.write_all(&[7; 14_000]).unwrap();
        let _ = stream.read(&mut [0]);
    });
    let frames = recv_until(&device, is_protocol(ip::PROTOCOL_TCP));
    let (syn, _) = tcp_of(frames.last().unwrap());
    assert!(syn.flags.contains(tcp::Flags::SYN));
    let reply = tcp::Header {
        src_port: 80,
        dst_port: syn.src_port,
        seq: 1,
        ack: syn.seq.wrapping_add(1),
        flags: tcp::Flags::SYN | tcp::Flags::ACK,
        window: 65_535,
        ..Default::default()
    };
    let options = tcpstack::wire::tcp_options::Options { mss: Some(1460), ..Default::default() };
    send(&device, segment(OURS, KERNEL, tcp::Header { options, ..reply }, 0, 0));
    let end = syn.seq.wrapping_add(14_001);
    let frames = recv_until(&device, |_, segment| {
        let (tcp, offset) = tcp::Header::parse(segment).unwrap();
        tcp.seq.wrapping_add((segment.len() - offset) as u32) == end
    });
    let reset = tcp::Header { seq: 2, ack: end, flags: tcp::Flags::RST, ..reply };
    send(&device, segment(OURS, KERNEL, reset, 0, 0));
    client.join().unwrap();
    frames.into_iter().filter(|frame| tcp_of(frame).1 > 0).collect()
}

#[test]
fn with_offload_the_kernel_sends_super_segments() {
    in_own_network(|| {
        let frames = kernel_sends_in_bulk(true, true);
        assert!(frames.len() < 5, "{} frames", frames.len());
        assert!(frames.iter().all(|frame| frame.verification == Verification::Verified));
        assert!(frames.iter().any(|frame| frame.gso_size == 1460), "{frames:?}");
    });
}

#[test]
fn without_offload_the_kernel_sends_finished_packets() {
    in_own_network(|| {
        let frames = kernel_sends_in_bulk(false, false);
        assert!(frames.len() >= 10, "{} frames", frames.len());
        for frame in &frames {
            assert_eq!((frame.verification, frame.gso_size), (Verification::Unverified, 0));
            let ip = ip::Header::parse(&frame.front).unwrap();
            let transport = &frame.front[ip.header_len..];
            assert!(checksum::verify_transport_checksum(&ip, transport));
        }
    });
}

#[test]
fn without_offload_segments_are_merged_here_as_far_as_they_come_together() {
    in_own_network(|| {
        let frames = kernel_sends_in_bulk(false, true);
        let text: Vec<u8> = frames
            .iter()
            .flat_map(|frame| {
                let ip = ip::Header::parse(&frame.front).unwrap();
                let segment = &frame.front[ip.header_len..ip.header_len + ip.payload_len];
                let (_, offset) = tcp::Header::parse(segment).unwrap();
                let merged = segment.len() - offset > 1460;
                assert_eq!(frame.gso_size, if merged { 1460 } else { 0 });
                assert!(!merged || frame.verification == Verification::Verified);
                segment[offset..].to_vec()
            })
            .collect();
        assert_eq!(text, [7; 14_000]);
    });
}

#[test]
fn several_queues_serve_one_interface() {
    in_own_network(|| {
        let device = TunDevice::open("tcps0", &TunConfig { queues: 4, ..config() }).unwrap();
        let socket = UdpSocket::bind((KERNEL, 0)).unwrap();
        for port in 1..100 {
            socket.send_to(&[port], (OURS, u16::from(port))).unwrap();
            recv_until(&device, |_, datagram| datagram.last() == Some(&port));
        }
    });
}

#[test]
fn an_mtu_is_set_and_a_second_opener_is_told_that_it_is_busy() {
    in_own_network(|| {
        let asked = TunConfig { mtu: Some(9000), ..config() };
        let device = TunDevice::open("tcps0", &asked).unwrap();
        assert_eq!(device.mtu(), 9000);
        let error = TunDevice::open("tcps0", &config()).err().unwrap();
        assert_eq!(errno(&error), libc::EBUSY);
        assert!(error.to_string().contains("open in another process"), "{error}");
        drop(device);
        let absurd = TunConfig { mtu: Some(7), ..config() };
        let error = TunDevice::open("tcps0", &absurd).err().unwrap();
        assert_eq!(errno(&error), libc::EINVAL);
        assert!(error.to_string().contains("the MTU 7"), "{error}");
        let error = TunDevice::open("lo", &config()).err().unwrap();
        assert!(error.to_string().contains("`lo` is not a TUN interface"), "{error}");
    });
}

/// Gives up CAP_NET_ADMIN, on this thread alone.
fn drop_privilege() {
    let mut sets = rustix::thread::capabilities(None).unwrap();
    sets.effective.remove(rustix::thread::CapabilitySet::NET_ADMIN);
    sets.permitted.remove(rustix::thread::CapabilitySet::NET_ADMIN);
    rustix::thread::set_capabilities(None, sets).unwrap();
}

#[test]
fn without_privilege_a_persistent_interface_serves_and_anything_else_says_what_to_do() {
    in_own_network(|| {
        let asked = TunConfig { mtu: Some(1400), ..config() };
        tun::create_persistent("tcps0", "root", &asked).unwrap();
        tun::create_persistent("tcps1", "nobody", &config()).unwrap();
        tun::create_persistent("tcps2", "0", &TunConfig { queues: 2, ..config() }).unwrap();
        drop_privilege();

        let device = TunDevice::open("tcps0", &config()).unwrap();
        assert_eq!(device.mtu(), 1400);
        drop(device);
        TunDevice::open("tcps2", &config()).unwrap();

        let advice = |name: &str| format!("`tcpstack tun up {name} --user root`");
        let host = vec![(address("10.8.0.1"), 24)];
        for (name, asked) in [
            ("tcps9", config()),
            ("tcps1", config()),
            ("tcps0", TunConfig { mtu: Some(9000), ..config() }),
            ("tcps0", TunConfig { host, ..config() }),
        ] {
            let error = TunDevice::open(name, &asked).err().unwrap();
            assert_eq!(errno(&error), libc::EPERM, "{error}");
            assert!(error.to_string().contains(&advice(name)), "{error}");
        }
    });
}

#[test]
fn a_persistent_interface_stays_until_it_is_removed() {
    in_own_network(|| {
        tun::create_persistent("tcps0", "root", &config()).unwrap();
        for offload in [true, false, true] {
            TunDevice::open("tcps0", &TunConfig { offload, ..TunConfig::default() }).unwrap();
        }
        let exists = || nix::net::if_::if_nametoindex("tcps0").is_ok();
        assert!(exists());
        tun::remove("tcps0").unwrap();
        assert!(!exists());
        let error = tun::remove("tcps0").unwrap_err();
        assert_eq!(errno(&error), libc::ENODEV);
    });
}

/// RTM_DELLINK over netlink. (A program started for it would for a moment hold copies of the other
/// tests' descriptors.)
fn delete_interface(name: &str) {
    use nix::sys::socket;
    let flags = socket::SockFlag::SOCK_CLOEXEC;
    let netlink = socket::SockProtocol::NetlinkRoute;
    let (family, kind) = (socket::AddressFamily::Netlink, socket::SockType::Raw);
    let socket = socket::socket(family, kind, flags, netlink).unwrap();
    let index = nix::net::if_::if_nametoindex(name).unwrap();
    // Length, type and flags (a request, to be acknowledged); ifinfomsg with the index in its third word.
    let mut message = [0; 32];
    message[0..4].copy_from_slice(&32u32.to_ne_bytes());
    message[4..6].copy_from_slice(&17u16.to_ne_bytes());
    message[6..8].copy_from_slice(&5u16.to_ne_bytes());
    message[20..24].copy_from_slice(&index.to_ne_bytes());
    socket::send(socket.as_raw_fd(), &message, socket::MsgFlags::empty()).unwrap();
    let mut answer = [0; 64];
    socket::recv(socket.as_raw_fd(), &mut answer, socket::MsgFlags::empty()).unwrap();
    assert_eq!(answer[16..20], [0; 4]);
}

#[test]
fn an_interface_that_is_removed_under_us_is_the_devices_end() {
    in_own_network(|| {
        let device = TunDevice::open("tcps0", &config()).unwrap();
        delete_interface("tcps0");
        let error = device.recv(Instant::ZERO, &mut Vec::new()).unwrap_err();
        assert_eq!(errno(&error), libc::EBADFD, "{error}");
        let header = tcp::Header { src_port: 1, dst_port: 9, ..Default::default() };
        let mut batch = VecDeque::from([segment(OURS, KERNEL, header, 1, 0)]);
        let error = device.send(Instant::ZERO, &mut batch).unwrap_err();
        assert!(error.to_string().contains("the TUN interface is gone"), "{error}");
    });
}
