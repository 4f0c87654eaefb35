//! What routers have said of the path's MTU, by destination (RFC 1191 §6.2, RFC 8201 §5.2), so that
//! the next connection to it starts right.
//!
//! Believed only after [`super::icmp`] has checked that the message quotes something in flight,
//! never below a floor, never upward, and for a limited time. Bounded: a full cache learns nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::demux::KeyedHash;
use crate::time::Instant;

/// Destinations remembered at most.
const CAPACITY: usize = 1024;

/// How long a lowered MTU is believed (RFC 1191 §6.3, RFC 8201 §5.3; Linux's mtu_expires).
const LIFETIME: Duration = Duration::from_secs(600);

/// RFC 1191 §3 allows 68; a forged message could then make every packet tiny, so as Linux (min_pmtu).
const FLOOR_V4: u32 = 552;

/// No IPv6 link is narrower (RFC 8200 §5, RFC 8201 §4).
const FLOOR_V6: u32 = 1280;

/// What to assume when an old router does not say (RFC 1191 §5, RFC 1122 §3.3.3).
const UNSAID_V4: u32 = 576;

/// The path MTU in bytes that a packet-too-big message of `mtu` bytes stands for.
pub(super) fn believed(destination: IpAddr, mtu: u32) -> u32 {
    match (destination, mtu) {
        (IpAddr::V4(_), 0) => UNSAID_V4,
        (IpAddr::V4(_), mtu) => mtu.max(FLOOR_V4),
        (IpAddr::V6(_), mtu) => mtu.max(FLOOR_V6),
    }
}

/// The lowered MTUs.
pub(super) struct PathMtu {
    entries: HashMap<IpAddr, (u32, Instant), KeyedHash>,
}

impl PathMtu {
    pub(super) fn new(hash: KeyedHash) -> PathMtu {
        PathMtu { entries: HashMap::with_hasher(hash) }
    }

    /// The path to `destination` takes packets of `mtu` bytes.
    pub(super) fn learn(&mut self, now: Instant, destination: IpAddr, mtu: u32) {
        if self.entries.len() >= CAPACITY {
            self.entries.retain(|_, (_, learned)| now.saturating_since(*learned) < LIFETIME);
        }
        if self.entries.len() < CAPACITY || self.entries.contains_key(&destination) {
            self.entries.insert(destination, (mtu, now));
        }
    }

    /// What was learned of the path to `destination`, in bytes.
    pub(super) fn get(&self, now: Instant, destination: IpAddr) -> Option<u32> {
        let (mtu, learned) = self.entries.get(&destination)?;
        (now.saturating_since(*learned) < LIFETIME).then_some(*mtu)
    }
}

#[cfg(test)]
mod tests;
