//! The mark of a congested router (RFC 3168 §5): ECT becomes CE, in place.

use crate::wire::checksum;
use crate::wire::ip::Ecn;
use crate::wire::packet::Transmit;

/// Where the header checksum of IPv4 is.
const CHECKSUM: std::ops::Range<usize> = 10..12;

/// Marks a packet whose transport says that it understands; whether it did.
pub(super) fn mark_congestion(segment: &mut Transmit) -> bool {
    let [first, second, ..] = *segment.header else { return false };
    let is_v4 = first >> 4 == 4;
    // In IPv6 the traffic class begins in the middle of the first byte.
    let shift = if is_v4 { 0 } else { 4 };
    if !matches!(Ecn::of(second >> shift), Ecn::Ect0 | Ecn::Ect1) {
        return false;
    }
    let header_len = usize::from(first & 0x0f) * 4;
    segment.header[1] |= Ecn::Ce.bits() << shift;
    if is_v4 && let Some(header) = segment.header.get_mut(..header_len) {
        header[CHECKSUM].fill(0);
        let sum = checksum::finish(checksum::sum(header));
        header[CHECKSUM].copy_from_slice(&sum.to_be_bytes());
    }
    true
}
