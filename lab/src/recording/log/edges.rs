//! What a part of a recording must not say: that a segment was lost whose arrival lies behind the edge,
//! that one came twice whose departure lies before it, or that a host changed sides.

use std::ops::Range;

use crate::run::{Fate, Host, HostIndex, Position, Run};

/// Tells what crosses an edge of the run for what it is, if there is more beyond that edge.
///
/// Between two hosts packets mostly keep their order: what left after the last one that arrived is still
/// underway, and what arrived before the first one that was seen to leave has left before.
pub(super) fn settle(run: &mut Run, more_before: bool, more_behind: bool) {
    let hosts = run.hosts.len();
    let ways = (0..hosts).flat_map(|from| (0..hosts).map(move |to| (from, to)));
    for way in ways {
        let (mut first, mut last) = (None, None);
        for flight in run.flights.iter().filter(|flight| (flight.from, flight.to) == way) {
            if flight.sent.is_some() && flight.received.is_some() {
                first = first.min(flight.received).or(flight.received);
                last = last.max(flight.sent);
            }
        }
        for flight in run.flights.iter_mut().filter(|flight| (flight.from, flight.to) == way) {
            let is_late = flight.sent > last;
            let is_early = first.is_none() || flight.received < first;
            if more_behind && flight.fate == Fate::Lost && is_late {
                flight.fate = Fate::Underway;
                flight.lost_segments = 0;
            }
            if more_before && flight.sent.is_none() && flight.fate == Fate::Duplicate && is_early {
                flight.fate = Fate::Arrived;
            }
        }
    }
}

/// Leaves the events of `part` alone, and of everything else what has to do with them. Of a flight across
/// the edge both times stay known.
pub(super) fn cut(run: &mut Run, part: Range<Position>) {
    let moved = |at: Position| part.contains(&at).then(|| at - part.start);
    run.flights.retain_mut(|flight| {
        let crosses = flight.received.is_some_and(|at| at >= part.end);
        flight.sent = flight.sent.and_then(moved);
        flight.received = flight.received.and_then(moved);
        if crosses && flight.fate == Fate::Arrived {
            flight.fate = Fate::Underway;
        }
        flight.sent.is_some() || flight.received.is_some()
    });
    run.calls.retain_mut(|call| {
        let Some(entered) = moved(call.entered) else { return false };
        call.entered = entered;
        call.blocked = call.blocked.and_then(moved);
        call.returned = call.returned.and_then(moved);
        true
    });
    run.questions.retain_mut(|question| {
        let before = moved(question.before);
        question.before = before.unwrap_or(question.before);
        before.is_some()
    });
    run.events.truncate(part.end);
    run.events.drain(..part.start.min(run.events.len()));
    let ends = run.events.first().zip(run.events.last());
    let (from_ns, until_ns) = ends.map_or((0, 0), |(first, last)| (first.time_ns, last.time_ns));
    run.limits.retain_mut(|limit| {
        limit.from_ns = limit.from_ns.max(from_ns);
        limit.until_ns = limit.until_ns.min(until_ns);
        limit.from_ns < limit.until_ns
    });
}

/// Puts the hosts in the order, and gives them the roles, that they have in the whole.
pub(super) fn order_hosts(run: &mut Run, whole: &[Host]) {
    for host in whole {
        match run.hosts.iter_mut().find(|known| known.name == host.name) {
            Some(known) => known.role = host.role,
            None => run.hosts.push(host.clone()),
        }
    }
    let place = |host: &Host| whole.iter().position(|known| known.name == host.name);
    let mut order: Vec<HostIndex> = (0..run.hosts.len()).collect();
    order.sort_by_key(|at| place(&run.hosts[*at]).unwrap_or(usize::MAX));
    let mut new = vec![0; order.len()];
    for (at, old) in order.iter().enumerate() {
        new[*old] = at;
    }
    run.hosts = order.iter().map(|old| run.hosts[*old].clone()).collect();
    for flight in &mut run.flights {
        (flight.from, flight.to) = (new[flight.from], new[flight.to]);
    }
    for call in &mut run.calls {
        call.host = new[call.host];
    }
    for limit in &mut run.limits {
        limit.host = new[limit.host];
    }
    for question in &mut run.questions {
        question.host = new[question.host];
    }
    for listing in &mut run.listings {
        listing.host = new[listing.host];
    }
}

#[cfg(test)]
mod tests;
