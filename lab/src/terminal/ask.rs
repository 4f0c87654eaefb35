//! A question before its event, the answer as it is written, and whether it was right.

use ratatui::crossterm::event::KeyCode;
use ratatui::text::Line;
use tcpstack::event::Language;

use super::look::Look;
use super::words::Word;
use crate::run::Question;

/// The longest answer: sequence numbers have ten digits.
const MOST_CHARACTERS: usize = 24;

/// The keys of the choices: there are eleven states.
const CHOICES: &str = "123456789abcdefghijk";

/// A question that was asked.
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) written: String,
    /// Whether the answer was right, once there is one.
    pub(super) graded: Option<bool>,
}

impl Asked {
    pub(super) fn new(question: Question) -> Asked {
        Asked { question, written: String::new(), graded: None }
    }

    /// Writes on, or answers: whether that was right.
    pub(super) fn key(&mut self, code: KeyCode) -> Option<bool> {
        let choices = &self.question.choices;
        let answer = match code {
            KeyCode::Char(sign) if !choices.is_empty() => {
                choices.get(CHOICES.chars().position(|known| known == sign)?)?.clone()
            }
            KeyCode::Char(character) if self.written.len() < MOST_CHARACTERS => {
                self.written.extend(Some(character).filter(|one| !one.is_control()));
                return None;
            }
            KeyCode::Backspace => {
                self.written.pop();
                return None;
            }
            KeyCode::Enter if !self.written.is_empty() => self.written.clone(),
            _ => return None,
        };
        let is_right = same(&answer, &self.question.answer);
        self.written = answer;
        self.graded = Some(is_right);
        self.graded
    }

    pub(super) fn lines(&self, language: Language, look: Look) -> Vec<Line<'static>> {
        let question = &self.question;
        let mut lines = vec![Line::styled(question.text.of(language).to_owned(), look.title())];
        for (sign, choice) in CHOICES.chars().zip(&question.choices) {
            lines.push(Line::raw(format!("  {sign}  {choice}")));
        }
        lines.push(Line::default());
        let answer = Word::Answer.of(language);
        lines.push(Line::raw(format!("{answer}: {}▏", self.written)));
        match self.graded {
            None if question.choices.is_empty() => {
                lines.push(Line::styled(Word::TypeAnswer.of(language), look.faint()));
            }
            None => lines.push(Line::styled(Word::ChooseAnswer.of(language), look.faint())),
            Some(true) => lines.push(Line::styled(Word::Right.of(language), look.praise())),
            Some(false) => {
                let wrong = format!("{} {}", Word::Wrong.of(language), question.answer);
                lines.push(Line::styled(wrong, look.alarm()));
            }
        }
        if self.graded.is_some() {
            lines.push(Line::default());
            lines.push(Line::raw(question.explanation.of(language).to_owned()));
            lines.push(Line::styled(Word::GoOn.of(language), look.faint()));
        }
        lines
    }
}

/// Whether two answers are one: letters in any case, flags in any order and apart by `|`, `+` or commas, digits
/// grouped or not.
fn same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.replace([',', ' ', '_'], "").parse::<u64>().ok();
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return one == other;
    }
    let parts = |text: &str| {
        let upper = text.to_uppercase();
        let mut parts: Vec<String> = upper
            .split(['|', '+', ',', ' '])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        parts.sort_unstable();
        parts
    };
    parts(one) == parts(other)
}
