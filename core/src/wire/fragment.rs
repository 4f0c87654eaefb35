//! Fragments of IP packets: what one says of itself (RFC 791 §3.2, RFC 8200 §4.5), and how a whole
//! packet is made of them. Keeping them until all are there is the host's.

use std::net::IpAddr;

use super::ip::Header;
use super::{Malformed, ipv4, ipv6};

/// A part of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The header of the fragment; its payload is a part of the whole's.
    pub header: Header,
    /// The same in all parts of one packet.
    pub identification: u32,
    /// Where the part belongs, in bytes: a multiple of 8.
    pub offset: usize,
    /// Whether parts behind it are to come.
    pub more: bool,
    /// How the headers before the payload become those of the whole.
    pub layout: Layout,
}

/// How the headers of a first fragment become those of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// By three fields of the one header.
    V4,
    /// By taking out the Fragment header at `fragment_at`, which the field at `named_at` names.
    V6 {
        /// Where the Fragment header starts.
        fragment_at: usize,
        /// The Next Header field before it.
        named_at: usize,
    },
}

impl Fragment {
    /// Reads a packet of which [`Header::parse`] says that it is a fragment.
    ///
    /// # Errors
    /// As [`Header::parse`]; `Length` for a part that is empty, not made of whole units of 8 bytes, or
    /// past the end of the longest packet (on IPv6 a `Problem` of which the sender is told).
    pub fn parse(packet: &[u8]) -> Result<Fragment, Malformed> {
        match packet.first().ok_or(Malformed::Truncated)? >> 4 {
            4 => ipv4::parse_fragment(packet),
            6 => ipv6::parse_fragment(packet),
            _ => Err(Malformed::Version),
        }
    }

    /// The end of the part in the whole's payload, in bytes.
    pub fn end(&self) -> usize {
        self.offset + self.header.payload_len
    }

    /// Which protocol tells it from fragments with the same identification: IPv6 numbers those of a
    /// pair of hosts without regard to what they carry.
    pub fn protocol(&self) -> Option<u8> {
        matches!(self.header.src, IpAddr::V4(_)).then_some(self.header.protocol)
    }
}

/// The whole packet: `head` is the first fragment up to its payload, `parts` are all payloads in
/// order, `congestion_experienced` says that some part bore the CE mark.
///
/// # Errors
/// `Length` when it would be longer than an IP packet can be.
pub fn reassemble<'a>(
    head: &[u8],
    layout: Layout,
    parts: impl Iterator<Item = &'a [u8]>,
    congestion_experienced: bool,
) -> Result<Vec<u8>, Malformed> {
    let mut packet = head.to_vec();
    for part in parts {
        packet.extend_from_slice(part);
    }
    let longest = match layout {
        Layout::V4 => usize::from(u16::MAX),
        Layout::V6 { .. } => ipv6::HEADER_LEN + usize::from(u16::MAX) + ipv6::FRAGMENT_LEN,
    };
    if packet.len() > longest {
        return Err(Malformed::Length);
    }
    match layout {
        Layout::V4 => ipv4::make_whole(&mut packet, head.len(), congestion_experienced),
        Layout::V6 { fragment_at, named_at } => {
            ipv6::make_whole(&mut packet, fragment_at, named_at, congestion_experienced);
        }
    }
    Ok(packet)
}

#[cfg(test)]
mod tests;
