//! `user:` stacks under a manual clock: the test is the network, and owns time.

mod net_support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_support::now;
use tcpstack::host::{Domain, Error, SocketOption};
use tcpstack::net::{
    DescriptorKind, Flags, Socket, SocketError, Stack, close_descriptor, connect_descriptor,
    hand_out, lookup, open_descriptor,
};
use tcpstack::tcp::State;

/// Two stacks, a wire of fixed delay between them, and one clock.
struct World {
    stacks: [Stack; 2],
    /// When, to whom, what.
    wire: Mutex<VecDeque<(u64, usize, Vec<u8>)>>,
    now_us: Mutex<u64>,
}

const DELAY_US: u64 = 10_000;

impl World {
    fn new(keys: &str) -> Arc<World> {
        let open = |host| {
            let url = format!("user:?addr=10.7.0.{host}/24&seed={host}&clock=manual{keys}");
            Stack::open(&url).unwrap()
        };
        let world = Arc::new(World {
            stacks: [open(1), open(2)],
            wire: Mutex::default(),
            now_us: Mutex::new(0),
        });
        for stack in &world.stacks {
            // Whoever waits lets the world go on. The world must not keep itself alive.
            let world = Arc::downgrade(&world);
            stack.set_wait(Some(Arc::new(move |deadline_us| {
                world.upgrade().is_some_and(|world| world.go_on(deadline_us))
            })));
        }
        world
    }

    /// Puts on the wire what the stacks have to send.
    fn collect(&self) {
        let now_us = *self.now_us.lock().unwrap();
        for (from, stack) in self.stacks.iter().enumerate() {
            let mut packet = [0; 2000];
            loop {
                let len = stack.output(&mut packet).unwrap();
                if len == 0 {
                    break;
                }
                let due = (now_us + DELAY_US, 1 - from, packet[..len].to_vec());
                self.wire.lock().unwrap().push_back(due);
            }
        }
    }

    /// Moves time to the next thing that happens, but not past `deadline_us`. False: nothing ever
    /// will.
    fn go_on(&self, deadline_us: u64) -> bool {
        self.collect();
        let now_us = *self.now_us.lock().unwrap();
        let arrival = self.wire.lock().unwrap().front().map(|(due_us, ..)| *due_us);
        let timers = self.stacks.iter().filter_map(|stack| stack.poll(now_us).unwrap());
        let next = timers.chain(arrival).chain([deadline_us]).min().unwrap();
        if next == u64::MAX {
            return false;
        }
        self.set_time(next.max(now_us));
        true
    }

    fn set_time(&self, time_us: u64) {
        *self.now_us.lock().unwrap() = time_us;
        loop {
            let arrived = {
                let mut wire = self.wire.lock().unwrap();
                match wire.front() {
                    Some((due_us, ..)) if *due_us <= time_us => wire.pop_front(),
                    _ => None,
                }
            };
            let Some((_, to, packet)) = arrived else { break };
            self.stacks[to].poll(time_us).unwrap();
            self.stacks[to].input(&packet).unwrap();
        }
        for stack in &self.stacks {
            stack.poll(time_us).unwrap();
        }
        self.collect();
    }

    fn time_us(&self) -> u64 {
        *self.now_us.lock().unwrap()
    }

    fn listener(&self) -> Socket {
        let listener = self.stacks[1].socket(Domain::V4).unwrap();
        listener.bind("10.7.0.2:7777".parse().unwrap()).unwrap();
        listener.listen(4).unwrap();
        listener
    }

    fn connection(&self) -> (Socket, Socket) {
        let listener = self.listener();
        let client = self.stacks[0].socket(Domain::V4).unwrap();
        client.connect("10.7.0.2:7777".parse().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        (client, server)
    }
}

#[test]
fn connecting_takes_one_round_trip_of_virtual_time() {
    let world = World::new("");
    let _listener = world.listener();
    let client = world.stacks[0].socket(Domain::V4).unwrap();
    client.connect("10.7.0.2:7777".parse().unwrap()).unwrap();
    assert_eq!(world.time_us(), 2 * DELAY_US);
}

#[test]
fn blocking_calls_move_data_through_the_wait_function() {
    let world = World::new("");
    let (client, server) = world.connection();
    let data = net_support::pattern(50_000);
    assert_eq!(client.send(&data, Flags::default()).unwrap(), data.len());
    let mut received = vec![0; data.len()];
    let wait_all = Flags { wait_all: true, ..Flags::default() };
    assert_eq!(server.recv(&mut received, wait_all).unwrap(), data.len());
    assert!(received == data);
}

#[test]
fn the_same_seeds_give_the_same_run_to_the_byte() {
    let run = || {
        let world = World::new("&loss=10%&delay=1ms&jitter=1ms");
        let packets = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&packets);
        let observer = Box::new(move |json: &str| seen.lock().unwrap().push(json.to_owned()));
        world.stacks[0].on_event(Some(observer));
        let (client, server) = world.connection();
        client.send(&net_support::pattern(20_000), Flags::default()).unwrap();
        let mut received = vec![0; 20_000];
        server.recv(&mut received, Flags { wait_all: true, ..Flags::default() }).unwrap();
        client.close().unwrap();
        server.close().unwrap();
        world.stacks[0].on_event(None);
        let packets = packets.lock().unwrap().clone();
        (packets, world.time_us())
    };
    let (first, second) = (run(), run());
    assert!(first.0.len() > 20);
    assert!(first == second);
}

#[test]
fn a_minute_of_time_wait_passes_at_once() {
    let world = World::new("");
    let (client, server) = world.connection();
    client.close().unwrap();
    assert_eq!(server.recv(&mut [0; 1], Flags::default()).unwrap(), 0);
    server.close().unwrap();
    let start = now();
    while world.stacks[0].connections().iter().all(|row| row.state != State::TimeWait) {
        assert!(world.go_on(u64::MAX));
    }
    let began_us = world.time_us();
    while !world.stacks[0].connections().is_empty() {
        assert!(world.go_on(u64::MAX));
    }
    assert_eq!(world.time_us() - began_us, 60_000_000);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_timeout_passes_in_virtual_time() {
    let world = World::new("");
    let (client, _server) = world.connection();
    let began_us = world.time_us();
    client.set_recv_timeout(Some(Duration::from_secs(3600)));
    let error = client.recv(&mut [0; 1], Flags::default()).unwrap_err();
    assert_eq!(error, SocketError::Host(Error::WouldBlock));
    assert_eq!(world.time_us() - began_us, 3_600_000_000);
}

#[test]
fn a_wait_function_that_gives_up_interrupts_and_none_is_a_deadlock() {
    let stack = Stack::open("user:?clock=manual&seed=1").unwrap();
    let listener = stack.socket(Domain::V4).unwrap();
    listener.listen(1).unwrap();
    let waiting = || listener.accept().map(|_| ()).unwrap_err();
    assert_eq!(waiting(), SocketError::Os(libc::EDEADLK));
    stack.set_wait(Some(Arc::new(|_| false)));
    assert_eq!(waiting(), SocketError::Interrupted);
}

#[test]
fn the_clock_goes_forward_only_and_only_if_it_is_manual() {
    let stack = Stack::open("user:?clock=manual&seed=1").unwrap();
    assert!(stack.is_manual());
    assert_eq!(stack.poll(5).unwrap(), None);
    assert_eq!(stack.poll(4).unwrap_err(), Error::Invalid.into());
    let real = Stack::open("user:?seed=1").unwrap();
    assert!(!real.is_manual());
    assert_eq!(real.poll(5).unwrap_err(), Error::NotSupported.into());
}

#[test]
fn a_syn_is_there_when_connect_returns_and_a_small_buffer_leaves_it() {
    let stack = Stack::open("user:?clock=manual&seed=1").unwrap();
    let client = stack.socket(Domain::V4).unwrap();
    client.set_nonblocking(true);
    let error = client.connect("10.7.0.9:80".parse().unwrap()).unwrap_err();
    assert_eq!(error, Error::InProgress.into());
    assert_eq!(stack.output(&mut [0; 10]).unwrap_err(), Error::MessageSize.into());
    let mut packet = [0; 1500];
    let len = stack.output(&mut packet).unwrap();
    assert!(len >= 40 && packet[0] == 0x45 && packet[9] == 6, "an IPv4 packet of TCP");
    assert_eq!(stack.output(&mut packet).unwrap(), 0);
    // The retransmission is due at exactly the initial timeout.
    let next_us = stack.poll(0).unwrap().unwrap();
    assert_eq!(next_us, 1_000_000);
    stack.poll(next_us - 1).unwrap();
    assert_eq!(stack.output(&mut packet).unwrap(), 0);
    stack.poll(next_us).unwrap();
    assert_eq!(stack.output(&mut packet).unwrap(), len);
}

#[test]
fn garbage_is_counted_and_a_full_queue_outwards_holds_nothing_up() {
    let stack = Stack::open("user:?clock=manual&seed=1").unwrap();
    for len in 0..200 {
        stack.input(&vec![0x45; len]).unwrap();
    }
    assert_eq!(stack.input(&vec![0; 65_536]).unwrap_err(), Error::MessageSize.into());
    let sockets: Vec<_> = (1..=400_u16)
        .map(|port| {
            let socket = stack.socket(Domain::V4).unwrap();
            socket.set_nonblocking(true);
            socket.connect(format!("10.7.0.9:{port}").parse().unwrap()).unwrap_err();
            socket
        })
        .collect();
    let mut packet = [0; 1500];
    let mut count = 0;
    while stack.output(&mut packet).unwrap() > 0 {
        count += 1;
    }
    assert_eq!(count, sockets.len());
}

#[test]
fn packets_belong_to_user_stacks_alone() {
    let network = net_support::Network::new();
    assert_eq!(network.alice.input(&[0x45]).unwrap_err(), Error::NotSupported.into());
    assert_eq!(network.alice.output(&mut [0; 9]).unwrap_err(), Error::NotSupported.into());
}

#[test]
fn a_user_stack_with_the_real_clock_runs_its_timers_itself() {
    let stack = Stack::open("user:?seed=1&tcp_initial_rto_ms=50").unwrap();
    let client = stack.socket(Domain::V4).unwrap();
    client.set_nonblocking(true);
    client.connect("10.7.0.9:80".parse().unwrap()).unwrap_err();
    let mut packet = [0; 1500];
    let len = stack.output(&mut packet).unwrap();
    assert!(len > 0);
    net_support::eventually("the SYN is repeated", || stack.output(&mut packet).unwrap() == len);
}

#[test]
fn a_descriptor_that_is_handed_out_shows_what_is_there_without_an_engine() {
    let world = World::new("");
    let listener = world.listener();
    let kind = DescriptorKind::OnDemand;
    let fd = open_descriptor(&world.stacks[0], Domain::V4, kind, false, true).unwrap();
    connect_descriptor(fd, "10.7.0.2:7777".parse().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.send(b"hello", Flags::default()).unwrap();
    let peek = Flags { peek: true, ..Flags::default() };
    assert_eq!(lookup(fd).unwrap().recv(&mut [0; 8], peek), Ok(5));
    hand_out(fd).unwrap();
    assert_eq!(net_support::mask(fd), "IN|OUT");
    close_descriptor(fd).unwrap();
}

#[test]
fn descriptors_work_without_an_engine() {
    let world = World::new("");
    let listener = world.listener();
    for kind in [DescriptorKind::Direct, DescriptorKind::Bridged, DescriptorKind::OnDemand] {
        let fd = open_descriptor(&world.stacks[0], Domain::V4, kind, false, true).unwrap();
        connect_descriptor(fd, "10.7.0.2:7777".parse().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        match kind {
            DescriptorKind::Direct | DescriptorKind::OnDemand => {
                assert_eq!(lookup(fd).unwrap().send(b"hello", Flags::default()).unwrap(), 5);
            }
            DescriptorKind::Bridged => {
                let empty = nix::sys::socket::MsgFlags::empty();
                assert_eq!(nix::sys::socket::send(fd, b"hello", empty).unwrap(), 5);
                // The next turn of the world moves it on.
            }
        }
        let mut text = [0; 5];
        let wait_all = Flags { wait_all: true, ..Flags::default() };
        assert_eq!(server.recv(&mut text, wait_all).unwrap(), 5);
        assert_eq!(&text, b"hello");
        close_descriptor(fd).unwrap();
        assert_eq!(server.recv(&mut text, wait_all).unwrap(), 0);
    }
}

#[test]
fn all_that_may_leave_is_had_without_a_poll() {
    let capture = std::env::temp_dir().join(format!("tcps-{}.pcapng", std::process::id()));
    for keys in [String::new(), format!("&pcap={}", capture.display())] {
        let world = World::new(&format!("&tcp_initial_window=1000{keys}"));
        let (client, _server) = world.connection();
        client.set_option(SocketOption::MaxSegment(88)).unwrap();
        client.send(&[7; 40_000], Flags::default()).unwrap();
        let mut packet = [0; 2000];
        let had = std::iter::from_fn(|| {
            let len = world.stacks[0].output(&mut packet).unwrap();
            (len > 0).then_some(len)
        });
        assert!(had.count() > 400, "what the queue could not hold is left behind");
    }
    std::fs::remove_file(capture).unwrap();
}

#[test]
fn a_timeout_below_zero_has_passed_already() {
    let world = World::new("");
    let (client, _server) = world.connection();
    let time = [(-1_i64).to_ne_bytes(), 0_i64.to_ne_bytes()].concat();
    client.set_raw_option(libc::SOL_SOCKET, libc::SO_RCVTIMEO, &time).unwrap();
    let before = world.time_us();
    assert_eq!(client.recv(&mut [0], Flags::default()), Err(Error::WouldBlock.into()));
    assert_eq!(world.time_us(), before);
}
