use bytes::Bytes;
use smallvec::SmallVec;

use super::ReceiveBuffer;
use crate::blocks::Blocks;

fn read(buffer: &mut ReceiveBuffer, max: usize, peek: bool) -> Vec<u8> {
    let mut slices = SmallVec::new();
    buffer.read(max, peek, &mut slices);
    slices.into_iter().flatten().collect()
}

#[test]
fn what_is_read_is_what_arrived() {
    let mut buffer = ReceiveBuffer::new(100);
    buffer.push(Bytes::from_static(b"hello "), &mut Blocks::default());
    buffer.push(Bytes::from_static(b"world"), &mut Blocks::default());
    assert_eq!((buffer.len(), buffer.free()), (11, 89));
    assert_eq!(read(&mut buffer, 3, false), b"hel");
    assert_eq!(read(&mut buffer, 100, false), b"lo world");
    assert!(buffer.is_empty());
    assert!(read(&mut buffer, 1, false).is_empty());
    buffer.check();
}

#[test]
fn peeking_leaves_the_bytes_where_they_are() {
    let mut buffer = ReceiveBuffer::new(100_000);
    buffer.push(Bytes::from(vec![1; 1000]), &mut Blocks::default());
    buffer.push(Bytes::from(vec![2; 20_000]), &mut Blocks::default());
    buffer.push(Bytes::from(vec![3; 1000]), &mut Blocks::default());
    let peeked = read(&mut buffer, 21_500, true);
    assert_eq!(buffer.len(), 22_000);
    assert_eq!(read(&mut buffer, 21_500, false), peeked);
    assert_eq!(read(&mut buffer, 9999, false), [3; 500]);
    buffer.check();
}

#[test]
fn reading_nothing_takes_nothing() {
    let mut buffer = ReceiveBuffer::new(10);
    buffer.push(Bytes::from_static(b"abc"), &mut Blocks::default());
    assert!(read(&mut buffer, 0, false).is_empty());
    assert_eq!(buffer.len(), 3);
}

#[test]
fn a_capacity_below_what_is_held_offers_no_room() {
    let mut buffer = ReceiveBuffer::new(10);
    buffer.push(Bytes::from_static(b"0123456789"), &mut Blocks::default());
    buffer.set_capacity(4);
    assert_eq!((buffer.free(), buffer.capacity()), (0, 4));
    assert_eq!(read(&mut buffer, 99, false), b"0123456789");
}
