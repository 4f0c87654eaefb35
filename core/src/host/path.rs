//! The way to each peer: how large a packet it takes, and what a connection does when that changes.
//!
//! A router's word lowers it for every connection to that destination (RFC 1191 §3, RFC 8201 §4), but
//! only the one whose segment it quotes knows that something was lost. After a time the word is
//! forgotten, and larger packets are tried again.

use std::net::IpAddr;

use super::counters::Counter;
use super::path_mtu::{Learned, believed};
use super::socket::{Kind, Socket};
use super::{Domain, Host, MtuDiscover, SocketId};
use crate::time::Instant;

/// The largest packet that an IPv4 length field allows; inside the host there is no narrower link.
const LOOPBACK_MTU: u16 = u16::MAX;

/// The way to a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    /// Largest IP packet, in bytes: no length field says more.
    mtu: u16,
    /// Largest payload of a super-segment, in bytes; 0: none.
    pub(super) gso_max: u16,
    /// The peer is this host.
    pub(super) is_inside: bool,
    /// A router said less than is believed: what is sent may still be too big for it.
    pub(super) is_below_floor: bool,
    /// Another connection heard that the path is narrower while this one had larger segments on
    /// their way: should a router quote one of them, it is lost.
    is_suspect: bool,
    /// When what a router said is forgotten.
    expires: Option<Instant>,
}

impl Path {
    /// Largest IP packet, in bytes.
    pub(super) fn mtu(&self) -> u32 {
        self.mtu.into()
    }

    fn narrow(&mut self, learned: Learned) {
        self.mtu = u16::try_from(learned.mtu).unwrap_or(u16::MAX);
        self.is_below_floor = learned.is_below_floor;
        self.expires = Some(learned.expires);
    }

    /// Whether what a router said is to be forgotten.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Socket {
    /// How it finds the MTU of the path to `peer`.
    fn mtu_discover(&self, peer: IpAddr) -> MtuDiscover {
        self.options.ip.of(Domain::of(peer)).mtu_discover
    }

    fn peer(&self) -> Option<IpAddr> {
        match self.kind {
            Kind::Connection(_) => self.name().remote.map(|remote| remote.ip()),
            Kind::Idle | Kind::Listener(_) => None,
        }
    }
}

impl Host {
    /// The way to a peer, as far as it is known and `way` believes it.
    pub(super) fn path_to(&self, now: Instant, peer: IpAddr, way: MtuDiscover) -> Path {
        if self.addresses.is_local(peer) {
            return Path { mtu: LOOPBACK_MTU, is_inside: true, ..Path::default() };
        }
        let mut path = Path { mtu: self.device_mtu, gso_max: self.gso_max, ..Path::default() };
        if let Some(learned) = self.path_mtu.get(now, peer)
            && way.believes_routers()
            && learned.mtu < path.mtu()
        {
            path.narrow(learned);
        }
        path
    }

    /// Looks anew at the way of a connection: what was known of it is too old, or it wants to know it in
    /// another way. Larger segments are tried again (RFC 1191 §6.3, RFC 8201 §5.3).
    pub(super) fn renew_path(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let Some(peer) = socket.peer() else { return };
        let path = self.path_to(now, peer, socket.mtu_discover(peer));
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.path = path;
        self.turn(now, id, |connection, cx| connection.handle_mtu_change(cx));
    }

    /// A router says that a segment of connection `id` was larger than the `claimed` bytes that the
    /// path to `destination` takes (RFC 1191, RFC 8201). That the segment is in flight was checked:
    /// it is believed at once, as on Linux, but never below a floor (RFC 5927 §7).
    ///
    /// # Errors
    /// Why it is not believed.
    pub(super) fn lower_mtu(
        &mut self,
        now: Instant,
        id: SocketId,
        destination: IpAddr,
        claimed: u32,
    ) -> Result<(), Counter> {
        let socket = self.sockets.get_mut(id).ok_or(Counter::IcmpUnbelieved)?;
        if !socket.mtu_discover(destination).believes_routers() {
            return Err(Counter::IcmpIgnored);
        }
        let (floor, expires) = (self.knobs.min_pmtu(), now + self.knobs.mtu_expires());
        let learned = believed(destination, claimed, socket.path.mtu(), floor, expires)
            .ok_or(Counter::IcmpUnbelieved)?;
        if learned.mtu < socket.path.mtu() {
            self.path_mtu.learn(now, destination, learned);
            self.narrow_all(now, id, destination, learned);
        } else if std::mem::take(&mut socket.path.is_suspect) {
            self.turn(now, id, |connection, cx| connection.resend_too_big(cx));
        }
        Ok(())
    }

    /// Every connection to `destination` sends smaller segments from now on; `id` knows that one was
    /// lost. A walk over all sockets, but a path gets narrower only so often.
    fn narrow_all(&mut self, now: Instant, id: SocketId, destination: IpAddr, learned: Learned) {
        let concerned: Vec<SocketId> = self
            .sockets
            .iter()
            .filter(|(_, socket)| {
                socket.peer() == Some(destination)
                    && socket.mtu_discover(destination).believes_routers()
                    && learned.mtu < socket.path.mtu()
            })
            .map(|(id, _)| id)
            .collect();
        for other in concerned {
            let Some(socket) = self.sockets.get_mut(other) else { continue };
            socket.path.narrow(learned);
            let is_smaller = self.turn(now, other, |connection, cx| {
                let is_smaller = connection.handle_mtu_change(cx);
                if is_smaller && other == id {
                    connection.resend_too_big(cx);
                }
                is_smaller
            });
            if let Some(socket) = self.sockets.get_mut(other) {
                socket.path.is_suspect |= is_smaller == Some(true) && other != id;
            }
        }
    }
}
