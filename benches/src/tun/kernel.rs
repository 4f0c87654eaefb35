//! The kernel's side: a plain program with `std::net` sockets, and the stopwatch.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::{Direction, Run, server_address};
use crate::CALL;

/// Connects to the stack, moves the data, waits for the end of the stack's stream; the time from
/// connection to end.
///
/// # Errors
/// The connection broke, or more or less arrived than was to.
pub fn measure(run: &Run) -> io::Result<Duration> {
    let mut stream = TcpStream::connect(server_address())?;
    let started = Instant::now();
    if run.direction == Direction::FromKernel {
        let data = vec![7; CALL];
        let mut left = run.amount;
        while left > 0 {
            left -= stream.write(&data[..CALL.min(left)])?;
        }
        stream.shutdown(Shutdown::Write)?;
    }
    let received = drain(&mut stream)?;
    let took = started.elapsed();
    let expected = if run.direction == Direction::ToKernel { run.amount } else { 0 };
    if received != expected {
        return Err(io::Error::other(format!("{received} bytes came, not {expected}")));
    }
    Ok(took)
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
