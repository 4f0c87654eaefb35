//! How long a call may wait: the three modes of Python's `settimeout`, and signals meanwhile.
//!
//! [`Waiting::run`] is the one place where the interpreter is released. It retries after a signal
//! whose handler did not raise (PEP 475), with what is left of the time, never with all of it.

use std::time::{Duration, Instant};

use pyo3::exceptions::{PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use tcpstack::host::Error;
use tcpstack::net::{Socket, SocketError};

use crate::errors::socket_error;
use crate::source::detach;

/// `settimeout(None)`, `settimeout(seconds)`, `settimeout(0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Patience {
    /// Wait until it is done.
    #[default]
    Forever,
    /// Wait that long, then `TimeoutError`.
    For(Duration),
    /// Do not wait: `BlockingIOError`.
    Never,
}

impl<'py> FromPyObject<'_, 'py> for Patience {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Patience> {
        match object.extract::<Option<f64>>()? {
            None => Ok(Patience::Forever),
            Some(0.0) => Ok(Patience::Never),
            Some(seconds) => Duration::try_from_secs_f64(seconds)
                .map(|time| Patience::For(time.max(Duration::from_micros(1))))
                .map_err(|_| PyValueError::new_err("Timeout value out of range")),
        }
    }
}

impl Patience {
    /// As `gettimeout()` returns it.
    pub(crate) fn seconds(self) -> Option<f64> {
        match self {
            Patience::Forever => None,
            Patience::For(time) => Some(time.as_secs_f64()),
            Patience::Never => Some(0.0),
        }
    }

    /// Makes `socket` wait this long in every call.
    pub(crate) fn apply(self, socket: &Socket) {
        let limit = match self {
            Patience::For(time) => Some(time),
            Patience::Forever | Patience::Never => None,
        };
        socket.set_nonblocking(self == Patience::Never);
        socket.set_recv_timeout(limit);
        socket.set_send_timeout(limit);
    }

    /// Starts the clock for one call on `socket`, which has this patience applied.
    pub(crate) fn start(self, socket: &Socket) -> Waiting<'_> {
        let deadline = match self {
            Patience::For(time) => now().checked_add(time),
            Patience::Forever | Patience::Never => None,
        };
        Waiting { socket, patience: self, deadline, shortened: false }
    }
}

/// One call of the program, which may take several of the stack's.
pub(crate) struct Waiting<'s> {
    socket: &'s Socket,
    patience: Patience,
    deadline: Option<Instant>,
    shortened: bool,
}

impl Waiting<'_> {
    /// Runs `call` without the interpreter until it succeeds, fails, or the time is up.
    pub(crate) fn run<T: Send>(
        &mut self,
        py: Python<'_>,
        mut call: impl FnMut(&Socket) -> Result<T, SocketError> + Send,
    ) -> PyResult<T> {
        loop {
            let socket = self.socket;
            match detach(py, || call(socket)) {
                Ok(value) => return Ok(value),
                Err(SocketError::Interrupted) => py.check_signals()?,
                Err(SocketError::Host(Error::WouldBlock | Error::InProgress | Error::Already))
                    if self.deadline.is_some() => {}
                Err(error) => return Err(socket_error(py, error)),
            }
            self.shorten()?;
        }
    }

    /// Lets the socket wait only for what is left, or says that nothing is.
    pub(crate) fn shorten(&mut self) -> PyResult<()> {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(PyTimeoutError::new_err("timed out"));
        }
        self.shortened = true;
        Patience::For(left).apply(self.socket);
        Ok(())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.shortened {
            self.patience.apply(self.socket);
        }
    }
}

/// The program's own clock: this is above the stack, where nothing is simulated.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}
