//! What happened when: a run's events as moments of the story.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tcpstack::event::{ConnectionName, Event, Kind, TimerName};
use tcpstack::tcp::State;

use super::merge::Teller;
use super::{Call, Fate, LaneId, Moment, Story, What};
use crate::run::member;

impl Teller<'_> {
    /// What the story takes of the run, in the run's order.
    pub(super) fn moments(&self) -> Vec<Moment> {
        let events = &self.run.events;
        let calls = Calls::of(events);
        let mut armed = BTreeMap::new();
        let mut moments = Vec::new();
        for (position, event) in events.iter().enumerate() {
            let flights = self.flights.get(&position).cloned().unwrap_or_default();
            let lane = flights.first().and_then(|what| self.lane_of_flight(what));
            let Some(lane) = lane.or_else(|| self.lane_for(event, &calls)) else { continue };
            let (time_ns, reason) = (event.time_ns, event.reason);
            // A damaged segment's arrival is its refusal as well.
            let whats = flights.into_iter().chain(what_of(event, &calls, &mut armed));
            moments.extend(whats.map(|what| Moment { time_ns, lane, what, reason }));
        }
        moments
    }

    fn lane_of_flight(&self, what: &What) -> Option<LaneId> {
        match what {
            What::Sent(arrow) => Some(self.story.arrows[*arrow].from),
            What::Arrived(arrow) => Some(self.story.arrows[*arrow].to),
            _ => None,
        }
    }

    /// The lane of an event, or none if this story does not tell of it.
    fn lane_for(&self, event: &Event, calls: &Calls<'_>) -> Option<LaneId> {
        let call = calls.of_event(event);
        // Early and late events of a call may not know its connection.
        let own: Vec<ConnectionName> = match call {
            Some(call) => call.names.clone(),
            None => event.connection.into_iter().collect(),
        };
        let owned = own.iter().find_map(|name| {
            self.owners.get(&member(&event.host, name)).map(|owner| (*owner, name.local))
        });
        if let Some((owner, local)) = owned {
            let told = self.chosen.contains(&owner);
            return told.then(|| self.connected_lane(event, owner, local)).flatten();
        }
        match self.conversation_near(event, call) {
            Some(conversation) if !self.chosen.contains(&conversation) => None,
            _ => self.lane_of_host(&event.host),
        }
    }

    /// The lane of a connection's event, which may be older than the connection's address.
    fn connected_lane(&self, event: &Event, owner: usize, local: SocketAddr) -> Option<LaneId> {
        self.lane_at(local).or_else(|| {
            let conversation = &self.conversations[owner];
            let own = |end: &SocketAddr| self.has_end(&event.host, *end);
            let end = [conversation.client, conversation.server].into_iter().find(own)?;
            self.lane_at(end)
        })
    }

    /// Whether `end` is one of the host called `host`.
    fn has_end(&self, host: &str, end: SocketAddr) -> bool {
        self.places.at(end).is_some_and(|at| self.run.hosts[at].name == *host)
    }

    /// The conversation that an event without one leads to: `accept` to the last one that began
    /// before it returned, anything else to the next one.
    fn conversation_near(&self, event: &Event, call: Option<&CallEvents<'_>>) -> Option<usize> {
        let mut own = (0..self.conversations.len()).filter(|at| {
            let one = &self.conversations[*at];
            [one.client, one.server].iter().any(|end| self.has_end(&event.host, *end))
        });
        let began = |at: &usize| self.conversations[*at].span_ns.0;
        if let Some(call) = call.filter(|call| call.name.starts_with("accept"))
            && let Some((returned, _)) = call.returned
        {
            return own.rfind(|at| began(at) <= returned.time_ns);
        }
        let entered = call.map_or(event, |call| call.entered).time_ns;
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

/// The calls of a run, by their hosts and numbers there.
struct Calls<'a> {
    by_number: BTreeMap<(&'a str, u64), CallEvents<'a>>,
}

impl<'a> Calls<'a> {
    fn of(events: &'a [Event]) -> Calls<'a> {
        let mut by_number: BTreeMap<(&'a str, u64), CallEvents<'a>> = BTreeMap::new();
        for event in events {
            let Some(number) = call_number(&event.kind) else { continue };
            let (Kind::CallEntered { name, .. }
            | Kind::CallBlocked { name, .. }
            | Kind::CallReturned { name, .. }) = &event.kind
            else {
                continue;
            };
            let call = by_number.entry((&*event.host, number)).or_insert_with(|| CallEvents {
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

    /// The call that an event is part of.
    fn of_event<'s>(&'s self, event: &'s Event) -> Option<&'s CallEvents<'s>> {
        self.by_number.get(&(&*event.host, call_number(&event.kind)?))
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
    armed: &mut BTreeMap<(Arc<str>, u64, TimerName), u64>,
) -> Option<What> {
    let id = event.connection.map_or(0, |name| name.id);
    match &event.kind {
        Kind::StateChanged { from, to } if from != to => {
            // A lane shows its connection's state; a listener's only until there is one.
            let shown = is_connected(event) || *to == State::Listen;
            shown.then_some(What::State { from: *from, to: *to })
        }
        Kind::TimerArmed { timer, deadline_ns } => {
            armed.insert((Arc::clone(&event.host), id, *timer), event.time_ns);
            let duration_ns = deadline_ns.saturating_sub(event.time_ns);
            Some(What::TimerArmed { timer: *timer, duration_ns })
        }
        Kind::TimerFired { timer } => {
            let started = armed.remove(&(Arc::clone(&event.host), id, *timer));
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
        Kind::CallEntered { call: number, name, arguments, .. } => {
            let call = calls.of_event(event)?;
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
        Kind::CallReturned { call, name, result } if calls.of_event(event)?.blocked => {
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

/// The state that a lane is in when a story begins, as far as the story says.
pub fn initial_state(story: &Story, lane: LaneId) -> State {
    let first = story.moments.iter().find_map(|moment| match moment.what {
        What::State { from, .. } if moment.lane == lane => Some(from),
        _ => None,
    });
    first.unwrap_or_default()
}
