//! What follows from the segments that somebody saw pass: connections, numbers counted from their
//! beginning, windows in bytes, and which segments carry what had been seen before. It guesses nothing
//! that a segment does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tcpstack::event::{ConnectionName, Event, Kind, SegmentRecord};
use tcpstack::wire::checksum;
use tcpstack::wire::tcp::Flags;

use super::segment::Segment;

/// So many payload bytes of a segment are kept, as in the stack's own events.
const PAYLOAD_SHOWN: usize = 64;
/// RFC 7323 §2.3: a larger shift count means this one.
const MOST_SHIFT: u8 = 14;

/// The connections seen so far, and the segments as events of their senders.
#[derive(Default)]
pub(super) struct Onlooker {
    connections: Vec<Connection>,
    /// The last connection between two ends, the lesser end first.
    between: BTreeMap<(SocketAddr, SocketAddr), usize>,
    pub(super) events: Vec<Event>,
    /// Ends that have to be told apart by more than their address: a machine talks to itself.
    pub(super) own_ends: BTreeSet<SocketAddr>,
    pub(super) seen: Seen,
}

/// What is worth a remark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Connections whose first SYN was not seen.
    pub(super) begun_before: u64,
    /// Segments of which payload or options are missing in the file.
    pub(super) cut: u64,
    /// Segments whose checksum is wrong.
    pub(super) wrong_checksums: u64,
    /// Segments longer than the receiver takes in one.
    pub(super) super_segments: u64,
}

impl Onlooker {
    /// A segment that passed at `time_ns`.
    pub(super) fn see(&mut self, time_ns: u64, segment: &Segment<'_>) {
        let index = self.connection_of(segment);
        let connection = &mut self.connections[index];
        let record = connection.record(segment);
        self.seen.cut += u64::from(
            segment.len > segment.payload.len() || segment.header_len > segment.header_bytes.len(),
        );
        self.seen.wrong_checksums += u64::from(segment.is_intact == Some(false));
        self.seen.super_segments += u64::from(record.segments > 1);
        let host = Arc::clone(&connection.hosts[connection.side(segment.src)]);
        let name =
            ConnectionName { id: index as u64 + 1, local: segment.src, remote: Some(segment.dst) };
        self.events.push(Event {
            // Numbered when all are there.
            index: 0,
            time_ns,
            host,
            connection: Some(name),
            kind: Kind::SegmentSent(record),
            cause: None,
            reason: None,
            after: None,
        });
    }

    /// The events in order of time: those of several interfaces may stand otherwise in the file. Time
    /// begins with the first one.
    pub(super) fn into_events(mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| event.time_ns);
        let zero = self.events.first().map_or(0, |event| event.time_ns);
        let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for event in &mut self.events {
            event.time_ns -= zero;
            let count = counts.entry(Arc::clone(&event.host)).or_default();
            event.index = *count;
            *count += 1;
        }
        self.events
    }

    /// The connection that a segment belongs to: the last one between its ends, unless it opens
    /// another one between them.
    fn connection_of(&mut self, segment: &Segment<'_>) -> usize {
        let ends = (segment.src.min(segment.dst), segment.src.max(segment.dst));
        let flags = segment.header.flags;
        let opens = flags.contains(Flags::SYN) && !flags.contains(Flags::ACK);
        let known = self.between.get(&ends).copied();
        if let Some(known) = known.filter(|at| !opens || self.connections[*at].can_open(segment)) {
            return known;
        }
        self.seen.begun_before += u64::from(!flags.contains(Flags::SYN));
        let is_own = segment.src.ip() == segment.dst.ip();
        if is_own {
            self.own_ends.extend([segment.src, segment.dst]);
        }
        let host = |end: SocketAddr| -> Arc<str> {
            if is_own { end.to_string() } else { end.ip().to_string() }.into()
        };
        self.connections.push(Connection {
            ends: [segment.src, segment.dst],
            hosts: [host(segment.src), host(segment.dst)],
            sides: Default::default(),
        });
        self.between.insert(ends, self.connections.len() - 1);
        self.connections.len() - 1
    }
}

/// One connection, by the segments that were seen of it.
struct Connection {
    ends: [SocketAddr; 2],
    hosts: [Arc<str>; 2],
    sides: [Side; 2],
}

/// What one end has sent.
#[derive(Default)]
struct Side {
    /// What its numbers count from, and the last one counted: both as 64-bit numbers.
    numbers: Option<Numbers>,
    /// The SYN's number and options.
    syn: Option<Syn>,
    /// Sequence numbers seen, as disjoint ranges: start to end.
    sent: BTreeMap<u64, u64>,
}

#[derive(Clone, Copy)]
struct Numbers {
    last_wire: u32,
    /// Relative to the SYN, or to one before the first number seen.
    last: i64,
}

#[derive(Clone, Copy)]
struct Syn {
    seq: u32,
    window_scale: Option<u8>,
    mss: Option<u16>,
}

impl Connection {
    fn side(&self, end: SocketAddr) -> usize {
        usize::from(end != self.ends[0])
    }

    /// Whether a SYN without ACK belongs to this connection: it is sent again, or it crosses the
    /// other end's (RFC 9293 §3.5, simultaneous open).
    fn can_open(&self, segment: &Segment<'_>) -> bool {
        let side = self.side(segment.src);
        match self.sides[side].syn {
            Some(syn) => syn.seq == segment.header.seq,
            None => self.sides[side].numbers.is_none() && self.sides[1 - side].syn.is_some(),
        }
    }

    /// The segment as an event has it.
    fn record(&mut self, segment: &Segment<'_>) -> SegmentRecord {
        let from = self.side(segment.src);
        let header = &segment.header;
        let is_syn = header.flags.contains(Flags::SYN);
        if is_syn && self.sides[from].syn.is_none() {
            let options = &header.options;
            let (window_scale, mss) = (options.window_scale, options.mss);
            self.sides[from].syn = Some(Syn { seq: header.seq, window_scale, mss });
        }
        // An RST for a segment that nobody wanted has a number of its own, which begins nothing.
        let begins = !header.flags.contains(Flags::RST) || self.sides[from].numbers.is_some();
        let relative_seq = if begins { self.sides[from].count(header.seq, is_syn) } else { None };
        let acks = header.flags.contains(Flags::ACK);
        let relative_ack = acks.then(|| self.sides[1 - from].count(header.ack, false)).flatten();
        let shift = if is_syn { 0 } else { self.shift(from) };
        let len = segment.sequence_len();
        let retransmission =
            relative_seq.is_some_and(|seq| self.sides[from].has_sent(seq, seq.saturating_add(len)));
        SegmentRecord {
            src_port: header.src_port,
            dst_port: header.dst_port,
            seq: header.seq,
            ack: if acks { header.ack } else { 0 },
            relative_seq,
            relative_ack,
            flags: header.flags.to_string(),
            window: header.window,
            window_bytes: u64::from(header.window) << shift,
            urgent: header.urgent,
            len: segment.len,
            segments: self.segments(from, segment),
            header: hexadecimal(segment.header_bytes),
            payload: hexadecimal(&segment.payload[..segment.payload.len().min(PAYLOAD_SHOWN)]),
            payload_sum: (segment.payload.len() == segment.len)
                .then(|| checksum::sum(segment.payload)),
            retransmission,
        }
    }

    /// RFC 7323 §2.2: windows are scaled only if both SYNs said so, and by what the sender's own said.
    fn shift(&self, from: usize) -> u8 {
        let scale = |side: usize| self.sides[side].syn.and_then(|syn| syn.window_scale);
        scale(from).filter(|_| scale(1 - from).is_some()).map_or(0, |shift| shift.min(MOST_SHIFT))
    }

    /// How many segments of the size that the receiver takes its text fills: a sending machine's
    /// network card cuts it later, or a receiving one has put it together (RFC 9293 §3.7.1: options
    /// count).
    fn segments(&self, from: usize, segment: &Segment<'_>) -> u32 {
        let Some(mss) = self.sides[1 - from].syn.and_then(|syn| syn.mss) else { return 1 };
        let options = segment.header_len - 20;
        let room = usize::from(mss).saturating_sub(options).max(1);
        u32::try_from(segment.len.div_ceil(room)).unwrap_or(u32::MAX).max(1)
    }
}

impl Side {
    /// A sequence number counted from the beginning; none: it is from before what was seen.
    fn count(&mut self, wire: u32, is_syn: bool) -> Option<u64> {
        let numbers = self.numbers.get_or_insert(Numbers {
            last_wire: wire,
            // As if the SYN had been just before.
            last: i64::from(!is_syn),
        });
        let step = wire.wrapping_sub(numbers.last_wire).cast_signed();
        let counted = numbers.last.saturating_add(i64::from(step));
        if counted > numbers.last {
            *numbers = Numbers { last_wire: wire, last: counted };
        }
        u64::try_from(counted).ok()
    }

    /// Notes that `[start, end)` was sent; whether any of it had been seen before.
    fn has_sent(&mut self, mut start: u64, mut end: u64) -> bool {
        if start >= end {
            return false;
        }
        let mut again = false;
        // What touches it becomes one range with it.
        while let Some((&from, &to)) =
            self.sent.range(..=end).next_back().filter(|(_, to)| **to >= start)
        {
            again |= from < end && start < to;
            self.sent.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        self.sent.insert(start, end);
        again
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
