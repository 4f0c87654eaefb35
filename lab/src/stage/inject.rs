//! Packets that no host has sent: made byte by byte, and given to a host as if they came from the network.

use std::collections::VecDeque;
use std::net::SocketAddr;

use tcpstack::event::{Event, Kind};
use tcpstack::sim::{HostId, World};
use tcpstack::time::Instant;
use tcpstack::wire::packet::Transmit;
use tcpstack::wire::payload::Payload;
use tcpstack::wire::{ip, tcp};

use crate::lesson::{Injection, InjectionSource, Scenario};
use crate::run::{HostIndex, Position};

/// Hops that are left to a packet from somewhere.
const TTL: u8 = 64;

/// A packet that came from outside.
pub(super) struct Injected {
    pub(super) time_ns: u64,
    pub(super) from: HostIndex,
    pub(super) to: HostIndex,
    /// The event that its arrival made.
    pub(super) event: Option<Position>,
    pub(super) bytes: Vec<u8>,
}

/// The packets still to come.
pub(super) struct Injector<'a> {
    scenario: &'a Scenario,
    hosts: Vec<HostId>,
    /// When, which, and the how manieth of them.
    queue: VecDeque<(Instant, &'a Injection, u32)>,
}

impl<'a> Injector<'a> {
    pub(super) fn new(scenario: &'a Scenario, hosts: &[HostId]) -> Injector<'a> {
        let each = scenario.injections.iter().flat_map(|injection| {
            let at = move |nth| Instant::ZERO + injection.at + injection.every * nth;
            (0..injection.count).map(move |nth| (at(nth), injection, nth))
        });
        let mut queue: Vec<_> = each.collect();
        queue.sort_by_key(|(at, ..)| *at);
        Injector { scenario, hosts: hosts.to_vec(), queue: queue.into() }
    }

    /// When the next one comes.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.queue.front().map(|(at, ..)| *at)
    }

    /// Gives the hosts what is due.
    pub(super) fn go_on(&mut self, world: &mut World, injected: &mut Vec<Injected>) {
        while let Some((_, injection, nth)) = self.queue.pop_front_if(|(at, ..)| *at <= world.now())
        {
            // Nobody can be imitated before there is a connection.
            let Some(transmit) = self.packet(world, injection, nth) else { continue };
            let known = world.events().len();
            let bytes = transmit.to_bytes();
            world.inject(self.hosts[injection.to], transmit.into_frame());
            let tells = |event: &Event| {
                matches!(event.kind, Kind::SegmentReceived(_) | Kind::PacketDropped { .. })
            };
            let event = world.events()[known..].iter().position(tells).map(|at| known + at);
            let (time_ns, from, to) = (world.now().as_nanos(), injection.from, injection.to);
            injected.push(Injected { time_ns, from, to, event, bytes });
        }
    }

    fn packet(&self, world: &World, injection: &Injection, nth: u32) -> Option<Transmit> {
        let own = SocketAddr::new(self.scenario.hosts[injection.to].address, injection.port);
        let (source, local, base) = match injection.source {
            InjectionSource::Address(address) => {
                let port = address.port().wrapping_add(nth as u16);
                (SocketAddr::new(address.ip(), port), own, (0, 0))
            }
            InjectionSource::Imitated(peer) => self.imitated(world, injection.to, peer)?,
        };
        let acknowledges = injection.flags.contains(tcp::Flags::ACK);
        let header = tcp::Header {
            src_port: source.port(),
            dst_port: local.port(),
            seq: number(base.0, injection.seq),
            ack: if acknowledges { number(base.1, injection.ack) } else { 0 },
            flags: injection.flags,
            window: injection.window,
            ..Default::default()
        };
        let ip = ip::Header::new(source.ip(), local.ip(), ip::PROTOCOL_TCP, TTL, 0);
        let mut payload = Payload::default();
        payload.push(injection.text.clone().into());
        let mut transmit = Transmit::tcp(ip, &header, payload, 0, None);
        transmit.complete_checksum();
        Some(transmit)
    }

    /// The ends of the newest connection between two hosts, and what the first expects: RCV.NXT and
    /// SND.NXT.
    fn imitated(
        &self,
        world: &World,
        host: HostIndex,
        peer: HostIndex,
    ) -> Option<(SocketAddr, SocketAddr, (u64, u64))> {
        let (host, peer) = (&self.scenario.hosts[host], &self.scenario.hosts[peer]);
        world.events().iter().rev().filter(|event| *event.host == *host.name).find_map(|event| {
            let (name, after) = (event.connection?, event.after.as_ref()?);
            let remote = name.remote.filter(|remote| remote.ip() == peer.address)?;
            Some((remote, name.local, (after.rcv_nxt, after.snd_nxt)))
        })
    }
}

/// A sequence number `offset` from `base`, as on the wire.
fn number(base: u64, offset: i64) -> u32 {
    // The low 32 bits are what a header holds.
    base.wrapping_add_signed(offset) as u32
}
