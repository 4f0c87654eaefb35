//! The order of a run's events: by time, but in no host's own order is anything changed, and no
//! segment arrives before it was sent, even if two machines' clocks disagree.

use std::collections::VecDeque;

use tcpstack::event::Event;

use crate::run::{Flight, Position};

/// The positions of `events` in an order that time and causality allow. The first `lens[0]` of them
/// are the first host's, the next `lens[1]` the second's, and so on, each in its own order.
pub(super) fn causal_order(events: &[Event], lens: &[usize], flights: &[Flight]) -> Vec<Position> {
    // Which sendings must have been told before an event; several where they were merged into one.
    let mut needs: Vec<Vec<Position>> = vec![Vec::new(); events.len()];
    for flight in flights {
        if let (Some(sent), Some(received)) = (flight.sent, flight.received) {
            needs[received].push(sent);
        }
    }
    let mut told = vec![false; events.len()];
    let mut first = 0;
    let mut streams: Vec<VecDeque<Position>> = Vec::new();
    for len in lens {
        streams.push((first..first + len).collect());
        first += len;
    }
    let mut order = Vec::with_capacity(events.len());
    loop {
        let heads = streams.iter().enumerate().filter_map(|(stream, positions)| {
            let head = *positions.front()?;
            let early = needs[head].iter().any(|sent| !told[*sent]);
            Some((early, events[head].time_ns, stream))
        });
        // If every head is early the recordings contradict each other; time decides.
        let Some((_, _, stream)) = heads.min() else { return order };
        if let Some(next) = streams[stream].pop_front() {
            told[next] = true;
            order.push(next);
        }
    }
}
