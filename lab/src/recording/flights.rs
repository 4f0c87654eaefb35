//! Which sending is which arrival, and what became of it: as flights, in the order of departure.

use tcpstack::event::{Event, SegmentRecord};

use super::matching::{Matching, Origin, Sighting, match_arrivals};
use crate::run::seen_segments;
use crate::run::{Conversation, Fate, Flight, Host, HostIndex, Places, Position, Seen};

/// How long a segment of a live run may take before any has arrived.
const FIRST_FLIGHT_NS: u64 = 1_000_000_000;

/// The segments that the hosts saw leave or come; positions are those in `events`.
pub(super) fn flights(
    hosts: &[Host],
    events: &[Event],
    conversations: &[Conversation],
    live: bool,
) -> Vec<Flight> {
    let mut directions: Vec<[Sightings<'_>; 2]> = Vec::new();
    directions.resize_with(conversations.len(), Default::default);
    for seen in seen_segments(conversations, events) {
        let from_server = usize::from(seen.from == conversations[seen.conversation].server);
        directions[seen.conversation][from_server].take(seen);
    }
    let places = Places::of(hosts);
    let heard_until = heard_until(hosts, events);
    let mut flights = Vec::new();
    for (conversation, directions) in conversations.iter().zip(directions) {
        let ends = [conversation.client, conversation.server];
        let [Some(client), Some(server)] = ends.map(|end| places.at(end)) else { continue };
        for (sightings, (from, to)) in
            directions.into_iter().zip([(client, server), (server, client)])
        {
            let witnessed = (hosts[from].recorded, hosts[to].recorded);
            let heard_until_ns = heard_until[to].filter(|_| live);
            let way = Way { from, to, witnessed, heard_until_ns };
            flights.extend(way.flights(events, sightings));
        }
    }
    flights.sort_by_key(|flight| (flight.sent_ns.or(flight.received_ns), flight.sent));
    flights
}

/// When each host recorded last.
fn heard_until(hosts: &[Host], events: &[Event]) -> Vec<Option<u64>> {
    let last = |host: &Host| {
        let own = events.iter().filter(|event| *event.host == *host.name);
        own.map(|event| event.time_ns).max()
    };
    hosts.iter().map(|host| last(host).filter(|_| host.recorded)).collect()
}

/// What was seen of one direction of one connection.
#[derive(Default)]
struct Sightings<'a> {
    sent: Vec<(Position, &'a SegmentRecord)>,
    arrived: Vec<(Position, &'a SegmentRecord)>,
}

impl<'a> Sightings<'a> {
    fn take(&mut self, seen: Seen<'a>) {
        let list = if seen.is_sending { &mut self.sent } else { &mut self.arrived };
        list.push((seen.at, seen.segment));
    }
}

/// From one host to another.
struct Way {
    from: HostIndex,
    to: HostIndex,
    /// Whether the events of the one and of the other are here.
    witnessed: (bool, bool),
    /// Until when the receiver's are, if more may come.
    heard_until_ns: Option<u64>,
}

impl Way {
    fn flights(&self, events: &[Event], mut seen: Sightings<'_>) -> Vec<Flight> {
        let time = |at: Position| events[at].time_ns;
        seen.sent.sort_by_key(|(at, _)| time(*at));
        seen.arrived.sort_by_key(|(at, _)| time(*at));
        let matching = match_arrivals(&sights(&seen.sent, events), &sights(&seen.arrived, events));
        let delivered = seen.sent.iter().zip(&matching.delivered_by).filter_map(|(sent, by)| {
            Some(time(seen.arrived[(*by)?].0).saturating_sub(time(sent.0)))
        });
        let patience_ns = delivered.max().unwrap_or(FIRST_FLIGHT_NS);
        let mut flights = Vec::with_capacity(seen.sent.len());
        for (at, (sent, segment)) in seen.sent.iter().enumerate() {
            let received = matching.delivered_by[at].map(|arrival| seen.arrived[arrival].0);
            let missing = if self.witnessed.1 { matching.missing[at] } else { 0 };
            flights.push(Flight {
                sent: Some(*sent),
                sent_ns: Some(time(*sent)),
                received,
                received_ns: received.map(time),
                fate: self.fate(received.is_some(), time(*sent) + patience_ns),
                lost_segments: lost_segments(segment, missing),
                ..self.unknown()
            });
        }
        flights.extend(self.strays(events, &seen, &matching));
        flights
    }

    /// A flight of which nothing is known.
    fn unknown(&self) -> Flight {
        Flight {
            from: self.from,
            to: self.to,
            number: None,
            sent: None,
            received: None,
            sent_ns: None,
            received_ns: None,
            fate: Fate::Unwitnessed,
            lost_segments: 0,
            rule: None,
        }
    }

    /// What became of a segment that should have been there by `due_ns`.
    fn fate(&self, arrived: bool, due_ns: u64) -> Fate {
        match (arrived, self.witnessed.1) {
            (true, _) => Fate::Arrived,
            (false, false) => Fate::Unwitnessed,
            // While more may come, a segment is lost when the receiver went on without it.
            (false, true) if self.heard_until_ns.is_some_and(|heard| heard <= due_ns) => {
                Fate::Underway
            }
            (false, true) => Fate::Lost,
        }
    }

    /// Arrivals that no sending explains.
    fn strays(&self, events: &[Event], seen: &Sightings<'_>, matching: &Matching) -> Vec<Flight> {
        let unexplained =
            seen.arrived.iter().zip(&matching.origins).filter_map(|(seen, origin)| {
                let fate = match origin {
                    Origin::Sent => return None,
                    Origin::Duplicate => Fate::Duplicate,
                    Origin::Unknown if self.witnessed.0 => Fate::Duplicate,
                    Origin::Unknown => Fate::Unwitnessed,
                };
                let received_ns = Some(events[seen.0].time_ns);
                Some(Flight { received: Some(seen.0), received_ns, fate, ..self.unknown() })
            });
        unexplained.collect()
    }
}

fn sights<'a>(list: &[(Position, &'a SegmentRecord)], events: &[Event]) -> Vec<Sighting<'a>> {
    let sight = |(at, segment): &(Position, &'a SegmentRecord)| Sighting {
        time_ns: events[*at].time_ns,
        segment,
    };
    list.iter().map(sight).collect()
}

/// How many real segments of a super-segment `missing` bytes are.
fn lost_segments(segment: &SegmentRecord, missing: usize) -> u64 {
    let segments = segment.segments.max(1) as usize;
    let each = segment.len.div_ceil(segments).max(1);
    missing.div_ceil(each) as u64
}
