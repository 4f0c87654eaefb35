//! The application's side: bind, listen, accept, send, recv, shutdown, close and the options, with
//! Linux's answer in every state. Nothing blocks: `WouldBlock` says wait for readiness. `connect` has
//! a file of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::demux::Place;
use super::options::{Change, Options, View};
use super::ports::{Claim, Use};
use super::socket::{Kind, Owner, Socket};
use super::{Domain, Error, Host, OptionName, Shutdown, SocketId, SocketOption, addresses};
use crate::tcp::{Listener, SendFlags, State};
use crate::time::Instant;

impl Host {
    /// A new socket of that family.
    pub fn socket(&mut self, domain: Domain) -> SocketId {
        let number = self.next_number();
        let options = Arc::clone(&self.default_options);
        let mut socket = Socket::new(domain, Owner::Application, number, options);
        socket.seen = socket.look();
        self.sockets.insert(socket)
    }

    /// Gives the socket its address (RFC 9293 §3.9.1.1, MUST-43); port 0 takes an ephemeral one at once.
    ///
    /// # Errors
    /// `Invalid` when it has one already, `AddressFamily`, `AddressNotAvailable` when the host does
    /// not have the address, `AddressInUse`.
    pub fn bind(&mut self, id: SocketId, local: SocketAddr) -> Result<(), Error> {
        let socket = self.owned(id)?;
        if socket.claim.is_some() || !matches!(socket.kind, Kind::Idle) {
            return Err(Error::Invalid);
        }
        let local = match addresses::canonical(socket.domain, socket.options.v6_only, local) {
            Ok(local) => local,
            Err(Error::AddressFamily) => return Err(Error::AddressFamily),
            // An IPv4 address on a socket that is IPv6 only.
            Err(_) => return Err(Error::Invalid),
        };
        if !local.ip().is_unspecified() && !self.addresses.is_local(local.ip()) {
            return Err(Error::AddressNotAvailable);
        }
        self.take_port(id, local, Use::Bound)?;
        self.owned_mut(id)?.is_bound = true;
        Ok(())
    }

    /// Makes the socket a listener, or changes a listener's backlog; without an address it takes an
    /// ephemeral port. It disturbs no other socket (RFC 9293 §3.9.1.1, MUST-41). A backlog above the knob `somaxconn` is cut to it.
    ///
    /// # Errors
    /// `Invalid` on a connection, `AddressInUse` when another socket listens there.
    pub fn listen(&mut self, now: Instant, id: SocketId, backlog: u32) -> Result<(), Error> {
        let backlog = backlog.min(self.knobs.somaxconn());
        let socket = self.owned_mut(id)?;
        match &mut socket.kind {
            Kind::Listener(listener) => {
                listener.set_backlog(backlog);
                return Ok(());
            }
            Kind::Connection(_) => return Err(Error::Invalid),
            Kind::Idle => {}
        }
        match socket.claim {
            Some(claim) => self.change_claim(id, Claim { usage: Use::Listening, ..claim })?,
            None => {
                let local = SocketAddr::new(addresses::unspecified(socket.domain), 0);
                self.take_port(id, local, Use::Listening)?;
            }
        }
        let socket = self.owned_mut(id)?;
        socket.kind = Kind::Listener(Box::new(Listener::new(backlog)));
        if let Some(claim) = socket.claim {
            self.demux.insert_listener(claim.place, id);
        }
        self.record_listening(now, id, State::Closed, State::Listen);
        self.notice(id);
        Ok(())
    }

    /// Takes the connection that has waited longest, with its peer's address.
    ///
    /// # Errors
    /// `Invalid` when the socket does not listen, `WouldBlock` when none waits.
    pub fn accept(&mut self, _now: Instant, id: SocketId) -> Result<(SocketId, SocketAddr), Error> {
        let socket = self.owned_mut(id)?;
        let domain = socket.domain;
        let Kind::Listener(listener) = &mut socket.kind else { return Err(Error::Invalid) };
        let child = listener.accept().ok_or(Error::WouldBlock)?;
        self.notice(id);
        let accepted = self.sockets.get_mut(child).ok_or(Error::Aborted)?;
        accepted.owner = Owner::Application;
        accepted.seen = accepted.look();
        let peer = accepted.name().remote.ok_or(Error::Aborted)?;
        Ok((child, addresses::shown(domain, peer)))
    }

    /// Copies what fits into the send buffer, at least one byte (none of none).
    ///
    /// # Errors
    /// `WouldBlock`; `BrokenPipe` when there is no connection or this direction is over; before that,
    /// once, the pending error. SIGPIPE is the caller's matter.
    pub fn send(&mut self, now: Instant, id: SocketId, data: &[u8]) -> Result<usize, Error> {
        self.send_with(now, id, data, SendFlags::default())
    }

    /// [`Host::send`] with flags: more follows, a record ends, the data is urgent.
    ///
    /// # Errors
    /// As [`Host::send`].
    pub fn send_with(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: SendFlags,
    ) -> Result<usize, Error> {
        self.owned(id)?;
        if !self.waiting_for_text.is_empty()
            && let Some(remote) = self.waiting_for_text.remove(&id)
        {
            return match self.connect_with(now, id, remote, data) {
                Err(Error::InProgress) => Err(Error::WouldBlock),
                result => result,
            };
        }
        self.speak(now, id, |connection, cx| connection.send_with(cx, data, flags))
            .ok_or(Error::BrokenPipe)?
    }

    /// MSG_OOB: takes the out-of-band byte, or looks at it where `peek` leaves it; None at the end of
    /// the stream. It never waits.
    ///
    /// # Errors
    /// `Invalid` when there is none or SO_OOBINLINE keeps it in the stream; `WouldBlock` when only its
    /// pointer has come; `NotConnected`.
    pub fn recv_urgent(
        &mut self,
        now: Instant,
        id: SocketId,
        peek: bool,
    ) -> Result<Option<u8>, Error> {
        self.owned(id)?;
        self.turn(now, id, |connection, _| connection.recv_urgent(peek))
            .ok_or(Error::NotConnected)?
    }

    /// TCP_QUICKACK: acknowledges at once, or has acknowledgments ride on text; for a while.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn set_quick_ack(&mut self, now: Instant, id: SocketId, on: bool) -> Result<(), Error> {
        self.owned(id)?;
        self.turn(now, id, |connection, cx| connection.set_quick_ack(cx, on));
        Ok(())
    }

    /// Takes at most `max` bytes out as shared slices; `peek` leaves them there. An empty result is
    /// the end of the stream (or `max` was 0).
    ///
    /// # Errors
    /// `WouldBlock`; `NotConnected`; once, the pending error.
    pub fn recv(
        &mut self,
        now: Instant,
        id: SocketId,
        max: usize,
        peek: bool,
    ) -> Result<SmallVec<[Bytes; 4]>, Error> {
        self.owned(id)?;
        let mut slices = SmallVec::new();
        self.speak(now, id, |connection, cx| connection.recv(cx, max, peek, &mut slices))
            .ok_or(Error::NotConnected)??;
        Ok(slices)
    }

    /// Ends one direction or both. On a listener, ending to read ends to listen; while connecting, the
    /// attempt is given up (both as Linux).
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<(), Error> {
        let socket = self.owned(id)?;
        match (&socket.kind, socket.state()) {
            (Kind::Listener(_), _) => {
                if how != Shutdown::Write {
                    self.stop_listening(now, id);
                }
                Ok(())
            }
            (Kind::Connection(_), State::SynSent) => {
                self.turn(now, id, |connection, cx| connection.abort(cx));
                self.disconnect(id);
                Ok(())
            }
            // To the application a connection in TIME-WAIT is gone, as on Linux.
            (Kind::Idle, _) | (_, State::TimeWait) => Err(Error::NotConnected),
            (Kind::Connection(_), _) => self
                .turn(now, id, |connection, cx| connection.shutdown(cx, how))
                .ok_or(Error::NotConnected)?,
        }
    }

    /// The application lets go: a listener's children are reset; a connection sends its data and FIN
    /// (a RST when data is unread or linger is zero), and lives on as an orphan until it is CLOSED. The
    /// id is dead for every call but [`Host::is_closing`].
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn close(&mut self, now: Instant, id: SocketId) -> Result<(), Error> {
        let socket = self.owned_mut(id)?;
        match socket.kind {
            Kind::Idle => self.forget(id),
            Kind::Listener(_) => {
                self.stop_listening(now, id);
                self.forget(id);
            }
            Kind::Connection(_) => {
                socket.owner = Owner::Nobody;
                let linger_zero = socket.options.linger == Some(Duration::ZERO);
                self.turn(now, id, |connection, cx| connection.close(cx, linger_zero));
            }
        }
        Ok(())
    }

    /// Whether a closed socket's data or FIN is still unacknowledged (SO_LINGER waits on this). A
    /// [`Host::poll_wake`] says when it has changed.
    pub fn is_closing(&self, id: SocketId) -> bool {
        self.sockets.get(id).is_some_and(Socket::is_closing)
    }

    /// Back from listening: no more connections, and those that wait for accept are reset. The
    /// half-open ones are forgotten: as on Linux their peers hear of it when they go on.
    pub(super) fn stop_listening(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.last_port = socket.local().port();
        let Kind::Listener(listener) = std::mem::replace(&mut socket.kind, Kind::Idle) else {
            return;
        };
        if let Some(claim) = socket.claim.take() {
            self.demux.remove_listener(claim.place, id);
            self.ports.release(claim);
            if socket.is_bound {
                let claim = Claim { usage: Use::Bound, ..claim };
                self.ports.hold(claim);
                socket.claim = Some(claim);
            }
        }
        let half_open = listener.half_open_children();
        for child in listener.children() {
            if let Some(orphan) = self.sockets.get_mut(child) {
                orphan.owner = Owner::Nobody;
                let is_half_open = half_open.contains(&child);
                self.turn(now, child, |connection, cx| match is_half_open {
                    true => connection.forget(cx),
                    false => connection.abort(cx),
                });
            }
        }
        self.record_listening(now, id, State::Listen, State::Closed);
        self.notice(id);
    }

    /// Sets an option; a connection hears of it at once.
    ///
    /// # Errors
    /// `NoOption` for one that the stack or the family does not have, `Invalid` for a value out of
    /// range or one that comes too late.
    pub fn set_option(
        &mut self,
        now: Instant,
        id: SocketId,
        option: SocketOption,
    ) -> Result<(), Error> {
        let (sockets, knobs) = (&mut self.sockets, &self.knobs);
        let socket = sockets
            .get_mut(id)
            .filter(|socket| socket.owner == Owner::Application)
            .ok_or(Error::BadSocket)?;
        let (domain, state) = (socket.domain, socket.state());
        let is_bound = socket.claim.is_some();
        let options = Arc::make_mut(&mut socket.options);
        option.set(&mut Change { options, knobs, domain, state, is_bound })?;
        let options = self.recent_options.share(&socket.options);
        socket.options = Arc::clone(&options);
        if let Some(claim) = socket.claim {
            // A holder may always change its own mind; conflicts are looked for when one takes a port.
            let (reuse_addr, reuse_port) = (options.reuse_addr, options.reuse_port);
            let changed = Claim { reuse_addr, reuse_port, ..claim };
            socket.claim = Some(changed);
            self.ports.release(claim);
            self.ports.hold(changed);
        }
        if matches!(option, SocketOption::MtuDiscover(_) | SocketOption::MtuDiscoverV6(_)) {
            self.renew_path(now, id);
        }
        let settings = options.settings();
        self.turn(now, id, |connection, cx| {
            connection.set_settings(cx, settings);
            match option {
                SocketOption::QuickAck(on) => connection.set_quick_ack(cx, on),
                SocketOption::NoDelay(true) => connection.release(),
                _ => {}
            }
        });
        Ok(())
    }

    /// Reads an option.
    ///
    /// # Errors
    /// `NoOption` for one that the family does not have.
    pub fn option(&self, id: SocketId, name: OptionName) -> Result<SocketOption, Error> {
        let (socket, knobs) = (self.owned(id)?, &self.knobs);
        name.get(&View { socket, knobs, fast_open_keys: self.fast_open_keys })
    }

    /// Takes a port for a socket that has none.
    pub(super) fn take_port(
        &mut self,
        id: SocketId,
        local: SocketAddr,
        usage: Use,
    ) -> Result<(), Error> {
        let Options { v6_only, reuse_addr, reuse_port, .. } = *self.owned(id)?.options;
        let claim = |port| {
            let place = Place::of(SocketAddr::new(local.ip(), port), v6_only);
            Claim { place, usage, reuse_addr, reuse_port }
        };
        let port = match local.port() {
            0 => {
                let range = self.knobs.local_port_range();
                let port = self.ports.for_bind(range, &mut self.random, claim);
                port.ok_or(Error::AddressInUse)?
            }
            port if self.ports.is_taken(&claim(port)) => return Err(Error::AddressInUse),
            port => port,
        };
        self.ports.hold(claim(port));
        self.owned_mut(id)?.claim = Some(claim(port));
        Ok(())
    }

    /// Changes a socket's hold on its port to one that may conflict with others.
    fn change_claim(&mut self, id: SocketId, claim: Claim) -> Result<(), Error> {
        let Some(before) = self.owned_mut(id)?.claim.take() else { return Ok(()) };
        self.ports.release(before);
        let is_taken = self.ports.is_taken(&claim);
        let after = if is_taken { before } else { claim };
        self.ports.hold(after);
        self.owned_mut(id)?.claim = Some(after);
        if is_taken { Err(Error::AddressInUse) } else { Ok(()) }
    }

    /// The socket behind an id, if it is the application's.
    pub(super) fn owned(&self, id: SocketId) -> Result<&Socket, Error> {
        let socket = self.sockets.get(id).ok_or(Error::BadSocket)?;
        if socket.owner == Owner::Application { Ok(socket) } else { Err(Error::BadSocket) }
    }

    pub(super) fn owned_mut(&mut self, id: SocketId) -> Result<&mut Socket, Error> {
        let socket = self.sockets.get_mut(id).ok_or(Error::BadSocket)?;
        if socket.owner == Owner::Application { Ok(socket) } else { Err(Error::BadSocket) }
    }
}
