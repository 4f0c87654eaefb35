//! Whether sending faster still delivers more (draft §5.3.1.2): three rounds in a row, not held
//! down by the application, in which the rate grew by less than a quarter say that it doesn't.

/// Rounds without growth until the pipe counts as full.
const ROUNDS: u8 = 3;

/// The estimator, used by Startup and by ProbeBW_UP.
#[derive(Clone, Debug, Default)]
pub(super) struct FullPipe {
    /// The rate to compare with, in bytes per second.
    baseline: u64,
    rounds: u8,
    /// It is full in this search.
    pub(super) is_full_now: bool,
    /// It was full once: Startup is over.
    pub(super) is_reached: bool,
}

impl FullPipe {
    /// A new search begins.
    pub(super) fn reset(&mut self) {
        self.restart_from(0);
    }

    /// A new search begins, with a rate to compare with.
    pub(super) fn restart_from(&mut self, rate: u64) {
        self.baseline = rate;
        self.rounds = 0;
        self.is_full_now = false;
    }

    /// A round is over that delivered at `rate`.
    pub(super) fn judge(&mut self, rate: u64) {
        if self.is_full_now {
            return;
        }
        // 25 % more
        if rate >= self.baseline.saturating_add(self.baseline / 4) {
            return self.restart_from(rate);
        }
        self.rounds += 1;
        self.is_full_now = self.rounds >= ROUNDS;
        self.is_reached |= self.is_full_now;
    }
}
