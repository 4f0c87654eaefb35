//! One order over all files: by time, and at the same time by file. Says how many events of each file
//! come before the n-th of the whole, by reading a block or two.

use super::glance::{Glance, Glancer};
use super::index::{Block, read_at};
use super::{Log, LogError, Part};
use tcpstack::event::json::ReadError;

/// Reads blocks of a log's files.
pub(super) struct Blocks<'a> {
    log: &'a Log,
    glancer: Glancer,
    /// The block of each file that was read last, with the times of its events on the common axis.
    last: Vec<Option<(u64, Vec<u64>)>>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(log: &'a Log) -> Blocks<'a> {
        Blocks { log, glancer: Glancer::new(), last: vec![None; log.parts.len()] }
    }

    /// What the events of a block tell at a glance; times are on the common axis, and never earlier
    /// than one before them in the file.
    pub(super) fn glances(&self, part: usize, block: &Block) -> Result<Vec<Glance>, LogError> {
        let lines = self.log.parts[part].lines(block)?;
        let mut time_ns = block.first_ns;
        let mut glances = Vec::with_capacity(block.events as usize);
        for (at, line) in lines.split(|byte| *byte == b'\n').take(block.events as usize).enumerate()
        {
            let number = block.first as usize + at + 2;
            let trouble = |source| ReadError::Event { line: number, source };
            let mut glance = self.glancer.glance(line).map_err(trouble);
            if let Ok(glance) = &mut glance {
                time_ns = time_ns.max(glance.time_ns);
                glance.time_ns = self.log.axis.place(part, time_ns);
            }
            glances.push(glance.map_err(|source| self.log.parts[part].trouble(source))?);
        }
        Ok(glances)
    }

    /// How many events of a file are not later than `time_ns`.
    pub(super) fn until(&mut self, part: usize, time_ns: u64) -> Result<u64, LogError> {
        let place = |own_ns| self.log.axis.place(part, own_ns);
        let blocks = &self.log.parts[part].index.blocks;
        let at = blocks.partition_point(|block| place(block.last_ns) <= time_ns);
        let Some(block) = blocks.get(at) else { return Ok(self.log.parts[part].index.events()) };
        if place(block.first_ns) > time_ns {
            return Ok(block.first);
        }
        if self.last[part].as_ref().is_none_or(|(first, _)| *first != block.first) {
            let times = self.glances(part, block)?.iter().map(|glance| glance.time_ns).collect();
            self.last[part] = Some((block.first, times));
        }
        let times = self.last[part].as_ref().map_or(&[][..], |(_, times)| times);
        Ok(block.first + times.partition_point(|time| *time <= time_ns) as u64)
    }

    /// How many events of all files are not later than `time_ns`.
    pub(super) fn all_until(&mut self, time_ns: u64) -> Result<u64, LogError> {
        (0..self.log.parts.len()).map(|part| self.until(part, time_ns)).sum()
    }

    /// How many events of all files are earlier than `time_ns`.
    pub(super) fn all_before(&mut self, time_ns: u64) -> Result<u64, LogError> {
        time_ns.checked_sub(1).map_or(Ok(0), |before| self.all_until(before))
    }

    /// How many of the first `number` events of the whole are in each file.
    pub(super) fn split(&mut self, number: u64) -> Result<Vec<u64>, LogError> {
        let parts = 0..self.log.parts.len();
        if number >= self.log.events() {
            return Ok(self.log.parts.iter().map(|part| part.index.events()).collect());
        }
        // The earliest time at which there are more.
        let (mut low, mut high) = (0, self.log.until_ns());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.all_until(middle)? > number { high = middle } else { low = middle + 1 }
        }
        let before = |blocks: &mut Blocks<'_>, part| {
            low.checked_sub(1).map_or(Ok(0), |earlier| blocks.until(part, earlier))
        };
        let mut split =
            parts.clone().map(|part| before(self, part)).collect::<Result<Vec<_>, _>>()?;
        let mut left = number.saturating_sub(split.iter().sum());
        for part in parts {
            let now = (self.until(part, low)? - split[part]).min(left);
            split[part] += now;
            left -= now;
        }
        Ok(split)
    }
}

impl Part {
    /// The lines of a block.
    pub(super) fn lines(&self, block: &Block) -> Result<Vec<u8>, LogError> {
        self.bytes(block, block.offset, u64::from(block.len))
    }

    /// So many bytes from `offset` on, of which `block`'s are the first.
    pub(super) fn bytes(&self, block: &Block, offset: u64, len: u64) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; len as usize];
        let line = block.first as usize + 2;
        let io = |source| self.trouble(ReadError::Io { line, source });
        let had = read_at(&self.file, &mut bytes, offset).map_err(io)?;
        bytes.truncate(had);
        Ok(bytes)
    }
}
