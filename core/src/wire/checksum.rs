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

use super::{ip, tcp, write_u16};

/// Bytes summed in one step, and sums that grow side by side meanwhile: in this shape compilers find
/// vector instructions (benches/benches/wire.rs tells).
const STEP: usize = 64;
const LANES: usize = 4;

/// The low half of a 64-bit word.
const LOW: u64 = 0xffff_ffff;

/// What a sum over data with a right checksum field comes to: all ones, the other zero.
const RIGHT: u16 = 0xffff;

/// Ones' complement sum of `bytes` as 16-bit words; an odd last byte counts as the high one.
///
/// Adding wide words is the same as adding 16-bit ones, because 2^16 = 1 modulo 2^16 - 1; and adding
/// them in this machine's byte order gives the same sum with its bytes swapped (RFC 1071 §2).
pub fn sum(bytes: &[u8]) -> u16 {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut lanes = [0u64; LANES];
    for step in steps {
        let step = *step;
        add_to(&mut lanes, &step);
    }
    u16::from_be(fold(lanes.iter().sum::<u64>() + sum_of_few(rest)))
}

/// Copies `from` to `to`, which is as long, and returns its [`sum`]: the bytes pass the processor
/// once, and summing costs little beside loading and storing them.
///
/// # Panics
/// When the lengths differ.
pub fn copy(from: &[u8], to: &mut [u8]) -> u16 {
    assert_eq!(from.len(), to.len(), "a copy is as long as what it is made of");
    let (steps, rest) = from.as_chunks::<STEP>();
    let (steps_to, rest_to) = to.as_chunks_mut::<STEP>();
    let mut lanes = [0u64; LANES];
    for (step, step_to) in steps.iter().zip(steps_to) {
        let step = *step;
        *step_to = step;
        add_to(&mut lanes, &step);
    }
    rest_to.copy_from_slice(rest);
    u16::from_be(fold(lanes.iter().sum::<u64>() + sum_of_few(rest)))
}

#[inline(always)]
fn add_to(lanes: &mut [u64; LANES], step: &[u8; STEP]) {
    let words = step.as_chunks::<8>().0;
    for at in 0..STEP / 8 {
        let word = u64::from_ne_bytes(words[at]);
        // Two halves of 32 bits into 64: no carry is lost below 2^31 steps.
        lanes[at % LANES] += (word & LOW) + (word >> 32);
    }
}

/// Sum of less than a step, in this machine's byte order and not folded.
fn sum_of_few(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let wide = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
    wide + match *rest {
        [] => 0,
        [a] => u64::from(u16::from_ne_bytes([a, 0])),
        [a, b] => u64::from(u16::from_ne_bytes([a, b])),
        [a, b, c, ..] => u64::from(u32::from_ne_bytes([a, b, c, 0])),
    }
}

/// Sum of two concatenated parts; `first_len` (bytes) says whether the second started at an odd
/// offset, which puts its bytes into the other half of each word.
pub fn concat(first: u16, first_len: usize, second: u16) -> u16 {
    add(first, if first_len.is_multiple_of(2) { second } else { second.swap_bytes() })
}

/// Whether the parts of what a checksum covers, the field among them and each of an even length but for
/// the last, add up.
pub(super) fn is_right<const N: usize>(sums: [u16; N]) -> bool {
    sums.into_iter().fold(0, add) == RIGHT
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
    is_transport_right(ip, transport.len(), sum(transport))
}

/// The same, given the length (bytes) and the sum of the transport.
pub(crate) fn is_transport_right(ip: &ip::Header, len: usize, sum: u16) -> bool {
    is_right([pseudo_header(ip.src, ip.dst, ip.protocol, len), sum])
}

/// Writes the checksum of a TCP segment into its header, whatever was in the field; the payload is given by
/// its sum and its length.
pub(crate) fn finish_segment(header: &mut [u8], payload: (u16, usize), src: IpAddr, dst: IpAddr) {
    write_u16(header, tcp::CHECKSUM, 0);
    let len = header.len() + payload.1;
    let covered = concat(sum(header), header.len(), payload.0);
    let pseudo = pseudo_header(src, dst, ip::PROTOCOL_TCP, len);
    write_u16(header, tcp::CHECKSUM, finish(add(pseudo, covered)));
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

/// Adds the halves until 16 bits are left: of 64, then 33, then 18, then 17 at most.
fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & LOW);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    ((sum >> 16) + (sum & 0xffff)) as u16
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
