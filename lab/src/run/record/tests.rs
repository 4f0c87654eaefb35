//! Records as a file of somebody else may have them, too.

use tcpstack::event::SegmentRecord;

use super::*;

#[test]
fn digits_are_bytes_or_nothing() {
    assert_eq!(octets("00ff1A"), Some(vec![0, 0xff, 0x1a]));
    assert_eq!(octets(""), Some(Vec::new()));
    assert_eq!(["0", "0g", "00f", "é0"].map(octets), [None, None, None, None]);
}

/// An ACK of 2001 that reports the range from 3001 on, and one that came twice below it, from an initial
/// sequence number of 0xffff_f000 (RFC 2018 §3, RFC 2883 §4).
#[test]
fn ranges_are_counted_as_the_acknowledgment_is() {
    let iss: u32 = 0xffff_f000;
    let at = |relative: u32| iss.wrapping_add(relative);
    let blocks = [(at(1001), at(2001)), (at(3001), at(4001))];
    let numbers = blocks.iter().flat_map(|(left, right)| [left, right]);
    let options: String = numbers.map(|number| format!("{number:08x}")).collect();
    let header = format!("0050b07c00000001{:08x}a010040000000000{}{options}", at(2001), "01010512");
    let record = SegmentRecord { ack: at(2001), ..record(header) };
    assert_eq!(sacked(&record, Some(2001)), [(1001, 2001), (3001, 4001)]);
    let absolute = blocks.map(|(left, right)| (i64::from(left), i64::from(right)));
    assert_eq!(sacked(&record, None), absolute);
}

fn record(header: String) -> SegmentRecord {
    let run = crate::export::tests::lossy_run();
    let record = run.events.iter().find_map(|event| match &event.kind {
        tcpstack::event::Kind::SegmentSent(record) => Some(record.clone()),
        _ => None,
    });
    SegmentRecord { header, ..record.unwrap() }
}
