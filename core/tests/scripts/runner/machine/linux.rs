//! The kernel's own TCP, as packetdrill drives it: sockets of the kernel, in a network namespace
//! whose only way out is a TUN interface, where the script is the peer. Time is real.
//!
//! What scripts can't ask of the kernel is named by [`left_out`].

mod network;
mod questions;

use std::collections::HashMap;
use std::io::{PipeReader, pipe};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno as Failure;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, acceptfrom_with, bind, connect,
    connect_unspec, ipproto, listen, recv, send, sendto, shutdown, socket_with,
};
use rustix::time::{ClockId, clock_gettime};
use tcpstack::host::{Domain, Shutdown};
use tcpstack::tcp::State;

use super::{Flags, Machine, Returned, SystemCall, Tolerance, Value};
use crate::runner::script::{Family, Settings};
use network::Network;
pub(crate) use network::left_out;

/// A call that is not to block has returned by then.
const AT_ONCE: Duration = Duration::from_millis(500);
/// A call that has not returned by then blocks.
const BLOCKS: Duration = Duration::from_millis(1);
/// What a busy computer makes of a moment.
const TOLERANCE_US: u64 = 15_000;
/// The kernel's timers are sorted into wheels of ever coarser steps, an eighth of the time that
/// they cover (kernel/time/timer.c); none fires early.
const LATE_PART: u64 = 8;

type Socket = Arc<OwnedFd>;

/// A call that has not returned.
struct Blocked {
    hear: Receiver<Outcome>,
    /// Readable once the call has returned.
    ended: PipeReader,
}

/// What a call returned, and a new socket by its number.
struct Outcome {
    returned: Returned,
    socket: Option<(i64, OwnedFd)>,
}

pub(crate) struct LinuxMachine {
    network: Network,
    began_us: u64,
    sockets: HashMap<i64, Socket>,
    blocked: Option<Blocked>,
    /// What knobs mean to each socket, listeners' children apart.
    options: Vec<(i32, Vec<u8>)>,
}

impl LinuxMachine {
    /// Leaves the thread in a network namespace of its own.
    ///
    /// # Errors
    /// Without root; and when the kernel refuses a knob.
    pub(crate) fn new(settings: &Settings, family: Family) -> Result<LinuxMachine, String> {
        Ok(LinuxMachine {
            network: Network::lay(settings, family)?,
            began_us: monotonic_us(),
            sockets: HashMap::new(),
            blocked: None,
            options: network::socket_options(settings),
        })
    }

    fn now_us(&self) -> u64 {
        monotonic_us() - self.began_us
    }

    /// Makes a call on a thread of its own, so that the script goes on while it blocks.
    fn begin(
        &mut self,
        call: SystemCall,
        socket: Option<Socket>,
        patience: Duration,
    ) -> Option<Returned> {
        let (say, hear) = channel();
        let (ended, ending) = pipe().expect("a pipe");
        std::thread::spawn(move || {
            // The end of any child of this process would wake it, and with a timeout that is EINTR.
            SigSet::all().thread_block().expect("signals can be blocked");
            // The script may be over: then nobody asks.
            let _ = say.send(run(socket, call));
            drop(ending);
        });
        match hear.recv_timeout(patience) {
            Ok(outcome) => Some(self.take(outcome)),
            Err(RecvTimeoutError::Timeout) => {
                self.blocked = Some(Blocked { hear, ended });
                None
            }
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread has said something"),
        }
    }

    fn take(&mut self, outcome: Outcome) -> Returned {
        if let Some((number, socket)) = outcome.socket {
            for (option, value) in &self.options {
                // What the kernel refuses shows in what follows.
                let _ = questions::set(&socket, libc::IPPROTO_TCP, *option, value);
            }
            self.sockets.insert(number, Arc::new(socket));
        }
        outcome.returned
    }
}

impl Machine for LinuxMachine {
    fn call(&mut self, call: SystemCall, may_block: bool) -> Option<Returned> {
        let socket = match call.fd() {
            None => None,
            Some(fd) => match self.sockets.get(&fd) {
                Some(socket) => Some(Arc::clone(socket)),
                None => return Some(Err("EBADF".into())),
            },
        };
        if let SystemCall::Close { fd } = call {
            // The thread of the call has the last one.
            self.sockets.remove(&fd);
        }
        self.begin(call, socket, if may_block { BLOCKS } else { AT_ONCE })
    }

    fn resume(&mut self) -> Option<Returned> {
        // One that can go on now has the time to.
        let outcome = self.blocked.as_ref()?.hear.recv_timeout(BLOCKS).ok()?;
        self.blocked = None;
        Some(self.take(outcome))
    }

    fn next_deadline_us(&mut self, until_us: u64) -> Option<u64> {
        let mut fds = vec![PollFd::new(&self.network, PollFlags::IN)];
        if let Some(blocked) = &self.blocked {
            fds.push(PollFd::new(&blocked.ended, PollFlags::IN));
        }
        let left_us = until_us.saturating_sub(monotonic_us() - self.began_us);
        let happened = wait(&mut fds, left_us);
        happened.then(|| self.now_us())
    }

    fn advance(&mut self, to_us: u64) -> u64 {
        let left_us = to_us.saturating_sub(self.now_us());
        wait(&mut [], left_us);
        self.now_us().max(to_us)
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance { us: TOLERANCE_US, late_part: Some(LATE_PART), pushes: true }
    }

    fn input(&mut self, packet: &[u8]) {
        self.network.input(packet);
    }

    fn output(&mut self) -> Option<Vec<u8>> {
        self.network.output()
    }

    fn states(&mut self) -> Vec<(Option<SocketAddr>, State)> {
        questions::states()
    }

    fn counter(&mut self, _name: &str) -> Option<u64> {
        None
    }

    fn info(&mut self, fd: i64) -> Result<Vec<u8>, String> {
        let socket = self.sockets.get(&fd).ok_or("EBADF")?;
        questions::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, 1000).map_err(name)
    }

    fn set_knob(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.network.set_knob(name, value)
    }
}

fn monotonic_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

/// Waits until one of `fds` is ready: whether one is.
fn wait(fds: &mut [PollFd<'_>], left_us: u64) -> bool {
    let (tv_sec, tv_nsec) = (left_us / 1_000_000, left_us % 1_000_000 * 1000);
    let timeout = Timespec { tv_sec: tv_sec as i64, tv_nsec: tv_nsec as i64 };
    poll(fds, Some(&timeout)).is_ok_and(|ready| ready > 0)
}

/// Linux's name of an error.
fn name(error: Failure) -> String {
    format!("{:?}", Errno::from_raw(error.raw_os_error()))
}

fn run(socket: Option<Socket>, call: SystemCall) -> Outcome {
    let opened = |number, opened: Result<(OwnedFd, Value), Failure>| match opened {
        Ok((fd, value)) => Outcome { returned: Ok(value), socket: Some((number, fd)) },
        Err(error) => Outcome { returned: Err(name(error)), socket: None },
    };
    match (call, socket) {
        (SystemCall::Socket { domain, number }, _) => {
            let domain = match domain {
                Domain::V4 => AddressFamily::INET,
                Domain::V6 => AddressFamily::INET6,
            };
            let (kind, flags) = (SocketType::STREAM, SocketFlags::CLOEXEC);
            let fd = socket_with(domain, kind, flags, Some(ipproto::TCP));
            opened(number, fd.map(|fd| (fd, Value::Done)))
        }
        (SystemCall::Accept { number, nonblocking, .. }, Some(socket)) => {
            let mut flags = SocketFlags::CLOEXEC;
            flags.set(SocketFlags::NONBLOCK, nonblocking);
            opened(
                number,
                acceptfrom_with(&socket, flags).and_then(|(fd, peer)| {
                    let peer = peer.ok_or(Failure::INVAL).and_then(SocketAddr::try_from)?;
                    Ok((fd, Value::Address(peer)))
                }),
            )
        }
        (SystemCall::Close { .. }, Some(socket)) => {
            // Another call may be blocked on it, and keeps it open as on any system.
            let closed = Arc::try_unwrap(socket).map_or(Ok(()), nix::unistd::close);
            let returned = closed.map(|()| Value::Done).map_err(|error| format!("{error:?}"));
            Outcome { returned, socket: None }
        }
        (call, Some(socket)) => {
            Outcome { returned: run_on(&socket, call).map_err(name), socket: None }
        }
        (call, None) => unreachable!("{call:?} has a socket"),
    }
}

fn run_on(socket: &OwnedFd, call: SystemCall) -> Result<Value, Failure> {
    let done = |()| Value::Done;
    match call {
        SystemCall::Bind { to, .. } => bind(socket, &to).map(done),
        SystemCall::Listen { backlog, .. } => listen(socket, backlog as i32).map(done),
        SystemCall::Connect { to, .. } => connect(socket, &to).map(done),
        SystemCall::Disconnect { .. } => connect_unspec(socket).map(done),
        SystemCall::Send { data, flags, .. } => send(socket, &data, flags.into()).map(Value::Count),
        SystemCall::SendOpening { to, data, flags, .. } => {
            let opening = SendFlags::from_bits_retain(libc::MSG_FASTOPEN.cast_unsigned());
            let flags = SendFlags::from(flags) | opening;
            sendto(socket, &data, flags, &to).map(Value::Count)
        }
        SystemCall::Receive { len, flags, .. } => {
            let mut bytes = vec![0; len];
            let flags = RecvFlags::from(flags);
            // Only read() returns at once from reading nothing.
            let count = match flags.is_empty() {
                true => rustix::io::read(socket, bytes.as_mut_slice())?,
                false => recv(socket, bytes.as_mut_slice(), flags)?.0,
            };
            bytes.truncate(count);
            Ok(Value::Bytes(bytes))
        }
        SystemCall::Shutdown { how, .. } => {
            let how = match how {
                Shutdown::Read => rustix::net::Shutdown::Read,
                Shutdown::Write => rustix::net::Shutdown::Write,
                Shutdown::Both => rustix::net::Shutdown::Both,
            };
            shutdown(socket, how).map(done)
        }
        SystemCall::SetNonblocking { on, .. } => rustix::io::ioctl_fionbio(socket, on).map(done),
        call => questions::ask(socket.as_fd(), call),
    }
}

impl From<Flags> for SendFlags {
    fn from(flags: Flags) -> SendFlags {
        let mut bits = SendFlags::NOSIGNAL;
        bits.set(SendFlags::DONTWAIT, flags.dont_wait);
        bits.set(SendFlags::OOB, flags.urgent);
        bits.set(SendFlags::MORE, flags.more);
        bits.set(SendFlags::EOR, flags.end_of_record);
        bits
    }
}

impl From<Flags> for RecvFlags {
    fn from(flags: Flags) -> RecvFlags {
        let mut bits = RecvFlags::empty();
        bits.set(RecvFlags::DONTWAIT, flags.dont_wait);
        bits.set(RecvFlags::OOB, flags.urgent);
        bits.set(RecvFlags::PEEK, flags.peek);
        bits.set(RecvFlags::WAITALL, flags.wait_all);
        bits
    }
}
