//! Where everything stands on the picture of a run: lifelines, segments, calls, states, time.
//!
//! Pure geometry: coordinates and texts in, shapes out, in pixels from the upper left corner. Time runs downwards
//! and true to scale, but for two things, both visible: what happens at one instant gets a row each, and
//! idle time is folded, with a mark that says how long it was. It writes no file and knows no colour.

mod axis;
mod place;
mod room;
mod shapes;

pub(crate) use shapes::{
    Arrow, ArrowEnd, Bar, Bracket, Fold, Lane, Note, NoteKind, Picture, Side, Tick,
};

use tcpstack::event::Language;

use crate::run::Run;

/// Height of a row.
const ROW: f64 = 26.0;
/// Columns beside the lifelines: the clock, and the most for calls, for states and timers.
const TIME_WIDTH: f64 = 78.0;
const CALL_WIDTH: f64 = 266.0;
const STATE_WIDTH: f64 = 230.0;
/// Between two lifelines.
const ARROW_WIDTH: f64 = 500.0;
/// What title and legend need.
const LEAST_WIDTH: f64 = 720.0;
/// Above the first row: title and names.
const HEAD: f64 = 104.0;
/// Below the last row: the legend.
const FOOT: f64 = 64.0;
/// A flight of ordinary length falls so far.
const FALL: f64 = 56.0;
/// The most that time without an event may take before it is folded, and what a fold takes.
const MOST_GAP: f64 = 150.0;
const FOLDED_GAP: f64 = 74.0;
/// Rows that a picture has at most: about a hundred screens.
const MOST_ROWS: usize = 4_000;

/// The picture of `run`. A run of more rows than anybody looks through ends early, and says so:
/// [`Picture::left_out`].
pub(crate) fn picture(run: &Run, language: Language) -> Picture {
    place::place(run, language)
}

/// Columns that `text` takes in a typeface of one width; CJK characters take two.
fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// `text` in at most `most` columns, with an ellipsis where it was cut.
fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        let width = unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if columns(&cut) + width + 1 > most {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests;
