//! `TcpListener`: accepts [`TcpStream`]s straight from the stack.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tcpstack::host::SocketOption;
use tcpstack::net::Socket;

use crate::address::{self, Address};
use crate::connection::ConnectionInfo;
use crate::errors::socket_error;
use crate::patience::Patience;
use crate::stack::Stack;
use crate::stream::{self, TcpStream};

/// A listening socket. Usable from many threads.
#[pyclass(frozen, module = "tcpstack", weakref)]
pub(crate) struct TcpListener {
    socket: Arc<Socket>,
    patience: Mutex<Patience>,
}

impl TcpListener {
    fn patience(&self) -> Patience {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_patience(&self, patience: Patience) {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = patience;
        patience.apply(&self.socket);
    }
}

/// What accept() returns.
type Accepted<'py> = (TcpStream, Bound<'py, PyTuple>);

#[pymethods]
impl TcpListener {
    /// Binds (host, port), port 0 for any, and listens. An address in TIME-WAIT may be reused.
    #[staticmethod]
    #[pyo3(signature = (address, stack=None, backlog=128))]
    fn bind(
        py: Python<'_>,
        address: Address,
        stack: Option<&Bound<'_, Stack>>,
        backlog: u32,
    ) -> PyResult<TcpListener> {
        let stack = Stack::choose(py, stack)?;
        let socket = py
            .detach(|| {
                let socket = stack.socket(address::domain_of(address.0))?;
                socket.set_option(SocketOption::ReuseAddr(true))?;
                socket.bind(address.0)?;
                socket.listen(backlog)?;
                Ok(socket)
            })
            .map_err(|error| socket_error(py, error))?;
        Ok(TcpListener { socket: Arc::new(socket), patience: Mutex::default() })
    }

    /// Waits for a connection: (stream, address of the peer).
    fn accept<'py>(&self, py: Python<'py>) -> PyResult<Accepted<'py>> {
        let (socket, peer) = self.patience().start(&self.socket).run(py, Socket::accept)?;
        let stream = TcpStream::new(socket);
        Ok((stream, address::to_tuple(py, peer)?))
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Accepted<'py>> {
        self.accept(py)
    }

    /// Stops listening; connections that nobody accepted are reset. Again: nothing happens.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        stream::close(py, &self.socket)
    }

    /// Seconds that accept() may wait; None: for ever; 0: not at all.
    fn settimeout(&self, timeout: Patience) {
        self.set_patience(timeout);
    }

    /// As set by settimeout().
    fn gettimeout(&self) -> Option<f64> {
        self.patience().seconds()
    }

    /// settimeout(None) or settimeout(0).
    fn setblocking(&self, flag: bool) {
        self.set_patience(if flag { Patience::Forever } else { Patience::Never });
    }

    /// The address it listens on.
    fn getsockname<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        stream::sockname(py, &self.socket)
    }

    /// State, address and the number of waiting connections at this moment.
    fn info(&self, py: Python<'_>) -> PyResult<ConnectionInfo> {
        self.socket.info().map(ConnectionInfo::from).map_err(|error| socket_error(py, error))
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        stream::describe("TcpListener", &self.socket)
    }
}
