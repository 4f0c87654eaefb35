//! poll: the kernel's own, since the descriptors are the kernel's.

use std::ffi::c_int;

use libc::{nfds_t, pollfd};
use nix::errno::Errno;
use tcpstack::net::{self, SocketError, Stack};

use crate::errno::Failure;
use crate::handle;
use crate::panic::{Call, boundary};

/// Waits until one of several descriptors is ready: the kernel's poll(), which knows the stack's
/// descriptors and all others. select() and epoll know them too.
///
/// POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLHUP and POLLERR are shown when Linux shows them for a TCP
/// socket of its own. Where nothing has come but an urgent byte, POLLIN is shown beside POLLPRI until
/// the next call on the socket. A bridged descriptor shows no POLLPRI.
///
/// With sockets of a stack with clock=manual among them it waits as tcps_stack_set_wait() says, and
/// timeout is on that clock. select() and epoll would sleep: give them a timeout of 0 there.
///
/// fds      the descriptors and what to look for
/// nfds     how many
/// timeout  most milliseconds to wait; negative: for ever
///
/// Returns how many have revents, 0 when the time has passed; or -1, with errno
///   EFAULT           fds is NULL and nfds is not 0
///   EINVAL           nfds is greater than the limit of open files
///   EINTR            a signal handler ran, or the function of tcps_stack_set_wait() said -1
///   EDEADLK          it would wait on a manual clock, and there is no such function
///   ENOMEM           no memory
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_poll(fds: *mut pollfd, nfds: nfds_t, timeout: c_int) -> c_int {
    boundary("tcps_poll", |call| {
        if fds.is_null() && nfds > 0 {
            return Err(Failure::null("the list of descriptors is NULL"));
        }
        // SAFETY: the caller gives nfds entries at fds; the kernel checks the memory itself.
        let look = |timeout| Ok(Errno::result(unsafe { libc::poll(fds, nfds, timeout) })?);
        let ready = look(0)?;
        if ready > 0 || timeout == 0 {
            return Ok(ready);
        }
        // SAFETY: the kernel has just found nfds entries there.
        match unsafe { manual_stack(fds, nfds) } {
            Some(stack) => {
                *call = Call::Stack(stack.clone());
                poll_by_hand(&stack, timeout, look)
            }
            None => look(timeout),
        }
    })
}

/// The stack of the first socket among `fds` that is a stack's, if its clock is manual.
///
/// # Safety
/// There are `nfds` entries at `fds`.
unsafe fn manual_stack(fds: *const pollfd, nfds: nfds_t) -> Option<Stack> {
    // SAFETY: each index is below nfds, by the condition of this function.
    let mut numbers = (0..nfds as usize).map(|at| unsafe { (&raw const (*fds.add(at)).fd).read() });
    let socket = numbers.find_map(net::lookup)?;
    socket.stack().is_manual().then(|| socket.stack().clone())
}

/// Looks, and lets the caller's function move packets and time, until something is ready.
fn poll_by_hand(
    stack: &Stack,
    timeout: c_int,
    look: impl Fn(c_int) -> Result<c_int, Failure>,
) -> Result<c_int, Failure> {
    let (begun_us, _) = handle::manual_clock(stack)?;
    let deadline_us = match u64::try_from(timeout) {
        Ok(timeout_ms) => begun_us.saturating_add(timeout_ms * 1000),
        Err(_) => u64::MAX,
    };
    loop {
        let ready = look(0)?;
        let (now_us, wait) = handle::manual_clock(stack)?;
        if ready > 0 || now_us >= deadline_us {
            return Ok(ready);
        }
        let wait = wait.ok_or(Failure::Argument(
            Errno::EDEADLK,
            "a manual clock, and nothing that could move it: see tcps_stack_set_wait()",
        ))?;
        if !wait.wait(deadline_us) {
            return Err(SocketError::Interrupted.into());
        }
    }
}
