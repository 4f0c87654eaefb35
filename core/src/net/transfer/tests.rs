use std::io::IoSliceMut;

use bytes::Bytes;
use smallvec::smallvec;

use super::*;

#[test]
fn received_slices_fill_several_buffers_behind_what_is_filled() {
    let (mut a, mut b, mut c) = ([0; 3], [0; 0], [0; 4]);
    let slices: Slices = smallvec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")];
    let mut data = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b), IoSliceMut::new(&mut c)];
    assert_eq!(copy(&slices, &mut data, 1), 5);
    assert_eq!((&a, &c), (b"\0ab", b"cde\0"));
}

#[test]
fn unsent_bytes_come_in_order_and_empty_buffers_are_passed_over() {
    let slices = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"c")];
    let mut unsent = Unsent {
        slices: &slices,
        offset: 0,
        sent: 0,
        total: 3,
        is_bulk: false,
        flags: Flags { more: true, end_of_record: true, ..Flags::default() },
    };
    let flags = |end_of_record| SendFlags { more: true, bulk: false, end_of_record, urgent: false };
    assert_eq!(unsent.next(), Some((&b"ab"[..], flags(false))));
    unsent.advance(1);
    assert_eq!(unsent.next(), Some((&b"b"[..], flags(false))));
    unsent.advance(1);
    assert_eq!(unsent.next(), Some((&b"c"[..], flags(true))));
    unsent.advance(1);
    assert_eq!(unsent.next(), None);
    assert_eq!(unsent.sent, 3);
}
