//! Nothing crosses the wall, and what broke is closed.

#![allow(unsafe_code)]

use std::ffi::CStr;

use super::*;
use crate::last_error::tcps_last_error;

fn last_error() -> String {
    // SAFETY: the function returns a C string that lives until this thread's next failure.
    unsafe { CStr::from_ptr(tcps_last_error()) }.to_str().unwrap().to_owned()
}

#[test]
fn a_panic_becomes_enotrecoverable() {
    let result = boundary("tcps_test", |_| -> Result<c_int, Failure> { panic!("on purpose") });
    assert_eq!(result, -1);
    assert_eq!(Errno::last(), Errno::ENOTRECOVERABLE);
    assert!(last_error().starts_with("tcps_test: a bug in the library"), "{}", last_error());
}

#[test]
fn a_panic_closes_the_stack_it_happened_in() {
    let stack = Stack::open("user:?addr=10.7.0.2/24&clock=manual").unwrap();
    let result = boundary("tcps_test", |call| -> Result<isize, Failure> {
        *call = Call::Stack(stack.clone());
        panic!("on purpose")
    });
    assert_eq!(result, -1);
    assert!(!stack.is_open());
}

#[test]
fn a_failure_of_a_pointer_is_null() {
    let result = boundary("tcps_test", |_| -> Result<*mut c_int, Failure> {
        Err(Failure::invalid("on purpose"))
    });
    assert!(result.is_null());
    assert_eq!(Errno::last(), Errno::EINVAL);
    assert_eq!(last_error(), "tcps_test: on purpose (EINVAL)");
}

#[test]
fn a_success_leaves_errno_alone() {
    Errno::set_raw(Errno::EAGAIN as i32);
    assert_eq!(boundary("tcps_test", |_| Ok::<c_int, Failure>(3)), 3);
    assert_eq!(Errno::last(), Errno::EAGAIN);
}
