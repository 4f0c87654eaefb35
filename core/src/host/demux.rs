//! To which socket a segment belongs: one hash lookup for a connection, at most three more for a
//! listener, however many sockets there are.
//!
//! The hash is SipHash under a key from the host's seed, so that no peer can choose ports and
//! addresses that collide.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use super::SocketId;

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

impl Hash for FourTuple {
    /// As one run of bytes: a hasher pays by the call.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes: SmallVec<[u8; 36]> = SmallVec::new();
        for end in [self.local, self.remote] {
            match end.ip() {
                IpAddr::V4(v4) => bytes.extend_from_slice(&v4.octets()),
                IpAddr::V6(v6) => bytes.extend_from_slice(&v6.octets()),
            }
            bytes.extend_from_slice(&end.port().to_be_bytes());
        }
        state.write(&bytes);
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

/// The tables of connections and of listeners.
pub(super) struct Demux {
    connections: HashMap<FourTuple, SocketId, KeyedHash>,
    /// More than one at a place only with SO_REUSEPORT.
    listeners: HashMap<Place, SmallVec<[SocketId; 2]>, KeyedHash>,
    hash: KeyedHash,
}

impl Demux {
    pub(super) fn new(hash: KeyedHash) -> Demux {
        Demux {
            connections: HashMap::with_hasher(hash),
            listeners: HashMap::with_hasher(hash),
            hash,
        }
    }

    /// The connection with these two ends.
    pub(super) fn connection(&self, tuple: &FourTuple) -> Option<SocketId> {
        self.connections.get(tuple).copied()
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
                    let share = self.hash.hash_one(tuple) % group.len() as u64;
                    group.get(share as usize).copied()
                }
            }
        })
    }

    /// A connection's two ends are its own from now on; false, and no change, when another has them.
    pub(super) fn insert_connection(&mut self, tuple: FourTuple, id: SocketId) -> bool {
        *self.connections.entry(tuple).or_insert(id) == id
    }

    /// The connection gives up its ends, if they are still its own.
    pub(super) fn remove_connection(&mut self, tuple: &FourTuple, id: SocketId) {
        if self.connections.get(tuple) == Some(&id) {
            self.connections.remove(tuple);
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
        self.connections.values().chain(self.listeners.values().flatten()).copied()
    }
}

#[cfg(test)]
mod tests;
