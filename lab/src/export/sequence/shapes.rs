//! What a picture is made of.

use tcpstack::tcp::State;

/// A picture of a run, ready to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// What it is called.
    pub title: String,
    /// What is to be seen on it, for who cannot see it.
    pub description: String,
    /// The lifelines from left to right.
    pub lanes: Vec<Lane>,
    /// States along the lifelines.
    pub bars: Vec<Bar>,
    /// The segments.
    pub arrows: Vec<Arrow>,
    /// Calls that take time.
    pub brackets: Vec<Bracket>,
    /// Words beside the lifelines.
    pub notes: Vec<Note>,
    /// The clock.
    pub ticks: Vec<Tick>,
    /// Idle time.
    pub folds: Vec<Fold>,
    /// Events at the end that found no room.
    pub left_out: usize,
}

/// A lifeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Where it stands.
    pub x: f64,
    /// From here down.
    pub top: f64,
    /// To here.
    pub bottom: f64,
    /// Client, server.
    pub role: String,
    /// Name and address.
    pub name: String,
}

/// A part of a lifeline in one state.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Which lifeline.
    pub lane: usize,
    /// From here down.
    pub top: f64,
    /// To here.
    pub bottom: f64,
    /// The state.
    pub state: State,
}

/// A segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// Its flight in the run.
    pub flight: usize,
    /// Who sent it.
    pub lane: usize,
    /// Where it begins: x, y.
    pub from: (f64, f64),
    /// Where it ends: x, y.
    pub to: (f64, f64),
    /// How it ends.
    pub end: ArrowEnd,
    /// Whether part of it had been sent before.
    pub again: bool,
    /// Whether a copy of it had arrived.
    pub duplicate: bool,
    /// Flags and numbers.
    pub label: String,
    /// What can be said beside: the reason.
    pub detail: String,
}

/// How the line of a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowEnd {
    /// At the other host.
    Arrives,
    /// Nowhere.
    Lost,
    /// At the other host, which refuses it.
    Damaged,
    /// The run ends before.
    Underway,
    /// Nobody wrote down what became of it.
    Unwitnessed,
}

/// A call from its entry to its return.
#[derive(Clone, Debug, PartialEq)]
pub struct Bracket {
    /// Whose.
    pub lane: usize,
    /// Where it stands.
    pub x: f64,
    /// Which way its hooks point: from the lifeline away is where the words are.
    pub side: Side,
    /// From here down.
    pub top: f64,
    /// To here.
    pub bottom: f64,
    /// Whether it returned.
    pub returned: bool,
}

/// On which side of a lifeline something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left of it; texts end there.
    Left,
    /// Right of it; texts begin there.
    Right,
}

/// Words beside a lifeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Which lifeline.
    pub lane: usize,
    /// Where the words begin, or end if they stand on the left.
    pub x: f64,
    /// Their base line.
    pub y: f64,
    /// See `x`.
    pub side: Side,
    /// What they are.
    pub kind: NoteKind,
    /// The words.
    pub text: String,
    /// What can be said beside: arguments in full, the source's line, the reason.
    pub detail: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A call of the application.
    Call,
    /// A call that failed.
    Failure,
    /// A state.
    State,
    /// A timer.
    Timer,
    /// A packet that was dropped.
    Dropped,
    /// The congestion controller.
    Congestion,
}

/// A time beside the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its base line.
    pub y: f64,
    /// The time.
    pub text: String,
}

/// Idle time, folded.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// Its middle.
    pub y: f64,
    /// How long it was.
    pub text: String,
}
