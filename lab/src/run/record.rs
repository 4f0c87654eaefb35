//! What a segment's record holds as text: flags by their names, header and text in hexadecimal digits.

use tcpstack::event::SegmentRecord;
use tcpstack::wire::tcp::Header;

/// Whether a segment has this flag, by its name.
pub(crate) fn has_flag(segment: &SegmentRecord, flag: &str) -> bool {
    segment.flags.split('|').any(|name| name == flag)
}

/// The bytes that hexadecimal `digits` name; none if they are none.
pub(crate) fn octets(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// The header as it was on the wire.
pub(crate) fn header(segment: &SegmentRecord) -> Option<Header> {
    Header::parse(&octets(&segment.header)?).ok().map(|(header, _)| header)
}

/// The ranges that a segment says have arrived (RFC 2018 §3), counted as its acknowledgment number is,
/// which `relative_ack` says.
pub(crate) fn sacked(segment: &SegmentRecord, relative_ack: Option<u64>) -> Vec<(i64, i64)> {
    let Some(header) = header(segment) else { return Vec::new() };
    let count = |edge: u32| match relative_ack.and_then(|ack| i64::try_from(ack).ok()) {
        // A duplicate that is reported lies below the acknowledgment number (RFC 2883 §4).
        Some(ack) => ack + i64::from(edge.wrapping_sub(segment.ack) as i32),
        None => i64::from(edge),
    };
    let blocks = header.options.sack.as_slice().iter();
    blocks.map(|(left, right)| (count(*left), count(*right))).collect()
}

#[cfg(test)]
mod tests;
