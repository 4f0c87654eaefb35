//! Events on their way from the stack to Python.
//!
//! The stack's threads only put lines into a queue, so none of them ever waits for the
//! interpreter; Python takes them out at its own pace. A queue is bounded: what does not fit is
//! counted in `dropped`, and the stack goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pyo3::prelude::*;

/// How often a thread that waits for events looks for Ctrl-C.
const SIGNAL_CHECK: Duration = Duration::from_millis(100);

/// The lines between the stack and one reader.
pub(crate) struct Lines {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    dropped: u64,
    closed: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &str) {
        let mut state = self.lock();
        if state.lines.len() >= self.capacity {
            state.dropped += 1;
            return;
        }
        state.lines.push_back(line.to_owned());
        self.changed.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Everyone who reads the events of one stack.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<Mutex<Vec<Weak<Lines>>>>);

impl Readers {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Lines>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more reader; the first one makes `stack` observed.
    pub(crate) fn subscribe(&self, stack: &tcpstack::net::Stack, capacity: usize) -> EventQueue {
        let state = Mutex::new(State::default());
        let lines = Arc::new(Lines { state, changed: Condvar::new(), capacity: capacity.max(1) });
        self.lock().push(Arc::downgrade(&lines));
        let readers = self.clone();
        stack.on_event(Some(Box::new(move |line| readers.publish(line))));
        EventQueue { lines, readers: self.clone(), stack: stack.clone() }
    }

    fn publish(&self, line: &str) {
        for reader in self.lock().iter() {
            if let Some(lines) = reader.upgrade() {
                lines.push(line);
            }
        }
    }

    /// Ends every reader's stream, once what is queued has been read.
    pub(crate) fn close(&self) {
        for lines in self.lock().drain(..).filter_map(|reader| reader.upgrade()) {
            lines.close();
        }
    }
}

/// The events of a stack from here on, each one JSON object in a line.
#[pyclass(frozen, module = "tcpstack._tcpstack")]
pub(crate) struct EventQueue {
    lines: Arc<Lines>,
    readers: Readers,
    stack: tcpstack::net::Stack,
}

#[pymethods]
impl EventQueue {
    /// The next line, after at most `timeout` seconds; None at the end, or when time is up.
    #[pyo3(signature = (timeout=None))]
    fn get(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<String>> {
        let mut left = timeout.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
        loop {
            let slice = left.map_or(SIGNAL_CHECK, |left| left.min(SIGNAL_CHECK));
            let (line, ended) = py.detach(|| self.wait(slice));
            if line.is_some() || ended {
                return Ok(line);
            }
            py.check_signals()?;
            left = left.map(|left| left.saturating_sub(slice));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
        }
    }

    /// How many events found the queue full.
    #[getter]
    fn dropped(&self) -> u64 {
        self.lines.lock().dropped
    }

    /// Whether no more will come.
    #[getter]
    fn closed(&self) -> bool {
        self.lines.lock().closed
    }

    /// Stops reading; the last reader's leave switches the events off.
    fn close(&self, py: Python<'_>) {
        self.lines.close();
        py.detach(|| self.unsubscribe());
    }
}

impl EventQueue {
    fn wait(&self, at_most: Duration) -> (Option<String>, bool) {
        let waiting = self.lines.changed.wait_timeout_while(self.lines.lock(), at_most, |state| {
            state.lines.is_empty() && !state.closed
        });
        let (mut state, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        let line = state.lines.pop_front();
        let ended = state.closed && line.is_none();
        (line, ended)
    }

    fn unsubscribe(&self) {
        let mut readers = self.readers.lock();
        readers.retain(|reader| {
            reader.upgrade().is_some_and(|lines| !Arc::ptr_eq(&lines, &self.lines))
        });
        let last = readers.is_empty();
        // The lock goes first: an event being published on another thread needs it.
        drop(readers);
        if last && self.stack.is_open() {
            self.stack.on_event(None);
        }
    }
}

impl Drop for EventQueue {
    fn drop(&mut self) {
        self.unsubscribe();
    }
}
