use super::super::icmp;
use super::*;

fn ends(version: u8) -> (IpAddr, IpAddr) {
    match version {
        4 => ("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap()),
        _ => ("fd00::2".parse().unwrap(), "fd00::1".parse().unwrap()),
    }
}

/// The message of a report about `len` bytes, its checksums verified by who reads ICMP.
fn message(report: Report, version: u8, len: usize) -> Vec<u8> {
    let (us, peer) = ends(version);
    let packet = report.to_packet(us, peer, &vec![7; len]);
    let header = ip::Header::parse(&packet).unwrap();
    assert_eq!((header.src, header.dst), (us, peer));
    assert_eq!(header.header_len + header.payload_len, packet.len());
    let message = packet[header.header_len..].to_vec();
    assert_ne!(icmp::parse(&header, &message), Err(super::super::Malformed::Checksum));
    message
}

#[test]
fn each_report_has_its_type_its_code_and_its_pointer() {
    let problem = |kind| Report::Problem(Problem { kind, pointer: 0x42 });
    for (report, version, start) in [
        (Report::ReassemblyTimeExceeded, 4, [11, 1, 0, 0, 0, 0]),
        (Report::ReassemblyTimeExceeded, 6, [3, 1, 0, 0, 0, 0]),
        (Report::UnknownProtocol { pointer: 9 }, 4, [3, 2, 0, 0, 0, 0]),
        (Report::UnknownProtocol { pointer: 6 }, 6, [4, 1, 0, 0, 0, 6]),
        (problem(ProblemKind::ErroneousField), 4, [12, 0, 0x42, 0, 0, 0]),
        (problem(ProblemKind::ErroneousField), 6, [4, 0, 0, 0, 0, 0x42]),
        (problem(ProblemKind::UnrecognizedNextHeader), 6, [4, 1, 0, 0, 0, 0x42]),
        (problem(ProblemKind::UnrecognizedOption), 6, [4, 2, 0, 0, 0, 0x42]),
        (problem(ProblemKind::IncompleteFirstFragment), 6, [4, 3, 0, 0, 0, 0x42]),
    ] {
        let message = message(report, version, 100);
        assert_eq!([&message[..2], &message[4..8]].concat(), start, "{report:?}");
        assert_eq!(&message[8..], [7; 100]);
    }
}

#[test]
fn as_much_is_quoted_as_every_host_can_take() {
    assert_eq!(message(Report::ReassemblyTimeExceeded, 4, 5000).len() + 20, 576);
    assert_eq!(message(Report::ReassemblyTimeExceeded, 6, 5000).len() + 40, 1280);
}

#[test]
fn errors_are_told_from_what_one_may_report_about() {
    for kind in [3, 4, 5, 11, 12] {
        assert!(is_error(PROTOCOL_ICMP, &[kind]));
    }
    assert!(!is_error(PROTOCOL_ICMP, &[8]));
    assert!(is_error(PROTOCOL_ICMPV6, &[1]) && is_error(PROTOCOL_ICMPV6, &[137]));
    assert!(!is_error(PROTOCOL_ICMPV6, &[128]));
    assert!(is_error(PROTOCOL_ICMP, &[]) && !is_error(6, &[]));
}
