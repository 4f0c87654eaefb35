//! What is shown: the run, the cursor, the view, what was changed. Knows no terminal.

use tcpstack::event::Language;

use super::ask::Asked;
use super::step;
use super::words::Word;
use crate::book::Book;
use crate::lesson::Lesson;
use crate::run::lookup::Lookup;
use crate::run::{Action, Difference, Flight, Origin, Position, Rule, Run, Text};

/// Plays the scenario again with these rules.
pub type Again = Box<dyn FnMut(&[Rule]) -> Result<(Run, Option<Difference>), Text>>;

/// What there is to show.
pub struct Material {
    /// The run.
    pub run: Run,
    /// What there is to look up.
    pub book: Book,
    /// The lesson that it belongs to.
    pub lesson: Option<Lesson>,
    /// How it is played again; none: it cannot.
    pub again: Option<Again>,
    /// The language to begin with.
    pub language: Language,
    /// Whether there are colours: see NO_COLOR.
    pub has_colour: bool,
}

/// A view, in the order of the tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Sequence,
    Buffers,
    Header,
    States,
    Lesson,
    Why,
}

impl View {
    pub(super) const ALL: [View; 6] =
        [View::Sequence, View::Buffers, View::Header, View::States, View::Lesson, View::Why];

    pub(super) fn word(self) -> Word {
        match self {
            View::Sequence => Word::Sequence,
            View::Buffers => Word::Buffers,
            View::Header => Word::Header,
            View::States => Word::States,
            View::Lesson => Word::Lesson,
            View::Why => Word::Why,
        }
    }
}

/// A run with the ways about it.
pub(super) struct Shown {
    pub(super) run: Run,
    pub(super) lookup: Lookup,
    pub(super) cursor: Position,
}

impl Shown {
    fn new(run: Run) -> Shown {
        Shown { lookup: Lookup::new(&run), run, cursor: 0 }
    }

    /// The last position there is.
    pub(super) fn last(&self) -> Position {
        self.run.events.len().saturating_sub(1)
    }
}

/// The screen without the terminal.
pub struct App {
    pub(super) book: Book,
    pub(super) lesson: Option<Lesson>,
    pub(super) language: Language,
    pub(super) has_colour: bool,
    pub(super) view: View,
    pub(super) is_playing: bool,
    pub(super) is_helping: bool,
    /// Rows that the view is scrolled: down in a text, up from the end in a log.
    pub(super) scroll: usize,
    /// A word about what the last key did.
    pub(super) message: Option<String>,
    pub(super) question: Option<Asked>,
    /// Right answers, and all.
    pub(super) score: (u32, u32),
    /// The run, and before it what it was before each change.
    pub(super) runs: Vec<Shown>,
    /// Which of `runs` is looked at.
    pub(super) at: usize,
    again: Option<Again>,
    rules: Vec<Rule>,
}

impl App {
    /// Shows `material` from its first event on.
    pub fn new(material: Material) -> App {
        App {
            book: material.book,
            lesson: material.lesson,
            language: material.language,
            has_colour: material.has_colour,
            view: View::Sequence,
            is_playing: false,
            is_helping: false,
            scroll: 0,
            message: None,
            question: None,
            score: (0, 0),
            runs: vec![Shown::new(material.run)],
            at: 0,
            again: material.again,
            rules: Vec::new(),
        }
    }

    /// Whether time goes on by itself.
    pub fn is_playing(&self) -> bool {
        self.is_playing
    }

    /// One event on, while playing.
    pub fn beat(&mut self) {
        let shown = self.shown();
        match shown.cursor < shown.last() {
            true => self.go(self.shown().cursor + 1),
            false => self.is_playing = false,
        }
    }

    pub(super) fn shown(&self) -> &Shown {
        &self.runs[self.at]
    }

    pub(super) fn go(&mut self, cursor: Position) {
        let at = self.at;
        let last = self.shown().last();
        self.runs[at].cursor = cursor.min(last);
        self.scroll = 0;
    }

    pub(super) fn say(&mut self, word: Word) {
        self.message = Some(word.of(self.language).to_owned());
    }

    /// The flight at the cursor or before it.
    pub(super) fn selected(&self) -> Option<&Flight> {
        let Shown { run, lookup, cursor } = self.shown();
        step::selected_flight(run, lookup, *cursor).and_then(|at| run.flights.get(at))
    }

    /// Plays again without the segment at the cursor.
    pub(super) fn drop_selected(&mut self) {
        let run = &self.shown().run;
        if !matches!(run.origin, Origin::Simulated { .. }) || self.again.is_none() {
            return self.say(Word::OnlySimulated);
        }
        let named = self
            .selected()
            .and_then(|flight| Some((run.hosts.get(flight.from)?.name.clone(), flight.number?)));
        let Some((from, number)) = named else { return self.say(Word::NoFlight) };
        let rule = Rule { from, number, action: Action::Drop, of_scenario: false };
        let rules: Vec<Rule> = self.rules.iter().cloned().chain([rule]).collect();
        self.play_again(rules, Word::Dropped);
    }

    fn play_again(&mut self, rules: Vec<Rule>, done: Word) {
        let Some(again) = &mut self.again else { return };
        let (run, difference) = match again(&rules) {
            Ok(played) => played,
            Err(why) => return self.message = Some(why.of(self.language).to_owned()),
        };
        self.rules = rules;
        let cursor = self.shown().cursor;
        self.runs.truncate(self.at + 1);
        self.runs.push(Shown::new(run));
        self.at = self.runs.len() - 1;
        self.go(difference.as_ref().and_then(|one| one.after).unwrap_or(cursor));
        let text = difference.map(|one| one.text.of(self.language).to_owned());
        let mark = Word::FirstDifference.of(self.language);
        let found = text.map(|text| format!(" {mark}: {text}")).unwrap_or_default();
        self.message = Some(format!("{}{found}", done.of(self.language)));
    }

    /// Takes the last change back.
    pub(super) fn undo(&mut self) {
        if self.runs.len() == 1 {
            return self.say(Word::NothingToUndo);
        }
        self.runs.pop();
        self.rules.pop();
        self.at = self.runs.len() - 1;
        self.say(Word::Undone);
    }

    /// Looks at the run before the last change, or at the one after it.
    pub(super) fn compare(&mut self) {
        let last = self.runs.len() - 1;
        if last == 0 {
            return self.say(Word::NothingToUndo);
        }
        self.at = if self.at == last { last - 1 } else { last };
        self.say(if self.at == last { Word::After } else { Word::Before });
    }
}
