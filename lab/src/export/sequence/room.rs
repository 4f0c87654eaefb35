//! How wide the columns beside a lifeline are: as wide as their words, and none where there are none.

use super::shapes::{NoteKind, Picture};
use super::{CALL_WIDTH, STATE_WIDTH, columns};

/// Pixels of a column of text: what the typefaces take at the size they are written in.
pub(super) const CALL_COLUMN: f64 = 6.8;
pub(super) const STATE_COLUMN: f64 = 6.6;
/// Words keep this far from lifelines and brackets.
pub(super) const MARGIN: f64 = 10.0;
/// The least for states: their names.
const LEAST_STATES: f64 = 112.0;

/// The columns beside a lifeline, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    /// States and timers.
    pub(super) states: f64,
    /// Calls.
    pub(super) calls: f64,
}

impl Room {
    /// The most there is.
    pub(super) const MOST: Room = Room { states: STATE_WIDTH, calls: CALL_WIDTH };

    /// Both.
    pub(super) fn width(self) -> f64 {
        self.states + self.calls
    }
}

/// What each lifeline of `picture` needs, which was drawn with the most room.
pub(super) fn needed(picture: &Picture) -> Vec<Room> {
    let mut rooms = vec![Room { states: LEAST_STATES, calls: 0.0 }; picture.lanes.len()];
    for note in &picture.notes {
        let Some(room) = rooms.get_mut(note.lane) else { continue };
        let (width, column, most) = match note.kind {
            NoteKind::Call | NoteKind::Failure => (&mut room.calls, CALL_COLUMN, CALL_WIDTH),
            _ => (&mut room.states, STATE_COLUMN, STATE_WIDTH),
        };
        let needed = columns(&note.text) as f64 * column + 2.0 * MARGIN;
        *width = width.max(needed.min(most));
    }
    rooms
}
