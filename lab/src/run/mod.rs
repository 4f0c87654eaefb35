//! A run: what happened between some hosts, in the one form that every view reads.
//!
//! A view is a pure function of a run and a cursor, the position of an event in [`Run::events`]. So
//! that no view has to know TCP, a run carries beside the events what follows from them: which sending
//! and which arrival are one flight, which events are one call, what limited a sender and when, and
//! questions with their answers. A run is the same whether it was simulated, recorded, captured or is
//! still going on; [`Origin`] says which, and therewith what can be done with it.

mod calls;
mod conversation;
mod difference;
mod hosts;
mod limits;
mod lines;
pub mod lookup;
mod questions;
mod record;
mod rule;
mod until;
mod wording;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tcpstack::event::{Event, Language};

pub use calls::calls;
pub use conversation::{Conversation, find_conversations};
pub(crate) use conversation::{Member, seen_segments};
pub(crate) use conversation::{Seen, addresses_of, member, number_relatively, owners};
pub use difference::difference;
pub(crate) use hosts::{Places, hosts_of};
pub use limits::limits;
pub use lines::lines;
pub use questions::questions;
pub(crate) use record::{has_flag, header, octets, sacked};
pub use rule::RuleError;
pub use until::until;

/// What the first member of a run in JSON says it is.
pub const FORMAT: &str = "tcpstack-run";
/// Rises when a reader of the version before could misread a run.
pub const VERSION: u32 = 1;

/// Index of a host in [`Run::hosts`].
pub type HostIndex = usize;
/// Position of an event in [`Run::events`]: what a cursor points at.
pub type Position = usize;

/// A text for a learner, in each language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// English.
    pub en: String,
    /// 中文.
    pub zh: String,
}

impl Text {
    /// The text in `language`.
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}

/// What happened between some hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Where it comes from.
    pub origin: Origin,
    /// What it is called.
    pub title: Text,
    /// The hosts, in the order in which they are drawn from left to right.
    pub hosts: Vec<Host>,
    /// Every event, in an order that time and causality allow.
    pub events: Vec<Event>,
    /// The segments between the hosts, in the order of their departure.
    pub flights: Vec<Flight>,
    /// The calls of the applications, in the order of their entry.
    pub calls: Vec<CallSpan>,
    /// What limited each sender, and when.
    pub limits: Vec<LimitSpan>,
    /// The moments that a lesson's text speaks of.
    pub landmarks: Vec<Landmark>,
    /// What a learner can be asked.
    pub questions: Vec<Question>,
    /// The programs whose calls these are, where their source is known.
    pub listings: Vec<Listing>,
    /// Which part of a longer recording this is; none: the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

impl Run {
    /// Which lifeline's colour a host has: the client's and the server's are the same in every run, wherever
    /// others stand.
    pub fn lifeline(&self, host: HostIndex) -> usize {
        let is_other = |at: &HostIndex| self.hosts[*at].role == Role::Peer;
        let mut order: Vec<HostIndex> = (0..self.hosts.len()).collect();
        order.sort_by_key(is_other);
        order.iter().position(|at| *at == host).unwrap_or(host)
    }
}

/// Fills in what follows from hosts and events alone: calls, limits and questions.
pub fn derive(run: &mut Run) {
    run.calls = calls(&run.hosts, &run.events);
    run.limits = limits(&run.hosts, &run.events);
    run.questions = questions(&run.hosts, &run.events);
}

/// Where a run comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Origin {
    /// A scenario was played: it can be played again, with other rules.
    Simulated {
        /// The lesson's number.
        lesson: u32,
        /// The scenario's id in the lesson.
        scenario: String,
        /// What all chance follows from.
        seed: u64,
        /// What was done to single packets, by the scenario itself and by whoever watches.
        rules: Vec<Rule>,
    },
    /// Programs wrote it with `events=`.
    Recorded {
        /// The names of the files.
        files: Vec<String>,
        /// Whether more may come.
        live: bool,
    },
    /// A capture: what an onlooker sees. There are no calls, no states and no reasons in it.
    Captured {
        /// The name of the file.
        file: String,
        /// What has to be said beside it: what the onlooker's place means, what a capture cannot
        /// tell, what of it is not shown.
        #[serde(default)]
        remarks: Vec<Text>,
    },
}

/// Something done to one packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// The name of the host that sends it.
    pub from: String,
    /// Its number among the packets that leave this host, from 1: [`Flight::number`].
    pub number: u64,
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// Whether the scenario has it, rather than whoever watches.
    #[serde(default)]
    pub of_scenario: bool,
}

/// What is done to a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It never arrives.
    Drop,
    /// It sets out so much later.
    Delay {
        /// In milliseconds.
        delay_ms: u64,
    },
    /// It sets out twice.
    Duplicate,
    /// It sets out behind the next packet of its host.
    Reorder,
    /// One of its bits is flipped.
    Corrupt {
        /// Which, from the first bit of the TCP header on; past the end it is counted on from there.
        bit: u64,
    },
}

/// A host of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name, as its events bear it.
    pub name: String,
    /// What it is to a learner: client, server.
    pub role: Role,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether its own events are here; otherwise it is known by the segments of the others.
    pub recorded: bool,
}

/// Which side a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It opens connections.
    Client,
    /// It is connected to.
    Server,
    /// Both, or not known.
    Peer,
}

/// A segment on its way from one host to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flight {
    /// Who sent it.
    pub from: HostIndex,
    /// To whom.
    pub to: HostIndex,
    /// Its number among the packets that left `from`, from 1, where a rule can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The event of its sending; none: nobody saw it leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Position>,
    /// The event of its arrival, be it that it was refused there; none: it never arrived, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Position>,
    /// When it left, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ns: Option<u64>,
    /// When it arrived, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_ns: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// Of a super-segment, how many of its real segments never arrived although others did.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_segments: u64,
    /// The rule that it met, an index of the origin's rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was received.
    Arrived,
    /// It never arrived.
    Lost,
    /// It arrived damaged, and was refused.
    Damaged,
    /// It arrived although another copy of it had.
    Duplicate,
    /// The run ends while it is on its way.
    Underway,
    /// The other host's events are not here: nobody knows.
    Unwitnessed,
}

/// One call of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallSpan {
    /// Whose.
    pub host: HostIndex,
    /// The connection's or socket's id on its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// `connect`, `send`, ...
    pub name: String,
    /// As the source would write them.
    pub arguments: String,
    /// The event of its entry.
    pub entered: Position,
    /// The event that says that it has to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Position>,
    /// The event of its return; none: it has not returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Position>,
    /// What it returned, or the errno's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Where it stands in the program: in each of the listings that have it.
    #[serde(default)]
    pub lines: Vec<Line>,
}

/// A line of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The listing's or file's name.
    pub file: String,
    /// From 1.
    pub line: u32,
}

/// A program's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// Its name, as lines name it: `client.c`, `server.py`.
    pub file: String,
    /// Whose program it is.
    pub host: HostIndex,
    /// `c` or `python`.
    pub language: String,
    /// The source.
    pub text: String,
}

/// What kept a sender from sending more, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitSpan {
    /// Whose.
    pub host: HostIndex,
    /// The connection's id on its host.
    pub connection: u64,
    /// From when, in nanoseconds.
    pub from_ns: u64,
    /// Until when.
    pub until_ns: u64,
    /// What: see `tcpstack::event::Limit` (`application`, `send_buffer`, `receiver`, `congestion`, `nagle`, `pacing`).
    pub limit: String,
}

/// A moment that a lesson's text speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Landmark {
    /// Unique in its scenario; links name both.
    pub id: String,
    /// Where the cursor goes.
    pub at: Position,
    /// A few words.
    pub title: Text,
    /// What is to be seen there, and why.
    pub text: Text,
}

/// Something that a learner can be asked before it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// The event that gives the answer: the run stops before it.
    pub before: Position,
    /// At which host it happens.
    pub host: HostIndex,
    /// What is asked for.
    pub subject: Subject,
    /// The question.
    pub text: Text,
    /// The answer, as a learner would write it: a number (relative where the views show relative
    /// numbers), flags as `SYN|ACK`, or a state.
    pub answer: String,
    /// What to choose from; empty: a number is to be written.
    pub choices: Vec<String>,
    /// Why it is so, with the numbers of this very moment and the clause.
    pub explanation: Text,
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// SEG.SEQ of the next segment.
    Seq,
    /// SEG.ACK of the next segment.
    Ack,
    /// Its flags.
    Flags,
    /// The state that follows.
    State,
    /// The window that is offered, in bytes.
    Window,
}

/// A part of a longer recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The number of its first event in the whole.
    pub first: u64,
    /// How many events the whole has.
    pub total: u64,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The first event of the run before that the other has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Position>,
    /// The first event of the run after that the other has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Position>,
    /// What differs.
    pub text: Text,
}
