//! Initial sequence numbers that an outsider can't guess (RFC 6528), and the timestamp offsets that
//! go with them (RFC 7323 §5.4).
//!
//! Owns the secret; the same stack must use one generator for all its connections, so that a
//! connection's successor on the same addresses starts after it.

use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};

use siphasher::sip::SipHasher24;

use crate::time::Instant;

/// M ticks once in this many microseconds (RFC 9293 §3.4.1, MUST-8): a turn takes about 4.8 hours.
const TICK_US: u64 = 4;

/// Where the numbers of a new connection start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// ISS.
    pub iss: u32,
    /// What the timestamp clock is ahead of the host's, in ticks.
    pub ts_offset: u32,
}

/// Chooses where new connections start.
#[derive(Clone)]
pub struct IsnGenerator {
    key: (u64, u64),
}

impl IsnGenerator {
    /// A generator whose secret is `key`: 128 bits that nobody else knows.
    pub const fn new(key: (u64, u64)) -> IsnGenerator {
        IsnGenerator { key }
    }

    /// ISN = M + F(localip, localport, remoteip, remoteport, secretkey), RFC 6528 §3 (SHLD-1). F is a
    /// SipHash: without the key nobody can compute it (MUST-9).
    ///
    /// F separates the sequence spaces of different connections; M, the clock, moves each of them
    /// on, so that old segments don't fit into a new connection.
    pub fn isn(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> u32 {
        self.origin(now, local, remote).iss
    }

    /// ISS and timestamp offset. The offset is the same for every connection between the same ends:
    /// a later one's timestamps are later too, which is what lets it take the place of one in
    /// TIME-WAIT (RFC 6191 §2).
    pub fn origin(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Origin {
        let m = (now.as_micros() / TICK_US) as u32;
        let mut f = SipHasher24::new_with_keys(self.key.0, self.key.1);
        write_endpoint(&mut f, local);
        write_endpoint(&mut f, remote);
        // One hash, two numbers: who sees one half learns nothing of the other.
        let hash = f.finish();
        Origin { iss: m.wrapping_add(hash as u32), ts_offset: (hash >> 32) as u32 }
    }
}

impl std::fmt::Debug for IsnGenerator {
    /// Keeps the secret out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IsnGenerator")
    }
}

/// Address and port in network order. Both families have a fixed length, so that no two pairs of
/// endpoints write the same bytes.
pub(super) fn write_endpoint(hasher: &mut SipHasher24, endpoint: SocketAddr) {
    match endpoint.ip() {
        IpAddr::V4(ip) => hasher.write(&ip.octets()),
        IpAddr::V6(ip) => hasher.write(&ip.octets()),
    }
    hasher.write(&endpoint.port().to_be_bytes());
}

#[cfg(test)]
mod tests;
