use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;

use bytes::Bytes;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Uid;

use super::*;
use crate::device::errno;
use crate::wire::icmp::{self, ErrorKind, Message};
use crate::wire::packet::Verification;
use crate::wire::{ip, tcp};

const A: &str = "10.0.0.1";
const B: &str = "10.0.0.2";
const C: &str = "10.0.0.3";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn open(directory: &Path, addresses: &[&str]) -> UnixDevice {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| address(text)).collect();
    UnixDevice::open(Some(directory), &addresses, 1500).unwrap()
}

fn open_error(directory: &Path, addresses: &[&str]) -> io::Error {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| address(text)).collect();
    UnixDevice::open(Some(directory), &addresses, 1500).err().expect("it is refused")
}

fn segment(src: &str, dst: &str, seq: u32, len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new(address(src), address(dst), ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header { src_port: 1, dst_port: 2, seq, ..Default::default() };
    Transmit::tcp(ip, &tcp, Bytes::from(vec![7; len]).into(), gso_size, None)
}

fn send(device: &UnixDevice, transmits: impl IntoIterator<Item = Transmit>) {
    let mut batch: VecDeque<_> = transmits.into_iter().collect();
    device.send(Instant::ZERO, &mut batch).unwrap();
    assert!(batch.is_empty());
}

fn recv(device: &UnixDevice) -> Vec<Frame> {
    let mut frames = Vec::new();
    device.recv(Instant::ZERO, &mut frames).unwrap();
    frames
}

/// Whether `recv` has work.
fn has_work(device: &UnixDevice) -> bool {
    let mut fds = [PollFd::new(device.work.0.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
}

fn count(device: &UnixDevice, name: &str) -> u64 {
    device.counters().into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn seq_of(frame: &Frame) -> u32 {
    let ip = ip::Header::parse(&frame.front).unwrap();
    tcp::Header::parse(&frame.front[ip.header_len..]).unwrap().0.seq
}

/// Lets `from` and `to` run until neither has work; the sequence numbers that arrive at `to`.
fn deliver(from: &UnixDevice, to: &UnixDevice) -> Vec<u32> {
    let mut seqs = Vec::new();
    while has_work(from) || has_work(to) {
        seqs.extend(recv(to).iter().map(seq_of));
        assert!(recv(from).is_empty());
    }
    seqs
}

#[test]
fn packets_of_both_ip_versions_arrive_whole() {
    let directory = tempfile::tempdir().unwrap();
    let a = open(directory.path(), &[A, "fd00::1"]);
    let b = open(directory.path(), &[B, "fd00::2"]);
    send(&a, [segment(A, B, 1, 65_000, 1400), segment("fd00::1", "fd00::2", 2, 100, 0)]);
    assert!(has_work(&b) && !has_work(&a));
    let mut frames = recv(&b);
    frames.sort_by_key(seq_of);
    assert_eq!((frames[0].front.len(), frames[0].gso_size), (65_040, 1400));
    assert_eq!((frames[1].front.len(), frames[1].gso_size), (160, 0));
    assert!(frames.iter().all(|frame| frame.verification == Verification::Verified));
    assert!(!has_work(&b));
}

#[test]
fn a_finished_checksum_is_left_for_the_host_to_verify() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &[A]), open(directory.path(), &[B]));
    let mut finished = segment(A, B, 1, 10, 0);
    finished.complete_checksum();
    send(&a, [finished]);
    assert_eq!(recv(&b)[0].verification, Verification::Unverified);
}

#[test]
fn the_largest_super_segment_fits() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &["fd00::1"]), open(directory.path(), &["fd00::2"]));
    send(&a, [segment("fd00::1", "fd00::2", 1, GSO_MAX_PAYLOAD, 1400)]);
    assert_eq!(recv(&b)[0].front.len(), GSO_MAX_PAYLOAD + 60);
}

#[test]
fn far_more_than_the_kernel_queues_arrives_complete_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &[A]), open(directory.path(), &[B]));
    send(&a, (0..3000).map(|seq| segment(A, B, seq, 1000, 0)));
    assert!(!has_work(&a), "a full peer is not busy waiting");
    assert_eq!(deliver(&a, &b), (0..3000).collect::<Vec<_>>());
    send(&a, (0..100).map(|seq| segment(A, B, seq, 64_000, 1400)));
    assert_eq!(deliver(&a, &b), (0..100).collect::<Vec<_>>());
    assert_eq!(count(&a, "unix_queue_full_out"), 0);
}

#[test]
fn whoever_sleeps_until_there_is_work_misses_none_that_another_thread_made() {
    const PACKETS: usize = 3000;
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &[A]), open(directory.path(), &[B]));
    // Sleeps as an engine does, and receives until `is_done`.
    let run = |device: &UnixDevice, is_done: &dyn Fn(usize) -> bool| {
        let mut received = 0;
        while !is_done(received) {
            let mut fds = [PollFd::new(device.work.0.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut fds, PollTimeout::from(10_000u16)), Ok(1), "{received} so far");
            received += recv(device).len();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(&a, &|received| received == 1));
        scope.spawn(|| {
            run(&b, &|received| received == PACKETS);
            send(&b, [segment(B, A, 1, 1, 0)]);
        });
        for seq in 0..PACKETS {
            send(&a, [segment(A, B, seq as u32, 1000, 0)]);
        }
    });
    assert_eq!(count(&a, "unix_queue_full_out"), 0);
}

#[test]
fn a_peer_that_does_not_read_holds_up_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &[A]), open(directory.path(), &[B]));
    let _deaf = open(directory.path(), &[C]);
    send(&a, (0..500).map(|seq| segment(A, C, seq, 1000, 0)));
    send(&a, (0..500).map(|seq| segment(A, B, seq, 1000, 0)));
    assert_eq!(deliver(&a, &b).len(), 500);
}

#[test]
fn a_queue_is_bounded_and_what_does_not_fit_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let a = open(directory.path(), &[A]);
    let b = open(directory.path(), &[B]);
    send(&a, (0..10_000).map(|seq| segment(A, B, seq, 1, 0)));
    let dropped = count(&a, "unix_queue_full_out");
    assert!(dropped > 5000, "{dropped}");
    assert_eq!(deliver(&a, &b).len() as u64, 10_000 - dropped);
}

#[test]
fn an_address_that_nobody_has_is_answered_as_unreachable() {
    let directory = tempfile::tempdir().unwrap();
    let device = open(directory.path(), &[A, "fd00::1"]);
    for (src, dst) in [(A, B), ("fd00::1", "fd00::2")] {
        send(&device, [segment(src, dst, 77, 100, 0)]);
        assert!(has_work(&device));
        let frames = recv(&device);
        let ip = ip::Header::parse(&frames[0].front).unwrap();
        assert_eq!((ip.src, ip.dst), (address(src), address(src)));
        let Message::Error { kind, quoted } =
            icmp::parse(&ip, &frames[0].front[ip.header_len..]).unwrap()
        else {
            panic!("it is an error");
        };
        assert_eq!(kind, ErrorKind::HostUnreachable);
        assert_eq!((quoted.src, quoted.dst, quoted.seq), (address(src), address(dst), 77));
        assert!(!has_work(&device));
    }
    assert_eq!(count(&device, "unix_unreachable_out"), 2);
}

#[test]
fn no_answer_is_given_where_none_may_be() {
    let directory = tempfile::tempdir().unwrap();
    let device = open(directory.path(), &[A]);
    let ping = Transmit::complete(icmp::echo_reply(address(A), address(B), &[0; 4]), None);
    let groups = ["224.0.0.1", "255.255.255.255"].map(|dst| segment(A, dst, 1, 1, 0));
    send(&device, [ping].into_iter().chain(groups));
    assert!(recv(&device).is_empty());
    assert_eq!(count(&device, "unix_unreachable_out"), 3);
    send(&device, [Transmit::complete(vec![0x45, 0], None)]);
    assert_eq!(count(&device, "unix_refused_out"), 1);
}

#[test]
fn answers_to_ourselves_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let device = open(directory.path(), &[A]);
    send(&device, (0..1000).map(|seq| segment(A, B, seq, 1, 0)));
    assert_eq!(recv(&device).len(), UNREACHABLE_MAX);
    assert!(!has_work(&device));
}

#[test]
fn packets_that_wait_for_a_peer_that_ends_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (open(directory.path(), &[A]), open(directory.path(), &[B]));
    let kernel_queue = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    let kernel_queue: u32 = kernel_queue.trim().parse().unwrap();
    send(&a, (0..kernel_queue + 40).map(|seq| segment(A, B, seq, 1, 0)));
    drop(b);
    assert!(has_work(&a), "the end of the peer wakes whoever waits");
    // The kernel's queue held at most one more than its limit, and took them along.
    let answered = recv(&a).len();
    assert!((39..=UNREACHABLE_MAX).contains(&answered), "{answered}");
    assert!(!has_work(&a));
}

#[test]
fn a_peer_that_starts_anew_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let a = open(directory.path(), &[A]);
    let b = open(directory.path(), &[B]);
    send(&a, [segment(A, B, 1, 1, 0)]);
    drop(b);
    let b = open(directory.path(), &[B]);
    send(&a, [segment(A, B, 2, 1, 0)]);
    assert_eq!(recv(&b).iter().map(seq_of).collect::<Vec<_>>(), [2]);
    assert!(recv(&a).is_empty());
}

#[test]
fn an_address_in_use_is_refused_with_the_name_of_its_holder() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(directory.path(), &[A]);
    let error = open_error(directory.path(), &[B, A]);
    assert_eq!(errno(&error), libc::EADDRINUSE);
    let me = format!("(process {})", std::process::id());
    assert!(error.to_string().contains(&me), "{error}");
    assert!(!directory.path().join(B).exists(), "no address is kept when one fails");
}

#[test]
fn a_name_left_behind_is_taken_over_and_a_file_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(A);
    drop(UnixDatagram::bind(&path).unwrap());
    assert!(path.exists());
    drop(open(directory.path(), &[A]));
    assert!(!path.exists(), "the name goes with the device");
    std::fs::write(&path, "mine").unwrap();
    let error = open_error(directory.path(), &[A]);
    assert_eq!(errno(&error), libc::EADDRINUSE);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_successor_keeps_its_name_when_the_predecessor_goes() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), &[A]);
    std::fs::remove_file(directory.path().join(A)).unwrap();
    let _second = open(directory.path(), &[A]);
    drop(first);
    assert!(directory.path().join(A).exists());
}

#[test]
fn garbage_is_counted_and_never_a_frame() {
    let directory = tempfile::tempdir().unwrap();
    let device = open(directory.path(), &[A]);
    let sender = UnixDatagram::unbound().unwrap();
    let packet = segment(C, A, 1, 100, 0).to_bytes();
    let datagram = |prefix: [u8; 10], packet: &[u8]| [&prefix[..], packet].concat();
    let good = datagram([1, 1, 0, 50, 0, 20, 0, 16, 0, 0], &packet);
    for bad in [
        Vec::new(),
        good[..9].to_vec(),
        good[..10].to_vec(),
        good[..29].to_vec(),
        datagram([2, 1, 0, 50, 0, 20, 0, 16, 0, 0], &packet),
        datagram([1, 2, 0, 0, 0, 20, 0, 16, 0, 0], &packet),
        datagram([1, 1, 0, 50, 0, 20, 0, 16, 0, 1], &packet),
        datagram([1, 1, 0, 50, 0, 19, 0, 16, 0, 0], &packet),
        datagram([1, 1, 0, 50, 0, 20, 0, 119, 0, 0], &packet),
        datagram([1, 1, 0, 50, 255, 255, 255, 255, 0, 0], &packet),
        datagram([1, 0, 0, 50, 0, 0, 0, 0, 0, 0], &packet),
        datagram([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x55; 40]),
        datagram([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x45; 70_000]),
    ] {
        let before = count(&device, "unix_garbage_in");
        sender.send_to(&bad, directory.path().join(A)).unwrap();
        assert!(recv(&device).is_empty());
        assert_eq!(count(&device, "unix_garbage_in"), before + 1, "{bad:?}");
    }
    sender.send_to(&good, directory.path().join(A)).unwrap();
    assert_eq!(recv(&device)[0].gso_size, 50);
}

#[test]
fn a_directory_that_others_may_enter_is_not_taken_for_this_users_own() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("network");
    let uid = Uid::effective();
    let check = |directory: &Path| directory::check_private(directory, uid);
    std::fs::create_dir(&directory).unwrap();
    let set_mode = |mode| {
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o700);
    check(&directory).unwrap();
    let link = parent.path().join("link");
    symlink(&directory, &link).unwrap();
    assert_eq!(errno(&check(&link).unwrap_err()), libc::EACCES);
    let other = Uid::from_raw(uid.as_raw() + 1);
    assert_eq!(errno(&directory::check_private(&directory, other).unwrap_err()), libc::EACCES);
    set_mode(0o755);
    let error = check(&directory).unwrap_err();
    assert!(error.to_string().contains("with mode 0700"), "{error}");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let parent = tempfile::tempdir().unwrap();
    let error = open_error(parent.path(), &[]);
    assert_eq!(errno(&error), libc::EINVAL);
    let error = open_error(&parent.path().join("x".repeat(100)), &[A]);
    assert_eq!(errno(&error), libc::ENAMETOOLONG);
    let file = parent.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open_error(&file, &[A]);
    assert!(error.to_string().contains("as a network"), "{error}");
}
