//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tcpstack::event::Language;

use super::app::{App, View};
use super::ask::Asked;
use super::step;
use super::words::Word;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// The reader has seen enough.
    Quit,
}

impl App {
    /// Does what `key` asks for; keys that mean nothing do nothing.
    pub fn key(&mut self, key: KeyEvent) -> Flow {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && matches!(key.code, KeyCode::Char('c')) {
            return Flow::Quit;
        }
        if self.is_helping {
            self.is_helping = false;
            return Flow::Continue;
        }
        if self.question.is_some() {
            self.answer(key.code);
            return Flow::Continue;
        }
        if key.code == KeyCode::Char('q') {
            return Flow::Quit;
        }
        self.message = None;
        if !self.step(key.code) {
            self.act(key.code);
        }
        Flow::Continue
    }

    /// Moves the cursor, if the key does that.
    fn step(&mut self, code: KeyCode) -> bool {
        let shown = self.shown();
        let (run, cursor) = (&shown.run, shown.cursor);
        let to = match code {
            KeyCode::Right => cursor + 1,
            KeyCode::Left => cursor.saturating_sub(1),
            KeyCode::Char('n') => step::next_segment(run, cursor),
            KeyCode::Char('p') => step::previous_segment(run, cursor),
            KeyCode::Char('g') | KeyCode::Home => 0,
            KeyCode::Char('G') | KeyCode::End => shown.last(),
            KeyCode::Char('j') => step::behind_idle(run, cursor),
            _ => return false,
        };
        self.is_playing = false;
        self.go(to);
        true
    }

    fn act(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char(' ') => self.is_playing = !self.is_playing,
            KeyCode::Tab => self.turn(1),
            KeyCode::BackTab => self.turn(View::ALL.len() - 1),
            KeyCode::Char(digit @ '1'..='6') => {
                self.look_at(View::ALL[digit as usize - '1' as usize]);
            }
            KeyCode::Down => self.scroll = self.scroll.saturating_add(1),
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown => self.scroll = self.scroll.saturating_add(10),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::Char('d') => self.drop_selected(),
            KeyCode::Char('u') => self.undo(),
            KeyCode::Char('c') => self.compare(),
            KeyCode::Char('e') => self.ask(),
            KeyCode::Char('l') => {
                self.language = match self.language {
                    Language::English => Language::Chinese,
                    Language::Chinese => Language::English,
                };
            }
            KeyCode::Char('?' | 'h') => self.is_helping = true,
            _ => {}
        }
    }

    fn turn(&mut self, by: usize) {
        let at = View::ALL.iter().position(|view| *view == self.view).unwrap_or(0);
        self.look_at(View::ALL[(at + by) % View::ALL.len()]);
    }

    fn look_at(&mut self, view: View) {
        self.view = view;
        self.scroll = 0;
    }

    /// Stops before the next event that there is a question about.
    fn ask(&mut self) {
        self.is_playing = false;
        let shown = self.shown();
        let mut questions: Vec<_> = shown.run.questions.iter().collect();
        questions.sort_by_key(|question| question.before);
        let is_ahead = |before: usize| before > shown.cursor && before <= shown.last();
        let next = questions.into_iter().find(|question| is_ahead(question.before)).cloned();
        let Some(question) = next else { return self.say(Word::NoQuestion) };
        self.go(question.before - 1);
        self.question = Some(Asked::new(question));
    }

    fn answer(&mut self, code: KeyCode) {
        let Some(asked) = &mut self.question else { return };
        if asked.graded.is_some() || code == KeyCode::Esc {
            // The event itself, behind the answer.
            let next = asked.graded.map(|_| asked.question.before);
            self.question = None;
            if let Some(next) = next {
                self.go(next);
            }
            return;
        }
        if let Some(is_right) = asked.key(code) {
            self.score.0 += u32::from(is_right);
            self.score.1 += 1;
        }
    }
}
