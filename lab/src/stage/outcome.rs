//! The run of what was played. Which arrival is which sending is known exactly: the world followed each
//! packet by its number.

use std::collections::BTreeMap;

use tcpstack::event::Event;
use tcpstack::sim::{self, Captured, HostId, Journey, Vantage};

use super::act::Acted;
use super::landmarks::landmarks;
use super::setting::{self, Setting};
use super::{Packet, Performance};
use crate::lesson::Scenario;
use crate::run::{
    FORMAT, Fate, Flight, Host, HostIndex, Origin, Position, Rule, Run, VERSION, derive,
    find_conversations, number_relatively,
};

/// What became of it all.
pub(super) fn outcome(
    lesson: u32,
    scenario: &Scenario,
    rules: Vec<Rule>,
    setting: &Setting,
    acted: Acted,
) -> Performance {
    let mut events = setting.world.events().to_vec();
    let conversations = find_conversations(&events);
    number_relatively(&mut events, &conversations);
    let places = Places::of(scenario, setting, &events);
    let flights = flights(setting, &places, &acted);
    let packets = packets(setting, &places, &acted);
    let hosts = scenario.hosts.iter().enumerate().map(|(index, host)| Host {
        name: host.name.clone(),
        role: host.role,
        addresses: setting::addresses(scenario, index),
        recorded: !host.outside,
    });
    let (id, seed) = (scenario.id.clone(), scenario.seed);
    let mut run = Run {
        format: FORMAT.to_owned(),
        version: VERSION,
        origin: Origin::Simulated { lesson, scenario: id, seed, rules },
        title: scenario.title.clone(),
        hosts: hosts.collect(),
        landmarks: landmarks(&scenario.landmarks, &events),
        events,
        flights,
        calls: Vec::new(),
        limits: Vec::new(),
        questions: Vec::new(),
        listings: scenario.listings().cloned().collect(),
        window: None,
    };
    derive(&mut run);
    for call in &mut run.calls {
        if let Some(lines) = acted.lines.get(&call.entered) {
            call.lines.clone_from(lines);
        }
    }
    Performance { run, packets, surprises: acted.surprises }
}

/// Where the world's ids are in the run.
struct Places {
    hosts: BTreeMap<HostId, HostIndex>,
    outside: Vec<bool>,
    /// For each host its events' positions, by their indices on the host.
    events: Vec<Vec<Position>>,
}

impl Places {
    fn of(scenario: &Scenario, setting: &Setting, events: &[Event]) -> Places {
        let mut positions = vec![Vec::new(); scenario.hosts.len()];
        for (at, event) in events.iter().enumerate() {
            if let Some(host) = scenario.host(&event.host) {
                positions[host].push(at);
            }
        }
        let hosts = setting.hosts.iter().enumerate().map(|(index, id)| (*id, index));
        Places {
            hosts: hosts.collect(),
            outside: scenario.hosts.iter().map(|host| host.outside).collect(),
            events: positions,
        }
    }

    fn event(&self, host: HostId, index: Option<u64>) -> Option<Position> {
        self.events[self.hosts[&host]].get(usize::try_from(index?).ok()?).copied()
    }
}

/// What flew, in the order of departure.
fn flights(setting: &Setting, places: &Places, acted: &Acted) -> Vec<Flight> {
    let mut flights = Vec::new();
    for link in &setting.links {
        for journey in setting.world.journeys(*link) {
            let rule = journey.rule.and_then(|rule| setting.rules.get(&(*link, rule)).copied());
            flights.push(flight(journey, rule, places));
        }
    }
    flights.extend(acted.injected.iter().map(|injected| Flight {
        from: injected.from,
        to: injected.to,
        number: None,
        sent: None,
        received: injected.event,
        sent_ns: None,
        received_ns: Some(injected.time_ns),
        fate: Fate::Arrived,
        lost_segments: 0,
        rule: None,
    }));
    // Stable: a copy stays behind its original.
    flights.sort_by_key(|flight| (flight.sent_ns.or(flight.received_ns), flight.sent));
    flights
}

fn flight(journey: &Journey, rule: Option<usize>, places: &Places) -> Flight {
    let (from, to) = (places.hosts[&journey.from], places.hosts[&journey.to]);
    let fate = match journey.fate {
        _ if places.outside[to] => Fate::Unwitnessed,
        sim::Fate::Arrived => Fate::Arrived,
        sim::Fate::Damaged => Fate::Damaged,
        sim::Fate::Duplicate => Fate::Duplicate,
        sim::Fate::Dropped | sim::Fate::Lost | sim::Fate::Overflowed => Fate::Lost,
        sim::Fate::Underway => Fate::Underway,
    };
    Flight {
        from,
        to,
        number: Some(journey.number),
        sent: places.event(journey.from, journey.sent),
        received: places.event(journey.to, journey.received),
        sent_ns: Some(journey.sent_at.as_nanos()),
        received_ns: journey.arrived_at.map(|at| at.as_nanos()),
        fate,
        lost_segments: 0,
        rule,
    }
}

/// What was seen at each host, in order of time.
fn packets(setting: &Setting, places: &Places, acted: &Acted) -> Vec<Packet> {
    let mut packets = Vec::new();
    for link in &setting.links {
        let journeys = setting.world.journeys(*link);
        let ends = setting.world.captured(*link).iter();
        packets.extend(ends.filter_map(|captured| packet(captured, journeys, places)));
    }
    packets.extend(acted.injected.iter().map(|injected| Packet {
        time_ns: injected.time_ns,
        host: injected.to,
        outbound: false,
        event: injected.event,
        bytes: injected.bytes.clone(),
    }));
    packets.sort_by_key(|packet| (packet.time_ns, packet.event));
    packets
}

fn packet(captured: &Captured, journeys: &[Journey], places: &Places) -> Option<Packet> {
    let number = captured.packet.number;
    let mut own = journeys.iter().filter(|one| (one.from, one.number) == (captured.from, number));
    let (host, outbound, event) = match captured.vantage {
        Vantage::Departure => {
            let journey = own.next()?;
            (places.hosts[&captured.from], true, places.event(journey.from, journey.sent))
        }
        Vantage::Arrival => {
            let journey = own.find(|one| one.arrived_at == Some(captured.at))?;
            (places.hosts[&journey.to], false, places.event(journey.to, journey.received))
        }
        Vantage::Dropped => return None,
    };
    let bytes = captured.packet.bytes.to_vec();
    Some(Packet { time_ns: captured.at.as_nanos(), host, outbound, event, bytes })
}
