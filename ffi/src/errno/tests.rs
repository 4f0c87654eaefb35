//! A failure says its number and its reason.

use super::*;

#[test]
fn a_failure_reads_as_reason_and_errno() {
    let failure = Failure::null("the URL is NULL");
    assert_eq!(failure.errno(), libc::EFAULT);
    assert_eq!(failure.to_string(), "the URL is NULL (EFAULT)");
}

#[test]
fn the_kernels_answer_is_passed_on() {
    let failure = Failure::from(Errno::EBADF);
    assert_eq!(failure.errno(), libc::EBADF);
    assert_eq!(failure.to_string(), "Bad file number (EBADF)");
}
