//! The sentence behind the last `-1` on this thread.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::errno::Failure;

/// What failed last, and its sentence once it was asked for.
struct Last {
    function: &'static str,
    failure: Failure,
    sentence: Option<CString>,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Remembers why `function` is about to return its failure.
pub(crate) fn set(function: &'static str, failure: Failure) {
    // At the end of a thread its memory of errors may be gone already; errno still tells.
    let _ = LAST.try_with(|last| {
        *last.borrow_mut() = Some(Last { function, failure, sentence: None });
    });
}

/// Why the last call that failed on this thread failed, in a sentence.
///
/// It names the function, the reason and the errno; for tcps_stack_open() and the sysctl calls also
/// the key that was wrong and what would be valid.
///
/// Returns a string, "" when no call has failed yet; it is the library's, and lives until the next
/// call of this library that fails on this thread. Cannot fail.
/// Threads: any; each has its own. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_last_error() -> *const c_char {
    LAST.try_with(|last| {
        let mut last = last.borrow_mut();
        let Some(Last { function, failure, sentence }) = last.as_mut() else {
            return c"".as_ptr();
        };
        sentence.get_or_insert_with(|| sentence_of(function, failure)).as_ptr()
    })
    .unwrap_or(c"".as_ptr())
}

/// `function: reason (ERRNO)`.
fn sentence_of(function: &str, failure: &Failure) -> CString {
    let text = format!("{function}: {failure}");
    // A URL's text may come back in the message, and C strings hold no NUL.
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}
