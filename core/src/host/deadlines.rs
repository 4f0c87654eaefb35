//! The timer queue: the next deadline of every connection that has one, in order.
//!
//! It guarantees that what is queued comes out in order (equal deadlines in the order of the
//! sockets' ids, so that a run repeats to the byte). A deadline that has moved back may still stand
//! here as it was: the host makes the front exact before it relies on it.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::SocketId;
use crate::time::Instant;

/// Who has to be called when.
#[derive(Default)]
pub(super) struct Deadlines {
    queue: BTreeSet<(Instant, SocketId)>,
}

impl Deadlines {
    /// The deadline of `id` was `before` and is `after`.
    pub(super) fn change(&mut self, id: SocketId, before: Option<Instant>, after: Option<Instant>) {
        if before == after {
            return;
        }
        if let Some(deadline) = before {
            self.queue.remove(&(deadline, id));
        }
        if let Some(deadline) = after {
            self.queue.insert((deadline, id));
        }
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.first().map(|(deadline, _)| deadline)
    }

    /// The earliest deadline and whose it is.
    pub(super) fn first(&self) -> Option<(Instant, SocketId)> {
        self.queue.first().copied()
    }

    /// The sockets whose deadline is not after `now`, in order; they stay until it is changed.
    pub(super) fn due(&self, now: Instant) -> SmallVec<[SocketId; 8]> {
        self.queue.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, id)| *id).collect()
    }

    pub(super) fn contains(&self, deadline: Instant, id: SocketId) -> bool {
        self.queue.contains(&(deadline, id))
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests;
