//! Goes through a run once and puts each thing where it belongs.

use std::collections::{BTreeMap, HashMap};

use tcpstack::event::{Event, Kind, Language, SegmentRecord, TimerName};
use tcpstack::tcp::State;

use super::axis::{Axis, Column, Step};
use super::room::{self, CALL_COLUMN, MARGIN, Room, STATE_COLUMN};
use super::shapes::*;
use super::{ARROW_WIDTH, FALL, FOOT, HEAD, LEAST_WIDTH, MOST_ROWS, ROW, TIME_WIDTH};
use super::{columns, cut};
use crate::caption;
use crate::run::lookup::Lookup;
use crate::run::{CallSpan, Fate, Flight, Position, Run};
use crate::story::is_failure;
use crate::text::{Text, Word, clock, duration};

/// How far a segment gets that is lost, and one that is under way in the end, of the whole way.
const LOST_REACH: f64 = 0.62;
const UNDERWAY_REACH: f64 = 0.86;
/// Where the words on an arrow begin: near its sender, where no arrow of the other side has its words, or where an
/// arrow that overtakes has left the other behind. How many arrows back one looks for that one.
const NEAR_SENDER: f64 = 16.0;
const BEHIND_CROSSING: f64 = 230.0;
const LABELS_NEAR: usize = 4;
/// Between brackets that stand side by side.
const TRACK: f64 = 6.0;

pub(super) fn place(run: &Run, language: Language) -> Picture {
    // Once to see how long the words are that stand beside each lifeline.
    let roomy = place_in(run, language, vec![Room::MOST; run.hosts.len()]);
    place_in(run, language, room::needed(&roomy))
}

fn place_in(run: &Run, language: Language, rooms: Vec<Room>) -> Picture {
    let mut placer = Placer::new(run, language, rooms);
    for (position, event) in run.events.iter().enumerate() {
        if placer.rows >= MOST_ROWS {
            placer.picture.left_out = run.events.len() - position;
            break;
        }
        placer.event(position, event);
    }
    placer.finish()
}

struct Placer<'a> {
    run: &'a Run,
    language: Language,
    lookup: Lookup,
    axis: Axis,
    /// The columns beside each lifeline.
    rooms: Vec<Room>,
    origin_ns: u64,
    picture: Picture,
    /// The y of the events that flights and calls begin and end with.
    heights: HashMap<Position, f64>,
    /// Calls that have been entered and have not returned: call, track, y.
    open_calls: Vec<(usize, usize, f64)>,
    /// Of each connection: its lifeline, its state, and since which y.
    states: BTreeMap<(usize, Option<u64>), (State, f64)>,
    rows: usize,
}

impl<'a> Placer<'a> {
    fn new(run: &'a Run, language: Language, rooms: Vec<Room>) -> Placer<'a> {
        let side = |room: Option<&Room>| room.map_or(0.0, |room| room.width());
        let between = ARROW_WIDTH * run.hosts.len().saturating_sub(1) as f64;
        let lane = |(at, host): (usize, &crate::run::Host)| Lane {
            x: TIME_WIDTH + side(rooms.first()) + ARROW_WIDTH * at as f64,
            top: HEAD - 22.0,
            bottom: 0.0,
            role: caption::role(host, language).to_owned(),
            name: name(host),
        };
        let width = TIME_WIDTH + side(rooms.first()) + between + side(rooms.last()) + MARGIN;
        let picture = Picture {
            width: width.max(LEAST_WIDTH),
            title: run.title.of(language).to_owned(),
            lanes: run.hosts.iter().enumerate().map(lane).collect(),
            ..Picture::default()
        };
        // The first segment is the zero of the clock: what came before it is preparation.
        let first = run.flights.iter().filter_map(|one| one.sent_ns.or(one.received_ns)).min();
        let origin_ns = first.or(run.events.first().map(|event| event.time_ns)).unwrap_or(0);
        Placer {
            run,
            language,
            lookup: Lookup::new(run),
            axis: Axis::new(run, HEAD),
            rooms,
            origin_ns,
            picture,
            heights: HashMap::new(),
            open_calls: Vec::new(),
            states: BTreeMap::new(),
            rows: 0,
        }
    }

    fn event(&mut self, position: Position, event: &'a Event) {
        let Some(lane) = self.lookup.host(position) else { return };
        match &event.kind {
            Kind::SegmentSent(_) | Kind::SegmentReceived(_) => self.segment(position, event, lane),
            Kind::PacketDropped { counter, .. } => {
                let text = Text::new(self.language).dropped(counter);
                self.note(lane, event, NoteKind::Dropped, format!("✕ {text}"));
                self.segment(position, event, lane);
            }
            Kind::StateChanged { from, to } => self.state(lane, event, *from, *to),
            Kind::TimerArmed { timer: timer @ TimerName::TimeWait, deadline_ns } => {
                let runs = deadline_ns.saturating_sub(event.time_ns);
                let text = Text::new(self.language).timer_armed(*timer, runs);
                self.note(lane, event, NoteKind::Timer, format!("◷ {text}"));
            }
            Kind::TimerFired { timer } if *timer != TimerName::Pacing => {
                let text = Text::new(self.language).timer_fired(*timer, None);
                self.note(lane, event, NoteKind::Timer, format!("◷ {text}"));
            }
            Kind::CongestionChanged { phase } => {
                let cwnd = event.after.as_ref().map(|after| after.cwnd);
                let text = Text::new(self.language).congestion(phase, cwnd);
                self.note(lane, event, NoteKind::Congestion, text.replace('_', " "));
            }
            Kind::CallEntered { .. } => self.call_entered(position, event, lane),
            Kind::CallReturned { .. } => self.call_returned(position, event, lane),
            _ => {}
        }
    }

    /// Goes on to the event's instant and takes the next row there.
    fn take(&mut self, event: &Event, lane: usize, columns: &[Column]) -> f64 {
        let step = self.axis.advance(event.time_ns);
        if let Step::Folded { fold, idle_ns, .. } = step {
            self.picture.folds.push(Fold { y: fold, text: duration(idle_ns) });
        }
        if let Step::Next(y) | Step::Folded { y, .. } = step {
            let text = clock(event.time_ns, self.origin_ns);
            self.picture.ticks.push(Tick { y, text });
        }
        self.rows += 1;
        self.axis.take(lane, columns)
    }

    fn segment(&mut self, position: Position, event: &Event, lane: usize) {
        if self.lookup.flight(position).is_some() {
            let y = self.take(event, lane, &[Column::Arrows]);
            self.heights.insert(position, y);
        }
    }

    fn state(&mut self, lane: usize, event: &Event, from: State, to: State) {
        let mut text = to.name().to_owned();
        if (from, to) == (State::Listen, State::Closed) {
            // The connections that it gave birth to go on.
            text = format!("{text} ({})", Word::Listener.of(self.language));
        }
        let y = self.note(lane, event, NoteKind::State, text);
        let id = (lane, event.connection.map(|name| name.id));
        let Some((state, top)) = self.states.insert(id, (to, y)) else { return };
        self.bar(lane, state, top, y);
    }

    fn bar(&mut self, lane: usize, state: State, top: f64, bottom: f64) {
        match state {
            State::Closed => {}
            // Below the connections'.
            State::Listen => self.picture.bars.insert(0, Bar { lane, top, bottom, state }),
            _ => self.picture.bars.push(Bar { lane, top, bottom, state }),
        }
    }

    /// A note next to the lifeline, over the calls' column too if it is long.
    fn note(&mut self, lane: usize, event: &Event, kind: NoteKind, text: String) -> f64 {
        let room = self.room(lane);
        let is_long = columns(&text) as f64 * STATE_COLUMN > room.states - MARGIN;
        let taken = match (self.is_inner(lane), is_long) {
            // Arrows come from its other side, too: not upon the words.
            (true, _) => &[Column::Arrows, Column::States, Column::Calls][..],
            (false, true) => &[Column::States, Column::Calls][..],
            (false, false) => &[Column::States][..],
        };
        let y = self.take(event, lane, taken);
        let text = cut(&text, (Room::MOST.width() / STATE_COLUMN) as usize);
        let detail = caption::reason(event, self.language).unwrap_or_default();
        self.push_note(lane, MARGIN, y, kind, text, detail);
        y
    }

    fn push_note(
        &mut self,
        lane: usize,
        away: f64,
        y: f64,
        kind: NoteKind,
        text: String,
        detail: String,
    ) {
        let Some(x) = self.picture.lanes.get(lane).map(|lane| lane.x) else { return };
        let side = self.side(lane);
        let x = if side == Side::Left { x - away } else { x + away };
        self.picture.notes.push(Note { lane, x, y, side, kind, text, detail });
    }

    /// Words stand outside: left of the first lifeline, right of the others.
    fn side(&self, lane: usize) -> Side {
        if lane == 0 { Side::Left } else { Side::Right }
    }

    fn room(&self, lane: usize) -> Room {
        self.rooms.get(lane).copied().unwrap_or(Room::MOST)
    }

    /// A lifeline between others has arrows on both sides, and its words among them.
    fn is_inner(&self, lane: usize) -> bool {
        lane > 0 && lane + 1 < self.picture.lanes.len()
    }

    fn call_entered(&mut self, position: Position, event: &Event, lane: usize) {
        let Some(at) = self.lookup.call(position) else { return };
        let call = &self.run.calls[at];
        let returned = call.returned.and_then(|returned| self.run.events.get(returned));
        let at_once = returned.is_some_and(|returned| returned.time_ns == event.time_ns);
        let y = self.take(event, lane, &[Column::Calls]);
        let result = call.result.as_deref().filter(|_| at_once);
        self.call_note(lane, y, call, result, true);
        if !at_once {
            let is_free = |track: &usize| {
                !self.open_calls.iter().any(|(open, taken, _)| {
                    taken == track && self.run.calls[*open].host == call.host
                })
            };
            let track = (0..self.run.calls.len()).find(is_free).unwrap_or(0);
            self.open_calls.push((at, track, y));
        }
    }

    fn call_returned(&mut self, position: Position, event: &Event, lane: usize) {
        let Some(at) = self.lookup.call(position) else { return };
        let Some(open) = self.open_calls.iter().position(|(open, ..)| *open == at) else { return };
        let y = self.take(event, lane, &[Column::Calls]);
        let (_, track, top) = self.open_calls.swap_remove(open);
        self.bracket(lane, track, top, y, true);
        let call = &self.run.calls[at];
        self.call_note(lane, y, call, call.result.as_deref(), false);
    }

    fn call_note(
        &mut self,
        lane: usize,
        y: f64,
        call: &CallSpan,
        result: Option<&str>,
        entry: bool,
    ) {
        let room = ((Room::MOST.calls - 2.0 * MARGIN) / CALL_COLUMN) as usize;
        let result_text = result.map(|result| format!(" = {result}")).unwrap_or_default();
        let line = call.lines.first().map(|line| format!("{}:{}", line.file, line.line));
        let text = if entry {
            let fixed = columns(&call.name) + 2 + columns(&result_text);
            let arguments = cut(&call.arguments, room.saturating_sub(fixed).max(1));
            format!("{}({arguments}){result_text}", call.name)
        } else {
            format!("{}{result_text}", call.name)
        };
        let detail = match &line {
            Some(line) => format!("{}{result_text} · {line}", caption::call(call)),
            None => format!("{}{result_text}", caption::call(call)),
        };
        let with_line = line.map(|line| format!("{text} · {line}")).filter(|_| entry);
        let text = with_line.filter(|text| columns(text) <= room).unwrap_or(text);
        let kind = if result.is_some_and(is_failure) { NoteKind::Failure } else { NoteKind::Call };
        self.push_note(lane, self.room(lane).states + MARGIN, y, kind, text, detail);
    }

    fn bracket(&mut self, lane: usize, track: usize, top: f64, bottom: f64, returned: bool) {
        let Some(x) = self.picture.lanes.get(lane).map(|lane| lane.x) else { return };
        let side = self.side(lane);
        let away = self.room(lane).states - TRACK * track.min(6) as f64;
        let x = if side == Side::Left { x - away } else { x + away };
        self.picture.brackets.push(Bracket { lane, x, side, top, bottom, returned });
    }

    fn finish(mut self) -> Picture {
        let bottom = self.axis.bottom() + FALL;
        for (at, track, top) in std::mem::take(&mut self.open_calls) {
            self.bracket(self.run.calls[at].host, track, top, bottom, false);
        }
        for ((lane, _), (state, top)) in std::mem::take(&mut self.states) {
            self.bar(lane, state, top, bottom);
        }
        let mut falls = vec![FALL; self.picture.lanes.len()];
        for (at, flight) in self.run.flights.iter().enumerate() {
            let fall = falls.get(flight.from).copied().unwrap_or(FALL);
            let Some(mut arrow) = self.arrow(at, flight, fall, bottom) else { continue };
            if arrow.end == ArrowEnd::Arrives {
                falls[arrow.lane] = arrow.to.1 - arrow.from.1;
            }
            if self
                .picture
                .arrows
                .iter()
                .rev()
                .take(LABELS_NEAR)
                .any(|other| overtakes(&arrow, other))
            {
                arrow.label_at = BEHIND_CROSSING;
            }
            self.picture.arrows.push(arrow);
        }
        self.picture.lanes.iter_mut().for_each(|lane| lane.bottom = bottom);
        self.picture.height = bottom + FOOT;
        self.picture.description = super::super::words::description(self.run, self.language);
        self.picture
    }

    /// The arrow of a flight. One that does not arrive falls as the one before it did: `fall`.
    fn arrow(&self, at: usize, flight: &Flight, fall: f64, bottom: f64) -> Option<Arrow> {
        let height = |end: Option<Position>| end.and_then(|end| self.heights.get(&end)).copied();
        let (sent, received) = (height(flight.sent), height(flight.received));
        let (from, to) =
            (self.picture.lanes.get(flight.from)?.x, self.picture.lanes.get(flight.to)?.x);
        let shown = flight.sent.or(flight.received).and_then(|end| self.run.events.get(end))?;
        let record = record(shown)?;
        let (y, end_y, end) = match (sent, received) {
            (Some(sent), Some(came)) if flight.fate == Fate::Damaged => {
                (sent, came, ArrowEnd::Damaged)
            }
            (Some(sent), Some(came)) => (sent, came, ArrowEnd::Arrives),
            (None, Some(came)) => (came, came, ArrowEnd::Unwitnessed),
            (Some(sent), None) => match flight.fate {
                Fate::Unwitnessed => (sent, sent, ArrowEnd::Unwitnessed),
                Fate::Lost => (sent, sent + fall * LOST_REACH, ArrowEnd::Lost),
                // Arrived, but behind the end of the picture; or not yet.
                _ => (sent, (sent + fall * UNDERWAY_REACH).min(bottom), ArrowEnd::Underway),
            },
            (None, None) => return None,
        };
        let reach = match end {
            ArrowEnd::Lost => LOST_REACH,
            ArrowEnd::Underway => UNDERWAY_REACH,
            _ => 1.0,
        };
        let mark = if record.retransmission { "↻ " } else { "" };
        Some(Arrow {
            flight: at,
            lane: flight.from,
            from: (from, y),
            to: (from + (to - from) * reach, end_y),
            end,
            again: record.retransmission,
            duplicate: flight.fate == Fate::Duplicate,
            label_at: NEAR_SENDER,
            label: format!("{mark}{}", caption::segment(self.run, Some(flight.from), record)),
            detail: caption::reason(shown, self.language).unwrap_or_default(),
        })
    }
}

/// Whether `arrow` left after `other`, near it, and arrives before it.
fn overtakes(arrow: &Arrow, other: &Arrow) -> bool {
    let is_beside = arrow.from.0 == other.from.0 && arrow.from.1 - other.from.1 < 2.0 * ROW;
    is_beside && other.from.1 < arrow.from.1 && arrow.to.1 < other.to.1
}

/// Name and address of a host; a name that is its address once.
fn name(host: &crate::run::Host) -> String {
    match host.addresses.first() {
        Some(address) if address.to_string() != host.name => format!("{} {address}", host.name),
        _ => host.name.clone(),
    }
}

fn record(event: &Event) -> Option<&SegmentRecord> {
    match &event.kind {
        Kind::SegmentSent(record) | Kind::SegmentReceived(record) => Some(record),
        _ => None,
    }
}
