//! What stands beside the lifelines and on summarised lines, in words.

use super::canvas::{Line, Span, Style, cut, span};
use super::label::{Columns, wrap};
use super::place::BulkLine;
use crate::story::{Bulk, BulkFlow, Call, What, is_failure};
use crate::text::{Text, Word};

/// `connect(3, 10.7.0.1:8080) = 0` in at most `columns` columns: the arguments are cut first.
pub(super) fn call_line(call: &Call, columns: usize, text: Text) -> Line {
    let result = call.result.as_deref().map(result_span);
    let fixed = call.name.len() + 2 + result.as_ref().map_or(0, |span| span.text.len());
    // Two sockets are closed in the end; which one this is the arguments may not say.
    let which = call.on_listener && call.name == "close" && call.arguments.is_empty();
    let arguments = if which { text.word(Word::Listener) } else { &call.arguments };
    let style = if which { Style::Dim } else { Style::Call };
    let arguments = vec![span(arguments, style)];
    let arguments = cut(&arguments, columns.saturating_sub(fixed).max(1));
    let mut line = vec![span(format!("{}(", call.name), Style::Call)];
    line.extend(arguments);
    line.push(span(")", Style::Call));
    line.extend(result);
    line
}

/// `… 13 × send = 851,968`.
pub(super) fn call_run_line(name: &str, count: u64, bytes: u64, text: Text) -> Line {
    let total = text.bytes(bytes);
    vec![
        span(format!("… {count} × "), Style::Dim),
        span(name, Style::Call),
        span(format!(" · {total}"), Style::Dim),
    ]
}

pub(super) fn result_span(result: &str) -> Span {
    span(format!(" = {result}"), if is_failure(result) { Style::Failure } else { Style::Call })
}

/// What stands next to the lifeline.
pub(super) fn note_line(what: &What, text: Text) -> Option<Line> {
    match what {
        What::State { to, .. } => Some(vec![span(to.name(), Style::State(*to))]),
        What::TimerArmed { timer, duration_ns } => {
            Some(vec![span(format!("◷ {}", text.timer_armed(*timer, *duration_ns)), Style::Timer)])
        }
        What::TimerFired { timer, after_ns } => {
            Some(vec![span(format!("◷ {}", text.timer_fired(*timer, *after_ns)), Style::Timer)])
        }
        What::Dropped { counter, .. } => {
            Some(vec![span(format!("✕ {}", text.dropped(counter)), Style::Lost)])
        }
        What::Congestion { phase, cwnd } => {
            Some(vec![span(text.congestion(phase, *cwnd), Style::Timer)])
        }
        What::RecordingEnds => Some(vec![span(text.word(Word::Ends), Style::Dim)]),
        _ => None,
    }
}

/// One direction of a summary from `row` on, in the columns `zone`.
pub(super) fn bulk_line(
    bulk: &Bulk,
    flow: &BulkFlow,
    row: usize,
    zone: (usize, usize),
    text: Text,
) -> BulkLine {
    let columns = Columns::all(zone.1.saturating_sub(zone.0));
    let mut head = Vec::new();
    if flow.segments > 0 {
        head.push(vec![span(text.segments(flow.segments), Style::Number)]);
        head.push(vec![span(text.bytes(flow.bytes), Style::Number)]);
        if flow.acks > 0 {
            head.push(vec![span(text.acks(flow.acks), Style::Dim)]);
        }
    } else {
        head.push(vec![span(text.acks(flow.acks), Style::Number)]);
    }
    let mut details = Vec::new();
    if let Some((first, after)) = flow.range {
        details.push(format!("seq {first} … {}", after.saturating_sub(1)));
    }
    if flow.retransmissions > 0 {
        details.push(text.retransmissions(flow.retransmissions));
    }
    if flow.lost > 0 {
        details.push(text.lost(flow.lost));
    }
    if bulk.flows.first() == Some(flow) {
        details.push(text.within(bulk.until_ns.saturating_sub(bulk.from_ns)));
        if bulk.calls > 0 {
            details.push(text.calls(bulk.calls as u64));
        }
    }
    let tokens = details.into_iter().map(|detail| vec![span(detail, Style::Dim)]).collect();
    let mut head = wrap(head, " · ", columns).into_iter();
    let on_line = head.next().unwrap_or_default();
    let details = head.chain(wrap(tokens, " · ", columns)).collect();
    BulkLine { row, flow: flow.clone(), zone, head: on_line, details }
}
