//! The server's work with blocking sockets, the same program on tcpstack's and on the kernel's.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use tcpstack::net::{Stack, TcpListener, TcpStream};

use super::{BUFFER, CLIENT, Contender, INTERFACE, MTU, SERVER, Task, Work, server_address};
use crate::{CALL, pattern};

/// Between two questions.
const PAUSE: Duration = Duration::from_micros(200);

/// A listening socket of either stack.
pub(super) trait Listen {
    /// Its connections.
    type Stream: Read + Write + Send + 'static;

    /// Waits for the next one, and has it send at once what is written.
    fn accept(&self) -> io::Result<Self::Stream>;
}

impl Listen for TcpListener {
    type Stream = TcpStream;

    fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Listen for std::net::TcpListener {
    type Stream = std::net::TcpStream;

    fn accept(&self) -> io::Result<std::net::TcpStream> {
        let (stream, _) = std::net::TcpListener::accept(self)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// tcpstack's side: the blocking sockets of `tcpstack::net`, as any program uses them.
pub(super) fn ours(task: Task) -> io::Result<()> {
    let keys = match task.contender {
        Contender::Plain => {
            format!("&offload=off&tcp_rmem=4096,{BUFFER},{BUFFER}&tcp_wmem=4096,{BUFFER},{BUFFER}")
        }
        Contender::TwoQueues => "&queues=2".to_owned(),
        _ => String::new(),
    };
    let url = format!("tun:{INTERFACE}?addr={SERVER}/24&host={CLIENT}/24&mtu={MTU}{keys}");
    let stack = Stack::open(&url).map_err(io::Error::other)?;
    let listener = TcpListener::bind(&stack, server_address())?;
    let mut client = task.start_client()?;
    match task.contender {
        Contender::Asked => watched(task, &listener)?,
        Contender::Observed => observed(task, &listener)?,
        _ => serve(task, &listener)?,
    }
    let status = client.wait()?;
    stack.close();
    if status.success() { Ok(()) } else { Err(io::Error::other("the client failed")) }
}

/// Serves while a thread asks for the listener's address, which takes the lock and nothing else, and
/// prints how long that took.
fn watched(task: Task, listener: &TcpListener) -> io::Result<()> {
    let is_over = AtomicBool::new(false);
    let mut waits_us = Vec::new();
    let served = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                thread::sleep(PAUSE);
                let started = Instant::now();
                let _ = listener.local_addr();
                waits_us.push(started.elapsed().as_nanos() as f64 / 1e3);
            }
        });
        let served = serve(task, listener);
        is_over.store(true, Relaxed);
        served
    });
    waits_us.sort_by(f64::total_cmp);
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("most", 1.0)] {
        let index = (waits_us.len() as f64 * share) as usize;
        println!("lock_wait_{name}_us {}", waits_us[index.min(waits_us.len() - 1)]);
    }
    served
}

/// Serves, and prints the processor time that it took.
fn observed(task: Task, listener: &TcpListener) -> io::Result<()> {
    let before = getrusage(UsageWho::RUSAGE_SELF)?;
    serve(task, listener)?;
    let after = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    println!("user_s {}", seconds(after.user_time()) - seconds(before.user_time()));
    println!("system_s {}", seconds(after.system_time()) - seconds(before.system_time()));
    println!("bytes {}", task.amount());
    Ok(())
}

/// The server's part of the work.
pub(super) fn serve<L: Listen>(task: Task, listener: &L) -> io::Result<()> {
    match task.row.work {
        Work::ToKernel { connections } => {
            let streams =
                (0..connections).map(|_| listener.accept()).collect::<io::Result<Vec<_>>>()?;
            let writers = streams
                .into_iter()
                .map(|stream| thread::spawn(move || give(stream, task.amount() / connections)));
            let writers: Vec<_> = writers.collect();
            writers.into_iter().try_for_each(|w| w.join().expect("the writer does not panic"))
        }
        Work::FromKernel => take(listener.accept()?),
        Work::PingPong { .. } => echo(listener.accept()?),
        Work::Accept { count } => (0..count).try_for_each(|_| listener.accept().map(drop)),
    }
}

fn give(mut stream: impl Write, amount: usize) -> io::Result<()> {
    let data = pattern(CALL);
    let mut left = amount;
    while left > 0 {
        left -= stream.write(&data[..CALL.min(left)])?;
    }
    Ok(())
}

fn take(mut stream: impl Read) -> io::Result<()> {
    let mut data = vec![0; CALL];
    while stream.read(&mut data)? > 0 {}
    Ok(())
}

fn echo(mut stream: impl Read + Write) -> io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {
        stream.write_all(&byte)?;
    }
    Ok(())
}
