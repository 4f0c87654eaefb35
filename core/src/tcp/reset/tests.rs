use super::reset_for;
use crate::wire::tcp::{Flags, Header};

fn offending(flags: u16) -> Header {
    Header {
        src_port: 5000,
        dst_port: 80,
        seq: u32::MAX,
        ack: 777,
        flags: Flags(flags),
        window: 1000,
        ..Header::default()
    }
}

#[test]
fn every_combination_of_flags_gets_the_answer_of_the_rfc() {
    // RFC 9293 §3.10.7.1.
    for flags in 0..0x200 {
        for payload_len in [0usize, 10] {
            let segment = offending(flags);
            let reset = reset_for(&segment, payload_len);
            if flags & 0x04 != 0 {
                assert_eq!(reset, None, "a reset is never answered (flags {flags:#04x})");
                continue;
            }
            let reset = reset.unwrap();
            assert_eq!((reset.src_port, reset.dst_port), (80, 5000));
            assert_eq!((reset.window, reset.urgent), (0, 0));
            let expected = if flags & 0x10 != 0 {
                (777, 0, Flags(0x04))
            } else {
                let len =
                    payload_len as u32 + u32::from(flags & 0x02 != 0) + u32::from(flags & 0x01);
                (0, u32::MAX.wrapping_add(len), Flags(0x14))
            };
            assert_eq!((reset.seq, reset.ack, reset.flags), expected, "flags {flags:#04x}");
        }
    }
}

#[test]
fn the_answer_carries_no_options() {
    let mut segment = offending(0x02);
    segment.options.mss = Some(1460);
    assert_eq!(reset_for(&segment, 0).unwrap().options, Default::default());
}
