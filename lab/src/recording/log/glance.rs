//! What a line tells at a glance: when, of which connection, and the few numbers that an overview draws.
//!
//! A line is not parsed: its fields are looked for where the writer puts them. That cannot be led astray
//! by a text in it, because a quotation mark inside a JSON string is escaped, so `"after":{` is the key
//! and nothing else. A line that is laid out otherwise is parsed as an event after all, and refused if it
//! is none.

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use tcpstack::event::{Event, Kind, Snapshot, TimerName};

/// How many kinds of marks there are: retransmissions, losses, drops.
pub(super) const MARKS: usize = 3;
/// How many quantities are drawn over time: seq, ack, window, cwnd, in flight.
pub(super) const QUANTITIES: usize = 5;

/// What is read of an event without parsing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Glance {
    pub(super) time_ns: u64,
    /// The connection's id on its host; 0: none.
    pub(super) connection: u64,
    /// Whether it is a retransmission; whether text is deemed lost; whether a packet was dropped.
    pub(super) marks: [bool; MARKS],
    pub(super) sample: Option<Sample>,
}

/// What a sender knows, in bytes: SND.NXT, SND.UNA and SND.UNA + SND.WND counted from its ISS; the
/// congestion window and what is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample(pub(super) [u64; QUANTITIES]);

/// Looks for what an index needs. Made once for many lines.
pub(super) struct Glancer {
    connection: Finder<'static>,
    kind: Finder<'static>,
    again: Finder<'static>,
    after: Finder<'static>,
    /// The numbers of a snapshot that are looked at, in its order.
    numbers: [Finder<'static>; 6],
    lost: Finder<'static>,
}

impl Glancer {
    pub(super) fn new() -> Glancer {
        let numbers = ["iss", "snd_una", "snd_nxt", "snd_wnd", "cwnd", "in_flight"];
        Glancer {
            connection: Finder::new(r#""connection":{"id":"#),
            kind: Finder::new(r#""kind":{"type":""#),
            again: Finder::new(r#""retransmission":true"#),
            after: Finder::new(r#""after":{"#),
            numbers: numbers.map(|name| Finder::new(&format!("\"{name}\":")).into_owned()),
            lost: Finder::new(r#""lost":[["#),
        }
    }

    /// What the line (without its newline) tells.
    ///
    /// # Errors
    /// It is no event.
    pub(super) fn glance(&self, line: &[u8]) -> Result<Glance, serde_json::Error> {
        match self.quick(line) {
            Some(glance) => Ok(glance),
            None => serde_json::from_slice(line).map(|event| slow(&event)),
        }
    }

    fn quick(&self, line: &[u8]) -> Option<Glance> {
        let mut cursor = Cursor(line.strip_suffix(b"}")?);
        cursor.word(br#"{"index":"#)?;
        cursor.number()?;
        cursor.word(br#","time_ns":"#)?;
        let time_ns = cursor.number()?;
        cursor.word(br#","host":""#)?;
        let (before, kind) = split(cursor.0, &self.kind)?;
        let connection = self.connection(before);
        let (kind, after) = match split(kind, &self.after) {
            Some((kind, after)) => (kind, Some(after)),
            None => (kind, None),
        };
        let marks = [
            kind.starts_with(b"segment_sent") && self.again.find(kind).is_some(),
            kind.starts_with(br#"timer_fired","timer":"retransmission""#)
                || after.is_some_and(|after| self.lost.find(after).is_some()),
            kind.starts_with(b"packet_dropped"),
        ];
        let sample = match after {
            Some(after) => Some(self.sample(after)?),
            None => None,
        };
        Some(Glance { time_ns, connection, marks, sample })
    }

    fn connection(&self, before_kind: &[u8]) -> u64 {
        let id = split(before_kind, &self.connection).map(|(_, rest)| Cursor(rest).number());
        id.flatten().unwrap_or(0)
    }

    /// The numbers of a snapshot, which stand in it in this order, with others between them.
    fn sample(&self, after: &[u8]) -> Option<Sample> {
        let mut numbers = [0; 6];
        let mut rest = after;
        for (number, finder) in numbers.iter_mut().zip(&self.numbers) {
            (_, rest) = split(rest, finder)?;
            *number = Cursor(rest).number()?;
        }
        let [iss, una, nxt, wnd, cwnd, in_flight] = numbers;
        Some(Sample::of(iss, una, nxt, wnd, [cwnd, in_flight]))
    }
}

/// The two sides of what `finder` finds.
fn split<'a>(text: &'a [u8], finder: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let at = finder.find(text)?;
    Some((&text[..at], &text[at + finder.needle().len()..]))
}

impl Sample {
    fn of(iss: u64, una: u64, nxt: u64, wnd: u64, [cwnd, in_flight]: [u64; 2]) -> Sample {
        let window = una.saturating_add(wnd);
        let [nxt, una, window] = [nxt, una, window].map(|number| number.saturating_sub(iss));
        Sample([nxt, una, window, cwnd, in_flight])
    }
}

/// The same of an event that was parsed.
fn slow(event: &Event) -> Glance {
    let lost = |after: &Snapshot| !after.recovery.lost.is_empty();
    let of = |after: &Snapshot| {
        let own = [after.cwnd, after.in_flight];
        Sample::of(after.iss, after.snd_una, after.snd_nxt, after.snd_wnd, own)
    };
    let after = event.after.as_deref();
    let marks = [
        matches!(&event.kind, Kind::SegmentSent(segment) if segment.retransmission),
        matches!(event.kind, Kind::TimerFired { timer: TimerName::Retransmission })
            || after.is_some_and(lost),
        matches!(event.kind, Kind::PacketDropped { .. }),
    ];
    Glance {
        time_ns: event.time_ns,
        connection: event.connection.map_or(0, |name| name.id),
        marks,
        sample: after.map(of),
    }
}

/// What is left of a line.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let len = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        let push =
            |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        (len > 0).then(|| digits.iter().try_fold(0, push)).flatten()
    }
}

#[cfg(test)]
mod tests;
