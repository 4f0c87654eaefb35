//! The Timestamps option: RFC 7323 §3 to §5.
//!
//! Owns the connection's timestamp clock (one tick a millisecond, from an offset that an outsider
//! can't guess), TS.Recent, and the verdict on what a peer's timestamp says: an old duplicate, or
//! not (PAWS). It believes an echo only as far as it names a moment that has been.
//!
//! Where Linux and the RFC differ: a segment without the option, once both SYNs had it, is dropped
//! (§3.2), and one tick back is back already (§5.2; Linux lets one tick pass).

use std::time::Duration;

use crate::knobs::{Knobs, TimestampMode};
use crate::time::Instant;

/// The option with the NOPs before it, in bytes: what every segment's text is shorter by.
pub const TIMESTAMPS_LEN: u32 = 12;

/// RFC 7323 §5.5: an older TS.Recent may lie half a turn of the peer's clock back, and says nothing.
const OUTDATED: Duration = Duration::from_secs(24 * 24 * 3600);

/// Timestamps of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Timestamps {
    /// Whether our SYN offers them; when the peer's SYN is known, whether both have (Snd.TS.OK).
    is_on: bool,
    offset: u32,
    /// TS.Recent: the peer's timestamp that is echoed, and when it was taken.
    recent: Option<(u32, Instant)>,
    /// What our first SYN said: no true echo is older.
    first: Option<u32>,
}

/// What a peer's timestamp says of its segment (RFC 7323 §5.3, R1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It may be the newest there is, or nothing can be said.
    Current,
    /// Older than one already here: a duplicate that was long on its way.
    Old,
    /// The option should be there and is not.
    Missing,
}

impl Timestamps {
    /// Timestamps before a SYN was sent or received; `offset`, which an outsider does not know, is where
    /// the clock starts (RFC 7323 §7.1).
    pub fn new(knobs: &Knobs, offset: u32) -> Timestamps {
        let mode = knobs.timestamps();
        let offset = if mode == TimestampMode::RandomOffset { offset } else { 0 };
        Timestamps { is_on: mode != TimestampMode::Off, offset, recent: None, first: None }
    }

    /// Whether every segment bears the option (before the peer's SYN: whether ours does).
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Bytes that the option takes from each segment's text.
    pub fn option_len(&self) -> u32 {
        if self.is_on { TIMESTAMPS_LEN } else { 0 }
    }

    /// The peer's SYN is here: RFC 7323 §3.2, both SYNs have the option or nobody uses it.
    pub fn negotiate(&mut self, now: Instant, option: Option<(u32, u32)>) {
        self.is_on &= option.is_some();
        self.recent = option.filter(|_| self.is_on).map(|(value, _)| (value, now));
    }

    /// What the clock is ahead of the host's.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// Snd.TSclock: what a segment that leaves now bears as TSval.
    pub fn clock(&self, now: Instant) -> u32 {
        (now.as_nanos() / 1_000_000).wrapping_add(u64::from(self.offset)) as u32
    }

    /// The option for a segment that leaves now. Without ACK the echo means nothing and is 0
    /// (RFC 7323 §3.2).
    pub fn option(&mut self, now: Instant, has_ack: bool) -> Option<(u32, u32)> {
        if !self.is_on {
            return None;
        }
        let value = self.clock(now);
        self.first.get_or_insert(value);
        Some((value, if has_ack { self.recent() } else { 0 }))
    }

    /// Whether there is a TS.Recent, taken longer than `age` ago.
    pub fn is_recent_older_than(&self, now: Instant, age: Duration) -> bool {
        self.recent.is_some_and(|(_, taken)| now.saturating_since(taken) > age)
    }

    /// TS.Recent; 0 before there is one.
    pub fn recent(&self) -> u32 {
        self.recent.map_or(0, |(value, _)| value)
    }

    /// Judges a segment that is no RST (RFC 7323 §5.3, R1).
    pub fn judge(&self, now: Instant, option: Option<(u32, u32)>) -> Age {
        if !self.is_on {
            return Age::Current;
        }
        let Some((value, _)) = option else { return Age::Missing };
        match self.recent {
            // A zero on the SYN is what some stacks say before their clock is known, as on Linux.
            Some((recent, taken)) if recent != 0 && is_before(value, recent) => {
                let is_outdated = now.saturating_since(taken) > OUTDATED;
                if is_outdated { Age::Current } else { Age::Old }
            }
            _ => Age::Current,
        }
    }

    /// RFC 7323 §4.3 (2): an acceptable segment that begins no later than Last.ACK.sent, as
    /// `covers_last_ack` says, gives TS.Recent. A later one, behind a hole, must not: the echo would
    /// hide how long the hole has been there.
    pub fn update(&mut self, now: Instant, option: Option<(u32, u32)>, covers_last_ack: bool) {
        let Some((value, _)) = option.filter(|_| self.is_on && covers_last_ack) else { return };
        if self.judge(now, option) == Age::Current {
            self.recent = Some((value, now));
        }
    }

    /// The round trip that the echo `TSecr` stands for, at least a tick (RFC 7323 §4.1); None where
    /// it can't be one: no option, no echo, or a moment that lies ahead or before our first segment.
    pub fn round_trip(&self, now: Instant, option: Option<(u32, u32)>) -> Option<Duration> {
        let (_, echo) = option.filter(|(_, echo)| self.is_on && *echo != 0)?;
        self.is_own(now, echo).then(|| {
            let ticks = self.clock(now).wrapping_sub(echo).max(1);
            Duration::from_millis(u64::from(ticks))
        })
    }

    /// Whether a SYN+ACK echoes no other connection's timestamp; no echo at all is let pass, as on
    /// Linux.
    pub fn is_echo_plausible(&self, now: Instant, option: Option<(u32, u32)>) -> bool {
        match option {
            Some((_, echo)) if self.is_on && echo != 0 => self.is_own(now, echo),
            _ => true,
        }
    }

    /// Whether `echo` is a value that our clock has shown since our first segment.
    fn is_own(&self, now: Instant, echo: u32) -> bool {
        let Some(first) = self.first else { return false };
        !is_before(self.clock(now), echo) && !is_before(echo, first)
    }
}

/// RFC 7323 §5.2: s < t if 0 < (t - s) < 2^31.
pub fn is_before(s: u32, t: u32) -> bool {
    t.wrapping_sub(s) as i32 > 0
}

#[cfg(test)]
mod tests;
