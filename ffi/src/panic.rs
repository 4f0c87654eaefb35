//! The wall between Rust and C: no panic crosses it, and every failure becomes errno.

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nix::errno::Errno;
use tcpstack::net::{Socket, Stack};

use crate::errno::Failure;
use crate::{last_error, source};

/// What a function returns when it fails.
pub(crate) trait Outcome {
    /// `-1` or NULL.
    const FAILURE: Self;
}

impl Outcome for c_int {
    const FAILURE: c_int = -1;
}

impl Outcome for isize {
    const FAILURE: isize = -1;
}

impl<T> Outcome for *mut T {
    const FAILURE: *mut T = std::ptr::null_mut();
}

impl Outcome for *const c_char {
    const FAILURE: *const c_char = std::ptr::null();
}

/// Whose call it is: the stack to close should the body panic.
#[derive(Default)]
pub(crate) enum Call {
    /// Not known yet.
    #[default]
    Unresolved,
    /// Came by a stack's handle.
    Stack(Stack),
    /// Came by a descriptor.
    Socket(Arc<Socket>),
}

impl Call {
    fn close_stack(&self) {
        match self {
            Call::Unresolved => {}
            Call::Stack(stack) => stack.close(),
            Call::Socket(socket) => socket.stack().close(),
        }
    }
}

/// Runs `body`. A failure sets errno and is kept for `tcps_last_error`; a panic is the failure
/// ENOTRECOVERABLE and closes the stack, whose state can't be trusted any more.
pub(crate) fn boundary<R: Outcome>(
    function: &'static str,
    body: impl FnOnce(&mut Call) -> Result<R, Failure>,
) -> R {
    let mut call = Call::default();
    let result = catch_unwind(AssertUnwindSafe(|| body(&mut call)));
    source::clear();
    let failure = match result {
        Ok(Ok(value)) => return value,
        Ok(Err(failure)) => failure,
        Err(_) => {
            // What broke once may break again on the way out; the caller still gets its -1.
            let _ = catch_unwind(AssertUnwindSafe(|| call.close_stack()));
            Failure::Panicked
        }
    };
    let errno = failure.errno();
    drop(call);
    last_error::set(function, failure);
    Errno::set_raw(errno);
    R::FAILURE
}

#[cfg(test)]
mod tests;
