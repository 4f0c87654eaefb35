//! Hosts, links and the virtual clock: one step is one event.
//!
//! Owns the time and the order of everything. After each event it takes every packet that the host
//! concerned has to send onto its link, and in debug builds has the host check its invariants.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::mpsc;
use std::time::Duration;

use super::agenda::{Agenda, Source};
use super::journey::{Captured, Journey, Tag, Witness};
use super::link::{Action, Conditions, Departure, Direction, Link, LinkId};
use super::packet::Packet;
use crate::device::Impairment;
use crate::event::{Event, Kind, Observer};
use crate::host::{Config, Host, SocketId};
use crate::time::Instant;
use crate::wire::packet::{Frame, Transmit};

/// Events of one moment after which time is said to stand still: a timer that sets itself again.
const EVENTS_PER_MOMENT_MAX: u32 = 1_000_000;

/// A host of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) usize);

/// Hosts and links on one virtual clock that starts at [`Instant::ZERO`].
///
/// Ids are those of the world that gave them out; with an id of another world every method panics or
/// means something else.
pub struct World {
    now: Instant,
    seed: u64,
    seeds_drawn: u64,
    hosts: Vec<Host>,
    names: Vec<String>,
    /// How many packets each host has sent over links.
    packets_sent: Vec<u64>,
    rules_added: usize,
    /// Whose address it is.
    addresses: BTreeMap<IpAddr, HostId>,
    links: Vec<Link>,
    /// Which link, and which direction of it, leads from one host to another.
    ways: BTreeMap<(HostId, HostId), (LinkId, usize)>,
    agenda: Agenda,
    events_of_moment: u32,
    unroutable: u64,
    recording: Option<Recording>,
}

/// The events of all hosts on their way into one list.
struct Recording {
    sender: mpsc::Sender<Event>,
    receiver: mpsc::Receiver<Event>,
    events: Vec<Event>,
}

struct Recorder(mpsc::Sender<Event>);

impl Observer for Recorder {
    fn event(&mut self, event: &Event) {
        // The world and its list may be gone before the host is: then nobody reads.
        let _ = self.0.send(event.clone());
    }
}

impl World {
    /// A world without hosts. All chance in it follows from `seed`.
    pub fn new(seed: u64) -> World {
        World {
            now: Instant::ZERO,
            seed,
            seeds_drawn: 0,
            hosts: Vec::new(),
            names: Vec::new(),
            packets_sent: Vec::new(),
            rules_added: 0,
            addresses: BTreeMap::new(),
            links: Vec::new(),
            ways: BTreeMap::new(),
            agenda: Agenda::default(),
            events_of_moment: 0,
            unroutable: 0,
            recording: None,
        }
    }

    // ---- building ----------------------------------------------------------------------

    /// A host with these addresses and every setting at its default.
    pub fn add_host(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) -> HostId {
        self.add_host_with(Config { name: name.to_owned(), ..Config::new(addresses, 0) })
    }

    /// A host made from `config`, except that its seed follows from the world's.
    ///
    /// # Panics
    /// When another host has one of the addresses.
    pub fn add_host_with(&mut self, config: Config) -> HostId {
        let id = HostId(self.hosts.len());
        for (address, _) in &config.addresses {
            let other = self.addresses.insert(*address, id);
            assert!(other.is_none_or(|other| other == id), "{address} is another host's");
        }
        self.names.push(config.name.clone());
        self.packets_sent.push(0);
        let seed = self.draw_seed();
        let observer = self.recording.as_ref().map(Recording::observer);
        self.hosts.push(Host::new(Config { seed, ..config }, observer));
        id
    }

    /// Joins two hosts. `conditions` is an [`Impairment`] for both directions, a [`Duration`] for a
    /// link that only takes time, or [`Conditions`] for each direction its own.
    ///
    /// # Panics
    /// When the two are joined already, or are one.
    pub fn link(&mut self, a: HostId, b: HostId, conditions: impl Into<Conditions>) -> LinkId {
        assert!(a != b, "a host's packets to itself never leave it");
        let Conditions { forth, back } = conditions.into();
        let id = LinkId(self.links.len());
        let other = self.ways.insert((a, b), (id, 0)).or(self.ways.insert((b, a), (id, 1)));
        assert!(other.is_none(), "there is a link between the two already");
        let (forth_seed, back_seed) = (self.draw_seed(), self.draw_seed());
        let forth = Direction::new(a, b, forth, forth_seed);
        let back = Direction::new(b, a, back, back_seed);
        let witness = Witness { is_following: self.recording.is_some(), ..Witness::default() };
        self.links.push(Link { directions: [forth, back], witness });
        id
    }

    /// Each host and each direction has its own, so that adding one leaves the others as they were
    /// (the SplitMix64 sequence of the world's seed).
    fn draw_seed(&mut self) -> u64 {
        self.seeds_drawn += 1;
        let mut z = self.seed.wrapping_add(self.seeds_drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Changes what the link does by chance to the packets that `from` sends from now on.
    ///
    /// # Panics
    /// When the link is not `from`'s.
    pub fn set_impairment(&mut self, link: LinkId, from: HostId, impairment: Impairment) {
        self.direction(link, from).set_impairment(impairment);
    }

    /// Adds a rule for the packets that `from` sends over the link; see [`Action`]. Returns its number in
    /// this world, from 0, by which [`Journey::rule`] names it.
    ///
    /// # Panics
    /// When the link is not `from`'s.
    pub fn add_rule(
        &mut self,
        link: LinkId,
        from: HostId,
        rule: impl FnMut(&Packet) -> Action + Send + 'static,
    ) -> usize {
        let number = self.rules_added;
        self.rules_added += 1;
        self.direction(link, from).add_rule(number, Box::new(rule));
        number
    }

    /// Takes away every rule of the link, both ways.
    pub fn clear_rules(&mut self, link: LinkId) {
        self.links[link.0].directions.iter_mut().for_each(Direction::clear_rules);
    }

    fn direction(&mut self, link: LinkId, from: HostId) -> &mut Direction {
        let mut directions = self.links[link.0].directions.iter_mut();
        directions.find(|direction| direction.from == from).expect("the link is not that host's")
    }

    // ---- looking -----------------------------------------------------------------------

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The seed, to be shown when a run fails.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// The host of that name.
    pub fn host_named(&self, name: &str) -> Option<HostId> {
        self.names.iter().position(|own| own == name).map(HostId)
    }

    /// Packets that a host sent to an address it has no link to.
    pub fn unroutable(&self) -> u64 {
        self.unroutable
    }

    /// Keeps every packet seen on the link from now on, for [`World::captured`], and follows it, for
    /// [`World::journeys`].
    pub fn start_capture(&mut self, link: LinkId) {
        let witness = &mut self.links[link.0].witness;
        (witness.is_capturing, witness.is_following) = (true, true);
    }

    /// What was seen on the link since its capture began, in order; nothing without one.
    pub fn captured(&self, link: LinkId) -> &[Captured] {
        &self.links[link.0].witness.captured
    }

    /// What became of each packet that set out on the link since its capture or a recording began, in
    /// the order in which they left their hosts; a copy stands where it was made.
    pub fn journeys(&self, link: LinkId) -> &[Journey] {
        &self.links[link.0].witness.journeys
    }

    /// Keeps every event of every host from now on, for [`World::events`], and follows every packet, for
    /// [`World::journeys`]. Hosts that had an observer lose it.
    pub fn start_recording(&mut self) {
        let (sender, receiver) = mpsc::channel();
        let recording = Recording { sender, receiver, events: Vec::new() };
        for host in &mut self.hosts {
            host.set_observer(Some(recording.observer()));
        }
        for link in &mut self.links {
            link.witness.is_following = true;
        }
        self.recording = Some(recording);
    }

    /// The events of all hosts since the recording began, in the order in which they happened.
    pub fn events(&self) -> &[Event] {
        self.recording.as_ref().map_or(&[], |recording| recording.events.as_slice())
    }

    // ---- running -----------------------------------------------------------------------

    /// Moves on to the next event and lets it happen. False: nothing will ever happen by itself.
    ///
    /// # Panics
    /// When time stands still, which is a bug of a host; and in debug builds when a host breaks one
    /// of its invariants.
    pub fn step(&mut self) -> bool {
        let Some((at, source)) = self.agenda.next() else { return false };
        if at > self.now {
            self.now = at;
            self.events_of_moment = 0;
        }
        self.events_of_moment += 1;
        assert!(self.events_of_moment < EVENTS_PER_MOMENT_MAX, "time stands still at {at:?}");
        match source {
            Source::Link { link, direction } => self.deliver(LinkId(link), direction),
            Source::Host(host) => {
                self.hosts[host].handle_timers(self.now);
                self.settle(HostId(host));
            }
        }
        true
    }

    /// Lets `app` act now and after every event until it returns true, or `limit` has passed: then
    /// the time is exactly `limit` later. Returns what `app` returned last.
    pub fn drive(&mut self, limit: Duration, mut app: impl FnMut(&mut World) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if app(self) {
                return true;
            }
            match self.agenda.next() {
                Some((at, _)) if at <= end => self.step(),
                _ => break,
            };
        }
        if end > self.now {
            self.now = end;
            self.events_of_moment = 0;
        }
        false
    }

    /// Lets events happen until `predicate` holds (asked now and after every event), or `limit` has
    /// passed. Returns whether it holds.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut predicate: impl FnMut(&World) -> bool,
    ) -> bool {
        self.drive(limit, |world| predicate(world))
    }

    /// Lets everything happen that happens within `duration`.
    pub fn run_for(&mut self, duration: Duration) {
        self.drive(duration, |_| false);
    }

    /// Calls a host, and then sends what it has to send. `call` is given the host and the time.
    pub fn with_host<R>(&mut self, id: HostId, call: impl FnOnce(&mut Host, Instant) -> R) -> R {
        let result = call(&mut self.hosts[id.0], self.now);
        self.settle(id);
        result
    }

    /// The next socket of a host that may have become ready; see [`Host::poll_wake`].
    pub fn poll_wake(&mut self, id: HostId) -> Option<SocketId> {
        self.hosts[id.0].poll_wake()
    }

    /// Gives a host a packet that no host has sent.
    pub fn inject(&mut self, to: HostId, frame: Frame) {
        self.with_host(to, |host, now| host.handle_frame(now, frame));
    }

    /// Lets the next packet of that direction arrive, if one is due.
    fn deliver(&mut self, link: LinkId, direction: usize) {
        let Link { directions, witness } = &mut self.links[link.0];
        let end = &mut directions[direction];
        let (arrived, to) = (end.take_due(self.now, witness), end.to);
        self.agenda.set(Source::Link { link: link.0, direction }, end.next_deadline());
        if let Some((transmit, tag)) = arrived {
            self.hosts[to.0].handle_frame(self.now, transmit.into_frame());
            self.note_arrival(link, tag);
            self.settle(to);
        }
    }

    /// Notes which of the events that were just made tells of an arrival.
    fn note_arrival(&mut self, link: LinkId, tag: Tag) {
        let Some(recording) = &mut self.recording else { return };
        let made = recording.collect();
        let is_received = |event: &&Event| matches!(event.kind, Kind::SegmentReceived(_));
        let is_dropped = |event: &&Event| matches!(event.kind, Kind::PacketDropped { .. });
        let told = made.iter().find(is_received).or_else(|| made.iter().find(is_dropped));
        self.links[link.0].witness.received(tag, told.map(|event| event.index));
    }

    /// After anything that may have changed a host: its packets leave, its deadline is noted.
    fn settle(&mut self, id: HostId) {
        while let Some(transmit) = self.hosts[id.0].poll_transmit(self.now) {
            let event = self.hosts[id.0].departed_event();
            self.send_packet(id, transmit, event);
        }
        let host = &mut self.hosts[id.0];
        #[cfg(debug_assertions)]
        host.check();
        self.agenda.set(Source::Host(id.0), host.next_deadline());
        if let Some(recording) = &mut self.recording {
            recording.collect();
        }
    }

    fn send_packet(&mut self, from: HostId, transmit: Transmit, event: Option<u64>) {
        let to = destination(&transmit.header).and_then(|address| self.addresses.get(&address));
        let way = to.and_then(|to| self.ways.get(&(from, *to)));
        let Some((link, direction)) = way.copied() else {
            self.unroutable += 1;
            return;
        };
        let count = &mut self.packets_sent[from.0];
        let Link { directions, witness } = &mut self.links[link.0];
        let start = &mut directions[direction];
        start.offer(self.now, Departure { transmit, count, event }, witness);
        self.agenda.set(Source::Link { link: link.0, direction }, start.next_deadline());
    }
}

impl Recording {
    fn observer(&self) -> Box<dyn Observer> {
        Box::new(Recorder(self.sender.clone()))
    }

    /// Takes in the events that were made since the last time, and returns them.
    fn collect(&mut self) -> &[Event] {
        let known = self.events.len();
        self.events.extend(self.receiver.try_iter());
        &self.events[known..]
    }
}

/// Where an IP packet goes, by the bytes of its header alone.
fn destination(header: &[u8]) -> Option<IpAddr> {
    match header.first()? >> 4 {
        4 => {
            let address: [u8; 4] = header.get(16..20)?.try_into().ok()?;
            Some(Ipv4Addr::from(address).into())
        }
        _ => {
            let address: [u8; 16] = header.get(24..40)?.try_into().ok()?;
            Some(Ipv6Addr::from(address).into())
        }
    }
}
