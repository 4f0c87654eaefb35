//! The event queue: who has something to do next, and when.
//!
//! Each source has one entry at most, and entries of the same moment come in the order of their
//! sources: packets before timers, those of the earlier link or host first. So a run repeats.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Instant;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A packet arrives at the end of one direction of a link.
    Link {
        /// The link's number.
        link: usize,
        /// The direction's number in it.
        direction: usize,
    },
    /// A timer of the host with this number fires.
    Host(usize),
}

/// The next deadline of every source, in order.
#[derive(Default)]
pub(super) struct Agenda {
    queue: BTreeSet<(Instant, Source)>,
    deadlines: BTreeMap<Source, Instant>,
}

impl Agenda {
    /// The deadline of `source` is `deadline` from now on.
    pub(super) fn set(&mut self, source: Source, deadline: Option<Instant>) {
        let before = match deadline {
            Some(deadline) => self.deadlines.insert(source, deadline),
            None => self.deadlines.remove(&source),
        };
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, source));
        }
        if let Some(deadline) = deadline {
            self.queue.insert((deadline, source));
        }
    }

    /// The earliest deadline and its source; it stays until it is set anew.
    pub(super) fn next(&self) -> Option<(Instant, Source)> {
        self.queue.first().copied()
    }
}

#[cfg(test)]
mod tests;
