//! What was on the wire at one host, for Wireshark: each packet at the time at which that host sent or received it,
//! with the reason as its comment.
//!
//! A run that was played has its packets ([`capture_of`]). Of others there are the events alone ([`capture`]): a record has a segment's header whole and of its text the first bytes. The IP header is written anew
//! from the addresses (its TTL, its identification and the ECN bits are in no event), and a packet whose text is not
//! all there is written as a capture with a short snap length would have it: cut, with its true length. Where the
//! text is whole the checksum is right, and a damaged packet is damaged in the bit that its rule names.

use std::net::IpAddr;

use smallvec::SmallVec;
use tcpstack::device::{Direction, PcapngWriter};
use tcpstack::event::{Event, Kind, SegmentRecord};
use tcpstack::time::Instant;
use tcpstack::wire::{checksum, ip};

use crate::run::lookup::Lookup;
use crate::run::{Action, Flight, HostIndex, Origin, Position, Run, Text, octets};
use crate::stage::Packet;

/// Where the checksum stands in a TCP header (RFC 9293 §3.1).
const CHECKSUM: std::ops::Range<usize> = 16..18;
/// The shortest TCP header.
const LEAST_HEADER: usize = 20;

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
pub enum PcapngError {
    /// The run has no such host.
    #[error("there is no host {asked}: the run has {}", names(.known))]
    Host {
        /// Who was asked for.
        asked: String,
        /// Who is there.
        known: Vec<String>,
    },
    /// Writing to memory failed.
    #[error("writing the capture: {0}")]
    Write(#[from] std::io::Error),
}

impl PcapngError {
    /// The same for a reader, in each language.
    pub fn text(&self) -> Text {
        let zh = match self {
            PcapngError::Host { asked, known } => {
                format!("没有主机 {asked}：这次运行中有 {}", names(known))
            }
            PcapngError::Write(source) => format!("无法写出抓包文件：{source}"),
        };
        Text { en: self.to_string(), zh }
    }
}

fn names(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// The host called `asked`, an index of the run's hosts.
///
/// # Errors
/// There is no such host.
pub fn host_named(run: &Run, asked: &str) -> Result<HostIndex, PcapngError> {
    let found = run.hosts.iter().position(|known| known.name == asked);
    found.ok_or_else(|| PcapngError::Host {
        asked: asked.to_owned(),
        known: run.hosts.iter().map(|host| host.name.clone()).collect(),
    })
}

/// The capture at `host` of a run that was played: its packets themselves, whole.
///
/// # Errors
/// Those of [`PcapngError::Write`]: none.
pub fn capture_of(run: &Run, packets: &[Packet], host: HostIndex) -> Result<Vec<u8>, PcapngError> {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, host_name(run, host), 0)?;
    for packet in packets.iter().filter(|packet| packet.host == host) {
        let direction = if packet.outbound { Direction::Outbound } else { Direction::Inbound };
        let reason = packet.event.and_then(|event| run.events.get(event)?.reason);
        writer.packet(Instant::from_nanos(packet.time_ns), direction, reason, &[&packet.bytes]);
    }
    writer.flush()?;
    Ok(file)
}

fn host_name(run: &Run, host: HostIndex) -> &str {
    run.hosts.get(host).map_or("", |host| host.name.as_str())
}

/// The capture at `host`, an index of the run's hosts.
///
/// # Errors
/// Those of [`PcapngError::Write`]: none.
pub fn capture(run: &Run, host: HostIndex) -> Result<Vec<u8>, PcapngError> {
    let lookup = Lookup::new(run);
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, host_name(run, host), 0)?;
    for (position, event) in run.events.iter().enumerate() {
        if lookup.host(position) != Some(host) && !passes(run, &lookup, position, host) {
            continue;
        }
        let Some(packet) = Rebuilt::of(run, &lookup, position, event) else { continue };
        let direction = match event.kind {
            Kind::SegmentSent(_) if lookup.host(position) == Some(host) => Direction::Outbound,
            _ => Direction::Inbound,
        };
        let at = Instant::from_nanos(event.time_ns);
        writer.cut_packet(at, direction, event.reason, &[&packet.bytes], packet.len);
    }
    writer.flush()?;
    Ok(file)
}

/// Whether the event at `position` is the sending of what reaches a `host` that has no events of its own.
fn passes(run: &Run, lookup: &Lookup, position: Position, host: HostIndex) -> bool {
    let is_silent = run.hosts.get(host).is_some_and(|host| !host.recorded);
    let flight = lookup.departure(position).and_then(|at| run.flights.get(at));
    is_silent && flight.is_some_and(|flight| flight.to == host)
}

/// A packet as far as the run has it.
struct Rebuilt {
    bytes: SmallVec<[u8; 160]>,
    /// How long it was on the wire.
    len: usize,
}

impl Rebuilt {
    /// The packet of the event at `position`, if it is one of a segment.
    fn of(run: &Run, lookup: &Lookup, position: Position, event: &Event) -> Option<Rebuilt> {
        let flight = lookup.flight(position).and_then(|at| run.flights.get(at));
        let is_arrival = lookup.arrival(position).is_some();
        let (record, is_dropped) = match &event.kind {
            Kind::SegmentSent(record) | Kind::SegmentReceived(record) => (record, false),
            // What was refused here is what was sent there.
            Kind::PacketDropped { .. } => (sent(run, flight?)?, true),
            _ => return None,
        };
        let (src, dst) = addresses(run, lookup, position, event, flight)?;
        let mut packet = Rebuilt::build(record, src, dst)?;
        if is_arrival && is_dropped {
            packet.damage(run, flight?);
        }
        Some(packet)
    }

    fn build(record: &SegmentRecord, src: IpAddr, dst: IpAddr) -> Option<Rebuilt> {
        let mut header = octets(&record.header)?;
        let text = octets(&record.payload)?;
        let text = text.get(..text.len().min(record.len))?;
        if header.len() < LEAST_HEADER || src.is_ipv4() != dst.is_ipv4() {
            return None;
        }
        let segment_len = header.len() + record.len;
        let ip = ip::Header {
            payload_len: segment_len,
            ..ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, 0)
        };
        if segment_len + 40 > usize::from(u16::MAX) {
            return None;
        }
        // The field is empty where a device was to fill it in: then it is, as far as the text allows.
        if text.len() == record.len && header[CHECKSUM] == [0, 0] {
            let pseudo = checksum::pseudo_header(src, dst, ip::PROTOCOL_TCP, segment_len);
            let segment =
                checksum::concat(checksum::sum(&header), header.len(), checksum::sum(text));
            let sum = checksum::concat(pseudo, 12, segment);
            header[CHECKSUM].copy_from_slice(&checksum::finish(sum).to_be_bytes());
        }
        let mut packet = SmallVec::new();
        ip.emit(&mut packet);
        let len = packet.len() + segment_len;
        let mut bytes: SmallVec<[u8; 160]> = SmallVec::from_slice(&packet);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(text);
        Some(Rebuilt { bytes, len })
    }

    /// Flips the bit that the rule flipped which the packet met, if that is among the bytes that are here.
    fn damage(&mut self, run: &Run, flight: &Flight) {
        let Origin::Simulated { rules, .. } = &run.origin else { return };
        let rule = flight.rule.and_then(|rule| rules.get(rule));
        let Some(Action::Corrupt { bit }) = rule.map(|rule| &rule.action) else { return };
        let tcp = if self.bytes[0] >> 4 == 4 { 20 } else { 40 };
        let bits = (self.len - tcp) as u64 * 8;
        let bit = bit % bits;
        if let Some(byte) = self.bytes.get_mut(tcp + (bit / 8) as usize) {
            *byte ^= 0x80 >> (bit % 8);
        }
    }
}

/// The segment as its sender wrote it down.
fn sent<'a>(run: &'a Run, flight: &Flight) -> Option<&'a SegmentRecord> {
    match &run.events.get(flight.sent?)?.kind {
        Kind::SegmentSent(record) => Some(record),
        _ => None,
    }
}

/// Source and destination: the connection's ends, or the hosts' first addresses where there is none.
fn addresses(
    run: &Run,
    lookup: &Lookup,
    position: Position,
    event: &Event,
    flight: Option<&Flight>,
) -> Option<(IpAddr, IpAddr)> {
    let is_sent = matches!(event.kind, Kind::SegmentSent(_));
    if let Some((local, remote)) =
        event.connection.and_then(|name| Some((name.local, name.remote?)))
    {
        let (local, remote) = (local.ip(), remote.ip());
        return Some(if is_sent { (local, remote) } else { (remote, local) });
    }
    let flight = flight.or_else(|| run.flights.get(lookup.flight(position)?))?;
    let first = |host: HostIndex| run.hosts.get(host)?.addresses.first().copied();
    Some((first(flight.from)?, first(flight.to)?))
}

#[cfg(test)]
mod tests;
