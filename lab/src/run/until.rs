//! A run as it stood at one of its events: what comes later has not happened yet.

use super::{CallSpan, Fate, Flight, Position, Run};

/// The events of `run` up to the one at `cursor` and including it, with what follows from them: a segment that
/// arrives later is still under way, a call that returns later has not returned. A lost one is lost from the start,
/// for nothing later tells it.
pub fn until(run: &Run, cursor: Position) -> Run {
    let past = |position: &Position| *position <= cursor;
    let end = cursor.saturating_add(1).min(run.events.len());
    Run {
        format: run.format.clone(),
        version: run.version,
        origin: run.origin.clone(),
        title: run.title.clone(),
        hosts: run.hosts.clone(),
        events: run.events[..end].to_vec(),
        flights: run.flights.iter().filter_map(|flight| flight_until(flight, past)).collect(),
        calls: run.calls.iter().filter_map(|call| call_until(call, past)).collect(),
        limits: run.limits.clone(),
        landmarks: run.landmarks.clone(),
        questions: Vec::new(),
        listings: run.listings.clone(),
        window: run.window,
    }
}

fn flight_until(flight: &Flight, past: impl Fn(&Position) -> bool) -> Option<Flight> {
    let mut flight = flight.clone();
    let has_arrived = flight.received.as_ref().is_some_and(&past);
    match flight.sent {
        Some(sent) if !past(&sent) => return None,
        None if !has_arrived => return None,
        _ => {}
    }
    if flight.received.is_some() && !has_arrived {
        flight.received = None;
        flight.received_ns = None;
        flight.fate = Fate::Underway;
    }
    Some(flight)
}

fn call_until(call: &CallSpan, past: impl Fn(&Position) -> bool) -> Option<CallSpan> {
    let mut call = Some(call.clone()).filter(|call| past(&call.entered))?;
    call.blocked = call.blocked.filter(&past);
    call.returned = call.returned.filter(&past);
    if call.returned.is_none() {
        call.result = None;
    }
    Some(call)
}

#[cfg(test)]
mod tests;
