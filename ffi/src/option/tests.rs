//! Pointers and lengths, in the order in which Linux looks at them.

use super::*;

fn errno(result: Result<SocketOption, Failure>) -> i32 {
    result.unwrap_err().errno()
}

#[test]
fn a_value_shorter_than_its_type_is_invalid() {
    let value = 1_u16;
    // SAFETY: two bytes are there, and the length says so.
    let result =
        unsafe { decode(libc::SOL_SOCKET, libc::SO_REUSEADDR, (&raw const value).cast(), 2) };
    assert_eq!(errno(result), libc::EINVAL);
}

#[test]
fn a_value_at_null_is_a_fault_unless_its_length_is_wrong() {
    for (len, expected) in [(4, libc::EFAULT), (3, libc::EINVAL), (u32::MAX, libc::EINVAL)] {
        // SAFETY: NULL is allowed.
        let result = unsafe { decode(libc::SOL_SOCKET, libc::SO_REUSEADDR, std::ptr::null(), len) };
        assert_eq!(errno(result), expected);
    }
}
