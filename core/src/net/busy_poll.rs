//! Whether a thread that waits for packets looks for them a while before it sleeps.
//!
//! To be woken takes a processor that idles longer than most packets do, above all in a virtual machine
//! (some 50 µs), and who sends the packet pays for the call that wakes. So a thread that has nothing else to
//! do may look at the device again and again, for `busy_read` microseconds at most: the next packet of a
//! bulk, or the answer to what was just sent, is there by then. That takes a processor of others, and so
//! it is done where it pays: each look in vain doubles the number of waits that sleep at once, and each that
//! finds something halves it. Where all threads share one processor, looking keeps the sender from sending:
//! there it is never done.

use std::thread;

/// The most waits between two looks: where all are in vain, 60 µs of them cost a wait one on average.
const DOUBTS_MAX: u32 = 63;

/// What was learned from the looks so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BusyPoll {
    has_processors: bool,
    /// Waits to come that sleep at once.
    doubts: u32,
    /// How many that will be after another look in vain, halved and less one.
    failures: u32,
}

impl BusyPoll {
    /// Looks if the process has more than one processor.
    pub(super) fn new() -> BusyPoll {
        BusyPoll::on(thread::available_parallelism().map_or(1, usize::from))
    }

    /// For a process that has so many.
    pub(super) fn on(processors: usize) -> BusyPoll {
        BusyPoll { has_processors: processors > 1, doubts: 0, failures: 0 }
    }

    /// Whether the wait that begins now is one that looks.
    pub(super) fn begin(&mut self) -> bool {
        let is_sure = self.doubts == 0;
        self.doubts = self.doubts.saturating_sub(1);
        self.has_processors && is_sure
    }

    /// What came of a look.
    pub(super) fn learn(&mut self, was_found: bool) {
        if was_found {
            self.failures /= 2;
        } else {
            self.failures = (self.failures * 2 + 1).min(DOUBTS_MAX);
            self.doubts = self.failures;
        }
    }
}

#[cfg(test)]
mod tests;
