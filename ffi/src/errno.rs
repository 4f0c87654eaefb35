//! Why a call failed: an errno of Linux, and the sentence that `tcps_last_error` gives.
//!
//! The table from the protocol's errors to numbers is `tcpstack::host::Error::errno`; here are only
//! the failures that C's way of calling adds.

use std::fmt;

use nix::errno::Errno;
use tcpstack::net::{OpenError, SocketError};

/// A failed call. Formatted only when somebody asks: EAGAIN must stay cheap.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The stack's own answer.
    Socket(SocketError),
    /// The kernel's answer for a call that was passed on to it.
    Kernel(Errno),
    /// An argument that C let through: the errno and what would be right.
    Argument(Errno, &'static str),
    /// A URL or a knob: the message names the key and what would be valid.
    Text(i32, String),
    /// A panic was caught at the boundary.
    Panicked,
}

impl Failure {
    /// EFAULT for a NULL that may not be one.
    pub(crate) const fn null(message: &'static str) -> Failure {
        Failure::Argument(Errno::EFAULT, message)
    }

    /// EINVAL with the reason.
    pub(crate) const fn invalid(message: &'static str) -> Failure {
        Failure::Argument(Errno::EINVAL, message)
    }

    /// The number for `errno`.
    pub(crate) fn errno(&self) -> i32 {
        match self {
            Failure::Socket(error) => error.errno(),
            Failure::Kernel(errno) | Failure::Argument(errno, _) => *errno as i32,
            Failure::Text(errno, _) => *errno,
            Failure::Panicked => Errno::ENOTRECOVERABLE as i32,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Socket(error) => error.fmt(out)?,
            Failure::Kernel(errno) => out.write_str(errno.desc())?,
            Failure::Argument(_, message) => out.write_str(message)?,
            Failure::Text(_, message) => out.write_str(message)?,
            Failure::Panicked => out.write_str("a bug in the library: the stack was closed")?,
        }
        write!(out, " ({:?})", Errno::from_raw(self.errno()))
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Failure {
        Failure::Socket(error)
    }
}

impl From<tcpstack::host::Error> for Failure {
    fn from(error: tcpstack::host::Error) -> Failure {
        Failure::Socket(SocketError::Host(error))
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure::Kernel(errno)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        Failure::Text(error.errno(), error.to_string())
    }
}

#[cfg(test)]
mod tests;
