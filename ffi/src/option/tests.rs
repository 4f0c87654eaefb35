//! Values in and out as Linux reads and writes them.

use super::*;

fn time(tv_sec: i64, tv_usec: i64) -> timeval {
    timeval { tv_sec, tv_usec }
}

#[test]
fn an_unknown_option_is_not_available() {
    for (level, name) in [(libc::SOL_SOCKET, 9999), (libc::IPPROTO_TCP, 9999), (9999, 1)] {
        assert_eq!(Name::new(level, name).unwrap_err().errno(), libc::ENOPROTOOPT);
    }
}

#[test]
fn a_timeout_of_zero_is_none_and_comes_back_as_zero() {
    assert_eq!(timeout_from(time(0, 0)).unwrap(), None);
    let back = timeval_from(None);
    assert_eq!((back.tv_sec, back.tv_usec), (0, 0));
}

#[test]
fn a_timeout_comes_back_as_it_was_set() {
    let timeout = timeout_from(time(3, 250_000)).unwrap();
    assert_eq!(timeout, Some(Duration::from_millis(3_250)));
    let back = timeval_from(timeout);
    assert_eq!((back.tv_sec, back.tv_usec), (3, 250_000));
}

#[test]
fn a_negative_timeout_has_passed_already() {
    assert_eq!(timeout_from(time(-1, 0)).unwrap(), Some(Duration::ZERO));
}

#[test]
fn microseconds_out_of_range_are_out_of_domain() {
    for usec in [-1, 1_000_000] {
        assert_eq!(timeout_from(time(0, usec)).unwrap_err().errno(), libc::EDOM);
    }
}

#[test]
fn a_value_is_cut_to_the_room_there_is() {
    let mut out = [0xff_u8; 8];
    for (room, written) in [(0, 0), (2, 2), (4, 4), (8, 4)] {
        // SAFETY: `out` has eight bytes, and room is at most that.
        let len = unsafe { Value::Int(7).write(out.as_mut_ptr().cast(), room) }.unwrap();
        assert_eq!(len, written);
    }
    assert_eq!(out, [7, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
}

#[test]
fn a_value_shorter_than_its_type_is_invalid() {
    let value = 1_u16;
    // SAFETY: two bytes are there, and the length says so.
    let result = unsafe { read_value::<c_int>((&raw const value).cast(), 2) };
    assert_eq!(result.unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_value_at_null_is_a_fault() {
    // SAFETY: NULL is allowed.
    let result = unsafe { read_value::<c_int>(std::ptr::null(), 4) };
    assert_eq!(result.unwrap_err().errno(), libc::EFAULT);
}
