//! Measures in memory, tcpstack beside smoltcp and memcpy: `bench-memory [ROW...]` (see
//! `tcpstack_benches::turns`).

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::cell::RefCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use tcpstack::blocks;
use tcpstack::wire::checksum;
use tcpstack_benches::hosts::{Bulk, Crowd, Segmentation};
use tcpstack_benches::turns::{self, Contender, Row};
use tcpstack_benches::{CALL, Pair, Setting, interfaces, pattern};

const SETTING: Setting = Setting { mtu: 1500, buffer: 1 << 20 };

/// Bytes moved in each turn.
const LEN: usize = 256 << 20;

/// Text of a segment with timestamps, in bytes.
const SEGMENT: usize = 1448;

/// Sockets on each side, idle beside one connection that opens, speaks and closes, or doing that all
/// together.
const SOCKETS: usize = 1000;

/// Their buffers, which smoltcp takes at once.
const SMALL: Setting = Setting { mtu: 1500, buffer: 16 * 1024 };

/// Connections that do nothing beside the one that does.
const IDLE: usize = 100_000;

/// Bytes that go to and fro in each turn.
const ROUND_TRIPS: usize = 20_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rows = [
        Row::new("memory-segments", segments),
        Row::new("memory-super-segments", super_segments),
        Row::new("memory-churn", churn),
        Row::new("memory-churn-together", churn_together),
        Row::new("memory-idle-beside", idle_beside),
        Row::new("memory-threads", threads),
    ];
    match turns::run(&rows, &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn gbit_per_s(len: usize, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    len as f64 * 8.0 / started.elapsed().as_secs_f64() / 1e9
}

/// A contender that moves bytes through one connection.
fn mover(name: &str, mut pair: impl Pair + 'static) -> Contender {
    // The windows open.
    pair.transfer(LEN / 8);
    Contender::of(name, "gbit_per_s", move || gbit_per_s(LEN, || pair.transfer(LEN)))
}

fn segments() -> Vec<Contender> {
    vec![
        mover("smoltcp", interfaces::Bulk::connect(SETTING)),
        mover("tcpstack", Bulk::connect(SETTING, Segmentation::None)),
        mover("passes_alone", FourPasses::new()),
    ]
}

/// What segments do to their bytes, and nothing else: into a buffer, summed into a packet, summed into
/// another buffer, and out of it.
struct FourPasses {
    memory: [Vec<u8>; 5],
}

impl FourPasses {
    fn new() -> FourPasses {
        // No two at the same place of a page, where processors take one for the other.
        FourPasses { memory: [0, 1, 2, 3, 4].map(|at| pattern(CALL + at * SEGMENT)) }
    }
}

impl Pair for FourPasses {
    fn transfer(&mut self, len: usize) {
        let [source, sent, packets, received, sink] = &mut self.memory;
        for _ in 0..len / CALL {
            blocks::copy(black_box(source), black_box(&mut sent[..CALL]));
            copy_segments(&sent[..CALL], &mut packets[..CALL]);
            copy_segments(&packets[..CALL], &mut received[..CALL]);
            blocks::copy(black_box(&received[..CALL]), black_box(&mut sink[..CALL]));
        }
    }
}

fn super_segments() -> Vec<Contender> {
    vec![
        mover("memcpy_twice", MemcpyTwice::new()),
        mover("tcpstack", Bulk::connect(SETTING, Segmentation::Super)),
        mover("tcpstack_checksums", Bulk::connect(SETTING, Segmentation::SuperWithChecksums)),
    ]
}

/// Copies and sums, segment by segment.
fn copy_segments(from: &[u8], to: &mut [u8]) {
    for (from, to) in from.chunks(SEGMENT).zip(to.chunks_mut(SEGMENT)) {
        black_box(checksum::copy(black_box(from), to));
    }
}

/// The least that an application's bytes on their way through a buffer cost: in and out.
struct MemcpyTwice {
    source: Vec<u8>,
    buffer: Vec<u8>,
    sink: Vec<u8>,
}

impl MemcpyTwice {
    fn new() -> MemcpyTwice {
        MemcpyTwice { source: pattern(CALL), buffer: vec![0; SETTING.buffer], sink: vec![0; CALL] }
    }
}

impl Pair for MemcpyTwice {
    fn transfer(&mut self, len: usize) {
        for _ in 0..len / self.buffer.len() {
            for room in self.buffer.chunks_exact_mut(CALL) {
                blocks::copy(black_box(&self.source), black_box(room));
            }
            for data in self.buffer.chunks_exact(CALL) {
                blocks::copy(black_box(data), black_box(&mut self.sink));
            }
        }
    }
}

/// Connections one after the other, beside so many that are idle.
fn churn() -> Vec<Contender> {
    let mut smoltcp = interfaces::Crowd::new(SMALL, SOCKETS, 1);
    let mut tcpstack = Crowd::new(SMALL);
    tcpstack.open(SOCKETS);
    vec![
        opener("smoltcp", 200, 1, move || smoltcp.churn()),
        opener("tcpstack", 2000, 1, move || tcpstack.churn(1)),
    ]
}

/// As many connections at the same time.
fn churn_together() -> Vec<Contender> {
    let mut smoltcp = interfaces::Crowd::new(SMALL, 0, SOCKETS);
    let mut tcpstack = Crowd::new(SMALL);
    vec![
        opener("smoltcp", 2, SOCKETS, move || smoltcp.churn()),
        opener("tcpstack", 10, SOCKETS, move || tcpstack.churn(SOCKETS)),
    ]
}

/// A contender that opens and closes `together` connections each time, so many times.
fn opener(
    name: &str,
    times: usize,
    together: usize,
    mut churn: impl FnMut() + 'static,
) -> Contender {
    Contender::of(name, "connections_per_s", move || {
        let started = Instant::now();
        for _ in 0..times {
            churn();
        }
        (times * together) as f64 / started.elapsed().as_secs_f64()
    })
}

fn idle_beside() -> Vec<Contender> {
    let contender = |name: &str, connections| {
        let mut crowd = Crowd::new(SETTING);
        crowd.open(connections);
        Contender::of(name, "ns_per_packet", move || {
            let started = Instant::now();
            let packets = crowd.ping_pong(0, ROUND_TRIPS);
            started.elapsed().as_nanos() as f64 / packets as f64
        })
    };
    vec![contender("one", 1), contender("beside_100000", IDLE)]
}

/// Beside two pairs of hosts, what the machine itself makes of two threads that only copy.
fn threads() -> Vec<Contender> {
    let hosts = || Bulk::connect(SETTING, Segmentation::None);
    let mut contenders = alone_and_together(["one_thread", "two_threads"], hosts);
    contenders.extend(alone_and_together(["one_copies", "two_copy"], MemcpyTwice::new));
    contenders
}

/// One of two pairs in this thread, and both in a thread each.
fn alone_and_together<P: Pair + Send + 'static>(
    names: [&str; 2],
    pair: impl Fn() -> P,
) -> Vec<Contender> {
    let (mut first, mut second) = (pair(), pair());
    for pair in [&mut first, &mut second] {
        pair.transfer(LEN / 8);
    }
    let pairs = Rc::new(RefCell::new((first, second)));
    let both = Rc::clone(&pairs);
    let one = move || {
        let (first, _) = &mut *pairs.borrow_mut();
        gbit_per_s(LEN, || first.transfer(LEN))
    };
    let two = move || {
        let (first, second) = &mut *both.borrow_mut();
        gbit_per_s(2 * LEN, || {
            let start = Barrier::new(2);
            thread::scope(|scope| {
                for pair in [first, second] {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        pair.transfer(LEN);
                    });
                }
            });
        })
    };
    vec![Contender::of(names[0], "gbit_per_s", one), Contender::of(names[1], "gbit_per_s", two)]
}
