//! Pointers and lengths, in the order in which Linux looks at them.

use super::*;

#[test]
fn a_value_at_null_is_a_fault_unless_its_length_is_wrong() {
    for (len, expected) in [(4, libc::EFAULT), (3, libc::EINVAL), (u32::MAX, libc::EINVAL)] {
        // SAFETY: NULL is allowed.
        let result =
            unsafe { value_at(libc::SOL_SOCKET, libc::SO_REUSEADDR, std::ptr::null(), len) };
        assert_eq!(result.unwrap_err().errno(), expected);
    }
}
