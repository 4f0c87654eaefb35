//! The buffers of each host as bars in the notes' colours: white free, grey sent and not acknowledged, purple not sent
//! yet or received; each with its own hatching, a legend, and the numbers that mark its borders.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tcpstack::event::Snapshot;

use super::app::App;
use super::look::Look;
use super::words::Word;
use crate::caption;
use crate::text::grouped;

const FREE: char = '░';
const UNACKED: char = '▒';
const WAITING: char = '█';
const HOLE: char = '▚';

pub(super) fn lines(app: &App, look: Look, width: u16) -> Vec<Line<'static>> {
    let shown = app.shown();
    let language = app.language;
    let mut lines = Vec::new();
    for (at, host) in shown.run.hosts.iter().enumerate() {
        let name = caption::host(host, language);
        lines.push(Line::styled(name, look.lifeline(shown.run.lifeline(at)).patch(look.title())));
        match snapshot(app, at) {
            Some(snapshot) => lines.extend(bars(snapshot, app, look, width)),
            None if !host.recorded => lines.push(Line::raw(Word::NotRecorded.of(language))),
            None => lines.push(Line::styled(Word::NoConnection.of(language), look.faint())),
        }
    }
    lines.push(legend(app, look));
    lines
}

/// The variables of a host at the cursor.
pub(super) fn snapshot(app: &App, host: usize) -> Option<&Snapshot> {
    let shown = app.shown();
    let end = (shown.cursor + 1).min(shown.run.events.len());
    let own = |at: &usize| shown.lookup.host(*at) == Some(host);
    (0..end).rev().filter(own).find_map(|at| shown.run.events[at].after.as_deref())
}

fn bars(snapshot: &Snapshot, app: &App, look: Look, width: u16) -> Vec<Line<'static>> {
    let language = app.language;
    let width = usize::from(width.saturating_sub(2)).max(10);
    let send = snapshot.send_buffer;
    let taken = send.unacked.saturating_add(send.unsent);
    let free = send.capacity.saturating_sub(taken);
    let receive = &snapshot.receive_buffer;
    let held: u64 = receive.out_of_order.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
    let room = receive.capacity.saturating_sub(receive.queued).saturating_sub(held);
    let from_iss = |number: u64| grouped(number.saturating_sub(snapshot.iss));
    let from_irs = |number: u64| grouped(number.saturating_sub(snapshot.irs));
    let (una, next, window) = (snapshot.snd_una, snapshot.snd_nxt, snapshot.snd_wnd);
    let send_parts = [
        (send.unacked, UNACKED, look.unacked()),
        (send.unsent, WAITING, look.waiting()),
        (free, FREE, look.free()),
    ];
    let receive_parts = [
        (receive.queued, WAITING, look.waiting()),
        (held, HOLE, look.waiting()),
        (room, FREE, look.free()),
    ];
    let send_marks = format!(
        "  SND.UNA={} SND.NXT={} SND.WND={} cwnd={}",
        from_iss(una),
        from_iss(next),
        grouped(window),
        grouped(snapshot.cwnd),
    );
    let (next, window) = (from_irs(snapshot.rcv_nxt), grouped(snapshot.rcv_wnd));
    let receive_marks = format!("  RCV.NXT={next} RCV.WND={window}");
    vec![
        sizes(Word::SendBuffer.of(language), send.capacity, &send_parts),
        bar(&send_parts, width),
        Line::styled(send_marks, look.faint()),
        sizes(Word::ReceiveBuffer.of(language), receive.capacity, &receive_parts),
        bar(&receive_parts, width),
        Line::styled(receive_marks, look.faint()),
    ]
}

/// A buffer's name, how much it can hold, and how large its parts are.
fn sizes(name: &str, capacity: u64, parts: &[(u64, char, Style)]) -> Line<'static> {
    let mut spans = vec![Span::raw(format!("{name} {} ", caption::bytes(capacity)))];
    for (part, sign, style) in parts {
        spans.push(Span::styled(format!("  {sign}"), *style));
        spans.push(Span::raw(format!(" {}", grouped(*part))));
    }
    Line::from(spans)
}

/// A bar whose parts are as long as they are large; what is there at all has a column at least.
fn bar(parts: &[(u64, char, Style)], width: usize) -> Line<'static> {
    let whole: u128 = parts.iter().map(|(part, ..)| u128::from(*part)).sum();
    let mut left = width;
    let mut spans = vec![Span::raw("▕")];
    for (at, (part, sign, style)) in parts.iter().enumerate() {
        let exact = u128::from(*part) * width as u128 / whole.max(1);
        let behind = parts[at + 1..].iter().filter(|(part, ..)| *part > 0).count();
        let most = left.saturating_sub(behind);
        let is_last = behind == 0 && *part > 0;
        let columns = match (part, is_last) {
            (0, _) => 0,
            (_, true) => left,
            _ => (exact as usize).clamp(1, most.max(1)),
        };
        left = left.saturating_sub(columns);
        spans.push(Span::styled(String::from(*sign).repeat(columns), *style));
    }
    spans.push(Span::raw("▏"));
    Line::from(spans)
}

fn legend(app: &App, look: Look) -> Line<'static> {
    let entries = [
        (UNACKED, look.unacked(), Word::Unacked),
        (WAITING, look.waiting(), Word::Unsent),
        (WAITING, look.waiting(), Word::Queued),
        (HOLE, look.waiting(), Word::Hole),
        (FREE, look.free(), Word::Free),
    ];
    let entry = |(sign, style, word): (char, Style, Word)| {
        let meaning = format!(" {}  ", word.of(app.language));
        [Span::styled(sign.to_string(), style), Span::raw(meaning)]
    };
    Line::from(entries.into_iter().flat_map(entry).collect::<Vec<_>>())
}
