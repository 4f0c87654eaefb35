//! Time downwards: in which row of which instant something stands, and how far the instants are apart.

use std::collections::BTreeMap;

use super::{FALL, FOLDED_GAP, MOST_GAP, ROW};
use crate::run::Run;

/// Where on its side of a lifeline something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Arrows,
    States,
    Calls,
}

/// The axis, growing with the events.
pub(super) struct Axis {
    px_per_ns: f64,
    /// The instant and the y of its first row.
    now: Option<(u64, f64)>,
    /// The lowest row used at this instant.
    lowest: usize,
    /// Per lifeline: the row of the last thing, and the first row still free in each column.
    lanes: Vec<(usize, BTreeMap<Column, usize>)>,
    top: f64,
}

/// What lies between two instants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Still the same instant.
    Same,
    /// A new one, at this y.
    Next(f64),
    /// A new one at `y`, after idle time folded at `fold`.
    Folded { y: f64, fold: f64, idle_ns: u64 },
}

impl Axis {
    pub(super) fn new(run: &Run, top: f64) -> Axis {
        Axis {
            px_per_ns: FALL / typical_flight_ns(run),
            now: None,
            lowest: 0,
            lanes: vec![Default::default(); run.hosts.len()],
            top,
        }
    }

    /// Goes on to `time_ns`. Time that runs backwards, as two clocks can make it, stands still.
    pub(super) fn advance(&mut self, time_ns: u64) -> Step {
        let Some((now_ns, base)) = self.now else {
            self.now = Some((time_ns, self.top));
            return Step::Next(self.top);
        };
        if time_ns <= now_ns {
            return Step::Same;
        }
        let last = base + self.lowest as f64 * ROW;
        let idle_ns = time_ns - now_ns;
        let gap = idle_ns as f64 * self.px_per_ns;
        let step = if gap > MOST_GAP {
            Step::Folded { y: last + FOLDED_GAP, fold: last + FOLDED_GAP - ROW, idle_ns }
        } else {
            Step::Next(last + gap.max(ROW))
        };
        let (Step::Next(y) | Step::Folded { y, .. }) = step else { return step };
        self.now = Some((time_ns, y));
        self.lowest = 0;
        self.lanes.iter_mut().for_each(|lane| *lane = Default::default());
        step
    }

    /// The y of the next thing in `columns` beside a lifeline: on the row of the last thing there if that
    /// has room, else below.
    pub(super) fn take(&mut self, lane: usize, columns: &[Column]) -> f64 {
        let base = self.now.map_or(self.top, |(_, y)| y);
        let Some((last, free)) = self.lanes.get_mut(lane) else { return base };
        let first_free = columns.iter().filter_map(|column| free.get(column)).max();
        let row = first_free.copied().unwrap_or(0).max(*last);
        columns.iter().for_each(|column| {
            free.insert(*column, row + 1);
        });
        *last = row;
        self.lowest = self.lowest.max(row);
        base + row as f64 * ROW
    }

    /// The y of the lowest row so far.
    pub(super) fn bottom(&self) -> f64 {
        self.now.map_or(self.top, |(_, y)| y) + self.lowest as f64 * ROW
    }
}

/// How long a segment is under way mostly; a millisecond where no flight was seen at both ends.
fn typical_flight_ns(run: &Run) -> f64 {
    let took = |flight: &crate::run::Flight| flight.received_ns?.checked_sub(flight.sent_ns?);
    let mut times: Vec<u64> = run.flights.iter().filter_map(took).filter(|ns| *ns > 0).collect();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(1e6, |ns| *ns as f64)
}
