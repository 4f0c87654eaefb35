//! Paints a plan: lifelines, then arrows, then the text that must stay readable above them.

use tcpstack::tcp::State;

use super::canvas::{Canvas, Line, Span, Style, span, width};
use super::geometry::{Geometry, TIME};
use super::place::{Bracket, BulkLine, Flight, Plan, Shape};
use crate::story::{Arrow, Fate, LaneId, Story};
use crate::text::{Text, Word, clock, duration};

/// The rows of `plan`.
pub(super) fn draw(story: &Story, geometry: &Geometry, plan: &Plan, text: Text) -> Vec<Line> {
    let canvas = Canvas::new(geometry.width, plan.rows.len());
    let mut painter = Painter { story, geometry, plan, text, canvas };
    painter.lifelines();
    painter.brackets(true);
    for flight in &plan.flights {
        painter.flight(flight);
    }
    for bulk in &plan.bulks {
        painter.bulk(bulk);
    }
    for flight in &plan.flights {
        painter.label(flight);
    }
    painter.beside();
    painter.brackets(false);
    painter.sides();
    painter.times();
    painter.canvas.into_rows()
}

struct Painter<'a> {
    story: &'a Story,
    geometry: &'a Geometry,
    plan: &'a Plan,
    text: Text,
    canvas: Canvas,
}

/// A direction on the page.
#[derive(Clone, Copy)]
struct Course {
    from: usize,
    to: usize,
    style: Style,
}

impl Course {
    fn is_rightwards(self) -> bool {
        self.from < self.to
    }

    /// The corner where a line turns down, and the one where it goes on.
    fn corners(self) -> (char, char) {
        if self.is_rightwards() { ('╮', '╰') } else { ('╭', '╯') }
    }

    fn head(self) -> char {
        if self.is_rightwards() { '►' } else { '◄' }
    }

    /// The column next to the receiver's lifeline.
    fn before_end(self) -> usize {
        if self.is_rightwards() { self.to - 1 } else { self.to + 1 }
    }
}

impl Painter<'_> {
    // ---- lifelines -----------------------------------------------------------------------

    fn lifelines(&mut self) {
        for (lane, column) in self.geometry.lanes.iter().enumerate() {
            let mut state = crate::story::initial_state(self.story, lane);
            let mut changes = self.plan.states.iter().filter(|(_, of, _)| *of == lane).peekable();
            for (at, row) in self.plan.rows.iter().enumerate() {
                while let Some((_, _, to)) = changes.next_if(|(row, _, _)| *row <= at) {
                    state = *to;
                }
                let (thin, style) = match state {
                    State::Closed => (true, Style::Idle),
                    state => (state == State::Listen, Style::State(state)),
                };
                let glyph = match (row.idle_ns, thin) {
                    (Some(_), _) => '┊',
                    (None, true) => '│',
                    (None, false) => '┃',
                };
                self.canvas.put(at, *column, glyph, style);
            }
        }
    }

    // ---- arrows --------------------------------------------------------------------------

    fn course(&self, arrow: &Arrow) -> Course {
        let lost = matches!(arrow.fate, Fate::Lost | Fate::Damaged);
        Course {
            from: self.geometry.lanes[arrow.from],
            to: self.geometry.lanes[arrow.to],
            style: if lost { Style::Lost } else { Style::Arrow(arrow.from) },
        }
    }

    fn flight(&mut self, flight: &Flight) {
        let arrow = &self.story.arrows[flight.arrow];
        let course = self.course(arrow);
        self.leave(flight.head, course);
        match flight.shape {
            Shape::Level => {
                let tail = if arrow.fate == Fate::Duplicate { '┄' } else { '─' };
                self.level(flight.head, course, course.from, course.before_end(), tail);
                self.canvas.put(flight.head, course.before_end(), course.head(), course.style);
            }
            Shape::Short => self.short(flight, course),
            Shape::Sloped(track) => {
                let turns = self.turns(flight, course, track);
                self.slope(flight, course, &turns);
            }
        }
    }

    /// The joint at the sender's lifeline.
    fn leave(&mut self, row: usize, course: Course) {
        let thick = self.canvas.glyph(row, course.from) == '┃';
        let joint = match (course.is_rightwards(), thick) {
            (true, true) => '┠',
            (true, false) => '├',
            (false, true) => '┨',
            (false, false) => '┤',
        };
        self.canvas.put(row, course.from, joint, course.style);
    }

    /// A horizontal line between two columns, neither included.
    fn level(&mut self, row: usize, course: Course, from: usize, to: usize, line: char) {
        for column in from.min(to) + 1..from.max(to) {
            let glyph = match (self.canvas.glyph(row, column), line) {
                ('│' | '┊', '─' | '┄') => '┼',
                ('┃', '─') => '╂',
                ('│', '═') => '╪',
                _ => line,
            };
            self.canvas.put(row, column, glyph, course.style);
        }
    }

    /// A segment that is not seen to arrive: the line goes on a little past its text, and its end
    /// says why.
    fn short(&mut self, flight: &Flight, course: Course) {
        let reach = width(&flight.label.head) + 4;
        let (end_of_line, word, style) = match self.story.arrows[flight.arrow].fate {
            Fate::Underway => ('…', self.text.word(Word::Underway), Style::Dim),
            _ => ('✕', self.text.word(Word::Lost), Style::Lost),
        };
        if course.is_rightwards() {
            let end = flight.zone.0 + reach;
            self.level(flight.head, course, course.from, end, '─');
            let word = [span(format!("{end_of_line} {word}"), style)];
            self.canvas.write(flight.head, end, course.to, &word);
        } else {
            let end = flight.zone.1.saturating_sub(reach + 1);
            self.level(flight.head, course, course.from, end, '─');
            let word = [span(format!("{word} {end_of_line}"), style)];
            self.canvas.write_right(flight.head, course.to + 1, end + 1, &word);
        }
    }

    /// The column in which the arrow turns down in each row but the last.
    fn turns(&self, flight: &Flight, course: Course, track: usize) -> Vec<usize> {
        let falls = flight.arrive - flight.head;
        if !self.is_alone(flight) {
            return vec![track; falls];
        }
        // Evenly sloped, but not through its own text.
        let widest = (width(&flight.label.head) + 1).max(flight.label.details_width());
        let (near, far) = if course.is_rightwards() {
            ((flight.zone.0 + widest + 1).min(track), track)
        } else {
            (flight.zone.1.saturating_sub(widest + 2).max(track), track)
        };
        let span = far.abs_diff(near);
        // A line that turns down once does so between its text and its end.
        let steps = falls + 1;
        let turn = |at: usize| {
            let along = span * (at + 1) / steps;
            if course.is_rightwards() { near + along } else { near - along }
        };
        (0..falls).map(turn).collect()
    }

    /// Whether no other segment needs the rows that this one falls through.
    fn is_alone(&self, flight: &Flight) -> bool {
        let rows = |one: &Flight| (one.head, one.arrive.max(one.head + one.label.details.len()));
        let (first, last) = rows(flight);
        let overlaps = |other: &Flight| {
            let (from, to) = rows(other);
            other.arrow != flight.arrow && from <= last && first <= to
        };
        let between = |bulk: &BulkLine| bulk.row <= last && first <= bulk.row + bulk.details.len();
        !self.plan.flights.iter().any(overlaps) && !self.plan.bulks.iter().any(between)
    }

    fn slope(&mut self, flight: &Flight, course: Course, turns: &[usize]) {
        let (down, on) = course.corners();
        let mut from = course.from;
        for (at, turn) in turns.iter().enumerate() {
            let row = flight.head + at;
            if at > 0 && *turn == from {
                self.fall(row, from, course.style);
            } else {
                self.level(row, course, from, *turn, '─');
                if at > 0 {
                    self.canvas.put(row, from, on, course.style);
                }
                self.canvas.put(row, *turn, down, course.style);
            }
            from = *turn;
        }
        self.level(flight.arrive, course, from, course.before_end(), '─');
        self.canvas.put(flight.arrive, from, on, course.style);
        self.canvas.put(flight.arrive, course.before_end(), course.head(), course.style);
    }

    fn fall(&mut self, row: usize, column: usize, style: Style) {
        let glyph = if self.canvas.glyph(row, column) == '─' { '┼' } else { '│' };
        self.canvas.put(row, column, glyph, style);
    }

    fn label(&mut self, flight: &Flight) {
        let arrow = &self.story.arrows[flight.arrow];
        let (start, end) = flight.zone;
        let label = &flight.label;
        let widest = width(&label.head).max(label.details_width());
        // From the right, text stands in one block; a lost segment's line ends where its text does.
        let left_of = |columns: usize| match self.course(arrow).is_rightwards() {
            true => start,
            false => end.saturating_sub(columns).max(start),
        };
        let own = if flight.shape == Shape::Short { width(&label.head) } else { widest };
        let (head_left, details_left) = (left_of(own), left_of(widest));
        self.on_line(flight.head, head_left, end, &label.head);
        for (at, line) in label.details.iter().enumerate() {
            self.canvas.write(flight.head + 1 + at, details_left, end, line);
        }
    }

    fn bulk(&mut self, bulk: &BulkLine) {
        let course = Course {
            from: self.geometry.lanes[bulk.flow.from],
            to: self.geometry.lanes[bulk.flow.to],
            style: Style::Arrow(bulk.flow.from),
        };
        self.leave(bulk.row, course);
        self.level(bulk.row, course, course.from, course.before_end(), '═');
        self.canvas.put(bulk.row, course.before_end(), course.head(), course.style);
        let (start, end) = bulk.zone;
        let details = bulk.details.iter().map(|line| width(line));
        let widest = details.chain([width(&bulk.head)]).max().unwrap_or(0);
        let left = match course.is_rightwards() {
            true => start,
            false => end.saturating_sub(widest).max(start),
        };
        self.on_line(bulk.row, left, end, &bulk.head);
        for (at, line) in bulk.details.iter().enumerate() {
            self.canvas.write(bulk.row + 1 + at, left, end, line);
        }
    }

    /// Text that interrupts a line, a blank on each side.
    fn on_line(&mut self, row: usize, left: usize, end: usize, text: &[Span]) {
        let mut line = vec![span(" ", Style::Plain)];
        line.extend(text.iter().cloned());
        line.push(span(" ", Style::Plain));
        self.canvas.write(row, left - 1, end + 1, &line);
    }

    // ---- beside the lifelines ------------------------------------------------------------

    fn beside(&mut self) {
        for (at, row) in self.plan.rows.iter().enumerate() {
            let Some((lane, line)) = &row.beside else { continue };
            let column = self.geometry.lanes[*lane];
            if *lane > 0 && *lane + 1 == self.geometry.lanes.len() {
                let start = self.geometry.lanes[*lane - 1] + 3;
                self.canvas.write_right(at, start, column - 2, line);
            } else {
                self.canvas.write(at, column + 4, self.geometry.width, line);
            }
        }
    }

    /// The column of a call's bracket.
    fn bracket_column(&self, lane: LaneId, level: usize) -> usize {
        let side = self.geometry.side(lane);
        if side.mirrored && !side.inner {
            (side.end - 1).saturating_sub(2 * level)
        } else {
            side.start + 2 * level
        }
    }

    /// The calls that wait. Those of an inner lane stand where arrows must pass over them.
    fn brackets(&mut self, inner: bool) {
        for bracket in &self.plan.brackets {
            if self.geometry.side(bracket.lane).inner != inner {
                continue;
            }
            let last = bracket.last.unwrap_or(self.plan.rows.len());
            let column = self.bracket_column(bracket.lane, bracket.level);
            let side = self.geometry.side(bracket.lane);
            let (opens, closes) =
                if side.mirrored && !side.inner { ('╮', '╯') } else { ('╭', '╰') };
            for row in bracket.first + 1..last {
                self.canvas.put(row, column, '┊', Style::Call);
            }
            self.canvas.put(bracket.first, column, opens, Style::Call);
            if bracket.last.is_some() {
                self.canvas.put(last, column, closes, Style::Call);
            }
            self.say_waiting(bracket, last);
        }
    }

    /// Says that the call waits, where there is room.
    fn say_waiting(&mut self, bracket: &Bracket, last: usize) {
        let line = vec![span(self.text.word(Word::Blocks), Style::Dim)];
        let side = self.geometry.side(bracket.lane);
        let room = side.width().saturating_sub(3 + 2 * bracket.level);
        let is_free = |row: &usize| {
            let row = &self.plan.rows[*row];
            let note = row.notes[bracket.lane].as_ref().map_or(0, |note| width(note) + 1);
            row.calls[bracket.lane].is_none()
                && row.idle_ns.is_none()
                && !side.inner
                && note + width(&line) <= room
        };
        if let Some(row) = (bracket.first + 1..last).find(is_free) {
            self.beside_bracket(row, bracket.lane, bracket.level, true, &line);
        }
    }

    /// Text in the application's lane.
    fn beside_bracket(
        &mut self,
        row: usize,
        lane: LaneId,
        level: usize,
        bracket: bool,
        line: &[Span],
    ) {
        let side = self.geometry.side(lane);
        let column = self.bracket_column(lane, level);
        let hung = if bracket { 2 } else { 0 };
        if side.mirrored && !side.inner {
            self.canvas.write_right(row, side.start, column + 1 - hung, line);
        } else {
            self.canvas.write(row, column + hung, side.end, line);
        }
    }

    fn sides(&mut self) {
        for (at, row) in self.plan.rows.iter().enumerate() {
            for (lane, call) in row.calls.iter().enumerate() {
                if let Some(call) = call {
                    self.beside_bracket(at, lane, call.level, call.bracket, &call.line);
                }
            }
            for (lane, note) in row.notes.iter().enumerate() {
                let Some(note) = note else { continue };
                let side = self.geometry.side(lane);
                if side.mirrored {
                    self.canvas.write(at, side.start, side.end, note);
                } else {
                    self.canvas.write_right(at, side.start, side.end, note);
                }
            }
        }
    }

    fn times(&mut self) {
        let mut before = String::new();
        for (at, row) in self.plan.rows.iter().enumerate() {
            let end = TIME - 1;
            if let Some(idle_ns) = row.idle_ns {
                let line = vec![span(format!("⋮ {}", duration(idle_ns)), Style::Dim)];
                self.canvas.write_right(at, 0, end, &line);
            } else if let Some(time_ns) = row.time_ns {
                let time = clock(time_ns, self.story.origin_ns);
                if time != before {
                    self.canvas.write_right(at, 0, end, &[span(time.clone(), Style::Time)]);
                    before = time;
                }
            }
        }
    }
}
