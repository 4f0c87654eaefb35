//! The ICMP errors that this host itself sends: about packets for it that it cannot use.
//!
//! Whether one may be sent (never about an ICMP error, never to more than one host, not too often) is
//! for the host to say.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::ip::{self, PROTOCOL_ICMP, PROTOCOL_ICMPV6};
use super::{Problem, ProblemKind, checksum, write_u16};

/// The hop limit of a report.
const TTL: u8 = 64;

/// How long a report may be in all: what every host can take (RFC 1812 §4.3.2.3; RFC 4443 §2.4 (c)).
const LONGEST_V4: usize = 576;
const LONGEST_V6: usize = 1280;

/// Length of an ICMP header.
const HEADER_LEN: usize = 8;

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// A packet's fragments did not all come in time.
    ReassemblyTimeExceeded,
    /// Nothing here speaks the transport that the packet carries.
    UnknownProtocol {
        /// Where the packet names it.
        pointer: u16,
    },
    /// A header field cannot be processed.
    Problem(Problem),
}

impl Report {
    /// Type, code and second word of the message.
    fn words(self, is_ipv4: bool) -> (u8, u8, u32) {
        match self {
            Report::ReassemblyTimeExceeded if is_ipv4 => (11, 1, 0),
            Report::ReassemblyTimeExceeded => (3, 1, 0),
            Report::UnknownProtocol { .. } if is_ipv4 => (3, 2, 0),
            Report::UnknownProtocol { pointer } => (4, 1, pointer.into()),
            // RFC 792 has the pointer in the first byte of the word.
            Report::Problem(Problem { pointer, .. }) if is_ipv4 => {
                (12, 0, u32::from(pointer.min(0xff)) << 24)
            }
            Report::Problem(Problem { kind, pointer }) => {
                let code = match kind {
                    ProblemKind::ErroneousField => 0,
                    ProblemKind::UnrecognizedNextHeader => 1,
                    ProblemKind::UnrecognizedOption => 2,
                    ProblemKind::IncompleteFirstFragment => 3,
                };
                (4, code, pointer.into())
            }
        }
    }

    /// The whole IP packet from `src` to `dst` about `packet`, of which as much is quoted as fits
    /// (RFC 1122 §3.2.2, RFC 4443 §2.4 (c)).
    pub fn to_packet(self, src: IpAddr, dst: IpAddr, packet: &[u8]) -> Vec<u8> {
        let (protocol, longest, ip_header_len) = match src {
            IpAddr::V4(_) => (PROTOCOL_ICMP, LONGEST_V4, 20),
            IpAddr::V6(_) => (PROTOCOL_ICMPV6, LONGEST_V6, 40),
        };
        let (kind, code, word) = self.words(src.is_ipv4());
        let quoted = &packet[..packet.len().min(longest - ip_header_len - HEADER_LEN)];
        let payload_len = HEADER_LEN + quoted.len();
        let mut report = SmallVec::new();
        ip::Header { payload_len, ..ip::Header::new(src, dst, protocol, TTL, 0) }.emit(&mut report);
        let mut report = report.to_vec();
        report.extend_from_slice(&[kind, code, 0, 0]);
        report.extend_from_slice(&word.to_be_bytes());
        report.extend_from_slice(quoted);
        let mut sum = checksum::sum(&report[ip_header_len..]);
        if protocol == PROTOCOL_ICMPV6 {
            sum = checksum::add(sum, checksum::pseudo_header(src, dst, protocol, payload_len));
        }
        write_u16(&mut report, ip_header_len + 2, checksum::finish(sum));
        report
    }
}

/// Whether the ICMP message that `transport` starts with is an error: about those nothing is
/// reported (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)). One of which not even the type is there counts.
pub fn is_error(protocol: u8, transport: &[u8]) -> bool {
    match (protocol, transport.first()) {
        (PROTOCOL_ICMP, Some(kind)) => matches!(kind, 3 | 4 | 5 | 11 | 12),
        // RFC 4443 §2.1: errors have the high bit clear; 137 is a redirect.
        (PROTOCOL_ICMPV6, Some(kind)) => *kind < 128 || *kind == 137,
        (PROTOCOL_ICMP | PROTOCOL_ICMPV6, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
