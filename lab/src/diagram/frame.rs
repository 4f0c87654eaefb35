//! What stands around the drawing: the lanes' names, the legend of what was drawn, the summary.

use std::collections::BTreeSet;

use tcpstack::event::Language;

use super::canvas::{Canvas, Line, Style, span, width};
use super::geometry::{Geometry, TIME};
use super::place::{Plan, Shape};
use crate::story::{Close, Conversation, Fate, Flow, Lane, LaneId, Role, Story, Summary};
use crate::text::{Text, Word};

/// The names above the lifelines.
pub(super) fn heading(story: &Story, geometry: &Geometry, text: Text) -> Vec<Line> {
    let mut canvas = Canvas::new(geometry.width, 4);
    canvas.write_right(2, 0, TIME - 1, &[span(text.word(Word::Time), Style::Dim)]);
    for (at, lane) in story.lanes.iter().enumerate() {
        let role = vec![span(role_name(lane, text), Style::Heading)];
        let place = vec![span(place_name(lane, text), Style::Arrow(at))];
        let recorded = match lane.recorded {
            true => Line::new(),
            false => vec![span(format!("({})", text.word(Word::NotRecorded)), Style::Dim)],
        };
        let column = geometry.lanes[at];
        for (row, line) in [role, place].iter().enumerate() {
            let centred = column.saturating_sub(width(line) / 2);
            let start = centred.min(geometry.width.saturating_sub(width(line)));
            canvas.write(row, start, geometry.width, line);
        }
        canvas.put(2, column, '│', Style::Idle);
        canvas.put(3, column, '│', Style::Idle);
        if !story.is_captured {
            label_sides(&mut canvas, geometry, at, &recorded, text);
        }
    }
    canvas.into_rows()
}

/// The columns' names beside a lifeline.
fn label_sides(
    canvas: &mut Canvas,
    geometry: &Geometry,
    lane: LaneId,
    recorded: &[super::Span],
    text: Text,
) {
    let side = geometry.side(lane);
    if side.inner {
        return;
    }
    let state = [span(text.word(Word::State), Style::Dim)];
    let application = [span(text.word(Word::Application), Style::Dim)];
    let (beside, outer) =
        if recorded.is_empty() { (&state[..], &application[..]) } else { (recorded, &[][..]) };
    if side.mirrored {
        canvas.write(2, side.start, side.end, beside);
        canvas.write_right(2, side.start, side.end, outer);
    } else {
        canvas.write(2, side.start, side.end, outer);
        canvas.write_right(2, side.start, side.end, beside);
    }
}

fn role_name(lane: &Lane, text: Text) -> &'static str {
    text.word(match lane.role {
        Role::Client => Word::Client,
        Role::Server => Word::Server,
        Role::Peer => Word::Peer,
    })
}

/// The host, if its role does not name it, and its address if the lane is one end of one connection.
fn place_name(lane: &Lane, text: Text) -> String {
    match lane.endpoint {
        Some(end) if [end.ip().to_string(), end.to_string()].contains(&lane.host) => {
            end.to_string()
        }
        Some(end) if role_name(lane, text) == lane.host => end.to_string(),
        Some(end) => format!("{} {end}", lane.host),
        None => lane.host.clone(),
    }
}

/// Who a lane is, in a sentence.
fn who(story: &Story, lane: LaneId, text: Text) -> String {
    let lane = &story.lanes[lane];
    let role = role_name(lane, text);
    match text.language() {
        _ if is_named_by_role(lane) => role.to_owned(),
        Language::English => format!("{role} {}", lane.host),
        Language::Chinese => format!("{role} {} ", lane.host),
    }
}

/// Whether the host's name says no more than what it is.
fn is_named_by_role(lane: &Lane) -> bool {
    lane.host == role_name(lane, Text::new(Language::English))
}

/// A sign that a drawing uses and the legend explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// `seq=` and `ack=`.
    Relative,
    /// A segment.
    Arrow,
    /// A segment that one side saw.
    Unwitnessed,
    /// A segment that an onlooker saw.
    Captured,
    /// A lost segment.
    Lost,
    /// A segment that arrived damaged.
    Damaged,
    /// A segment on its way.
    Underway,
    /// A repeated segment.
    Again,
    /// A segment that came twice.
    Duplicate,
    /// Many segments.
    Bulk,
    /// A lifeline.
    Lifeline,
    /// A call that waits.
    Call,
    /// A timer.
    Timer,
    /// Idle time.
    Gap,
}

impl Sign {
    /// How it looks, and what it means.
    fn explain(self) -> (&'static str, Style, Word) {
        match self {
            Sign::Relative => ("seq, ack", Style::Number, Word::LegendRelative),
            Sign::Arrow => ("──╮╰─►", Style::Arrow(0), Word::LegendArrow),
            Sign::Unwitnessed => ("─────►", Style::Arrow(0), Word::LegendHorizontal),
            Sign::Captured => ("─────►", Style::Arrow(0), Word::LegendCaptured),
            Sign::Lost => ("────✕", Style::Lost, Word::LegendLost),
            Sign::Damaged => ("damaged", Style::Lost, Word::LegendDamaged),
            Sign::Underway => ("────…", Style::Arrow(0), Word::LegendUnderway),
            Sign::Again => ("↻", Style::Again, Word::LegendAgain),
            Sign::Duplicate => ("┄┄┄┄┄►", Style::Arrow(0), Word::LegendDuplicate),
            Sign::Bulk => ("═════►", Style::Arrow(0), Word::LegendBulk),
            Sign::Lifeline => ("┃", Style::Plain, Word::LegendLifeline),
            Sign::Call => ("╭ ┊ ╰", Style::Call, Word::LegendCall),
            Sign::Timer => ("◷", Style::Timer, Word::LegendTimer),
            Sign::Gap => ("⋮", Style::Dim, Word::LegendGap),
        }
    }
}

/// The signs that this drawing has.
pub(super) fn signs(story: &Story, plan: &Plan) -> BTreeSet<Sign> {
    let mut signs = BTreeSet::from([Sign::Lifeline]);
    for flight in &plan.flights {
        let arrow = &story.arrows[flight.arrow];
        signs.insert(match (flight.shape, arrow.fate) {
            (_, Fate::Underway) => Sign::Underway,
            (_, Fate::Damaged) => Sign::Damaged,
            (Shape::Short, _) => Sign::Lost,
            (_, Fate::Duplicate) => Sign::Duplicate,
            _ if story.is_captured => Sign::Captured,
            (_, Fate::SentUnwitnessed | Fate::ReceivedUnwitnessed) => Sign::Unwitnessed,
            _ => Sign::Arrow,
        });
        signs.extend(arrow.segment.retransmission.then_some(Sign::Again));
        signs.extend(arrow.relative_seq.map(|_| Sign::Relative));
    }
    let notes = plan.rows.iter().flat_map(|row| row.notes.iter().flatten().flatten());
    let mut timers = notes.filter(|note| note.style == Style::Timer);
    let seen = [
        (!plan.bulks.is_empty(), Sign::Bulk),
        (!plan.brackets.is_empty(), Sign::Call),
        (timers.any(|note| note.text.starts_with('◷')), Sign::Timer),
        (plan.rows.iter().any(|row| row.idle_ns.is_some()), Sign::Gap),
    ];
    signs.extend(seen.into_iter().filter(|(seen, _)| *seen).map(|(_, sign)| sign));
    signs
}

/// Explains `signs`.
pub(super) fn legend(signs: &BTreeSet<Sign>, columns: usize, text: Text) -> Vec<Line> {
    let mut rows = vec![vec![span(text.word(Word::Legend), Style::Heading)]];
    for sign in signs {
        let (sign, style, word) = sign.explain();
        rows.extend(entry(sign, style, text.word(word), columns));
    }
    rows
}

fn entry(sign: &str, style: Style, meaning: &str, columns: usize) -> Vec<Line> {
    const SIGN: usize = 12;
    let lines = textwrap::wrap(meaning, columns.saturating_sub(SIGN).max(20));
    let mut rows = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let sign = if at == 0 { sign } else { "" };
        let pad = " ".repeat(SIGN - 2 - unicode_width::UnicodeWidthStr::width(sign));
        rows.push(vec![
            span("  ", Style::Plain),
            span(sign, style),
            span(pad, Style::Plain),
            span(line, Style::Plain),
        ]);
    }
    rows
}

/// J and K of a connection.
fn initials(conversation: &Conversation, text: Text) -> Vec<Line> {
    let named = [
        ('J', conversation.j, "SYN", Word::Client),
        ('K', conversation.k, "SYN+ACK", Word::Server),
    ];
    let sentence = |(letter, value, flags, who): (char, Option<u32>, &str, Word)| {
        let line = text.initial(letter, value?, flags, text.word(who));
        Some(vec![span(format!("  {line}"), Style::Initial)])
    };
    named.into_iter().filter_map(sentence).collect()
}

/// What it came to.
pub(super) fn summary(story: &Story, summaries: &[Summary], text: Text) -> Vec<Line> {
    let mut rows = vec![vec![span(text.word(Word::Summary), Style::Heading)]];
    if summaries.is_empty() {
        rows.push(vec![span(format!("  {}", text.word(Word::NothingRecorded)), Style::Plain)]);
    }
    for summary in summaries {
        let (client, server) = summary.lanes;
        let conversation = &story.conversations[summary.conversation];
        if story.conversations.len() > 1 {
            let (client, server) = (conversation.client, conversation.server);
            let title = format!("  #{} {client} → {server}", conversation.number);
            rows.push(vec![span(title, Style::Heading)]);
        }
        rows.extend(initials(conversation, text));
        rows.push(flow_line(story, (client, server), &summary.flows[0], text));
        rows.push(flow_line(story, (server, client), &summary.flows[1], text));
        let close = match summary.close {
            Close::Open => text.word(Word::StillOpen).to_owned(),
            Close::Fin(lane) => text.closed_first(&who(story, lane, text)),
            Close::Both => text.word(Word::ClosedBoth).to_owned(),
            Close::Reset(lane) => text.reset_by(&who(story, lane, text)),
            Close::Forged => text.word(Word::ResetForged).to_owned(),
            Close::Refused(lane) => text.refused_by(&who(story, lane, text)),
            Close::Unanswered => text.word(Word::Unanswered).to_owned(),
        };
        rows.push(vec![span(format!("  {close}"), Style::Plain)]);
        for stay in &summary.time_wait {
            let line = text.time_wait(&who(story, stay.lane, text), stay.duration_ns, stay.is_over);
            rows.push(vec![span(format!("  {line}"), Style::Plain)]);
        }
        let took = text.took(summary.duration_ns);
        rows.push(vec![span(format!("  {took}"), Style::Plain)]);
    }
    rows
}

fn flow_line(story: &Story, (from, to): (LaneId, LaneId), flow: &Flow, text: Text) -> Line {
    let mut parts = vec![
        text.bytes(flow.bytes),
        text.segments(flow.segments),
        text.retransmissions(flow.retransmissions),
    ];
    if flow.lost > 0 {
        parts.push(text.lost(flow.lost));
    }
    let ends = format!(
        "  {} → {}: ",
        role_name(&story.lanes[from], text),
        role_name(&story.lanes[to], text)
    );
    vec![span(ends, Style::Arrow(from)), span(parts.join(" · "), Style::Plain)]
}
