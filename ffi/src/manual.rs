//! The `user:` device and the manual clock: the embedder moves packets, and time.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use crate::errno::Failure;
use crate::panic::boundary;
use crate::stack::tcps_stack;
use crate::{handle, pointer};

/// Sets the clock of a stack with clock=manual and runs the timers that are due, in the order of
/// their deadlines.
///
/// stack    the stack
/// now_us   the time in microseconds, from an origin that the caller chose; never less than before
/// next_us  where the deadline of the next timer goes, UINT64_MAX for none; may be NULL
///
/// Returns 0; or -1, with errno
///   EFAULT          stack is NULL
///   EBADF           stack is not an open one
///   EINVAL          now_us is before the time given last
///   EOPNOTSUPP      the stack's clock is not manual
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_poll(
    stack: *mut tcps_stack,
    now_us: u64,
    next_us: *mut u64,
) -> c_int {
    boundary("tcps_stack_poll", |call| {
        let next = handle::get(call, stack)?.poll(now_us)?.unwrap_or(u64::MAX);
        handle::set_now(stack, now_us);
        if !next_us.is_null() {
            // SAFETY: the caller gives a place for a uint64_t, or NULL.
            unsafe { pointer::write(next_us, next, "") }?;
        }
        Ok(0)
    })
}

/// Gives a stack on the device user: a packet that arrived.
///
/// stack   the stack
/// packet  an IPv4 or IPv6 packet, from its first header byte on
/// len     its length in bytes
///
/// Returns 0, also for a packet that turns out to be of no use: the stack counts it and drops it, as
/// a network interface would; or -1, with errno
///   EFAULT          stack or packet is NULL
///   EBADF           stack is not an open one
///   EINVAL          len is 0
///   EMSGSIZE        len is greater than any IP packet can be
///   EOPNOTSUPP      the stack's device is not user:
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_input(
    stack: *mut tcps_stack,
    packet: *const c_void,
    len: usize,
) -> c_int {
    boundary("tcps_stack_input", |call| {
        let stack = handle::get(call, stack)?;
        // SAFETY: the caller gives len readable bytes at packet, or NULL.
        let packet = unsafe { pointer::bytes(packet, len) }?;
        if packet.is_empty() {
            return Err(Failure::invalid("a packet has at least one byte"));
        }
        stack.input(packet)?;
        Ok(0)
    })
}

/// Takes the next packet that a stack on the device user: wants to send.
///
/// With clock=manual a packet is there as soon as the call that made it possible has returned.
///
/// stack   the stack
/// packet  where it goes, from its first header byte on, checksums finished
/// cap     bytes at packet; the stack's MTU is always enough
///
/// Returns the packet's length in bytes, 0 when there is none to send; or -1, with errno
///   EFAULT          stack or packet is NULL
///   EBADF           stack is not an open one
///   EMSGSIZE        cap is too small for the next packet; it stays where it is
///   EOPNOTSUPP      the stack's device is not user:
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_output(
    stack: *mut tcps_stack,
    packet: *mut c_void,
    cap: usize,
) -> isize {
    boundary("tcps_stack_output", |call| {
        let stack = handle::get(call, stack)?;
        if packet.is_null() {
            return Err(Failure::null("the place for the packet is NULL"));
        }
        // SAFETY: the caller gives cap writable bytes at packet, not NULL.
        let packet = unsafe { pointer::bytes_mut(packet, cap) }?;
        Ok(isize::try_from(stack.output(packet)?).unwrap_or(isize::MAX))
    })
}

/// The caller's function that lets time pass.
#[derive(Clone, Copy)]
pub(crate) struct Waiter {
    function: extern "C" fn(*mut c_void, u64) -> c_int,
    context: *mut c_void,
}

// SAFETY: `function` is called on the thread that is inside a blocking call, which the manual says;
// the pointer is handed back as it came and never followed here.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

impl Waiter {
    /// Whether to look again.
    pub(crate) fn wait(&self, deadline_us: u64) -> bool {
        (self.function)(self.context, deadline_us) == 0
    }
}

/// Says how a call that must wait waits on a stack with clock=manual, where nothing sleeps and no
/// thread runs.
///
/// stack   the stack
/// wait    called on the thread of the waiting call, with no lock held, as often as it takes. It gets
///         ctx and the time in microseconds at which the call gives up (UINT64_MAX: never); it moves
///         packets and the clock, with any call of this library, and returns 0: look again; or -1: the
///         call fails with EINTR. NULL (as at first): a call that must wait fails with EDEADLK, since
///         nothing could ever wake it.
/// ctx     handed to wait as it is
///
/// Returns 0; or -1, with errno
///   EFAULT          stack is NULL
///   EBADF           stack is not an open one
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_stack_set_wait(
    stack: *mut tcps_stack,
    wait: Option<extern "C" fn(ctx: *mut c_void, deadline_us: u64) -> c_int>,
    ctx: *mut c_void,
) -> c_int {
    boundary("tcps_stack_set_wait", |call| {
        let waiter = wait.map(|function| Waiter { function, context: ctx });
        handle::get(call, stack)?.set_wait(waiter.map(|waiter| {
            Arc::new(move |deadline_us| waiter.wait(deadline_us))
                as Arc<dyn Fn(u64) -> bool + Send + Sync>
        }));
        handle::set_wait(stack, waiter);
        Ok(0)
    })
}
