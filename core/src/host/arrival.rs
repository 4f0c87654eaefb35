//! What becomes of a packet that came in: read, verified, and given to the one connection or
//! listener that it is for, or answered with a reset. What cannot be used is dropped and counted by
//! its reason; nothing in a packet is believed before its checksum is right.

use std::net::{IpAddr, SocketAddr};

use bytes::Buf;

use super::counters::Counter;
use super::demux::FourTuple;
use super::fragments::Outcome;
use super::{Domain, Host, SocketId};
use crate::event::Reason;
use crate::tcp::connection::Drops;
use crate::tcp::fast_open::Lesson;
use crate::tcp::{Outgoing, reset_for};
use crate::time::Instant;
use crate::wire::fragment::Fragment;
use crate::wire::icmp_report::Report;
use crate::wire::ip::{self, Ecn, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_NONE, PROTOCOL_TCP};
use crate::wire::packet::{Frame, Verification};
use crate::wire::payload::Payload;
use crate::wire::tcp;
use crate::wire::{Malformed, checksum};

/// A TCP segment on its way to a socket.
pub(super) struct Segment {
    pub(super) tuple: FourTuple,
    pub(super) header: tcp::Header,
    pub(super) payload: Payload,
    pub(super) gso_size: u16,
    pub(super) ecn: Ecn,
    /// TOS or traffic class as it came.
    pub(super) traffic_class: u8,
    /// TTL or hop limit as it came.
    pub(super) ttl: u8,
}

impl Host {
    /// Takes a packet in: changes state only; what may leave is had from [`Host::poll_transmit`].
    pub fn handle_frame(&mut self, now: Instant, frame: Frame) {
        self.counters.add(Counter::PacketsReceived);
        self.arrive(now, frame, false);
    }

    /// Takes a packet in that the host sent to itself.
    pub(super) fn handle_looped(&mut self, now: Instant, frame: Frame) {
        self.arrive(now, frame, true);
    }

    fn arrive(&mut self, now: Instant, frame: Frame, is_inside: bool) {
        let len = frame.len();
        self.log.set_cause(None);
        if let Err(counter) = self.dispatch(now, frame, is_inside) {
            self.counters.add(counter);
            self.record_dropped(now, counter.name(), len);
        }
        // What the application does next is not this packet's doing.
        self.log.set_cause(None);
    }

    fn dispatch(&mut self, now: Instant, frame: Frame, is_inside: bool) -> Result<(), Counter> {
        let read = ip::Header::parse_front(&frame.front, frame.len());
        // The payload of TCP alone may stay in pieces.
        let is_tcp = read.is_ok_and(|ip| ip.protocol == PROTOCOL_TCP);
        let frame = if is_tcp { frame } else { frame.into_contiguous() };
        match read {
            Ok(ip) => self.dispatch_whole(now, &ip, frame, is_inside),
            Err(Malformed::Fragment) => self.handle_fragment(now, &frame, is_inside),
            Err(malformed) => Err(self.refuse_header(now, malformed, &frame.front)),
        }
    }

    /// A packet whose header cannot be used; its sender is told where the RFCs ask for it.
    fn refuse_header(&mut self, now: Instant, malformed: Malformed, packet: &[u8]) -> Counter {
        if let Malformed::Problem(problem) = malformed
            && let Some(ends) = ip::Header::addresses(packet)
        {
            self.report(now, Report::Problem(problem), ends, packet);
        }
        Counter::of_ip(malformed)
    }

    /// Keeps a part of a packet until the whole is there.
    fn handle_fragment(
        &mut self,
        now: Instant,
        frame: &Frame,
        is_inside: bool,
    ) -> Result<(), Counter> {
        let fragment = Fragment::parse(&frame.front)
            .map_err(|malformed| self.refuse_header(now, malformed, &frame.front))?;
        if !is_inside {
            self.check_addresses(&fragment.header)?;
        }
        self.counters.add(Counter::IpFragments);
        let deadline = now + self.knobs.reassembly_time(fragment.header.src.is_ipv4());
        let limit = self.knobs.reassembly_memory();
        let outcome = self.fragments.insert(&fragment, &frame.front, deadline, limit);
        self.counters.add_many(Counter::IpReassemblyMemory, self.fragments.take_evicted());
        let Outcome::Whole(packet) = outcome? else { return Ok(()) };
        self.counters.add(Counter::IpReassembled);
        // What a device vouched for was a part.
        let verification = Verification::Unverified;
        let frame = Frame::new(packet.into(), verification, 0);
        let ip = ip::Header::parse(&frame.front)
            .map_err(|malformed| self.refuse_header(now, malformed, &frame.front))?;
        self.dispatch_whole(now, &ip, frame, is_inside)
    }

    fn dispatch_whole(
        &mut self,
        now: Instant,
        ip: &ip::Header,
        frame: Frame,
        is_inside: bool,
    ) -> Result<(), Counter> {
        if !is_inside {
            self.check_addresses(ip)?;
        }
        let transport = ip.header_len..ip.header_len + ip.payload_len;
        match ip.protocol {
            PROTOCOL_TCP => {
                if self.log.is_on() {
                    self.note_header(ip, &frame);
                }
                let mut segment = parse_segment(ip, frame)?;
                self.handle_segment(now, &mut segment)
            }
            PROTOCOL_ICMP | PROTOCOL_ICMPV6 => self.handle_icmp(now, ip, &frame.front[transport]),
            PROTOCOL_NONE => Err(Counter::UnknownProtocol),
            _ => {
                // RFC 1122 §3.2.2.1 (unreachable protocol), RFC 8200 §4 (unrecognized next header).
                let pointer = ip::Header::protocol_field(&frame.front) as u16;
                let report = Report::UnknownProtocol { pointer };
                self.report(now, report, (ip.src, ip.dst), &frame.front);
                Err(Counter::UnknownProtocol)
            }
        }
    }

    /// A packet from outside is for an address of ours, never for a group (RFC 9293 §3.9.2.3, MUST-57),
    /// and from one that another host can have (MUST-63).
    fn check_addresses(&self, ip: &ip::Header) -> Result<(), Counter> {
        if !self.addresses.is_own(ip.dst) {
            return Err(Counter::NotForUs);
        }
        // RFC 1122 §3.2.1.3, and §4.2.3.10 for a SYN; an own source would have us answer ourselves
        // (LAND). ICMP may bear it: a device that can't deliver says so in our own name, as Linux
        // does.
        let is_icmp = matches!(ip.protocol, PROTOCOL_ICMP | PROTOCOL_ICMPV6);
        if !self.addresses.is_usable_source(ip.src) || (self.addresses.is_own(ip.src) && !is_icmp) {
            return Err(Counter::BadSource);
        }
        Ok(())
    }

    pub(super) fn handle_segment(
        &mut self,
        now: Instant,
        segment: &mut Segment,
    ) -> Result<(), Counter> {
        let connection = self.demux.route(&segment.tuple, &self.sockets);
        if let Some(id) = connection
            && !self.gives_way(id, segment)
        {
            return self.deliver(now, id, segment);
        }
        match self.demux.listener(&segment.tuple) {
            Some(id) => self.handle_at_listener(now, id, connection, segment),
            None => self.refuse(now, segment),
        }
    }

    /// Gives a segment to its connection.
    fn deliver(
        &mut self,
        now: Instant,
        id: SocketId,
        segment: &mut Segment,
    ) -> Result<(), Counter> {
        self.check_hop_limit(id, segment.tuple.remote.ip(), segment.ttl)?;
        if self.must_wait_for_accept(id, segment.header.flags) {
            self.refuse_at_full_queue(now, id, segment);
            return Err(Counter::ListenOverflow);
        }
        let (header, payload) = (&segment.header, std::mem::take(&mut segment.payload));
        let peculiar = self.tell(now, id, |connection, cx| {
            connection.handle_segment(cx, header, payload, segment.gso_size, segment.ecn);
            connection.take_peculiar()
        });
        if let Some((drops, lesson)) = peculiar.flatten() {
            self.note_peculiar(now, segment.tuple.remote.ip(), drops, lesson);
        }
        Ok(())
    }

    /// Counts what a connection had to drop, and remembers what it has learned of its peer.
    #[cold]
    fn note_peculiar(&mut self, now: Instant, peer: IpAddr, drops: Drops, lesson: Option<Lesson>) {
        if let Some(lesson) = lesson {
            self.fast_open_cache.learn(now, peer, lesson);
        }
        self.counters.add_many(Counter::TcpReassemblyFull, drops.pieces.into());
        self.counters.add_many(Counter::TcpPaws, drops.paws.into());
        self.counters.add_many(Counter::TcpTimestampMissing, drops.without_timestamp.into());
    }

    /// RFC 5082: a socket may want its peer to be near, as the hop limit of what comes shows.
    pub(super) fn check_hop_limit(
        &self,
        id: SocketId,
        peer: IpAddr,
        ttl: u8,
    ) -> Result<(), Counter> {
        let Some(socket) = self.sockets.get(id) else { return Ok(()) };
        let least = socket.options.ip.of(Domain::of(peer)).min_hop_limit;
        if ttl < least { Err(Counter::MinHopLimit) } else { Ok(()) }
    }

    /// RFC 9293 §3.10.7.1: nobody wants the segment.
    fn refuse(&mut self, now: Instant, segment: &Segment) -> Result<(), Counter> {
        self.counters.add(Counter::TcpNoSocket);
        self.record_unowned(now, segment);
        if let Some(reset) = reset_for(&segment.header, segment.payload.len()) {
            self.reset(now, &segment.tuple, reset);
        }
        Ok(())
    }

    /// Sends a reset that belongs to no connection.
    pub(super) fn reset(&mut self, now: Instant, tuple: &FourTuple, header: tcp::Header) {
        let reason = Reason::NoSuchConnection;
        let outgoing =
            Outgoing { header, payload: Payload::default(), gso_size: 0, ecn: Ecn::NotEct, reason };
        if self.reply_segment(tuple.local.ip(), tuple.remote.ip(), outgoing) {
            self.counters.add(Counter::ResetsSent);
            self.record_reset(now, tuple, &header, reason);
        }
    }
}

/// Reads a TCP segment and verifies its checksum (RFC 9293 §3.1, MUST-3), unless the device has.
fn parse_segment(ip: &ip::Header, frame: Frame) -> Result<Segment, Counter> {
    let Frame { mut front, rest: mut payload, verification, gso_size } = frame;
    // What lies behind the packet's end is no part of it.
    let end = front.len().min(ip.header_len + ip.payload_len);
    let transport = &front[ip.header_len..end];
    payload.truncate(ip.payload_len - transport.len());
    let (header, offset) = tcp::Header::parse(transport).map_err(Counter::of_tcp)?;
    if verification == Verification::Unverified {
        let sum = checksum::concat(checksum::sum(transport), transport.len(), payload.sum());
        if !checksum::is_transport_right(ip, ip.payload_len, sum) {
            return Err(Counter::TcpChecksum);
        }
    }
    if header.src_port == 0 || header.dst_port == 0 {
        return Err(Counter::TcpPortZero);
    }
    let tuple = FourTuple {
        local: SocketAddr::new(ip.dst, header.dst_port),
        remote: SocketAddr::new(ip.src, header.src_port),
    };
    // Cut where it is: a slice of its own would have to be counted.
    front.truncate(end);
    front.advance(ip.header_len + offset);
    payload.push_front(front);
    Ok(Segment {
        tuple,
        header,
        payload,
        gso_size,
        ecn: ip.ecn(),
        traffic_class: ip.traffic_class,
        ttl: ip.ttl,
    })
}
