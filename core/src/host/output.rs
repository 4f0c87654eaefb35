//! What leaves the host, and in which order: sockets that have something to send take turns, and a
//! turn is a few segments, so that no connection waits for another's whole buffer. The connection
//! decides what to send; here it gets its IP header.
//!
//! Packets to the host itself never leave: they are handled on the spot. Resets and echo replies
//! wait in a bounded queue of their own; one too many is dropped and counted.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::counters::Counter;
use super::ip_options::FamilyOptions;
use super::path::Path;
use super::socket::{Kind, Socket};
use super::{Domain, Host, SocketId};
use crate::tcp::segment::segment_count;
use crate::tcp::{Context, Outgoing, State};
use crate::time::Instant;
use crate::wire::ip::{self, PROTOCOL_TCP};
use crate::wire::packet::Transmit;

/// Segments (or super-segments) that a socket sends before the next one's turn.
const TURN: u32 = 8;

/// Resets and echo replies that wait at most.
const REPLIES: usize = 256;

/// Packets from the host to itself handled in one call: two of its own connections can't keep it
/// busy for ever. What is left is due at once.
const LOOPED: u32 = 4096;

/// A packet and whether it stays inside.
struct Departure {
    transmit: Transmit,
    is_inside: bool,
    /// The event of its sending, if anybody reads.
    event: Option<u64>,
}

/// What waits to leave.
#[derive(Default)]
pub(super) struct Output {
    dirty: VecDeque<SocketId>,
    /// Segments of the socket in front that have left in its turn.
    turn: u32,
    replies: VecDeque<Departure>,
    /// When packets to the host itself were left for the next call.
    pub(super) left_over: Option<Instant>,
    /// The event of the packet that left last.
    departed: Option<u64>,
}

impl Output {
    /// The socket may have something to send.
    pub(super) fn note(&mut self, socket: &mut Socket, id: SocketId) {
        if !socket.is_dirty {
            socket.is_dirty = true;
            self.dirty.push_back(id);
        }
    }

    /// The reply that was queued last is what `event` tells of.
    pub(super) fn note_reply(&mut self, event: Option<u64>) {
        if let Some(reply) = self.replies.back_mut() {
            reply.event = event;
        }
    }

    /// The socket in front, if it still is one, has nothing more to send.
    fn leave(&mut self, socket: Option<&mut Socket>) {
        if let Some(socket) = socket {
            socket.is_dirty = false;
        }
        self.dirty.pop_front();
        self.turn = 0;
    }

    /// The socket in front has sent something, and may have more.
    fn count_turn(&mut self) {
        self.turn += 1;
        if self.turn == TURN {
            self.turn = 0;
            self.dirty.rotate_left(1);
        }
    }
}

impl Host {
    /// The next packet to send, until None. Packets to the host itself (own addresses, 127/8, ::1)
    /// never come out here: they are handled inside.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.output.left_over = None;
        let mut looped = 0;
        loop {
            let Departure { transmit, is_inside, event } = self.next_departure(now)?;
            if !is_inside {
                self.output.departed = event;
                self.counters.add(Counter::PacketsSent);
                return Some(transmit);
            }
            self.counters.add(Counter::PacketsLooped);
            self.handle_looped(now, transmit.into_frame());
            looped += 1;
            if looped == LOOPED {
                self.output.left_over = Some(now);
                return None;
            }
        }
    }

    /// The index of the event that tells of the packet that [`Host::poll_transmit`] handed out last; None
    /// for what is no segment, and when nobody reads.
    pub fn departed_event(&self) -> Option<u64> {
        self.output.departed
    }

    fn next_departure(&mut self, now: Instant) -> Option<Departure> {
        if let Some(reply) = self.output.replies.pop_front() {
            return Some(reply);
        }
        while let Some(id) = self.output.dirty.front().copied() {
            if self.sockets.get(id).is_some_and(|socket| socket.path.is_expired(now)) {
                self.renew_path(now, id);
            }
            if let Some(departure) = self.next_of(now, id) {
                return Some(departure);
            }
        }
        None
    }

    /// The next segment of the socket in front; None if it has nothing to send, and left the queue.
    fn next_of(&mut self, now: Instant, id: SocketId) -> Option<Departure> {
        let Some(socket) = self.sockets.get_mut(id) else {
            self.output.leave(None);
            return None;
        };
        // The timers that go with what is sent, or with nothing being left to send.
        self.unsettled.note(socket, id);
        let path = socket.path;
        let Kind::Connection(connection) = &mut socket.kind else {
            self.output.leave(Some(socket));
            return None;
        };
        let mut cx = context(&self.knobs, &mut self.log, &mut self.blocks, path, now);
        let Some(outgoing) = connection.poll_transmit(&mut cx) else {
            self.output.leave(Some(socket));
            return None;
        };
        let event = self.log.take_sent();
        let (local, remote) = connection.ends();
        let (src, dst) = (local.ip(), remote.ip());
        let (is_silent, is_over) = (connection.is_silent(), connection.state() == State::Closed);
        let options = socket.options.ip.of(Domain::of(dst));
        let mut ip = ip_header(src, dst, options, &outgoing, self.knobs.default_ttl());
        if src.is_ipv4() && options.mtu_discover.allows_fragments(path.is_below_floor) {
            // RFC 6864 §4.3: what may be cut needs a number that is not soon used again.
            ip.identification = Some(socket.next_identification);
        }
        let count = segment_count(outgoing.payload.len(), outgoing.gso_size) as u16;
        socket.next_identification = socket.next_identification.wrapping_add(count);
        match is_silent {
            true => self.output.leave(Some(socket)),
            false => self.output.count_turn(),
        }
        if is_over {
            // Its last reset has left.
            self.settle(now, id);
        }
        Some(Departure { transmit: transmit(ip, outgoing), is_inside: path.is_inside, event })
    }

    /// Has a segment sent that belongs to no connection; false when too many wait.
    pub(super) fn reply_segment(&mut self, src: IpAddr, dst: IpAddr, outgoing: Outgoing) -> bool {
        let options = FamilyOptions::default();
        let ip = ip_header(src, dst, &options, &outgoing, self.knobs.default_ttl());
        self.reply(dst, transmit(ip, outgoing))
    }

    /// Has a packet sent that answers another; false, and counted, when too many wait.
    pub(super) fn reply(&mut self, dst: IpAddr, transmit: Transmit) -> bool {
        if self.output.replies.len() == REPLIES {
            self.counters.add(Counter::RepliesDropped);
            return false;
        }
        let is_inside = self.addresses.is_local(dst);
        self.output.replies.push_back(Departure { transmit, is_inside, event: None });
        true
    }

    /// The socket may have something to send.
    pub(super) fn mark_dirty(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            self.output.note(socket, id);
        }
    }
}

/// The IP header of a segment, with DSCP (RFC 9293 §3.9.1.9, MUST-48: as it is, SHLD-22) and TTL
/// (MUST-49) as the socket's options say now (SHLD-21); the ECN bits are TCP's.
fn ip_header(
    src: IpAddr,
    dst: IpAddr,
    options: &FamilyOptions,
    outgoing: &Outgoing,
    default_ttl: u8,
) -> ip::Header {
    let ttl = options.hop_limit.unwrap_or(default_ttl);
    let traffic_class = options.traffic_class | outgoing.ecn.bits();
    ip::Header::new(src, dst, PROTOCOL_TCP, ttl, traffic_class)
}

/// Puts the IP header before a segment.
fn transmit(ip: ip::Header, outgoing: Outgoing) -> Transmit {
    let Outgoing { header, payload, gso_size, reason, .. } = outgoing;
    Transmit::tcp(ip, &header, payload, gso_size, Some(reason))
}

/// What a connection is told.
pub(super) fn context<'a>(
    knobs: &'a super::Knobs,
    log: &'a mut crate::event::EventLog,
    blocks: &'a mut crate::blocks::Blocks,
    path: Path,
    now: Instant,
) -> Context<'a> {
    Context { now, knobs, log, blocks, mtu: path.mtu() as usize, gso_max: path.gso_max.into() }
}
