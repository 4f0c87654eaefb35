//! The Internet checksum (RFC 1071): the ones' complement sum of a packet's 16-bit words.
//!
//! A *sum* here is folded to 16 bits and not inverted, so that sums of parts can be put together;
//! [`finish`] makes the value of the field. Everything is computed as if in network byte order.
//!
//! ```
//! use tcpstack::wire::checksum;
//! // The example of RFC 1071 §3.
//! let sum = checksum::sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
//! assert_eq!(sum, 0xddf2);
//! assert_eq!(checksum::finish(sum), 0x220d);
//! ```

use std::net::IpAddr;

use super::ip;

/// 32-bit words that are summed side by side, so that the compiler can use vector instructions.
const LANES: usize = 4;

/// What a sum over data with a right checksum field comes to: all ones, the other zero.
const RIGHT: u16 = 0xffff;

/// Ones' complement sum of `bytes` as 16-bit words; an odd last byte counts as the high one.
///
/// Adding wide words is the same as adding 16-bit ones, because 2^16 = 1 modulo 2^16 - 1; and adding
/// them in this machine's byte order gives the same sum with its bytes swapped (RFC 1071 §2).
pub fn sum(bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<{ 4 * LANES }>();
    let mut lanes = [0u64; LANES];
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<4>().0) {
            // 32 bits into 64: no carry is lost below 2^32 blocks.
            *lane += u64::from(u32::from_ne_bytes(*word));
        }
    }
    let mut total: u64 = lanes.iter().map(|&lane| u64::from(fold(lane))).sum();
    let (words, odd) = rest.as_chunks::<2>();
    for word in words {
        total += u64::from(u16::from_ne_bytes(*word));
    }
    if let [last] = odd {
        total += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    u16::from_be(fold(total))
}

/// Sum of two concatenated parts; `first_len` (bytes) says whether the second started at an odd
/// offset, which puts its bytes into the other half of each word.
pub fn concat(first: u16, first_len: usize, second: u16) -> u16 {
    add(first, if first_len.is_multiple_of(2) { second } else { second.swap_bytes() })
}

/// The pseudo-header's sum (RFC 9293 §3.1, RFC 8200 §8.1) for `len` bytes of transport.
pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: usize) -> u16 {
    fold(address(src) + address(dst) + u64::from(protocol) + (len as u64 & 0xffff_ffff))
}

/// The value for the field: the inverted sum.
pub fn finish(sum: u16) -> u16 {
    !sum
}

/// Whether the checksum field inside `transport` (a whole TCP segment or ICMPv6 message, exactly)
/// is right for the addresses of `ip`.
pub fn verify_transport_checksum(ip: &ip::Header, transport: &[u8]) -> bool {
    add(pseudo_header(ip.src, ip.dst, ip.protocol, transport.len()), sum(transport)) == RIGHT
}

/// Whether the checksum field inside `bytes` is right, no pseudo-header being covered.
pub(super) fn verify(bytes: &[u8]) -> bool {
    sum(bytes) == RIGHT
}

/// Ones' complement addition: the carry comes back in at the right.
pub(super) fn add(left: u16, right: u16) -> u16 {
    let (sum, carry) = left.overflowing_add(right);
    sum + u16::from(carry)
}

/// Adds the halves until 16 bits are left.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

/// An address as a few 32-bit words, added up.
fn address(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            (0..4).map(|word| u64::from((bits >> (32 * word)) as u32)).sum()
        }
    }
}

#[cfg(test)]
mod tests;
