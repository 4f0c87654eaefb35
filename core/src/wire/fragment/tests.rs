use super::super::{Problem, ProblemKind, checksum};
use super::*;

/// A fragment of 10.0.0.1's packet number 7, with its header checksum.
fn v4(offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let field = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 7]);
    packet.extend(field.to_be_bytes());
    packet.extend([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    let sum = checksum::finish(checksum::sum(&packet));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

/// A fragment with a destination options header before its Fragment header.
fn v6(offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((16 + payload.len() as u16).to_be_bytes());
    packet.extend([60, 64]);
    packet.extend([[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat());
    packet.extend([44, 0, 1, 4, 0, 0, 0, 0]);
    packet.extend([6, 0]);
    packet.extend((offset as u16 | u16::from(more)).to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(payload);
    packet
}

#[test]
fn a_fragment_says_where_it_belongs() {
    let fragment = Fragment::parse(&v4(16, true, &[1; 24])).unwrap();
    assert_eq!((fragment.offset, fragment.end(), fragment.more), (16, 40, true));
    assert_eq!((fragment.identification, fragment.protocol()), (7, Some(6)));
    let fragment = Fragment::parse(&v6(16, false, &[1; 5])).unwrap();
    assert_eq!((fragment.offset, fragment.end(), fragment.more), (16, 21, false));
    assert_eq!((fragment.identification, fragment.protocol()), (9, None));
    assert_eq!(fragment.header.header_len, 56);
}

#[test]
fn parts_put_together_are_a_packet_with_its_lengths_and_its_checksum() {
    let data: Vec<u8> = (0..60).collect();
    for fragment in [v4, v6] {
        let first = fragment(0, true, &data[..40]);
        let parsed = Fragment::parse(&first).unwrap();
        let head = &first[..parsed.header.header_len];
        let parts = [&data[..40], &data[40..]];
        let whole = reassemble(head, parsed.layout, parts.into_iter(), false).unwrap();
        let header = Header::parse(&whole).unwrap();
        assert_eq!((header.protocol, header.traffic_class), (6, 0));
        assert_eq!(&whole[header.header_len..], &data);
        let marked = reassemble(head, parsed.layout, parts.into_iter(), true).unwrap();
        assert_eq!(Header::parse(&marked).unwrap().traffic_class, 3);
    }
}

#[test]
fn parts_that_cannot_be_are_refused() {
    // Not a whole unit of 8 bytes with more to come; nothing at all.
    assert_eq!(Fragment::parse(&v4(0, true, &[1; 23])), Err(Malformed::Length));
    assert_eq!(Fragment::parse(&v4(8, false, &[])), Err(Malformed::Length));
    assert_eq!(Fragment::parse(&v6(8, false, &[])), Err(Malformed::Length));
    // "Ping of death": the end lies past the longest packet.
    assert!(Fragment::parse(&v4(65_512, false, &[1; 3])).is_ok());
    assert_eq!(Fragment::parse(&v4(65_512, false, &[1; 4])), Err(Malformed::Length));
    let problem = |kind, pointer| Err(Malformed::Problem(Problem { kind, pointer }));
    let erroneous = ProblemKind::ErroneousField;
    assert_eq!(Fragment::parse(&v6(65_520, false, &[1; 8])), problem(erroneous, 50));
    assert_eq!(Fragment::parse(&v6(8, true, &[1; 9])), problem(erroneous, 4));
}

// RFC 7112 §5, RFC 8200 §4.5.
#[test]
fn an_ipv6_first_fragment_without_the_whole_tcp_header_is_a_problem() {
    let incomplete = Problem { kind: ProblemKind::IncompleteFirstFragment, pointer: 0 };
    assert_eq!(Fragment::parse(&v6(0, true, &[1; 16])), Err(Malformed::Problem(incomplete)));
    assert!(Fragment::parse(&v6(0, true, &[1; 24])).is_ok());
    // On IPv4 a first fragment may be that tiny: the whole is verified.
    assert!(Fragment::parse(&v4(0, true, &[1; 8])).is_ok());
}

#[test]
fn a_whole_that_is_too_long_for_its_first_header_is_refused() {
    let first = v4(0, true, &[1; 8]);
    // The last fragment had a shorter header than the first: together they are too long.
    let long_head = [&first[..20], &[1; 40]].concat();
    let parts = [vec![0; 65_500]];
    let whole = reassemble(&long_head, Layout::V4, parts.iter().map(Vec::as_slice), false);
    assert_eq!(whole, Err(Malformed::Length));
}
