//! Why: the chain of causes of the event at the cursor across both hosts, and the log around it.

use ratatui::text::{Line, Span};

use super::app::App;
use super::look::Look;
use super::words::Word;
use crate::caption;
use crate::text::clock;

/// So many causes are shown: from the event back to the call that began it all, mostly.
const MOST_CAUSES: usize = 12;

pub(super) fn lines(app: &App, look: Look, height: u16) -> Vec<Line<'static>> {
    let shown = app.shown();
    let mut lines = Vec::new();
    for (step, at) in shown.lookup.causes(&shown.run, shown.cursor).into_iter().enumerate() {
        if step == MOST_CAUSES {
            lines.push(Line::styled("…", look.faint()));
            break;
        }
        let because = Word::Because.of(app.language);
        let mark = if step == 0 { String::new() } else { format!("{because} ") };
        lines.push(event_line(app, look, at, &mark));
        if let Some(reason) =
            shown.run.events.get(at).and_then(|event| caption::reason(event, app.language))
        {
            lines.push(Line::styled(format!("    {reason}"), look.reason()));
        } else if step == 0 {
            lines.push(Line::styled(
                format!("    {}", Word::NoReason.of(app.language)),
                look.faint(),
            ));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(Word::Log.of(app.language), look.title()));
    let room = usize::from(height).saturating_sub(lines.len()).max(5);
    let first = (shown.cursor + 1).saturating_sub(room);
    for at in first..=shown.cursor.min(shown.last()) {
        lines.push(event_line(app, look, at, if at == shown.cursor { "▸ " } else { "  " }));
    }
    lines
}

fn event_line(app: &App, look: Look, at: usize, mark: &str) -> Line<'static> {
    let shown = app.shown();
    let Some(event) = shown.run.events.get(at) else { return Line::default() };
    let origin = shown.run.events.first().map_or(0, |event| event.time_ns);
    let host = shown.lookup.host(at).unwrap_or(0);
    Line::from(vec![
        Span::raw(format!("{:>12} {mark}", clock(event.time_ns, origin))),
        Span::styled(format!("{} ", event.host), look.lifeline(shown.run.lifeline(host))),
        Span::raw(caption::event(&shown.run, &shown.lookup, at, app.language)),
    ])
}
