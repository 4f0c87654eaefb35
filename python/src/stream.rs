//! `TcpStream`: a connection straight into the stack, no kernel descriptor between.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use tcpstack::host::{OptionName, SocketOption};
use tcpstack::net::{Flags, Socket};

use crate::address::{self, Address};
use crate::buffer::{Bytes, BytesMut};
use crate::connection::ConnectionInfo;
use crate::errors::{os_error, socket_error};
use crate::options::{self, Value};
use crate::patience::Patience;
use crate::source::detach;
use crate::stack::Stack;
use crate::tcp_info::TcpInfo;
use crate::transfer;

/// A connected byte stream. Usable from many threads.
#[pyclass(frozen, module = "tcpstack", weakref)]
pub(crate) struct TcpStream {
    socket: Arc<Socket>,
    patience: Mutex<Patience>,
}

impl TcpStream {
    /// A stream that waits for ever.
    pub(crate) fn new(socket: Socket) -> TcpStream {
        // An accepted socket inherits the listener's timeouts, which Python's sockets do not.
        Patience::Forever.apply(&socket);
        TcpStream { socket: Arc::new(socket), patience: Mutex::default() }
    }

    fn patience(&self) -> Patience {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_patience(&self, patience: Patience) {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = patience;
        patience.apply(&self.socket);
    }
}

#[pymethods]
impl TcpStream {
    /// Connects to (host, port).
    #[staticmethod]
    #[pyo3(signature = (address, stack=None, timeout=None))]
    fn connect(
        py: Python<'_>,
        address: Address,
        stack: Option<&Bound<'_, Stack>>,
        timeout: Option<Patience>,
    ) -> PyResult<TcpStream> {
        let stack = Stack::choose(py, stack)?;
        let socket =
            stack.socket(address::domain_of(address.0)).map_err(|error| socket_error(py, error))?;
        let stream = TcpStream::new(socket);
        let patience = timeout.unwrap_or_default();
        stream.set_patience(patience);
        patience.start(&stream.socket).run(py, |socket| socket.connect(address.0))?;
        Ok(stream)
    }

    /// Sends some of `data`; returns how many bytes the stack took.
    fn send(&self, py: Python<'_>, data: Bytes) -> PyResult<usize> {
        let data = data.as_slice();
        self.patience().start(&self.socket).run(py, |socket| socket.send(data, Flags::default()))
    }

    /// Sends all of `data`; a timeout is for the whole of it.
    fn sendall(&self, py: Python<'_>, data: Bytes) -> PyResult<()> {
        transfer::sendall(py, &self.socket, self.patience(), &data, |socket, rest| {
            socket.send(rest, Flags::default())
        })
    }

    /// Receives at most `size` bytes (and at most 256 KiB), at least one; b"" is the end of the
    /// stream.
    fn recv<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        transfer::recv(py, &self.socket, self.patience(), size, Flags::default())
    }

    /// Receives into `buffer`, at most `size` bytes (0: all of it); returns how many, 0 at the end.
    #[pyo3(signature = (buffer, size=0))]
    fn recv_into(&self, py: Python<'_>, mut buffer: BytesMut, size: usize) -> PyResult<usize> {
        let len = buffer.len();
        let size = if size == 0 { len } else { size.min(len) };
        let flags = Flags::default();
        transfer::recv_into(py, &self.socket, self.patience(), &mut buffer, size, flags)
    }

    /// Ends one direction or both: socket.SHUT_RD, SHUT_WR, SHUT_RDWR.
    fn shutdown(&self, py: Python<'_>, how: i32) -> PyResult<()> {
        let how = options::shutdown(how).map_err(|error| socket_error(py, error.into()))?;
        detach(py, || self.socket.shutdown(how)).map_err(|error| socket_error(py, error))
    }

    /// Closes it; the port is free (or in TIME-WAIT) when this returns. Again: nothing happens.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        close(py, &self.socket)
    }

    /// Seconds that a call may wait; None: for ever; 0: not at all.
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

    /// Whether small writes go out at once (TCP_NODELAY).
    #[getter]
    fn nodelay(&self, py: Python<'_>) -> PyResult<bool> {
        match self.socket.option(OptionName::NoDelay) {
            Ok(SocketOption::NoDelay(on)) => Ok(on),
            Ok(_) => Err(os_error(py, libc::EPROTO)),
            Err(error) => Err(socket_error(py, error)),
        }
    }

    #[setter]
    fn set_nodelay(&self, py: Python<'_>, on: bool) -> PyResult<()> {
        py.detach(|| self.socket.set_option(SocketOption::NoDelay(on)))
            .map_err(|error| socket_error(py, error))
    }

    /// This end's address.
    fn getsockname<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        sockname(py, &self.socket)
    }

    /// The other end's address.
    fn getpeername<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let address = self.socket.peer_addr().map_err(|error| socket_error(py, error))?;
        address::to_tuple(py, address)
    }

    /// State, addresses and queues at this moment.
    fn info(&self, py: Python<'_>) -> PyResult<ConnectionInfo> {
        self.socket.info().map(ConnectionInfo::from).map_err(|error| socket_error(py, error))
    }

    /// What TCP_INFO tells at this moment.
    fn tcp_info(&self, py: Python<'_>) -> PyResult<TcpInfo> {
        self.socket.tcp_info().map(TcpInfo).map_err(|error| socket_error(py, error))
    }

    /// An option's value: a number, or bytes when a length is given.
    #[pyo3(signature = (level, optname, buflen=0))]
    fn getsockopt(
        &self,
        py: Python<'_>,
        level: i32,
        optname: i32,
        buflen: usize,
    ) -> PyResult<Value> {
        py.detach(|| options::get(&self.socket, level, optname, buflen))
            .map_err(|error| socket_error(py, error))
    }

    /// Sets an option from a number or from the bytes of its C structure.
    fn setsockopt(&self, py: Python<'_>, level: i32, optname: i32, value: Value) -> PyResult<()> {
        py.detach(|| options::set(&self.socket, level, optname, value))
            .map_err(|error| socket_error(py, error))
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        describe("TcpStream", &self.socket)
    }
}

/// Closes `socket` once; a second close is no error.
pub(crate) fn close(py: Python<'_>, socket: &Socket) -> PyResult<()> {
    match detach(py, || socket.close()) {
        Err(error) if error.errno() != libc::EBADF => Err(socket_error(py, error)),
        _ => Ok(()),
    }
}

/// The address `socket` is bound to.
pub(crate) fn sockname<'py>(py: Python<'py>, socket: &Socket) -> PyResult<Bound<'py, PyTuple>> {
    let address = socket.local_addr().map_err(|error| socket_error(py, error))?;
    address::to_tuple(py, address)
}

/// `<TcpStream ESTABLISHED 10.7.0.2:49152 -> 10.7.0.1:8080>`.
pub(crate) fn describe(name: &str, socket: &Socket) -> String {
    match (socket.info(), socket.peer_addr()) {
        (Ok(info), Ok(peer)) => format!("<{name} {} {} -> {peer}>", info.state.name(), info.local),
        (Ok(info), Err(_)) => format!("<{name} {} {}>", info.state.name(), info.local),
        (Err(_), _) => format!("<{name} closed>"),
    }
}
