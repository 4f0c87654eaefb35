//! ICMPv4 (RFC 792, RFC 1191) and ICMPv6 (RFC 4443), as far as TCP and ping need them: echo, and
//! errors about a TCP segment.
//!
//! A message is verified before it is read. Whether an error is believed (does the quoted segment
//! belong to a connection, is its sequence number in flight?) is for the host to say (RFC 5927).

use std::net::IpAddr;

use smallvec::SmallVec;

use super::ip::{self, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP};
use super::{Malformed, checksum, ipv4, ipv6, read_u16, read_u32, write_u16};

/// Byte offsets of the fields.
const TYPE: usize = 0;
const CODE: usize = 1;
const CHECKSUM: usize = 2;
/// Identifier and sequence number of an echo; MTU or unused in an error.
const REST: usize = 4;
/// The low half of the same word: the MTU in ICMPv4 (RFC 1191 §4).
const MTU_V4: usize = 6;
/// Where an error's quoted packet starts; no message is shorter.
const QUOTED: usize = 8;

/// Message types.
mod v4 {
    pub(super) const ECHO_REPLY: u8 = 0;
    pub(super) const DESTINATION_UNREACHABLE: u8 = 3;
    pub(super) const ECHO_REQUEST: u8 = 8;
    pub(super) const TIME_EXCEEDED: u8 = 11;
    pub(super) const PARAMETER_PROBLEM: u8 = 12;
}
mod v6 {
    pub(super) const DESTINATION_UNREACHABLE: u8 = 1;
    pub(super) const PACKET_TOO_BIG: u8 = 2;
    pub(super) const TIME_EXCEEDED: u8 = 3;
    pub(super) const PARAMETER_PROBLEM: u8 = 4;
    pub(super) const ECHO_REQUEST: u8 = 128;
    pub(super) const ECHO_REPLY: u8 = 129;
}

/// The hop limit of a reply.
const ECHO_REPLY_TTL: u8 = 64;

/// What an ICMP message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A ping.
    EchoRequest {
        /// Identifier, sequence number and data: bytes 4.. of the message.
        rest: &'a [u8],
    },
    /// The answer to one.
    EchoReply {
        /// Identifier, sequence number and data: bytes 4.. of the message.
        rest: &'a [u8],
    },
    /// An error about a TCP segment that we sent: who, and which sequence number.
    Error {
        /// What went wrong.
        kind: ErrorKind,
        /// The segment concerned.
        quoted: Quoted,
    },
    /// Anything else, or an error about something that is not TCP.
    Other,
}

/// What went wrong with a segment, in the words of both ICMP versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No route to the network.
    NetUnreachable,
    /// The host does not answer.
    HostUnreachable,
    /// The host has no such transport (ICMPv4 only).
    ProtocolUnreachable,
    /// Nobody listens on the port.
    PortUnreachable,
    /// A filter or policy forbids it.
    AdminProhibited,
    /// The packet is larger than a link on the way, and may not be fragmented.
    PacketTooBig {
        /// The link's MTU in bytes as the router says, not to be trusted; an IPv4 router older
        /// than RFC 1191 says 0.
        mtu: u32,
    },
    /// The hop limit ran out (or reassembly took too long).
    TimeExceeded,
    /// A header field that someone on the way could not process.
    ParameterProblem,
    /// Unreachable in another way, such as a source route that failed.
    Unreachable,
}

/// The TCP segment that an error quotes, in the direction in which it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Who sent it.
    pub src: IpAddr,
    /// Whom it was for.
    pub dst: IpAddr,
    /// The sender's port.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// SEG.SEQ as on the wire.
    pub seq: u32,
}

/// Reads `message`, the whole payload behind the outer header `ip`, and checks its checksum.
///
/// # Errors
/// `Truncated` when the message or the packet it quotes is too short, `Checksum`, and for the quoted
/// packet whatever [`ip::Header::parse`] finds.
pub fn parse<'a>(ip: &ip::Header, message: &'a [u8]) -> Result<Message<'a>, Malformed> {
    if message.len() < QUOTED {
        return Err(Malformed::Truncated);
    }
    match (ip.src, ip.protocol) {
        (IpAddr::V4(_), PROTOCOL_ICMP) if checksum::verify(message) => parse_v4(message),
        (IpAddr::V6(_), PROTOCOL_ICMPV6) if checksum::verify_transport_checksum(ip, message) => {
            parse_v6(message)
        }
        (IpAddr::V4(_), PROTOCOL_ICMP) | (IpAddr::V6(_), PROTOCOL_ICMPV6) => {
            Err(Malformed::Checksum)
        }
        _ => Ok(Message::Other),
    }
}

fn parse_v4(message: &[u8]) -> Result<Message<'_>, Malformed> {
    let kind = match (message[TYPE], message[CODE]) {
        (v4::ECHO_REQUEST, 0) => return Ok(Message::EchoRequest { rest: &message[REST..] }),
        (v4::ECHO_REPLY, 0) => return Ok(Message::EchoReply { rest: &message[REST..] }),
        (v4::DESTINATION_UNREACHABLE, code) => match code {
            // The codes above 5 are those of RFC 1122 §3.2.2.1 and RFC 1812 §5.2.7.1.
            0 | 6 | 11 => ErrorKind::NetUnreachable,
            1 | 7 | 12 => ErrorKind::HostUnreachable,
            2 => ErrorKind::ProtocolUnreachable,
            3 => ErrorKind::PortUnreachable,
            4 => ErrorKind::PacketTooBig { mtu: read_u16(message, MTU_V4).into() },
            9 | 10 | 13 => ErrorKind::AdminProhibited,
            _ => ErrorKind::Unreachable,
        },
        (v4::TIME_EXCEEDED, _) => ErrorKind::TimeExceeded,
        (v4::PARAMETER_PROBLEM, _) => ErrorKind::ParameterProblem,
        // Source quench is to be ignored (MUST-55, RFC 5927 §6.2, RFC 6633 §5), and no redirect is
        // followed.
        _ => return Ok(Message::Other),
    };
    error(kind, &message[QUOTED..], ipv4::parse_quoted)
}

fn parse_v6(message: &[u8]) -> Result<Message<'_>, Malformed> {
    let kind = match (message[TYPE], message[CODE]) {
        (v6::ECHO_REQUEST, 0) => return Ok(Message::EchoRequest { rest: &message[REST..] }),
        (v6::ECHO_REPLY, 0) => return Ok(Message::EchoReply { rest: &message[REST..] }),
        (v6::DESTINATION_UNREACHABLE, code) => match code {
            0 => ErrorKind::NetUnreachable,
            1 | 5 | 6 => ErrorKind::AdminProhibited,
            2 | 3 => ErrorKind::HostUnreachable,
            4 => ErrorKind::PortUnreachable,
            _ => ErrorKind::Unreachable,
        },
        (v6::PACKET_TOO_BIG, _) => ErrorKind::PacketTooBig { mtu: read_u32(message, REST) },
        (v6::TIME_EXCEEDED, _) => ErrorKind::TimeExceeded,
        (v6::PARAMETER_PROBLEM, _) => ErrorKind::ParameterProblem,
        _ => return Ok(Message::Other),
    };
    error(kind, &message[QUOTED..], ipv6::parse_quoted)
}

/// An error of `kind` about the packet that starts with `quoted`: its IP header and at least the
/// first 8 bytes after it (RFC 792).
fn error(
    kind: ErrorKind,
    quoted: &[u8],
    parse: fn(&[u8]) -> Result<ip::Header, Malformed>,
) -> Result<Message<'_>, Malformed> {
    let ip = parse(quoted)?;
    if ip.protocol != PROTOCOL_TCP {
        return Ok(Message::Other);
    }
    let tcp = quoted[ip.header_len..].get(..8).ok_or(Malformed::Truncated)?;
    let quoted = Quoted {
        src: ip.src,
        dst: ip.dst,
        src_port: read_u16(tcp, 0),
        dst_port: read_u16(tcp, 2),
        seq: read_u32(tcp, 4),
    };
    Ok(Message::Error { kind, quoted })
}

/// The whole IP packet of an echo reply from `src` to `dst`, with the request's `rest` given back
/// (RFC 1122 §3.2.2.6, RFC 4443 §4.2).
pub fn echo_reply(src: IpAddr, dst: IpAddr, rest: &[u8]) -> Vec<u8> {
    let (protocol, kind) = match src {
        IpAddr::V4(_) => (PROTOCOL_ICMP, v4::ECHO_REPLY),
        IpAddr::V6(_) => (PROTOCOL_ICMPV6, v6::ECHO_REPLY),
    };
    let payload_len = REST + rest.len();
    let mut header = SmallVec::new();
    ip::Header { payload_len, ..ip::Header::new(src, dst, protocol, ECHO_REPLY_TTL, 0) }
        .emit(&mut header);
    let start = header.len();
    let mut packet = Vec::with_capacity(start + payload_len);
    packet.extend_from_slice(&header);
    packet.extend_from_slice(&[kind, 0, 0, 0]);
    packet.extend_from_slice(rest);
    let mut sum = checksum::sum(&packet[start..]);
    if protocol == PROTOCOL_ICMPV6 {
        sum = checksum::add(sum, checksum::pseudo_header(src, dst, protocol, payload_len));
    }
    write_u16(&mut packet, start + CHECKSUM, checksum::finish(sum));
    packet
}

#[cfg(test)]
mod tests;
