use bytes::Bytes;

use super::{BLOCK, Blocks, KEPT};

#[test]
fn a_block_is_used_again_only_when_no_part_of_it_is_held() {
    let mut blocks = Blocks::default();
    let mut block = blocks.take();
    let memory = block.as_ptr();
    block.extend_from_slice(&[1; 100]);
    let part: Bytes = block.split().freeze().slice(50..60);
    drop(block);
    let other = blocks.take();
    assert_ne!(other.as_ptr(), memory);
    assert_eq!(part, [1; 10][..]);
    drop((part, other));
    let again = blocks.take();
    assert_eq!((again.as_ptr(), again.len(), again.capacity()), (memory, 0, BLOCK));
}

#[test]
fn nothing_is_remembered_where_nothing_is_taken() {
    let mut blocks = Blocks::default();
    drop((blocks.take(), blocks.take()));
    blocks.handle_timers();
    assert_eq!(blocks.handles.len(), 2);
    blocks.handle_timers();
    assert_eq!(blocks.handles.capacity(), 0);
}

#[test]
fn however_many_are_out_only_so_many_are_remembered() {
    let mut blocks = Blocks::default();
    let out: Vec<_> = (0..3 * KEPT).map(|_| blocks.take()).collect();
    assert_eq!(blocks.handles.len(), KEPT);
    drop(out);
    let memory: Vec<_> = (0..KEPT).map(|_| blocks.take().as_ptr()).collect();
    assert_eq!(blocks.handles.len(), KEPT);
    assert_eq!(memory.len(), KEPT);
}
