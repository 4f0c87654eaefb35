//! One stream of events a host: files that bear the same host's name are of one host that was opened
//! again, and are counted on, so that numbers of events, connections and calls stay unique on it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use tcpstack::event::{Event, Kind};

use super::{Axis, Source};
use crate::run::{Host, Role, addresses_of};

/// The events of one host, on the common axis.
pub(super) struct Stream {
    pub(super) events: Vec<Event>,
    name: String,
}

impl Stream {
    /// The host, as far as its own stream tells, and what is known of it; its role does not yet.
    pub(super) fn host(&self, known: &[Host]) -> Host {
        let own = addresses_of(&self.events);
        let known = known.iter().filter(|host| host.name == self.name);
        let known = known.flat_map(|host| host.addresses.iter().copied());
        let named: BTreeSet<IpAddr> =
            own.into_iter().chain(self.name.parse().ok()).chain(known).collect();
        Host {
            name: self.name.clone(),
            role: Role::Peer,
            addresses: named.into_iter().collect(),
            recorded: true,
        }
    }

    fn take(&mut self, events: impl Iterator<Item = Event>) {
        let (index, id, call) = self.counts();
        for mut event in events {
            event.index += index;
            event.cause = event.cause.map(|cause| cause + index);
            // 0 is no connection's number.
            if let Some(name) = event.connection.as_mut().filter(|name| name.id != 0) {
                name.id += id;
            }
            if let Some(number) = call_number(&mut event.kind) {
                *number += call;
            }
            self.events.push(event);
        }
    }

    /// What the numbers of the next file's events, connections and calls are counted on from.
    fn counts(&mut self) -> (u64, u64, u64) {
        let mut next = (0, 0, 0);
        for event in &mut self.events {
            next.0 = next.0.max(event.index + 1);
            next.1 = next.1.max(event.connection.map_or(0, |name| name.id));
            next.2 = next.2.max(call_number(&mut event.kind).map_or(0, |number| *number + 1));
        }
        next
    }
}

fn call_number(kind: &mut Kind) -> Option<&mut u64> {
    match kind {
        Kind::CallEntered { call, .. }
        | Kind::CallBlocked { call, .. }
        | Kind::CallReturned { call, .. } => Some(call),
        _ => None,
    }
}

/// The hosts' streams, in the order in which their first files were given.
pub(super) fn streams(sources: &[Source], axis: &Axis) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    for source in sources {
        let name = &source.recording.header.host;
        if !streams.iter().any(|stream| stream.name == *name) {
            streams.push(Stream { events: Vec::new(), name: name.clone() });
        }
    }
    let mut earliest_first: Vec<usize> = (0..sources.len()).collect();
    earliest_first.sort_by_key(|at| {
        let first = sources[*at].recording.events.first();
        first.map(|event| axis.place(*at, event.time_ns))
    });
    for at in earliest_first {
        let name: Arc<str> = sources[at].recording.header.host.as_str().into();
        let moved = sources[at].recording.events.iter().cloned().map(|mut event| {
            axis.move_event(at, &mut event);
            event.host = Arc::clone(&name);
            event
        });
        if let Some(stream) = streams.iter_mut().find(|stream| *stream.name == *name) {
            stream.take(moved);
        }
    }
    streams
}
