//! To which socket a segment belongs: one hash lookup for a connection, at most three more for a
//! listener, however many sockets there are.
//!
//! The ends of a connection are its own to keep: here it has its number and 32 bits of the hash, which
//! tell nearly every other one apart without a look at it.
//!
//! The hash is SipHash under a key from the host's seed, so that no peer can choose ports and
//! addresses that collide.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use super::SocketId;
use super::socket::Sockets;

/// SipHash-1-3 under a secret key.
#[derive(Clone, Copy)]
pub(super) struct KeyedHash {
    key: (u64, u64),
}

impl KeyedHash {
    pub(super) fn new(key: (u64, u64)) -> KeyedHash {
        KeyedHash { key }
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.key.0, self.key.1)
    }
}

/// A connection's two ends, from this host's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FourTuple {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
}

impl KeyedHash {
    /// The hash of a segment's ends, asked for with every segment: in one piece, since a hasher pays by
    /// the call.
    fn of_ends(&self, tuple: &FourTuple) -> u64 {
        let hasher = self.build_hasher();
        let ports =
            (u32::from(tuple.local.port()) << 16 | u32::from(tuple.remote.port())).to_be_bytes();
        match (tuple.local.ip(), tuple.remote.ip()) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let mut bytes = [0; 12];
                bytes[..4].copy_from_slice(&local.octets());
                bytes[4..8].copy_from_slice(&remote.octets());
                bytes[8..].copy_from_slice(&ports);
                hasher.hash(&bytes)
            }
            (local, remote) => {
                let mut bytes = [0; 36];
                bytes[..16].copy_from_slice(&octets(local));
                bytes[16..32].copy_from_slice(&octets(remote));
                bytes[32..].copy_from_slice(&ports);
                hasher.hash(&bytes)
            }
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Where a listening socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// One address.
    At(IpAddr, u16),
    /// Every address of one family.
    Any4(u16),
    /// Every IPv6 address.
    Any6(u16),
    /// Every address of both families.
    AnyBoth(u16),
}

impl Place {
    /// Where a socket bound to `local` listens; `v6_only` is its option.
    pub(super) fn of(local: SocketAddr, v6_only: bool) -> Place {
        match local.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Place::Any4(local.port()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) if v6_only => Place::Any6(local.port()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Place::AnyBoth(local.port()),
            address => Place::At(address, local.port()),
        }
    }

    pub(super) fn port(self) -> u16 {
        let (Place::At(_, port) | Place::Any4(port) | Place::Any6(port) | Place::AnyBoth(port)) =
            self;
        port
    }

    /// The address and port as bind() was given them.
    pub(super) fn bound(self) -> SocketAddr {
        let address = match self {
            Place::At(address, _) => address,
            Place::Any4(_) => Ipv4Addr::UNSPECIFIED.into(),
            Place::Any6(_) | Place::AnyBoth(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(address, self.port())
    }
}

/// A connection in the table.
struct Member {
    /// Half of the hash of its ends.
    hash: u32,
    id: SocketId,
}

impl Member {
    /// What the table goes by: it takes the place from the low bits and a tag from the high ones.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

/// The tables of connections and of listeners.
pub(super) struct Demux {
    connections: HashTable<Member>,
    /// More than one at a place only with SO_REUSEPORT.
    listeners: HashMap<Place, SmallVec<[SocketId; 2]>, KeyedHash>,
    hash: KeyedHash,
    /// The connection that the last segment was for: mostly the next one is for it too.
    latest: Option<SocketId>,
}

impl Demux {
    pub(super) fn new(hash: KeyedHash) -> Demux {
        let (connections, listeners) = (HashTable::new(), HashMap::with_hasher(hash));
        Demux { connections, listeners, hash, latest: None }
    }

    /// The connection that a segment between these two ends is for.
    pub(super) fn route(&mut self, tuple: &FourTuple, sockets: &Sockets) -> Option<SocketId> {
        let is_it = |id: &SocketId| sockets.get(*id).is_some_and(|socket| socket.has_ends(tuple));
        if !self.latest.as_ref().is_some_and(is_it) {
            self.latest = self.connection(tuple, sockets);
        }
        self.latest
    }

    /// The connection with these two ends.
    pub(super) fn connection(&self, tuple: &FourTuple, sockets: &Sockets) -> Option<SocketId> {
        self.find(self.hash.of_ends(tuple) as u32, tuple, sockets)
    }

    fn find(&self, hash: u32, tuple: &FourTuple, sockets: &Sockets) -> Option<SocketId> {
        let is_it = |member: &Member| {
            let socket = || sockets.get(member.id);
            member.hash == hash && socket().is_some_and(|socket| socket.has_ends(tuple))
        };
        self.connections.find(Member::spread(hash), is_it).map(|member| member.id)
    }

    /// The listener for a segment to `tuple.local`: the one at the address before the one at every
    /// address of the family, and that before the one of both families.
    pub(super) fn listener(&self, tuple: &FourTuple) -> Option<SocketId> {
        let (address, port) = (tuple.local.ip(), tuple.local.port());
        let family = if address.is_ipv4() { Place::Any4(port) } else { Place::Any6(port) };
        [Place::At(address, port), family, Place::AnyBoth(port)].iter().find_map(|place| {
            match self.listeners.get(place)?.as_slice() {
                [only] => Some(*only),
                // Each peer keeps its listener, and the peers spread over all of them.
                group => {
                    let share = self.hash.of_ends(tuple) % group.len() as u64;
                    group.get(share as usize).copied()
                }
            }
        })
    }

    /// A connection's two ends are its own from now on; false, and no change, when another has them.
    pub(super) fn insert_connection(
        &mut self,
        tuple: FourTuple,
        id: SocketId,
        sockets: &Sockets,
    ) -> bool {
        let hash = self.hash.of_ends(&tuple) as u32;
        if let Some(owner) = self.find(hash, &tuple, sockets) {
            return owner == id;
        }
        let rehash = |member: &Member| Member::spread(member.hash);
        self.connections.insert_unique(Member::spread(hash), Member { hash, id }, rehash);
        true
    }

    /// The connection gives up its ends, if they are still its own.
    pub(super) fn remove_connection(&mut self, tuple: &FourTuple, id: SocketId) {
        self.latest.take_if(|latest| *latest == id);
        let hash = self.hash.of_ends(tuple) as u32;
        let entry = self.connections.find_entry(Member::spread(hash), |member| member.id == id);
        if let Ok(entry) = entry {
            entry.remove();
        }
    }

    pub(super) fn insert_listener(&mut self, place: Place, id: SocketId) {
        self.listeners.entry(place).or_default().push(id);
    }

    pub(super) fn remove_listener(&mut self, place: Place, id: SocketId) {
        if let Some(group) = self.listeners.get_mut(&place) {
            group.retain(|member| *member != id);
            if group.is_empty() {
                self.listeners.remove(&place);
            }
        }
    }

    /// Every socket in either table, for [`Host::check`](super::Host::check).
    pub(super) fn members(&self) -> impl Iterator<Item = SocketId> {
        let connections = self.connections.iter().map(|member| member.id);
        connections.chain(self.listeners.values().flatten().copied())
    }
}

#[cfg(test)]
mod tests;
