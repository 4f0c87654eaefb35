//! Files into a run, whatever they are: told by their first bytes, not by their names.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use tcpstack::event::Language;
use tcpstack::event::json::{self, ReadError};

use crate::capture::{self, CaptureError};
use crate::recording::{self, Source};
use crate::run::{FORMAT, Run, Text, VERSION};

/// What pcapng begins with, and pcap: microseconds, nanoseconds, and an old patch's, either way round.
const CAPTURE_MAGICS: [[u8; 4]; 6] = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x34, 0xcd, 0xb2, 0xa1],
];
/// So much of a file's beginning tells what it is.
const BEGINNING_LEN: u64 = 64;

/// What the files hold.
#[derive(Clone, Debug)]
pub struct Opened {
    /// As a run.
    pub run: Run,
    /// What is wrong with the files though they can be read, such as an end inside a line. What has
    /// to be said of a capture is in its [`Origin`](crate::run::Origin).
    pub warnings: Vec<Text>,
}

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be opened or read.
    #[error("{path}: {source}")]
    Open {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is something else altogether.
    #[error(
        "{path} is no run: expected what `events=FILE` writes, a capture (pcap or pcapng), or a run as JSON"
    )]
    Neither {
        /// Which.
        path: PathBuf,
    },
    /// A file is no recording.
    #[error("{path}: {source}")]
    Events {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// A file is no capture that can be read.
    #[error("{path}: {source}")]
    Capture {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: CaptureError,
    },
    /// A file is no run.
    #[error("{path}: no run of version {VERSION} ({source})")]
    Run {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A newer program wrote the run.
    #[error("{path}: version {found} of the format; this program reads version {VERSION}")]
    Version {
        /// Which.
        path: PathBuf,
        /// What it names.
        found: u32,
    },
    /// Files that do not go together.
    #[error("{path} is a {kind}, which is opened alone; only event files are opened together")]
    Alone {
        /// Which.
        path: PathBuf,
        /// `capture` or `run`.
        kind: &'static str,
    },
}

impl OpenError {
    /// The same for a reader, in each language. What system and parsers say stays as they say it.
    pub fn text(&self) -> Text {
        let zh = match self {
            OpenError::Open { path, source } => format!("无法打开 {}：{source}", path.display()),
            OpenError::Neither { path } => format!(
                "{} 不是运行记录：应为 `events=FILE` 写出的事件文件、抓包文件（pcap 或 pcapng）或 JSON 格式的运行记录",
                path.display()
            ),
            OpenError::Events { path, source } => {
                format!("{} 不是可用的事件文件：{source}", path.display())
            }
            OpenError::Capture { path, source } => {
                format!("{} 不是可用的抓包文件：{source}", path.display())
            }
            OpenError::Run { path, source } => {
                format!("{} 不是版本 {VERSION} 的运行记录：{source}", path.display())
            }
            OpenError::Version { path, found } => {
                format!("{} 的格式版本是 {found}，而本程序只能读版本 {VERSION}", path.display())
            }
            OpenError::Alone { path, kind } => {
                let kind = if *kind == "capture" { "抓包文件" } else { "运行记录" };
                format!("{} 是{kind}，只能单独打开；只有事件文件可以一起打开", path.display())
            }
        };
        Text { en: self.to_string(), zh }
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Events of one host, as `events=FILE` writes them.
    Events,
    /// pcap or pcapng.
    Capture,
    /// A run, as `export` writes it in JSON.
    Run,
    /// None of them.
    Other,
}

/// What the file at `path` is, by its first bytes. One that is empty so far, or that begins as JSON does,
/// counts as events: the error that reading gives then says what they begin with.
///
/// # Errors
/// The system's, when it cannot be opened or read.
pub fn kind_of(path: &Path) -> io::Result<FileKind> {
    kind_at_start(&mut File::open(path)?)
}

fn kind_at_start(file: &mut File) -> io::Result<FileKind> {
    let mut beginning = Vec::new();
    file.by_ref().take(BEGINNING_LEN).read_to_end(&mut beginning)?;
    file.rewind()?;
    if CAPTURE_MAGICS.iter().any(|magic| beginning.starts_with(magic)) {
        return Ok(FileKind::Capture);
    }
    let text: String = String::from_utf8_lossy(&beginning).split_whitespace().collect();
    let is_run = text.starts_with(&format!("{{\"format\":\"{FORMAT}\""));
    Ok(if is_run {
        FileKind::Run
    } else if text.is_empty() || text.starts_with('{') {
        FileKind::Events
    } else {
        FileKind::Other
    })
}

/// The run in `paths`: the event files of all its hosts, or one capture, or one run.
///
/// # Errors
/// What [`OpenError`] lists, each naming its file.
pub fn open(paths: &[PathBuf]) -> Result<Opened, OpenError> {
    let mut sources = Vec::new();
    let mut warnings = Vec::new();
    for path in paths {
        let failed = |source| OpenError::Open { path: path.clone(), source };
        let mut file = File::open(path).map_err(failed)?;
        let kind = kind_at_start(&mut file).map_err(failed)?;
        if kind == FileKind::Other {
            return Err(OpenError::Neither { path: path.clone() });
        }
        if kind != FileKind::Events {
            let kind_name = if kind == FileKind::Run { "run" } else { "capture" };
            let alone = OpenError::Alone { path: path.clone(), kind: kind_name };
            let run = || read_alone(path, file, kind);
            return if paths.len() == 1 { run() } else { Err(alone) };
        }
        let recording = json::read(BufReader::new(file))
            .map_err(|source| OpenError::Events { path: path.clone(), source })?;
        let name = path.display().to_string();
        warnings.extend(recording.cut_short.map(|line| cut_short(&name, line)));
        sources.push(Source { name, recording });
    }
    Ok(Opened { run: recording::run(&sources, false), warnings })
}

fn read_alone(path: &Path, file: File, kind: FileKind) -> Result<Opened, OpenError> {
    let input = BufReader::new(file);
    let run = if kind == FileKind::Capture {
        capture::run(&path.display().to_string(), input)
            .map_err(|source| OpenError::Capture { path: path.to_owned(), source })?
    } else {
        serde_json::from_reader::<_, Run>(input)
            .map_err(|source| OpenError::Run { path: path.to_owned(), source })?
    };
    if run.version != VERSION {
        return Err(OpenError::Version { path: path.to_owned(), found: run.version });
    }
    Ok(Opened { run, warnings: Vec::new() })
}

/// A recording that ends inside a line.
fn cut_short(name: &str, line: usize) -> Text {
    let say = |language| crate::text::Text::new(language).cut_short(name, line);
    Text { en: say(Language::English), zh: say(Language::Chinese) }
}
