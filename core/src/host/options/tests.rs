//! Values in and out as Linux reads and writes them.

use super::*;

fn timeval(seconds: i64, micros: i64) -> Vec<u8> {
    [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat()
}

fn decode(level: i32, number: i32, bytes: &[u8]) -> Result<SocketOption, Error> {
    SocketOption::decode(level, number, bytes)
}

#[test]
fn no_two_rows_have_the_same_number() {
    for (at, row) in OPTIONS.iter().enumerate() {
        let found = OptionName::find(row.level, row.number).unwrap();
        assert_eq!((found.name, found.option), (row.name, OPTIONS[at].option));
        assert!(row.is_readable || row.is_settable, "{} is of no use", row.name);
    }
}

#[test]
fn an_unknown_option_is_not_available() {
    for (level, name) in [(libc::SOL_SOCKET, 9999), (libc::IPPROTO_TCP, 9999), (9999, 1)] {
        assert_eq!(decode(level, name, &[0; 4]), Err(Error::NoOption));
    }
    assert_eq!(decode(libc::SOL_SOCKET, libc::SO_TYPE, &[0; 4]), Err(Error::NoOption));
}

#[test]
fn a_length_below_an_int_is_invalid_before_the_name_is_looked_at() {
    assert_eq!(decode(libc::SOL_SOCKET, 9999, &[0; 3]), Err(Error::Invalid));
    assert_eq!(decode(libc::IPPROTO_TCP, 9999, &[0; 3]), Err(Error::Invalid));
    assert_eq!(decode(libc::IPPROTO_IPV6, 9999, &[0; 3]), Err(Error::NoOption));
}

#[test]
fn a_timeout_of_zero_is_none_and_comes_back_as_zero() {
    let option = decode(libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeval(0, 0)).unwrap();
    assert_eq!(option, SocketOption::ReceiveTimeout(None));
    assert_eq!(option.encode(16).as_slice(), timeval(0, 0));
}

#[test]
fn a_timeout_comes_back_as_it_was_set() {
    let option = decode(libc::SOL_SOCKET, libc::SO_SNDTIMEO, &timeval(3, 250_000)).unwrap();
    assert_eq!(option, SocketOption::SendTimeout(Some(Duration::from_millis(3_250))));
    assert_eq!(option.encode(16).as_slice(), timeval(3, 250_000));
}

#[test]
fn a_negative_timeout_has_passed_already() {
    let option = decode(libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeval(-1, 0)).unwrap();
    assert_eq!(option, SocketOption::ReceiveTimeout(Some(Duration::ZERO)));
}

#[test]
fn microseconds_out_of_range_are_out_of_domain() {
    for micros in [-1, 1_000_000] {
        let refused = decode(libc::SOL_SOCKET, libc::SO_RCVTIMEO, &timeval(0, micros));
        assert_eq!(refused, Err(Error::OutOfDomain));
    }
}

#[test]
fn a_value_is_cut_to_the_room_there_is() {
    let seven = SocketOption::KeepCount(7);
    for (room, bytes) in [(0, &[][..]), (2, &[7, 0]), (4, &[7, 0, 0, 0]), (8, &[7, 0, 0, 0])] {
        assert_eq!(seven.encode(room).as_slice(), bytes);
    }
}

#[test]
fn a_pacing_rate_is_a_long_where_there_is_room_and_else_an_int() {
    let rate = SocketOption::MaxPacingRate(Some(1 << 40));
    assert_eq!(rate.encode(8).as_slice(), (1_u64 << 40).to_ne_bytes());
    assert_eq!(rate.encode(4).as_slice(), u32::MAX.to_ne_bytes());
    let number = (libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE);
    assert_eq!(decode(number.0, number.1, &[0xff; 4]), Ok(SocketOption::MaxPacingRate(None)));
    assert_eq!(decode(number.0, number.1, &[0xff; 8]), Ok(SocketOption::MaxPacingRate(None)));
}

#[test]
fn a_congestion_control_goes_by_its_name_with_or_without_a_nul() {
    let number = (libc::IPPROTO_TCP, libc::TCP_CONGESTION);
    for name in [&b"reno"[..], b"reno\0", b"reno\0rest of the buffer"] {
        let option = decode(number.0, number.1, name).unwrap();
        assert_eq!(option.encode(16).as_slice(), b"reno\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(option.encode(3).as_slice(), b"ren");
    }
    assert_eq!(decode(number.0, number.1, b"warp"), Err(Error::NoSuchName));
    assert_eq!(decode(number.0, number.1, b""), Err(Error::Invalid));
}

#[test]
fn deferred_accept_is_rounded_up_to_retransmissions() {
    let rounded = |seconds| defer_time(seconds).map(|time| time.as_secs());
    assert_eq!(
        [-1, 0, 1, 2, 3, 4, 60].map(rounded),
        [None, None, Some(1), Some(3), Some(3), Some(7), Some(63)]
    );
}

#[test]
fn sockets_that_ask_for_the_same_share_what_they_are_given() {
    let knobs = Knobs::default();
    let mut recent = RecentOptions::default();
    let with = |reuse_addr| Arc::new(Options { reuse_addr, ..Options::new(&knobs) });
    let first = recent.share(&with(true));
    let other = recent.share(&with(false));
    assert!(Arc::ptr_eq(&first, &recent.share(&with(true))));
    assert!(!Arc::ptr_eq(&first, &other));
}
