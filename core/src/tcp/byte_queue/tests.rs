use bytes::Bytes;
use proptest::prelude::*;

use super::{BLOCK, ByteQueue, SHARE_MIN};
use crate::blocks::Blocks;

fn bytes_of(queue: &mut ByteQueue, position: u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    queue.for_slices(position, len, |slice| bytes.extend_from_slice(&slice));
    bytes
}

fn pattern(start: u64, len: usize) -> Vec<u8> {
    (start..start + len as u64).map(|position| (position * 31 % 251) as u8).collect()
}

#[test]
fn a_new_queue_and_an_empty_one_at_rest_hold_no_heap() {
    let mut queue = ByteQueue::default();
    queue.check();
    queue.push_copied(&[1; 5000], &mut Blocks::default());
    queue.push(Bytes::from(vec![2; SHARE_MIN]), &mut Blocks::default());
    queue.check();
    queue.release(queue.end());
    queue.check();
    queue.rest();
    assert_eq!(queue.heap_bytes(), 0);
}

#[test]
fn small_writes_that_take_turns_with_reads_use_the_same_memory() {
    let (mut queue, mut blocks) = (ByteQueue::default(), Blocks::default());
    queue.push_copied(b"first", &mut blocks);
    queue.release(queue.end());
    let held = queue.heap_bytes();
    for _ in 0..1000 {
        queue.push_copied(b"next", &mut blocks);
        assert_eq!(queue.payload(queue.start(), 4).slices()[0], "next");
        queue.release(queue.end());
        assert_eq!(queue.heap_bytes(), held);
    }
}

#[test]
fn a_large_payload_is_kept_as_the_slice_it_is() {
    let mut queue = ByteQueue::default();
    let payload = Bytes::from(vec![7; SHARE_MIN]);
    queue.push_copied(b"before", &mut Blocks::default());
    queue.push(payload.clone(), &mut Blocks::default());
    let shared = queue.payload(6, SHARE_MIN);
    assert_eq!(shared.slices().len(), 1);
    assert_eq!(shared.slices()[0].as_ptr(), payload.as_ptr());
}

#[test]
fn a_small_payload_does_not_pin_the_buffer_it_came_in() {
    let mut queue = ByteQueue::default();
    let payload = Bytes::from(vec![7; 100]);
    queue.push(payload.clone(), &mut Blocks::default());
    assert_ne!(queue.payload(0, 100).slices()[0].as_ptr(), payload.as_ptr());
    assert!(payload.is_unique());
}

#[test]
fn segments_of_one_large_write_are_slices_of_the_same_memory() {
    let mut queue = ByteQueue::default();
    queue.push_copied(&pattern(0, 10_000), &mut Blocks::default());
    let first = queue.payload(0, 1448);
    let second = queue.payload(1448, 1448);
    let again = queue.payload(0, 1448);
    assert_eq!(first.slices()[0].as_ptr(), again.slices()[0].as_ptr());
    assert_eq!(first.slices()[0].as_ptr().wrapping_add(1448), second.slices()[0].as_ptr());
}

#[test]
fn one_byte_writes_each_sent_at_once_cost_memory_in_proportion() {
    let mut queue = ByteQueue::default();
    let mut handed_out = Vec::new();
    for position in 0..100_000u64 {
        queue.push_copied(&pattern(position, 1), &mut Blocks::default());
        handed_out.push(queue.payload(position, 1));
    }
    queue.check();
    assert!(queue.heap_bytes() <= 100_000 + 2 * BLOCK, "{} bytes", queue.heap_bytes());
    assert_eq!(bytes_of(&mut queue, 0, 100_000), pattern(0, 100_000));
}

#[test]
fn writes_just_large_enough_to_be_shared_stay_cheap() {
    let mut queue = ByteQueue::default();
    for position in (0..1 << 20).step_by(256) {
        queue.push_copied(&pattern(position, 256), &mut Blocks::default());
        queue.payload(position, 256);
    }
    queue.check();
    assert!(queue.heap_bytes() <= (1 << 20) * 3 / 2, "{} bytes", queue.heap_bytes());
}

#[test]
fn a_range_outside_is_clipped() {
    let mut queue = ByteQueue::default();
    queue.push_copied(&pattern(0, 10), &mut Blocks::default());
    queue.release(4);
    assert_eq!(bytes_of(&mut queue, 0, 6), pattern(4, 2));
    assert_eq!(bytes_of(&mut queue, 8, usize::MAX), pattern(8, 2));
    assert!(queue.payload(10, 1).is_empty());
    assert!(queue.payload(6, 0).is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Copy(usize),
    Push(usize),
    Slice(usize, usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3000usize).prop_map(Step::Copy),
        (0..2 * SHARE_MIN).prop_map(Step::Push),
        (0..40_000usize, 0..3000usize).prop_map(|(at, len)| Step::Slice(at, len)),
        (0..20_000usize).prop_map(Step::Release),
    ]
}

proptest! {
    #[test]
    fn it_holds_what_a_plain_stream_holds(steps in prop::collection::vec(step(), 1..60)) {
        let mut queue = ByteQueue::default();
        let (mut start, mut end) = (0u64, 0u64);
        for step in steps {
            match step {
                Step::Copy(len) => {
                    queue.push_copied(&pattern(end, len), &mut Blocks::default());
                    end += len as u64;
                }
                Step::Push(len) => {
                    queue.push(pattern(end, len).into(), &mut Blocks::default());
                    end += len as u64;
                }
                Step::Slice(at, len) => {
                    let at = start + at as u64;
                    let upto = (at + len as u64).min(end).max(at);
                    prop_assert_eq!(bytes_of(&mut queue, at, len), pattern(at, (upto - at) as usize));
                }
                Step::Release(count) => {
                    start = (start + count as u64).min(end);
                    queue.release(start);
                }
            }
            queue.check();
            prop_assert_eq!((queue.start(), queue.end()), (start, end));
        }
        prop_assert_eq!(bytes_of(&mut queue, start, usize::MAX), pattern(start, queue.len()));
    }
}
