//! The lesson's text: its sections, and the moments of this run that it speaks of.

use ratatui::text::{Line, Span};

use super::app::App;
use super::look::Look;
use super::words::Word;

pub(super) fn lines(app: &App, look: Look) -> Vec<Line<'static>> {
    let language = app.language;
    let Some(lesson) = &app.lesson else {
        return vec![Line::raw(Word::NoLesson.of(language))];
    };
    let shown = app.shown();
    let mut lines = vec![
        Line::styled(format!("{} {}", lesson.number, lesson.title.of(language)), look.title()),
        Line::default(),
    ];
    lines.extend(text(lesson.summary.of(language), look));
    for section in &lesson.sections {
        lines.push(Line::default());
        lines.push(Line::styled(section.title.of(language).to_owned(), look.title()));
        lines.extend(text(section.text.of(language), look));
        for id in &section.landmarks {
            let Some(mark) = shown.run.landmarks.iter().find(|mark| mark.id == *id) else {
                continue;
            };
            // The moments behind the cursor have been seen.
            let sign = if mark.at <= shown.cursor { "◆" } else { "◇" };
            lines.push(Line::from(vec![
                Span::styled(format!("{sign} {} ", mark.title.of(language)), look.reason()),
                Span::styled(mark.text.of(language).to_owned(), look.faint()),
            ]));
        }
    }
    lines
}

/// Paragraphs; the marks of `code` and **strong** are left out, what they mark is bold.
fn text(text: &str, look: Look) -> Vec<Line<'static>> {
    let line = |line: &str| {
        let parts = line.replace("**", "`");
        let spans = parts.split('`').enumerate().map(|(at, part)| match at % 2 {
            0 => Span::raw(part.to_owned()),
            _ => Span::styled(part.to_owned(), look.title()),
        });
        Line::from(spans.collect::<Vec<_>>())
    };
    text.lines().map(line).collect()
}
