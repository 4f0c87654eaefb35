//! `tcpstack lab`: opens a lesson in the browser.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::Duration;

use tcpstack::event::Language;
use tcpstack_lab::lesson::{self, Lesson, LessonError, LessonFile};
use tcpstack_lab::open::{FileKind, OpenError, kind_of, open};
use tcpstack_lab::recording::log::{Log, LogError};
use tcpstack_lab::server::{Live, Opened, Server, ServerError, Session};

use crate::args::Lab;
use crate::language;

/// A file that was written to within this time is taken for one that is still being written.
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabError {
    /// What was named is neither a lesson nor a file.
    #[error("{0} is neither a lesson (1 to {1}, or its name) nor a file")]
    Unknown(String, usize),
    /// There is no such scenario.
    #[error("lesson {lesson} has no scenario {asked}; it has {ids}")]
    Scenario { asked: String, lesson: u32, ids: String },
    /// A teacher's own lesson cannot be read.
    #[error(transparent)]
    Lesson(#[from] LessonError),
    /// More was named than a lesson and a scenario.
    #[error("{0} is one too many: expected a lesson and at most one of its scenarios")]
    TooMuch(String),
    /// A file cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file is no recording.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The server could not be started, or ended by itself.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The terminal could not be used.
    #[cfg(feature = "terminal")]
    #[error(transparent)]
    Terminal(#[from] crate::terminal_command::TerminalError),
    /// The address could not be written.
    #[error("writing the address: {0}")]
    Write(#[from] io::Error),
}

/// Serves what `arguments` name until Ctrl-C.
pub(crate) fn lab(arguments: &Lab) -> Result<(), LabError> {
    #[cfg(feature = "terminal")]
    if arguments.terminal {
        return Ok(crate::terminal_command::terminal(&arguments.what, arguments.lang)?);
    }
    let opened = opened(arguments)?;
    let language = language::of(arguments.lang);
    let asked = arguments.lang.map(Language::from);
    let server = Server::bind(arguments.port, Session::new(opened, asked))?;
    let url = server.url();
    say(language, &url)?;
    if !arguments.no_open && ::open::that_detached(&url).is_err() {
        eprintln!("{}", no_browser(language));
    }
    Ok(server.run()?)
}

/// What the words on the command line mean.
fn opened(arguments: &Lab) -> Result<Opened, LabError> {
    let what = &arguments.what;
    let Some(first) = what.first() else {
        return Ok(Opened::Lesson { lesson: 1, scenario: None, own: None });
    };
    if let Some(lesson) = lesson::find(first) {
        return open_lesson(&lesson.lesson, &what[1..], None);
    }
    if Path::new(first).extension() == Some("toml".as_ref()) {
        let own = LessonFile::open(Path::new(first))?;
        return open_lesson(&own.lesson.clone(), &what[1..], Some(Box::new(own)));
    }
    let paths: Vec<PathBuf> = what.iter().map(PathBuf::from).collect();
    if arguments.follow || paths.iter().any(|path| is_being_written(path)) {
        return Ok(Opened::Live(Live::new(paths)));
    }
    if let Some(missing) = what.iter().find(|name| !Path::new(name).exists()) {
        return Err(LabError::Unknown(missing.clone(), number_of_lessons()));
    }
    if paths.iter().all(|path| matches!(kind_of(path), Ok(FileKind::Events))) {
        return Ok(Opened::Log(RwLock::new(Log::open(&paths)?)));
    }
    let whole = open(&paths)?;
    Ok(Opened::Whole(Box::new(whole.run)))
}

fn number_of_lessons() -> usize {
    lesson::lessons().len()
}

/// The lesson, with the scenario that is named behind it.
fn open_lesson(
    lesson: &Lesson,
    rest: &[String],
    own: Option<Box<LessonFile>>,
) -> Result<Opened, LabError> {
    if let Some(more) = rest.get(1) {
        return Err(LabError::TooMuch(more.clone()));
    }
    let scenario = rest.first().cloned();
    let ids: Vec<&str> = lesson.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    match scenario {
        Some(asked) if !ids.contains(&asked.as_str()) => {
            Err(LabError::Scenario { asked, lesson: lesson.number, ids: ids.join(", ") })
        }
        scenario => Ok(Opened::Lesson { lesson: lesson.number, scenario, own }),
    }
}

/// Whether a program has just written to the file, or is expected to.
fn is_being_written(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => {
            let age = metadata.modified().ok().and_then(|written| written.elapsed().ok());
            metadata.is_file() && age.is_some_and(|age| age < JUST_WRITTEN)
        }
        Err(error) => {
            error.kind() == io::ErrorKind::NotFound && path.extension() == Some("jsonl".as_ref())
        }
    }
}

fn say(language: Language, url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match language {
        Language::English => writeln!(out, "The lab is open at {url} (Ctrl-C ends it)")?,
        Language::Chinese => writeln!(out, "实验室已打开：{url} （按 Ctrl-C 结束）")?,
    }
    out.flush()
}

fn no_browser(language: Language) -> &'static str {
    match language {
        Language::English => "No browser could be started: open the address by hand.",
        Language::Chinese => "无法启动浏览器：请手动打开上面的地址。",
    }
}
