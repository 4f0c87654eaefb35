//! Sockets behind kernel descriptors that are bridged on demand: the calls that `tcpstack.socket` cannot leave
//! to the kernel's socket class, each taking the descriptor's number, known to the program or not.
//!
//! Bytes never come through here: they move straight (`direct`) or through the descriptor itself.

use std::os::fd::RawFd;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tcpstack::host::Error;
use tcpstack::net::{self, DescriptorKind, Socket, SocketError};

use crate::address::{self, Address};
use crate::connection::ConnectionInfo;
use crate::errors::{os_error, socket_error};
use crate::options::{self, Value};
use crate::patience::Patience;
use crate::source::detach;
use crate::stack::Stack;
use crate::tcp_info::TcpInfo;

/// The socket behind `fd`, or EBADF.
fn socket_of(py: Python<'_>, fd: RawFd) -> PyResult<Arc<Socket>> {
    net::lookup(fd).ok_or_else(|| os_error(py, libc::EBADF))
}

/// Runs `call` on the socket behind `fd`, without the interpreter.
fn with_socket<T: Send>(
    py: Python<'_>,
    fd: RawFd,
    call: impl FnOnce(&Socket) -> Result<T, SocketError> + Send,
) -> PyResult<T> {
    let socket = socket_of(py, fd)?;
    detach(py, || call(&socket)).map_err(|error| socket_error(py, error))
}

/// A descriptor, bridged on demand, for a new socket of AF_INET or AF_INET6; not inheritable.
#[pyfunction]
#[pyo3(signature = (stack, family, nonblocking=false))]
pub(crate) fn open(
    py: Python<'_>,
    stack: Option<&Bound<'_, Stack>>,
    family: i32,
    nonblocking: bool,
) -> PyResult<RawFd> {
    let domain =
        address::domain_of_family(family).ok_or_else(|| os_error(py, libc::EAFNOSUPPORT))?;
    let stack = Stack::choose(py, stack)?;
    let open = || net::open_descriptor(&stack, domain, DescriptorKind::OnDemand, nonblocking, true);
    detach(py, open).map_err(|error| socket_error(py, error))
}

/// The family of the stack's socket behind `fd`; None when it is not one of the stack's.
#[pyfunction]
pub(crate) fn family(fd: RawFd) -> Option<i32> {
    net::lookup(fd).map(|socket| address::family_of(socket.domain()))
}

/// Binds to a numeric address.
#[pyfunction]
pub(crate) fn bind(py: Python<'_>, fd: RawFd, address: Address) -> PyResult<()> {
    with_socket(py, fd, |socket| socket.bind(address.0))
}

/// Listens for connections.
#[pyfunction]
pub(crate) fn listen(py: Python<'_>, fd: RawFd, backlog: i32) -> PyResult<()> {
    let backlog = u32::try_from(backlog).unwrap_or(0);
    with_socket(py, fd, |socket| socket.listen(backlog))
}

/// Waits for a connection: (its descriptor, the peer's address).
#[pyfunction]
pub(crate) fn accept<'py>(
    py: Python<'py>,
    fd: RawFd,
    timeout: Patience,
) -> PyResult<(RawFd, Bound<'py, PyTuple>)> {
    let socket = socket_of(py, fd)?;
    timeout.apply(&socket);
    let (child, peer) =
        timeout.start(&socket).run(py, |_| net::accept_descriptor(fd, false, true))?;
    Ok((child, address::to_tuple(py, peer)?))
}

/// Connects to a numeric address.
#[pyfunction]
pub(crate) fn connect(
    py: Python<'_>,
    fd: RawFd,
    address: Address,
    timeout: Patience,
) -> PyResult<()> {
    let socket = socket_of(py, fd)?;
    timeout.apply(&socket);
    timeout.start(&socket).run(py, |_| net::connect_descriptor(fd, address.0))
}

/// Ends one direction or both; FIN follows the bytes on their way. False: not one of the stack's.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>, fd: RawFd, how: i32) -> PyResult<bool> {
    let how = options::shutdown(how).map_err(|error| socket_error(py, error.into()))?;
    let Some(socket) = net::lookup(fd) else { return Ok(false) };
    detach(py, || socket.shutdown(how)).map_err(|error| socket_error(py, error))?;
    Ok(true)
}

/// Closes the descriptor; the port is free (or in TIME-WAIT) when this returns. One that is no
/// longer the stack's (it was closed, or this is a forked child) is closed all the same.
#[pyfunction]
pub(crate) fn close(py: Python<'_>, fd: RawFd) -> PyResult<()> {
    detach(py, || match net::close_descriptor(fd) {
        Err(SocketError::Host(Error::BadSocket)) => {
            nix::unistd::close(fd).map_err(|errno| SocketError::Os(errno as i32))
        }
        closed => closed,
    })
    .map_err(|error| socket_error(py, error))
}

/// The address of this end.
#[pyfunction]
pub(crate) fn getsockname<'py>(py: Python<'py>, fd: RawFd) -> PyResult<Bound<'py, PyTuple>> {
    address::to_tuple(py, with_socket(py, fd, Socket::local_addr)?)
}

/// The address of the other end.
#[pyfunction]
pub(crate) fn getpeername<'py>(py: Python<'py>, fd: RawFd) -> PyResult<Bound<'py, PyTuple>> {
    address::to_tuple(py, with_socket(py, fd, Socket::peer_addr)?)
}

/// The pending error's number, once; 0: none, or not one of the stack's.
#[pyfunction]
pub(crate) fn take_error(py: Python<'_>, fd: RawFd) -> PyResult<i32> {
    let Some(socket) = net::lookup(fd) else { return Ok(0) };
    let error = py.detach(|| socket.take_error()).map_err(|error| socket_error(py, error))?;
    Ok(error.map_or(0, |error| error.errno()))
}

/// An option's value: a number, or bytes when a length is given.
#[pyfunction]
#[pyo3(signature = (fd, level, name, buflen=0))]
pub(crate) fn getsockopt(
    py: Python<'_>,
    fd: RawFd,
    level: i32,
    name: i32,
    buflen: usize,
) -> PyResult<Value> {
    with_socket(py, fd, |socket| options::get(socket, level, name, buflen))
}

/// Sets an option from a number or from the bytes of its C structure.
#[pyfunction]
pub(crate) fn setsockopt(
    py: Python<'_>,
    fd: RawFd,
    level: i32,
    name: i32,
    value: Value,
) -> PyResult<()> {
    with_socket(py, fd, |socket| options::set(socket, level, name, value))
}

/// What TCP_INFO tells at this moment.
#[pyfunction]
pub(crate) fn tcp_info(py: Python<'_>, fd: RawFd) -> PyResult<TcpInfo> {
    with_socket(py, fd, Socket::tcp_info).map(TcpInfo)
}

/// State, addresses and queues at this moment.
#[pyfunction]
pub(crate) fn info(py: Python<'_>, fd: RawFd) -> PyResult<ConnectionInfo> {
    with_socket(py, fd, Socket::info).map(ConnectionInfo::from)
}
