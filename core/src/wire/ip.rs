//! IPv4 and IPv6 behind one header type; each version's bytes are in a file of its own.
//!
//! Options and extension headers are stepped over on the way in and never sent. A fragment is no
//! packet: [`super::fragment`] reads it. Which addresses are acceptable is for the host to say.

use std::net::{IpAddr, Ipv6Addr};

use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::{Malformed, ipv4, ipv6};

/// The protocol number of ICMP for IPv4.
pub const PROTOCOL_ICMP: u8 = 1;
/// The protocol number of TCP.
pub const PROTOCOL_TCP: u8 = 6;
/// The protocol number of ICMPv6.
pub const PROTOCOL_ICMPV6: u8 = 58;
/// IPv6: nothing follows (RFC 8200 §4.7).
pub const PROTOCOL_NONE: u8 = 59;

/// The ECN field: the low two bits of TOS and traffic class (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// Not ECN-capable: congestion can only be shown by dropping.
    #[default]
    NotEct,
    /// ECN-capable, ECT(1).
    Ect1,
    /// ECN-capable, ECT(0).
    Ect0,
    /// Congestion experienced: a router marked it.
    Ce,
}

impl Ecn {
    /// The codepoint in the low two bits of `traffic_class`.
    pub const fn of(traffic_class: u8) -> Ecn {
        match traffic_class & 0b11 {
            0b01 => Ecn::Ect1,
            0b10 => Ecn::Ect0,
            0b11 => Ecn::Ce,
            _ => Ecn::NotEct,
        }
    }

    /// Its two bits.
    pub const fn bits(self) -> u8 {
        match self {
            Ecn::NotEct => 0b00,
            Ecn::Ect1 => 0b01,
            Ecn::Ect0 => 0b10,
            Ecn::Ce => 0b11,
        }
    }
}

/// What the stack needs of an IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender's address.
    pub src: IpAddr,
    /// The receiver's address.
    pub dst: IpAddr,
    /// The transport protocol (after IPv6 extension headers).
    pub protocol: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// DSCP and ECN (TOS / traffic class).
    pub traffic_class: u8,
    /// The number by which fragments of the packet would be known, where routers may cut it; None: they
    /// may not (IPv4: DF is set; IPv6: always).
    pub identification: Option<u16>,
    /// Where the transport starts, in bytes.
    pub header_len: usize,
    /// The transport's length in bytes, by the IP length field: bytes of the buffer after it are
    /// not part of the packet.
    pub payload_len: usize,
}

impl Header {
    /// A header to send; its payload's length is still 0.
    pub fn new(src: IpAddr, dst: IpAddr, protocol: u8, ttl: u8, traffic_class: u8) -> Header {
        Header {
            src,
            dst,
            protocol,
            ttl,
            traffic_class,
            identification: None,
            header_len: 0,
            payload_len: 0,
        }
    }

    /// The ECN codepoint.
    pub const fn ecn(&self) -> Ecn {
        Ecn::of(self.traffic_class)
    }

    /// Reads the header at the start of `packet`. After success, `header_len + payload_len` bytes
    /// are there.
    ///
    /// # Errors
    /// What [`Malformed`] lists. An IPv4 header's checksum is verified before its fragment field is
    /// believed.
    pub fn parse(packet: &[u8]) -> Result<Header, Malformed> {
        Header::parse_front(packet, packet.len())
    }

    /// Reads the header of a packet of `len` bytes, of which `front` has the headers at least.
    ///
    /// # Errors
    /// As [`Header::parse`].
    pub fn parse_front(front: &[u8], len: usize) -> Result<Header, Malformed> {
        match front.first().ok_or(Malformed::Truncated)? >> 4 {
            4 => ipv4::parse(front, len),
            6 => ipv6::parse(front, len),
            _ => Err(Malformed::Version),
        }
    }

    /// Source and destination of a packet whose headers could not be read for a [`Malformed::Problem`].
    pub fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
        match packet.first()? >> 4 {
            4 => ipv4::addresses(packet),
            6 => ipv6::addresses(packet),
            _ => None,
        }
    }

    /// Where in a packet that [`Header::parse`] took the field is that names the transport.
    pub fn protocol_field(packet: &[u8]) -> usize {
        if is_ipv6(packet) { ipv6::protocol_field(packet) } else { ipv4::PROTOCOL }
    }

    /// Appends a header without options for `payload_len` transport bytes; on IPv4 with DF set
    /// and id 0 unless there is an identification, and its checksum complete. `header_len` is ignored. The whole packet has to fit into
    /// 65,535 bytes.
    pub fn emit(&self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                out.extend_from_slice(&ipv4::bytes(src, dst, self));
            }
            // Were the families ever mixed, the IPv4 address would go out mapped (RFC 4291 §2.5.5.2).
            (src, dst) => out.extend_from_slice(&ipv6::bytes(as_ipv6(src), as_ipv6(dst), self)),
        }
    }
}

fn is_ipv6(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 6)
}

fn as_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests;
