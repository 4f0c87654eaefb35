//! Which row everything gets: moments keep their order, what happens at one instant shares a row
//! where it fits, and an arrow ends below where it began.

use std::collections::BTreeSet;

use tcpstack::tcp::State;

use super::canvas::{Line, Style, span, width};
use super::geometry::Geometry;
use super::label::{Columns, Label, Wording, label, why};
use super::wording::{bulk_line, call_line, call_run_line, note_line, result_span};
use crate::story::{Arrow, ArrowId, Bulk, BulkFlow, Call, Fate, LaneId, Moment, Story, What};

/// Nothing happening for longer than this is one row, in nanoseconds.
const IDLE_NS: u64 = 100_000_000;
/// The least room for the text on an arrow that leaves at its own height.
const LEAST_LABEL: usize = 14;
/// The room for the end of a line that does not arrive, and for saying so.
const END_OF_LINE: usize = 9;

/// Everything with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The rows from the top.
    pub rows: Vec<Row>,
    /// The segments.
    pub flights: Vec<Flight>,
    /// The summarised segments.
    pub bulks: Vec<BulkLine>,
    /// The calls that wait.
    pub brackets: Vec<Bracket>,
    /// From which row on which lane is in which state.
    pub states: Vec<(usize, LaneId, State)>,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The time to show.
    pub time_ns: Option<u64>,
    /// How long nothing happened, if the row says that.
    pub idle_ns: Option<u64>,
    /// For each lane, what stands next to its lifeline.
    pub notes: Vec<Option<Line>>,
    /// For each lane, what stands in the application's lane.
    pub calls: Vec<Option<CallText>>,
    /// Free text in the gap beside a lifeline.
    pub beside: Option<(LaneId, Line)>,
}

/// A call in the application's lane.
#[derive(Clone, Debug)]
pub(super) struct CallText {
    /// How many other calls are waiting outside of it.
    pub level: usize,
    /// Whether it hangs on a bracket.
    pub bracket: bool,
    /// The call.
    pub line: Line,
}

/// The rows that a waiting call spans.
#[derive(Clone, Debug)]
pub(super) struct Bracket {
    /// Whose call.
    pub lane: LaneId,
    /// Its number on its host.
    pub call: u64,
    /// How many other calls were waiting when it began.
    pub level: usize,
    /// Where it begins.
    pub first: usize,
    /// Where it returns; none: it never did.
    pub last: Option<usize>,
}

/// A segment between two lifelines.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    /// Which.
    pub arrow: ArrowId,
    /// The row it leaves in.
    pub head: usize,
    /// The row it arrives in.
    pub arrive: usize,
    /// What stands on it.
    pub label: Label,
    /// Columns `[start, end)` for that.
    pub zone: (usize, usize),
    /// How it is drawn.
    pub shape: Shape,
}

/// How a segment is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Falling from one side to the other, in this column when others fly beside it.
    Sloped(usize),
    /// In one row.
    Level,
    /// Ending half-way.
    Short,
}

/// Many segments in one line.
#[derive(Clone, Debug)]
pub(super) struct BulkLine {
    /// The line's row.
    pub row: usize,
    /// What flew.
    pub flow: BulkFlow,
    /// Columns `[start, end)` for the text.
    pub zone: (usize, usize),
    /// On the line.
    pub head: Line,
    /// Below it.
    pub details: Vec<Line>,
}

/// Gives every moment of `story` its place.
pub(super) fn place(story: &Story, geometry: &Geometry, wording: Wording) -> Plan {
    let mut placer = Placer {
        story,
        geometry,
        wording,
        plan: Plan::default(),
        cursor: None,
        area_free: 0,
        last_ns: 0,
        flying: Vec::new(),
        drawn: vec![false; story.arrows.len()],
        explained: BTreeSet::new(),
    };
    for (at, moment) in story.moments.iter().enumerate() {
        placer.place(moment, &story.moments[at + 1..]);
    }
    placer.plan
}

struct Placer<'a> {
    story: &'a Story,
    geometry: &'a Geometry,
    wording: Wording,
    plan: Plan,
    /// The row of the latest moment.
    cursor: Option<usize>,
    /// The first row below everything between the lifelines.
    area_free: usize,
    last_ns: u64,
    /// Indices of flights that have not arrived.
    flying: Vec<usize>,
    /// For each arrow whether it has been placed.
    drawn: Vec<bool>,
    /// The reasons that have been given in full.
    explained: BTreeSet<&'static str>,
}

impl Placer<'_> {
    fn place(&mut self, moment: &Moment, later: &[Moment]) {
        let gap_ns = moment.time_ns.saturating_sub(self.last_ns);
        if gap_ns >= IDLE_NS && self.flying.is_empty() && self.cursor.is_some() {
            let row = self.next_row().max(self.area_free);
            self.row(row).idle_ns = Some(gap_ns);
            self.take_area(row);
            self.cursor = Some(row);
        }
        self.last_ns = self.last_ns.max(moment.time_ns);
        match &moment.what {
            What::Sent(id) => self.leave(*id, moment),
            What::Arrived(id) => self.arrive(*id, moment),
            What::Call(call) => self.call(call, moment),
            What::CallRun { name, count, bytes } => {
                let line = call_run_line(name, *count, *bytes, self.wording.text);
                self.call_line(line, moment);
            }
            What::CallEnded { call, name, result } => self.call_ended(*call, name, result, moment),
            What::Bulk(bulk) => self.bulk(bulk, moment),
            what => self.note(what, moment, later),
        }
    }

    // ---- rows ----------------------------------------------------------------------------

    fn row(&mut self, row: usize) -> &mut Row {
        let lanes = self.geometry.lanes.len();
        while self.plan.rows.len() <= row {
            let (notes, calls) = (vec![None; lanes], vec![None; lanes]);
            self.plan.rows.push(Row { notes, calls, ..Row::default() });
        }
        &mut self.plan.rows[row]
    }

    fn next_row(&self) -> usize {
        self.cursor.map_or(0, |row| row + 1)
    }

    /// The latest row, if what happens at `time_ns` may share it.
    fn same_instant(&self, time_ns: u64) -> Option<usize> {
        self.cursor.filter(|row| self.plan.rows[*row].time_ns == Some(time_ns))
    }

    fn stamp(&mut self, row: usize, moment: &Moment) {
        self.row(row).time_ns = Some(moment.time_ns);
        self.cursor = Some(row);
    }

    /// Everything between the lifelines up to `row` is taken.
    fn take_area(&mut self, row: usize) {
        self.area_free = self.area_free.max(row + 1);
    }

    // ---- segments ------------------------------------------------------------------------

    fn leave(&mut self, id: ArrowId, moment: &Moment) {
        let arrow = &self.story.arrows[id];
        let head = match self.same_instant(moment.time_ns) {
            Some(row) if row >= self.area_free => row,
            _ => self.next_row().max(self.area_free),
        };
        let (shape, zone) = match arrow.fate {
            Fate::Arrived | Fate::Damaged => self.route(arrow),
            Fate::Lost | Fate::Underway => (Shape::Short, self.zone(arrow.from, arrow.to, None)),
            _ => (Shape::Level, self.zone(arrow.from, arrow.to, None)),
        };
        let flight = self.fly(id, head, shape, zone);
        if matches!(shape, Shape::Sloped(_)) {
            self.flying.push(flight);
        }
        self.stamp(head, moment);
    }

    /// Adds the flight with its label and returns its index.
    fn fly(&mut self, id: ArrowId, head: usize, shape: Shape, zone: (usize, usize)) -> usize {
        let arrow = &self.story.arrows[id];
        let conversation = &self.story.conversations[arrow.conversation];
        let tag = if self.story.conversations.len() > 1 { 4 } else { 0 };
        let columns = zone.1.saturating_sub(zone.0 + tag);
        let end_of_line = if shape == Shape::Short { END_OF_LINE } else { 0 };
        let room = Columns { head: columns.saturating_sub(end_of_line), below: columns };
        let mut label = label(arrow, conversation, self.wording, room);
        if self.story.conversations.len() > 1 {
            label.head.insert(0, span(format!("#{} ", conversation.number), Style::Dim));
        }
        // In a burst only the first one needs to show all.
        let follows = |flight: &usize| {
            let other = &self.story.arrows[self.plan.flights[*flight].arrow];
            (other.from, other.to) == (arrow.from, arrow.to) && other.segment.len > 0
        };
        if arrow.segment.len > 0 && !arrow.is_milestone() && self.flying.iter().any(follows) {
            label.details.truncate(label.head_rest);
        }
        if let Some(reason) = arrow.reason.filter(|_| self.wording.why) {
            let first = self.explained.insert(reason.id());
            label.details.extend(why(reason, first, self.wording.text, columns));
        }
        self.drawn[id] = true;
        let below = head + label.details.len();
        self.row(below);
        self.take_area(below);
        self.plan.flights.push(Flight { arrow: id, head, arrive: head, label, zone, shape });
        self.plan.flights.len() - 1
    }

    /// The column in which an arrow falls so that it crosses none sent before it, and the columns
    /// left for its text; level where there is no room.
    fn route(&self, arrow: &Arrow) -> (Shape, (usize, usize)) {
        let rightwards = self.rightwards(arrow);
        let to = self.geometry.lanes[arrow.to];
        let beside = self.flying.iter().filter_map(|flight| self.track(*flight, arrow.to));
        let track = if rightwards {
            beside.min().map_or(to - 3, |innermost| innermost.saturating_sub(2))
        } else {
            beside.max().map_or(to + 3, |innermost| innermost + 2)
        };
        let zone = self.zone(arrow.from, arrow.to, Some(track));
        if zone.1 < zone.0 + LEAST_LABEL {
            return (Shape::Level, self.zone(arrow.from, arrow.to, None));
        }
        (Shape::Sloped(track), zone)
    }

    fn rightwards(&self, arrow: &Arrow) -> bool {
        self.geometry.lanes[arrow.from] < self.geometry.lanes[arrow.to]
    }

    /// The column in which a flight to `lane` falls.
    fn track(&self, flight: usize, lane: LaneId) -> Option<usize> {
        let flight = &self.plan.flights[flight];
        match flight.shape {
            Shape::Sloped(track) if self.story.arrows[flight.arrow].to == lane => Some(track),
            _ => None,
        }
    }

    /// The columns next to the sender that no other arrow needs.
    fn zone(&self, from: LaneId, to: LaneId, own: Option<usize>) -> (usize, usize) {
        let incoming = self.flying.iter().filter_map(|flight| self.track(*flight, from));
        let beside = self.flying.iter().filter_map(|flight| self.track(*flight, to));
        let lanes = &self.geometry.lanes;
        if lanes[from] < lanes[to] {
            let start = incoming.max().map_or(lanes[from] + 4, |track| track + 3);
            let neighbour = lanes[from + 1] - 2;
            let end = beside.chain(own).min().unwrap_or(neighbour).min(neighbour);
            (start, end.saturating_sub(1))
        } else {
            let end = incoming.min().map_or(lanes[from] - 3, |track| track - 2);
            let neighbour = lanes[from - 1] + 2;
            let start = beside.chain(own).max().unwrap_or(neighbour).max(neighbour);
            (start + 2, end)
        }
    }

    fn arrive(&mut self, id: ArrowId, moment: &Moment) {
        let known = self.flying.iter().position(|at| self.plan.flights[*at].arrow == id);
        let Some(known) = known else {
            return self.appear(id, moment);
        };
        let index = self.flying.remove(known);
        let Flight { head, .. } = self.plan.flights[index];
        let details = self.plan.flights[index].label.details.len();
        let flight_ns = moment.time_ns.saturating_sub(self.plan.rows[head].time_ns.unwrap_or(0));
        let row = (head + details.max(least_fall(flight_ns))).max(self.next_row());
        self.plan.flights[index].arrive = row;
        self.stamp(row, moment);
        self.take_area(row);
    }

    /// An arrival whose sending is not drawn.
    fn appear(&mut self, id: ArrowId, moment: &Moment) {
        if self.drawn[id] {
            // It had no room to fall: it was drawn level where it left.
            return;
        }
        let row = self.next_row().max(self.area_free);
        let arrow = &self.story.arrows[id];
        let zone = self.zone(arrow.from, arrow.to, None);
        self.fly(id, row, Shape::Level, zone);
        self.stamp(row, moment);
    }

    fn bulk(&mut self, bulk: &Bulk, moment: &Moment) {
        let mut row = self.next_row().max(self.area_free);
        self.stamp(row, moment);
        for flow in &bulk.flows {
            let zone = self.zone(flow.from, flow.to, None);
            let line = bulk_line(bulk, flow, row, zone, self.wording.text);
            row += line.details.len();
            self.row(row);
            self.take_area(row);
            // What follows happens after all of it.
            self.cursor = Some(row);
            row += 1;
            self.plan.bulks.push(line);
        }
        self.last_ns = self.last_ns.max(bulk.until_ns);
    }

    // ---- what hosts do -------------------------------------------------------------------

    fn note(&mut self, what: &What, moment: &Moment, later: &[Moment]) {
        let Some(line) = note_line(what, self.wording.text) else { return };
        let lane = moment.lane;
        let row = self.row_beside(moment, width(&line), |row| row.notes[lane].is_none());
        match what {
            What::State { to, .. } => self.plan.states.push((row, lane, *to)),
            What::RecordingEnds => self.plan.states.push((row + 1, lane, State::Closed)),
            _ => {}
        }
        self.row(row).notes[lane] = Some(line);
        self.stamp(row, moment);
        // A segment that leaves for the same reason will give it.
        let says_it = |one: &Moment| {
            matches!(one.what, What::Sent(_))
                && (one.lane, one.reason) == (moment.lane, moment.reason)
        };
        let at_once = later.iter().take_while(|one| one.time_ns == moment.time_ns);
        if !at_once.into_iter().any(says_it) {
            self.explain(row, moment);
        }
    }

    /// The row for text of `columns` columns beside a lifeline.
    fn row_beside(
        &mut self,
        moment: &Moment,
        columns: usize,
        is_free: impl Fn(&Row) -> bool,
    ) -> usize {
        let lane = moment.lane;
        let side = self.geometry.side(lane);
        let shared = self.same_instant(moment.time_ns).filter(|at| {
            let row = &self.plan.rows[*at];
            let note = row.notes[lane].as_ref().map_or(0, |line| width(line) + 2);
            let call = row.calls[lane].as_ref().map_or(0, |call| call_width(call) + 2);
            !side.inner && is_free(row) && note + call + columns <= side.width()
        });
        let row = shared.unwrap_or_else(|| {
            if side.inner { self.next_row().max(self.area_free) } else { self.next_row() }
        });
        self.row(row);
        if side.inner {
            self.take_area(row);
        }
        row
    }

    /// Writes why something happened between the lifelines.
    fn explain(&mut self, row: usize, moment: &Moment) {
        let Some(reason) = moment.reason.filter(|_| self.wording.why) else { return };
        let lanes = &self.geometry.lanes;
        let columns = lanes.windows(2).map(|pair| pair[1] - pair[0] - 6).min().unwrap_or(40);
        let first = self.explained.insert(reason.id());
        let lines = why(reason, first, self.wording.text, columns);
        let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
        for (at, mut line) in lines.into_iter().enumerate() {
            // One block, whichever side it is aligned to.
            line.push(span(" ".repeat(widest - width(&line)), Style::Why));
            let at = (row + at).max(self.area_free);
            self.row(at).beside = Some((moment.lane, line));
            self.take_area(at);
        }
    }

    fn call(&mut self, call: &Call, moment: &Moment) {
        let lane = moment.lane;
        let level = self.open_calls(lane);
        let columns = self.geometry.side(lane).width().saturating_sub(2 + 2 * level);
        let line = call_line(call, columns, self.wording.text);
        let text = CallText { level, bracket: call.blocked, line };
        let row = self.row_beside(moment, call_width(&text), |row| row.calls[lane].is_none());
        self.row(row).calls[lane] = Some(text);
        if call.blocked {
            let (call, first) = (call.call, row);
            self.plan.brackets.push(Bracket { lane, call, level, first, last: None });
        }
        self.stamp(row, moment);
    }

    /// A line in the application's lane that is no single call.
    fn call_line(&mut self, line: Line, moment: &Moment) {
        let lane = moment.lane;
        let text = CallText { level: self.open_calls(lane), bracket: false, line };
        let row = self.row_beside(moment, call_width(&text), |row| row.calls[lane].is_none());
        self.row(row).calls[lane] = Some(text);
        self.stamp(row, moment);
    }

    fn open_calls(&self, lane: LaneId) -> usize {
        let open = |bracket: &&Bracket| bracket.lane == lane && bracket.last.is_none();
        self.plan.brackets.iter().filter(open).count()
    }

    fn call_ended(&mut self, call: u64, name: &str, result: &str, moment: &Moment) {
        let lane = moment.lane;
        let is_it = |one: &Bracket| one.lane == lane && one.call == call && one.last.is_none();
        let bracket = self.plan.brackets.iter().position(is_it);
        let level = bracket.map_or(0, |at| self.plan.brackets[at].level);
        let line = vec![span(name, Style::Call), result_span(result)];
        let text = CallText { level, bracket: bracket.is_some(), line };
        let row = self.row_beside(moment, call_width(&text), |row| row.calls[lane].is_none());
        // A bracket has two ends.
        let began = bracket.map(|at| self.plan.brackets[at].first);
        let row = if began == Some(row) { row + 1 } else { row };
        self.row(row).calls[lane] = Some(text);
        if let Some(at) = bracket {
            self.plan.brackets[at].last = Some(row);
        }
        self.stamp(row, moment);
    }
}

/// Rows that an arrow falls at least, so that a longer flight looks longer.
fn least_fall(flight_ns: u64) -> usize {
    match flight_ns {
        0..1_000_000 => 1,
        1_000_000..20_000_000 => 2,
        20_000_000..200_000_000 => 3,
        _ => 4,
    }
}

/// Columns of a call with its bracket.
fn call_width(call: &CallText) -> usize {
    width(&call.line) + 2 * call.level + if call.bracket { 2 } else { 0 }
}
