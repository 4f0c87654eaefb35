//! connect(): from which address and port, and what each further call on the way answers.
//!
//! The first call is `InProgress`, those until the handshake is over `Already`; then one call says
//! how it ended, and after success every other is `IsConnected`. A failed attempt leaves the socket
//! as it was before, ready for another.

use std::net::{IpAddr, SocketAddr};

use super::demux::{FourTuple, Place};
use super::fast_open::open_fast;
use super::output::context;
use super::ports::{Claim, Use};
use super::socket::{Kind, Owner, Seen, Socket};
use super::{Domain, Error, Host, SocketId, addresses};
use crate::event::ConnectionName;
use crate::knobs::TimeWaitReuse;
use crate::tcp::{Connection, State};
use crate::time::Instant;

impl Host {
    /// Begins to connect, or tells how it goes.
    ///
    /// # Errors
    /// `InProgress` when the SYN is queued; `Already`; how the attempt failed, once; `IsConnected`.
    /// Without a SYN: `AddressFamily`; `NetUnreachable` when the host has no address of the family or
    /// the destination is no single host; `AddressNotAvailable` when no pair of ends is free;
    /// `Invalid` from a loopback address to another host; `Refused` to port 0.
    pub fn connect(&mut self, now: Instant, id: SocketId, remote: SocketAddr) -> Result<(), Error> {
        let socket = self.owned(id)?;
        match &socket.kind {
            Kind::Idle if self.waiting_for_text.contains_key(&id) => Err(Error::Already),
            Kind::Idle if socket.options.settings().fast_open_connect => {
                self.connect_with_first_text(now, id, remote)
            }
            Kind::Idle => self.open(now, id, remote, None).map(drop),
            Kind::Connection(_) if socket.is_connecting => self.outcome(id),
            Kind::Listener(_) | Kind::Connection(_) => Err(Error::IsConnected),
        }
    }

    /// Active open (RFC 9293 §3.10.1).
    ///
    /// With `early` it is TCP Fast Open: says how many of these bytes the SYN carries, or `InProgress`
    /// when it can't carry any.
    pub(super) fn open(
        &mut self,
        now: Instant,
        id: SocketId,
        remote: SocketAddr,
        early: Option<&[u8]>,
    ) -> Result<usize, Error> {
        let socket = self.owned(id)?;
        let remote = addresses::canonical(socket.domain, socket.options.v6_only, remote)?;
        let remote = match remote.ip() {
            // As BSD: "any" address as a destination is this host.
            ip if ip.is_unspecified() => {
                SocketAddr::new(addresses::loopback(Domain::of(ip)), remote.port())
            }
            ip if self.addresses.is_unicast(ip) => remote,
            // A group of hosts (MUST-46).
            _ => return Err(Error::NetUnreachable),
        };
        // No segment to port 0 is ever taken, ours included.
        if remote.port() == 0 {
            return Err(Error::Refused);
        }
        let source = self.source_address(id, remote.ip())?;
        let (local, used) = self.take_ends(now, id, source, remote)?;

        let mut origin = self.isn.origin(now, local, remote);
        origin.iss = super::listening::beyond(used, origin.iss);
        let way = self.owned(id)?.options.ip.of(Domain::of(remote.ip())).mtu_discover;
        let path = self.path_to(now, remote.ip(), way);
        let known = self.fast_open_known(now, remote.ip());
        let is_trial = self.doubts_fast_open();
        let socket = self.sockets.get_mut(id).ok_or(Error::BadSocket)?;
        // Any start is as good as any other; this one nobody can guess.
        socket.next_identification = origin.iss as u16;
        let name = ConnectionName { id: socket.number, local, remote: Some(remote) };
        let mut cx = context(&self.knobs, &mut self.log, &mut self.blocks, path, now);
        let mut connection = Connection::connect(&mut cx, name, origin, socket.options.settings());
        let taken = early.map_or(0, |data| open_fast(&mut connection, &mut cx, known, data));
        if is_trial {
            connection.try_fast_open();
        }
        socket.kind = Kind::Connection(Box::new(connection));
        (socket.path, socket.is_connecting) = (path, true);
        self.mark_dirty(id);
        self.settle(now, id);
        if taken == 0 { Err(Error::InProgress) } else { Ok(taken) }
    }

    /// The address to connect from: the bound one (RFC 9293 §3.9.1.1, MUST-43), or the one that the
    /// destination suggests (MUST-44). The connection keeps it (MUST-45): it is half of its name.
    fn source_address(&self, id: SocketId, destination: IpAddr) -> Result<IpAddr, Error> {
        let bound = self.owned(id)?.claim.map(|claim| claim.place.bound().ip());
        match (bound, destination) {
            // A socket bound to one family is of that family from then on, as on Linux.
            (Some(IpAddr::V4(_)), IpAddr::V6(_)) => return Err(Error::AddressFamily),
            (Some(IpAddr::V6(v6)), IpAddr::V4(_)) if !v6.is_unspecified() => {
                return Err(Error::NetUnreachable);
            }
            _ => {}
        }
        match bound {
            Some(ip) if !ip.is_unspecified() => {
                let fits = !ip.is_loopback() || self.addresses.is_local(destination);
                if fits { Ok(ip) } else { Err(Error::Invalid) }
            }
            _ => self.addresses.source_for(destination).ok_or(Error::NetUnreachable),
        }
    }

    /// Makes `source`, with the bound port or an ephemeral one, and `remote` the socket's own ends.
    /// Also says where the numbers end that a connection in TIME-WAIT has used between them.
    fn take_ends(
        &mut self,
        now: Instant,
        id: SocketId,
        source: IpAddr,
        remote: SocketAddr,
    ) -> Result<(SocketAddr, Option<u32>), Error> {
        let socket = self.owned(id)?;
        let (claim, options) = (socket.claim, socket.options.clone());
        let tuple = |port| FourTuple { local: SocketAddr::new(source, port), remote };
        let port = match claim {
            Some(claim) => Some(claim.place.port()),
            None => {
                let range = self.knobs.local_port_range();
                let may_yield = self.may_reuse_time_wait(remote.ip());
                let Host { demux, sockets, ports, .. } = self;
                let is_free = |port| {
                    demux.connection(&tuple(port), sockets).is_none_or(|old| {
                        may_yield && sockets.get(old).is_some_and(|old| yields(old, now))
                    })
                };
                ports.for_connect(range, source, remote, is_free)
            }
        };
        let tuple = tuple(port.ok_or(Error::AddressNotAvailable)?);
        let used = self.clear_time_wait(now, &tuple);
        if !self.demux.insert_connection(tuple, id, &self.sockets) {
            return Err(Error::AddressNotAvailable);
        }
        if claim.is_none() {
            let place = Place::of(tuple.local, options.v6_only);
            let (reuse_addr, reuse_port) = (options.reuse_addr, options.reuse_port);
            let claim = Claim { place, usage: Use::Connecting, reuse_addr, reuse_port };
            self.ports.hold(claim);
            self.owned_mut(id)?.claim = Some(claim);
        }
        Ok((tuple.local, used))
    }

    /// Whether connect() to `peer` may use the ends of a connection in TIME-WAIT (`tcp_tw_reuse`).
    fn may_reuse_time_wait(&self, peer: IpAddr) -> bool {
        match self.knobs.tw_reuse() {
            TimeWaitReuse::Never => false,
            TimeWaitReuse::Always => true,
            TimeWaitReuse::Inside => self.addresses.is_local(peer),
        }
    }

    /// Has a connection in TIME-WAIT give up these ends, if it may; where its numbers end.
    fn clear_time_wait(&mut self, now: Instant, tuple: &FourTuple) -> Option<u32> {
        let old = self.demux.connection(tuple, &self.sockets)?;
        let may_yield = self.may_reuse_time_wait(tuple.remote.ip());
        if !may_yield || !yields(self.sockets.get(old)?, now) {
            return None;
        }
        let used = self.numbers_used_by(old);
        self.retire(now, old);
        used
    }

    /// How the attempt stands.
    fn outcome(&mut self, id: SocketId) -> Result<(), Error> {
        let socket = self.owned_mut(id)?;
        let Kind::Connection(connection) = &mut socket.kind else { return Err(Error::Invalid) };
        match connection.state() {
            State::SynSent | State::SynReceived => Err(Error::Already),
            State::Closed => {
                // SO_ERROR may have been read before; Linux then says ECONNABORTED.
                let error = connection.take_error().unwrap_or(Error::Aborted);
                self.disconnect(id);
                Err(error)
            }
            _ => {
                socket.is_connecting = false;
                Ok(())
            }
        }
    }

    /// connect() to AF_UNSPEC: the socket lets go of what it is and can be used again. A connection is
    /// aborted, with a RST where the peer knows of it; a listener stops; bind()'s address stays.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn dissolve(&mut self, now: Instant, id: SocketId) -> Result<(), Error> {
        match &self.owned(id)?.kind {
            Kind::Idle => {}
            Kind::Listener(_) => self.stop_listening(now, id),
            Kind::Connection(_) => {
                let orphan = self.part(id)?;
                self.disconnect(id);
                if self.sockets.get(orphan).map(Socket::state) != Some(State::TimeWait) {
                    self.turn(now, orphan, |connection, cx| connection.abort(cx));
                }
                self.settle(now, orphan);
            }
        }
        Ok(())
    }

    /// Parts a connection from its application's socket: it is nobody's from now on, under an id of
    /// its own, and what it has to say still leaves.
    fn part(&mut self, id: SocketId) -> Result<SocketId, Error> {
        let (domain, options) = (self.owned(id)?.domain, self.owned(id)?.options.clone());
        let socket = self.owned_mut(id)?;
        let mut orphan = Socket::new(domain, Owner::Nobody, socket.number, options);
        orphan.kind = std::mem::replace(&mut socket.kind, Kind::Idle);
        (orphan.path, orphan.claim) = (socket.path, socket.claim);
        orphan.class = std::mem::take(&mut socket.class);
        let (claim, tuple) = (socket.claim, orphan.tuple());
        if let Some(claim) = claim {
            self.ports.hold(claim);
        }
        let orphan = self.sockets.insert(orphan);
        if let Some(tuple) = tuple {
            self.demux.remove_connection(&tuple, id);
            self.demux.insert_connection(tuple, orphan, &self.sockets);
        }
        self.mark_dirty(orphan);
        Ok(orphan)
    }

    /// A connection that never came to be leaves its socket, which keeps what bind() gave it. The port
    /// that connect() chose is free again, though still shown, as on Linux.
    pub(super) fn disconnect(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        self.deadlines.change(id, socket.queued_deadline.take(), None);
        let tuple = socket.tuple();
        socket.last_port = socket.local().port();
        socket.kind = Kind::Idle;
        socket.is_connecting = false;
        if !socket.is_bound
            && let Some(claim) = socket.claim.take()
        {
            self.ports.release(claim);
        }
        if let Some(tuple) = tuple {
            self.demux.remove_connection(&tuple, id);
        }
        // Readable no more: nothing of the old connection is to be seen.
        socket.seen = Seen { readable: 0, ..socket.seen };
        self.notice(id);
    }
}

/// Whether a socket is a connection in TIME-WAIT that a new one may replace.
fn yields(socket: &Socket, now: Instant) -> bool {
    matches!(&socket.kind, Kind::Connection(old) if old.yields_to_active_open(now))
}
