//! The sequence diagram up to the cursor: the text diagram of `show`, its end in sight.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Text;
use ratatui::widgets::Paragraph;

use super::app::App;
use super::look::Look;
use crate::diagram::{self, Options};
use crate::run::until;
use crate::story::{What, condense, find_conversations, tell, tell_all};

/// Wider than this, eyes get lost between the lifelines.
const WIDEST: u16 = 140;

pub(super) fn draw(frame: &mut Frame, app: &mut App, look: Look, area: Rect) {
    let shown = app.shown();
    let run = until(&shown.run, shown.cursor);
    // Of the whole run, so that lifelines stay where they are while the cursor moves.
    let conversations = find_conversations(&shown.run.events);
    let mut story = match conversations.len() {
        1 => tell(&run, &conversations, 1),
        _ => tell_all(&run, &conversations),
    };
    // The run's own zero, as in the title and in the other views; the first SYN's would shift all times when
    // the cursor comes to it.
    story.origin_ns = shown.run.events.first().map_or(0, |event| event.time_ns);
    if shown.cursor < shown.last() {
        // It is the reader who stops here, and not a host's recording.
        story.moments.retain(|moment| moment.what != What::RecordingEnds);
    }
    let width = usize::from(area.width.min(WIDEST));
    let options = Options { width, language: app.language, why: false, brief: true };
    let drawn = diagram::sequence(&condense(story, false), options);
    let rows = u16::try_from(drawn.heading.len()).unwrap_or(u16::MAX);
    let [above, below] =
        Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(area);
    let text = |lines: &[diagram::Line]| Text::from_iter(lines.iter().map(|line| look.line(line)));
    frame.render_widget(Paragraph::new(text(&drawn.heading)), above);
    let hidden = drawn.rows.len().saturating_sub(usize::from(below.height));
    // Here scrolling goes back into the past.
    app.scroll = app.scroll.min(hidden);
    let first = hidden - app.scroll;
    frame.render_widget(Paragraph::new(text(&drawn.rows[first..])), below);
}
