//! The stack's event stream on its way out: to the file of `events=`, and to a function.
//!
//! A host writes its events while it is locked, and no system call is made then: lines are put
//! into a queue, which whoever leaves the lock empties into the file and the function, in order. A
//! reader too slow for the queue's bound is cut off rather than waited for.

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::source;
use crate::event::Observer;
use crate::event::json::{Header, JsonLines};

/// Bytes of lines that may wait for the file and the function.
const QUEUE_MAX: usize = 64 << 20;

/// Gets each event as one JSON object, without a newline.
pub type EventFunction = Box<dyn FnMut(&str) + Send>;

/// Lines on their way.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<Vec<u8>>>);

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // A vector of bytes is whole after a panic, too.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Queue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut queue = self.lock();
        if queue.len() + bytes.len() > QUEUE_MAX {
            return Err(io::Error::other("the reader of the events fell too far behind"));
        }
        queue.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where lines go.
#[derive(Default)]
struct Readers {
    file: Option<File>,
    callback: Option<EventFunction>,
}

/// The way of a stack's events from its host to their readers.
pub(super) struct EventStream {
    header: Header,
    is_on: AtomicBool,
    queue: Queue,
    readers: Mutex<Readers>,
}

impl EventStream {
    /// A stream that nobody reads yet; `header` opens the file, if there will be one.
    pub(super) fn new(header: Header) -> EventStream {
        EventStream {
            header,
            is_on: AtomicBool::new(false),
            queue: Queue::default(),
            readers: Mutex::default(),
        }
    }

    /// Whether anybody reads.
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(SeqCst)
    }

    /// Adds the file; the observer is for the host.
    pub(super) fn open_file(&self, mut file: File) -> io::Result<Box<dyn Observer>> {
        let log = JsonLines::new(self.queue.clone(), &self.header)?;
        file.write_all(&mem::take(&mut *self.queue.lock()))?;
        self.lock().file = Some(file);
        source::want();
        self.is_on.store(true, SeqCst);
        Ok(Box::new(log))
    }

    /// Sets or removes the function. `Some` is what the host's observer becomes; None: it keeps the
    /// one it has.
    pub(super) fn set_callback(
        &self,
        callback: Option<EventFunction>,
    ) -> Option<Option<Box<dyn Observer>>> {
        let mut readers = self.lock();
        readers.callback = callback;
        let wanted = readers.file.is_some() || readers.callback.is_some();
        if wanted == self.is_on.swap(wanted, SeqCst) {
            return None;
        }
        if !wanted {
            return Some(None);
        }
        source::want();
        let log = JsonLines::new(self.queue.clone(), &self.header).ok()?;
        // The header is the file's alone.
        self.queue.lock().clear();
        Some(Some(Box::new(log)))
    }

    /// Hands what waits to the readers. The host's lock may not be held: the function is the
    /// application's.
    pub(super) fn flush(&self) {
        if !self.is_on() {
            return;
        }
        loop {
            // Whoever holds it looks at the queue once more after letting go.
            let Ok(mut readers) = self.readers.try_lock() else { return };
            let lines = mem::take(&mut *self.queue.lock());
            readers.write(&lines);
            drop(readers);
            if self.queue.lock().is_empty() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    fn write(&mut self, lines: &[u8]) {
        if let Some(file) = &mut self.file
            && file.write_all(lines).is_err()
        {
            // A line may be cut in two: more lines would hide where.
            self.file = None;
        }
        let Some(callback) = &mut self.callback else { return };
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(line) = str::from_utf8(line) {
                callback(line);
            }
        }
    }
}
