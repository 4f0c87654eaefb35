//! The sequence diagram: a pure function from a story to rows of styled text.
//!
//! `place` decides in which row everything stands, `draw` paints it. Neither knows of files,
//! terminals or colours.

pub mod canvas;
mod draw;
mod frame;
mod geometry;
mod label;
mod place;
mod wording;

use std::collections::BTreeSet;

use tcpstack::event::Language;

pub use canvas::{FlagKind, Line, Span, Style};
pub use frame::Sign;
pub use geometry::LEAST_WIDTH;

use crate::story::{Story, Summary};
use crate::text::Text;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns of the drawing; raised to [`LEAST_WIDTH`].
    pub width: usize,
    /// The language of every word.
    pub language: Language,
    /// Whether to give the reason and the clause for what happened.
    pub why: bool,
    /// Whether to give of a segment what stands on its arrow alone: flags, relative numbers, length.
    pub brief: bool,
}

/// A finished drawing.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Its rows: the lanes' names, what happened, the summary.
    pub rows: Vec<Line>,
    /// What a legend should explain.
    pub signs: BTreeSet<Sign>,
}

/// Draws `story` with its lanes' names above it and the summary below it.
pub fn diagram(story: &Story, summaries: &[Summary], options: Options) -> Drawing {
    let Sequence { heading, rows, signs } = sequence(story, options);
    let mut all = heading;
    all.extend(rows);
    all.push(Line::new());
    all.extend(frame::summary(story, summaries, Text::new(options.language)));
    Drawing { rows: all, signs }
}

/// What happened, apart from what stands around it.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The lanes' names.
    pub heading: Vec<Line>,
    /// What happened.
    pub rows: Vec<Line>,
    /// What a legend should explain.
    pub signs: BTreeSet<Sign>,
}

/// Draws `story` alone.
pub fn sequence(story: &Story, options: Options) -> Sequence {
    let text = Text::new(options.language);
    let geometry = geometry::Geometry::new(options.width, story.lanes.len(), story.is_captured);
    let wording = label::Wording { text, why: options.why, brief: options.brief };
    let plan = place::place(story, &geometry, wording);
    let heading = frame::heading(story, &geometry, text);
    let rows = draw::draw(story, &geometry, &plan, text);
    Sequence { heading, rows, signs: frame::signs(story, &plan) }
}

/// The rows that explain `signs`.
pub fn legend(signs: &BTreeSet<Sign>, options: Options) -> Vec<Line> {
    frame::legend(signs, options.width.max(LEAST_WIDTH), Text::new(options.language))
}
