//! `tcpstack lab`: opens a lesson in the browser.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::Duration;

use tcpstack::event::Language;
use tcpstack_lab::open::{FileKind, OpenError, kind_of, open};
use tcpstack_lab::recording::log::{Log, LogError};
use tcpstack_lab::server::{Live, Opened, Server, ServerError, Session};

use crate::args::Lab;
use crate::browser;
use crate::failure::Failure;
use crate::language;
use crate::subject::{Named, SubjectError, check_files, named};

/// A file that was written to within this time is taken for one that is still being written.
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabError {
    /// What was named cannot be shown.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// A file does not grow event by event.
    #[error("{} cannot be followed: only what `events=FILE` writes is shown as it grows", .0.display())]
    Follow(PathBuf),
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

impl From<LabError> for Failure {
    fn from(error: LabError) -> Failure {
        match error {
            LabError::Subject(why) => why.into(),
            #[cfg(feature = "terminal")]
            LabError::Terminal(why) => why.into(),
            LabError::Follow(ref path) => Failure::usage(
                &error,
                format!("无法跟踪 {}：只有 events=FILE 写出的文件会逐条增长", path.display()),
            ),
            LabError::Open(ref why) => Failure::other(&error, why.text().zh),
            LabError::Log(LogError::Open { ref path, ref source }) => {
                Failure::other(&error, format!("无法打开 {}：{source}", path.display()))
            }
            LabError::Log(LogError::Read { ref path, ref source }) => {
                Failure::other(&error, format!("{} 不是完好的记录：{source}", path.display()))
            }
            LabError::Server(ServerError::PortTaken { port }) => Failure::usage(
                &error,
                format!("端口 {port} 已被别的程序占用：请换一个，或者用 --port 0 任选一个空闲的"),
            ),
            LabError::Server(ref why) => {
                Failure::other(&error, format!("无法在 127.0.0.1 上提供页面：{why}"))
            }
            LabError::Write(ref why) => Failure::other(&error, format!("无法写出地址：{why}")),
        }
    }
}

/// Serves what `arguments` name until Ctrl-C.
pub(crate) fn lab(arguments: &Lab) -> Result<(), LabError> {
    #[cfg(feature = "terminal")]
    if arguments.terminal {
        return Ok(crate::terminal_command::terminal(&arguments.what, arguments.lang)?);
    }
    let language = language::of(arguments.lang);
    let opened = opened(arguments, language)?;
    let asked = arguments.lang.map(Language::from);
    let server = Server::bind(arguments.port, Session::new(opened, asked))?;
    let url = server.url();
    say(language, &url)?;
    if !arguments.no_open && !browser::open(&url) {
        eprintln!("{}", browser::word(language, server.port()));
    }
    Ok(server.run()?)
}

/// What the words on the command line mean.
fn opened(arguments: &Lab, language: Language) -> Result<Opened, LabError> {
    let paths = match named(&arguments.what)? {
        Named::Lesson { file, is_own, scenario } => {
            let lesson = file.lesson.number;
            return Ok(Opened::Lesson { lesson, scenario, own: is_own.then_some(file) });
        }
        Named::Files(paths) => paths,
    };
    if arguments.follow || paths.iter().any(|path| is_being_written(path)) {
        check_growing(&paths)?;
        say_live(language, &paths);
        return Ok(Opened::Live(Live::new(paths)));
    }
    check_files(&paths)?;
    let kinds = paths
        .iter()
        .map(|path| kind_of(path).map_err(|source| OpenError::Open { path: path.clone(), source }));
    if kinds.collect::<Result<Vec<_>, _>>()?.iter().all(|kind| *kind == FileKind::Events) {
        return Ok(Opened::Log(RwLock::new(Log::open(&paths)?)));
    }
    let whole = open(&paths)?;
    whole.warnings.iter().for_each(|text| eprintln!("tcpstack: {}", text.of(language)));
    Ok(Opened::Whole(Box::new(whole.run)))
}

/// Whether a program has just written events to the file, or is expected to.
fn is_being_written(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => {
            let age = metadata.modified().ok().and_then(|written| written.elapsed().ok());
            age.is_some_and(|age| age < JUST_WRITTEN)
                && matches!(kind_of(path), Ok(FileKind::Events))
        }
        Err(error) => {
            error.kind() == io::ErrorKind::NotFound && path.extension() == Some("jsonl".as_ref())
        }
    }
}

/// Whether each of the files that are there holds events.
fn check_growing(paths: &[PathBuf]) -> Result<(), LabError> {
    let grows = |path: &&PathBuf| !path.exists() || matches!(kind_of(path), Ok(FileKind::Events));
    match paths.iter().find(|path| !grows(path)) {
        Some(other) => Err(LabError::Follow(other.clone())),
        None => Ok(()),
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

/// What a live run is, and which of its files nobody has written yet: the name may be a slip.
fn say_live(language: Language, paths: &[PathBuf]) {
    let missing = paths.iter().filter(|path| !path.exists());
    for path in missing.map(|path| path.display()) {
        match language {
            Language::English => eprintln!(
                "{path} is not there yet: it is shown as soon as a program writes it (events={path} in its URL)."
            ),
            Language::Chinese => {
                eprintln!("{path} 还不存在：等程序开始写它（URL 里写 events={path}）就会显示出来。")
            }
        }
    }
    match language {
        Language::English => {
            eprintln!("This is a live run: it is shown as it happens, and cannot be played again.");
        }
        Language::Chinese => eprintln!("这是正在进行的运行：边发生边显示，不能重演。"),
    }
}
