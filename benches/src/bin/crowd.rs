//! Measures what many connections cost, counting every allocation: `bench-crowd [ROW...]` (see
//! `tcpstack_benches::turns`).

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::cell::RefCell;
use std::fs;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};
use tcpstack_benches::hosts::Crowd;
use tcpstack_benches::turns::{self, Contender, Measured, Row, progress};
use tcpstack_benches::{Setting, pattern};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SETTING: Setting = Setting { mtu: 1500, buffer: 1 << 20 };

/// Connections whose memory is counted, or so many.
const IDLE: usize = 100_000;
const MILLION: usize = 1_000_000;

/// How far it grows.
const SIZES: [usize; 7] = [1, 10, 100, 1_000, 10_000, 100_000, MILLION];

/// Packets in each measurement of a size, and measurements.
const PACKETS: usize = 20_000;
const REPETITIONS: usize = 5;

/// Text of one segment, in bytes.
const SEGMENT: usize = 1448;

/// `tcp_keepalive_time` as it comes: after so long each idle connection is asked.
const KEEPALIVE: Duration = Duration::from_secs(7200);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rows = [
        // First, while what is resident is still what this needs.
        Row::once("memory-million", million),
        Row::once("memory-idle-connection", idle_connection),
        Row::once("memory-growth", growth),
    ];
    match turns::run(&rows, &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-crowd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens connections until there are so many.
fn open_until(crowd: &mut Crowd, count: usize) {
    while crowd.len() < count {
        crowd.open((count - crowd.len()).min(100_000));
        progress(&format!("{} connections are open", crowd.len()));
    }
}

fn idle_connection() -> Vec<Contender> {
    let turn = || {
        let before = ALLOCATOR.current_usage();
        let mut crowd = Crowd::new(SETTING);
        open_until(&mut crowd, IDLE);
        (ALLOCATOR.current_usage() - before) as f64 / (2 * IDLE) as f64
    };
    vec![Contender::of("tcpstack", "bytes_per_end", turn)]
}

/// The same two hosts with more and more connections, all of which have something to say in an order
/// that no cache foresees.
fn growth() -> Vec<Contender> {
    let crowd = Rc::new(RefCell::new(Crowd::new(SETTING)));
    let contender = |size: usize| {
        let crowd = Rc::clone(&crowd);
        Contender::new(size.to_string(), move || {
            let mut crowd = crowd.borrow_mut();
            open_until(&mut crowd, size);
            let rounds = (0..REPETITIONS).flat_map(|_| cost_among(&mut crowd));
            Ok(rounds.collect())
        })
    };
    SIZES.map(contender).into()
}

/// What a packet costs, and how much is moved, when it is each time another connection's turn.
fn cost_among(crowd: &mut Crowd) -> Measured {
    let scattered = |step: usize, size: usize| step.wrapping_mul(2_654_435_761) % size;
    let size = crowd.len();
    let started = Instant::now();
    let packets: usize =
        (0..PACKETS / 2).map(|step| crowd.ping_pong(scattered(step, size), 1)).sum();
    let ns_per_packet = started.elapsed().as_nanos() as f64 / packets as f64;
    let message = pattern(SEGMENT);
    let started = Instant::now();
    for step in 0..PACKETS {
        crowd.tell(scattered(step, size), &message);
    }
    let gbit_per_s = (PACKETS * SEGMENT * 8) as f64 / started.elapsed().as_nanos() as f64;
    vec![("ns_per_packet".to_owned(), ns_per_packet), ("gbit_per_s".to_owned(), gbit_per_s)]
}

fn million() -> Vec<Contender> {
    vec![Contender::new("tcpstack", measure_million)]
}

/// A million established connections with keepalives on: their memory, what they cost while idle,
/// and a byte each way on every one of them in the end.
fn measure_million() -> io::Result<Measured> {
    let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
    let (allocated, resident) = (ALLOCATOR.current_usage(), resident_bytes()?);
    let mut crowd = Crowd::new(SETTING);
    let started = Instant::now();
    open_until(&mut crowd, MILLION);
    let opened_per_s = MILLION as f64 / started.elapsed().as_secs_f64();
    crowd.keep_alive();
    let gib_allocated = gib(ALLOCATOR.current_usage() - allocated);
    let gib_resident = gib(resident_bytes()?.saturating_sub(resident));

    progress("two hours pass: each connection is asked whether it is still there");
    let before = processor_time();
    let probes = crowd.pass(KEEPALIVE + Duration::from_secs(60));
    let idle_share = (processor_time() - before).as_secs_f64() / KEEPALIVE.as_secs_f64();

    progress("a byte each way on every connection");
    let started = Instant::now();
    for index in 0..MILLION {
        crowd.ping_pong(index, 1);
    }
    let asked_per_s = MILLION as f64 / started.elapsed().as_secs_f64();
    let measured = [
        ("gib_allocated", gib_allocated),
        ("gib_resident", gib_resident),
        ("bytes_per_end", gib_allocated * f64::from(1 << 30) / (2 * MILLION) as f64),
        ("opened_per_s", opened_per_s),
        ("keepalive_segments", probes as f64),
        ("idle_cpu_percent", idle_share * 100.0),
        ("bytes_checked_each_way", MILLION as f64),
        ("round_trips_per_s", asked_per_s),
    ];
    Ok(measured.map(|(quantity, value)| (quantity.to_owned(), value)).into())
}

/// Memory of this process that is in use, in bytes.
fn resident_bytes() -> io::Result<usize> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident = pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    Ok(resident.unwrap_or_default() * rustix::param::page_size())
}

/// Time that this process has used a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
