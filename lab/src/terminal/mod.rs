//! A run in a terminal: the page's views for who works where there is no browser.
//!
//! [`App`] is what is shown and what keys do, without a terminal; [`draw`] puts it on a frame; [`show`] owns the
//! screen. Every view is a function of (run, cursor), and shows nothing that comes behind the cursor.

mod app;
mod ask;
mod buffers;
mod header;
mod keys;
mod lesson;
mod look;
mod screen;
mod sequence;
mod states;
mod step;
mod why;
mod words;

use std::io;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

pub use app::{Again, App, Material};
pub use keys::Flow;
pub use screen::draw;

/// How long an event is looked at while playing.
const BEAT: Duration = Duration::from_millis(450);

/// Shows `material` until the reader has seen enough. The screen is as it was before when this returns, and if
/// it panics: ratatui's hook sees to that.
///
/// # Errors
/// Those of the terminal: there is none, or it went away.
pub fn show(material: Material) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let result = run(&mut terminal, App::new(material));
    ratatui::try_restore()?;
    result
}

fn run(terminal: &mut DefaultTerminal, mut app: App) -> io::Result<()> {
    loop {
        terminal.draw(|frame| draw(frame, &mut app))?;
        if app.is_playing() && !event::poll(BEAT)? {
            app.beat();
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        if key.kind != KeyEventKind::Release && app.key(key) == Flow::Quit {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
