//! The sequence diagram as Mermaid's text, which GitHub draws in a Markdown file.
//!
//! Mermaid has no time and no slope: what it shows is the order, the segments and what became of them, the calls and
//! the states. It draws a few hundred lines at most, so that many are an honest remark and not a broken picture.

use std::fmt::Write;

use tcpstack::event::{Event, Kind, Language};

use super::words::left_out;
use crate::caption;
use crate::run::lookup::Lookup;
use crate::run::{Fate, Position, Run};

/// Lines that Mermaid draws without giving up (its text is limited to 50,000 characters by default).
const MOST_LINES: usize = 400;

/// The sequence diagram of `run`.
pub fn mermaid(run: &Run, language: Language) -> String {
    let lookup = Lookup::new(run);
    let mut text = String::from("sequenceDiagram\n");
    let title = escape(run.title.of(language));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    accTitle: {title}");
    let _ = writeln!(text, "    accDescr: {}", escape(&super::words::description(run, language)));
    for (at, host) in run.hosts.iter().enumerate() {
        let label = escape(&caption::host(host, language));
        let _ = writeln!(text, "    participant h{at} as {label}");
    }
    let mut lines = 0;
    for (position, event) in run.events.iter().enumerate() {
        let Some(line) = line(run, &lookup, position, event, language) else { continue };
        if lines == MOST_LINES {
            let rest = escape(&left_out(run.events.len() - position, language));
            let _ = writeln!(text, "    Note over h0: {rest}");
            break;
        }
        let _ = writeln!(text, "    {line}");
        lines += 1;
    }
    text
}

fn line(
    run: &Run,
    lookup: &Lookup,
    position: Position,
    event: &Event,
    language: Language,
) -> Option<String> {
    let host = lookup.host(position)?;
    let side = if host == 0 { "left" } else { "right" };
    let note = |text: String| Some(format!("Note {side} of h{host}: {}", escape(&text)));
    match &event.kind {
        Kind::SegmentSent(_) => segment(run, lookup.departure(position)?, event),
        // Its sending is nowhere: nobody wrote it down.
        Kind::SegmentReceived(_) => {
            let at = lookup.arrival(position)?;
            run.flights.get(at)?.sent.is_none().then(|| segment(run, at, event))?
        }
        Kind::StateChanged { to, .. } => Some(format!("Note over h{host}: {}", to.name())),
        Kind::CallEntered { .. } => {
            let call = run.calls.get(lookup.call(position)?)?;
            let returned = call.returned.and_then(|at| run.events.get(at));
            let at_once = returned.is_some_and(|returned| returned.time_ns == event.time_ns);
            let result = call.result.as_ref().filter(|_| at_once);
            let result = result.map(|result| format!(" = {result}")).unwrap_or_default();
            note(format!("{}{result}", caption::call(call)))
        }
        Kind::CallReturned { name, result, .. } => {
            let call = run.calls.get(lookup.call(position)?)?;
            let entered = run.events.get(call.entered)?;
            (entered.time_ns != event.time_ns).then(|| note(format!("{name} = {result}")))?
        }
        Kind::TimerFired { .. } | Kind::PacketDropped { .. } => {
            note(caption::event(run, lookup, position, language))
        }
        _ => None,
    }
}

fn segment(run: &Run, at: usize, event: &Event) -> Option<String> {
    let flight = run.flights.get(at)?;
    let (Kind::SegmentSent(record) | Kind::SegmentReceived(record)) = &event.kind else {
        return None;
    };
    let arrow = match flight.fate {
        Fate::Lost => "--x",
        Fate::Damaged => "-x",
        Fate::Arrived => "->>",
        Fate::Duplicate | Fate::Underway | Fate::Unwitnessed => "-->>",
    };
    let again = if record.retransmission { "↻ " } else { "" };
    let label = escape(&caption::segment(run, Some(flight.from), record));
    Some(format!("h{}{arrow}h{}: {again}{label}", flight.from, flight.to))
}

/// `text` where Mermaid has a text: one line, without the characters that end or begin something there.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ';' | '#' | ':' | '<' | '>' | '"' | '{' | '}' | '`' | '&' | '%' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
