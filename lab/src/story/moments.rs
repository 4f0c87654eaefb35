//! What happened when: each source's events as moments of the story, merged in an order in which
//! no segment arrives before it was sent, even if two machines' clocks disagree.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use tcpstack::event::{ConnectionName, Event, Kind, TimerName};
use tcpstack::tcp::State;

use super::conversation::{member, time_on_axis};
use super::merge::Teller;
use super::{Call, Fate, LaneId, Moment, Story, What};

impl Teller<'_> {
    /// What the story takes of one source, in the source's own order.
    pub(super) fn moments_of(&self, source: usize) -> Vec<Moment> {
        let events = &self.sources[source].recording.events;
        let calls = Calls::of(events);
        let mut armed = BTreeMap::new();
        let mut moments = Vec::new();
        for (position, event) in events.iter().enumerate() {
            let Some(lane) = self.lane_for(source, event, &calls) else { continue };
            let time_ns = time_on_axis(event, self.offsets[source]);
            let flights = self.flights.get(&(source, position)).cloned();
            let whats =
                flights.unwrap_or_else(|| what_of(event, &calls, &mut armed).into_iter().collect());
            let reason = event.reason;
            moments.extend(whats.into_iter().map(|what| Moment { time_ns, lane, what, reason }));
        }
        moments
    }

    /// The lane of an event, or none if this story does not tell of it.
    fn lane_for(&self, source: usize, event: &Event, calls: &Calls<'_>) -> Option<LaneId> {
        let call = call_number(&event.kind).and_then(|number| calls.by_number.get(&number));
        // Early and late events of a call may not know its connection.
        let own: Vec<ConnectionName> = match call {
            Some(call) => call.names.clone(),
            None => event.connection.into_iter().collect(),
        };
        let owned = own.iter().find_map(|name| {
            self.owners.get(&member(source, name)).map(|owner| (*owner, name.local))
        });
        if let Some((owner, local)) = owned {
            let told = self.chosen.contains(&owner);
            return told.then(|| self.connected_lane(source, owner, local)).flatten();
        }
        match self.conversation_near(source, event, call) {
            Some(conversation) if !self.chosen.contains(&conversation) => None,
            _ => self.lane_of_source(source),
        }
    }

    /// The lane of a connection's event, which may be older than the connection's address.
    fn connected_lane(&self, source: usize, owner: usize, local: SocketAddr) -> Option<LaneId> {
        self.lane_at(local).or_else(|| {
            let conversation = &self.conversations[owner];
            let own = |end: &SocketAddr| self.addresses[source].contains(&end.ip());
            let end = [conversation.client, conversation.server].into_iter().find(own)?;
            self.lane_at(end)
        })
    }

    /// The conversation that an event without one leads to: `accept` to the last one that began
    /// before it returned, anything else to the next one.
    fn conversation_near(
        &self,
        source: usize,
        event: &Event,
        call: Option<&CallEvents<'_>>,
    ) -> Option<usize> {
        let mut own = (0..self.conversations.len()).filter(|at| {
            let one = &self.conversations[*at];
            let ips = [one.client.ip(), one.server.ip()];
            ips.iter().any(|ip| self.addresses[source].contains(ip))
        });
        let time = |event: &Event| time_on_axis(event, self.offsets[source]);
        let began = |at: &usize| self.conversations[*at].span_ns.0;
        if let Some(call) = call.filter(|call| call.name.starts_with("accept"))
            && let Some((returned, _)) = call.returned
        {
            let returned = time(returned);
            return own.rfind(|at| began(at) <= returned);
        }
        let entered = time(call.map_or(event, |call| call.entered));
        own.clone().find(|at| began(at) >= entered).or_else(|| own.next_back())
    }
}

/// The events of one call.
struct CallEvents<'a> {
    name: &'a str,
    entered: &'a Event,
    blocked: bool,
    returned: Option<(&'a Event, &'a str)>,
    /// The connections that these events name.
    names: Vec<ConnectionName>,
}

/// The calls of one source.
struct Calls<'a> {
    by_number: BTreeMap<u64, CallEvents<'a>>,
}

impl<'a> Calls<'a> {
    fn of(events: &'a [Event]) -> Calls<'a> {
        let mut by_number: BTreeMap<u64, CallEvents<'a>> = BTreeMap::new();
        for event in events {
            let Some(number) = call_number(&event.kind) else { continue };
            let (Kind::CallEntered { name, .. }
            | Kind::CallBlocked { name, .. }
            | Kind::CallReturned { name, .. }) = &event.kind
            else {
                continue;
            };
            let call = by_number.entry(number).or_insert_with(|| CallEvents {
                name,
                entered: event,
                blocked: false,
                returned: None,
                names: Vec::new(),
            });
            call.names.extend(event.connection);
            match &event.kind {
                Kind::CallBlocked { .. } => call.blocked = true,
                Kind::CallReturned { result, .. } => call.returned = Some((event, result)),
                _ => {}
            }
        }
        Calls { by_number }
    }
}

/// Whether `name` has no other end, nor ever will.
fn is_listener(name: &ConnectionName) -> bool {
    name.remote.is_none() && name.local.port() != 0
}

fn is_connected(event: &Event) -> bool {
    event.connection.is_some_and(|name| name.remote.is_some())
}

fn call_number(kind: &Kind) -> Option<u64> {
    match kind {
        Kind::CallEntered { call, .. }
        | Kind::CallBlocked { call, .. }
        | Kind::CallReturned { call, .. } => Some(*call),
        _ => None,
    }
}

/// What an event that is no segment tells the story.
fn what_of(
    event: &Event,
    calls: &Calls<'_>,
    armed: &mut BTreeMap<(u64, TimerName), u64>,
) -> Option<What> {
    let id = event.connection.map_or(0, |name| name.id);
    match &event.kind {
        Kind::StateChanged { from, to } if from != to => {
            // A lane shows its connection's state; a listener's only until there is one.
            let shown = is_connected(event) || *to == State::Listen;
            shown.then_some(What::State { from: *from, to: *to })
        }
        Kind::TimerArmed { timer, deadline_ns } => {
            armed.insert((id, *timer), event.time_ns);
            let duration_ns = deadline_ns.saturating_sub(event.time_ns);
            Some(What::TimerArmed { timer: *timer, duration_ns })
        }
        Kind::TimerFired { timer } => {
            let started = armed.remove(&(id, *timer));
            let after_ns = started.map(|time| event.time_ns.saturating_sub(time));
            Some(What::TimerFired { timer: *timer, after_ns })
        }
        Kind::PacketDropped { counter, len } => {
            Some(What::Dropped { counter: counter.clone(), len: *len })
        }
        Kind::CongestionChanged { phase } => {
            let cwnd = event.after.as_ref().map(|after| after.cwnd);
            Some(What::Congestion { phase: phase.clone(), cwnd })
        }
        Kind::CallEntered { call: number, name, arguments } => {
            let call = calls.by_number.get(number)?;
            let result = call.returned.map(|(_, result)| result.to_owned());
            Some(What::Call(Call {
                call: *number,
                name: name.clone(),
                arguments: arguments.clone(),
                result: result.filter(|_| !call.blocked),
                blocked: call.blocked,
                on_listener: event.connection.is_some() && call.names.iter().all(is_listener),
            }))
        }
        Kind::CallReturned { call, name, result } if calls.by_number.get(call)?.blocked => {
            let (name, result) = (name.clone(), result.clone());
            Some(What::CallEnded { call: *call, name, result })
        }
        _ => None,
    }
}

/// When the first segment was seen, or anything at all where there was none.
pub(super) fn origin_ns(moments: &[Moment]) -> u64 {
    let is_segment = |moment: &&Moment| matches!(moment.what, What::Sent(_) | What::Arrived(_));
    let first = moments.iter().find(is_segment).or(moments.first());
    first.map_or(0, |moment| moment.time_ns)
}

/// Says where recordings end that the other side goes on sending to.
pub(super) fn mark_ends(moments: &mut Vec<Moment>, story: &Story) {
    for lane in 0..story.lanes.len() {
        let Some(last) = moments.iter().rposition(|moment| moment.lane == lane) else { continue };
        let is_unheard = |moment: &Moment| match moment.what {
            What::Sent(id) => story.arrows[id].to == lane && story.arrows[id].fate == Fate::Lost,
            _ => false,
        };
        if moments[last + 1..].iter().any(is_unheard) {
            let time_ns = moments[last].time_ns;
            let what = What::RecordingEnds;
            moments.insert(last + 1, Moment { time_ns, lane, what, reason: None });
        }
    }
}

/// Merges streams by time, but keeps an arrival back until its sending has been told.
pub(super) fn merge_causally(streams: Vec<Vec<Moment>>) -> Vec<Moment> {
    let mut streams: Vec<VecDeque<Moment>> = streams.into_iter().map(VecDeque::from).collect();
    let sent = streams.iter().flatten().filter_map(|moment| match moment.what {
        What::Sent(arrow) => Some(arrow),
        _ => None,
    });
    let mut untold: BTreeSet<usize> = sent.collect();
    let mut merged = Vec::with_capacity(streams.iter().map(VecDeque::len).sum());
    loop {
        let heads = streams.iter().enumerate().filter_map(|(at, stream)| {
            let head = stream.front()?;
            let early = matches!(head.what, What::Arrived(arrow) if untold.contains(&arrow));
            Some((early, head.time_ns, at))
        });
        // If every head is early the recordings contradict each other; time decides.
        let Some((_, _, at)) = heads.min() else { return merged };
        let moment = streams[at].pop_front();
        if let Some(What::Sent(arrow)) = moment.as_ref().map(|moment| &moment.what) {
            untold.remove(arrow);
        }
        merged.extend(moment);
    }
}

/// The state that a lane is in when a story begins, as far as the story says.
pub fn initial_state(story: &Story, lane: LaneId) -> State {
    let first = story.moments.iter().find_map(|moment| match moment.what {
        What::State { from, .. } if moment.lane == lane => Some(from),
        _ => None,
    });
    first.unwrap_or_default()
}
