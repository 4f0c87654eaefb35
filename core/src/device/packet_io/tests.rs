use std::os::fd::AsFd;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

use super::{CAPACITY, HAND_OVER, ReadBuffer};

#[test]
fn a_large_packet_keeps_its_memory_and_gives_it_back_once_nobody_has_it() {
    let kind = (AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::NONBLOCK);
    let (near, far) = socketpair(kind.0, kind.1, kind.2, None).unwrap();
    let mut buffer = ReadBuffer::new();
    let mut take = |byte: u8| {
        send(&far, &vec![byte; HAND_OVER], SendFlags::empty()).unwrap();
        assert!(buffer.read(near.as_fd()).unwrap());
        assert_eq!(buffer.bytes.len(), CAPACITY);
        buffer.take(1)
    };
    let first = take(1);
    let second = take(2);
    assert_eq!((&first[..], &second[..]), (&[1; HAND_OVER - 1][..], &[2; HAND_OVER - 1][..]));
    let memory = first.as_ptr();
    drop(first);
    // The buffer that takes the place of the third one is the first one's.
    let third = take(3);
    assert_eq!(take(4).as_ptr(), memory);
    assert_eq!((second[0], third[0]), (2, 3));
}
