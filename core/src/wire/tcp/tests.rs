use proptest::prelude::*;
use smallvec::SmallVec;

use super::super::Malformed;
use super::super::tcp_options::Options;
use super::{Flags, Header};

fn emit(header: &Header, checksum: u16) -> Vec<u8> {
    let mut out = SmallVec::new();
    header.emit(checksum, &mut out);
    out.to_vec()
}

#[test]
fn a_golden_header_is_read_and_written() {
    let bytes = [
        0x9c, 0x40, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x60, 0x12, 0xfa,
        0xf0, 0xab, 0xcd, 0x00, 0x09, 2, 4, 0x05, 0xb4,
    ];
    let header = Header {
        src_port: 40_000,
        dst_port: 80,
        seq: 0x0102_0304,
        ack: 0x0506_0708,
        flags: Flags::SYN | Flags::ACK,
        window: 64_240,
        urgent: 9,
        options: Options { mss: Some(1460), ..Options::default() },
    };
    assert_eq!(Header::parse(&bytes), Ok((header, 24)));
    assert_eq!(emit(&header, 0xabcd), bytes);
}

#[test]
fn the_payload_starts_after_the_options_even_if_they_end_early() {
    let mut segment = emit(&Header::default(), 0);
    segment[12] = 0x70;
    segment.extend_from_slice(&[0, 9, 9, 9, 9, 9, 9, 9]);
    segment.extend_from_slice(b"payload");
    let (header, offset) = Header::parse(&segment).unwrap();
    assert_eq!(header.options, Options::default());
    assert_eq!(&segment[offset..], b"payload");
}

#[test]
fn a_data_offset_out_of_bounds_is_refused() {
    let mut segment = emit(&Header::default(), 0);
    assert_eq!(Header::parse(&segment[..19]), Err(Malformed::Truncated));
    for offset in (0..16).filter(|&offset| offset != 5) {
        segment[12] = offset << 4;
        assert_eq!(Header::parse(&segment), Err(Malformed::Length), "offset {offset}");
    }
}

#[test]
fn the_accurate_ecn_bit_is_read_and_the_reserved_ones_are_ignored() {
    // RFC 9768 §3.2.2; RFC 9293 §3.1
    let mut segment = emit(&Header::default(), 0);
    segment[12] |= 0x0f;
    let header = Header { flags: Flags::AE, ..Header::default() };
    assert_eq!(Header::parse(&segment), Ok((header, 20)));
    assert_eq!(emit(&header, 0)[12], 0x51);
}

#[test]
fn flags_are_shown_as_one_says_them() {
    assert_eq!((Flags::SYN | Flags::ACK).to_string(), "SYN|ACK");
    assert_eq!((Flags::FIN | Flags::PSH | Flags::ACK).to_string(), "FIN|PSH|ACK");
    assert_eq!(Flags(0x1ff).to_string(), "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR|AE");
    assert_eq!(Flags::EMPTY.to_string(), "none");
    assert_eq!(format!("{:>5}", Flags::RST), "  RST");
}

#[test]
fn flags_combine_as_sets() {
    let both = Flags::SYN | Flags::ACK;
    assert!(both.contains(Flags::SYN) && !Flags::SYN.contains(both));
    assert_eq!(both.without(Flags::SYN), Flags::ACK);
}

prop_compose! {
    fn any_header()(
        src_port: u16, dst_port: u16, seq: u32, ack: u32, flags in 0..0x200u16, window: u16, urgent: u16,
        mss: Option<u16>, window_scale: Option<u8>, sack_permitted: bool,
        timestamps: Option<(u32, u32)>,
    ) -> Header {
        let options =
            Options { mss, window_scale, sack_permitted, timestamps, ..Options::default() };
        Header { src_port, dst_port, seq, ack, flags: Flags(flags), window, urgent, options }
    }
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(header in any_header(), checksum: u16) {
        // RFC 9293 §3.1 (MUST-5).
        let bytes = emit(&header, checksum);
        prop_assert_eq!(bytes.len(), header.len());
        prop_assert_eq!(Header::parse(&bytes), Ok((header, bytes.len())));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok((_, offset)) = Header::parse(&bytes) {
            prop_assert!(offset <= bytes.len());
        }
    }
}
