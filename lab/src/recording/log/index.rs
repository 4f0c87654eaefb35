//! The index of one file: where its events lie, and what a few dozen of them at a time have in common.
//!
//! A file is read once from end to end, on all cores, and never again: what came since is read when it
//! has grown. Blocks are small, so that whatever is finer than a block costs a read of a few kilobytes.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use memchr::memchr;
use serde::{Deserialize, Serialize};
use tcpstack::event::json::ReadError;

use super::glance::{Glance, Glancer, MARKS, QUANTITIES};

/// Events in a block, at most.
pub(super) const BLOCK: u32 = 32;
/// Bytes that one thread takes at a time.
const CHUNK: u64 = 8 << 20;
/// So many chunks are fetched from the disk ahead of those that are looked at. Left alone, the system takes
/// two threads that go through one file for random access, and fetches little ahead.
const AHEAD: u64 = 4;
/// The longest line that an event has: `json::read` takes no longer ones either.
const MAX_LINE: usize = 1 << 20;

/// The least and the greatest of a quantity, in bytes.
pub(super) type Range = (u64, u64);

/// What the events of one connection in a block have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bounds {
    /// The connection's id on its host.
    pub(super) connection: u64,
    pub(super) ranges: [Range; QUANTITIES],
}

/// Some events that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// Where its first line begins.
    pub(super) offset: u64,
    /// Bytes of its lines.
    pub(super) len: u32,
    /// The number of its first event in the file, from 0.
    pub(super) first: u64,
    pub(super) events: u32,
    /// Times of the host's clock, of which none is earlier than one before it in the file.
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
    pub(super) marks: [u32; MARKS],
    pub(super) bounds: Vec<Bounds>,
}

/// The index of a file up to where it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) blocks: Vec<Block>,
    /// Everything before this is in the index; a line that is not whole yet begins here.
    pub(super) scanned: u64,
}

/// What reading has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes read from the files of events.
    pub bytes: u64,
    /// Lines looked at.
    pub lines: u64,
}

impl Index {
    /// Of a file whose first event is at `header_len`; nothing is read yet.
    pub(super) fn new(header_len: u64) -> Index {
        Index { blocks: Vec::new(), scanned: header_len }
    }

    pub(super) fn events(&self) -> u64 {
        self.blocks.last().map_or(0, |block| block.first + u64::from(block.events))
    }

    /// Reads on up to `until`, the file's length, and says what that took.
    ///
    /// # Errors
    /// Those of reading; a line that is no event, unless it is the last and not whole.
    pub(super) fn extend(&mut self, file: &File, until: u64) -> Result<Work, ReadError> {
        let chunks = scan(file, self.scanned, until);
        let mut work = Work::default();
        for chunk in chunks {
            work.bytes += chunk.work.bytes;
            work.lines += chunk.work.lines;
            for block in chunk.blocks {
                self.push(block);
            }
            self.scanned = self.scanned.max(chunk.end);
            if let Some(trouble) = chunk.trouble {
                // The header is line 1.
                return Err(trouble.at_line(self.events() as usize + 2));
            }
        }
        Ok(work)
    }

    /// Appends a block, with the numbers and times that follow from those before it.
    fn push(&mut self, mut block: Block) {
        block.first = self.events();
        let before_ns = self.blocks.last().map_or(0, |block| block.last_ns);
        block.first_ns = block.first_ns.max(before_ns);
        block.last_ns = block.last_ns.max(before_ns);
        self.blocks.push(block);
    }
}

/// What is found in a stretch of a file.
#[derive(Default)]
struct Chunk {
    blocks: Vec<Block>,
    /// Where its last whole line ends; 0 if it has none.
    end: u64,
    work: Work,
    trouble: Option<Trouble>,
}

/// What ends the reading, at a line that is known when all before it are counted.
enum Trouble {
    Io(io::Error),
    NoEvent(serde_json::Error),
    TooLong,
}

impl Trouble {
    fn at_line(self, line: usize) -> ReadError {
        match self {
            Trouble::Io(source) => ReadError::Io { line, source },
            Trouble::NoEvent(source) => ReadError::Event { line, source },
            Trouble::TooLong => ReadError::TooLong { line },
        }
    }
}

/// Reads `[from, until)` in chunks, each on whichever thread is free; they come back in order.
fn scan(file: &File, from: u64, until: u64) -> Vec<Chunk> {
    let count = until.saturating_sub(from).div_ceil(CHUNK);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(count as usize);
    let next = AtomicU64::new(0);
    fetch(file, from, until.min(from + AHEAD * CHUNK));
    let take = || {
        let mut own = Vec::new();
        let mut reader = Reader { file, glancer: Glancer::new(), buffer: Vec::new() };
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return own;
            }
            let start = from + at * CHUNK;
            let ahead = start + AHEAD * CHUNK;
            fetch(file, ahead.min(until), (ahead + CHUNK).min(until));
            own.push((at, reader.chunk(start, start == from, (start + CHUNK).min(until), until)));
        }
    };
    let mut chunks: Vec<(u64, Chunk)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        // A thread that panics ends the process's work as a panic here would.
        let join = |thread: thread::ScopedJoinHandle<'_, _>| match thread.join() {
            Ok(own) => own,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().flat_map(join).collect()
    });
    chunks.sort_by_key(|(at, _)| *at);
    chunks.into_iter().map(|(_, chunk)| chunk).collect()
}

/// Asks for `[from, until)` to be fetched; nobody waits for it.
fn fetch(file: &File, from: u64, until: u64) {
    if let Some(len) = NonZero::new(until.saturating_sub(from)) {
        // A file system that cannot do so fetches when it is read.
        let _ = rustix::fs::fadvise(file, from, Some(len), rustix::fs::Advice::WillNeed);
    }
}

/// Reads chunks one after the other.
struct Reader<'a> {
    file: &'a File,
    glancer: Glancer,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// The lines that begin in `[start, end)`; `until` is the file's end. A line begins at `start` if
    /// `begins` says so; else the first one begins behind the next newline at or after `start - 1`.
    fn chunk(&mut self, start: u64, begins: bool, end: u64, until: u64) -> Chunk {
        let mut chunk = Chunk::default();
        let from = if begins { start } else { start - 1 };
        if let Err(error) = self.fill(from, end, until) {
            chunk.trouble = Some(Trouble::Io(error));
            return chunk;
        }
        chunk.work.bytes = self.buffer.len() as u64;
        let mut at = 0;
        if !begins {
            match memchr(b'\n', &self.buffer) {
                Some(newline) => at = newline + 1,
                None => return self.without_line(chunk, until),
            }
        }
        while from + (at as u64) < end {
            let Some(len) = memchr(b'\n', &self.buffer[at..]) else {
                return self.without_line(chunk, until);
            };
            let line = &self.buffer[at..at + len];
            chunk.work.lines += 1;
            match self.glancer.glance(line) {
                Ok(glance) => chunk.add(glance, from + at as u64, len as u32 + 1),
                Err(source) => {
                    chunk.trouble = Some(Trouble::NoEvent(source));
                    return chunk;
                }
            }
            at += len + 1;
            chunk.end = from + at as u64;
        }
        chunk
    }

    /// Fills the buffer with `[from, end)` and what is left of the last line.
    fn fill(&mut self, from: u64, end: u64, until: u64) -> io::Result<()> {
        let len = (end - from) as usize;
        self.buffer.resize(len, 0);
        let had = read_at(self.file, &mut self.buffer, from)?;
        self.buffer.truncate(had);
        while had == len && self.buffer.last() != Some(&b'\n') {
            let (old, at) = (self.buffer.len(), from + self.buffer.len() as u64);
            let more = (until - at).min(1 << 16) as usize;
            if more == 0 || old - len > MAX_LINE {
                break;
            }
            self.buffer.resize(old + more, 0);
            let had = read_at(self.file, &mut self.buffer[old..], at)?;
            let line_end = memchr(b'\n', &self.buffer[old..old + had]).map_or(had, |at| at + 1);
            self.buffer.truncate(old + line_end);
            if had < more {
                break;
            }
        }
        Ok(())
    }

    /// There is no newline where one was looked for: the file ends here, or its line never does.
    fn without_line(&self, mut chunk: Chunk, _until: u64) -> Chunk {
        if self.buffer.len() as u64 > CHUNK + MAX_LINE as u64 {
            chunk.trouble = Some(Trouble::TooLong);
        }
        chunk
    }
}

impl Chunk {
    fn add(&mut self, glance: Glance, offset: u64, len: u32) {
        if self.blocks.last().is_none_or(|block| block.events == BLOCK) {
            let (first_ns, last_ns) = (glance.time_ns, glance.time_ns);
            let (marks, bounds) = ([0; MARKS], Vec::new());
            let empty =
                Block { offset, len: 0, first: 0, events: 0, first_ns, last_ns, marks, bounds };
            self.blocks.push(empty);
        }
        let Some(block) = self.blocks.last_mut() else { return };
        block.len += len;
        block.events += 1;
        block.last_ns = block.last_ns.max(glance.time_ns);
        for (count, marked) in block.marks.iter_mut().zip(glance.marks) {
            *count += u32::from(marked);
        }
        if let Some(sample) = glance.sample {
            widen(&mut block.bounds, glance.connection, sample.0.map(|value| (value, value)));
        }
    }
}

/// Makes room for more values of a connection.
pub(super) fn widen(bounds: &mut Vec<Bounds>, connection: u64, more: [Range; QUANTITIES]) {
    match bounds.iter_mut().find(|bounds| bounds.connection == connection) {
        Some(known) => {
            for (range, more) in known.ranges.iter_mut().zip(more) {
                *range = (range.0.min(more.0), range.1.max(more.1));
            }
        }
        None => bounds.push(Bounds { connection, ranges: more }),
    }
}

/// Fills `buffer` from `offset` on, and says with how many bytes: fewer at the end of the file.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match file.read_at(&mut buffer[len..], offset + len as u64) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
