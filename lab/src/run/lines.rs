//! A run as plain lines, one per event: for whoever writes a lesson, and to be compared in tests.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;
use tcpstack::event::{Event, Kind, TimerName};

use super::wording::signs;
use super::{Fate, Flight, Position, Run};

/// One line per event: seconds, host, what happened with numbers counted from the SYNs, and the id of its
/// reason. A segment that is sent has its packet's number, which rules go by, and what becomes of it.
pub fn lines(run: &Run) -> String {
    let mut sent: BTreeMap<Position, Vec<&Flight>> = BTreeMap::new();
    for flight in &run.flights {
        if let Some(at) = flight.sent {
            sent.entry(at).or_default().push(flight);
        }
    }
    let width = run.hosts.iter().map(|host| host.name.len()).max().unwrap_or(0);
    let mut lines = String::new();
    for (at, event) in run.events.iter().enumerate() {
        let flights = sent.get(&at).map_or(&[][..], Vec::as_slice);
        let seconds = event.time_ns as f64 / 1e9;
        let (host, what) = (&event.host, what(event, flights));
        // Writing to a string cannot fail.
        let _ = write!(lines, "{seconds:11.6} {host:width$} {what}");
        if let Some(reason) = event.reason {
            let _ = write!(lines, " ({})", reason.id());
        }
        lines.push('\n');
    }
    lines
}

fn what(event: &Event, flights: &[&Flight]) -> String {
    let lasts = |deadline_ns: u64| deadline_ns.saturating_sub(event.time_ns) as f64 / 1e9;
    match &event.kind {
        Kind::SegmentSent(record) => {
            let number = flights.first().and_then(|flight| flight.number);
            let number = number.map_or_else(String::new, |number| format!("#{number} "));
            let again = if record.retransmission { " again" } else { "" };
            let fates: String = flights.iter().map(|flight| fate(flight.fate)).collect();
            format!("> {number}{} win={}{again}{fates}", signs(record), record.window_bytes)
        }
        Kind::SegmentReceived(record) => {
            format!("< {} win={}", signs(record), record.window_bytes)
        }
        Kind::PacketDropped { counter, len } => format!("< dropped {counter}, {len} bytes"),
        Kind::Updated => "  updated".to_owned(),
        Kind::StateChanged { from, to } => format!("= {} to {}", from.name(), to.name()),
        Kind::TimerArmed { timer, deadline_ns } => {
            format!("  timer {} armed, {} s", name(*timer), lasts(*deadline_ns))
        }
        Kind::TimerStopped { timer } => format!("  timer {} stopped", name(*timer)),
        Kind::TimerFired { timer } => format!("! timer {} fired", name(*timer)),
        Kind::RttMeasured { rtt_ns } => format!("  rtt {} s", *rtt_ns as f64 / 1e9),
        Kind::CongestionChanged { phase } => {
            let cwnd = event.after.as_ref().map_or(0, |after| after.cwnd);
            format!("  congestion {phase}, cwnd={cwnd}")
        }
        Kind::CallEntered { name, arguments, .. } => format!(". {name}({arguments})"),
        Kind::CallBlocked { name, .. } => format!(". {name} waits"),
        Kind::CallReturned { name, result, .. } => format!(". {name} = {result}"),
    }
}

/// A timer by its name in events, which landmarks name it by.
fn name(timer: TimerName) -> String {
    match serde_json::to_value(timer) {
        Ok(Value::String(name)) => name,
        // A timer without data is a word.
        _ => String::new(),
    }
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrived => "",
        Fate::Lost => " LOST",
        Fate::Damaged => " DAMAGED",
        Fate::Duplicate => " TWICE",
        Fate::Underway => " UNDERWAY",
        Fate::Unwitnessed => " GONE",
    }
}
