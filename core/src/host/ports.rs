//! Who holds which local port: conflicts between sockets as Linux sees them, and ephemeral ports
//! that nobody can guess (RFC 6056).
//!
//! Sockets that hold a port in the same way are counted, not listed: a bind beside a hundred
//! thousand accepted connections looks at one row.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashTable;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::demux::{KeyedHash, Place};

/// How a socket uses its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// bind() or listen() chose it, or the listener that the connection came from.
    Bound,
    /// A listener.
    Listening,
    /// connect() chose it: only the pair of ends has to be unique.
    Connecting,
}

/// A socket's hold on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) place: Place,
    pub(super) usage: Use,
    pub(super) reuse_addr: bool,
    pub(super) reuse_port: bool,
}

impl Claim {
    /// Whether both cannot hold the port (Linux: inet_csk_bind_conflict). With SO_REUSEADDR one may
    /// listen where another connects from (RFC 9293 §3.9.1.1, MUST-42).
    fn conflicts_with(&self, holder: &Claim) -> bool {
        let both_addr = self.reuse_addr && holder.reuse_addr && holder.usage != Use::Listening;
        let both_port = self.reuse_port && holder.reuse_port;
        overlap(self.place, holder.place) && !both_addr && !both_port
    }
}

/// Whether some address belongs to both.
fn overlap(left: Place, right: Place) -> bool {
    use Place::{Any4, Any6, AnyBoth, At};
    match (left, right) {
        (At(left, _), At(right, _)) => left == right,
        (AnyBoth(_), _) | (_, AnyBoth(_)) => true,
        (Any4(_), At(address, _)) | (At(address, _), Any4(_)) => address.is_ipv4(),
        (Any6(_), At(address, _)) | (At(address, _), Any6(_)) => address.is_ipv6(),
        (Any4(_), Any4(_)) | (Any6(_), Any6(_)) => true,
        (Any4(_), Any6(_)) | (Any6(_), Any4(_)) => false,
    }
}

/// Counters of the double-hash algorithm; RFC 6056 §3.3.4 finds ten of them enough.
const TABLE_LENGTH: usize = 64;

/// Sockets that hold a port in the same way.
struct Row {
    claim: Claim,
    holders: u32,
}

/// The local ports in use.
pub(super) struct Ports {
    /// By port; those of one port are few, and lie beside each other.
    rows: HashTable<Row>,
    hash: KeyedHash,
    /// F and G of RFC 6056 §3.3.4.
    offset: KeyedHash,
    index: KeyedHash,
    table: [u16; TABLE_LENGTH],
}

impl Ports {
    /// Nothing is held; `random` gives the keys (RFC 6056 §3.4).
    pub(super) fn new(random: &mut ChaCha8Rng) -> Ports {
        let mut key = || KeyedHash::new((random.next_u64(), random.next_u64()));
        let (hash, offset, index) = (key(), key(), key());
        let table = std::array::from_fn(|_| random.next_u32() as u16);
        Ports { rows: HashTable::new(), hash, offset, index, table }
    }

    /// Whether somebody holds the port in a way that excludes `claim`.
    pub(super) fn is_taken(&self, claim: &Claim) -> bool {
        self.rows(claim.place.port()).any(|holder| claim.conflicts_with(holder))
    }

    /// Counts a holder.
    pub(super) fn hold(&mut self, claim: Claim) {
        let Ports { rows, hash, .. } = self;
        let hash_of = |claim: &Claim| hash.hash_one(claim.place.port());
        let is_same = |row: &Row| row.claim == claim;
        let row = rows
            .entry(hash_of(&claim), is_same, |row| hash_of(&row.claim))
            .or_insert(Row { claim, holders: 0 });
        row.into_mut().holders += 1;
    }

    /// Counts a holder less.
    pub(super) fn release(&mut self, claim: Claim) {
        let hash = self.hash.hash_one(claim.place.port());
        if let Ok(mut row) = self.rows.find_entry(hash, |row| row.claim == claim) {
            row.get_mut().holders -= 1;
            if row.get().holders == 0 {
                row.remove();
            }
        }
    }

    /// A port of `range` for bind() to port 0 that nobody holds at `claim`'s addresses, from a random
    /// one on (RFC 6056 §3.3.1).
    pub(super) fn for_bind(
        &self,
        range: (u16, u16),
        random: &mut ChaCha8Rng,
        claim: impl Fn(u16) -> Claim,
    ) -> Option<u16> {
        let start = random.next_u32();
        candidates(range, start).find(|port| {
            let claim = claim(*port);
            !self.rows(*port).any(|holder| overlap(claim.place, holder.place))
        })
    }

    /// A port of `range` for connect() from `local` to `remote`: one that no bind() has claimed and
    /// for which `is_free` says that the pair of ends is unused. Ports to one peer rise from a secret
    /// start, with a counter shared by few peers (RFC 6056 §3.3.4, double-hash).
    pub(super) fn for_connect(
        &mut self,
        range: (u16, u16),
        local: IpAddr,
        remote: SocketAddr,
        is_free: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let offset = self.offset.hash_one((local, remote)) as u32;
        let slot = self.index.hash_one((local, remote)) as usize % TABLE_LENGTH;
        let counter = self.table[slot];
        let (tried, port) = candidates(range, offset.wrapping_add(u32::from(counter)))
            .enumerate()
            .find(|(_, port)| {
                let may_share = |holder: &Claim| holder.usage == Use::Connecting;
                self.rows(*port).all(may_share) && is_free(*port)
            })?;
        self.table[slot] = counter.wrapping_add(tried as u16).wrapping_add(1);
        Some(port)
    }

    /// How many hold ports in all, for [`Host::check`](super::Host::check).
    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|row| row.holders as usize).sum()
    }

    /// The ways in which the port is held.
    fn rows(&self, port: u16) -> impl Iterator<Item = &Claim> {
        let rows = self.rows.iter_hash(self.hash.hash_one(port)).map(|row| &row.claim);
        rows.filter(move |claim| claim.place.port() == port)
    }
}

/// Every port of the range (RFC 6056 §3.2: a wide one, `ip_local_port_range`) once, from its
/// `start`th on.
fn candidates((first, last): (u16, u16), start: u32) -> impl Iterator<Item = u16> {
    let count = u32::from(last - first) + 1;
    let start = start % count;
    (0..count).map(move |step| first + ((start + step) % count) as u16)
}

#[cfg(test)]
mod tests;
