//! `Direct`: the data calls of a `tcpstack.socket` whose descriptor nobody has asked for.
//!
//! They go straight to the stack, and do in each of the three modes of `settimeout` what the standard class
//! does. Once the descriptor is handed out they fail with `HandedOut`, having done nothing.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::RawFd;
use std::sync::Arc;

use nix::sys::signal::{Signal, raise};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tcpstack::host::Error;
use tcpstack::net::{self, Flags, Socket, SocketError};

use crate::buffer::{Bytes, BytesMut};
use crate::errors::os_error;
use crate::patience::Patience;
use crate::transfer;

pyo3::create_exception!(
    tcpstack._tcpstack,
    HandedOut,
    PyException,
    "The descriptor was handed out: the bytes move through it."
);

/// The per-stack switch of SIGPIPE: 1 as Linux, 0 never.
const SIGPIPE_SWITCH: &str = "tcp_sigpipe";

/// The socket behind a descriptor that was not handed out.
#[pyclass(frozen, module = "tcpstack._tcpstack")]
pub(crate) struct Direct(Arc<Socket>);

/// The socket behind `fd`, for as long as the descriptor is not handed out.
#[pyfunction]
pub(crate) fn direct(fd: RawFd) -> Option<Direct> {
    net::lookup(fd).filter(|socket| !socket.is_handed_out()).map(Direct)
}

/// Has the bytes move through `fd` from now on; nothing happens to one that is not a stack's.
#[pyfunction]
pub(crate) fn hand_out(py: Python<'_>, fd: RawFd) {
    // It fails for others only.
    let _ = py.detach(|| net::hand_out(fd));
}

#[pymethods]
impl Direct {
    fn recv<'py>(
        &self,
        py: Python<'py>,
        size: isize,
        flags: i32,
        timeout: Patience,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let size = usize::try_from(size)
            .map_err(|_| PyValueError::new_err("negative buffersize in recv"))?;
        let flags = self.begin(py, flags, timeout)?;
        transfer::recv(py, &self.0, timeout, size, flags)
    }

    fn recv_into(
        &self,
        py: Python<'_>,
        mut buffer: BytesMut,
        size: isize,
        flags: i32,
        timeout: Patience,
    ) -> PyResult<usize> {
        let size = match usize::try_from(size) {
            Err(_) => return Err(PyValueError::new_err("negative buffersize in recv_into")),
            Ok(size) if size > buffer.len() => {
                return Err(PyValueError::new_err("buffer too small for requested bytes"));
            }
            Ok(0) => buffer.len(),
            Ok(size) => size,
        };
        if size == 0 {
            return Ok(0);
        }
        let flags = self.begin(py, flags, timeout)?;
        transfer::recv_into(py, &self.0, timeout, &mut buffer, size, flags)
    }

    fn recvmsg_into(
        &self,
        py: Python<'_>,
        buffers: &Bound<'_, PyAny>,
        flags: i32,
        timeout: Patience,
    ) -> PyResult<usize> {
        let mut buffers = extracted::<BytesMut>(buffers)?;
        let mut places: Vec<_> =
            buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer.as_mut_slice())).collect();
        let flags = self.begin(py, flags, timeout)?;
        timeout.start(&self.0).run(py, |socket| socket.recvv(&mut places, flags))
    }

    fn send(&self, py: Python<'_>, data: Bytes, flags: i32, timeout: Patience) -> PyResult<usize> {
        self.send_from(py, &[IoSlice::new(data.as_slice())], flags, timeout)
    }

    fn sendmsg(
        &self,
        py: Python<'_>,
        buffers: &Bound<'_, PyAny>,
        flags: i32,
        timeout: Patience,
    ) -> PyResult<usize> {
        let buffers = extracted::<Bytes>(buffers)?;
        let slices: Vec<_> = buffers.iter().map(|buffer| IoSlice::new(buffer.as_slice())).collect();
        self.send_from(py, &slices, flags, timeout)
    }

    fn sendall(&self, py: Python<'_>, data: Bytes, flags: i32, timeout: Patience) -> PyResult<()> {
        self.check()?;
        let taken = self.begin(py, flags, timeout)?;
        transfer::sendall(py, &self.0, timeout, &data, |socket, rest| {
            send(socket, &[IoSlice::new(rest)], taken, flags)
        })
    }
}

impl Direct {
    fn send_from(
        &self,
        py: Python<'_>,
        data: &[IoSlice<'_>],
        flags: i32,
        timeout: Patience,
    ) -> PyResult<usize> {
        self.check()?;
        let taken = self.begin(py, flags, timeout)?;
        timeout.start(&self.0).run(py, |socket| {
            if timeout == Patience::Forever {
                return send(socket, data, taken, flags);
            }
            let at_once = Flags { dont_wait: true, ..taken };
            match send(socket, data, at_once, flags) {
                Err(SocketError::Host(Error::WouldBlock)) => {
                    socket.wait_writable()?;
                    send(socket, data, at_once, flags)
                }
                done => done,
            }
        })
    }

    /// Has the socket wait as the call is to, and says what the stack is told of its flags.
    fn begin(&self, py: Python<'_>, flags: i32, timeout: Patience) -> PyResult<Flags> {
        let flags = flags_of(py, flags, timeout)?;
        timeout.apply(&self.0);
        Ok(flags)
    }

    /// Refuses to send past the descriptor. Who receives is refused by the stack.
    fn check(&self) -> PyResult<()> {
        if self.0.is_handed_out() { Err(HandedOut::new_err(())) } else { Ok(()) }
    }
}

/// Hands the stack bytes. EPIPE comes with its signal, which Python ignores unless the program says otherwise.
fn send(
    socket: &Socket,
    data: &[IoSlice<'_>],
    taken: Flags,
    flags: i32,
) -> Result<usize, SocketError> {
    let sent = socket.sendv(data, taken);
    if sent == Err(SocketError::Host(Error::BrokenPipe))
        && flags & libc::MSG_NOSIGNAL == 0
        && socket.stack().sysctl_get(SIGPIPE_SWITCH).as_deref() != Some("0")
    {
        // To the thread, not the process. It can't fail for a signal that exists.
        let _ = raise(Signal::SIGPIPE);
    }
    sent
}

/// What the stack is told of the flags of a call. With a timeout the standard class waits for readiness,
/// and then makes a call that does not wait: neither MSG_DONTWAIT nor MSG_WAITALL changes that.
fn flags_of(py: Python<'_>, flags: i32, timeout: Patience) -> PyResult<Flags> {
    let has = |flag| flags & flag != 0;
    if has(libc::MSG_OOB) {
        // As through the descriptor, which can't carry it.
        return Err(os_error(py, libc::EOPNOTSUPP));
    }
    let is_blocking = timeout == Patience::Forever;
    Ok(Flags {
        peek: has(libc::MSG_PEEK),
        dont_wait: is_blocking && has(libc::MSG_DONTWAIT),
        wait_all: is_blocking && has(libc::MSG_WAITALL),
        more: has(libc::MSG_MORE),
        end_of_record: has(libc::MSG_EOR),
        out_of_band: false,
    })
}

/// The buffers of an iterable.
fn extracted<T>(buffers: &Bound<'_, PyAny>) -> PyResult<Vec<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    buffers.try_iter()?.map(|buffer| buffer?.extract()).collect()
}
