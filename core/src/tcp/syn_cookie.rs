//! SYN cookies: a listener whose queue is full answers a SYN without remembering it (RFC 4987 §3.6).
//!
//! Owns the two secrets and the layout of a cookie. What has to be known of the SYN is in the SYN+ACK's
//! sequence number (a minute counter and the MSS, under a keyed hash of both ends) and in the low bits
//! of its timestamp (window scale, SACK permitted, ECN); the client's ACK brings both back. A cookie is
//! good for two minutes and for its own ends alone; nobody can make one without the secrets.

use std::hash::Hasher;
use std::net::SocketAddr;

use siphasher::sip::SipHasher24;

use super::isn::write_endpoint;
use crate::time::Instant;
use crate::wire::tcp_options::Options;

/// How many minutes old a cookie may be, the present one counted.
const MAX_AGE_MINUTES: u32 = 2;

/// Bits that the hash of the minute and the MSS share; the rest is the counter.
const DATA_BITS: u32 = 24;
const DATA_MASK: u32 = (1 << DATA_BITS) - 1;

/// The segment sizes that a cookie can remember: what most paths have. A SYN's own is rounded down.
///
/// Linux begins at 536 and 1220, and so sends a peer that said less more than it takes. No segment may
/// be larger than the peer said (RFC 9293 §3.7.1, MUST-16), hence the least here: `tcp_min_snd_mss`,
/// below which no peer presses a sender anyway.
const MSS_V4: &[u16] = &[48, 536, 1300, 1440, 1460];
const MSS_V6: &[u16] = &[48, 536, 1220, 1420, 1440, 8940];

/// The timestamp's low bits: window scale (all set: none), SACK permitted, ECN.
const TIMESTAMP_BITS: u32 = 6;
const TIMESTAMP_MASK: u32 = (1 << TIMESTAMP_BITS) - 1;
const SCALE_MASK: u32 = 0x0f;
const SACK_BIT: u32 = 0x10;
const ECN_BIT: u32 = 0x20;

/// Makes and checks the cookies of one host.
#[derive(Clone)]
pub struct SynCookies {
    ends_key: (u64, u64),
    minute_key: (u64, u64),
}

/// What a SYN agreed to, as far as a timestamp remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The peer's window scale.
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// ECN (RFC 3168).
    pub ecn: bool,
}

impl SynCookies {
    /// Cookies under these secrets.
    pub const fn new(ends_key: (u64, u64), minute_key: (u64, u64)) -> SynCookies {
        SynCookies { ends_key, minute_key }
    }

    /// The ISS that remembers a SYN with number `irs` and this MSS, sent from `remote` to `local`.
    pub fn make(
        &self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        irs: u32,
        mss: u16,
    ) -> u32 {
        let table = table(local);
        let index = table.iter().rposition(|entry| *entry <= mss).unwrap_or(0) as u32;
        let minute = minute_of(now);
        let data = self.of_minute(local, remote, minute).wrapping_add(index) & DATA_MASK;
        self.of_ends(local, remote)
            .wrapping_add(irs)
            .wrapping_add(minute << DATA_BITS)
            .wrapping_add(data)
    }

    /// The MSS of the SYN with number `irs` that the cookie `iss` remembers; None when it was not made
    /// here, for these ends, within the last two minutes.
    pub fn check(
        &self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        irs: u32,
        iss: u32,
    ) -> Option<u16> {
        let rest = iss.wrapping_sub(self.of_ends(local, remote)).wrapping_sub(irs);
        let minute = minute_of(now);
        let age = minute.wrapping_sub(rest >> DATA_BITS) & (u32::MAX >> DATA_BITS);
        if age >= MAX_AGE_MINUTES {
            return None;
        }
        let hash = self.of_minute(local, remote, minute.wrapping_sub(age));
        let index = rest.wrapping_sub(hash) & DATA_MASK;
        table(local).get(index as usize).copied()
    }

    fn of_ends(&self, local: SocketAddr, remote: SocketAddr) -> u32 {
        hash(self.ends_key, local, remote, 0)
    }

    fn of_minute(&self, local: SocketAddr, remote: SocketAddr, minute: u32) -> u32 {
        hash(self.minute_key, local, remote, minute)
    }
}

impl std::fmt::Debug for SynCookies {
    /// Keeps the secrets out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SynCookies")
    }
}

/// What a cookie's SYN+ACK may answer: without timestamps nothing but the MSS is remembered, and what
/// is not remembered must not be agreed to.
pub fn remembered(syn: &Options) -> Options {
    match syn.timestamps {
        Some(_) => Options { fast_open: None, ..*syn },
        None => Options { mss: syn.mss, ..Options::default() },
    }
}

/// The TSval, without its offset, that remembers what was agreed on: the greatest up to `clock` that
/// ends in the right bits.
pub fn stamp(clock: u32, agreed: &Agreed) -> u32 {
    let mut bits = agreed.window_scale.map_or(SCALE_MASK, |scale| u32::from(scale.min(14)));
    if agreed.sack_permitted {
        bits |= SACK_BIT;
    }
    if agreed.ecn {
        bits |= ECN_BIT;
    }
    let value = clock & !TIMESTAMP_MASK | bits;
    if value > clock { value.wrapping_sub(1 << TIMESTAMP_BITS) } else { value }
}

/// What the TSecr of an ACK, less the offset, brings back.
pub fn agreed(echo: u32) -> Agreed {
    let scale = echo & SCALE_MASK;
    Agreed {
        window_scale: (scale != SCALE_MASK).then_some(scale as u8),
        sack_permitted: echo & SACK_BIT != 0,
        ecn: echo & ECN_BIT != 0,
    }
}

fn table(local: SocketAddr) -> &'static [u16] {
    if local.is_ipv4() { MSS_V4 } else { MSS_V6 }
}

fn minute_of(now: Instant) -> u32 {
    (now.as_micros() / 60_000_000) as u32
}

fn hash(key: (u64, u64), local: SocketAddr, remote: SocketAddr, count: u32) -> u32 {
    let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
    write_endpoint(&mut hasher, local);
    write_endpoint(&mut hasher, remote);
    hasher.write_u32(count);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests;
