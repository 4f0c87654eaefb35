//! Rows of styled text into characters for a terminal or a file: the one place that knows what a
//! style looks like.

use std::fmt::Write;

use anstyle::{AnsiColor, Effects};
use tcpstack::tcp::State;

use crate::diagram::{FlagKind, Line, Style};

/// `rows` as lines of text, coloured if `colour`.
pub fn render(rows: &[Line], colour: bool) -> String {
    let mut text = String::new();
    for row in rows {
        for span in row {
            let style = if colour { look(span.style) } else { anstyle::Style::new() };
            // Writing to a string cannot fail.
            let _ = write!(text, "{style}{}{style:#}", span.text);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// What a style looks like.
pub(crate) fn look(style: Style) -> anstyle::Style {
    let plain = anstyle::Style::new();
    let colour = |colour: AnsiColor| plain.fg_color(Some(colour.into()));
    match style {
        Style::Plain => plain,
        Style::Title => plain | Effects::BOLD | Effects::UNDERLINE,
        Style::Heading => plain | Effects::BOLD,
        Style::Dim | Style::Time | Style::Idle => plain | Effects::DIMMED,
        Style::State(state) => colour(state_colour(state)),
        Style::Arrow(lane) => colour(lane_colour(lane)),
        Style::Flags(FlagKind::Opens) => colour(AnsiColor::Green) | Effects::BOLD,
        Style::Flags(FlagKind::Ends) => colour(AnsiColor::Yellow) | Effects::BOLD,
        Style::Flags(FlagKind::Breaks) => colour(AnsiColor::Red) | Effects::BOLD,
        Style::Flags(FlagKind::Carries) => plain | Effects::BOLD,
        Style::Number => plain,
        Style::Initial => colour(AnsiColor::Green),
        Style::Call => colour(AnsiColor::BrightBlue),
        Style::Failure | Style::Lost => colour(AnsiColor::Red) | Effects::BOLD,
        Style::Again => colour(AnsiColor::Red),
        Style::Timer => colour(AnsiColor::Yellow),
        Style::Why => plain | Effects::ITALIC | Effects::DIMMED,
    }
}

/// Opening green-blue, open green, closing yellow, waiting magenta.
fn state_colour(state: State) -> AnsiColor {
    match state {
        State::Closed => AnsiColor::BrightBlack,
        State::Listen => AnsiColor::Blue,
        State::SynSent | State::SynReceived => AnsiColor::Cyan,
        State::Established => AnsiColor::Green,
        State::FinWait1 | State::FinWait2 | State::Closing => AnsiColor::Yellow,
        State::CloseWait | State::LastAck => AnsiColor::Yellow,
        State::TimeWait => AnsiColor::Magenta,
    }
}

fn lane_colour(lane: usize) -> AnsiColor {
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::BrightBlue, AnsiColor::BrightYellow][lane % 4]
}
