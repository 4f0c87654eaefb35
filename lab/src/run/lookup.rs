//! Finds its way about a run: which flight, call, host and cause an event has.
//!
//! Made once per run. Positions that lead nowhere, as a file written by somebody else may have, are as if
//! they were not there: whatever comes out of a lookup is an event of the run.

use std::collections::HashMap;

use super::{HostIndex, Position, Run};

/// What belongs to each event of a run.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    hosts: Vec<Option<HostIndex>>,
    positions: HashMap<(HostIndex, u64), Position>,
    departures: HashMap<Position, usize>,
    arrivals: HashMap<Position, usize>,
    calls: HashMap<Position, usize>,
}

impl Lookup {
    /// The ways about `run`.
    pub fn new(run: &Run) -> Lookup {
        let names: HashMap<&str, HostIndex> =
            run.hosts.iter().enumerate().map(|(at, host)| (host.name.as_str(), at)).collect();
        let mut lookup = Lookup::default();
        for (position, event) in run.events.iter().enumerate() {
            let host = names.get(&*event.host).copied();
            lookup.hosts.push(host);
            if let Some(host) = host {
                lookup.positions.insert((host, event.index), position);
            }
        }
        let known = |position: &Position| *position < run.events.len();
        let hosts = |from: HostIndex, to: HostIndex| from.max(to) < run.hosts.len();
        for (at, flight) in run.flights.iter().enumerate() {
            if hosts(flight.from, flight.to) {
                lookup.departures.extend(flight.sent.filter(known).map(|sent| (sent, at)));
                lookup.arrivals.extend(flight.received.filter(known).map(|came| (came, at)));
            }
        }
        for (at, call) in run.calls.iter().enumerate().filter(|(_, call)| hosts(call.host, 0)) {
            let moments = [Some(call.entered), call.blocked, call.returned];
            lookup.calls.extend(moments.into_iter().flatten().filter(known).map(|p| (p, at)));
        }
        lookup
    }

    /// The host of the event at `position`.
    pub fn host(&self, position: Position) -> Option<HostIndex> {
        self.hosts.get(position).copied().flatten()
    }

    /// The flight that sets out with the event at `position`.
    pub fn departure(&self, position: Position) -> Option<usize> {
        self.departures.get(&position).copied()
    }

    /// The flight that ends with the event at `position`.
    pub fn arrival(&self, position: Position) -> Option<usize> {
        self.arrivals.get(&position).copied()
    }

    /// The flight that the event at `position` begins or ends.
    pub fn flight(&self, position: Position) -> Option<usize> {
        self.departure(position).or_else(|| self.arrival(position))
    }

    /// The call that the event at `position` belongs to.
    pub fn call(&self, position: Position) -> Option<usize> {
        self.calls.get(&position).copied()
    }

    /// What led to the event at `position`: what its host says, or the sending of what arrived.
    pub fn cause(&self, run: &Run, position: Position) -> Option<Position> {
        let event = run.events.get(position)?;
        let own = |cause| self.positions.get(&(self.host(position)?, cause)).copied();
        // A host's stream counts upwards: a cause behind its effect is none, and no chain is a circle.
        let cause = event.cause.filter(|cause| *cause < event.index).and_then(own);
        let sent = || self.arrival(position).and_then(|flight| run.flights.get(flight)?.sent);
        cause.or_else(sent).filter(|cause| *cause < position)
    }

    /// The event at `position`, what led to it, what led to that, and so on.
    pub fn causes(&self, run: &Run, position: Position) -> Vec<Position> {
        let first = Some(position).filter(|position| *position < run.events.len());
        std::iter::successors(first, |position| self.cause(run, *position)).collect()
    }
}

#[cfg(test)]
mod tests;
