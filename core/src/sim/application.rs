//! The application's side of a host in a world: the socket calls, each recorded in the event stream
//! like a program's, with its packets on their way when it returns.
//!
//! No call here waits: `WouldBlock` says that it would, and [`World::run_until`] lets time pass. A program
//! whose calls wait is made of [`BlockingCall`](super::BlockingCall)s.

use std::net::SocketAddr;

use super::world::{HostId, World};
use crate::host::{Domain, Error, Host, Readiness, Shutdown, SocketId, wording};
use crate::tcp::State;
use crate::time::Instant;

/// A socket of a host of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket {
    /// Whose it is.
    pub host: HostId,
    /// Its id there.
    pub id: SocketId,
}

impl World {
    /// A fresh socket.
    pub fn socket(&mut self, host: HostId, domain: Domain) -> Socket {
        let id = self.with_host(host, |host, now| {
            let number = host
                .is_observed()
                .then(|| host.call_entered(now, None, "socket", wording::domain(domain), None));
            let id = host.socket(domain);
            if let Some(number) = number {
                host.call_returned(now, None, number, "socket", "ok".to_owned());
            }
            id
        });
        Socket { host, id }
    }

    /// A socket that listens at `local`.
    ///
    /// # Errors
    /// Those of [`Host::bind`] and [`Host::listen`].
    pub fn listen(
        &mut self,
        host: HostId,
        local: SocketAddr,
        backlog: u32,
    ) -> Result<Socket, Error> {
        let socket = self.socket(host, Domain::of(local.ip()));
        let Socket { id, .. } = socket;
        let bind = |host: &mut Host, _| host.bind(id, local);
        self.call(socket, "bind", || local.to_string(), wording::zero, bind)?;
        let listen = |host: &mut Host, now| host.listen(now, id, backlog);
        self.call(socket, "listen", || backlog.to_string(), wording::zero, listen)?;
        Ok(socket)
    }

    /// A new socket on its way to `remote`: its SYN has left.
    ///
    /// # Errors
    /// Those of [`Host::connect`] but `InProgress`, which is what is expected here.
    pub fn connect(&mut self, host: HostId, remote: SocketAddr) -> Result<Socket, Error> {
        let socket = self.socket(host, Domain::of(remote.ip()));
        self.connect_socket(socket, remote)?;
        Ok(socket)
    }

    /// Sends a socket on its way to `remote`.
    ///
    /// # Errors
    /// Those of [`Host::connect`] but `InProgress`.
    pub fn connect_socket(&mut self, socket: Socket, remote: SocketAddr) -> Result<(), Error> {
        let connect = |host: &mut Host, now| host.connect(now, socket.id, remote);
        match self.call(socket, "connect", || remote.to_string(), wording::zero, connect) {
            Err(Error::InProgress) => Ok(()),
            result => result,
        }
    }

    /// Takes a connection from a listener.
    ///
    /// # Errors
    /// Those of [`Host::accept`].
    pub fn accept(&mut self, listener: Socket) -> Result<Socket, Error> {
        let accept = |host: &mut Host, now| host.accept(now, listener.id);
        let shown = |(_, peer): &(SocketId, SocketAddr)| peer.to_string();
        let (id, _) = self.call(listener, "accept", String::new, shown, accept)?;
        Ok(Socket { host: listener.host, id })
    }

    /// Sends as much of `data` as the send buffer takes.
    ///
    /// # Errors
    /// Those of [`Host::send`].
    pub fn send(&mut self, socket: Socket, data: &[u8]) -> Result<usize, Error> {
        let send = |host: &mut Host, now| host.send(now, socket.id, data);
        let arguments = || wording::buffer(data, data.len());
        self.call(socket, "send", arguments, usize::to_string, send)
    }

    /// At most `max` bytes of what has arrived; none: the end of the stream.
    ///
    /// # Errors
    /// Those of [`Host::recv`].
    pub fn recv(&mut self, socket: Socket, max: usize) -> Result<Vec<u8>, Error> {
        let recv = |host: &mut Host, now| {
            host.recv(now, socket.id, max, false).map(|slices| slices.concat())
        };
        self.call(socket, "recv", || max.to_string(), |bytes| bytes.len().to_string(), recv)
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    /// Those of [`Host::shutdown`].
    pub fn shutdown(&mut self, socket: Socket, how: Shutdown) -> Result<(), Error> {
        let shutdown = |host: &mut Host, now| host.shutdown(now, socket.id, how);
        self.call(socket, "shutdown", || wording::shutdown(how), wording::zero, shutdown)
    }

    /// Lets go of a socket.
    ///
    /// # Errors
    /// Those of [`Host::close`].
    pub fn close(&mut self, socket: Socket) -> Result<(), Error> {
        let close = |host: &mut Host, now| host.close(now, socket.id);
        self.call(socket, "close", String::new, wording::zero, close)
    }

    /// The state of a socket; CLOSED for one that was let go (see [`Host::connections`] for those).
    pub fn state(&self, socket: Socket) -> State {
        self.host(socket.host).state(socket.id).unwrap_or(State::Closed)
    }

    /// What poll() would show.
    pub fn readiness(&self, socket: Socket) -> Readiness {
        self.host(socket.host).readiness(socket.id)
    }

    /// Calls the host and records the call, `shown` being what success looks like to a C program.
    ///
    /// # Errors
    /// Those of `call`.
    pub fn call<R>(
        &mut self,
        socket: Socket,
        name: &str,
        arguments: impl FnOnce() -> String,
        shown: impl FnOnce(&R) -> String,
        call: impl FnOnce(&mut Host, Instant) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.with_host(socket.host, |host, now| {
            if !host.is_observed() {
                return call(host, now);
            }
            let id = Some(socket.id);
            let number = host.call_entered(now, id, name, arguments(), None);
            let result = call(host, now);
            let text = match &result {
                Ok(value) => shown(value),
                Err(error) => wording::failure(*error),
            };
            host.call_returned(now, id, number, name, text);
            result
        })
    }
}
