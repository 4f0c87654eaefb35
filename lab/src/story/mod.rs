//! A run as the text diagram tells it: who is there, which segments flew between them, and what
//! happened when. Knows nothing of drawing.

mod condense;
mod merge;
mod moments;
mod summary;

use std::net::SocketAddr;

use tcpstack::event::{Reason, SegmentRecord, TimerName};
use tcpstack::tcp::State;

use crate::run::has_flag;
pub use crate::run::{Conversation, Role, find_conversations};
pub use condense::condense;
pub use merge::{tell, tell_all};
pub use moments::initial_state;
pub use summary::{Close, Flow, Summary, TimeWait, summarise};

/// Index of a lane in [`Story::lanes`].
pub type LaneId = usize;
/// Index of an arrow in [`Story::arrows`].
pub type ArrowId = usize;

/// Everything that a drawing shows, in order.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The lifelines from left to right.
    pub lanes: Vec<Lane>,
    /// The connections that the story tells of.
    pub conversations: Vec<Conversation>,
    /// The segments that flew.
    pub arrows: Vec<Arrow>,
    /// What happened, in an order that time and causality both allow.
    pub moments: Vec<Moment>,
    /// Whether an onlooker saw it, and no host: there are neither arrivals nor anything but segments.
    pub is_captured: bool,
    /// When the first segment was seen, in nanoseconds of the common axis: the drawing's zero.
    pub origin_ns: u64,
}

/// One lifeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The host's name, or its address when nobody recorded it.
    pub host: String,
    /// The end of the connection that it stands for; absent where it stands for several.
    pub endpoint: Option<SocketAddr>,
    /// Who opened actively.
    pub role: Role,
    /// Whether a recording of this host was given.
    pub recorded: bool,
}

/// A segment on its way between two lanes.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// Who sent it.
    pub from: LaneId,
    /// To whom.
    pub to: LaneId,
    /// The conversation it belongs to, an index of [`Story::conversations`].
    pub conversation: usize,
    /// The segment as one side saw it: the sender where it was recorded.
    pub segment: SegmentRecord,
    /// SEG.SEQ counted from the sender's ISS.
    pub relative_seq: Option<u64>,
    /// SEG.ACK counted from the receiver's ISS.
    pub relative_ack: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// Real segments of it that were lost though others arrived.
    pub lost_segments: u64,
    /// Why it was sent.
    pub reason: Option<Reason>,
    /// The host that sent it in the name of `from`.
    pub forged_by: Option<String>,
}

impl Arrow {
    /// How many real segments it is.
    pub fn segments(&self) -> u64 {
        u64::from(self.segment.segments.max(1))
    }

    /// How many of them never arrived.
    pub fn lost(&self) -> u64 {
        if self.fate == Fate::Lost { self.segments() } else { self.lost_segments }
    }

    /// Whether the segment has this flag, by its name.
    pub fn has_flag(&self, flag: &str) -> bool {
        has_flag(&self.segment, flag)
    }

    /// Whether it opens, ends or breaks a connection.
    pub fn is_milestone(&self) -> bool {
        ["SYN", "FIN", "RST"].iter().any(|flag| self.has_flag(flag))
    }
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Both sides saw it.
    Arrived,
    /// It was sent and the other side, which was recorded, never got it.
    Lost,
    /// It arrived damaged, and was refused.
    Damaged,
    /// The run ends while it is on its way.
    Underway,
    /// It was sent to a host that nobody recorded.
    SentUnwitnessed,
    /// It came from a host that nobody recorded.
    ReceivedUnwitnessed,
    /// It arrived more often than it was sent.
    Duplicate,
}

/// Something that happened at one host.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, in nanoseconds of the common axis.
    pub time_ns: u64,
    /// Where.
    pub lane: LaneId,
    /// What.
    pub what: What,
    /// The rule that asked for it.
    pub reason: Option<Reason>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A segment left.
    Sent(ArrowId),
    /// A segment arrived.
    Arrived(ArrowId),
    /// The connection changed state.
    State {
        /// Before.
        from: State,
        /// After.
        to: State,
    },
    /// A call of the application.
    Call(Call),
    /// A call that had to wait returned.
    CallEnded {
        /// Its number on its host.
        call: u64,
        /// Its name.
        name: String,
        /// What it returned.
        result: String,
    },
    /// Many like calls, none of which waited, told in one line.
    CallRun {
        /// Their name.
        name: String,
        /// How many.
        count: u64,
        /// The bytes that they moved.
        bytes: u64,
    },
    /// A timer was set.
    TimerArmed {
        /// Which.
        timer: TimerName,
        /// How long it will run.
        duration_ns: u64,
    },
    /// A timer fired.
    TimerFired {
        /// Which.
        timer: TimerName,
        /// How long it had run, if its start is recorded.
        after_ns: Option<u64>,
    },
    /// A packet could not be used.
    Dropped {
        /// The counter it went to.
        counter: String,
        /// Its length in bytes.
        len: usize,
    },
    /// The congestion controller changed phase.
    Congestion {
        /// Into which.
        phase: String,
        /// The window after it, in bytes.
        cwnd: Option<u64>,
    },
    /// Many like segments, told in one line.
    Bulk(Bulk),
    /// The host's recording ends here, though the other side still sends to it.
    RecordingEnds,
}

/// A call of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number on its host.
    pub call: u64,
    /// `connect`, `send`, ...
    pub name: String,
    /// The arguments as the source would write them.
    pub arguments: String,
    /// What it returned, if it returned without waiting.
    pub result: Option<String>,
    /// Whether it had to wait: a [`What::CallEnded`] may follow.
    pub blocked: bool,
    /// Whether it is about a listening socket.
    pub on_listener: bool,
}

/// Many segments in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulk {
    /// Where the summarised segments flew, with what they carried.
    pub flows: Vec<BulkFlow>,
    /// Calls of the applications that were left out with them.
    pub calls: usize,
    /// When the first and the last of it happened, in nanoseconds of the common axis.
    pub from_ns: u64,
    /// See `from_ns`.
    pub until_ns: u64,
}

/// One direction of a [`Bulk`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFlow {
    /// Who sent.
    pub from: LaneId,
    /// To whom.
    pub to: LaneId,
    /// Segments with data.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// First relative sequence number, and the one after the last byte.
    pub range: Option<(u64, u64)>,
    /// Segments without data.
    pub acks: u64,
    /// Of all these, repeated.
    pub retransmissions: u64,
    /// Of all these, never arrived.
    pub lost: u64,
}

impl BulkFlow {
    /// Nothing yet, from one lane to the other.
    pub fn between(from: LaneId, to: LaneId) -> BulkFlow {
        BulkFlow {
            from,
            to,
            segments: 0,
            bytes: 0,
            range: None,
            acks: 0,
            retransmissions: 0,
            lost: 0,
        }
    }
}

/// Whether a call that returned `result` failed: it then names an errno.
pub fn is_failure(result: &str) -> bool {
    result.starts_with("-1") || result.starts_with('E')
}
