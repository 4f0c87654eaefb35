//! What happened and why: the one stream that every view, log and test reads.
//!
//! An event is made where the thing happens, carries the connection's state just after it, and
//! names the event that caused it and the clause that asked for it. Without an observer nothing
//! is built: [`EventLog::is_on`] is the only cost.

pub mod json;

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::reason::{Language, Reason};

pub use crate::tcp::recovery::RepairState;

use smallvec::SmallVec;

use crate::tcp::State;
use crate::time::Instant;
use crate::wire::HEADER_CAPACITY;

/// Receives every event of a host, in order.
pub trait Observer: Send {
    /// Called once per event, in the order of `event.index`.
    fn event(&mut self, event: &Event);
}

/// One thing that happened on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// Position in this host's stream, from 0.
    pub index: u64,
    /// When, in nanoseconds of the host's clock.
    pub time_ns: u64,
    /// The host's name (its first address unless named otherwise).
    pub host: Arc<str>,
    /// The connection concerned, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionName>,
    /// What happened.
    pub kind: Kind,
    /// Index of the event on this host that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
    /// The rule that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The connection's state just after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Box<Snapshot>>,
}

/// Which connection (or listening socket) an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionName {
    /// Unique on its host for the host's life.
    pub id: u64,
    /// This host's end.
    pub local: SocketAddr,
    /// The other end; absent for a listening or unconnected socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<SocketAddr>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// A segment left the host.
    SegmentSent(SegmentRecord),
    /// A segment arrived and was given to a connection, a listener or the closed port.
    SegmentReceived(SegmentRecord),
    /// A packet arrived that could not be used.
    PacketDropped {
        /// The name of the counter it went to.
        counter: String,
        /// Its length in bytes.
        len: usize,
    },
    /// What a segment or a call did to the connection's variables is in `after`; recorded behind
    /// their own events, when anything changed.
    Updated,
    /// The connection changed state.
    StateChanged {
        /// Before.
        from: State,
        /// After.
        to: State,
    },
    /// A timer was set, or set anew.
    TimerArmed {
        /// Which.
        timer: TimerName,
        /// When it will fire, on the host's clock.
        deadline_ns: u64,
    },
    /// A timer was stopped before it fired.
    TimerStopped {
        /// Which.
        timer: TimerName,
    },
    /// A timer fired.
    TimerFired {
        /// Which.
        timer: TimerName,
    },
    /// A round trip was measured (RFC 6298).
    RttMeasured {
        /// The sample, in nanoseconds.
        rtt_ns: u64,
    },
    /// The congestion controller began with a phase, or changed it, or took back a reduction.
    CongestionChanged {
        /// `slow_start`, `conservative_slow_start`, `congestion_avoidance`, `recovery`, `cwr`, `loss`;
        /// of BBR `startup`, `drain`, `probe_bw_down` (`_cruise`, `_refill`, `_up`), `probe_rtt`.
        phase: String,
    },
    /// The application called into the stack.
    CallEntered {
        /// Groups entered, blocked and returned of one call.
        call: u64,
        /// `connect`, `send`, ...
        name: String,
        /// The arguments as the source would write them.
        arguments: String,
        /// The line of the program that calls, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
    },
    /// The call has to wait.
    CallBlocked {
        /// The call.
        call: u64,
        /// `connect`, `send`, ...
        name: String,
    },
    /// The call returned.
    CallReturned {
        /// The call.
        call: u64,
        /// `connect`, `send`, ...
        name: String,
        /// What it returned, or the errno's name.
        result: String,
    },
}

/// A line of a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// The file, as the compiler or interpreter names it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// A segment as it was on the wire, with what its numbers mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SegmentRecord {
    /// Sender's port.
    pub src_port: u16,
    /// Receiver's port.
    pub dst_port: u16,
    /// SEG.SEQ as on the wire.
    pub seq: u32,
    /// SEG.ACK as on the wire (0 when ACK is not set).
    pub ack: u32,
    /// SEG.SEQ counted from the sender's ISS, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_seq: Option<u64>,
    /// SEG.ACK counted from the receiver's ISS, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_ack: Option<u64>,
    /// Flags, as `SYN|ACK`.
    pub flags: String,
    /// The window field, unscaled.
    pub window: u16,
    /// The window in bytes, scaled where scaling is in force.
    pub window_bytes: u64,
    /// The urgent pointer.
    pub urgent: u16,
    /// Payload length in bytes.
    pub len: usize,
    /// Real segments on the wire (more than 1 for a super-segment).
    pub segments: u32,
    /// The TCP header's bytes in hexadecimal, options included, as on the wire: the checksum is the finished one,
    /// also where a device or a peer on the same machine was left to finish it. A super-segment
    /// (`segments` above 1) has no checksum of its own: its field covers the whole as if it were one
    /// segment, and each real segment on the wire has another.
    pub header: String,
    /// The first payload bytes in hexadecimal, at most 64.
    pub payload: String,
    /// The ones' complement sum (RFC 1071) of the whole payload as 16-bit words, an odd last byte being the
    /// high one: with it, the header and the pseudo-header the checksum can be verified. None where only a
    /// part of the payload is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_sum: Option<u16>,
    /// Whether any of it had been sent before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retransmission: bool,
}

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimerName {
    /// Retransmission timeout (RFC 6298).
    Retransmission,
    /// Zero-window probe (RFC 9293 §3.8.6.1).
    Persist,
    /// Delayed acknowledgment (RFC 9293 §3.8.6.3).
    DelayedAck,
    /// Sender's silly-window override (RFC 9293 §3.8.6.2.1).
    SwsOverride,
    /// 2 MSL in TIME-WAIT (RFC 9293 §3.6.1).
    TimeWait,
    /// An orphan's stay in FIN-WAIT-2.
    FinWait2,
    /// RACK's patience with reordering (RFC 8985 §6.2).
    Reordering,
    /// The tail loss probe (RFC 8985 §7).
    TailLossProbe,
    /// Keepalive (RFC 9293 §3.8.4).
    Keepalive,
    /// The application's patience (RFC 5482).
    UserTimeout,
    /// When pacing lets the next segment leave.
    Pacing,
}

impl TimerName {
    /// Every timer there is.
    pub const ALL: [TimerName; 11] = [
        TimerName::Retransmission,
        TimerName::Persist,
        TimerName::DelayedAck,
        TimerName::SwsOverride,
        TimerName::TimeWait,
        TimerName::FinWait2,
        TimerName::Reordering,
        TimerName::TailLossProbe,
        TimerName::Keepalive,
        TimerName::UserTimeout,
        TimerName::Pacing,
    ];
}

/// What keeps a connection from sending more. Whatever is the narrowest is named: with the other bounds
/// wider it would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Nothing waits: all that the application has written is sent.
    Application,
    /// All that was written is sent, and the send buffer is full of it: the application cannot write more before
    /// something is acknowledged.
    SendBuffer,
    /// The peer's window (SND.WND; RFC 9293 §3.8.6): it is used up, or what it still takes is not worth a
    /// segment (§3.8.6.2.1).
    Receiver,
    /// The congestion window (RFC 5681 §2).
    Congestion,
    /// What there is does not fill a segment, and waits for more or for an ACK (RFC 9293 §3.7.4).
    Nagle,
    /// It may leave, but not yet: segments leave at a rate.
    Pacing,
}

impl Limit {
    /// Every limit there is.
    pub const ALL: [Limit; 6] = [
        Limit::Application,
        Limit::SendBuffer,
        Limit::Receiver,
        Limit::Congestion,
        Limit::Nagle,
        Limit::Pacing,
    ];
}

/// A connection's variables just after an event. Sequence numbers are 64-bit (design: `Seq`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// The state, by its RFC name.
    pub state: State,
    /// Initial send sequence number.
    pub iss: u64,
    /// Initial receive sequence number (0 before it is known).
    pub irs: u64,
    /// SND.UNA.
    pub snd_una: u64,
    /// SND.NXT.
    pub snd_nxt: u64,
    /// Highest SND.NXT ever.
    pub snd_max: u64,
    /// SND.WND in bytes.
    pub snd_wnd: u64,
    /// RCV.NXT.
    pub rcv_nxt: u64,
    /// RCV.WND in bytes.
    pub rcv_wnd: u64,
    /// Congestion window in bytes.
    pub cwnd: u64,
    /// Slow-start threshold in bytes (`u64::MAX`: not yet set).
    pub ssthresh: u64,
    /// Bytes in flight by the sender's estimate.
    pub in_flight: u64,
    /// Smoothed round-trip time, if measured.
    pub srtt_ns: Option<u64>,
    /// Retransmission timeout.
    pub rto_ns: u64,
    /// What is known of the text on its way, and how fast more of it may leave.
    #[serde(default)]
    pub recovery: RecoveryView,
    /// What keeps it from sending more just now. None in states in which it can send no text, and when
    /// nothing does: something is about to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Armed timers and their deadlines.
    pub timers: Vec<(TimerName, u64)>,
    /// The send buffer.
    pub send_buffer: SendBufferView,
    /// The receive buffer.
    pub receive_buffer: ReceiveBufferView,
}

/// So many ranges of a kind are shown, the lowest ones: a peer that leaves thousands of holes makes
/// no event longer.
pub const RANGES_SHOWN: usize = 64;

/// The sliding window in its parts: what lies between SND.UNA and SND.NXT and is in none of the
/// ranges was sent once, and nobody knows what has become of it. Ranges are `[start, end)` in 64-bit
/// sequence numbers, in order and disjoint, and [`RANGES_SHOWN`] of a kind at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecoveryView {
    /// Where the repair stands.
    pub state: RepairState,
    /// Reported by the peer past SND.UNA (RFC 2018).
    pub sacked: Vec<(u64, u64)>,
    /// Deemed lost, and not sent again yet (RFC 6675, RFC 8985).
    pub lost: Vec<(u64, u64)>,
    /// Sent again, and not reported since.
    pub retransmitted: Vec<(u64, u64)>,
    /// There are more ranges than shown.
    pub has_more: bool,
    /// How much round trips vary (RFC 6298 §2.2: RTTVAR), if one was measured.
    pub rttvar_ns: Option<u64>,
    /// The rate at which segments leave, where they are paced, in bytes per second.
    pub pacing_bytes_per_s: Option<u64>,
}

/// The send buffer in the notes' colours: grey sent, purple waiting, white free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendBufferView {
    /// Bytes it can hold.
    pub capacity: u64,
    /// Sent and not acknowledged (grey).
    pub unacked: u64,
    /// Not sent yet (purple).
    pub unsent: u64,
}

/// The receive buffer in the notes' colours: purple received, white free, and the holes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceiveBufferView {
    /// Bytes it can hold.
    pub capacity: u64,
    /// In order, waiting for the application (purple).
    pub queued: u64,
    /// Received past a hole: `[start, end)` in 64-bit sequence numbers, [`RANGES_SHOWN`] at most.
    pub out_of_order: Vec<(u64, u64)>,
}

/// Where a host writes its events; off unless an observer was given.
#[derive(Default)]
pub struct EventLog {
    observer: Option<Box<dyn Observer>>,
    host: Option<Arc<str>>,
    next_index: u64,
    cause: Option<u64>,
    sent: Option<u64>,
    /// The TCP header of what is just arriving, as on the wire.
    arriving: Option<HeaderBytes>,
}

/// The bytes of a TCP header.
pub(crate) type HeaderBytes = SmallVec<[u8; HEADER_CAPACITY]>;

impl EventLog {
    /// A log that nobody reads.
    pub fn off() -> EventLog {
        EventLog::default()
    }

    /// A log read by `observer`, whose events bear the name `host`.
    pub fn new(host: &str, observer: Box<dyn Observer>) -> EventLog {
        EventLog { observer: Some(observer), host: Some(host.into()), ..EventLog::default() }
    }

    /// Whether anybody reads. Check before building anything for [`EventLog::record`].
    #[inline]
    pub fn is_on(&self) -> bool {
        // The build without events exists to measure what this question costs.
        !cfg!(tcpstack_without_events) && self.observer.is_some()
    }

    /// Records an event and returns its index; its cause is the current cause.
    #[cold]
    pub fn record(
        &mut self,
        now: Instant,
        connection: Option<ConnectionName>,
        kind: Kind,
        reason: Option<Reason>,
        after: Option<Box<Snapshot>>,
    ) -> Option<u64> {
        let observer = self.observer.as_mut().filter(|_| !cfg!(tcpstack_without_events))?;
        let index = self.next_index;
        self.next_index += 1;
        if matches!(kind, Kind::SegmentSent(_)) {
            self.sent = Some(index);
        }
        let host = self.host.clone().unwrap_or_else(|| "".into());
        let event = Event {
            index,
            time_ns: now.as_nanos(),
            host,
            connection,
            kind,
            cause: self.cause,
            reason,
            after,
        };
        observer.event(&event);
        Some(index)
    }

    /// The index of the last [`Kind::SegmentSent`], once: whoever takes the segment along takes this too.
    #[inline]
    pub fn take_sent(&mut self) -> Option<u64> {
        self.sent.take()
    }

    /// Keeps the header of an arriving segment for the record of its arrival; None: what arrives is none.
    pub(crate) fn note_arriving(&mut self, header: Option<HeaderBytes>) {
        self.arriving = header;
    }

    /// The header of the segment that is arriving, once.
    pub(crate) fn take_arriving(&mut self) -> Option<HeaderBytes> {
        self.arriving.take()
    }

    /// What leads to what is recorded now.
    #[inline]
    pub fn cause(&self) -> Option<u64> {
        self.cause
    }

    /// What follows is caused by event `index` (an arrival, a timer, a call), until set anew.
    #[inline]
    pub fn set_cause(&mut self, index: Option<u64>) {
        self.cause = index;
    }
}
