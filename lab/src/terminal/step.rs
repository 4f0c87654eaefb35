//! Where the cursor goes: pure functions of (run, cursor).

use tcpstack::event::Kind;

use crate::run::lookup::Lookup;
use crate::run::{Position, Run};

/// Longer than this, nothing happens: a jump goes over it. In nanoseconds of the run.
const IDLE_NS: u64 = 150_000_000;

/// The next sending or arrival behind `cursor`, else the last event.
pub(super) fn next_segment(run: &Run, cursor: Position) -> Position {
    let last = run.events.len().saturating_sub(1);
    (cursor + 1..run.events.len()).find(|at| is_segment(run, *at)).unwrap_or(last)
}

/// The sending or arrival before `cursor`, else the first event.
pub(super) fn previous_segment(run: &Run, cursor: Position) -> Position {
    (0..cursor.min(run.events.len())).rev().find(|at| is_segment(run, *at)).unwrap_or(0)
}

fn is_segment(run: &Run, at: Position) -> bool {
    matches!(
        run.events[at].kind,
        Kind::SegmentSent(_) | Kind::SegmentReceived(_) | Kind::PacketDropped { .. }
    )
}

/// The first event behind the next idle time, else the last event.
pub(super) fn behind_idle(run: &Run, cursor: Position) -> Position {
    let pairs = run.events.windows(2).enumerate().skip(cursor);
    let mut idle =
        pairs.filter(|(_, pair)| pair[1].time_ns.saturating_sub(pair[0].time_ns) >= IDLE_NS);
    idle.next().map_or(run.events.len().saturating_sub(1), |(at, _)| at + 1)
}

/// The flight that the cursor is at: the one of its event, else the last before it.
pub(super) fn selected_flight(run: &Run, lookup: &Lookup, cursor: Position) -> Option<usize> {
    (0..=cursor.min(run.events.len().checked_sub(1)?)).rev().find_map(|at| lookup.flight(at))
}
