//! Damage to a packet: one bit behind its IP header is flipped, its checksum being final before, so
//! that it no longer fits.

use crate::wire::packet::Transmit;

/// The lowest bit of each byte comes first, for chance to choose by.
pub(super) fn flip_any(segment: &mut Transmit, random: u64) -> bool {
    flip(segment, random, |bit| 1 << bit)
}

/// Flips bit `bit` as the RFCs count them: from the first bit of the transport header on, the highest of
/// each byte first; past the packet's end it is counted on from there. False: there is nothing behind the
/// IP header.
pub(crate) fn flip_nth(segment: &mut Transmit, bit: u64) -> bool {
    flip(segment, bit, |bit| 0x80 >> bit)
}

fn flip(segment: &mut Transmit, bit: u64, mask: impl Fn(u64) -> u8) -> bool {
    segment.complete_checksum();
    let ip_len = match segment.header.first().map(|byte| (byte >> 4, byte & 0x0f)) {
        Some((4, words)) => usize::from(words) * 4,
        _ => 40,
    };
    let Some(bits @ 1..) = segment.len().checked_sub(ip_len).map(|bytes| bytes as u64 * 8) else {
        return false;
    };
    let bit = bit % bits;
    let (mut at, mask) = (ip_len + (bit / 8) as usize, mask(bit % 8));
    if let Some(byte) = segment.header.get_mut(at) {
        *byte ^= mask;
        return true;
    }
    at -= segment.header.len();
    for (index, slice) in segment.payload.slices().iter().enumerate() {
        if at < slice.len() {
            // The send buffer shares these bytes and keeps the true ones.
            let mut damaged = slice.to_vec();
            damaged[at] ^= mask;
            segment.payload.replace(index, damaged.into());
            return true;
        }
        at -= slice.len();
    }
    false
}
