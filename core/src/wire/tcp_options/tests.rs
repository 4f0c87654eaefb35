use proptest::prelude::*;
use smallvec::SmallVec;

use super::{Options, SackBlocks};

fn emit(options: &Options) -> Vec<u8> {
    let mut out = SmallVec::new();
    options.emit(&mut out);
    out.to_vec()
}

fn blocks(pairs: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(left, right) in pairs {
        assert!(blocks.push(left, right));
    }
    blocks
}

/// What a SYN with everything on it carries.
fn syn() -> Options {
    Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((0x0102_0304, 0)),
        ..Options::default()
    }
}

#[test]
fn a_syn_has_linux_order_and_padding() {
    // RFC 9293 §3.1 (MUST-69).
    let expected = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];
    assert_eq!(emit(&syn()), expected);
    let without_timestamps = Options { timestamps: None, ..syn() };
    assert_eq!(emit(&without_timestamps), [2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]);
    let first_light = Options { sack_permitted: false, ..without_timestamps };
    assert_eq!(emit(&first_light), [2, 4, 0x05, 0xb4, 1, 3, 3, 7]);
}

#[test]
fn timestamps_and_sack_are_padded_in_front() {
    // RFC 9293 §3.1 (MUST-69).
    let options =
        Options { timestamps: Some((1, 2)), sack: blocks(&[(0x10, 0x20)]), ..Options::default() };
    let expected = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 0x10, 0, 0, 0, 0x20];
    assert_eq!(emit(&options), expected);
}

#[test]
fn sack_blocks_go_as_far_as_there_is_room() {
    let sack = blocks(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
    let alone = Options { sack, ..Options::default() };
    assert_eq!(Options::parse(&emit(&alone)), alone);
    assert_eq!(alone.len(), 36);
    let beside_timestamps = Options { timestamps: Some((1, 2)), ..alone };
    assert_eq!(beside_timestamps.len(), 40);
    let read = Options::parse(&emit(&beside_timestamps));
    assert_eq!(read.sack.as_slice(), [(1, 2), (3, 4), (5, 6)]);
}

#[test]
fn a_fifth_sack_block_is_not_taken() {
    let mut sack = blocks(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
    assert!(!sack.push(9, 10));
    assert_eq!(sack.as_slice().len(), 4);
}

#[test]
fn unknown_options_and_padding_are_skipped() {
    // RFC 9293 §3.1 (MUST-4, MUST-6, MUST-68); RFC 9293 §3.2 (MUST-64).
    let bytes = [1, 1, 254, 4, 2, 4, 30, 2, 2, 4, 0x05, 0xb4, 0, 3, 3, 7];
    let expected = Options { mss: Some(1460), ..Options::default() };
    // What follows the end of the list is not read.
    assert_eq!(Options::parse(&bytes), expected);
}

#[test]
fn an_impossible_length_ends_the_reading() {
    // RFC 9293 §3.1 (MUST-7).
    let mss = [2, 4, 0x05, 0xb4];
    let expected = Options { mss: Some(1460), ..Options::default() };
    for bad in [&[3, 0, 3, 3, 7][..], &[3, 1, 3, 3, 7], &[3, 9, 7], &[8], &[5, 255, 0]] {
        assert_eq!(Options::parse(&[&mss[..], bad].concat()), expected, "{bad:?}");
    }
}

#[test]
fn a_known_option_with_a_length_not_its_own_is_skipped() {
    // RFC 9293 §3.1 (MUST-7).
    let expected = Options { window_scale: Some(7), ..Options::default() };
    for bad in [
        &[2, 3, 5][..],
        &[2, 5, 5, 5, 5],
        &[3, 2],
        &[4, 3, 0],
        &[5, 2],
        &[5, 9, 0, 0, 0, 0, 0, 0, 0],
        &[8, 9, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert_eq!(Options::parse(&[bad, &[3, 3, 7]].concat()), expected, "{bad:?}");
    }
}

prop_compose! {
    fn any_options()(
        mss: Option<u16>, window_scale: Option<u8>, sack_permitted: bool,
        timestamps: Option<(u32, u32)>, pairs in prop::collection::vec(any::<(u32, u32)>(), 0..=4),
    ) -> Options {
        Options { mss, window_scale, sack_permitted, timestamps, sack: blocks(&pairs) }
    }
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same_as_far_as_there_is_room(options in any_options()) {
        let bytes = emit(&options);
        prop_assert_eq!(bytes.len(), options.len());
        prop_assert!(bytes.len() <= 40 && bytes.len().is_multiple_of(4));
        prop_assert_eq!(bytes.is_empty(), options.is_empty());
        let read = Options::parse(&bytes);
        prop_assert!(options.sack.as_slice().starts_with(read.sack.as_slice()));
        let room = 40 - Options { sack: SackBlocks::default(), ..options }.len();
        prop_assert!(read.sack == options.sack || room < 4 + 8 * options.sack.as_slice().len());
        prop_assert_eq!(Options { sack: read.sack, ..options }, read);
    }

    #[test]
    fn random_bytes_never_panic_and_can_be_emitted_again(
        bytes in prop::collection::vec(prop_oneof![0u8..12, any::<u8>()], 0..=40),
    ) {
        let options = Options::parse(&bytes);
        prop_assert_eq!(emit(&options).len(), options.len());
        prop_assert!(options.len() <= 40);
    }
}
