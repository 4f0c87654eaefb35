//! A lesson as a reader has it: texts in both languages, the scenarios that it plays, and what to try.
//!
//! A lesson is one TOML file (docs/LESSONS.md describes it); [`LessonFile`] is what it says once it has
//! been read and checked: the reader's [`Lesson`], and each [`Scenario`] as the stage plays it. What a
//! file says wrong is refused with its line and what would be right.

mod calls;
mod check;
mod error;
mod format;
mod hosts;
mod moments;
mod plan;
mod shelf;
mod values;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::{Rule, Text};
pub use error::LessonError;
pub use plan::{
    Call, EventPattern, HostPlan, Injection, InjectionSource, LandmarkPlan, Program, Repeat,
    Scenario, Step,
};
pub use shelf::{LessonFile, find, lessons};

/// A lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lesson {
    /// From 1: `tcpstack lab 9`.
    pub number: u32,
    /// `handshake`, `header`, ...
    pub id: String,
    /// Its title.
    pub title: Text,
    /// What is learned, in a sentence or two.
    pub summary: Text,
    /// The text, section by section.
    pub sections: Vec<Section>,
    /// The scenarios, the first of which is shown first.
    pub scenarios: Vec<ScenarioHead>,
}

/// A section of a lesson's text. Texts are paragraphs parted by empty lines, with `code` and **strong**.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// Its heading.
    pub title: Text,
    /// Its text.
    pub text: Text,
    /// The scenario that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The moments that it speaks of: ids of landmarks in that scenario's run.
    #[serde(default)]
    pub landmarks: Vec<String>,
}

/// What a reader sees of a scenario before it is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioHead {
    /// Unique in its lesson.
    pub id: String,
    /// Its title.
    pub title: Text,
    /// What is about to happen.
    pub text: Text,
    /// Shown beside these other scenarios of the lesson: two or three runs side by side.
    #[serde(default)]
    pub beside: Vec<String>,
    /// What is best seen first, beside the sequence diagram; none: the diagram alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// What to try on it.
    pub experiments: Vec<Experiment>,
}

/// What of a run a reader can look at beside its sequence diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// A segment's header, bit by bit.
    Header,
    /// The send and receive buffers of both ends.
    Buffers,
    /// The state machine with the ways of both hosts.
    States,
    /// Sequence numbers over time.
    TimeSequence,
    /// The congestion window and what limits the sender, over time.
    Congestion,
    /// Why each thing happened.
    Why,
    /// The programs, each at the line of its call.
    Programs,
}

/// Something to try: what a click on a segment would do as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// What to look for.
    pub text: Text,
    /// What is done to which packet.
    pub rules: Vec<Rule>,
}
