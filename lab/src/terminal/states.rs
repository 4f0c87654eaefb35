//! The states of each host on the way to the cursor, with the rule behind each step.

use ratatui::text::{Line, Span};
use tcpstack::event::Kind;

use super::app::App;
use super::look::Look;
use crate::caption;
use crate::text::clock;

pub(super) fn lines(app: &App, look: Look) -> Vec<Line<'static>> {
    let shown = app.shown();
    let origin = shown.run.events.first().map_or(0, |event| event.time_ns);
    let past = &shown.run.events[..(shown.cursor + 1).min(shown.run.events.len())];
    let mut lines = Vec::new();
    for (at, host) in shown.run.hosts.iter().enumerate() {
        let name = caption::host(host, app.language);
        lines.push(Line::styled(name, look.lifeline(shown.run.lifeline(at)).patch(look.title())));
        let changes = past.iter().enumerate().filter(|(position, event)| {
            shown.lookup.host(*position) == Some(at)
                && matches!(event.kind, Kind::StateChanged { .. })
        });
        let last = changes.clone().next_back().map(|(position, _)| position);
        for (position, event) in changes {
            let Kind::StateChanged { from, to } = &event.kind else { continue };
            let is_now = Some(position) == last;
            let style = if is_now { look.bar() } else { look.lifeline(shown.run.lifeline(at)) };
            let reason = event.reason.map(|reason| reason.text(app.language)).unwrap_or_default();
            lines.push(Line::from(vec![
                Span::raw(format!("{:>12}  {:>12} → ", clock(event.time_ns, origin), from.name())),
                Span::styled(to.name(), style),
                Span::styled(format!("  {reason}"), look.faint()),
            ]));
        }
        if last.is_none() {
            lines.push(Line::styled(format!("{:>28}", "CLOSED"), look.faint()));
        }
        lines.push(Line::default());
    }
    lines
}
