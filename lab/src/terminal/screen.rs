//! The screen: a title, the tabs, one view or two side by side, what happened and why, the keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Wrap};

use super::app::{App, View};
use super::header::fit;
use super::look::Look;
use super::words::Word;
use super::{buffers, header, lesson, sequence, states, why};
use crate::caption;
use crate::diagram::LEAST_WIDTH;
use crate::text::clock;

/// Smaller than this, words would be cut off.
const LEAST_HEIGHT: u16 = 20;
/// From this width on a second view stands beside the sequence.
const SPLIT_WIDTH: u16 = 132;

/// Puts `app` on `frame`. A view that is scrolled past its end comes back to it.
pub fn draw(frame: &mut Frame, app: &mut App) {
    let area = frame.area();
    let look = Look { has_colour: app.has_colour };
    if usize::from(area.width) < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        let words = Word::TooSmall.of(app.language);
        let text = format!("{words} {}x{}", area.width, area.height);
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let now = if area.height >= 30 { 5 } else { 4 };
    let rows = [1, 1, 0, now, 1].map(|rows| match rows {
        0 => Constraint::Min(3),
        rows => Constraint::Length(rows),
    });
    let [title, tabs, body, below, keys] = Layout::vertical(rows).areas(area);
    frame.render_widget(title_line(app, look, title.width), title);
    frame.render_widget(tab_line(app, look), tabs);
    frame.render_widget(now_box(app, look), below);
    frame.render_widget(key_line(app, look), keys);
    views(frame, app, look, body);
    overlay(frame, app, look, body);
}

/// The view of the tab; on a wide screen beside the sequence.
fn views(frame: &mut Frame, app: &mut App, look: Look, body: Rect) {
    if body.width < SPLIT_WIDTH {
        return view(frame, app, look, body, app.view);
    }
    let halves = [Constraint::Fill(3), Constraint::Fill(2)];
    let [left, right] = Layout::horizontal(halves).spacing(1).areas(body);
    let beside = if app.view == View::Sequence { View::Buffers } else { app.view };
    view(frame, app, look, left, View::Sequence);
    view(frame, app, look, right, beside);
}

fn view(frame: &mut Frame, app: &mut App, look: Look, area: Rect, view: View) {
    let lines = match view {
        View::Sequence => return sequence::draw(frame, app, look, area),
        View::Buffers => buffers::lines(app, look, area.width),
        View::Header => header::lines(app, look, area.width),
        View::States => states::lines(app, look),
        View::Lesson => lesson::lines(app, look),
        View::Why => why::lines(app, look, area.height),
    };
    let text = Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false });
    let hidden = text.line_count(area.width).saturating_sub(usize::from(area.height));
    app.scroll = app.scroll.min(hidden);
    let scroll = u16::try_from(app.scroll).unwrap_or(u16::MAX);
    frame.render_widget(text.scroll((scroll, 0)), area);
}

/// Where the reader is, and before that as much of the title as there is room for.
fn title_line(app: &App, look: Look, room: u16) -> Line<'static> {
    let shown = app.shown();
    let scenario = shown.run.title.of(app.language);
    let full = app
        .lesson
        .as_ref()
        .map(|lesson| format!(" {} {} · {scenario}", lesson.number, lesson.title.of(app.language)));
    let short = format!(" {scenario}");
    let mut spans = place(app, look);
    let room = usize::from(room).saturating_sub(Line::from(spans.clone()).width());
    let fitting = full.filter(|full| Span::raw(full.as_str()).width() <= room);
    let title = fitting.unwrap_or_else(|| fit(&short, room).trim_end().to_owned());
    spans.insert(0, Span::styled(title, look.title()));
    Line::from(spans)
}

/// Which event the cursor is at, and what the reader is about.
fn place(app: &App, look: Look) -> Vec<Span<'static>> {
    let shown = app.shown();
    let origin = shown.run.events.first().map_or(0, |event| event.time_ns);
    let time = shown.run.events.get(shown.cursor).map(|event| clock(event.time_ns, origin));
    let word = Word::Event.of(app.language);
    let place = format!("  {word} {}/{}  ", shown.cursor + 1, shown.run.events.len());
    let mut spans = vec![Span::raw(place), Span::raw(time.unwrap_or_default())];
    if app.score.1 > 0 {
        let (right, asked) = app.score;
        let score = format!("  {} {right}/{asked}", Word::Score.of(app.language));
        spans.push(Span::styled(score, look.praise()));
    }
    if app.is_playing() {
        spans.push(Span::styled(format!("  ▶ {}", Word::Playing.of(app.language)), look.praise()));
    }
    if app.runs.len() > 1 {
        let word = if app.at + 1 == app.runs.len() { Word::After } else { Word::Before };
        spans.push(Span::styled(format!("  {}", word.of(app.language)), look.alarm()));
    }
    spans
}

fn tab_line(app: &App, look: Look) -> Line<'static> {
    let tab = |(at, view): (usize, &View)| {
        let text = format!(" {} {} ", at + 1, view.word().of(app.language));
        let style = if *view == app.view { look.bar() } else { look.faint() };
        [Span::styled(text, style), Span::raw(" ")]
    };
    Line::from(View::ALL.iter().enumerate().flat_map(tab).collect::<Vec<_>>())
}

/// What the cursor is at, and the rule that asked for it.
fn now_box(app: &App, look: Look) -> Paragraph<'static> {
    let shown = app.shown();
    let mut lines = Vec::new();
    if let Some(message) = &app.message {
        lines.push(Line::styled(message.clone(), look.alarm()));
    }
    if let Some(event) = shown.run.events.get(shown.cursor) {
        let host = shown.lookup.host(shown.cursor).unwrap_or(0);
        let what = caption::event(&shown.run, &shown.lookup, shown.cursor, app.language);
        lines.push(Line::from(vec![
            Span::styled(format!("{}  ", event.host), look.lifeline(shown.run.lifeline(host))),
            Span::styled(what, look.title()),
        ]));
        if let Some(reason) = caption::reason(event, app.language) {
            lines.push(Line::styled(reason, look.reason()));
        }
    }
    let block = Block::new().borders(Borders::TOP).title(Word::Now.of(app.language));
    Paragraph::new(Text::from(lines)).wrap(Wrap { trim: true }).block(block)
}

fn key_line(app: &App, look: Look) -> Line<'static> {
    Line::styled(Word::Keys.of(app.language), look.faint())
}

/// The keys or a question, over the views.
fn overlay(frame: &mut Frame, app: &App, look: Look, body: Rect) {
    let (title, lines) = if app.is_helping {
        let text = Word::HelpText.of(app.language);
        (Word::Help, text.lines().map(Line::raw).collect())
    } else if let Some(asked) = &app.question {
        (Word::Question, asked.lines(app.language, look))
    } else {
        return;
    };
    let width = body.width.saturating_sub(4).min(70);
    let text = Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false });
    let rows = text.line_count(width.saturating_sub(4)) + 2;
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(body.height);
    let middle = body.centered(Constraint::Length(width), Constraint::Length(height));
    let block = Block::bordered()
        .title(title.of(app.language))
        .padding(ratatui::widgets::Padding::horizontal(1));
    // A wide character that begins left of the box would cover its border.
    let around = Rect { x: middle.x.saturating_sub(1), width: middle.width + 1, ..middle };
    frame.render_widget(Clear, around.intersection(body));
    frame.render_widget(text.block(block), middle);
}
