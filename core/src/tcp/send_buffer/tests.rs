use bytes::Bytes;

use super::SendBuffer;
use crate::blocks::Blocks;
use crate::tcp::seq::Seq;

fn bytes_of(slices: impl IntoIterator<Item = Bytes>) -> Vec<u8> {
    slices.into_iter().flatten().collect()
}

#[test]
fn it_takes_in_no_more_than_it_has_room_for() {
    let mut buffer = SendBuffer::new(5, Seq::from_initial(0));
    assert_eq!(buffer.push(b"abc", &mut Blocks::default()), 3);
    assert_eq!(buffer.push(b"defg", &mut Blocks::default()), 2);
    assert_eq!(buffer.push(b"h", &mut Blocks::default()), 0);
    assert_eq!((buffer.len(), buffer.free()), (5, 0));
    buffer.check();
}

#[test]
fn shared_bytes_are_taken_from_the_front_as_far_as_there_is_room() {
    let mut buffer = SendBuffer::new(20_000, Seq::from_initial(0));
    let mut data = Bytes::from(vec![9; 30_000]);
    let memory = data.as_ptr();
    assert_eq!(buffer.push_bytes(&mut data, &mut Blocks::default()), 20_000);
    assert_eq!(data.len(), 10_000);
    assert_eq!(buffer.payload(buffer.start(), 10).slices()[0].as_ptr(), memory);
}

#[test]
fn bytes_are_found_by_sequence_number_across_the_wrap() {
    let start = Seq::from_initial(u32::MAX - 2);
    let mut buffer = SendBuffer::new(100, start);
    buffer.push(b"0123456789", &mut Blocks::default());
    assert_eq!(bytes_of(buffer.payload(start + 2, 4)), b"2345");
    assert_eq!(buffer.end(), start + 10);
}

#[test]
fn an_acknowledgment_frees_what_it_covers_and_nothing_else() {
    let start = Seq::from_initial(1);
    let mut buffer = SendBuffer::new(10, start);
    buffer.push(b"0123456789", &mut Blocks::default());
    buffer.release(start + 4);
    assert_eq!((buffer.start(), buffer.len(), buffer.free()), (start + 4, 6, 4));
    buffer.release(start + 2); // an old one
    assert_eq!(buffer.start(), start + 4);
    assert_eq!(bytes_of(buffer.payload(start + 4, 99)), b"456789");
    buffer.release(buffer.end());
    assert!(buffer.is_empty());
    buffer.check();
}

#[test]
fn slices_outlive_the_buffer() {
    let start = Seq::from_initial(1);
    let mut buffer = SendBuffer::new(10_000, start);
    buffer.push(&[3; 1000], &mut Blocks::default());
    let sent = buffer.payload(start, 1000);
    buffer.release(start + 1000);
    buffer.push(&[4; 1000], &mut Blocks::default());
    assert_eq!(bytes_of(sent), [3; 1000]);
}

#[test]
fn a_lowered_capacity_drops_nothing() {
    let mut buffer = SendBuffer::new(10, Seq::from_initial(1));
    buffer.push(b"0123456789", &mut Blocks::default());
    buffer.set_capacity(4);
    assert_eq!((buffer.len(), buffer.free(), buffer.capacity()), (10, 0, 4));
    buffer.release(buffer.start() + 7);
    assert_eq!(buffer.free(), 1);
}
