//! A run into a story: who is there, and which segments flew. What happened when is told by
//! `moments`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tcpstack::event::Kind;

use super::moments::{mark_ends, origin_ns};
use super::{Arrow, Conversation, Fate, Lane, LaneId, Role, Story, What};
use crate::run::{self, Flight, Host, Member, Origin, Places, Position, Run, member, owners};

/// The story of one connection of `run`, with the calls that led to it.
pub fn tell(run: &Run, conversations: &[Conversation], number: usize) -> Story {
    let chosen: Vec<usize> =
        (0..conversations.len()).filter(|at| conversations[*at].number == number).collect();
    Teller::new(run, conversations, chosen).tell()
}

/// The story of everything in `run`, every host on its own lane.
pub fn tell_all(run: &Run, conversations: &[Conversation]) -> Story {
    Teller::new(run, conversations, (0..conversations.len()).collect()).tell()
}

/// What is known while a story is put together.
pub(super) struct Teller<'a> {
    pub(super) run: &'a Run,
    pub(super) conversations: &'a [Conversation],
    /// To which of `conversations` a view belongs.
    pub(super) owners: BTreeMap<Member, usize>,
    /// Those of `conversations` that the story tells of.
    pub(super) chosen: Vec<usize>,
    pub(super) places: Places,
    pub(super) story: Story,
    /// What each segment event became.
    pub(super) flights: BTreeMap<Position, Vec<What>>,
}

impl<'a> Teller<'a> {
    fn new(run: &'a Run, conversations: &'a [Conversation], chosen: Vec<usize>) -> Teller<'a> {
        let told = chosen.iter().map(|at| conversations[*at].clone()).collect();
        Teller {
            run,
            conversations,
            owners: owners(conversations),
            chosen,
            places: Places::of(&run.hosts),
            story: Story {
                conversations: told,
                is_captured: matches!(run.origin, Origin::Captured { .. }),
                ..Story::default()
            },
            flights: BTreeMap::new(),
        }
    }

    fn tell(mut self) -> Story {
        self.lay_lanes();
        for flight in &self.run.flights {
            self.draw_arrow(flight);
        }
        let mut moments = self.moments();
        mark_ends(&mut moments, &self.story);
        self.story.origin_ns = origin_ns(&moments);
        self.story.moments = moments;
        self.story
    }

    // ---- lanes ---------------------------------------------------------------------------

    /// The host at an end of a connection.
    fn host_at(&self, end: SocketAddr) -> Option<&'a Host> {
        self.places.at(end).map(|at| &self.run.hosts[at])
    }

    /// Its name.
    fn name_at(&self, end: SocketAddr) -> String {
        self.host_at(end).map_or_else(|| end.ip().to_string(), |host| host.name.clone())
    }

    /// Clients left, servers right; a host that is both, or a hub, in the middle.
    fn lay_lanes(&mut self) {
        let told = self.story.conversations.clone();
        let single = told.len() == 1;
        for conversation in &told {
            let server = self.lane_of(conversation, conversation.server, Role::Server, single);
            let client = self.lane_of(conversation, conversation.client, Role::Client, single);
            for lane in [client, server] {
                if !self.story.lanes.iter().any(|known| known.is_same(&lane)) {
                    self.story.lanes.push(lane);
                }
            }
        }
        if told.is_empty() {
            let hosts = self.run.hosts.iter().map(|host| host.name.clone());
            let hosts: BTreeSet<String> = hosts.collect();
            let alone = |host| Lane { host, endpoint: None, role: Role::Peer, recorded: true };
            self.story.lanes = hosts.into_iter().map(alone).collect();
        }
        if self.story.lanes.len() > 2 {
            let first_server = self.story.lanes.iter().position(|lane| lane.role == Role::Server);
            if let Some(hub) = first_server {
                let lane = self.story.lanes.remove(hub);
                self.story.lanes.insert(self.story.lanes.len().div_ceil(2), lane);
            }
        }
    }

    /// The lane for one end. A connection of a host with itself has a lane for each end.
    fn lane_of(&self, told: &Conversation, end: SocketAddr, role: Role, single: bool) -> Lane {
        let host = self.name_at(end);
        let own = single || self.name_at(told.other(end)) == host;
        Lane {
            endpoint: own.then_some(end),
            role,
            recorded: self.host_at(end).is_some_and(|host| host.recorded),
            host,
        }
    }

    pub(super) fn lane_at(&self, end: SocketAddr) -> Option<LaneId> {
        let host = self.name_at(end);
        let lanes = &self.story.lanes;
        lanes
            .iter()
            .position(|lane| lane.endpoint == Some(end))
            .or_else(|| lanes.iter().position(|lane| lane.host == host && lane.endpoint.is_none()))
    }

    /// Where what happens at a host without a connection is shown: a listener with the server.
    pub(super) fn lane_of_host(&self, host: &str) -> Option<LaneId> {
        let lanes = self.story.lanes.iter().enumerate().filter(|(_, lane)| lane.host == *host);
        lanes.max_by_key(|(_, lane)| lane.role == Role::Server).map(|(at, _)| at)
    }

    // ---- arrows --------------------------------------------------------------------------

    /// A flight as an arrow, if the story tells of its connection.
    fn draw_arrow(&mut self, flight: &Flight) {
        let Some(seen) = flight.sent.or(flight.received) else { return };
        let Some(event) = self.run.events.get(seen) else { return };
        let (Kind::SegmentSent(segment) | Kind::SegmentReceived(segment)) = &event.kind else {
            return;
        };
        let Some(name) = event.connection else { return };
        let Some(owner) = self.owners.get(&member(&event.host, &name)) else { return };
        let Some(index) = self.chosen.iter().position(|chosen| chosen == owner) else { return };
        let conversation = &self.conversations[*owner];
        let is_sending = matches!(event.kind, Kind::SegmentSent(_));
        let from = if is_sending { name.local } else { conversation.other(name.local) };
        let to = conversation.other(from);
        let (Some(from_lane), Some(to_lane)) = (self.lane_at(from), self.lane_at(to)) else {
            return;
        };
        let fate = fate_of(flight);
        let id = self.story.arrows.len();
        self.story.arrows.push(Arrow {
            from: from_lane,
            to: to_lane,
            conversation: index,
            relative_seq: relative(segment.relative_seq, segment.seq, conversation.iss(from)),
            relative_ack: relative(segment.relative_ack, segment.ack, conversation.iss(to))
                .filter(|_| run::has_flag(segment, "ACK")),
            segment: segment.clone(),
            fate,
            lost_segments: flight.lost_segments,
            reason: event.reason.filter(|_| is_sending),
            forged_by: self.forger(flight, from),
        });
        self.show(flight.sent.filter(|_| fate != Fate::Duplicate), What::Sent(id));
        self.show(flight.received, What::Arrived(id));
    }

    /// Who sent a segment that bears the address of another host.
    fn forger(&self, flight: &Flight, from: SocketAddr) -> Option<String> {
        let is_another = self.places.at(from).is_some_and(|host| host != flight.from);
        is_another.then(|| self.run.hosts[flight.from].name.clone())
    }

    fn show(&mut self, at: Option<Position>, what: What) {
        if let Some(at) = at {
            self.flights.entry(at).or_default().push(what);
        }
    }
}

/// What became of a flight, as a drawing shows it.
fn fate_of(flight: &Flight) -> Fate {
    match flight.fate {
        run::Fate::Arrived => Fate::Arrived,
        run::Fate::Lost => Fate::Lost,
        run::Fate::Damaged => Fate::Damaged,
        run::Fate::Duplicate => Fate::Duplicate,
        run::Fate::Underway => Fate::Underway,
        run::Fate::Unwitnessed if flight.sent.is_some() => Fate::SentUnwitnessed,
        run::Fate::Unwitnessed => Fate::ReceivedUnwitnessed,
    }
}

impl Lane {
    fn is_same(&self, other: &Lane) -> bool {
        self.host == other.host && self.endpoint == other.endpoint
    }
}

/// The number as recorded, or counted from the initial sequence number.
fn relative(recorded: Option<u64>, absolute: u32, iss: Option<u32>) -> Option<u64> {
    recorded.or_else(|| iss.map(|iss| u64::from(absolute.wrapping_sub(iss))))
}
