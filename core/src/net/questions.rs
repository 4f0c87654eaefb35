//! What may be asked of a socket without changing it: names, readiness, queues, state, TCP_INFO.
//!
//! Each answer is of one moment, taken with the host locked; nothing here waits.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::SeqCst;

use super::SocketError;
use super::socket::Socket;
use crate::host::{ConnectionInfo, Readiness};
use crate::tcp::State;
use crate::tcp::info::Info;

impl Socket {
    /// The address of this end.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn local_addr(&self) -> Result<SocketAddr, SocketError> {
        Ok(self.look()?.host.local_addr(self.endpoint().id)?)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn peer_addr(&self) -> Result<SocketAddr, SocketError> {
        Ok(self.look()?.host.peer_addr(self.endpoint().id)?)
    }

    /// What `poll` would show now.
    pub fn readiness(&self) -> Readiness {
        match self.look() {
            Ok(locked) if !self.endpoint().is_closed.load(SeqCst) => {
                locked.host.readiness(self.endpoint().id)
            }
            _ => Readiness::ERR.union(Readiness::HUP),
        }
    }

    /// (bytes readable, bytes unsent or unacknowledged, free send space); with a bridged descriptor the
    /// bytes on their way through it count too.
    ///
    /// # Errors
    /// `BadSocket`; `Invalid` when it listens.
    pub fn queues(&self) -> Result<(usize, usize, usize), SocketError> {
        let descriptor = self.endpoint().descriptor.get();
        // Bytes that move meanwhile count twice rather than not at all.
        let transit = descriptor.and_then(|descriptor| descriptor.in_transit());
        let (inward, outward) = transit.unwrap_or_default();
        let (readable, unacknowledged, room) = self.look()?.host.queues(self.endpoint().id)?;
        Ok((readable + inward, unacknowledged + outward, room))
    }

    /// Bytes of the send buffer that were never sent.
    ///
    /// # Errors
    /// `BadSocket`; `Invalid` when it listens.
    pub fn unsent(&self) -> Result<usize, SocketError> {
        let descriptor = self.endpoint().descriptor.get();
        let transit = descriptor.and_then(|descriptor| descriptor.in_transit());
        let unsent = self.look()?.host.unsent(self.endpoint().id)?;
        Ok(unsent + transit.unwrap_or_default().1)
    }

    /// The socket's state: CLOSED before it listens or connects.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn state(&self) -> Result<State, SocketError> {
        Ok(self.look()?.host.state(self.endpoint().id)?)
    }

    /// State, addresses and queues at this moment.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn info(&self) -> Result<ConnectionInfo, SocketError> {
        let locked = self.look()?;
        let local = locked.host.local_addr(self.endpoint().id)?;
        let remote = locked.host.peer_addr(self.endpoint().id).ok();
        Ok(ConnectionInfo { local, remote, ..locked.host.connection(self.endpoint().id)? })
    }

    /// What TCP_INFO tells.
    ///
    /// # Errors
    /// `BadSocket`.
    pub fn tcp_info(&self) -> Result<Info, SocketError> {
        let now = self.shared().clock.now();
        Ok(self.look()?.host.tcp_info(now, self.endpoint().id)?)
    }

    /// SIOCATMARK: whether what is read next is the urgent byte, or what follows it.
    ///
    /// # Errors
    /// `BadSocket`; `Invalid` when it listens.
    pub fn is_at_urgent_mark(&self) -> Result<bool, SocketError> {
        Ok(self.look()?.host.is_at_urgent_mark(self.endpoint().id)?)
    }
}
