//! Recordings that programs are still writing, read as they grow into a run that grows.
//!
//! Files are read one after the other, so the newest events of one may be younger than those of another
//! that are still unread. An event is therefore shown one reading later, when everything older has been
//! read for certain: the order of what was shown does not change any more. A file need not be there yet,
//! and one that is begun anew is read anew.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tcpstack::event::Event;
use tcpstack::event::json::{self, Header, ReadError, Recording};

use super::{Axis, Source, run_on};
use crate::run::Run;

/// Bytes that are read of a file at a time.
const CHUNK: u64 = 4 << 20;
/// The longest line that an event has: `json::read` takes no longer ones either.
const MAX_LINE: usize = 1 << 20;

/// Why a file cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct FollowError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: ReadError,
}

/// Reads files as they grow.
#[derive(Debug)]
pub struct Follower {
    tails: Vec<Tail>,
}

/// A file, and how far it was read.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    lines: usize,
    /// The first line as it was read, and what it says.
    head: Vec<u8>,
    header: Option<Header>,
    events: Vec<Event>,
    /// So many of `events` are shown.
    shown: usize,
}

impl Follower {
    /// Follows the files, which need not be there yet.
    pub fn new(paths: &[PathBuf]) -> Follower {
        Follower { tails: paths.iter().map(|path| Tail::new(path)).collect() }
    }

    /// Reads what came; whether there is more to show.
    ///
    /// # Errors
    /// A file that cannot be read, or a whole line in it that is no event.
    pub fn read(&mut self) -> Result<bool, FollowError> {
        let known: Vec<usize> = self.tails.iter().map(|tail| tail.events.len()).collect();
        let mut is_begun_anew = false;
        for tail in &mut self.tails {
            let read = tail.read();
            is_begun_anew |=
                read.map_err(|source| FollowError { path: tail.path.clone(), source })?;
        }
        let shown: usize = self.shown();
        let axis = self.axis();
        let newest = |tail: &Tail, known: usize, at: usize| {
            let last = tail.events.get(..known)?.last()?;
            Some(axis.place(at, last.time_ns))
        };
        let with_header: Vec<usize> = self.with_header().collect();
        let limit_ns = with_header
            .iter()
            .enumerate()
            .filter_map(|(at, index)| newest(&self.tails[*index], known[*index], at))
            .max();
        for (at, index) in with_header.into_iter().enumerate() {
            let tail = &mut self.tails[index];
            let new = &tail.events[tail.shown..];
            let is_due = |event: &&Event| {
                limit_ns.is_some_and(|limit| axis.place(at, event.time_ns) <= limit)
            };
            tail.shown += new.iter().take_while(is_due).count();
        }
        Ok(is_begun_anew || self.shown() > shown)
    }

    /// What is shown by now; more may come.
    pub fn run(&self) -> Run {
        let sources: Vec<Source> = self
            .with_header()
            .filter_map(|at| {
                let tail = &self.tails[at];
                let (header, events) = (tail.header.clone()?, tail.events[..tail.shown].to_vec());
                let recording = Recording { header, events, cut_short: None };
                Some(Source { name: tail.path.display().to_string(), recording })
            })
            .collect();
        run_on(&sources, true, &self.axis(), &[])
    }

    /// How many events are shown by now.
    pub fn shown(&self) -> usize {
        self.tails.iter().map(|tail| tail.shown).sum()
    }

    /// The files that have begun.
    fn with_header(&self) -> impl Iterator<Item = usize> {
        (0..self.tails.len()).filter(|at| self.tails[*at].header.is_some())
    }

    /// The axis of the files that have begun.
    fn axis(&self) -> Axis {
        let beginnings: Vec<_> = self
            .tails
            .iter()
            .filter_map(|tail| {
                Some((tail.header.as_ref()?, tail.events.first().map(|event| event.time_ns)))
            })
            .collect();
        Axis::new(&beginnings)
    }
}

impl Tail {
    fn new(path: &Path) -> Tail {
        Tail {
            path: path.to_owned(),
            file: None,
            offset: 0,
            rest: Vec::new(),
            lines: 0,
            head: Vec::new(),
            header: None,
            events: Vec::new(),
            shown: 0,
        }
    }

    /// Reads up to the end of the file; whether it was begun anew.
    fn read(&mut self) -> Result<bool, ReadError> {
        let line = self.lines + 1;
        self.read_on().map_err(|source| ReadError::Io { line, source })?.map_or(Ok(false), |anew| {
            self.take_lines()?;
            Ok(anew)
        })
    }

    /// Appends to `rest` what was written since; none: the file is not there yet.
    fn read_on(&mut self) -> io::Result<Option<bool>> {
        let is_first = self.file.is_none();
        if is_first {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut head = vec![0; self.head.len()];
        let head_len = file.read_at(&mut head, 0)?;
        let is_anew = file.metadata()?.len() < self.offset || head[..head_len] != *self.head;
        if is_anew {
            let file = self.file.take();
            *self = Tail { file, ..Tail::new(&self.path) };
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.take(CHUNK).read_to_end(&mut self.rest)? as u64;
        Ok(Some(is_anew))
    }

    /// Makes events of the lines that are whole.
    fn take_lines(&mut self) -> Result<(), ReadError> {
        let rest = std::mem::take(&mut self.rest);
        let mut lines = rest.split_inclusive(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next_if(|line| line.ends_with(b"\n")) {
            self.lines += 1;
            match &self.header {
                None => {
                    self.header = Some(json::read(line)?.header);
                    line.clone_into(&mut self.head);
                }
                Some(_) => {
                    let trouble = |source| ReadError::Event { line: self.lines, source };
                    self.events.push(serde_json::from_slice(line).map_err(trouble)?);
                }
            }
        }
        self.rest = lines.next().unwrap_or_default().to_vec();
        if self.rest.len() > MAX_LINE {
            return Err(ReadError::TooLong { line: self.lines + 1 });
        }
        Ok(())
    }
}
