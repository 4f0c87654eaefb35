//! Which connections the recordings tell of: the two hosts' views of one connection are found by
//! their addresses, and told apart by their ids where a pair of ports was used again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use tcpstack::event::{ConnectionName, Event, Kind, SegmentRecord};

use super::Source;

/// One connection as all recordings see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// From 1, in order of their beginning.
    pub number: usize,
    /// The end that opened actively (or was seen first).
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// Absolute sequence number of the client's SYN: the notes' J.
    pub j: Option<u32>,
    /// Absolute sequence number of the server's SYN: the notes' K.
    pub k: Option<u32>,
    /// First and last event, in nanoseconds of the common axis.
    pub span_ns: (u64, u64),
    /// The hosts' views that belong to it.
    pub(super) members: BTreeSet<Member>,
}

/// A host's view of a connection: its source, the connection's id there, and its ends if the id
/// does not tell connections apart.
pub(super) type Member = (usize, u64, Option<(SocketAddr, SocketAddr)>);

/// The id under which a host records segments that no connection of its own wants.
const UNOWNED: u64 = 0;

/// The view that `name` belongs to.
pub(super) fn member(source: usize, name: &ConnectionName) -> Member {
    let ends = name.remote.filter(|_| name.id == UNOWNED).map(|remote| (name.local, remote));
    (source, name.id, ends)
}

impl Conversation {
    /// The initial sequence number of the end `endpoint`.
    pub(super) fn iss(&self, endpoint: SocketAddr) -> Option<u32> {
        if endpoint == self.client { self.j } else { self.k }
    }

    /// The other end.
    pub(super) fn other(&self, endpoint: SocketAddr) -> SocketAddr {
        if endpoint == self.client { self.server } else { self.client }
    }

    fn is_between(&self, one: SocketAddr, other: SocketAddr) -> bool {
        (self.client, self.server) == (one, other) || (self.client, self.server) == (other, one)
    }
}

/// Nanoseconds to add to a source's clock to reach the common axis.
///
/// Processes on one machine share a monotonic clock, whose origin each of them converts to wall
/// time with a small error: origins that near are taken for the same. The clocks of different
/// machines are compared by wall time.
pub(super) fn clock_offsets(sources: &[Source]) -> Vec<i128> {
    const SAME_CLOCK_NS: i128 = 50_000_000;
    let Some(first) = sources.first() else { return Vec::new() };
    let origin = i128::from(first.recording.header.unix_epoch_ns);
    let offset = |source: &Source| {
        let offset = i128::from(source.recording.header.unix_epoch_ns) - origin;
        if offset.abs() <= SAME_CLOCK_NS { 0 } else { offset }
    };
    let offsets: Vec<i128> = sources.iter().map(offset).collect();
    // Nobody's time may fall before zero.
    let least = offsets.iter().copied().min().unwrap_or(0).min(0);
    offsets.iter().map(|offset| offset - least).collect()
}

/// `event`'s time on the common axis.
pub(super) fn time_on_axis(event: &Event, offset: i128) -> u64 {
    u64::try_from(i128::from(event.time_ns) + offset).unwrap_or(u64::MAX)
}

/// The addresses that each source is known to have.
pub(super) fn addresses(source: &Source) -> BTreeSet<IpAddr> {
    let names = source.recording.events.iter().filter_map(|event| event.connection);
    let locals = names.map(|name| name.local.ip()).filter(|ip| !ip.is_unspecified());
    locals.chain(source.recording.header.host.parse().ok()).collect()
}

/// One host's view of a connection.
struct View {
    local: SocketAddr,
    remote: SocketAddr,
    span_ns: (u64, u64),
}

/// Every connection of which both ends are known, in order of their beginning.
pub fn find_conversations(sources: &[Source]) -> Vec<Conversation> {
    let offsets = clock_offsets(sources);
    let mut views: Vec<(Member, View)> = views(sources, &offsets).into_iter().collect();
    views.sort_by_key(|(_, view)| view.span_ns);
    let mut found: Vec<Conversation> = Vec::new();
    let mut ends: Vec<BTreeSet<(usize, SocketAddr)>> = Vec::new();
    for (seen_by, view) in views {
        // A second id at the same end is a later connection between the same ports.
        let end = (seen_by.0, view.local);
        let known = (0..found.len())
            .rev()
            .find(|at| found[*at].is_between(view.local, view.remote))
            .filter(|at| !ends[*at].contains(&end));
        let at = known.unwrap_or_else(|| {
            found.push(Conversation {
                number: 0,
                client: view.local,
                server: view.remote,
                j: None,
                k: None,
                span_ns: view.span_ns,
                members: BTreeSet::new(),
            });
            ends.push(BTreeSet::new());
            found.len() - 1
        });
        ends[at].insert(end);
        let conversation = &mut found[at];
        conversation.members.insert(seen_by);
        conversation.span_ns.0 = conversation.span_ns.0.min(view.span_ns.0);
        conversation.span_ns.1 = conversation.span_ns.1.max(view.span_ns.1);
    }
    for conversation in &mut found {
        learn_opening(conversation, sources, &offsets);
    }
    found.sort_by_key(|conversation| conversation.span_ns);
    for (at, conversation) in found.iter_mut().enumerate() {
        conversation.number = at + 1;
    }
    found
}

fn views(sources: &[Source], offsets: &[i128]) -> BTreeMap<Member, View> {
    let mut views: BTreeMap<Member, View> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        for event in &source.recording.events {
            let Some(name) = event.connection else { continue };
            let Some(remote) = name.remote else { continue };
            let time = time_on_axis(event, offsets[at]);
            let new = || View { local: name.local, remote, span_ns: (time, time) };
            let view = views.entry(member(at, &name)).or_insert_with(new);
            view.span_ns.1 = time;
        }
    }
    views
}

/// Client, server, J and K from the SYNs that somebody saw.
fn learn_opening(conversation: &mut Conversation, sources: &[Source], offsets: &[i128]) {
    let mut syns: Vec<(u64, SocketAddr, &SegmentRecord)> = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        for event in &source.recording.events {
            let Some(name) = event.connection else { continue };
            let Some(remote) = name.remote else { continue };
            if !conversation.members.contains(&member(at, &name)) {
                continue;
            }
            let (from, segment) = match &event.kind {
                Kind::SegmentSent(segment) => (name.local, segment),
                Kind::SegmentReceived(segment) => (remote, segment),
                _ => continue,
            };
            if segment.flags.split('|').any(|flag| flag == "SYN") {
                syns.push((time_on_axis(event, offsets[at]), from, segment));
            }
        }
    }
    // The active opener's SYN has no ACK; of two such (simultaneous open) the earlier one.
    syns.sort_by_key(|(time, _, segment)| (segment.flags.contains("ACK"), *time));
    if let Some((_, from, segment)) = syns.first() {
        let opened = !segment.flags.contains("ACK");
        let client = if opened { *from } else { conversation.other(*from) };
        conversation.server = conversation.other(client);
        conversation.client = client;
    }
    let iss = |end| syns.iter().find(|(_, from, _)| *from == end).map(|(_, _, syn)| syn.seq);
    (conversation.j, conversation.k) = (iss(conversation.client), iss(conversation.server));
}
