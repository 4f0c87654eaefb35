//! The stack's errors as the exceptions that the standard `socket` module raises.
//!
//! Every failure of a socket is an `OSError` with Linux's errno and text, so that the interpreter
//! itself picks the subclass (`ConnectionRefusedError`, `BlockingIOError`, ...).

use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use tcpstack::host::KnobError;
use tcpstack::net::{OpenError, SocketError};

use crate::direct::HandedOut;

/// `OSError(errno, os.strerror(errno))`.
pub(crate) fn os_error(py: Python<'_>, errno: i32) -> PyErr {
    let text = py
        .import("os")
        .and_then(|os| os.call_method1("strerror", (errno,)))
        .and_then(|text| text.extract::<String>());
    match text {
        Ok(text) => PyOSError::new_err((errno, text)),
        Err(error) => error,
    }
}

/// The exception for a failed call on a socket.
pub(crate) fn socket_error(py: Python<'_>, error: SocketError) -> PyErr {
    match error {
        SocketError::HandedOut => HandedOut::new_err(()),
        _ => os_error(py, error.errno()),
    }
}

/// A wrong URL is a `ValueError`, a device that could not be opened an `OSError`; the message says
/// which key or device it was.
pub(crate) fn open_error(error: &OpenError) -> PyErr {
    match error {
        OpenError::Device { .. } => PyOSError::new_err((error.errno(), error.to_string())),
        OpenError::Url(_) | OpenError::Knob(_) => PyValueError::new_err(error.to_string()),
    }
}

/// An unknown knob is a `KeyError` (knobs are a mapping in Python), a bad value a `ValueError`.
pub(crate) fn knob_error(error: &KnobError) -> PyErr {
    match error {
        KnobError::Unknown(_) => PyKeyError::new_err(error.to_string()),
        KnobError::Invalid { .. } => PyValueError::new_err(error.to_string()),
    }
}
