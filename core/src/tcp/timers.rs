//! The timers of one connection: one deadline per kind.
//!
//! Owns when each fires and nothing else: what a timer means and when it is set is decided where
//! its rule is. The next deadline is exact, so whoever sleeps until then is never late or early.

use crate::event::TimerName;
use crate::time::Instant;

/// Every kind, in the order in which timers due at the same moment fire.
const ALL: [TimerName; 11] = [
    TimerName::Reordering,
    TimerName::TailLossProbe,
    TimerName::Retransmission,
    TimerName::Persist,
    TimerName::DelayedAck,
    TimerName::SwsOverride,
    TimerName::Pacing,
    TimerName::Keepalive,
    TimerName::UserTimeout,
    TimerName::TimeWait,
    TimerName::FinWait2,
];

/// A deadline at the end of time: not armed.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// Where `name` stands in [`ALL`].
const fn slot(name: TimerName) -> usize {
    match name {
        TimerName::Reordering => 0,
        TimerName::TailLossProbe => 1,
        TimerName::Retransmission => 2,
        TimerName::Persist => 3,
        TimerName::DelayedAck => 4,
        TimerName::SwsOverride => 5,
        TimerName::Pacing => 6,
        TimerName::Keepalive => 7,
        TimerName::UserTimeout => 8,
        TimerName::TimeWait => 9,
        TimerName::FinWait2 => 10,
    }
}

/// The deadlines of one connection.
#[derive(Clone, Debug)]
pub struct Timers {
    deadlines: [Instant; ALL.len()],
}

impl Default for Timers {
    fn default() -> Timers {
        Timers::new()
    }
}

impl Timers {
    /// None armed.
    pub const fn new() -> Timers {
        Timers { deadlines: [NEVER; ALL.len()] }
    }

    /// Sets `name` to fire at `deadline`, in place of any earlier deadline of it. The last point of
    /// the time axis means never.
    pub fn arm(&mut self, name: TimerName, deadline: Instant) {
        self.deadlines[slot(name)] = deadline;
    }

    /// Stops `name`; whether it was armed.
    pub fn stop(&mut self, name: TimerName) -> bool {
        std::mem::replace(&mut self.deadlines[slot(name)], NEVER) != NEVER
    }

    /// When `name` fires, if it is armed.
    pub fn deadline(&self, name: TimerName) -> Option<Instant> {
        Some(self.deadlines[slot(name)]).filter(|deadline| *deadline != NEVER)
    }

    /// The timer that fires first, and when.
    pub fn next(&self) -> Option<(TimerName, Instant)> {
        // Asked after every segment: plain numbers are compared faster than pairs.
        let earliest = self.deadlines.iter().copied().fold(NEVER, Instant::min);
        let slot = self.deadlines.iter().position(|deadline| *deadline == earliest)?;
        (earliest != NEVER).then_some((ALL[slot], earliest))
    }

    /// Stops the earliest timer that is due at `now` and returns it; call it until `None`.
    pub fn expire(&mut self, now: Instant) -> Option<TimerName> {
        let (name, _) = self.next().filter(|(_, deadline)| *deadline <= now)?;
        self.stop(name);
        Some(name)
    }

    /// The armed timers with their deadlines.
    pub fn iter(&self) -> impl Iterator<Item = (TimerName, Instant)> {
        ALL.into_iter().filter_map(|name| Some((name, self.deadline(name)?)))
    }
}

#[cfg(test)]
mod tests;
