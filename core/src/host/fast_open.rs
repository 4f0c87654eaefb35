//! What the host remembers of servers' Fast Open cookies, by address (RFC 7413 §4.1.3), and when it
//! had better not use them: where SYNs with them were lost, plain ones are sent for a while.
//!
//! To one server it stops after two losses in a row, as RFC 7413 §4.1.3.1 asks. A middlebox close by that
//! swallows such SYNs, or what follows them, shows at every server: then, if
//! `tcp_fastopen_blackhole_timeout_sec` says so, it stops everywhere, as on Linux.
//!
//! Bounded: a full memory forgets the oldest entry.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::counters::Counter;
use super::demux::KeyedHash;
use super::socket::Kind;
use super::{Error, Host, SocketId};
use crate::knobs::{FAST_OPEN_CLIENT, FAST_OPEN_CLIENT_NO_COOKIE};
use crate::tcp::fast_open::{Lesson, Verdict};
use crate::tcp::{Connection, Context};
use crate::time::Instant;
use crate::wire::tcp_options::FastOpenCookie;

/// Servers remembered at most.
const CAPACITY: usize = 1024;

/// How long plain SYNs are sent after two losses in a row; twice as long with each further one.
const CAUTION: Duration = Duration::from_secs(60);

/// Losses after which waiting longer makes no difference.
const LOSSES_MAX: u32 = 10;

/// One server.
#[derive(Clone, Copy, Debug)]
struct Entry {
    cookie: Option<FastOpenCookie>,
    mss: u16,
    losses: u32,
    changed: Instant,
}

/// What to put on a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: SYNs with Fast Open are lost on the way there.
    Caution,
    /// No cookie yet.
    Nothing,
    /// The cookie and the server's MSS.
    Cookie(FastOpenCookie, u16),
}

/// Each pause lasts twice as long as the one before, but so many times at most, as on Linux.
const DOUBLINGS: u32 = 6;

/// The memory.
pub(super) struct FastOpenCache {
    entries: HashMap<IpAddr, Entry, KeyedHash>,
    /// When plain SYNs were last decided on for all servers, and how often in a row.
    paused: Option<(Instant, u32)>,
}

impl FastOpenCache {
    pub(super) fn new(hash: KeyedHash) -> FastOpenCache {
        FastOpenCache { entries: HashMap::with_hasher(hash), paused: None }
    }

    /// What is known of `server`.
    pub(super) fn get(&self, now: Instant, server: IpAddr) -> Known {
        let Some(entry) = self.entries.get(&server) else { return Known::Nothing };
        let caution = CAUTION * (1 << entry.losses.min(LOSSES_MAX));
        if entry.losses > 1 && now.saturating_since(entry.changed) < caution {
            return Known::Caution;
        }
        entry.cookie.map_or(Known::Nothing, |cookie| Known::Cookie(cookie, entry.mss))
    }

    /// Whether no server is to see Fast Open for now, the first pause lasting `first`.
    fn is_paused(&self, now: Instant, first: Duration) -> bool {
        let Some((since, count)) = self.paused else { return false };
        let pause = first * (1 << (count - 1).min(DOUBLINGS));
        now.saturating_since(since) < pause
    }

    /// A handshake with `server` taught something.
    pub(super) fn learn(&mut self, now: Instant, server: IpAddr, lesson: Lesson) {
        if self.entries.len() >= CAPACITY && !self.entries.contains_key(&server) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.changed);
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.entries.remove(&address);
            }
        }
        let fresh = Entry { cookie: None, mss: 0, losses: 0, changed: now };
        let entry = self.entries.entry(server).or_insert(fresh);
        entry.changed = now;
        match lesson {
            Lesson::Cookie(cookie, mss) => {
                (entry.cookie, entry.mss, entry.losses) = (Some(cookie), mss, 0);
            }
            Lesson::Lost => entry.losses += 1,
        }
    }
}

impl Host {
    /// What to put on a SYN to `server`.
    pub(super) fn fast_open_known(&self, now: Instant, server: IpAddr) -> Known {
        match self.fast_open_cache.is_paused(now, self.knobs.fast_open_pause()) {
            true => Known::Caution,
            false => self.fast_open_cache.get(now, server),
        }
    }

    /// Whether Fast Open was paused and has not yet proved to work again.
    pub(super) fn doubts_fast_open(&self) -> bool {
        self.fast_open_cache.paused.is_some()
    }

    /// A client's connection shows what middleboxes make of Fast Open: it is paused for all servers, or
    /// its pauses are forgotten, unless the server is this host itself.
    pub(super) fn take_fast_open_verdict(
        &mut self,
        now: Instant,
        verdict: Verdict,
        is_inside: bool,
    ) {
        let paused = &mut self.fast_open_cache.paused;
        match verdict {
            Verdict::BlackHole if !self.knobs.fast_open_pause().is_zero() => {
                let count = paused.map_or(0, |(_, count)| count);
                *paused = Some((now, count.saturating_add(1)));
                self.counters.add(Counter::FastOpenPaused);
            }
            Verdict::BlackHole => {}
            Verdict::Passes if is_inside => {}
            Verdict::Passes => *paused = None,
        }
    }

    /// Begins to connect with `data` on the SYN (RFC 7413 §4.1; `sendto` with MSG_FASTOPEN). Says how
    /// much of it the SYN carries; the rest, or all of it where it carries none, is to be sent when the
    /// connection is open.
    ///
    /// # Errors
    /// `NotSupported` when `tcp_fastopen` has no client; `InProgress` when the SYN is queued without
    /// data, to ask for a cookie or out of caution; else those of [`Host::connect`].
    pub fn connect_with(
        &mut self,
        now: Instant,
        id: SocketId,
        remote: SocketAddr,
        data: &[u8],
    ) -> Result<usize, Error> {
        if !self.knobs.fast_open(FAST_OPEN_CLIENT) {
            return Err(Error::NotSupported);
        }
        match self.owned(id)?.kind {
            Kind::Idle => self.open(now, id, remote, Some(data)),
            _ => self.connect(now, id, remote).map(|()| 0),
        }
    }

    /// connect() with TCP_FASTOPEN_CONNECT: where a cookie is known it waits for the first data, which
    /// the SYN then carries; else the SYN asks for one.
    pub(super) fn connect_with_first_text(
        &mut self,
        now: Instant,
        id: SocketId,
        remote: SocketAddr,
    ) -> Result<(), Error> {
        let known = self.fast_open_known(now, remote.ip());
        let is_on = self.knobs.fast_open(FAST_OPEN_CLIENT);
        match known {
            Known::Cookie(..) if is_on => {
                self.waiting_for_text.insert(id, remote);
                Ok(())
            }
            _ => self.open(now, id, remote, is_on.then_some(&[])).map(drop),
        }
    }
}

/// Has the SYN of `connection` bear what is known, and as much of `data` as may go with it.
pub(super) fn open_fast(
    connection: &mut Connection,
    cx: &mut Context<'_>,
    known: Known,
    data: &[u8],
) -> usize {
    match known {
        Known::Caution => 0,
        Known::Cookie(cookie, mss) => connection.open_fast(cx, Some(cookie), Some(mss), data),
        Known::Nothing if cx.knobs.fast_open(FAST_OPEN_CLIENT_NO_COOKIE) => {
            connection.open_fast(cx, None, None, data)
        }
        Known::Nothing => connection.open_fast(cx, Some(FastOpenCookie::REQUEST), None, data),
    }
}

#[cfg(test)]
mod tests;
