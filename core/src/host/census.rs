//! How many connections nobody holds any more, and how many only wait out 2 MSL: the two kinds that
//! a peer could heap up after the application has let go, each bounded by its knob.

use super::socket::Owner;
use crate::tcp::State;

/// What a connection counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// Held by the application or a listener, or over.
    #[default]
    Uncounted,
    /// Closed by the application, not yet by the protocol.
    Orphan,
    /// In TIME-WAIT, whoever holds it.
    TimeWait,
}

impl Class {
    pub(super) fn of(owner: Owner, state: State) -> Class {
        match (owner, state) {
            (_, State::TimeWait) => Class::TimeWait,
            (_, State::Closed) => Class::Uncounted,
            (Owner::Nobody, _) => Class::Orphan,
            _ => Class::Uncounted,
        }
    }
}

/// The two counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    orphans: usize,
    time_wait: usize,
}

impl Census {
    /// A connection counts as `to` from now on, no longer as `from`.
    pub(super) fn change(&mut self, from: Class, to: Class) {
        if let Some(count) = self.count_mut(from) {
            *count -= 1;
        }
        if let Some(count) = self.count_mut(to) {
            *count += 1;
        }
    }

    pub(super) fn count(&self, class: Class) -> usize {
        match class {
            Class::Uncounted => 0,
            Class::Orphan => self.orphans,
            Class::TimeWait => self.time_wait,
        }
    }

    fn count_mut(&mut self, class: Class) -> Option<&mut usize> {
        match class {
            Class::Uncounted => None,
            Class::Orphan => Some(&mut self.orphans),
            Class::TimeWait => Some(&mut self.time_wait),
        }
    }
}
