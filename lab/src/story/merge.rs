//! Several recordings into one story: who is there, and which segments flew. What happened when
//! is told by `moments`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use tcpstack::event::{Kind, Reason, SegmentRecord};

use super::conversation::{Member, addresses, clock_offsets, member, time_on_axis};
use super::matching::{Matching, Origin, Sighting, match_arrivals};
use super::moments::{mark_ends, merge_causally, origin_ns};
use super::{Arrow, ArrowId, Conversation, Fate, Lane, LaneId, Role, Source, Story, What};

/// The story of one connection, with the calls that led to it.
pub fn tell(sources: &[Source], conversations: &[Conversation], number: usize) -> Story {
    let chosen: Vec<usize> =
        (0..conversations.len()).filter(|at| conversations[*at].number == number).collect();
    Teller::new(sources, conversations, chosen).tell()
}

/// The story of everything that is recorded, every host on its own lane.
pub fn tell_all(sources: &[Source], conversations: &[Conversation]) -> Story {
    Teller::new(sources, conversations, (0..conversations.len()).collect()).tell()
}

/// An event's place: its source, and its position there.
type Place = (usize, usize);

/// What is known while a story is put together.
pub(super) struct Teller<'a> {
    pub(super) sources: &'a [Source],
    pub(super) conversations: &'a [Conversation],
    /// To which of `conversations` a view belongs.
    pub(super) owners: BTreeMap<Member, usize>,
    /// Those of `conversations` that the story tells of.
    pub(super) chosen: Vec<usize>,
    pub(super) offsets: Vec<i128>,
    pub(super) addresses: Vec<BTreeSet<IpAddr>>,
    pub(super) story: Story,
    /// What each segment event became.
    pub(super) flights: BTreeMap<Place, Vec<What>>,
}

impl<'a> Teller<'a> {
    fn new(
        sources: &'a [Source],
        conversations: &'a [Conversation],
        chosen: Vec<usize>,
    ) -> Teller<'a> {
        let told = chosen.iter().map(|at| conversations[*at].clone()).collect();
        let members = |(at, one): (usize, &'a Conversation)| -> Vec<(Member, usize)> {
            one.members.iter().map(|member| (*member, at)).collect()
        };
        Teller {
            sources,
            conversations,
            owners: conversations.iter().enumerate().flat_map(members).collect(),
            chosen,
            offsets: clock_offsets(sources),
            addresses: sources.iter().map(addresses).collect(),
            story: Story { conversations: told, ..Story::default() },
            flights: BTreeMap::new(),
        }
    }

    fn tell(mut self) -> Story {
        self.lay_lanes();
        for index in 0..self.story.conversations.len() {
            let conversation = self.story.conversations[index].clone();
            for from in [conversation.client, conversation.server] {
                self.draw_arrows(index, &conversation, from);
            }
        }
        let streams = (0..self.sources.len()).map(|source| self.moments_of(source)).collect();
        let mut moments = merge_causally(streams);
        mark_ends(&mut moments, &self.story);
        self.story.origin_ns = origin_ns(&moments);
        self.story.moments = moments;
        self.story
    }

    // ---- lanes ---------------------------------------------------------------------------

    /// The sources that have the address `ip`.
    fn sources_with(&self, ip: IpAddr) -> impl Iterator<Item = usize> {
        (0..self.sources.len()).filter(move |source| self.addresses[*source].contains(&ip))
    }

    /// The name of the host that has `ip`.
    fn host_at(&self, ip: IpAddr) -> String {
        let source = self.sources_with(ip).next();
        source.map_or_else(|| ip.to_string(), |at| self.sources[at].recording.header.host.clone())
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
            let hosts = self.sources.iter().map(|source| source.recording.header.host.clone());
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
        let host = self.host_at(end.ip());
        let own = single || self.host_at(told.other(end).ip()) == host;
        Lane {
            endpoint: own.then_some(end),
            role,
            recorded: self.sources_with(end.ip()).next().is_some(),
            host,
        }
    }

    pub(super) fn lane_at(&self, end: SocketAddr) -> Option<LaneId> {
        let host = self.host_at(end.ip());
        let lanes = &self.story.lanes;
        lanes
            .iter()
            .position(|lane| lane.endpoint == Some(end))
            .or_else(|| lanes.iter().position(|lane| lane.host == host && lane.endpoint.is_none()))
    }

    /// Where what happens at `source` without a connection is shown: a listener with the server.
    pub(super) fn lane_of_source(&self, source: usize) -> Option<LaneId> {
        let host = &self.sources[source].recording.header.host;
        let lanes = self.story.lanes.iter().enumerate().filter(|(_, lane)| lane.host == *host);
        lanes.max_by_key(|(_, lane)| lane.role == Role::Server).map(|(at, _)| at)
    }

    // ---- arrows --------------------------------------------------------------------------

    /// The segments of one direction of one conversation.
    fn draw_arrows(&mut self, index: usize, conversation: &Conversation, from: SocketAddr) {
        let to = conversation.other(from);
        let (Some(from_lane), Some(to_lane)) = (self.lane_at(from), self.lane_at(to)) else {
            return;
        };
        let (sent, arrived) = self.sightings(conversation, from);
        let seen = |list: &[Seen<'a>]| -> Vec<Sighting<'a>> {
            list.iter().map(|seen| seen.sighting).collect()
        };
        let matching = match_arrivals(&seen(&sent), &seen(&arrived));
        let frame = |segment: &SegmentRecord| Arrow {
            from: from_lane,
            to: to_lane,
            conversation: index,
            relative_seq: relative(segment.relative_seq, segment.seq, conversation.iss(from)),
            relative_ack: relative(segment.relative_ack, segment.ack, conversation.iss(to))
                .filter(|_| segment.flags.contains("ACK")),
            segment: segment.clone(),
            fate: Fate::Arrived,
            lost_segments: 0,
            reason: None,
        };
        let lanes = &self.story.lanes;
        let (from_recorded, to_recorded) = (lanes[from_lane].recorded, lanes[to_lane].recorded);
        for (at, seen) in sent.iter().enumerate() {
            let fate = match matching.delivered_by[at] {
                Some(_) => Fate::Arrived,
                None if to_recorded => Fate::Lost,
                None => Fate::SentUnwitnessed,
            };
            let mut arrow = Arrow { fate, reason: seen.reason, ..frame(seen.sighting.segment) };
            if to_recorded {
                arrow.lost_segments = lost_segments(&arrow.segment, matching.missing[at]);
            }
            let id = self.add_arrow(arrow, What::Sent, seen.place);
            if let Some(arrival) = matching.delivered_by[at] {
                self.flights.entry(arrived[arrival].place).or_default().push(What::Arrived(id));
            }
        }
        self.draw_strays(&arrived, &matching, from_recorded, frame);
    }

    /// Arrivals that no sending explains.
    fn draw_strays(
        &mut self,
        arrived: &[Seen<'a>],
        matching: &Matching,
        from_recorded: bool,
        frame: impl Fn(&SegmentRecord) -> Arrow,
    ) {
        for (seen, origin) in arrived.iter().zip(&matching.origins) {
            let fate = match origin {
                Origin::Sent => continue,
                Origin::Duplicate => Fate::Duplicate,
                Origin::Unknown if from_recorded => Fate::Duplicate,
                Origin::Unknown => Fate::ReceivedUnwitnessed,
            };
            let arrow = Arrow { fate, ..frame(seen.sighting.segment) };
            self.add_arrow(arrow, What::Arrived, seen.place);
        }
    }

    fn add_arrow(&mut self, arrow: Arrow, what: fn(ArrowId) -> What, place: Place) -> ArrowId {
        let id = self.story.arrows.len();
        self.story.arrows.push(arrow);
        self.flights.entry(place).or_default().push(what(id));
        id
    }

    /// What was seen of the segments from `from`, at either end, in order of time.
    fn sightings(
        &self,
        conversation: &Conversation,
        from: SocketAddr,
    ) -> (Vec<Seen<'a>>, Vec<Seen<'a>>) {
        let (mut sent, mut arrived) = (Vec::new(), Vec::new());
        for (source, recorded) in self.sources.iter().enumerate() {
            for (position, event) in recorded.recording.events.iter().enumerate() {
                let Some(name) = event.connection else { continue };
                if !conversation.members.contains(&member(source, &name)) {
                    continue;
                }
                let seen = |segment| Seen {
                    place: (source, position),
                    sighting: Sighting {
                        time_ns: time_on_axis(event, self.offsets[source]),
                        segment,
                    },
                    reason: event.reason,
                };
                match &event.kind {
                    Kind::SegmentSent(segment) if name.local == from => sent.push(seen(segment)),
                    Kind::SegmentReceived(segment) if name.local != from => {
                        arrived.push(seen(segment));
                    }
                    _ => {}
                }
            }
        }
        sent.sort_by_key(|seen| seen.sighting.time_ns);
        arrived.sort_by_key(|seen| seen.sighting.time_ns);
        (sent, arrived)
    }
}

/// A sighting and where it is written.
struct Seen<'a> {
    place: Place,
    sighting: Sighting<'a>,
    reason: Option<Reason>,
}

impl Lane {
    fn is_same(&self, other: &Lane) -> bool {
        self.host == other.host && self.endpoint == other.endpoint
    }
}

/// How many real segments of a super-segment `missing` bytes are.
fn lost_segments(segment: &SegmentRecord, missing: usize) -> u64 {
    let segments = segment.segments.max(1) as usize;
    let each = segment.len.div_ceil(segments).max(1);
    missing.div_ceil(each) as u64
}

/// The number as recorded, or counted from the initial sequence number.
fn relative(recorded: Option<u64>, absolute: u32, iss: Option<u32>) -> Option<u64> {
    recorded.or_else(|| iss.map(|iss| u64::from(absolute.wrapping_sub(iss))))
}
