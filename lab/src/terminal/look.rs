//! What things look like, with colours and without: the notes' colours for buffers, one for each host, and where
//! NO_COLOR is set nothing but bold, dim and reversed.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::diagram;
use crate::render;

/// The colours of the screen, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) has_colour: bool,
}

impl Look {
    fn coloured(self, colour: Color) -> Style {
        if self.has_colour { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn alarm(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn praise(self) -> Style {
        self.coloured(Color::Green).add_modifier(Modifier::BOLD)
    }

    pub(super) fn reason(self) -> Style {
        self.coloured(Color::Yellow)
    }

    pub(super) fn lifeline(self, lifeline: usize) -> Style {
        self.coloured(
            [Color::Cyan, Color::Magenta, Color::LightBlue, Color::LightYellow][lifeline % 4],
        )
    }

    /// White: room. Drawn as `░`.
    pub(super) fn free(self) -> Style {
        self.coloured(Color::White)
    }

    /// Grey: sent and not acknowledged. Drawn as `▒`.
    pub(super) fn unacked(self) -> Style {
        self.coloured(Color::Gray)
    }

    /// Purple: not sent yet, or received. Drawn as `█`.
    pub(super) fn waiting(self) -> Style {
        self.coloured(Color::Magenta)
    }

    /// A row of the sequence diagram.
    pub(super) fn line(self, line: &diagram::Line) -> Line<'static> {
        let spans = line.iter().map(|span| Span::styled(span.text.clone(), self.style(span.style)));
        Line::from(spans.collect::<Vec<_>>())
    }

    /// The same look that [`render`] gives it.
    fn style(self, style: diagram::Style) -> Style {
        let look = render::look(style);
        let mut own = Style::new();
        if let (true, Some(anstyle::Color::Ansi(colour))) = (self.has_colour, look.get_fg_color()) {
            own = own.fg(Color::Indexed(anstyle::Ansi256Color::from_ansi(colour).index()));
        }
        let effects = look.get_effects();
        let pairs = [
            (anstyle::Effects::BOLD, Modifier::BOLD),
            (anstyle::Effects::DIMMED, Modifier::DIM),
            (anstyle::Effects::ITALIC, Modifier::ITALIC),
            (anstyle::Effects::UNDERLINE, Modifier::UNDERLINED),
        ];
        for (effect, modifier) in pairs {
            if effects.contains(effect) {
                own = own.add_modifier(modifier);
            }
        }
        own
    }
}
