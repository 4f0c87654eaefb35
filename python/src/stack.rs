//! A stack as Python sees it: opening, knobs, counters, connections, events, closing.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use tcpstack::host::Knobs;
use tcpstack::net;

use crate::connection::ConnectionInfo;
use crate::errors::{knob_error, open_error};
use crate::events::{EventQueue, Readers};

/// A running stack; `tcpstack.Stack` is the class that programs use.
#[pyclass(frozen, subclass, module = "tcpstack._tcpstack")]
pub(crate) struct Stack {
    stack: net::Stack,
    readers: Readers,
}

impl Stack {
    /// The stack to use for a new socket: the one given, or the default one.
    pub(crate) fn choose(py: Python<'_>, given: Option<&Bound<'_, Stack>>) -> PyResult<net::Stack> {
        if let Some(stack) = given {
            return Ok(stack.get().stack.clone());
        }
        let default = py.import("tcpstack._stack")?.call_method0("default_stack")?;
        Ok(default.cast::<Stack>()?.get().stack.clone())
    }
}

#[pymethods]
impl Stack {
    /// Opens `DEVICE?key=value&...`; without a URL, what $TCPSTACK says, or `unix:`.
    #[new]
    #[pyo3(signature = (url=None))]
    fn new(py: Python<'_>, url: Option<&str>) -> PyResult<Stack> {
        let stack = py
            .detach(|| url.map_or_else(net::Stack::default_stack, net::Stack::open))
            .map_err(|error| open_error(&error))?;
        Ok(Stack { stack, readers: Readers::default() })
    }

    /// Sends what is queued, ends every connection, stops the engine. Again: nothing happens.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.stack.close());
        self.readers.close();
    }

    /// Whether it has been closed.
    #[getter]
    fn closed(&self) -> bool {
        !self.stack.is_open()
    }

    /// The URL it was opened with.
    #[getter]
    fn url(&self) -> &str {
        self.stack.url()
    }

    /// Its own addresses.
    #[getter]
    fn addresses(&self) -> Vec<String> {
        self.stack.addresses().iter().map(ToString::to_string).collect()
    }

    /// Every connection and listening socket, SYN-RECEIVED and TIME-WAIT included.
    fn connections(&self, py: Python<'_>) -> Vec<ConnectionInfo> {
        py.detach(|| self.stack.connections()).into_iter().map(ConnectionInfo::from).collect()
    }

    /// What was counted so far, by name.
    fn counters(&self, py: Python<'_>) -> BTreeMap<&'static str, u64> {
        py.detach(|| self.stack.counters()).into_iter().collect()
    }

    /// A knob's value as text.
    fn sysctl_get(&self, py: Python<'_>, name: &str) -> Option<String> {
        py.detach(|| self.stack.sysctl_get(name))
    }

    /// Sets a knob from text.
    fn sysctl_set(&self, py: Python<'_>, name: &str, value: &str) -> PyResult<()> {
        py.detach(|| self.stack.sysctl_set(name, value)).map_err(|error| knob_error(&error))
    }

    /// Every knob there is.
    #[staticmethod]
    fn sysctl_names() -> Vec<&'static str> {
        Knobs::names().collect()
    }

    /// The events from here on.
    fn subscribe(&self, py: Python<'_>, capacity: usize) -> EventQueue {
        py.detach(|| self.readers.subscribe(&self.stack, capacity))
    }
}
