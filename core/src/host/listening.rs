//! A listener's side of the handshake: the child in SYN-RECEIVED that a SYN makes, the SYN cookie where
//! there is no place for one, Fast Open's shortcut, and the accept queue at the other end.
//!
//! What a flood of SYNs can fill is bounded: the SYN queue, and the handshakes with early text. A SYN
//! cookie takes no memory at all.

use std::net::IpAddr;
use std::sync::Arc;

use super::arrival::Segment;
use super::counters::Counter;
use super::demux::FourTuple;
use super::options::Options;
use super::output::context;
use super::path::Path;
use super::ports::{Claim, Use};
use super::socket::{Kind, Owner, Socket};
use super::{Domain, Host, SocketId};
use crate::event::{ConnectionName, EventLog, Reason};
use crate::knobs::{
    FAST_OPEN_EVERYWHERE, FAST_OPEN_SERVER, FAST_OPEN_SERVER_NO_COOKIE, SynCookieUse, TimestampMode,
};
use crate::tcp::fast_open::{CookieKeys, MadeWith};
use crate::tcp::isn::Origin;
use crate::tcp::{Arrival, Connection, Listener, State};
use crate::time::Instant;
use crate::wire::tcp::Flags;
use crate::wire::tcp_options::FastOpenCookie;

/// What a SYN with Fast Open gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shortcut {
    /// The ordinary handshake.
    None,
    /// The ordinary handshake, and a cookie for the next time.
    Offer(FastOpenCookie),
    /// Its text is taken at once; perhaps with a newer cookie for the next time.
    Early(Option<FastOpenCookie>),
}

impl Host {
    /// Whether a connection in TIME-WAIT lets this SYN open a new one (RFC 9293 §3.6.1, MAY-2).
    pub(super) fn gives_way(&self, id: SocketId, segment: &Segment) -> bool {
        let flags = segment.header.flags;
        if !flags.contains(Flags::SYN) || flags.without(Flags::ACK | Flags::RST) != flags {
            return false;
        }
        let Some(Kind::Connection(connection)) = self.sockets.get(id).map(|socket| &socket.kind)
        else {
            return false;
        };
        let takes_timestamps = self.knobs.timestamps() != TimestampMode::Off;
        connection.state() == State::TimeWait
            && connection.accepts_new_syn(&segment.header, takes_timestamps)
            && self.demux.listener(&segment.tuple).is_some()
    }

    /// The listener of a child whose handshake the segment would complete, when its accept queue has no
    /// room. The segment then counts as lost, as on Linux: the SYN+ACK, sent again, brings another.
    pub(super) fn must_wait_for_accept(&self, id: SocketId, flags: Flags) -> bool {
        let Some(Owner::SynQueue(parent)) = self.sockets.get(id).map(|socket| socket.owner) else {
            return false;
        };
        flags.contains(Flags::ACK)
            && !flags.contains(Flags::RST)
            && self.listener(parent).is_some_and(Listener::accept_queue_is_full)
    }

    /// `tcp_abort_on_overflow`: a client whose handshake can't be completed is told so.
    pub(super) fn refuse_at_full_queue(&mut self, now: Instant, id: SocketId, segment: &Segment) {
        if self.knobs.abort_on_overflow() {
            self.turn(now, id, |connection, cx| connection.forget(cx));
            if let Some(reset) = crate::tcp::reset_for(&segment.header, segment.payload.len()) {
                self.reset(now, &segment.tuple, reset);
            }
        }
    }

    /// RFC 9293 §3.10.7.2, with `old` the connection in TIME-WAIT that gives way.
    pub(super) fn handle_at_listener(
        &mut self,
        now: Instant,
        id: SocketId,
        old: Option<SocketId>,
        segment: &mut Segment,
    ) -> Result<(), Counter> {
        self.check_hop_limit(id, segment.tuple.remote.ip(), segment.ttl)?;
        let Some(listener) = self.listener(id) else { return Err(Counter::ListenIgnored) };
        let uses_cookies = self.knobs.syn_cookies();
        let is_flooded = listener.half_open() >= self.knobs.max_syn_backlog() as usize;
        match listener.handle_segment(&segment.header, segment.payload.len()) {
            Arrival::Ignore => Err(Counter::ListenIgnored),
            Arrival::Contradiction => Err(Counter::ListenSynFin),
            Arrival::Full => Err(Counter::ListenOverflow),
            Arrival::Reset(reset) => {
                if self.revive_from_cookie(now, id, segment) {
                    return self.handle_segment(now, segment);
                }
                self.record_unowned(now, segment);
                self.reset(now, &segment.tuple, reset);
                Ok(())
            }
            Arrival::Open if uses_cookies != SynCookieUse::Always && !is_flooded => {
                let used = old.and_then(|old| self.numbers_used_by(old));
                if let Some(old) = old {
                    self.retire(now, old);
                }
                self.open_child(now, id, segment, used);
                Ok(())
            }
            Arrival::Open | Arrival::Crowded => {
                if uses_cookies == SynCookieUse::Never || !self.send_cookie(now, id, segment) {
                    return Err(Counter::ListenOverflow);
                }
                if let Some(old) = old {
                    self.retire(now, old);
                }
                Ok(())
            }
        }
    }

    /// Where the numbers that a connection has sent end.
    pub(super) fn numbers_used_by(&self, id: SocketId) -> Option<u32> {
        match &self.sockets.get(id)?.kind {
            Kind::Connection(connection) => Some(connection.numbers_end()),
            _ => None,
        }
    }

    /// Answers a SYN without remembering it; false when that could not be done.
    fn send_cookie(&mut self, now: Instant, parent: SocketId, segment: &Segment) -> bool {
        let FourTuple { local, remote } = segment.tuple;
        let Some((_, options)) = self.child_options(parent, segment) else { return false };
        let settings = options.settings();
        let syn = &segment.header;
        let default = if local.is_ipv4() { 536 } else { 1220 };
        let mss = syn.options.mss.unwrap_or(default);
        let iss = self.cookies.make(now, local, remote, syn.seq, mss);
        let origin = Origin { iss, ..self.isn.origin(now, local, remote) };
        let name = ConnectionName { id: 0, local, remote: Some(remote) };
        let path = self.path_of(now, remote.ip(), &options);
        let mut silent = EventLog::off();
        let mut cx = context(&self.knobs, &mut silent, &mut self.blocks, path, now);
        let Some(answer) = Connection::cookie_syn_ack(&mut cx, name, origin, settings, syn) else {
            return false;
        };
        self.record_unowned(now, segment);
        let header = answer.header;
        if !self.reply_segment(local.ip(), remote.ip(), answer) {
            return false;
        }
        self.counters.add(Counter::CookiesSent);
        self.record_reset(now, &segment.tuple, &header, Reason::SynCookie);
        if let Some(listener) = self.listener_mut(parent) {
            listener.cookie_sent(now);
        }
        true
    }

    /// Whether the segment bears a good SYN cookie; its child then waits for it in the SYN queue.
    fn revive_from_cookie(&mut self, now: Instant, parent: SocketId, segment: &Segment) -> bool {
        let FourTuple { local, remote } = segment.tuple;
        let header = &segment.header;
        let expects = match self.knobs.syn_cookies() {
            SynCookieUse::Never => false,
            SynCookieUse::Always => true,
            SynCookieUse::WhenFull => {
                self.listener(parent).is_some_and(|listener| listener.expects_cookies(now))
            }
        };
        // An ACK, perhaps with text; a SYN+ACK is no answer to ours.
        if !expects || header.flags.contains(Flags::SYN) {
            return false;
        }
        let (irs, iss) = (header.seq.wrapping_sub(1), header.ack.wrapping_sub(1));
        let Some(mss) = self.cookies.check(now, local, remote, irs, iss) else {
            self.counters.add(Counter::CookiesRefused);
            return false;
        };
        let Some((domain, options)) = self.child_options(parent, segment) else { return false };
        let origin = Origin { iss, ..self.isn.origin(now, local, remote) };
        let name = self.name_child(segment.tuple);
        let path = self.path_of(now, remote.ip(), &options);
        let mut silent = EventLog::off();
        let mut cx = context(&self.knobs, &mut silent, &mut self.blocks, path, now);
        let child = Connection::from_cookie(&mut cx, name, origin, options.settings(), header, mss);
        let Some(child) = child else {
            self.counters.add(Counter::CookiesRefused);
            return false;
        };
        self.counters.add(Counter::CookiesReceived);
        self.adopt_child(now, parent, (domain, options), child);
        true
    }

    /// A name for a child between these ends.
    fn name_child(&mut self, tuple: FourTuple) -> ConnectionName {
        ConnectionName { id: self.next_number(), local: tuple.local, remote: Some(tuple.remote) }
    }

    /// Passive open: a child of the listener in SYN-RECEIVED, with the listener's options; where it
    /// takes over from TIME-WAIT, beyond the numbers `used` before.
    fn open_child(&mut self, now: Instant, parent: SocketId, segment: &Segment, used: Option<u32>) {
        let Some((domain, options)) = self.child_options(parent, segment) else { return };
        let settings = options.settings();
        let shortcut = self.shortcut(parent, segment);
        let FourTuple { local, remote } = segment.tuple;
        let name = self.name_child(segment.tuple);
        let mut origin = self.isn.origin(now, local, remote);
        origin.iss = beyond(used, origin.iss);
        let path = self.path_of(now, remote.ip(), &options);
        let arrival = self.record_arrival(now, name, segment);
        self.log.set_cause(arrival);
        let mut cx = context(&self.knobs, &mut self.log, &mut self.blocks, path, now);
        let header = &segment.header;
        let mut child = Connection::accept(&mut cx, name, origin, settings, header, segment.ecn);
        match shortcut {
            Shortcut::None => {}
            Shortcut::Offer(cookie) => child.offer_cookie(cookie),
            Shortcut::Early(new) => {
                child.accept_early_text(&mut cx, header, segment.payload.clone(), new);
            }
        }
        let id = self.adopt_child(now, parent, (domain, options), child);
        if matches!(shortcut, Shortcut::Early(_)) {
            self.queue_early(now, parent, id);
        }
    }

    /// What a child has of its listener: the family and the options.
    fn child_options(&self, parent: SocketId, segment: &Segment) -> Option<(Domain, Arc<Options>)> {
        let listening = self.sockets.get(parent)?;
        let mut options = listening.options.clone();
        if self.knobs.tcp_reflect_tos() {
            let family = Domain::of(segment.tuple.remote.ip());
            Arc::make_mut(&mut options).ip.of_mut(family).set_traffic_class(segment.traffic_class);
        }
        Some((listening.domain, options))
    }

    /// The way to a peer for a socket with these options.
    fn path_of(&self, now: Instant, peer: IpAddr, options: &Options) -> Path {
        self.path_to(now, peer, options.ip.of(Domain::of(peer)).mtu_discover)
    }

    /// Puts a child in SYN-RECEIVED into every table, and into its listener's SYN queue.
    fn adopt_child(
        &mut self,
        now: Instant,
        parent: SocketId,
        (domain, options): (Domain, Arc<Options>),
        child: Connection,
    ) -> Option<SocketId> {
        let ConnectionName { id: number, local, remote } = child.name();
        let tuple = FourTuple { local, remote: remote? };
        let place = super::demux::Place::of(local, options.v6_only);
        let (reuse_addr, reuse_port) = (options.reuse_addr, options.reuse_port);
        let path = self.path_of(now, tuple.remote.ip(), &options);
        let mut socket = Socket::new(domain, Owner::SynQueue(parent), number, options);
        socket.next_identification = child.iss() as u16;
        socket.kind = Kind::Connection(Box::new(child));
        socket.path = path;
        let claim = Claim { place, usage: Use::Bound, reuse_addr, reuse_port };
        self.ports.hold(claim);
        socket.claim = Some(claim);

        let id = self.sockets.insert(socket);
        self.demux.insert_connection(tuple, id, &self.sockets);
        if let Some(listener) = self.listener_mut(parent) {
            listener.opened(id);
        }
        self.mark_dirty(id);
        self.settle(now, id);
        Some(id)
    }

    /// A child with early text is the application's to accept before its handshake completes
    /// (RFC 7413 §4.2.2).
    fn queue_early(&mut self, now: Instant, parent: SocketId, id: Option<SocketId>) {
        let Some(id) = id else { return };
        let Some(listener) = self.listener_mut(parent) else { return };
        if !listener.established(id) {
            return;
        }
        listener.opened_early(id);
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.owner = Owner::AcceptQueue(parent);
        }
        self.counters.add(Counter::FastOpenAccepted);
        self.settle(now, id);
        self.notice(parent);
    }

    /// What Fast Open does for this SYN (RFC 7413 §4.2.1, §4.2.2).
    fn shortcut(&mut self, parent: SocketId, segment: &Segment) -> Shortcut {
        let FourTuple { local, remote } = segment.tuple;
        let has_text = !segment.payload.is_empty();
        let option = segment.header.options.fast_open;
        if !self.knobs.fast_open(FAST_OPEN_SERVER) || (!has_text && option.is_none()) {
            return Shortcut::None;
        }
        if !self.has_place_for_early(parent) {
            return Shortcut::None;
        }
        if has_text && self.knobs.fast_open(FAST_OPEN_SERVER_NO_COOKIE) {
            return Shortcut::Early(None);
        }
        let Some(cookie) = option else { return Shortcut::None };
        let keys = self.keys_of(parent);
        let own = keys.cookie(local.ip(), remote.ip()).in_experiment(cookie.is_experimental);
        match keys.check(local.ip(), remote.ip(), cookie) {
            Some(MadeWith::First) => Shortcut::Early(None),
            Some(MadeWith::Second) => Shortcut::Early(Some(own)),
            None => {
                if !cookie.is_request() {
                    self.counters.add(Counter::FastOpenRefused);
                }
                Shortcut::Offer(own)
            }
        }
    }

    /// The keys of a listener's cookies: its own (TCP_FASTOPEN_KEY), or the host's.
    fn keys_of(&self, listener: SocketId) -> CookieKeys {
        let own = self.sockets.get(listener).and_then(|socket| socket.options.fast_open_keys());
        own.unwrap_or(self.fast_open_keys)
    }

    /// Whether the listener lets one more handshake with early text wait (TCP_FASTOPEN;
    /// RFC 7413 §5.1: PendingFastOpenRequests).
    fn has_place_for_early(&mut self, parent: SocketId) -> bool {
        let everywhere = self.knobs.fast_open(FAST_OPEN_EVERYWHERE);
        let sockets = &mut self.sockets;
        let Some(listening) = sockets.get(parent) else { return false };
        let limit = match listening.options.settings().fast_open_queue {
            Some(limit) => limit,
            None if everywhere => self.knobs.somaxconn(),
            None => return false,
        };
        let early: Vec<SocketId> = match &listening.kind {
            Kind::Listener(listener) => listener.early_children().to_vec(),
            _ => return false,
        };
        let pending: Vec<SocketId> =
            early.into_iter().filter(|id| is_early(sockets.get(*id))).collect();
        let count = pending.len();
        if let Some(Kind::Listener(listener)) = sockets.get_mut(parent).map(|s| &mut s.kind) {
            listener.set_early_children(pending);
        }
        count < limit as usize
    }
}

fn is_early(socket: Option<&Socket>) -> bool {
    matches!(socket.map(|socket| &socket.kind), Some(Kind::Connection(child)) if child.is_early())
}

/// `iss`, or a number as far beyond those that an old connection used as Linux goes, should the
/// clock not have come there yet (RFC 9293 §3.6.1, MAY-2).
pub(super) fn beyond(used: Option<u32>, iss: u32) -> u32 {
    match used {
        Some(end) if (iss.wrapping_sub(end) as i32) < 0 => end.wrapping_add(65_535 + 2),
        _ => iss,
    }
}
