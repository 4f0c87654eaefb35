//! Points in time, as everything below `net` sees them: a number that comes in from outside.
//!
//! Under the real clock it is CLOCK_MONOTONIC in nanoseconds, so that the event files of several
//! processes on one machine share one axis; in the simulator it starts at zero.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point in time, in nanoseconds since an origin that the owner of the clock chose.
///
/// Kept as one more than that: so `Option<Instant>`, of which a connection has many, needs no room of
/// its own. The last point that can be said is `u64::MAX - 1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(NonZeroU64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Instant = Instant(NonZeroU64::MIN);

    /// The point `ns` nanoseconds after the origin, saturating.
    pub const fn from_nanos(ns: u64) -> Instant {
        Instant(NonZeroU64::MIN.saturating_add(ns))
    }

    /// The point `us` microseconds after the origin, saturating.
    pub const fn from_micros(us: u64) -> Instant {
        Instant::from_nanos(us.saturating_mul(1_000))
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0.get() - 1
    }

    /// Microseconds since the origin, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.as_nanos() / 1_000
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    pub const fn saturating_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Default for Instant {
    /// The origin of the clock.
    fn default() -> Instant {
        Instant::ZERO
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instant").field(&self.as_nanos()).finish()
    }
}

/// Nanoseconds of `duration`, capped at the end of the axis (584 years).
fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(nanos(duration)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant::from_nanos(self.as_nanos().saturating_sub(nanos(duration)))
    }
}
