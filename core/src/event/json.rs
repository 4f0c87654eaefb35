//! Events as JSON lines: a header, then one object per event.
//!
//! Writing guarantees that an event has been handed to the writer, whole and flushed, when the
//! call returns: over a file, a process killed a moment later loses nothing. Reading accepts
//! exactly what was written, names the line of anything else, and takes a last line cut short by a
//! full disk or a kill for what it is. It refuses newer versions of the format and lines without
//! end.

use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{Event, Observer};

/// What the first line says the file is.
const FORMAT: &str = "tcpstack-events";
/// Rises when a reader of the version before could misread the file.
const VERSION: u32 = 1;
/// The longest line read, in bytes: some hundred times the longest one written.
const MAX_LINE: u64 = 1 << 20;

/// The first line of a file of events: who wrote it, and where its time begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// The host's name, as its events bear it.
    pub host: String,
    /// The URL that the host was opened with.
    pub url: String,
    /// Wall time of the clock's origin (`Instant::ZERO`), in nanoseconds since 1970; 0 under a
    /// virtual clock. With it the files of several machines share one axis.
    pub unix_epoch_ns: u64,
}

/// The header as it stands in the file.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct HeaderLine {
    format: String,
    version: u32,
    #[serde(flatten)]
    header: Header,
}

/// Writes every event as one line of JSON.
///
/// Each line is one `write` to `W` followed by a `flush`, never held back: the last events before
/// a crash are the ones worth reading, and lines stay whole. To a file that costs a few
/// microseconds an event, and only where somebody asked for events.
///
/// An observer cannot fail, so the first error ends the writing and is kept: see
/// [`JsonLines::failure`].
///
/// ```
/// use tcpstack::event::json::{Header, JsonLines, read};
///
/// let header = Header { host: "10.7.0.2".into(), url: "unix:".into(), unix_epoch_ns: 0 };
/// let mut file = Vec::new();
/// let log = JsonLines::new(&mut file, &header)?;
/// drop(log);
/// assert_eq!(read(file.as_slice())?.header, header);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JsonLines<W: Write + Send> {
    writer: W,
    line: Vec<u8>,
    failure: Arc<OnceLock<io::Error>>,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes the header. Errors are those of `writer`.
    pub fn new(mut writer: W, header: &Header) -> io::Result<JsonLines<W>> {
        let first =
            HeaderLine { format: FORMAT.to_owned(), version: VERSION, header: header.clone() };
        let mut line = serde_json::to_vec(&first)?;
        line.push(b'\n');
        writer.write_all(&line)?;
        writer.flush()?;
        Ok(JsonLines { writer, line, failure: Arc::default() })
    }

    /// Where the error appears that ended the writing; empty while all is well. The handle stays
    /// good when the log itself has been given to a host.
    pub fn failure(&self) -> Arc<OnceLock<io::Error>> {
        Arc::clone(&self.failure)
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)?;
        self.line.push(b'\n');
        self.writer.write_all(&self.line)?;
        self.writer.flush()
    }
}

impl<W: Write + Send> Observer for JsonLines<W> {
    fn event(&mut self, event: &Event) {
        // After an error the file may end inside a line; more lines would hide where.
        if self.failure.get().is_some() {
            return;
        }
        if let Err(error) = self.write(event) {
            // Only this thread sets it, and only once: the check above.
            let _ = self.failure.set(error);
        }
    }
}

/// One file of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its first line.
    pub header: Header,
    /// Its events, in the order of writing.
    pub events: Vec<Event>,
    /// The number of the last line if the writer was stopped inside it; that event is lost.
    pub cut_short: Option<usize>,
}

/// Why a file is not a recording. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// Where.
        line: usize,
        /// What the system said.
        source: io::Error,
    },
    /// There is no first line.
    #[error("the file is empty; its first line should be a `{FORMAT}` header")]
    Empty,
    /// The first line is something else.
    #[error("line 1 is no `{FORMAT}` header ({source})")]
    Header {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The first line names another format.
    #[error("line 1: the format is `{found}`, expected `{FORMAT}`")]
    Format {
        /// What it names.
        found: String,
    },
    /// A newer program wrote it.
    #[error("line 1: version {found} of the format; this program reads version {VERSION}")]
    Version {
        /// What it names.
        found: u32,
    },
    /// A line that is no event.
    #[error("line {line} is no event ({source})")]
    Event {
        /// Where.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line longer than any event.
    #[error("line {line} is longer than {MAX_LINE} bytes, which no event is")]
    TooLong {
        /// Where.
        line: usize,
    },
}

/// Reads a file of events.
///
/// # Errors
/// Anything but what [`JsonLines`] writes, with the line; a last line without its end is no
/// error, see [`Recording::cut_short`].
pub fn read(mut input: impl BufRead) -> Result<Recording, ReadError> {
    let mut line = Vec::new();
    if !read_line(&mut input, 1, &mut line)? {
        return Err(ReadError::Empty);
    }
    let first: HeaderLine =
        serde_json::from_slice(&line).map_err(|source| ReadError::Header { source })?;
    if first.format != FORMAT {
        return Err(ReadError::Format { found: first.format });
    }
    if first.version != VERSION {
        return Err(ReadError::Version { found: first.version });
    }
    let mut recording = Recording { header: first.header, events: Vec::new(), cut_short: None };
    let mut number = 2;
    while read_line(&mut input, number, &mut line)? {
        match serde_json::from_slice(&line) {
            Ok(event) => recording.events.push(event),
            // Only the last line can lack its newline.
            Err(_) if line.last() != Some(&b'\n') => recording.cut_short = Some(number),
            Err(source) => return Err(ReadError::Event { line: number, source }),
        }
        number += 1;
    }
    Ok(recording)
}

/// The next line with its newline, if it has one; false at the end of the input.
fn read_line(
    input: &mut impl BufRead,
    number: usize,
    line: &mut Vec<u8>,
) -> Result<bool, ReadError> {
    line.clear();
    let mut bounded = input.take(MAX_LINE);
    let len =
        bounded.read_until(b'\n', line).map_err(|source| ReadError::Io { line: number, source })?;
    if len as u64 == MAX_LINE && line.last() != Some(&b'\n') {
        return Err(ReadError::TooLong { line: number });
    }
    Ok(len > 0)
}

#[cfg(test)]
mod tests;
