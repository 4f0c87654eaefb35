//! A scenario as the stage plays it: checked, every name resolved, every number bounded.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::event::{Reason, TimerName};
use tcpstack::host::{Knobs, Shutdown, SocketOption};
use tcpstack::tcp::{SendFlags, State};
use tcpstack::wire::tcp::Flags;

use crate::run::{HostIndex, Line, Listing, Role, Rule, Text};

/// Who calls what and when, over which link, and what happens to single packets.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Unique in its lesson.
    pub id: String,
    /// What its run is called.
    pub title: Text,
    /// What all chance follows from.
    pub seed: u64,
    /// The run ends here, if it has not ended by itself.
    pub until: Duration,
    /// The hosts from left to right. Each two that are not outside are linked.
    pub hosts: Vec<HostPlan>,
    /// What each host's packets meet on their way, by the host's index.
    pub links: Vec<Impairment>,
    /// What is done to single packets.
    pub rules: Vec<Rule>,
    /// What runs on the hosts.
    pub programs: Vec<Program>,
    /// Packets that no host has sent.
    pub injections: Vec<Injection>,
    /// The moments that texts speak of.
    pub landmarks: Vec<LandmarkPlan>,
}

impl Scenario {
    /// The programs' sources.
    pub fn listings(&self) -> impl Iterator<Item = &Listing> {
        self.programs.iter().flat_map(|program| &program.listings)
    }

    /// The host of that name.
    pub fn host(&self, name: &str) -> Option<HostIndex> {
        self.hosts.iter().position(|host| host.name == name)
    }
}

/// A host before the run.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// Its name.
    pub name: String,
    /// What it is to a learner.
    pub role: Role,
    /// Its address.
    pub address: IpAddr,
    /// Largest IP packet, in bytes.
    pub mtu: usize,
    /// Its knobs.
    pub knobs: Knobs,
    /// It is no stack of ours: packets are injected in its name, and what is sent to it is gone.
    pub outside: bool,
}

/// A program: calls one after the other, each of which waits until it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Its name, for messages.
    pub name: String,
    /// Where it runs.
    pub host: HostIndex,
    /// When it begins.
    pub start: Duration,
    /// What it does.
    pub steps: Vec<Step>,
    /// Its source, in one language or several.
    pub listings: Vec<Listing>,
}

/// One call, or the same one again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is called.
    pub call: Call,
    /// The socket that it is about, by its name in the program; none: the one opened last of those
    /// that are open.
    pub on: Option<String>,
    /// How often.
    pub repeat: Repeat,
    /// How long it rests between two of them.
    pub pause: Duration,
    /// What the last of them returns.
    pub expect: Option<String>,
    /// Where it stands in the listings.
    pub lines: Vec<Line>,
}

/// How often a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// So often.
    Times(u32),
    /// Until it has moved so many bytes, or has failed or met the end of the stream.
    Bytes(u64),
    /// Until the end of the stream, or an error.
    Eof,
}

/// A call with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `socket`: a new socket, which the program knows by this name.
    Socket {
        /// The name.
        name: String,
    },
    /// `bind`
    Bind {
        /// To which.
        address: SocketAddr,
    },
    /// `listen`
    Listen {
        /// How many may wait.
        backlog: u32,
    },
    /// `accept`: a new socket.
    Accept {
        /// Its name.
        name: String,
    },
    /// `connect`
    Connect {
        /// To whom.
        address: SocketAddr,
    },
    /// `send`
    Send {
        /// What.
        data: Vec<u8>,
        /// How.
        flags: SendFlags,
    },
    /// `recv`
    Recv {
        /// At most so many bytes.
        max: usize,
        /// The urgent byte (MSG_OOB).
        urgent: bool,
    },
    /// `shutdown`
    Shutdown {
        /// Which direction.
        how: Shutdown,
    },
    /// `close`
    Close,
    /// `setsockopt`
    SetOption {
        /// Which, and to what.
        option: SocketOption,
        /// As the source would write it.
        shown: String,
    },
    /// The program does nothing for so long.
    Sleep {
        /// How long.
        time: Duration,
    },
    /// The program ends, and the kernel closes what it has open.
    Exit {
        /// The signal that ends it; none: it ends by itself.
        signal: Option<String>,
    },
}

/// Packets from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// When the first arrives.
    pub at: Duration,
    /// How many.
    pub count: u32,
    /// How long after each other.
    pub every: Duration,
    /// In whose name they come: an index of the hosts, one that is outside.
    pub from: HostIndex,
    /// Where they arrive.
    pub to: HostIndex,
    /// The address and port that they bear.
    pub source: InjectionSource,
    /// The port that they are for.
    pub port: u16,
    /// The flags.
    pub flags: Flags,
    /// SEG.SEQ: of an imitated peer counted from RCV.NXT, else as it stands.
    pub seq: i64,
    /// SEG.ACK: of an imitated peer counted from SND.NXT, else as it stands.
    pub ack: i64,
    /// The window.
    pub window: u16,
    /// What they carry.
    pub text: Vec<u8>,
}

/// Whose address injected packets bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectionSource {
    /// This one; each further packet has the next port.
    Address(SocketAddr),
    /// That of this host's end of the first connection between it and the receiver.
    Imitated(HostIndex),
}

/// A moment to be found in the run.
#[derive(Clone, Debug, PartialEq)]
pub struct LandmarkPlan {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Text,
    /// What it says.
    pub text: Text,
    /// Which event it is.
    pub event: EventPattern,
}

/// Which event: everything that is said has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPattern {
    /// The host's name.
    pub host: String,
    /// The event's `type` in JSON.
    pub kind: String,
    /// A segment's flags, all of them.
    pub flags: Option<String>,
    /// Whether it is sent again.
    pub retransmission: Option<bool>,
    /// Its bytes of data.
    pub len: Option<u64>,
    /// The window that it offers, in bytes.
    pub window: Option<u64>,
    /// The state that follows.
    pub state: Option<State>,
    /// The call's name.
    pub call: Option<String>,
    /// What it returned.
    pub result: Option<String>,
    /// The timer.
    pub timer: Option<TimerName>,
    /// Why.
    pub reason: Option<Reason>,
    /// The counter of a dropped packet.
    pub counter: Option<String>,
    /// The congestion controller's phase.
    pub phase: Option<String>,
    /// Only what comes after this landmark of the scenario, which stands above.
    pub after: Option<String>,
    /// The how manieth of these, from 1.
    pub nth: u64,
}
