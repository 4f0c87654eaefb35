//! One axis of time for several hosts' clocks.
//!
//! Processes on one machine share a monotonic clock, whose origin each of them converts to wall
//! time with a small error: origins that near are taken for the same. The clocks of different
//! machines are compared by wall time.

use tcpstack::event::json::Header;
use tcpstack::event::{Event, Kind};

/// Origins nearer than this are those of one clock.
const SAME_CLOCK_NS: i128 = 50_000_000;

/// What to add to each source's times to reach the axis of the run, whose zero is its first event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    shifts: Vec<i128>,
}

impl Axis {
    /// The axis of files that begin so: each one's header and the time of its first event.
    pub fn new(beginnings: &[(&Header, Option<u64>)]) -> Axis {
        let origin = |header: &Header| i128::from(header.unix_epoch_ns);
        let first = beginnings.first().map_or(0, |(header, _)| origin(header));
        let offset = |header: &Header| {
            let offset = origin(header) - first;
            if offset.abs() <= SAME_CLOCK_NS { 0 } else { offset }
        };
        let starts = beginnings
            .iter()
            .filter_map(|(header, time_ns)| Some(i128::from((*time_ns)?) + offset(header)));
        let zero = starts.min().unwrap_or(0);
        Axis { shifts: beginnings.iter().map(|(header, _)| offset(header) - zero).collect() }
    }

    /// A time of the source with this index, on the axis; nothing is before its zero.
    pub fn place(&self, source: usize, time_ns: u64) -> u64 {
        let shift = self.shifts.get(source).copied().unwrap_or(0);
        let moved = i128::from(time_ns) + shift;
        u64::try_from(moved.max(0)).unwrap_or(u64::MAX)
    }

    /// Moves every time that an event of the source tells.
    pub fn move_event(&self, source: usize, event: &mut Event) {
        event.time_ns = self.place(source, event.time_ns);
        if let Kind::TimerArmed { deadline_ns, .. } = &mut event.kind {
            *deadline_ns = self.place(source, *deadline_ns);
        }
        for (_, deadline_ns) in event.after.iter_mut().flat_map(|after| &mut after.timers) {
            *deadline_ns = self.place(source, *deadline_ns);
        }
    }
}
