//! Recordings of any length: opened by an index, read by windows, and seen whole in an overview.
//!
//! Of a file of gigabytes nothing is held but its index. A window is a few thousand events as an
//! ordinary run; the overview tells for each pixel the least and the greatest of what a sender knew, and
//! counts what went wrong, exactly, at any magnification: where a block of the index lies across two
//! pixels its lines are read again. Files may grow meanwhile: [`Log::refresh`] reads what came.

mod edges;
mod glance;
mod index;
mod kept;
mod overview;
mod rank;
mod window;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use tcpstack::event::json::{self, Header, ReadError};

use super::Axis;
use crate::run::Host;
use index::Index;

pub use index::Work;
pub use overview::{Marks, Overview, Series};

/// Shorter files are indexed in an instant: no index is left beside them.
const KEPT_FROM: u64 = 16 << 20;
/// Events that a page draws at once without an overview.
pub const WINDOW: u64 = 4_000;

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file cannot be opened.
    #[error("{path}: {source}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is no recording, or a line of it no event.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
}

/// One file.
struct Part {
    path: PathBuf,
    file: File,
    header: Header,
    /// The first line as it was read.
    head: Vec<u8>,
    index: Index,
}

/// The recordings of some hosts, as one.
pub struct Log {
    parts: Vec<Part>,
    axis: Axis,
    /// The hosts as the beginning tells of them: who opened is told there alone.
    hosts: Vec<Host>,
    work: Work,
    /// Bytes from which on a file gets an index beside it.
    kept_from: u64,
}

impl Log {
    /// Opens the files, by the indices beside them or by reading them once.
    ///
    /// # Errors
    /// A file that cannot be opened or is no recording, with the line that is no event.
    pub fn open(paths: &[PathBuf]) -> Result<Log, LogError> {
        Log::open_keeping(paths, KEPT_FROM)
    }

    /// As [`Log::open`], and leaves an index beside files of `kept_from` bytes and more.
    ///
    /// # Errors
    /// As for [`Log::open`].
    pub fn open_keeping(paths: &[PathBuf], kept_from: u64) -> Result<Log, LogError> {
        let parts = paths.iter().map(|path| Part::open(path)).collect::<Result<Vec<_>, _>>()?;
        let (axis, hosts, work) = (Axis::new(&[]), Vec::new(), Work::default());
        let mut log = Log { parts, axis, hosts, work, kept_from };
        log.refresh()?;
        Ok(log)
    }

    /// Reads what came since; whether there is more, or less, than before.
    ///
    /// # Errors
    /// As for [`Log::open`].
    pub fn refresh(&mut self) -> Result<bool, LogError> {
        let before = self.events();
        let is_new = self.hosts.is_empty();
        for part in &mut self.parts {
            let more = part.refresh(self.kept_from)?;
            self.work.bytes += more.bytes;
            self.work.lines += more.lines;
        }
        let has_changed = self.events() != before;
        // Once there is a page of it, more at the end changes nothing at the beginning.
        if is_new || (has_changed && before.min(self.events()) < WINDOW) {
            let beginnings: Vec<_> = self.parts.iter().map(Part::beginning).collect();
            self.axis = Axis::new(&beginnings);
            self.hosts = self.first_hosts()?;
        }
        Ok(has_changed)
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.parts.iter().map(|part| part.index.events()).sum()
    }

    /// When the last event was, in nanoseconds since the first one.
    pub fn until_ns(&self) -> u64 {
        let last = |(at, part): (usize, &Part)| {
            Some(self.axis.place(at, part.index.blocks.last()?.last_ns))
        };
        self.parts.iter().enumerate().filter_map(last).max().unwrap_or(0)
    }

    /// The names of the files.
    pub fn names(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.path.display().to_string()).collect()
    }

    /// What making the index has cost; nothing where it lay beside the file.
    pub fn work(&self) -> Work {
        self.work
    }
}

impl Part {
    fn open(path: &Path) -> Result<Part, LogError> {
        let open = |source| LogError::Open { path: path.to_owned(), source };
        let read = |source| LogError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(open)?;
        let mut line = Vec::new();
        let bounded = io::Read::take(&file, 1 << 20);
        BufReader::new(bounded).read_until(b'\n', &mut line).map_err(open)?;
        let header = json::read(line.as_slice()).map_err(read)?.header;
        let index = kept::load(path, &file).unwrap_or_else(|| Index::new(line.len() as u64));
        Ok(Part { path: path.to_owned(), file, header, head: line, index })
    }

    fn refresh(&mut self, kept_from: u64) -> Result<Work, LogError> {
        let open = |source| LogError::Open { path: self.path.clone(), source };
        let len = self.file.metadata().map_err(open)?.len();
        let mut head = vec![0; self.head.len()];
        index::read_at(&self.file, &mut head, 0).map_err(open)?;
        if len < self.index.scanned || head != self.head {
            // A program has begun it anew.
            *self = Part::open(&self.path)?;
        }
        let before = self.index.events();
        let read = |source| LogError::Read { path: self.path.clone(), source };
        let work = self.index.extend(&self.file, len).map_err(read)?;
        // Written again with every event that comes, it would cost more than it saves.
        let is_much_more = self.index.events() > before + before / 4;
        if len >= kept_from && is_much_more {
            // In memory it is as good, until the next time.
            let _ = kept::save(&self.path, &self.file, &self.index);
        }
        Ok(work)
    }

    /// What an axis is made of.
    fn beginning(&self) -> (&Header, Option<u64>) {
        (&self.header, self.index.blocks.first().map(|block| block.first_ns))
    }

    fn trouble(&self, source: ReadError) -> LogError {
        LogError::Read { path: self.path.clone(), source }
    }
}
