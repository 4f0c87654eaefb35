//! Every connection of a stack, as `ss` would list them.

use std::ffi::{c_char, c_int};

use nix::errno::Errno;
use tcpstack::host::ConnectionInfo;
use tcpstack::tcp::State;

use crate::errno::Failure;
use crate::panic::boundary;
use crate::stack::tcps_stack;
use crate::{address, handle};

/// ESTABLISHED: data flows. The states have the numbers that Linux's netinet/tcp.h gives them.
pub const TCPS_ESTABLISHED: c_int = 1;
/// SYN-SENT: SYN sent, waiting for the peer's.
pub const TCPS_SYN_SENT: c_int = 2;
/// SYN-RECEIVED: both SYNs seen, waiting for the ACK of ours.
pub const TCPS_SYN_RECV: c_int = 3;
/// FIN-WAIT-1: our FIN is sent or queued.
pub const TCPS_FIN_WAIT1: c_int = 4;
/// FIN-WAIT-2: our FIN is acknowledged, the peer may still send.
pub const TCPS_FIN_WAIT2: c_int = 5;
/// TIME-WAIT: waiting 2 MSL.
pub const TCPS_TIME_WAIT: c_int = 6;
/// CLOSED: no connection.
pub const TCPS_CLOSE: c_int = 7;
/// CLOSE-WAIT: the peer has finished, we may still send.
pub const TCPS_CLOSE_WAIT: c_int = 8;
/// LAST-ACK: the peer finished first, our FIN is not acknowledged yet.
pub const TCPS_LAST_ACK: c_int = 9;
/// LISTEN: waiting for connection requests.
pub const TCPS_LISTEN: c_int = 10;
/// CLOSING: both FINs crossed, ours is not acknowledged yet.
pub const TCPS_CLOSING: c_int = 11;

/// Linux's number of a state.
const fn number(state: State) -> c_int {
    match state {
        State::Established => TCPS_ESTABLISHED,
        State::SynSent => TCPS_SYN_SENT,
        State::SynReceived => TCPS_SYN_RECV,
        State::FinWait1 => TCPS_FIN_WAIT1,
        State::FinWait2 => TCPS_FIN_WAIT2,
        State::TimeWait => TCPS_TIME_WAIT,
        State::Closed => TCPS_CLOSE,
        State::CloseWait => TCPS_CLOSE_WAIT,
        State::LastAck => TCPS_LAST_ACK,
        State::Listen => TCPS_LISTEN,
        State::Closing => TCPS_CLOSING,
    }
}

/// One connection, or one listening socket, of a stack.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct tcps_connection {
    /// Unique on this stack as long as it is open.
    pub id: u64,
    /// This end.
    pub local: libc::sockaddr_storage,
    /// The other end; ss_family is AF_UNSPEC where there is none (LISTEN).
    pub remote: libc::sockaddr_storage,
    /// TCPS_ESTABLISHED, TCPS_LISTEN, ...
    pub state: c_int,
    /// 1: no socket holds it any more, it is finishing alone.
    pub orphan: c_int,
    /// Bytes in the send buffer, not yet acknowledged.
    pub send_queue: usize,
    /// Bytes received, not yet read.
    pub receive_queue: usize,
}

impl From<&ConnectionInfo> for tcps_connection {
    fn from(info: &ConnectionInfo) -> tcps_connection {
        tcps_connection {
            id: info.id,
            local: address::storage(Some(info.local)),
            remote: address::storage(info.remote),
            state: number(info.state),
            orphan: c_int::from(info.orphan),
            send_queue: info.send_queue,
            receive_queue: info.receive_queue,
        }
    }
}

/// Lists the connections of a stack: those that listen, those in SYN_RECV that nobody accepted
/// yet, those in TIME_WAIT whose socket is long gone.
///
/// stack   the stack
/// out     where they go; may be NULL when cap is 0
/// cap     how many have room at out
///
/// Returns how many there are, which may be more than cap: then the first cap were written; or -1,
/// with errno
///   EFAULT          stack is NULL, or out is and cap is not 0
///   EBADF           stack is not an open one
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_connections(
    stack: *mut tcps_stack,
    out: *mut tcps_connection,
    cap: usize,
) -> c_int {
    boundary("tcps_stack_connections", |call| {
        let stack = handle::get(call, stack)?;
        if out.is_null() && cap > 0 {
            return Err(Failure::null("the place for the connections is NULL"));
        }
        let connections = stack.connections();
        for (at, info) in connections.iter().take(cap).enumerate() {
            // SAFETY: `at` < cap, and the caller gives room for cap of them at out, not NULL.
            unsafe { out.add(at).write_unaligned(info.into()) };
        }
        Ok(c_int::try_from(connections.len()).unwrap_or(c_int::MAX))
    })
}

/// The name that RFC 9293 gives a state, as "TIME-WAIT".
///
/// state   TCPS_TIME_WAIT, ...
///
/// Returns a string that lives as long as the program; or NULL, with errno
///   EINVAL          there is no such state
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_state_name(state: c_int) -> *const c_char {
    boundary("tcps_state_name", |_| {
        let name = match state {
            TCPS_ESTABLISHED => c"ESTABLISHED",
            TCPS_SYN_SENT => c"SYN-SENT",
            TCPS_SYN_RECV => c"SYN-RECEIVED",
            TCPS_FIN_WAIT1 => c"FIN-WAIT-1",
            TCPS_FIN_WAIT2 => c"FIN-WAIT-2",
            TCPS_TIME_WAIT => c"TIME-WAIT",
            TCPS_CLOSE => c"CLOSED",
            TCPS_CLOSE_WAIT => c"CLOSE-WAIT",
            TCPS_LAST_ACK => c"LAST-ACK",
            TCPS_LISTEN => c"LISTEN",
            TCPS_CLOSING => c"CLOSING",
            _ => return Err(Failure::Argument(Errno::EINVAL, "no state has this number")),
        };
        Ok(name.as_ptr())
    })
}

#[cfg(test)]
mod tests;
