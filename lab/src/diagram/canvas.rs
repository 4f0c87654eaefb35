//! A grid of styled characters that knows how wide each of them is on a terminal.
//!
//! Text that does not fit is cut, never wrapped, and nothing is drawn outside the grid.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use tcpstack::tcp::State;

/// What a piece of text is; `render` says what it looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A title.
    Title,
    /// The name of a lane or a section.
    Heading,
    /// What explains without demanding attention.
    Dim,
    /// The time column.
    Time,
    /// A lifeline without a connection.
    Idle,
    /// A lifeline whose connection is in this state, or the state's name.
    State(State),
    /// The line of a segment from the n-th lane.
    Arrow(usize),
    /// The flags of a segment.
    Flags(FlagKind),
    /// A number on an arrow.
    Number,
    /// J, K and what is counted from them.
    Initial,
    /// A call of the application.
    Call,
    /// A call that failed.
    Failure,
    /// A lost segment, a dropped packet.
    Lost,
    /// A repeated segment.
    Again,
    /// A timer.
    Timer,
    /// The sentence and clause that asked for something.
    Why,
}

/// What the flags of a segment do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    /// SYN: opens.
    Opens,
    /// FIN: ends.
    Ends,
    /// RST: breaks.
    Breaks,
    /// Anything else.
    Carries,
}

/// A piece of text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text, without line breaks.
    pub text: String,
    /// What it is.
    pub style: Style,
}

/// Pieces of text in a row.
pub type Line = Vec<Span>;

/// A span of its own.
pub fn span(text: impl Into<String>, style: Style) -> Span {
    Span { text: text.into(), style }
}

/// How many columns `line` takes.
pub fn width(line: &[Span]) -> usize {
    line.iter().map(|span| span.text.width()).sum()
}

/// One column of a row; the second half of a wide character holds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    glyph: Option<char>,
    style: Style,
}

const BLANK: Cell = Cell { glyph: Some(' '), style: Style::Plain };

/// The grid, growing downwards.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    /// An empty grid of `width` columns and `height` rows.
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas { width, rows: vec![vec![BLANK; width]; height] }
    }

    /// Puts `glyph` at a place; outside the grid it is not seen.
    pub fn put(&mut self, row: usize, column: usize, glyph: char, style: Style) {
        let wide = glyph.width().unwrap_or(0);
        if wide == 0 || column + wide > self.width || row >= self.rows.len() {
            return;
        }
        // Half of a wide character cannot stay.
        if column > 0 && self.rows[row][column].glyph.is_none() {
            self.rows[row][column - 1] = BLANK;
        }
        let after = column + wide;
        if after < self.width && self.rows[row][after].glyph.is_none() {
            self.rows[row][after] = BLANK;
        }
        self.rows[row][column] = Cell { glyph: Some(glyph), style };
        if wide == 2 {
            self.rows[row][column + 1] = Cell { glyph: None, style };
        }
    }

    /// The character at a place, a blank outside the grid.
    pub fn glyph(&self, row: usize, column: usize) -> char {
        let cell = self.rows.get(row).and_then(|cells| cells.get(column));
        cell.and_then(|cell| cell.glyph).unwrap_or(' ')
    }

    /// Writes `line` from `column` on, cut at `end`.
    pub fn write(&mut self, row: usize, column: usize, end: usize, line: &[Span]) {
        let mut column = column;
        for span in cut(line, end.saturating_sub(column)) {
            for glyph in span.text.chars() {
                self.put(row, column, glyph, span.style);
                column += glyph.width().unwrap_or(0);
            }
        }
    }

    /// Writes `line` so that it ends before `end`, cut at its own end if it would start before
    /// `start`.
    pub fn write_right(&mut self, row: usize, start: usize, end: usize, line: &[Span]) {
        let line = cut(line, end.saturating_sub(start));
        self.write(row, end.saturating_sub(width(&line)), end, &line);
    }

    /// The rows as spans, without blanks at their ends.
    pub fn into_rows(self) -> Vec<Line> {
        self.rows.into_iter().map(row_spans).collect()
    }
}

fn row_spans(cells: Vec<Cell>) -> Line {
    let end = cells.iter().rposition(|cell| *cell != BLANK).map_or(0, |at| at + 1);
    let mut line = Line::new();
    for cell in &cells[..end] {
        let Some(glyph) = cell.glyph else { continue };
        match line.last_mut() {
            // A blank has no style of its own.
            Some(last) if last.style == cell.style || glyph == ' ' => last.text.push(glyph),
            _ => line.push(span(glyph.to_string(), cell.style)),
        }
    }
    line
}

/// `line` in at most `columns` columns, its cut shown by an ellipsis.
pub fn cut(line: &[Span], columns: usize) -> Line {
    if width(line) <= columns {
        return line.to_vec();
    }
    let mut room = columns.saturating_sub(1);
    let mut kept = Line::new();
    for piece in line {
        let text = cut_text(&piece.text, room);
        room -= text.width();
        let whole = text.len() == piece.text.len();
        kept.push(span(text, piece.style));
        if !whole {
            break;
        }
    }
    if columns > 0 {
        let style = kept.last().map_or(Style::Dim, |last| last.style);
        kept.push(span("…", style));
    }
    kept
}

/// As much of `text` as `columns` columns hold.
fn cut_text(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, glyph) in text.char_indices() {
        used += glyph.width().unwrap_or(0);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests;
