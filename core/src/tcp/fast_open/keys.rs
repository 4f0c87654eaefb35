//! The cookies of a Fast Open server (RFC 7413 §4.1.2): who bears one has once received packets at its
//! address, and nothing more is proved.
//!
//! Owns the keys, which stay out of logs. A key can be changed while clients still have cookies of
//! the last one: two are good at a time.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;
use smallvec::SmallVec;

use crate::wire::tcp_options::FastOpenCookie;

/// Bytes of a key.
pub const KEY_LEN: usize = 16;

/// Makes and checks the cookies of one server: the first key makes them, and either is good, so that
/// a key can be changed while clients still have cookies of the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CookieKeys {
    first: [u8; KEY_LEN],
    second: Option<[u8; KEY_LEN]>,
}

/// Which key a good cookie was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeWith {
    /// The one in use.
    First,
    /// The one that cookies are no longer made with.
    Second,
}

impl CookieKeys {
    /// Cookies under `key`: 128 bits that nobody else knows.
    pub const fn new(key: [u8; KEY_LEN]) -> CookieKeys {
        CookieKeys { first: key, second: None }
    }

    /// One key or two, as TCP_FASTOPEN_KEY has them; None for any other number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<CookieKeys> {
        let (first, rest) = bytes.split_first_chunk()?;
        let second = if rest.is_empty() { None } else { Some(rest.try_into().ok()?) };
        Some(CookieKeys { first: *first, second })
    }

    /// The keys, one behind the other.
    pub fn to_bytes(self) -> SmallVec<[u8; 2 * KEY_LEN]> {
        self.first.into_iter().chain(self.second.into_iter().flatten()).collect()
    }

    /// The cookie for a client's address at a server's: 8 bytes, the same until the key changes
    /// (RFC 7413 §4.1.2). Linux makes the same one of the same key, so that servers of both kinds can
    /// stand behind one address (§4.1.2 would have that, too).
    pub fn cookie(&self, server: IpAddr, client: IpAddr) -> FastOpenCookie {
        make(&self.first, server, client)
    }

    /// Which key `cookie` was made with, if it is good.
    pub fn check(
        &self,
        server: IpAddr,
        client: IpAddr,
        cookie: FastOpenCookie,
    ) -> Option<MadeWith> {
        let is_of = |key: &[u8; KEY_LEN]| make(key, server, client).as_slice() == cookie.as_slice();
        if is_of(&self.first) {
            return Some(MadeWith::First);
        }
        self.second.filter(is_of).map(|_| MadeWith::Second)
    }
}

fn make(key: &[u8; KEY_LEN], server: IpAddr, client: IpAddr) -> FastOpenCookie {
    let mut hasher = SipHasher24::new_with_key(key);
    for address in [client, server] {
        match address {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
    }
    FastOpenCookie::new(&hasher.finish().to_le_bytes()).unwrap_or(FastOpenCookie::REQUEST)
}

impl std::fmt::Debug for CookieKeys {
    /// Keeps the secret out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieKeys")
    }
}

#[cfg(test)]
mod tests;
