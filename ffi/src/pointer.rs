//! Pointers that C hands in, turned into what Rust can hold.
//!
//! NULL is EFAULT. Any other wrong pointer can't be told from a right one in userspace: that part
//! of Linux's EFAULT is the caller's duty here, and the manual says so.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};

use crate::errno::Failure;

/// Most bytes that one call moves, as Linux's MAX_RW_COUNT: a longer buffer is used up to here.
const MAX_RW_COUNT: usize = 0x7fff_f000;

/// The C string at `text`. Bytes that are not UTF-8 are replaced, and so refused by who reads it.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that outlives the result.
pub(crate) unsafe fn text<'a>(
    text: *const c_char,
    null: &'static str,
) -> Result<Cow<'a, str>, Failure> {
    if text.is_null() {
        return Err(Failure::null(null));
    }
    // SAFETY: not NULL, and the caller's string by this function's own condition.
    Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy())
}

/// The `len` bytes at `data`; NULL is fine for none.
///
/// # Safety
/// `data` is NULL or points to `len` readable bytes that outlive the result.
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize) -> Result<&'a [u8], Failure> {
    match (data.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Failure::null("the buffer is NULL")),
        // SAFETY: not NULL, readable by this function's own condition, and below isize::MAX.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(data.cast(), len.min(MAX_RW_COUNT)) }),
    }
}

/// The `len` writable bytes at `data`; NULL is fine for none.
///
/// # Safety
/// `data` is NULL or points to `len` writable bytes that nobody else uses while the result lives.
pub(crate) unsafe fn bytes_mut<'a>(data: *mut c_void, len: usize) -> Result<&'a mut [u8], Failure> {
    match (data.is_null(), len) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Failure::null("the buffer is NULL")),
        (false, _) => {
            let len = len.min(MAX_RW_COUNT);
            // SAFETY: not NULL, writable and unshared by this function's own condition; bytes of C
            // have no invalid value.
            Ok(unsafe { std::slice::from_raw_parts_mut(data.cast(), len) })
        }
    }
}

/// The value at `place`.
///
/// # Safety
/// `place` is NULL or points to a `T` that may be read; alignment is not asked for.
pub(crate) unsafe fn read<T: Copy>(place: *const T, null: &'static str) -> Result<T, Failure> {
    if place.is_null() {
        return Err(Failure::null(null));
    }
    // SAFETY: not NULL, and readable by this function's own condition.
    Ok(unsafe { place.read_unaligned() })
}

/// Puts `value` at `place`.
///
/// # Safety
/// `place` is NULL or points to a `T` that may be written; alignment is not asked for.
pub(crate) unsafe fn write<T: Copy>(
    place: *mut T,
    value: T,
    null: &'static str,
) -> Result<(), Failure> {
    if place.is_null() {
        return Err(Failure::null(null));
    }
    // SAFETY: not NULL, and writable by this function's own condition.
    unsafe { place.write_unaligned(value) };
    Ok(())
}
