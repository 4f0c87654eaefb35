//! Bytes straight between the caller's memory and the stack: what `TcpStream` and `tcpstack.socket` have in common.
//!
//! How long each call may wait, and what a signal does to it, is `patience`'s to say.

use std::cell::RefCell;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tcpstack::net::{Flags, Socket, SocketError};

use crate::buffer::{Bytes, BytesMut};
use crate::patience::Patience;

/// Bytes for which a thread keeps memory between calls: more than a super-segment.
const KEPT_MAX: usize = 256 << 10;

thread_local! {
    /// Where recv() receives before it knows how long its result is.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Receives at most `size` bytes; at most [`KEPT_MAX`] of them, unless it is to wait for all.
pub(crate) fn recv<'py>(
    py: Python<'py>,
    socket: &Socket,
    patience: Patience,
    size: usize,
    flags: Flags,
) -> PyResult<Bound<'py, PyBytes>> {
    let size = if flags.wait_all { size } else { size.min(KEPT_MAX) };
    // How long the object has to be is known only when the bytes are there. Taken out, not borrowed: a signal
    // handler may receive, too, while this call waits.
    let mut scratch = SCRATCH.take();
    if scratch.len() < size {
        let missing = size.max(KEPT_MAX) - scratch.len();
        scratch.try_reserve_exact(missing).map_err(|_| PyMemoryError::new_err(()))?;
        scratch.resize(size.max(KEPT_MAX), 0);
    }
    let memory = &mut scratch[..size];
    let received = patience.start(socket).run(py, |socket| socket.recv(memory, flags));
    let bytes = received.map(|count| PyBytes::new(py, &scratch[..count]));
    if scratch.len() <= KEPT_MAX {
        SCRATCH.set(scratch);
    }
    bytes
}

/// Receives into the first `size` bytes of `buffer`.
pub(crate) fn recv_into(
    py: Python<'_>,
    socket: &Socket,
    patience: Patience,
    buffer: &mut BytesMut,
    size: usize,
    flags: Flags,
) -> PyResult<usize> {
    let memory = &mut buffer.as_mut_slice()[..size];
    patience.start(socket).run(py, |socket| socket.recv(memory, flags))
}

/// Sends all of `data` by `send`; a timeout is for the whole of it.
pub(crate) fn sendall(
    py: Python<'_>,
    socket: &Socket,
    patience: Patience,
    data: &Bytes,
    send: impl Fn(&Socket, &[u8]) -> Result<usize, SocketError> + Sync,
) -> PyResult<()> {
    let mut rest = data.as_slice();
    let mut waiting = patience.start(socket);
    loop {
        // Nothing to send still says whether it could be.
        let sent = waiting.run(py, |socket| send(socket, rest))?;
        rest = &rest[sent..];
        // A signal that came after some bytes were taken shows in nothing but a short count.
        py.check_signals()?;
        if rest.is_empty() {
            return Ok(());
        }
        waiting.shorten()?;
    }
}
