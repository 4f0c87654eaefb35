//! What a script is once it is read: settings, and a list of things that happen at their times.

use std::path::PathBuf;

use super::packet::Packet;

/// One file.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
}

/// The `--name=value` lines.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Knobs of the stack.
    pub(crate) knobs: Vec<(String, String)>,
    /// `--ip_version=ipv4`: where a script is not the same for both.
    pub(crate) families: Vec<Family>,
    /// `--driver=host`: where a script is for one way of driving the stack alone.
    pub(crate) drivers: Vec<Driver>,
    /// `--linux=why`: why Linux does something else.
    pub(crate) differs_from_linux: Option<String>,
    /// `--mtu=`: of the device under IPv4; under IPv6 it has 20 bytes more, so that segments are as
    /// long.
    pub(crate) mtu: usize,
    /// `--peer_isn=`: the wire's number for the peer's 0.
    pub(crate) peer_isn: u32,
    /// `--seed=`: of the stack.
    pub(crate) seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            knobs: Vec::new(),
            families: vec![Family::V4, Family::V6],
            drivers: vec![Driver::Host, Driver::Stack],
            differs_from_linux: None,
            mtu: 1500,
            peer_isn: 3_000_000_000,
            seed: 1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Which of the machines runs the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Host,
    Stack,
    /// Only when it is asked for: it takes root, and real time.
    Linux,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) when: When,
    pub(crate) what: What,
}

/// When it happens; microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// `0.1`: from the start of the script.
    At(u64),
    /// `+0.1`: from the step before.
    After(u64),
    /// `+0.1~+0.2`: from the step before, somewhere between.
    Between(u64, u64),
    /// `*`: whenever the packet comes.
    Whenever,
    /// `+0...0.2`: a call that begins so long after the step before, and ends so long after it.
    Lasting(u64, u64),
}

#[derive(Debug)]
pub(crate) enum What {
    Call(Call),
    Inject(Packet),
    Expect(Packet),
    Assert(Vec<Condition>),
}

/// A system call and what it returns.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) result: Expected,
}

/// What a call is to return.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    /// `= 5`: a count, or the number under which a new socket is known.
    Number(i64),
    /// `= -1 EAGAIN`.
    Error(String),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Argument {
    /// `...`
    Any,
    Number(i64),
    /// `POLLIN|POLLOUT`
    Words(Vec<String>),
    /// `"text"`
    Text(String),
    /// `[a, b]`
    List(Vec<Argument>),
    /// `{fd=4, events=POLLIN}`
    Fields(Vec<(String, Argument)>),
    /// `@2`: the peer of that flow.
    Flow(u16),
    /// `:8081`: that port of ours.
    Port(u16),
}

/// One condition of a `%{ ... }%`.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// As it is written.
    pub(crate) text: String,
    pub(crate) subject: Subject,
    pub(crate) comparison: Comparison,
    pub(crate) value: String,
}

/// What a condition is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// `state(4)`.
    State(i64),
    /// `state(@2)`: of the connection to that peer, be it an orphan's.
    FlowState(u16),
    /// `counter(listen_overflow)`: of the host.
    Counter(String),
    /// `tcpi_rto`, of the newest connection, or `tcpi_rto(4)`; of bits those of
    /// `(tcpi_options & TCPI_OPT_SACK)`.
    Info { field: String, fd: Option<i64>, bits: Option<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Unequal => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}
