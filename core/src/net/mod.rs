//! The runtime: a host with a real clock, an engine thread, blocking sockets and kernel descriptors.
//!
//! ```text
//! stack       open, close                    socket, transfer   the calls of BSD
//! url         which network                  blocking           how a call waits
//! shared      the one lock and its rules     calls, events      what is recorded of it
//! pump        from the host to the device    descriptor         the `int` of C: readiness, bridge
//! engine      the thread                     options            setsockopt, getsockopt
//! leader      threads that spare it          questions          names, readiness, TCP_INFO
//! reactor     what they wait on              clock, manual      time, and the embedder that owns it
//! stream      std::net's shape
//! ```
//!
//! Below this module nothing reads a clock, a random source, a file or a lock; here they are, and no
//! protocol is.

mod blocking;
mod bridge;
mod busy_poll;
mod calls;
mod clock;
#[allow(unsafe_code)]
mod descriptor;
mod engine;
mod events;
mod leader;
mod manual;
mod options;
mod pump;
mod questions;
mod reactor;
mod readiness;
mod shared;
mod socket;
mod source;
mod stack;
mod stream;
mod transfer;
mod url;

use std::io;

pub use descriptor::{
    DescriptorKind, accept_descriptor, close_descriptor, connect_descriptor, hand_out, lookup,
    open_descriptor,
};
pub use events::EventFunction;
pub use socket::Socket;
pub use source::{set_source_teller, wants_source};
pub use stack::Stack;
pub use stream::{Incoming, TcpListener, TcpStream};

use crate::device;
use crate::host::{Error, KnobError};

/// Why a stack could not be opened; the message says which key or device, what was wrong, and what
/// would be valid.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not understood.
    #[error("{0}")]
    Url(String),
    /// A knob in it has no such value.
    #[error("{0}")]
    Knob(#[from] KnobError),
    /// The system refused the device or a file.
    #[error("{device}: {source}")]
    Device {
        /// Which.
        device: String,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Linux's number for it: EINVAL, or what the system said.
    pub fn errno(&self) -> i32 {
        match self {
            OpenError::Url(_) | OpenError::Knob(_) => libc::EINVAL,
            OpenError::Device { source, .. } => device::errno(source),
        }
    }
}

/// Why a call on a socket failed: the protocol's errors, and what blocking and descriptors add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The protocol's or the host's.
    #[error(transparent)]
    Host(#[from] Error),
    /// A signal handler ran while waiting (EINTR).
    #[error("interrupted by a signal")]
    Interrupted,
    /// The stack was closed, or belongs to the process from which this one was forked (EBADF).
    #[error("the stack is closed")]
    StackClosed,
    /// The descriptor of a socket that has one on demand was handed out: its bytes move through that
    /// (EOPNOTSUPP).
    #[error("the bytes move through the descriptor")]
    HandedOut,
    /// The system's errno: of a call that makes descriptors, or of the device that ended the stack.
    /// ENOTRECOVERABLE: a panic ended it. EDEADLK: under a manual clock without a wait function
    /// the call would wait for ever.
    #[error("{}", nix::errno::Errno::from_raw(*.0).desc())]
    Os(i32),
}

impl SocketError {
    /// Linux's number for it.
    pub fn errno(self) -> i32 {
        match self {
            SocketError::Host(error) => error.errno(),
            SocketError::Interrupted => libc::EINTR,
            SocketError::StackClosed => libc::EBADF,
            SocketError::HandedOut => libc::EOPNOTSUPP,
            SocketError::Os(errno) => errno,
        }
    }
}

impl From<SocketError> for io::Error {
    fn from(error: SocketError) -> io::Error {
        io::Error::from_raw_os_error(error.errno())
    }
}

/// The flags of `send` and `recv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// MSG_PEEK: leave the data where it is.
    pub peek: bool,
    /// MSG_DONTWAIT: as if the socket were non-blocking.
    pub dont_wait: bool,
    /// MSG_WAITALL: until the buffers are full.
    pub wait_all: bool,
    /// MSG_MORE: a small segment waits for what the next call sends.
    pub more: bool,
    /// MSG_EOR: what is sent later does not share a segment with this.
    pub end_of_record: bool,
    /// MSG_OOB: the last byte is urgent.
    pub out_of_band: bool,
}

impl Flags {
    /// None of them.
    pub const NONE: Flags = Flags {
        peek: false,
        dont_wait: false,
        wait_all: false,
        more: false,
        end_of_record: false,
        out_of_band: false,
    };
}
