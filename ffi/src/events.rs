//! The event stream, handed to C one JSON object at a time.

use std::ffi::{c_char, c_int, c_void};

use crate::handle;
use crate::panic::boundary;
use crate::stack::tcps_stack;

/// The caller's function and what it wants back with each event.
struct Listener {
    function: extern "C" fn(*mut c_void, *const c_char),
    context: *mut c_void,
    /// The event with its NUL; kept, so that a stream of events allocates once.
    text: Vec<u8>,
}

// SAFETY: the manual demands of the caller that `function` may run on any thread with `context`;
// the pointer is never followed here.
unsafe impl Send for Listener {}

impl Listener {
    fn event(&mut self, json: &str) {
        self.text.clear();
        // JSON escapes NUL inside its strings, so the text holds none.
        self.text.extend_from_slice(json.as_bytes());
        self.text.push(0);
        (self.function)(self.context, self.text.as_ptr().cast());
    }
}

/// Hands every event of a stack from now on to a function: what happened, and why.
///
/// An event is one JSON object, as in the file of the URL's key events=.
///
/// stack   the stack
/// fn      gets ctx and the event, a string that lives until it returns; NULL: no more events.
///         It may run on any thread, also on one that is inside a tcps_ call, but never on two at
///         once. It must not call this library, except tcps_version(), and must return.
/// ctx     handed to fn as it is
///
/// Returns 0; or -1, with errno
///   EFAULT          stack is NULL
///   EBADF           stack is not an open one
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_stack_on_event(
    stack: *mut tcps_stack,
    r#fn: Option<extern "C" fn(ctx: *mut c_void, json: *const c_char)>,
    ctx: *mut c_void,
) -> c_int {
    boundary("tcps_stack_on_event", |call| {
        let stack = handle::get(call, stack)?;
        stack.on_event(r#fn.map(|function| {
            let mut listener = Listener { function, context: ctx, text: Vec::new() };
            Box::new(move |json: &str| listener.event(json)) as Box<dyn FnMut(&str) + Send>
        }));
        Ok(0)
    })
}
