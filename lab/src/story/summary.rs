//! What it came to: bytes each way, repetitions and losses, and who closed first.

use tcpstack::event::TimerName;
use tcpstack::tcp::State;

use super::{Arrow, Fate, LaneId, Story, What};

/// A conversation in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which, an index of [`Story::conversations`].
    pub conversation: usize,
    /// The lanes of client and server.
    pub lanes: (LaneId, LaneId),
    /// From client to server, and back.
    pub flows: [Flow; 2],
    /// How it ended.
    pub close: Close,
    /// Who came to TIME-WAIT.
    pub time_wait: Vec<TimeWait>,
    /// From the first segment to the last, in nanoseconds.
    pub duration_ns: u64,
}

/// A stay in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait {
    /// Whose.
    pub lane: LaneId,
    /// How long it lasts in nanoseconds, if its timer is recorded.
    pub duration_ns: Option<u64>,
    /// Whether it ended while somebody was recording.
    pub is_over: bool,
}

/// One direction in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Bytes of data, each counted once.
    pub bytes: u64,
    /// Segments of any kind, as on the wire.
    pub segments: u64,
    /// Of these, sent again.
    pub retransmissions: u64,
    /// Of these, never arrived.
    pub lost: u64,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It was still open when the recordings end.
    Open,
    /// This side sent the first FIN.
    Fin(LaneId),
    /// Both sent their FIN before they saw the other's.
    Both,
    /// This side reset it.
    Reset(LaneId),
    /// Somebody else reset it, with a segment that bears an end's address.
    Forged,
    /// This side refused it.
    Refused(LaneId),
    /// Nobody answered.
    Unanswered,
}

/// The summary of each conversation of `story`, which must not be condensed.
pub fn summarise(story: &Story) -> Vec<Summary> {
    (0..story.conversations.len()).filter_map(|index| summary_of(story, index)).collect()
}

fn summary_of(story: &Story, index: usize) -> Option<Summary> {
    let arrows: Vec<&Arrow> =
        story.arrows.iter().filter(|arrow| arrow.conversation == index).collect();
    let client = client_lane(story, index, &arrows)?;
    let any = arrows.first()?;
    let server = if any.from == client { any.to } else { any.from };
    let times = story.moments.iter().filter(|moment| match moment.what {
        What::Sent(id) | What::Arrived(id) => story.arrows[id].conversation == index,
        _ => false,
    });
    let times: Vec<u64> = times.map(|moment| moment.time_ns).collect();
    let (first, last) = (times.iter().min()?, times.iter().max()?);
    Some(Summary {
        conversation: index,
        lanes: (client, server),
        flows: [flow(&arrows, client), flow(&arrows, server)],
        close: close(story, index, (client, server)),
        time_wait: [client, server].iter().filter_map(|lane| time_wait(story, *lane)).collect(),
        duration_ns: last - first,
    })
}

/// The lane of the client's end.
fn client_lane(story: &Story, index: usize, arrows: &[&Arrow]) -> Option<LaneId> {
    let port = story.conversations[index].client.port();
    arrows.iter().find_map(|arrow| {
        if arrow.segment.src_port == port {
            Some(arrow.from)
        } else {
            (arrow.segment.dst_port == port).then_some(arrow.to)
        }
    })
}

fn flow(arrows: &[&Arrow], from: LaneId) -> Flow {
    let mut flow = Flow::default();
    let mut reached = None;
    let sent = |arrow: &&&Arrow| {
        arrow.from == from && arrow.fate != Fate::Duplicate && arrow.forged_by.is_none()
    };
    for arrow in arrows.iter().filter(sent) {
        let segments = arrow.segments();
        let len = arrow.segment.len as u64;
        flow.segments += segments;
        flow.retransmissions += u64::from(arrow.segment.retransmission) * segments;
        flow.lost += arrow.lost();
        // Bytes count once: up to the furthest one, where the numbers are known.
        match arrow.relative_seq {
            Some(seq) if len > 0 => {
                let end = seq + len;
                let known = reached.unwrap_or(seq);
                flow.bytes += end.saturating_sub(known.max(seq));
                reached = Some(known.max(end));
            }
            None if !arrow.segment.retransmission => flow.bytes += len,
            _ => {}
        }
    }
    flow
}

fn close(story: &Story, index: usize, lanes: (LaneId, LaneId)) -> Close {
    // Who sent the first FIN, and the acknowledgment that covers it.
    let mut first_fin: Option<(LaneId, u32)> = None;
    let mut established = false;
    let mut answered = false;
    for moment in &story.moments {
        let (What::Sent(id) | What::Arrived(id)) = moment.what else { continue };
        let arrow = &story.arrows[id];
        if arrow.conversation != index {
            continue;
        }
        if arrow.forged_by.is_some() {
            if arrow.has_flag("RST") && closes(story, moment.time_ns, arrow.to) {
                return Close::Forged;
            }
            continue;
        }
        answered |= arrow.from == lanes.1;
        if arrow.has_flag("RST") {
            return if established { Close::Reset(arrow.from) } else { Close::Refused(arrow.from) };
        }
        established |= !arrow.has_flag("SYN") && arrow.has_flag("ACK");
        if !arrow.has_flag("FIN") {
            continue;
        }
        let end = arrow.segment.seq.wrapping_add(arrow.segment.len as u32).wrapping_add(1);
        match first_fin {
            None => first_fin = Some((arrow.from, end)),
            // A FIN that does not acknowledge the other one crossed it.
            Some((lane, covers)) if lane != arrow.from => {
                let covered = (arrow.segment.ack.wrapping_sub(covers) as i32) >= 0;
                return if covered { Close::Fin(lane) } else { Close::Both };
            }
            Some(_) => {}
        }
    }
    match first_fin {
        Some((lane, _)) => Close::Fin(lane),
        None if answered => Close::Open,
        None => Close::Unanswered,
    }
}

/// Whether a host gave its connection up at `time_ns`.
fn closes(story: &Story, time_ns: u64, lane: LaneId) -> bool {
    story.moments.iter().any(|moment| {
        (moment.time_ns, moment.lane) == (time_ns, lane)
            && matches!(moment.what, What::State { to: State::Closed, .. })
    })
}

/// A lane's stay in TIME-WAIT.
fn time_wait(story: &Story, lane: LaneId) -> Option<TimeWait> {
    let mut stay = None;
    for moment in story.moments.iter().filter(|moment| moment.lane == lane) {
        match moment.what {
            What::State { to: State::TimeWait, .. } => {
                stay = Some(TimeWait { lane, duration_ns: None, is_over: false });
            }
            What::State { from: State::TimeWait, .. } => {
                stay = stay.map(|stay| TimeWait { is_over: true, ..stay });
            }
            What::TimerArmed { timer: TimerName::TimeWait, duration_ns } => {
                stay = stay.map(|stay| TimeWait { duration_ns: Some(duration_ns), ..stay });
            }
            _ => {}
        }
    }
    stay
}
