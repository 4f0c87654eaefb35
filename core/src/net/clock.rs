//! Where `now` comes from: CLOCK_MONOTONIC, or a number that the embedder sets.
//!
//! Nothing below `net` reads a clock; this is the one place that does. The origin is the machine's
//! boot under the real clock, so that the processes of one machine share an axis.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::time::Instant;

/// A stack's clock.
#[derive(Debug)]
pub(super) enum Clock {
    /// CLOCK_MONOTONIC.
    Real,
    /// What the embedder said last, in nanoseconds.
    Manual(AtomicU64),
}

impl Clock {
    /// A manual clock at its origin.
    pub(super) fn manual() -> Clock {
        Clock::Manual(AtomicU64::new(0))
    }

    /// Whether the embedder owns time: nothing sleeps then and no thread runs.
    pub(super) fn is_manual(&self) -> bool {
        matches!(self, Clock::Manual(_))
    }

    /// The time. Never less than before.
    pub(super) fn now(&self) -> Instant {
        match self {
            Clock::Real => monotonic(),
            Clock::Manual(now_ns) => Instant::from_nanos(now_ns.load(SeqCst)),
        }
    }

    /// Moves a manual clock forward; never back.
    pub(super) fn advance(&self, now: Instant) {
        if let Clock::Manual(now_ns) = self {
            now_ns.fetch_max(now.as_nanos(), SeqCst);
        }
    }

    /// Wall time of the clock's origin in nanoseconds since 1970; 0 for a manual one, which has none.
    pub(super) fn unix_epoch_ns(&self) -> u64 {
        match self {
            Clock::Real => wall_ns().saturating_sub(monotonic().as_nanos()),
            Clock::Manual(_) => 0,
        }
    }
}

fn monotonic() -> Instant {
    // It fails for an unknown clock only, and every Linux has this one.
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    Instant::ZERO + time
}

/// Captures and event files say what the wall clock showed.
#[allow(clippy::disallowed_methods)]
fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
