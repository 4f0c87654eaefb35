//! What can be asked of a host without changing it (SO_ERROR, which is taken, among them).

use std::net::SocketAddr;

use super::options::Options;
use super::socket::{Kind, Owner, Socket};
use super::{Counters, Error, Host, KnobError, Knobs, Readiness, SocketId, addresses};
use crate::tcp::info::Info;
use crate::tcp::{Connection, Listener, State};
use crate::time::Instant;

/// One row of [`Host::connections`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its number in events.
    pub id: u64,
    /// This host's end.
    pub local: SocketAddr,
    /// The other end; absent for a listener.
    pub remote: Option<SocketAddr>,
    /// Its state.
    pub state: State,
    /// Bytes sent or to be sent that are not acknowledged.
    pub send_queue: usize,
    /// Bytes that the application has yet to read.
    pub receive_queue: usize,
    /// Whether the application has closed it.
    pub orphan: bool,
}

impl Host {
    /// What poll() shows; nothing for a socket that is no more.
    pub fn readiness(&self, id: SocketId) -> Readiness {
        self.owned(id).map_or(Readiness::EMPTY, Socket::readiness)
    }

    /// SO_ERROR: the pending error, once.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn take_error(&mut self, id: SocketId) -> Result<Option<Error>, Error> {
        let error = match &mut self.owned_mut(id)?.kind {
            Kind::Connection(connection) => connection.take_error(),
            Kind::Idle | Kind::Listener(_) => None,
        };
        self.notice(id);
        Ok(error)
    }

    /// getsockname: the unspecified address and port 0 while it has none.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr, Error> {
        let socket = self.owned(id)?;
        // The unspecified address of an IPv6 socket is never an IPv4 one.
        Ok(addresses::shown(socket.domain, socket.local()))
    }

    /// getpeername.
    ///
    /// # Errors
    /// `NotConnected` before the handshake and after the end (TIME-WAIT included, as on Linux).
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr, Error> {
        let socket = self.owned(id)?;
        match socket.state() {
            State::Closed | State::Listen | State::SynSent | State::TimeWait => {
                Err(Error::NotConnected)
            }
            _ => {
                let remote = socket.name().remote.ok_or(Error::NotConnected)?;
                Ok(addresses::shown(socket.domain, remote))
            }
        }
    }

    /// The socket's state: CLOSED before it listens or connects.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn state(&self, id: SocketId) -> Result<State, Error> {
        Ok(self.owned(id)?.state())
    }

    /// Bytes to be read, bytes in the send buffer (sent or not), and bytes free in it.
    ///
    /// # Errors
    /// `Invalid` for a listener, as SIOCINQ on Linux.
    pub fn queues(&self, id: SocketId) -> Result<(usize, usize, usize), Error> {
        let socket = self.owned(id)?;
        match &socket.kind {
            Kind::Idle => Ok((0, 0, socket.options.settings().send_buffer as usize)),
            Kind::Listener(_) => Err(Error::Invalid),
            Kind::Connection(connection) => Ok(connection.queues()),
        }
    }

    /// Bytes in the send buffer that were never sent (SIOCOUTQNSD).
    ///
    /// # Errors
    /// `Invalid` for a listener.
    pub fn unsent(&self, id: SocketId) -> Result<usize, Error> {
        match &self.owned(id)?.kind {
            Kind::Idle => Ok(0),
            Kind::Listener(_) => Err(Error::Invalid),
            Kind::Connection(connection) => Ok(connection.unsent()),
        }
    }

    /// What TCP_INFO tells of the socket; before and after a connection little more than its state.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn tcp_info(&self, now: Instant, id: SocketId) -> Result<Info, Error> {
        let socket = self.owned(id)?;
        let unconnected = Info { state: socket.state(), ..Info::unconnected(&self.knobs) };
        Ok(match &socket.kind {
            Kind::Idle => unconnected,
            Kind::Listener(listener) => Info {
                unacked: u32::try_from(listener.waiting()).unwrap_or(u32::MAX),
                sacked: listener.backlog(),
                ..unconnected
            },
            Kind::Connection(connection) => {
                connection.info(now, &self.knobs, socket.path.mtu() as usize)
            }
        })
    }

    /// The row of one socket, whatever it is; CLOSED and without queues before it listens or connects.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn connection(&self, id: SocketId) -> Result<ConnectionInfo, Error> {
        Ok(row_of(self.owned(id)?))
    }

    /// What the application's connection is asked; None where the socket is none.
    ///
    /// # Errors
    /// `BadSocket`.
    fn ask<R>(
        &self,
        id: SocketId,
        question: impl FnOnce(&Connection) -> R,
    ) -> Result<Option<R>, Error> {
        Ok(match &self.owned(id)?.kind {
            Kind::Connection(connection) => Some(question(connection)),
            Kind::Idle | Kind::Listener(_) => None,
        })
    }

    /// SIOCATMARK: whether all before the last urgent octet is read, and it is not.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn is_at_urgent_mark(&self, id: SocketId) -> Result<bool, Error> {
        Ok(self.ask(id, Connection::is_at_urgent_mark)?.unwrap_or(false))
    }

    /// SIOCINQ: bytes that can be read before the urgent mark, if there is one.
    ///
    /// # Errors
    /// `BadSocket`; `Invalid` for a listener.
    pub fn readable(&self, id: SocketId) -> Result<usize, Error> {
        match &self.owned(id)?.kind {
            Kind::Listener(_) => Err(Error::Invalid),
            _ => Ok(self.ask(id, Connection::readable)?.unwrap_or(0)),
        }
    }

    /// TCP_QUICKACK: whether acknowledgments are not held back to ride on text.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn is_quick_ack(&self, id: SocketId) -> Result<bool, Error> {
        Ok(self.ask(id, Connection::is_quick_ack)?.unwrap_or(true))
    }

    /// The sizes of a connection's buffers as they are now, autotuned or not: to send, to receive, in
    /// bytes. None before there is a connection.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn buffer_sizes(&self, id: SocketId) -> Result<Option<(usize, usize)>, Error> {
        self.ask(id, Connection::buffer_sizes)
    }

    /// Every listener and connection: SYN-RECEIVED, TIME-WAIT and orphans included.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        let is_shown = |socket: &Socket| !matches!(socket.kind, Kind::Idle);
        let shown = self.sockets.iter().filter(|(_, socket)| is_shown(socket));
        shown.map(|(_, socket)| row_of(socket)).collect()
    }

    /// What happened how often.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The settings.
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// Changes a setting; sockets that are there keep the buffers that they have.
    ///
    /// # Errors
    /// [`KnobError`] when there is no such knob or the value is outside its range.
    pub fn set_knob(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
        self.knobs.set(name, value)?;
        self.default_options = Options::new(&self.knobs).into();
        Ok(())
    }

    /// Asserts every invariant of every connection, and that the tables agree with the sockets.
    ///
    /// # Panics
    /// When one does not hold: a bug in the stack.
    pub fn check(&self) {
        self.fragments.check();
        let (mut deadlines, mut claims) = (0, 0);
        for (id, socket) in self.sockets.iter() {
            claims += usize::from(socket.claim.is_some());
            if let Some(deadline) = socket.deadline().filter(|_| !socket.is_unsettled) {
                let is_queued = socket.queued_deadline.is_some_and(|queued| queued <= deadline);
                assert!(is_queued, "a deadline is not in the queue in time");
            }
            if let Some(queued) = socket.queued_deadline {
                deadlines += 1;
                assert!(self.deadlines.contains(queued, id), "a deadline is not in the queue");
            }
            match &socket.kind {
                Kind::Idle => {}
                Kind::Listener(listener) => self.check_children(id, listener),
                Kind::Connection(connection) => connection.check(),
            }
        }
        assert_eq!(self.deadlines.len(), deadlines, "the timer queue has strangers");
        assert_eq!(self.ports.len(), claims, "the table of ports disagrees with the sockets");
        for id in self.demux.members() {
            assert!(self.sockets.get(id).is_some(), "the demux names a socket that is no more");
        }
    }

    fn check_children(&self, id: SocketId, listener: &Listener<SocketId>) {
        for child in listener.children() {
            let owner = self.sockets.get(child).map(|socket| socket.owner);
            assert!(
                matches!(owner, Some(Owner::SynQueue(parent) | Owner::AcceptQueue(parent)) if parent == id),
                "a listener has a child that is not its own"
            );
        }
    }

    pub(super) fn listener(&self, id: SocketId) -> Option<&Listener<SocketId>> {
        match &self.sockets.get(id)?.kind {
            Kind::Listener(listener) => Some(listener),
            Kind::Idle | Kind::Connection(_) => None,
        }
    }

    pub(super) fn listener_mut(&mut self, id: SocketId) -> Option<&mut Listener<SocketId>> {
        match &mut self.sockets.get_mut(id)?.kind {
            Kind::Listener(listener) => Some(listener),
            Kind::Idle | Kind::Connection(_) => None,
        }
    }
}

fn row_of(socket: &Socket) -> ConnectionInfo {
    let (receive_queue, send_queue) = match &socket.kind {
        Kind::Idle | Kind::Listener(_) => (0, 0),
        Kind::Connection(connection) => {
            let (readable, unacknowledged, _) = connection.queues();
            (readable, unacknowledged)
        }
    };
    let name = socket.name();
    ConnectionInfo {
        id: name.id,
        local: name.local,
        remote: name.remote,
        state: socket.state(),
        send_queue,
        receive_queue,
        orphan: socket.owner == Owner::Nobody,
    }
}
