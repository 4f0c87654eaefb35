//! Socket options as Python names them: (level, number) and a number or the bytes of a C structure;
//! and the directions of `shutdown`.
//!
//! What the stack does not have is ENOPROTOOPT, as from the kernel.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tcpstack::host::{Error, Shutdown};
use tcpstack::net::{Socket, SocketError};

use crate::buffer::Bytes;

/// An option's value on its way in or out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Most options.
    Number(i32),
    /// The bytes of a C structure, or of an int when the caller asked for bytes.
    Structure(Vec<u8>),
}

impl<'py> FromPyObject<'_, 'py> for Value {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Value> {
        match object.extract::<i32>() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Ok(Value::Structure(object.extract::<Bytes>()?.as_slice().to_vec())),
        }
    }
}

impl<'py> IntoPyObject<'py> for Value {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Value::Number(number) => number.into_pyobject(py)?.into_any(),
            Value::Structure(bytes) => PyBytes::new(py, &bytes).into_any(),
        })
    }
}

impl Value {
    /// The bytes that C's setsockopt would be given.
    fn bytes(self) -> Vec<u8> {
        match self {
            Value::Number(number) => number.to_ne_bytes().to_vec(),
            Value::Structure(bytes) => bytes,
        }
    }
}

/// What SHUT_RD, SHUT_WR and SHUT_RDWR mean.
pub(crate) fn shutdown(how: i32) -> Result<Shutdown, Error> {
    match how {
        libc::SHUT_RD => Ok(Shutdown::Read),
        libc::SHUT_WR => Ok(Shutdown::Write),
        libc::SHUT_RDWR => Ok(Shutdown::Both),
        _ => Err(Error::Invalid),
    }
}

/// Sets an option.
pub(crate) fn set(socket: &Socket, level: i32, name: i32, value: Value) -> Result<(), SocketError> {
    socket.set_raw_option(level, name, &value.bytes())
}

/// Reads an option: a number for length 0, else at most that many bytes.
pub(crate) fn get(
    socket: &Socket,
    level: i32,
    name: i32,
    length: usize,
) -> Result<Value, SocketError> {
    if length > 0 {
        return Ok(Value::Structure(socket.raw_option(level, name, length)?.to_vec()));
    }
    let value = socket.raw_option(level, name, size_of::<i32>())?;
    Ok(Value::Number(value.first_chunk().map_or(0, |int| i32::from_ne_bytes(*int))))
}
