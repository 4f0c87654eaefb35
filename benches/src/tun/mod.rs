//! One connection over a TUN interface, between a stack in userspace and the kernel's own TCP.
//!
//! Three processes: the runner makes a network namespace; in it a server, which is the stack under
//! test and listens; and the kernel's side, which connects to it and holds the stopwatch, from the
//! established connection to the end of the stack's stream. So the time is taken alike whoever
//! serves, and ends when the last byte is there, not when it was handed over.

pub mod kernel;
mod namespace;
mod ours;
mod smol;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command};
use std::str::FromStr;

pub use namespace::Namespace;

/// The interface's name, in the namespace.
const INTERFACE: &str = "tcps0";
/// The kernel's end of it.
const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The stack's end of it.
const STACK: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PORT: u16 = 5001;
/// Of the interface, in bytes.
pub const MTU: usize = 1500;

/// Which stack serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// smoltcp, its own TUN device.
    Smoltcp,
    /// tcpstack without offload: every packet by itself, as smoltcp has it.
    TcpstackPlain,
    /// tcpstack as it comes: checksum and segmentation offload.
    Tcpstack,
}

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The stack sends.
    ToKernel,
    /// The stack receives.
    FromKernel,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Who serves.
    pub stack: Stack,
    /// Which way.
    pub direction: Direction,
    /// The stack's send and receive buffer, in bytes.
    pub buffer: usize,
    /// How much to move, in bytes.
    pub amount: usize,
}

impl Stack {
    /// All of them.
    pub const ALL: [Stack; 3] = [Stack::Smoltcp, Stack::TcpstackPlain, Stack::Tcpstack];
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stack::Smoltcp => "smoltcp",
            Stack::TcpstackPlain => "tcpstack_plain",
            Stack::Tcpstack => "tcpstack",
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::ToKernel => "to_kernel",
            Direction::FromKernel => "from_kernel",
        })
    }
}

fn unknown(what: &str, word: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no {what} is called `{word}`"))
}

impl FromStr for Stack {
    type Err = io::Error;

    fn from_str(word: &str) -> io::Result<Stack> {
        let named = Stack::ALL.into_iter().find(|stack| stack.to_string() == word);
        named.ok_or_else(|| unknown("stack", word))
    }
}

impl FromStr for Direction {
    type Err = io::Error;

    fn from_str(word: &str) -> io::Result<Direction> {
        let both = [Direction::ToKernel, Direction::FromKernel];
        let named = both.into_iter().find(|direction| direction.to_string() == word);
        named.ok_or_else(|| unknown("direction", word))
    }
}

impl Run {
    /// The measurement as words of a command line, which [`Run::parse`] reads.
    #[must_use]
    pub fn to_words(&self) -> [String; 4] {
        let Run { stack, direction, buffer, amount } = self;
        [stack.to_string(), direction.to_string(), buffer.to_string(), amount.to_string()]
    }

    /// Reads what [`Run::to_words`] wrote.
    ///
    /// # Errors
    /// A word that names nothing, or too few of them.
    pub fn parse(words: &[String]) -> io::Result<Run> {
        let [stack, direction, buffer, amount] = words else {
            return Err(unknown("run", &words.join(" ")));
        };
        Ok(Run {
            stack: stack.parse()?,
            direction: direction.parse()?,
            buffer: buffer.parse().map_err(|_| unknown("buffer size", buffer))?,
            amount: amount.parse().map_err(|_| unknown("amount", amount))?,
        })
    }

    /// Serves the one connection of this measurement, in the namespace; the kernel's side, which it
    /// starts, prints the seconds.
    ///
    /// # Errors
    /// The interface could not be made, or the connection broke.
    pub fn serve(&self) -> io::Result<()> {
        match self.stack {
            Stack::Smoltcp => smol::serve(self),
            Stack::TcpstackPlain => ours::serve(self, "&offload=off"),
            Stack::Tcpstack => ours::serve(self, ""),
        }
    }

    /// Starts the kernel's side, once the stack listens.
    fn start_kernel(&self) -> io::Result<Child> {
        let program = std::env::current_exe()?;
        Command::new(program).arg("kernel").args(self.to_words()).spawn()
    }
}

fn server_address() -> SocketAddr {
    SocketAddr::from((STACK, PORT))
}
