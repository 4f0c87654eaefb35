//! What a picture is made of.

use tcpstack::tcp::State;

/// A picture of a run, ready to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picture {
    /// Pixels.
    pub(crate) width: f64,
    /// Pixels.
    pub(crate) height: f64,
    /// What it is called.
    pub(crate) title: String,
    /// What is to be seen on it, for who cannot see it.
    pub(crate) description: String,
    /// The lifelines from left to right.
    pub(crate) lanes: Vec<Lane>,
    /// States along the lifelines.
    pub(crate) bars: Vec<Bar>,
    /// The segments.
    pub(crate) arrows: Vec<Arrow>,
    /// Calls that take time.
    pub(crate) brackets: Vec<Bracket>,
    /// Words beside the lifelines.
    pub(crate) notes: Vec<Note>,
    /// The clock.
    pub(crate) ticks: Vec<Tick>,
    /// Idle time.
    pub(crate) folds: Vec<Fold>,
    /// Events at the end that found no room.
    pub(crate) left_out: usize,
}

/// A lifeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lane {
    /// Where it stands.
    pub(crate) x: f64,
    /// From here down.
    pub(crate) top: f64,
    /// To here.
    pub(crate) bottom: f64,
    /// Client, server.
    pub(crate) role: String,
    /// Name and address.
    pub(crate) name: String,
}

/// A part of a lifeline in one state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// Which lifeline.
    pub(crate) lane: usize,
    /// From here down.
    pub(crate) top: f64,
    /// To here.
    pub(crate) bottom: f64,
    /// The state.
    pub(crate) state: State,
}

/// A segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrow {
    /// Its flight in the run.
    pub(crate) flight: usize,
    /// Who sent it.
    pub(crate) lane: usize,
    /// Where it begins: x, y.
    pub(crate) from: (f64, f64),
    /// Where it ends: x, y.
    pub(crate) to: (f64, f64),
    /// How it ends.
    pub(crate) end: ArrowEnd,
    /// Whether part of it had been sent before.
    pub(crate) again: bool,
    /// Whether a copy of it had arrived.
    pub(crate) duplicate: bool,
    /// How far from its beginning its words begin, so that they do not lie on those of one that it overtakes.
    pub(crate) label_at: f64,
    /// Flags and numbers.
    pub(crate) label: String,
    /// What can be said beside: the reason.
    pub(crate) detail: String,
}

/// How the line of a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArrowEnd {
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
pub(crate) struct Bracket {
    /// Whose.
    pub(crate) lane: usize,
    /// Where it stands.
    pub(crate) x: f64,
    /// Which way its hooks point: from the lifeline away is where the words are.
    pub(crate) side: Side,
    /// From here down.
    pub(crate) top: f64,
    /// To here.
    pub(crate) bottom: f64,
    /// Whether it returned.
    pub(crate) returned: bool,
}

/// On which side of a lifeline something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Left of it; texts end there.
    Left,
    /// Right of it; texts begin there.
    Right,
}

/// Words beside a lifeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    /// Which lifeline.
    pub(crate) lane: usize,
    /// Where the words begin, or end if they stand on the left.
    pub(crate) x: f64,
    /// Their base line.
    pub(crate) y: f64,
    /// See `x`.
    pub(crate) side: Side,
    /// What they are.
    pub(crate) kind: NoteKind,
    /// The words.
    pub(crate) text: String,
    /// What can be said beside: arguments in full, the source's line, the reason.
    pub(crate) detail: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteKind {
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
pub(crate) struct Tick {
    /// Its base line.
    pub(crate) y: f64,
    /// The time.
    pub(crate) text: String,
}

/// Idle time, folded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    /// Its middle.
    pub(crate) y: f64,
    /// How long it was.
    pub(crate) text: String,
}
