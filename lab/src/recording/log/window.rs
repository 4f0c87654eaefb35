//! A few thousand events out of a long recording, as a run of their own.

use tcpstack::event::Event;
use tcpstack::event::json::{Header, ReadError, Recording};

use super::edges;
use super::rank::Blocks;
use super::{Log, LogError, Part, WINDOW};
use crate::recording::{Source, run_on};
use crate::run::{Host, Run, Window};

/// Events that one window may have.
const MOST: u64 = 20_000;
/// Events beyond each edge that are read as well, to know what crosses it.
const MARGIN: u64 = 1_000;

impl Log {
    /// The events from number `first` on, `count` of them or as many as there are; a page's worth if
    /// that is not said. What crosses the edges of the window is told for what it is: underway.
    ///
    /// # Errors
    /// The files cannot be read any more, or a line is no event.
    pub fn window(&self, first: u64, count: Option<u64>) -> Result<Run, LogError> {
        let total = self.events();
        let first = first.min(total);
        let end = first.saturating_add(count.unwrap_or(WINDOW).min(MOST)).min(total);
        let (from, until) = (first.saturating_sub(MARGIN), end.saturating_add(MARGIN).min(total));
        let sources = self.sources(from, until)?;
        let mut run = run_on(&sources, false, &self.axis, &self.hosts);
        edges::settle(&mut run, from > 0, until < total);
        edges::cut(&mut run, (first - from) as usize..(end - from) as usize);
        edges::order_hosts(&mut run, &self.hosts);
        run.window = (end - first < total).then_some(Window { first, total });
        Ok(run)
    }

    /// The events `[first, end)` of the whole, file by file.
    fn sources(&self, first: u64, end: u64) -> Result<Vec<Source>, LogError> {
        let mut blocks = Blocks::new(self);
        let (from, until) = (blocks.split(first)?, blocks.split(end)?);
        let ranges = from.into_iter().zip(until);
        let source = |(part, (from, until)): (&Part, (u64, u64))| {
            let events = part.events(from, until)?;
            let header: Header = part.header.clone();
            let recording = Recording { header, events, cut_short: None };
            Ok(Source { name: part.path.display().to_string(), recording })
        };
        self.parts.iter().zip(ranges).map(source).collect()
    }

    /// The hosts, as the beginning of the recording tells of them.
    pub(super) fn first_hosts(&self) -> Result<Vec<Host>, LogError> {
        let end = self.events().min(WINDOW);
        Ok(run_on(&self.sources(0, end)?, false, &self.axis, &[]).hosts)
    }
}

impl Part {
    /// The events `[from, until)` of the file.
    fn events(&self, from: u64, until: u64) -> Result<Vec<Event>, LogError> {
        if from >= until {
            return Ok(Vec::new());
        }
        let blocks = &self.index.blocks;
        let start = blocks.partition_point(|block| block.first <= from).saturating_sub(1);
        let end = blocks.partition_point(|block| block.first < until);
        let Some((first, last)) = blocks.get(start).zip(blocks[..end].last()) else {
            return Ok(Vec::new());
        };
        let len = last.offset + u64::from(last.len) - first.offset;
        let bytes = self.bytes(first, first.offset, len)?;
        let lines = bytes.split(|byte| *byte == b'\n').zip(first.first..until);
        let wanted = lines.skip((from - first.first) as usize);
        let parse = |(line, number): (&[u8], u64)| {
            let trouble = |source| ReadError::Event { line: number as usize + 2, source };
            serde_json::from_slice(line).map_err(|source| self.trouble(trouble(source)))
        };
        wanted.map(parse).collect()
    }
}
