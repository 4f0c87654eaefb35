//! The client: a plain program with the kernel's sockets, and the stopwatch.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn};

use super::{CLIENT, PORT, SERVER, Task, Work, server_address};
use crate::CALL;
use crate::turns::Measured;

/// Connections that are opened at a time when connections are counted.
const OPENING: usize = 8;

/// The first of the client's ports where they are chosen, so that two connections differ in the
/// lowest bit of theirs whatever spreads them over queues.
const FIRST_PORT: u16 = 40_000;

/// Connects to the server and does the work; what it took.
///
/// # Errors
/// A connection broke, or more or less arrived than was to.
pub fn measure(task: Task) -> io::Result<Measured> {
    match task.row.work {
        Work::ToKernel { connections } => take(task.amount(), connections),
        Work::FromKernel => give(task.amount()),
        Work::PingPong { count } => ping_pong(count),
        Work::Accept { count } => open(count),
    }
}

fn gbit_per_s(amount: usize, took: Duration) -> Measured {
    vec![("gbit_per_s".to_owned(), amount as f64 * 8.0 / took.as_secs_f64() / 1e9)]
}

/// A connection from the `index`th chosen port.
fn connect_from(index: u16) -> io::Result<TcpStream> {
    let (family, kind) = (AddressFamily::Inet, SockType::Stream);
    let descriptor = socket::socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    let local = SockaddrIn::from(SocketAddrV4::new(CLIENT, FIRST_PORT + index));
    socket::bind(descriptor.as_raw_fd(), &local)?;
    let remote = SockaddrIn::from(SocketAddrV4::new(SERVER, PORT));
    socket::connect(descriptor.as_raw_fd(), &remote)?;
    Ok(descriptor.into())
}

fn take(amount: usize, connections: usize) -> io::Result<Measured> {
    let indices = 0..u16::try_from(connections).expect("few connections");
    let streams = indices.map(connect_from).collect::<io::Result<Vec<_>>>()?;
    let started = Instant::now();
    let readers: Vec<_> =
        streams.into_iter().map(|mut stream| thread::spawn(move || drain(&mut stream))).collect();
    let mut received = 0;
    for reader in readers {
        received += reader.join().expect("the reader does not panic")?;
    }
    let took = started.elapsed();
    if received != amount {
        return Err(io::Error::other(format!("{received} bytes came, not {amount}")));
    }
    Ok(gbit_per_s(amount, took))
}

fn give(amount: usize) -> io::Result<Measured> {
    let mut stream = connect_from(0)?;
    let data = vec![7; CALL];
    let started = Instant::now();
    let mut left = amount;
    while left > 0 {
        left -= stream.write(&data[..CALL.min(left)])?;
    }
    stream.shutdown(Shutdown::Write)?;
    // The server closes when it has read to the end.
    let received = drain(&mut stream)?;
    let took = started.elapsed();
    if received != 0 {
        return Err(io::Error::other(format!("{received} bytes came, not 0")));
    }
    Ok(gbit_per_s(amount, took))
}

/// Reads to the end; how many bytes there were.
fn drain(stream: &mut TcpStream) -> io::Result<usize> {
    let mut buffer = vec![0; CALL];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(total),
            count => total += count,
        }
    }
}

fn ping_pong(count: usize) -> io::Result<Measured> {
    let mut stream = connect_from(0)?;
    stream.set_nodelay(true)?;
    let mut byte = [0];
    let mut times_us = Vec::with_capacity(count);
    for round in 0..count {
        let sent = [round as u8];
        let started = Instant::now();
        stream.write_all(&sent)?;
        stream.read_exact(&mut byte)?;
        times_us.push(started.elapsed().as_nanos() as f64 / 1e3);
        if byte != sent {
            return Err(io::Error::other("another byte came back"));
        }
    }
    // The first ones meet cold caches and a window that is still to open.
    times_us.drain(..count / 20);
    times_us.sort_by(f64::total_cmp);
    Ok(vec![
        ("median_us".to_owned(), times_us[times_us.len() / 2]),
        ("p99_us".to_owned(), times_us[times_us.len() * 99 / 100]),
    ])
}

fn open(count: usize) -> io::Result<Measured> {
    let each = count / OPENING;
    let started = Instant::now();
    let openers: Vec<_> = (0..OPENING).map(|_| thread::spawn(move || open_in_turn(each))).collect();
    for opener in openers {
        opener.join().expect("the opener does not panic")?;
    }
    let per_s = (each * OPENING) as f64 / started.elapsed().as_secs_f64();
    Ok(vec![("connections_per_s".to_owned(), per_s)])
}

fn open_in_turn(count: usize) -> io::Result<()> {
    for _ in 0..count {
        let mut stream = TcpStream::connect(server_address())?;
        if stream.read(&mut [0])? != 0 {
            return Err(io::Error::other("a byte came on a connection that was to end"));
        }
    }
    Ok(())
}
