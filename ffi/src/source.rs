//! The line of a C program that makes a call, for the event stream: `tcpstack/bsd.h` tells it before each
//! call, and it is read while that call runs, if events are on.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::Once;

use tcpstack::event::Source;
use tcpstack::net;

thread_local! {
    /// `__FILE__` and `__LINE__` of the call to come, or under way.
    static LINE: Cell<(*const c_char, c_int)> = const { Cell::new((ptr::null(), 0)) };
}

/// Says which line of the program makes the next tcps_ call of this thread; events then name it, as in
/// "connect(10.7.0.1:80), client.c:31". It belongs to that one call. tcpstack/bsd.h says it before each
/// call that it maps, so that only other bindings have a use for it. It costs a few instructions.
///
/// file    its name, as __FILE__ has it, a string that lives until that call has returned; NULL: not known
/// line    its number, from 1, as __LINE__ has it
///
/// Cannot fail.
/// Threads: any; each has its own. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_source_line(file: *const c_char, line: c_int) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| net::set_source_teller(read));
    set(file, line);
}

/// The call is over: its line is no other's.
#[inline]
pub(crate) fn clear() {
    set(ptr::null(), 0);
}

#[inline]
fn set(file: *const c_char, line: c_int) {
    // At the end of a thread its memory may be gone already, and there is no line.
    let _ = LINE.try_with(|told| told.set((file, line)));
}

fn read() -> Option<Source> {
    let (file, line) = LINE.try_with(Cell::get).ok()?;
    if file.is_null() {
        return None;
    }
    // SAFETY: not NULL, and the manual demands a string that lives until the call returns in which this
    // runs; after it the pointer is gone (`clear`).
    let file = unsafe { CStr::from_ptr(file) }.to_string_lossy();
    Some(Source { file: (&*file).into(), line: u32::try_from(line).ok()? })
}
