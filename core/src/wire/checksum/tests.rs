use std::net::IpAddr;

use proptest::prelude::*;

use super::super::ip;
use super::{concat, copy, finish, pseudo_header, sum, verify_transport_checksum};

/// RFC 1071 §1 to the letter: 16-bit words one by one, each carry added back at once.
fn naive(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |sum, word| {
        let word = u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]);
        let (sum, carry) = u16::overflowing_add(sum, word);
        sum + u16::from(carry)
    })
}

#[test]
fn nothing_sums_to_zero_and_an_odd_byte_is_the_high_one() {
    assert_eq!(sum(&[]), 0);
    assert_eq!(sum(&[0x12]), 0x1200);
    assert_eq!(sum(&[0x12, 0x34]), 0x1234);
}

#[test]
fn carries_of_a_full_packet_come_back_in() {
    assert_eq!(sum(&[0xff; 65_535]), naive(&[0xff; 65_535]));
    assert_eq!(sum(&[0xff; 65_536]), 0xffff);
}

#[test]
fn the_pseudo_header_of_ipv4_is_summed_as_the_rfc_draws_it() {
    // RFC 9293 §3.1 (MUST-2).
    let (src, dst) = ([192, 168, 0, 1], [192, 168, 0, 199]);
    let drawn = [192, 168, 0, 1, 192, 168, 0, 199, 0, 6, 0x05, 0xb4];
    assert_eq!(pseudo_header(src.into(), dst.into(), 6, 0x05b4), naive(&drawn));
}

#[test]
fn a_right_segment_is_accepted_and_any_single_flipped_bit_is_not() {
    // RFC 9293 §3.1 (MUST-3).
    let (src, dst): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let ip = ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, 0);
    // The SYN of packet/tests.rs, whose checksum was computed by hand.
    let mut segment = [
        0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, 0x80, 0x02, 0xff, 0xff, 0xba,
        0x78, 0, 0, 2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7,
    ];
    assert!(verify_transport_checksum(&ip, &segment));
    for bit in 0..segment.len() * 8 {
        segment[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify_transport_checksum(&ip, &segment), "bit {bit}");
        segment[bit / 8] ^= 1 << (bit % 8);
    }
}

proptest! {
    #[test]
    fn the_sum_is_that_of_the_naive_model(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(sum(&bytes), naive(&bytes));
    }

    #[test]
    fn a_copy_is_the_same_and_so_is_its_sum(
        bytes in prop::collection::vec(any::<u8>(), 0..300), skip in 0usize..8,
    ) {
        let from = &bytes[skip.min(bytes.len())..];
        let mut to = vec![0; from.len()];
        prop_assert_eq!(copy(from, &mut to), naive(from));
        prop_assert_eq!(to, from);
    }

    #[test]
    fn the_sum_does_not_depend_on_alignment(
        bytes in prop::collection::vec(any::<u8>(), 8..200), skip in 0usize..8,
    ) {
        prop_assert_eq!(sum(&bytes[skip..]), naive(&bytes[skip..]));
    }

    #[test]
    fn sums_of_parts_concatenate_wherever_the_cut_is(
        bytes in prop::collection::vec(any::<u8>(), 1..200), cut in any::<prop::sample::Index>(),
    ) {
        let (first, second) = bytes.split_at(cut.index(bytes.len()));
        prop_assert_eq!(concat(sum(first), first.len(), sum(second)), sum(&bytes));
    }

    #[test]
    fn the_pseudo_header_of_ipv6_is_summed_as_the_rfc_draws_it(
        src: [u8; 16], dst: [u8; 16], protocol: u8, len: u32,
    ) {
        // RFC 8200 §8.1.
        let mut drawn = [src, dst].concat();
        drawn.extend_from_slice(&len.to_be_bytes());
        drawn.extend_from_slice(&[0, 0, 0, protocol]);
        let sum = pseudo_header(src.into(), dst.into(), protocol, len as usize);
        prop_assert_eq!(sum, naive(&drawn));
    }

    #[test]
    fn the_finished_field_makes_the_whole_sum_to_all_ones(
        mut bytes in prop::collection::vec(any::<u8>(), 2..200),
    ) {
        bytes[..2].fill(0);
        let field = finish(sum(&bytes));
        bytes[..2].copy_from_slice(&field.to_be_bytes());
        prop_assert_eq!(sum(&bytes), 0xffff);
    }
}
