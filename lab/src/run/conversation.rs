//! Which connections a run tells of: the two hosts' views of one connection are found by their
//! addresses, and told apart by their ids where a pair of ports was used again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tcpstack::event::{ConnectionName, Event, Kind, SegmentRecord};

use super::{Position, has_flag};

/// One connection as all hosts see it.
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
    /// First and last event, in nanoseconds.
    pub span_ns: (u64, u64),
    /// The hosts' views that belong to it.
    pub(crate) members: BTreeSet<Member>,
}

/// A host's view of a connection: the host's name, the connection's id there, and its ends if the id
/// does not tell connections apart.
pub(crate) type Member = (Arc<str>, u64, Option<(SocketAddr, SocketAddr)>);

/// The id under which a host records segments that no connection of its own wants.
const UNOWNED: u64 = 0;

/// The view that `name` belongs to.
pub(crate) fn member(host: &Arc<str>, name: &ConnectionName) -> Member {
    let ends = name.remote.filter(|_| name.id == UNOWNED).map(|remote| (name.local, remote));
    (Arc::clone(host), name.id, ends)
}

impl Conversation {
    /// The initial sequence number of the end `endpoint`.
    pub fn iss(&self, endpoint: SocketAddr) -> Option<u32> {
        if endpoint == self.client { self.j } else { self.k }
    }

    /// The other end.
    pub fn other(&self, endpoint: SocketAddr) -> SocketAddr {
        if endpoint == self.client { self.server } else { self.client }
    }
}

/// Which conversation each view belongs to, as an index of `conversations`.
pub(crate) fn owners(conversations: &[Conversation]) -> BTreeMap<Member, usize> {
    let members = |(at, one): (usize, &Conversation)| -> Vec<(Member, usize)> {
        one.members.iter().map(|member| (member.clone(), at)).collect()
    };
    conversations.iter().enumerate().flat_map(members).collect()
}

/// The addresses that a host's own events name.
pub(crate) fn addresses_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeSet<IpAddr> {
    let names = events.into_iter().filter_map(|event| event.connection);
    names.map(|name| name.local.ip()).filter(|ip| !ip.is_unspecified()).collect()
}

/// One host's view of a connection.
struct View {
    local: SocketAddr,
    remote: SocketAddr,
    span_ns: (u64, u64),
}

/// Every connection of which both ends are known, in order of their beginning. Each host's events
/// must be in its own order; how those of several are mixed does not matter.
pub fn find_conversations(events: &[Event]) -> Vec<Conversation> {
    let mut views: Vec<(Member, View)> = views(events).into_iter().collect();
    views.sort_by_key(|(_, view)| view.span_ns);
    let mut found: Vec<Conversation> = Vec::new();
    let mut ends: Vec<BTreeSet<(Arc<str>, SocketAddr)>> = Vec::new();
    // The last conversation between two ends.
    let mut between: BTreeMap<(SocketAddr, SocketAddr), usize> = BTreeMap::new();
    for (seen_by, view) in views {
        // A second id at the same end is a later connection between the same ports; what no connection
        // wanted came from the one before.
        let is_unowned = seen_by.1 == UNOWNED;
        let end = (Arc::clone(&seen_by.0), view.local);
        let pair = (view.local.min(view.remote), view.local.max(view.remote));
        let is_its = |at: &usize| is_unowned || !ends[*at].contains(&end);
        let known = between.get(&pair).copied().filter(is_its);
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
            between.insert(pair, found.len() - 1);
            found.len() - 1
        });
        ends[at].insert(end);
        let conversation = &mut found[at];
        conversation.members.insert(seen_by);
        conversation.span_ns.0 = conversation.span_ns.0.min(view.span_ns.0);
        conversation.span_ns.1 = conversation.span_ns.1.max(view.span_ns.1);
    }
    learn_openings(&mut found, events);
    found.sort_by_key(|conversation| conversation.span_ns);
    for (at, conversation) in found.iter_mut().enumerate() {
        conversation.number = at + 1;
    }
    found
}

fn views(events: &[Event]) -> BTreeMap<Member, View> {
    let mut views: BTreeMap<Member, View> = BTreeMap::new();
    for event in events {
        let Some(name) = event.connection else { continue };
        let Some(remote) = name.remote else { continue };
        let time = event.time_ns;
        let new = || View { local: name.local, remote, span_ns: (time, time) };
        let view = views.entry(member(&event.host, &name)).or_insert_with(new);
        view.span_ns.1 = time;
    }
    views
}

/// A segment that one host saw.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The conversation, an index.
    pub(crate) conversation: usize,
    /// The end that it came from.
    pub(crate) from: SocketAddr,
    /// Whether this was seen there, rather than where it went.
    pub(crate) is_sending: bool,
    /// The event.
    pub(crate) at: Position,
    /// What was seen.
    pub(crate) segment: &'a SegmentRecord,
}

/// The segments of `conversations`, in the order of `events`.
pub(crate) fn seen_segments<'a>(
    conversations: &[Conversation],
    events: &'a [Event],
) -> Vec<Seen<'a>> {
    let owners = owners(conversations);
    let seen = events.iter().enumerate().filter_map(|(at, event)| {
        let name = event.connection?;
        let (from, is_sending, segment) = match &event.kind {
            Kind::SegmentSent(segment) => (name.local, true, segment),
            Kind::SegmentReceived(segment) => (name.remote?, false, segment),
            _ => return None,
        };
        let conversation = *owners.get(&member(&event.host, &name))?;
        Some(Seen { conversation, from, is_sending, at, segment })
    });
    seen.collect()
}

/// Client, server, J and K from the SYNs that somebody saw.
fn learn_openings(conversations: &mut [Conversation], events: &[Event]) {
    type Syn<'a> = (u64, SocketAddr, &'a SegmentRecord);
    let mut syns: Vec<Vec<Syn<'_>>> = vec![Vec::new(); conversations.len()];
    for seen in seen_segments(conversations, events) {
        if has_flag(seen.segment, "SYN") {
            syns[seen.conversation].push((events[seen.at].time_ns, seen.from, seen.segment));
        }
    }
    for (conversation, mut syns) in conversations.iter_mut().zip(syns) {
        // The active opener's SYN has no ACK; of two such (simultaneous open) the earlier one.
        syns.sort_by_key(|(time, _, segment)| (has_flag(segment, "ACK"), *time));
        if let Some((_, from, segment)) = syns.first() {
            let opened = !has_flag(segment, "ACK");
            let client = if opened { *from } else { conversation.other(*from) };
            conversation.server = conversation.other(client);
            conversation.client = client;
        }
        let iss = |end| syns.iter().find(|(_, from, _)| *from == end).map(|(_, _, syn)| syn.seq);
        (conversation.j, conversation.k) = (iss(conversation.client), iss(conversation.server));
    }
}

/// Gives segments the numbers from their connection's SYNs where the host that saw them had none,
/// as for those that no connection wanted.
pub(crate) fn number_relatively(events: &mut [Event], conversations: &[Conversation]) {
    let count = |absolute: u32, iss: u32| u64::from(absolute.wrapping_sub(iss));
    let numbers = seen_segments(conversations, events).into_iter().map(|seen| {
        let conversation = &conversations[seen.conversation];
        let (segment, to) = (seen.segment, conversation.other(seen.from));
        let seq = conversation.iss(seen.from).map(|iss| count(segment.seq, iss));
        let acks = has_flag(segment, "ACK");
        let ack = conversation.iss(to).filter(|_| acks).map(|iss| count(segment.ack, iss));
        (seen.at, seq, ack)
    });
    for (at, seq, ack) in numbers.collect::<Vec<_>>() {
        if let Kind::SegmentSent(segment) | Kind::SegmentReceived(segment) = &mut events[at].kind {
            segment.relative_seq = segment.relative_seq.or(seq);
            segment.relative_ack = segment.relative_ack.or(ack);
        }
    }
}
