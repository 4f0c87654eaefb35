use bytes::Bytes;

use super::*;
use crate::tcp::seq::Seq;
use crate::wire::tcp::Header;
use crate::wire::tcp_options::{AccEcnOption, Options};

fn segment(flags: Flags, ecn: Ecn, text: &'static [u8]) -> Segment {
    let header = Header { flags, ..Header::default() };
    let zero = Seq::from_initial(0);
    Segment::from_wire(&header, Bytes::from_static(text).into(), 0, ecn, zero, zero)
}

fn ack(ace: u8) -> Segment {
    segment(Flags::ACK | ace_flags(ace), Ecn::NotEct, b"")
}

#[test]
fn the_syn_and_ack_tells_how_the_syn_arrived() {
    // RFC 9768 §3.1.2, table 2
    let bits = |ecn| ace_of(Accurate::new(ecn).handshake_flags());
    assert_eq!(
        [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce].map(bits),
        [0b010, 0b011, 0b100, 0b110]
    );
}

#[test]
fn the_first_ack_of_an_active_open_tells_how_the_syn_and_ack_arrived() {
    // RFC 9768 §3.2.2.1, table 3
    let mut client = Accurate::of_syn_ack(Ecn::Ect0);
    assert_eq!(ace_of(client.flags(false)), 0b100);
    assert_eq!(ace_of(client.flags(false)), 5, "from then on the packets");
    let mut marked = Accurate::of_syn_ack(Ecn::Ce);
    assert_eq!([ace_of(marked.flags(false)), ace_of(marked.flags(false))], [0b110, 6]);
}

#[test]
fn marked_packets_count_modulo_eight_with_or_without_text() {
    // RFC 9768 §3.2.2: unlike classic feedback, ACKs too
    let mut receiver = Accurate::new(Ecn::NotEct);
    for count in 1..=10u32 {
        assert!(receiver.take_marks(&segment(
            Flags::ACK,
            Ecn::Ce,
            if count % 2 == 0 { b"x" } else { b"" }
        )));
        assert_eq!(u32::from(ace_of(receiver.flags(true))), (5 + count) % 8);
    }
    assert!(!receiver.take_marks(&segment(Flags::ACK, Ecn::Ect0, b"abc")));
    let counters = receiver.take_option().unwrap();
    assert_eq!(counters, AccEcnCounters { ect0: 4, ce: 5, ect1: 1 });
    assert_eq!(receiver.take_option(), None, "until another mark");
}

#[test]
fn the_sender_hears_how_many_were_marked() {
    let mut sender = Accurate::of_syn_ack(Ecn::NotEct);
    assert_eq!(sender.marks_reported(&ack(5), 1000, 1000), 0);
    assert_eq!(sender.marks_reported(&ack(7), 3000, 1000), 2);
    assert_eq!(sender.marks_reported(&ack(0), 1000, 1000), 1, "across the wrap");
    assert_eq!(sender.marks_reported(&ack(7), 0, 1000), 0, "an old ACK reports nothing");
    assert_eq!(sender.marks_reported(&ack(0), 1000, 1000), 0);
}

#[test]
fn where_three_bits_may_have_wrapped_the_worst_is_assumed() {
    // RFC 9768 §3.2.2.5.1
    let mut sender = Accurate::of_syn_ack(Ecn::NotEct);
    assert_eq!(sender.marks_reported(&ack(6), 20_000, 1000), 17, "1, 9 or 17 of 20");
    let mut sender = Accurate::of_syn_ack(Ecn::NotEct);
    assert_eq!(sender.marks_reported(&ack(5), 16_000, 1000), 16);
}

#[test]
fn the_option_says_that_nothing_wrapped() {
    let mut sender = Accurate::of_syn_ack(Ecn::NotEct);
    let option = Some(AccEcnOption { ce: Some(0), ..AccEcnOption::default() });
    let same = |ace| Segment {
        options: Options { accurate_ecn: option, ..Options::default() },
        ..ack(ace)
    };
    assert_eq!(sender.marks_reported(&same(5), 1000, 1000), 0);
    assert_eq!(sender.marks_reported(&same(5), 20_000, 1000), 0);
}

#[test]
fn a_first_ack_whose_bits_are_wiped_ends_the_marking_of_text() {
    // RFC 9768 §3.2.2.4
    let mut server = Accurate::new(Ecn::NotEct);
    assert_eq!(server.marks_reported(&ack(0), 1, 1000), 0);
    assert!(!server.may_send_ect());
    let mut server = Accurate::new(Ecn::NotEct);
    assert_eq!(server.marks_reported(&ack(0b110), 1, 1000), 1, "our SYN+ACK was marked");
    assert_eq!(server.marks_reported(&ack(6), 1000, 1000), 0);
    assert!(server.may_send_ect());
}
