//! What the person at the command line asked to see.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tcpstack::event::Language;

use super::live::Live;
use crate::lesson::{self, Lesson, LessonFile};
use crate::recording::log::{Log, LogError, WINDOW};
use crate::run::Run;

/// What a server shows, and in which language.
pub struct Session {
    /// What the page opens with.
    pub(super) opened: Opened,
    /// The language asked for; none: the browser's.
    language: Option<Language>,
    /// A live run that has become too long, as a recording.
    outgrown: OnceLock<RwLock<Log>>,
}

/// What the page opens with.
pub enum Opened {
    /// A lesson.
    Lesson {
        /// Its number.
        lesson: u32,
        /// One of its scenarios; none: the first.
        scenario: Option<String>,
        /// A teacher's own lesson, in the place of that with its number.
        own: Option<Box<LessonFile>>,
    },
    /// Recordings of any length.
    Log(RwLock<Log>),
    /// Something that was read whole, as a capture, and what it is called.
    Whole(Box<Run>),
    /// Recordings that are still being written.
    Live(Live),
}

/// The session as the page reads it.
#[derive(Serialize)]
pub(super) struct View {
    language: Option<&'static str>,
    open: Open,
}

/// See [`Opened`].
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Open {
    Lesson { lesson: u32, scenario: Option<String> },
    Log { name: String, events: u64, from_ns: u64, until_ns: u64, window: u64 },
    Live { name: String },
}

impl Session {
    /// A session that begins.
    pub fn new(opened: Opened, language: Option<Language>) -> Session {
        Session { opened, language, outgrown: OnceLock::new() }
    }

    /// The recording, if one was opened or a live run has become one.
    pub(super) fn log(&self) -> Result<Option<&RwLock<Log>>, LogError> {
        match &self.opened {
            Opened::Log(log) => Ok(Some(log)),
            Opened::Live(live) if live.is_too_long() => {
                if self.outgrown.get().is_none() {
                    let log = Log::open(live.paths())?;
                    // Another request may have been faster: its log is as good.
                    let _ = self.outgrown.set(RwLock::new(log));
                }
                Ok(self.outgrown.get())
            }
            _ => Ok(None),
        }
    }

    /// The lesson that `name` means: its number or its id.
    pub(super) fn lesson(&self, name: &str) -> Option<&LessonFile> {
        let number = name.parse().ok();
        let is_meant =
            |own: &&LessonFile| own.lesson.id == name || Some(own.lesson.number) == number;
        self.own().filter(is_meant).or_else(|| lesson::find(name))
    }

    /// Every lesson, by its number.
    pub(super) fn lessons(&self) -> Vec<Lesson> {
        let own = self.own().map(|own| own.lesson.clone());
        let others = lesson::lessons().iter().map(|file| &file.lesson);
        let others = others.filter(|one| own.as_ref().is_none_or(|own| own.number != one.number));
        let mut lessons: Vec<Lesson> = others.cloned().chain(own.clone()).collect();
        lessons.sort_by_key(|lesson| lesson.number);
        lessons
    }

    fn own(&self) -> Option<&LessonFile> {
        match &self.opened {
            Opened::Lesson { own, .. } => own.as_deref(),
            _ => None,
        }
    }

    /// What was read whole.
    pub(super) fn whole(&self) -> Option<&Run> {
        match &self.opened {
            Opened::Whole(run) => Some(run),
            _ => None,
        }
    }

    /// What the page opens with.
    pub(super) fn open(&self) -> Open {
        match &self.opened {
            Opened::Lesson { lesson, scenario, .. } => {
                Open::Lesson { lesson: *lesson, scenario: scenario.clone() }
            }
            Opened::Whole(run) => Open::Log {
                name: run.title.en.clone(),
                events: run.events.len() as u64,
                from_ns: run.events.first().map_or(0, |event| event.time_ns),
                until_ns: run.events.last().map_or(0, |event| event.time_ns),
                window: WINDOW,
            },
            Opened::Log(log) => open_log(log),
            Opened::Live(live) => match self.log() {
                Ok(Some(log)) => open_log(log),
                _ => Open::Live { name: names(live.paths()) },
            },
        }
    }
}

fn open_log(log: &RwLock<Log>) -> Open {
    let log = log.read().unwrap_or_else(PoisonError::into_inner);
    Open::Log {
        name: log.names().join(", "),
        events: log.events(),
        from_ns: 0,
        until_ns: log.until_ns(),
        window: WINDOW,
    }
}

fn names(paths: &[std::path::PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

pub(super) async fn session(State(session): State<Arc<Session>>) -> Json<View> {
    let language = session.language.map(|language| match language {
        Language::English => "en",
        Language::Chinese => "zh",
    });
    Json(View { language, open: session.open() })
}
