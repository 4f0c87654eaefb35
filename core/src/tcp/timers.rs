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
///
/// Keepalive is all that an idle connection may wait for: the rest is kept elsewhere, from when the first
/// of them is armed until the owner [rests](Timers::rest).
#[derive(Clone, Debug)]
pub struct Timers {
    /// The earliest of all, brought up to date with every change: it is asked for after every segment.
    next: Instant,
    keepalive: Instant,
    others: Option<Box<Others>>,
}

/// All timers but keepalive, whose place stays empty.
#[derive(Clone, Debug)]
struct Others {
    /// A bit for each that is armed: most are not, and are asked about after every segment.
    armed: u16,
    at: [Instant; ALL.len()],
}

impl Others {
    const NONE: Others = Others { armed: 0, at: [NEVER; ALL.len()] };

    fn is_armed(&self, name: TimerName) -> bool {
        self.armed & 1 << slot(name) != 0
    }

    fn set(&mut self, name: TimerName, deadline: Instant) -> Instant {
        let bit = 1 << slot(name);
        self.armed = if deadline == NEVER { self.armed & !bit } else { self.armed | bit };
        std::mem::replace(&mut self.at[slot(name)], deadline)
    }

    fn earliest(&self) -> Instant {
        let (mut left, mut earliest) = (self.armed, NEVER);
        while left != 0 {
            earliest = earliest.min(self.at[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
        earliest
    }
}

impl Default for Timers {
    fn default() -> Timers {
        Timers::new()
    }
}

impl Timers {
    /// None armed.
    pub const fn new() -> Timers {
        Timers { next: NEVER, keepalive: NEVER, others: None }
    }

    /// Sets `name` to fire at `deadline`, in place of any earlier deadline of it. The last point of
    /// the time axis means never.
    pub fn arm(&mut self, name: TimerName, deadline: Instant) {
        let before = match name {
            TimerName::Keepalive => std::mem::replace(&mut self.keepalive, deadline),
            _ => self.others.get_or_insert_with(|| Box::new(Others::NONE)).set(name, deadline),
        };
        if deadline <= self.next {
            self.next = deadline;
        } else if before == self.next {
            self.next = self.earliest();
        }
    }

    /// Stops `name`; whether it was armed.
    #[inline]
    pub fn stop(&mut self, name: TimerName) -> bool {
        let is_armed = self.is_armed(name);
        if is_armed {
            self.arm(name, NEVER);
        }
        is_armed
    }

    /// Whether `name` waits to fire.
    #[inline]
    pub fn is_armed(&self, name: TimerName) -> bool {
        match name {
            TimerName::Keepalive => self.keepalive != NEVER,
            _ => self.others.as_ref().is_some_and(|others| others.is_armed(name)),
        }
    }

    /// When `name` fires, if it is armed.
    pub fn deadline(&self, name: TimerName) -> Option<Instant> {
        let deadline = match (name, &self.others) {
            (TimerName::Keepalive, _) => self.keepalive,
            (_, Some(others)) => others.at[slot(name)],
            (_, None) => NEVER,
        };
        Some(deadline).filter(|deadline| *deadline != NEVER)
    }

    /// When the first of them fires.
    pub fn next_deadline(&self) -> Option<Instant> {
        Some(self.next).filter(|next| *next != NEVER)
    }

    /// The timer that fires first, and when.
    pub fn next(&self) -> Option<(TimerName, Instant)> {
        let next = self.next_deadline()?;
        self.iter().find(|(_, deadline)| *deadline == next)
    }

    /// Stops the earliest timer that is due at `now` and returns it; call it until `None`.
    pub fn expire(&mut self, now: Instant) -> Option<TimerName> {
        self.next_deadline().filter(|next| *next <= now)?;
        let (name, _) = self.next()?;
        self.stop(name);
        Some(name)
    }

    /// The armed timers with their deadlines.
    pub fn iter(&self) -> impl Iterator<Item = (TimerName, Instant)> {
        ALL.into_iter().filter_map(|name| Some((name, self.deadline(name)?)))
    }

    /// The owner has nothing to do: what no timer needs is given up. Says whether none is armed but
    /// keepalive.
    pub fn rest(&mut self) -> bool {
        self.others.take_if(|others| others.armed == 0);
        self.others.is_none()
    }

    fn earliest(&self) -> Instant {
        let others = self.others.as_ref().map_or(NEVER, |others| others.earliest());
        others.min(self.keepalive)
    }
}

#[cfg(test)]
mod tests;
