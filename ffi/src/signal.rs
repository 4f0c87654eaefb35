//! SIGPIPE: what Linux sends to a thread that writes where nobody can read any more.

use nix::sys::signal::{Signal, raise};
use tcpstack::host::Error;
use tcpstack::net::{SocketError, Stack};

use crate::errno::Failure;

/// The per-stack switch: 1 as Linux, 0 never.
const SWITCH: &str = "tcp_sigpipe";

/// EPIPE, with its signal to the calling thread before the call returns, as Linux has it.
pub(crate) fn raise_for(failure: Failure, stack: &Stack, no_signal: bool) -> Failure {
    let is_broken_pipe = matches!(failure, Failure::Socket(SocketError::Host(Error::BrokenPipe)));
    if is_broken_pipe && !no_signal && stack.sysctl_get(SWITCH).as_deref() != Some("0") {
        // `raise` is to the thread, not the process. It can't fail for a signal that exists.
        let _ = raise(Signal::SIGPIPE);
    }
    failure
}
