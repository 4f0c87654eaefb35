//! Socket options as Python names them: (level, number) and a number or the bytes of a C structure;
//! and the directions of `shutdown`.
//!
//! What the stack does not have is ENOPROTOOPT, as from the kernel.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tcpstack::host::{Error, OptionName, Shutdown, SocketOption};
use tcpstack::net::{Socket, SocketError};
use tcpstack::tcp::State;

use crate::address::family_of;
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
    /// As `getsockopt` returns it: a number for length 0, else at most that many bytes.
    pub(crate) fn shaped_for(self, buflen: usize) -> Value {
        match (self, buflen) {
            (Value::Structure(bytes), 0) => Value::Number(first_int(&bytes).unwrap_or(0)),
            (Value::Structure(mut bytes), _) => {
                bytes.truncate(buflen);
                Value::Structure(bytes)
            }
            (number, 0) => number,
            (Value::Number(number), _) => {
                Value::Structure(number.to_ne_bytes()[..buflen.min(4)].to_vec())
            }
        }
    }

    /// The number, also when it came as the bytes of an int.
    fn number(&self) -> Result<i32, SocketError> {
        match self {
            Value::Number(number) => Ok(*number),
            Value::Structure(bytes) => first_int(bytes).ok_or(Error::Invalid.into()),
        }
    }

    /// `struct linger { int l_onoff; int l_linger; }`.
    fn linger(&self) -> Result<Option<Duration>, SocketError> {
        let Value::Structure(bytes) = self else { return Err(Error::Invalid.into()) };
        let on = first_int(bytes).ok_or(Error::Invalid)?;
        let seconds = bytes.get(4..).and_then(first_int).ok_or(Error::Invalid)?;
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Ok((on != 0).then_some(Duration::from_secs(seconds)))
    }
}

/// The int that `bytes` starts with.
fn first_int(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|int| i32::from_ne_bytes(*int))
}

/// The stack's own name of (level, number).
fn name_of(level: i32, name: i32) -> Result<OptionName, Error> {
    Ok(match (level, name) {
        (libc::SOL_SOCKET, libc::SO_REUSEADDR) => OptionName::ReuseAddr,
        (libc::SOL_SOCKET, libc::SO_REUSEPORT) => OptionName::ReusePort,
        (libc::SOL_SOCKET, libc::SO_SNDBUF) => OptionName::SendBuffer,
        (libc::SOL_SOCKET, libc::SO_RCVBUF) => OptionName::ReceiveBuffer,
        (libc::SOL_SOCKET, libc::SO_LINGER) => OptionName::Linger,
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE) => OptionName::KeepAlive,
        (libc::IPPROTO_TCP, libc::TCP_NODELAY) => OptionName::NoDelay,
        (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => OptionName::MaxSegment,
        (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => OptionName::V6Only,
        _ => return Err(Error::NoOption),
    })
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
pub(crate) fn set(
    socket: &Socket,
    level: i32,
    name: i32,
    value: &Value,
) -> Result<(), SocketError> {
    let on = || value.number().map(|number| number != 0);
    // Linux takes a negative size as a huge one and then clamps it; so does the stack.
    let bytes = || value.number().map(i32::cast_unsigned);
    socket.set_option(match name_of(level, name)? {
        OptionName::ReuseAddr => SocketOption::ReuseAddr(on()?),
        OptionName::ReusePort => SocketOption::ReusePort(on()?),
        OptionName::SendBuffer => SocketOption::SendBuffer(bytes()?),
        OptionName::ReceiveBuffer => SocketOption::ReceiveBuffer(bytes()?),
        OptionName::Linger => SocketOption::Linger(value.linger()?),
        OptionName::KeepAlive => SocketOption::KeepAlive(on()?),
        OptionName::NoDelay => SocketOption::NoDelay(on()?),
        OptionName::MaxSegment => {
            SocketOption::MaxSegment(u16::try_from(value.number()?).map_err(|_| Error::Invalid)?)
        }
        OptionName::V6Only => SocketOption::V6Only(on()?),
    })
}

/// Reads an option.
pub(crate) fn get(socket: &Socket, level: i32, name: i32) -> Result<Value, SocketError> {
    let number = match (level, name) {
        (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_STREAM,
        (libc::SOL_SOCKET, libc::SO_DOMAIN) => family_of(socket.domain()),
        (libc::SOL_SOCKET, libc::SO_PROTOCOL) => libc::IPPROTO_TCP,
        (libc::SOL_SOCKET, libc::SO_ERROR) => socket.take_error()?.map_or(0, |error| error.errno()),
        (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => {
            i32::from(socket.info().is_ok_and(|info| info.state == State::Listen))
        }
        _ => return Ok(value_of(socket.option(name_of(level, name)?)?)),
    };
    Ok(Value::Number(number))
}

/// An option's value as Linux lays it out.
fn value_of(option: SocketOption) -> Value {
    match option {
        SocketOption::ReuseAddr(on)
        | SocketOption::ReusePort(on)
        | SocketOption::KeepAlive(on)
        | SocketOption::NoDelay(on)
        | SocketOption::V6Only(on) => Value::Number(i32::from(on)),
        SocketOption::SendBuffer(bytes) | SocketOption::ReceiveBuffer(bytes) => {
            Value::Number(i32::try_from(bytes).unwrap_or(i32::MAX))
        }
        SocketOption::MaxSegment(bytes) => Value::Number(i32::from(bytes)),
        SocketOption::Linger(time) => {
            let seconds = time.map_or(0, |time| i32::try_from(time.as_secs()).unwrap_or(i32::MAX));
            let fields = [i32::from(time.is_some()), seconds];
            Value::Structure(fields.iter().flat_map(|field| field.to_ne_bytes()).collect())
        }
    }
}
