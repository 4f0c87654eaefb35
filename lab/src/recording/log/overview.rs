//! The whole of a recording, or a stretch of it, thinned out to so many pixels, and nothing lost: of
//! each quantity the least and the greatest in a pixel's time, of what went wrong how often it did.

use std::collections::BTreeMap;
use std::thread;

use serde::Serialize;

use super::glance::{Glance, MARKS, QUANTITIES};
use super::index::{Block, Bounds, Range, widen};
use super::rank::Blocks;
use super::{Log, LogError};

/// Pixels that are told of at most.
const MOST_PIXELS: u64 = 4_000;
/// Connections that are drawn: those with the most events to tell of.
const MOST_SERIES: usize = 8;

/// A stretch of time by its pixels. Times are nanoseconds since the first event of the recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Where the first pixel begins.
    pub from_ns: u64,
    /// Where the last pixel ends.
    pub until_ns: u64,
    /// How many pixels.
    pub pixels: u64,
    /// How many events the whole recording has.
    pub events: u64,
    /// For each pixel the number of the first event in it or behind it.
    pub first: Vec<u64>,
    /// What senders knew.
    pub series: Vec<Series>,
    /// What went wrong, where anything did.
    pub marks: Vec<Marks>,
}

/// What one end of a connection knew, in bytes: for each pixel the least and the greatest, or nothing
/// where nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The host's name.
    pub host: String,
    /// The connection's id on it.
    pub connection: u64,
    /// SND.NXT, counted from the ISS.
    pub seq: Vec<Option<Range>>,
    /// SND.UNA, counted from the ISS.
    pub ack: Vec<Option<Range>>,
    /// SND.UNA + SND.WND, counted from the ISS.
    pub window: Vec<Option<Range>>,
    /// The congestion window.
    pub cwnd: Vec<Option<Range>>,
    /// What is in flight.
    pub in_flight: Vec<Option<Range>>,
}

/// What went wrong in a pixel's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// Which pixel, from 0.
    pub pixel: u64,
    /// Segments that were sent again.
    pub retransmissions: u64,
    /// Events at which text is deemed lost: by a timeout, or with text that awaits repair.
    pub losses: u64,
    /// Packets that were refused.
    pub drops: u64,
    /// The number of an event in this pixel, at or before the first of them.
    pub first: u64,
}

impl Log {
    /// The stretch `[from_ns, until_ns]` in `pixels` columns; what is not sensible is made so.
    ///
    /// # Errors
    /// The files cannot be read any more.
    pub fn overview(&self, from_ns: u64, until_ns: u64, pixels: u64) -> Result<Overview, LogError> {
        let from_ns = from_ns.min(self.until_ns());
        let until_ns = until_ns.min(self.until_ns()).max(from_ns);
        let pixels = pixels.clamp(1, MOST_PIXELS);
        let scale = Scale { from_ns, until_ns, pixels };
        let parts = 0..self.parts.len();
        let columns: Vec<Columns> = thread::scope(|scope| {
            let threads: Vec<_> =
                parts.map(|part| scope.spawn(move || self.columns(part, scale))).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| match thread.join() {
                Ok(columns) => columns,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>, LogError>>()
        })?;
        let before = Blocks::new(self).all_before(from_ns)?;
        let mut first = Vec::with_capacity(pixels as usize);
        let mut number = before;
        for pixel in 0..pixels {
            first.push(number);
            number += columns.iter().map(|one| one.events(pixel)).sum::<u64>();
        }
        let marks = marks(&columns, &first, scale);
        let series = self.series(columns, scale);
        Ok(Overview { from_ns, until_ns, pixels, events: self.events(), first, series, marks })
    }

    /// What one file has to tell, pixel by pixel.
    fn columns(&self, part: usize, scale: Scale) -> Result<Columns, LogError> {
        let reader = Blocks::new(self);
        let place = |own_ns| self.axis.place(part, own_ns);
        let blocks = &self.parts[part].index.blocks;
        let start = blocks.partition_point(|block| place(block.last_ns) < scale.from_ns);
        let end = blocks.partition_point(|block| place(block.first_ns) <= scale.until_ns);
        let mut columns = Columns::default();
        for block in blocks.get(start..end).unwrap_or_default() {
            let pixels = [block.first_ns, block.last_ns].map(|own_ns| scale.pixel(place(own_ns)));
            match pixels {
                [Some(first), Some(last)] if first == last => columns.take(first, block),
                // It lies across pixels, or across the edge: each of its events belongs to one.
                _ => {
                    for glance in reader.glances(part, block)? {
                        if let Some(pixel) = scale.pixel(glance.time_ns) {
                            columns.take_one(pixel, &glance);
                        }
                    }
                }
            }
        }
        Ok(columns)
    }

    fn series(&self, columns: Vec<Columns>, scale: Scale) -> Vec<Series> {
        let mut all: Vec<(usize, Series)> = Vec::new();
        for (part, columns) in self.parts.iter().zip(columns) {
            for (connection, pixels) in columns.by_connection() {
                let quantity = |which: usize| {
                    let mut row = vec![None; scale.pixels as usize];
                    for (pixel, ranges) in &pixels {
                        row[*pixel as usize] = Some(ranges[which]);
                    }
                    row
                };
                let series = Series {
                    host: part.header.host.clone(),
                    connection,
                    seq: quantity(0),
                    ack: quantity(1),
                    window: quantity(2),
                    cwnd: quantity(3),
                    in_flight: quantity(4),
                };
                all.push((pixels.len(), series));
            }
        }
        all.sort_by_key(|(told, _)| std::cmp::Reverse(*told));
        all.into_iter().take(MOST_SERIES).map(|(_, series)| series).collect()
    }
}

/// Which pixel a time belongs to.
#[derive(Clone, Copy)]
struct Scale {
    from_ns: u64,
    until_ns: u64,
    pixels: u64,
}

impl Scale {
    fn pixel(self, time_ns: u64) -> Option<u64> {
        let inside = (self.from_ns..=self.until_ns).contains(&time_ns);
        let span = u128::from(self.until_ns - self.from_ns) + 1;
        let ahead = u128::from(time_ns.saturating_sub(self.from_ns));
        // Less than `pixels`, since `ahead` is less than `span`.
        inside.then(|| (ahead * u128::from(self.pixels) / span) as u64)
    }
}

/// What falls into one pixel.
#[derive(Clone, Default)]
struct Column {
    events: u64,
    marks: [u64; MARKS],
    bounds: Vec<Bounds>,
}

/// The pixels of one file that have events.
#[derive(Default)]
struct Columns(BTreeMap<u64, Column>);

/// The pixels of one connection.
type Pixels = Vec<(u64, [Range; QUANTITIES])>;

impl Columns {
    fn take(&mut self, pixel: u64, block: &Block) {
        let column = self.0.entry(pixel).or_default();
        column.events += u64::from(block.events);
        for (count, more) in column.marks.iter_mut().zip(block.marks) {
            *count += u64::from(more);
        }
        for bounds in &block.bounds {
            widen(&mut column.bounds, bounds.connection, bounds.ranges);
        }
    }

    fn take_one(&mut self, pixel: u64, glance: &Glance) {
        let column = self.0.entry(pixel).or_default();
        column.events += 1;
        for (count, marked) in column.marks.iter_mut().zip(glance.marks) {
            *count += u64::from(marked);
        }
        if let Some(sample) = glance.sample {
            let ranges = sample.0.map(|value| (value, value));
            widen(&mut column.bounds, glance.connection, ranges);
        }
    }

    fn events(&self, pixel: u64) -> u64 {
        self.0.get(&pixel).map_or(0, |column| column.events)
    }

    fn by_connection(&self) -> BTreeMap<u64, Pixels> {
        let mut found: BTreeMap<u64, Pixels> = BTreeMap::new();
        for (pixel, column) in &self.0 {
            for bounds in &column.bounds {
                found.entry(bounds.connection).or_default().push((*pixel, bounds.ranges));
            }
        }
        found
    }
}

fn marks(columns: &[Columns], first: &[u64], scale: Scale) -> Vec<Marks> {
    let of = |pixel: u64| {
        let mut sum = [0; MARKS];
        for column in columns.iter().filter_map(|columns| columns.0.get(&pixel)) {
            sum.iter_mut().zip(column.marks).for_each(|(sum, more)| *sum += more);
        }
        let [retransmissions, losses, drops] = sum;
        let first = first[pixel as usize];
        Marks { pixel, retransmissions, losses, drops, first }
    };
    let is_any = |marks: &Marks| marks.retransmissions + marks.losses + marks.drops > 0;
    (0..scale.pixels).map(of).filter(is_any).collect()
}
