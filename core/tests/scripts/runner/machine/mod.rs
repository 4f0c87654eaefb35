//! What a script drives: a machine with sockets, a wire and a clock, in any of three makes.
//!
//! [`HostMachine`] is the protocol alone (`tcpstack::host`), [`StackMachine`] the runtime on a
//! `user:` device with a manual clock (`tcpstack::net`), as an embedder in C has it, and
//! [`LinuxMachine`] the TCP of the kernel, on a TUN interface and in real time. A script does not
//! know which it has, except that the first has no calls that block.

mod host;
mod linux;
mod stack;

use std::net::SocketAddr;

use tcpstack::host::{Domain, Readiness, Shutdown};
use tcpstack::tcp::State;

pub(crate) use host::HostMachine;
pub(crate) use linux::{LinuxMachine, left_out};
pub(crate) use stack::StackMachine;

/// A machine. Time is in microseconds and moves only by [`Machine::advance`], unless it is real.
pub(crate) trait Machine {
    /// Makes a system call. None: it blocks, which only a call that may last is allowed to.
    fn call(&mut self, call: SystemCall, may_block: bool) -> Option<Returned>;

    /// What the blocked call returned, if it has, now that something happened.
    fn resume(&mut self) -> Option<Returned>;

    /// When the machine, or a call that waits, wants time to be moved to next; rounded up. In real
    /// time that is when something has happened, and is found out by waiting, until `until_us`.
    fn next_deadline_us(&mut self, until_us: u64) -> Option<u64>;

    /// Moves the clock, and runs the timers due by then. What time it is after that: `to_us`, or
    /// later where time is real.
    fn advance(&mut self, to_us: u64) -> u64;

    /// How exact its times are.
    fn tolerance(&self) -> Tolerance {
        Tolerance::default()
    }

    /// Takes in a packet from the wire.
    fn input(&mut self, packet: &[u8]);

    /// The next packet for the wire.
    fn output(&mut self) -> Option<Vec<u8>>;

    /// The state of every connection and listener, with the peer's address.
    fn states(&mut self) -> Vec<(Option<SocketAddr>, State)>;

    /// A counter of the host.
    fn counter(&mut self, name: &str) -> Option<u64>;

    /// The bytes of TCP_INFO.
    fn info(&mut self, fd: i64) -> Result<Vec<u8>, String>;

    /// Changes a knob.
    fn set_knob(&mut self, name: &str, value: &str) -> Result<(), String>;
}

/// How far from what a script says a time may be: not at all, unless time is real.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tolerance {
    /// Too early, or too late.
    pub(crate) us: u64,
    /// A timer may fire this part of its time later: 1/n of it.
    pub(crate) late_part: Option<u64>,
    /// Whether a PSH more than expected is no difference: when to push is the sender's own business
    /// (RFC 9293 §3.9.1.2), and Linux does so as well when half the largest window has been written.
    pub(crate) pushes: bool,
}

impl Tolerance {
    /// How late something may come that was to come after `waited_us`.
    pub(crate) fn late_us(self, waited_us: u64) -> u64 {
        self.us + self.late_part.map_or(0, |part| waited_us / part)
    }
}

/// A system call, its sockets by the numbers that the script gives them.
#[derive(Clone, Debug)]
pub(crate) enum SystemCall {
    Socket {
        domain: Domain,
        number: i64,
    },
    Bind {
        fd: i64,
        to: SocketAddr,
    },
    Listen {
        fd: i64,
        backlog: u32,
    },
    Accept {
        fd: i64,
        number: i64,
        nonblocking: bool,
    },
    Connect {
        fd: i64,
        to: SocketAddr,
    },
    /// connect() to AF_UNSPEC.
    Disconnect {
        fd: i64,
    },
    Send {
        fd: i64,
        data: Vec<u8>,
        flags: Flags,
    },
    /// sendto() with MSG_FASTOPEN.
    SendOpening {
        fd: i64,
        to: SocketAddr,
        data: Vec<u8>,
        flags: Flags,
    },
    Receive {
        fd: i64,
        len: usize,
        flags: Flags,
    },
    Shutdown {
        fd: i64,
        how: Shutdown,
    },
    Close {
        fd: i64,
    },
    SetOption {
        fd: i64,
        level: i32,
        number: i32,
        value: Vec<u8>,
    },
    GetOption {
        fd: i64,
        level: i32,
        number: i32,
        room: usize,
    },
    SetNonblocking {
        fd: i64,
        on: bool,
    },
    /// As Linux: what was asked for, and HUP and ERR without asking.
    Poll {
        fd: i64,
        asked: Readiness,
    },
    LocalAddress {
        fd: i64,
    },
    PeerAddress {
        fd: i64,
    },
    Queues {
        fd: i64,
    },
    /// SIOCATMARK.
    AtMark {
        fd: i64,
    },
    State {
        fd: i64,
    },
}

/// MSG_*.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) peek: bool,
    pub(crate) dont_wait: bool,
    pub(crate) wait_all: bool,
    /// MSG_OOB.
    pub(crate) urgent: bool,
    /// MSG_MORE.
    pub(crate) more: bool,
    /// MSG_EOR.
    pub(crate) end_of_record: bool,
}

/// What a call returned: a value, or the name of an errno.
pub(crate) type Returned = Result<Value, String>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// 0, or a new socket.
    Done,
    Count(usize),
    Bytes(Vec<u8>),
    Readiness(Readiness),
    Address(SocketAddr),
    /// Bytes to read, not acknowledged, not sent.
    Queues(usize, usize, usize),
    State(State),
}

impl SystemCall {
    /// The socket that it is made on.
    pub(crate) fn fd(&self) -> Option<i64> {
        match *self {
            SystemCall::Socket { .. } => None,
            SystemCall::Bind { fd, .. }
            | SystemCall::Listen { fd, .. }
            | SystemCall::Accept { fd, .. }
            | SystemCall::Connect { fd, .. }
            | SystemCall::Disconnect { fd }
            | SystemCall::Send { fd, .. }
            | SystemCall::SendOpening { fd, .. }
            | SystemCall::Receive { fd, .. }
            | SystemCall::Shutdown { fd, .. }
            | SystemCall::Close { fd }
            | SystemCall::SetOption { fd, .. }
            | SystemCall::GetOption { fd, .. }
            | SystemCall::SetNonblocking { fd, .. }
            | SystemCall::Poll { fd, .. }
            | SystemCall::LocalAddress { fd }
            | SystemCall::PeerAddress { fd }
            | SystemCall::Queues { fd }
            | SystemCall::AtMark { fd }
            | SystemCall::State { fd } => Some(fd),
        }
    }
}

/// What `poll()` shows of `ready` to one who asked for `asked`.
fn shown(ready: Readiness, asked: Readiness) -> Readiness {
    let unasked = Readiness::IN | Readiness::OUT | Readiness::RDHUP | Readiness::PRI;
    ready.without(unasked.without(asked))
}
