//! What routers have said of the path's MTU, by destination (RFC 1191 §6.2, RFC 8201 §5.2), so that
//! the next connection to it starts right.
//!
//! Believed only after [`super::icmp`] has checked that the message quotes something in flight,
//! never below a floor, never upward, and for a limited time. Bounded: a full cache learns nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use super::demux::KeyedHash;
use crate::time::Instant;

/// Destinations remembered at most.
const CAPACITY: usize = 1024;

/// No IPv6 link is narrower (RFC 8200 §5, RFC 8201 §4).
const LEAST_V6: u32 = 1280;

/// MTUs of links there are or were (RFC 1191 §7.1): what to try next when an old router does
/// not say (RFC 1191 §5).
const PLATEAUS: [u32; 11] = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/// What is believed of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    /// Largest IP packet, in bytes.
    pub(super) mtu: u32,
    /// The router said less.
    pub(super) is_below_floor: bool,
    /// For how long it is believed.
    pub(super) expires: Instant,
}

/// What a packet-too-big message about a path that was taken for `current` bytes wide, and is `claimed`
/// bytes wide, stands for. RFC 1191 §3 lets IPv4 paths be 68 bytes wide; a forged message could then
/// make every packet tiny, so as on Linux there is a `floor`.
pub(super) fn believed(
    destination: IpAddr,
    claimed: u32,
    current: u32,
    floor: u32,
    expires: Instant,
) -> Option<Learned> {
    let mtu = match (destination, claimed) {
        // RFC 8201 §4: no IPv6 path is that narrow, so the message is discarded.
        (IpAddr::V6(_), ..LEAST_V6) => return None,
        (IpAddr::V6(_), _) => claimed,
        (IpAddr::V4(_), 0) => PLATEAUS.into_iter().find(|plateau| *plateau < current)?,
        (IpAddr::V4(_), _) => claimed,
    };
    let floor = if destination.is_ipv4() { floor } else { LEAST_V6 };
    Some(Learned { mtu: mtu.max(floor), is_below_floor: mtu < floor, expires })
}

/// The lowered MTUs.
pub(super) struct PathMtu {
    entries: HashMap<IpAddr, Learned, KeyedHash>,
}

impl PathMtu {
    pub(super) fn new(hash: KeyedHash) -> PathMtu {
        PathMtu { entries: HashMap::with_hasher(hash) }
    }

    /// Remembers what was learned of the path to `destination`.
    pub(super) fn learn(&mut self, now: Instant, destination: IpAddr, learned: Learned) {
        if self.entries.len() >= CAPACITY {
            self.entries.retain(|_, learned| now < learned.expires);
        }
        if self.entries.len() < CAPACITY || self.entries.contains_key(&destination) {
            self.entries.insert(destination, learned);
        }
    }

    /// What was learned of the path to `destination`, and is still believed.
    pub(super) fn get(&self, now: Instant, destination: IpAddr) -> Option<Learned> {
        self.entries.get(&destination).copied().filter(|learned| now < learned.expires)
    }
}

#[cfg(test)]
mod tests;
