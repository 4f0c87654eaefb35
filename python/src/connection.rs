//! One row of `Stack.connections()`, and what `info()` returns.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::address;

/// A connection or listening socket at one moment.
#[pyclass(frozen, module = "tcpstack")]
pub(crate) struct ConnectionInfo(tcpstack::host::ConnectionInfo);

impl From<tcpstack::host::ConnectionInfo> for ConnectionInfo {
    fn from(info: tcpstack::host::ConnectionInfo) -> ConnectionInfo {
        ConnectionInfo(info)
    }
}

#[pymethods]
impl ConnectionInfo {
    /// Unique on its stack for the stack's life; events bear it too.
    #[getter]
    fn id(&self) -> u64 {
        self.0.id
    }

    /// This end's address.
    #[getter]
    fn local<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        address::to_tuple(py, self.0.local)
    }

    /// The other end's address; None for a socket that listens.
    #[getter]
    fn remote<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.remote.map(|remote| address::to_tuple(py, remote)).transpose()
    }

    /// The state by the RFC's name, as `FIN-WAIT-1`.
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.name()
    }

    /// Bytes not yet acknowledged by the peer.
    #[getter]
    fn send_queue(&self) -> usize {
        self.0.send_queue
    }

    /// Bytes that wait for the application (a listener: connections that wait for accept).
    #[getter]
    fn receive_queue(&self) -> usize {
        self.0.receive_queue
    }

    /// Whether the application has closed it already.
    #[getter]
    fn orphan(&self) -> bool {
        self.0.orphan
    }

    fn __repr__(&self) -> String {
        let info = &self.0;
        let remote = info.remote.map_or_else(|| "*".to_owned(), |remote| remote.to_string());
        format!("<ConnectionInfo {} {} -> {remote}>", info.state.name(), info.local)
    }
}
