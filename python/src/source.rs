//! The line of the Python program that makes a call, for the event stream: the nearest frame outside this
//! package and the standard `socket` module. It is looked for only where events are read.

use std::cell::RefCell;
use std::sync::Once;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tcpstack::event::Source;
use tcpstack::net;

thread_local! {
    /// The line that makes the call under way.
    static LINE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// Where frames are not the program's: the package's folder, and the file of the standard module.
static INSIDE: PyOnceLock<(String, String)> = PyOnceLock::new();

/// Releases the interpreter for a call into the stack. The one way to do so: it tells the events whose
/// call it is.
pub(crate) fn detach<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> T {
    if !net::wants_source() {
        return py.detach(call);
    }
    static TOLD: Once = Once::new();
    TOLD.call_once(|| net::set_source_teller(|| LINE.with_borrow(Option::clone)));
    // A program without frames, or with strange ones, is told of without lines.
    LINE.set(caller(py).ok().flatten());
    let result = py.detach(call);
    LINE.set(None);
    result
}

fn caller(py: Python<'_>) -> PyResult<Option<Source>> {
    let (package, module) = INSIDE.get_or_try_init(py, || -> PyResult<(String, String)> {
        let package = py.import("tcpstack")?.getattr("__path__")?.get_item(0)?.extract()?;
        Ok((package, py.import("socket")?.getattr("__file__")?.extract()?))
    })?;
    let mut frame = py.import("sys")?.call_method0("_getframe")?;
    while !frame.is_none() {
        let file: String = frame.getattr("f_code")?.getattr("co_filename")?.extract()?;
        let is_inside = file == *module
            || file.strip_prefix(package.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if !is_inside {
            let line = frame.getattr("f_lineno")?.extract()?;
            return Ok(Some(Source { file: file.into(), line }));
        }
        frame = frame.getattr("f_back")?;
    }
    Ok(None)
}
