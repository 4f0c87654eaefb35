//! What recvmsg tells, in as much room as there is; what sendmsg is told.

use super::*;

fn message(control: &mut [u8]) -> msghdr {
    // SAFETY: zero is a value of every field.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = control.len();
    message
}

#[test]
fn a_message_is_cut_to_the_room_there_is_and_says_so() {
    for (room, len, flags) in [
        (0, 0, libc::MSG_CTRUNC),
        (15, 0, libc::MSG_CTRUNC),
        (18, 18, libc::MSG_CTRUNC),
        (20, 20, 0),
        (64, 24, 0),
    ] {
        let mut control = vec![0xff; room];
        let mut message = message(&mut control);
        message.msg_controllen = 0;
        // SAFETY: there are `room` bytes.
        unsafe { write_inq(&mut message, room, 7) }.unwrap();
        assert_eq!((message.msg_controllen, message.msg_flags), (len, flags), "room for {room}");
    }
}

#[test]
fn rights_and_strange_levels_are_passed_over_and_what_lies_is_refused() {
    let encoded = |len: usize, level: c_int, kind: c_int| {
        [&len.to_ne_bytes()[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), &[0; 8]].concat()
    };
    for (len, level, kind, is_fine) in [
        (20, libc::SOL_SOCKET, libc::SCM_RIGHTS, true),
        (24, libc::IPPROTO_TCP, 99, true),
        (20, libc::SOL_SOCKET, libc::SO_MARK, false),
        (15, libc::IPPROTO_TCP, 99, false),
        (25, libc::IPPROTO_TCP, 99, false),
    ] {
        let mut control = encoded(len, level, kind);
        // SAFETY: the message's control data is `control`.
        let result = unsafe { check(&message(&mut control)) };
        assert_eq!(result.is_ok(), is_fine, "{len} {level} {kind}");
    }
}
