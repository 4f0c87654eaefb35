//! What is measured over TUN, and who takes part.

use std::fmt;
use std::io;
use std::process::{Child, Command};

use super::{relay, server, smol};

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The kernel, behind a second TUN interface and a relay.
    Kernel,
    /// smoltcp, its own TUN device.
    Smoltcp,
    /// tcpstack without offload: every packet by itself, and smoltcp's buffers.
    Plain,
    /// tcpstack as it comes: checksum and segmentation offload, buffers that grow.
    Tcpstack,
    /// tcpstack as it comes, on two queues.
    TwoQueues,
    /// tcpstack as it comes, while a thread asks it a question now and then and sees how long the
    /// answer takes: as long as others hold the lock.
    Asked,
    /// tcpstack as it comes, which says what processor time it has used.
    Observed,
}

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many connections take [`Task::amount`] in all from the server.
    ToKernel {
        /// How many there are.
        connections: usize,
    },
    /// One connection gives the server [`Task::amount`].
    FromKernel,
    /// One byte goes there and comes back, so many times.
    PingPong {
        /// How many times.
        count: usize,
    },
    /// So many connections, one after the other on each of several threads: open, and read the end of
    /// the stream, since the server closes what it accepts.
    Accept {
        /// How many.
        count: usize,
    },
}

/// A measurement, and the contenders that take turns in it.
#[derive(Debug)]
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done.
    pub work: Work,
    /// Who does it.
    pub contenders: &'static [Contender],
}

/// All of them.
pub static ROWS: [Row; 6] = [
    Row {
        name: "tun-to-kernel",
        work: Work::ToKernel { connections: 1 },
        contenders: &[Contender::Kernel, Contender::Smoltcp, Contender::Plain, Contender::Tcpstack],
    },
    Row {
        name: "tun-from-kernel",
        work: Work::FromKernel,
        contenders: &[Contender::Kernel, Contender::Smoltcp, Contender::Plain, Contender::Tcpstack],
    },
    Row {
        name: "tun-ping-pong",
        work: Work::PingPong { count: 10_000 },
        contenders: &[Contender::Kernel, Contender::Tcpstack],
    },
    Row {
        name: "tun-accept",
        work: Work::Accept { count: 10_000 },
        contenders: &[Contender::Kernel, Contender::Tcpstack],
    },
    Row {
        name: "tun-queues",
        work: Work::ToKernel { connections: 2 },
        contenders: &[Contender::Tcpstack, Contender::TwoQueues],
    },
    Row {
        name: "tun-lock-wait",
        work: Work::ToKernel { connections: 1 },
        contenders: &[Contender::Asked],
    },
];

/// What `benches/profile.py` looks into.
static PROFILED: [Row; 2] = [
    Row {
        name: "profile-write",
        work: Work::ToKernel { connections: 1 },
        contenders: &[Contender::Observed],
    },
    Row { name: "profile-read", work: Work::FromKernel, contenders: &[Contender::Observed] },
];

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contender::Kernel => "kernel",
            Contender::Smoltcp => "smoltcp",
            Contender::Plain => "tcpstack_plain",
            Contender::Tcpstack => "tcpstack",
            Contender::TwoQueues => "tcpstack_two_queues",
            Contender::Asked => "tcpstack_asked",
            Contender::Observed => "tcpstack_observed",
        })
    }
}

/// One contender's turn.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// What is done.
    pub row: &'static Row,
    /// Who serves.
    pub contender: Contender,
}

impl Task {
    /// The task as words of a command line, which [`Task::parse`] reads.
    #[must_use]
    pub fn to_words(self) -> [String; 2] {
        [self.row.name.to_owned(), self.contender.to_string()]
    }

    /// What moves in the end, in bytes: about half a second's worth on a quiet machine.
    #[must_use]
    pub fn amount(self) -> usize {
        match self.contender {
            Contender::Smoltcp | Contender::Plain => 400_000_000,
            Contender::Observed => 500_000_000,
            _ => 2_000_000_000,
        }
    }

    /// Reads what [`Task::to_words`] wrote.
    ///
    /// # Errors
    /// A word that names nothing, or too few of them.
    pub fn parse(words: &[String]) -> io::Result<Task> {
        let found = ROWS.iter().chain(&PROFILED).find_map(|row| {
            let mut contenders = row.contenders.iter();
            let [name, wanted] = words else { return None };
            let contender = *contenders.find(|contender| contender.to_string() == *wanted)?;
            (row.name == name).then_some(Task { row, contender })
        });
        found.ok_or_else(|| {
            let message = format!("no row and contender are called `{}`", words.join(" "));
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })
    }

    /// Serves in this namespace until the client, which it starts there and which prints what it has
    /// measured, has ended.
    ///
    /// # Errors
    /// The interface could not be made, or a connection broke.
    pub fn serve(self) -> io::Result<()> {
        match self.contender {
            Contender::Kernel => relay::serve(self),
            Contender::Smoltcp => smol::serve(self),
            _ => server::ours(self),
        }
    }

    /// Starts the client, once the server listens.
    pub(super) fn start_client(self) -> io::Result<Child> {
        let program = std::env::current_exe()?;
        Command::new(program).arg("client").args(self.to_words()).spawn()
    }
}
