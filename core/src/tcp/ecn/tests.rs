use bytes::Bytes;

use super::*;
use crate::tcp::seq::Seq;
use crate::wire::tcp::Header;

fn knobs(value: &str) -> Knobs {
    let mut knobs = Knobs::default();
    knobs.set("tcp_ecn", value).unwrap();
    knobs
}

fn segment(flags: Flags, ecn: Ecn, text: &'static [u8]) -> Segment {
    let header = Header { flags, ..Header::default() };
    Segment::from_wire(&header, Bytes::from_static(text).into(), 0, ecn, seq(0), seq(0))
}

fn seq(number: u32) -> Seq {
    Seq::from_initial(number)
}

const NONE: Flags = Flags::EMPTY;
const ECE: Flags = Flags::ECE;
const CWR: Flags = Flags::CWR;

/// A client that `asks`, by the knob, and is answered.
fn answered(asks: &str, answer: Flags) -> EcnVariant {
    let mut ecn = EcnState::new(&knobs(asks), true);
    ecn.take_syn_ack(&segment(Flags::SYN | Flags::ACK | answer, Ecn::NotEct, b""));
    ecn.variant()
}

#[test]
fn each_value_of_the_knob_asks_and_answers_as_on_linux() {
    use EcnVariant::{Accurate, Classic, None};
    let table = [
        ("0", None, None),
        ("1", Classic, Classic),
        ("2", Classic, None),
        ("3", Accurate, Accurate),
        ("4", Accurate, Classic),
        ("5", Accurate, None),
    ];
    for (value, incoming, outgoing) in table {
        assert_eq!(EcnState::new(&knobs(value), true).variant(), outgoing, "tcp_ecn={value}");
        let mut ecn = EcnState::new(&knobs(value), false);
        ecn.take_syn(&knobs(value), &segment(Flags::SYN | ECN_FLAGS, Ecn::NotEct, b""));
        assert_eq!(ecn.variant(), incoming, "tcp_ecn={value}");
    }
}

#[test]
fn a_server_takes_what_the_client_asks_for_and_no_more() {
    // RFC 3168 §6.1.1; RFC 9768 §3.1.2
    let asked = |flags| {
        let mut ecn = EcnState::new(&knobs("3"), false);
        ecn.take_syn(&knobs("3"), &segment(Flags::SYN | flags, Ecn::NotEct, b""));
        ecn.variant()
    };
    assert_eq!(asked(ECN_FLAGS), EcnVariant::Accurate);
    assert_eq!(asked(ECE | CWR), EcnVariant::Classic);
    for flags in [NONE, ECE, CWR, Flags::AE, Flags::AE | ECE, Flags::AE | CWR] {
        assert_eq!(asked(flags), EcnVariant::None, "{flags}");
    }
}

#[test]
fn a_client_understands_every_answer() {
    // RFC 9768 §3.1.2, table 2; RFC 3168 §6.1.1
    for bits in 0..8u16 {
        let flag = |bit: u16, flag| if bits & bit != 0 { flag } else { NONE };
        let answer = flag(4, Flags::AE) | flag(2, CWR) | flag(1, ECE);
        let expected = match bits {
            0b001 | 0b101 => EcnVariant::Classic,
            0b010 | 0b011 | 0b100 | 0b110 => EcnVariant::Accurate,
            _ => EcnVariant::None,
        };
        assert_eq!(answered("3", answer), expected, "accurate asked, {bits:03b} answered");
        let expected =
            if matches!(bits, 0b001 | 0b101) { EcnVariant::Classic } else { EcnVariant::None };
        assert_eq!(answered("1", answer), expected, "classic asked, {bits:03b} answered");
        assert_eq!(answered("0", answer), EcnVariant::None);
    }
}

#[test]
fn a_syn_that_arrives_as_ect_is_not_trusted_with_classic_ecn() {
    let mut ecn = EcnState::new(&knobs("2"), false);
    ecn.take_syn(&knobs("2"), &segment(Flags::SYN | ECE | CWR, Ecn::Ect0, b""));
    assert_eq!(ecn.variant(), EcnVariant::None);
}

/// Classic ECN agreed on.
fn classic() -> EcnState {
    let mut ecn = EcnState::new(&knobs("2"), false);
    ecn.take_syn(&knobs("2"), &segment(Flags::SYN | ECE | CWR, Ecn::NotEct, b""));
    assert_eq!(ecn.variant(), EcnVariant::Classic);
    ecn
}

#[test]
fn a_mark_is_echoed_until_the_peer_says_that_it_has_slowed_down() {
    // RFC 3168 §6.1.3
    let mut ecn = classic();
    assert!(ecn.take_marks(&segment(Flags::ACK, Ecn::Ce, b"x")), "at once");
    assert_eq!([ecn.flags(false), ecn.flags(true), ecn.flags(false)], [ECE; 3]);
    assert!(!ecn.take_marks(&segment(Flags::ACK, Ecn::Ce, b"x")), "said already");
    ecn.take_marks(&segment(Flags::ACK | CWR, Ecn::Ect0, b"x"));
    assert_eq!(ecn.flags(false), NONE);
    ecn.take_marks(&segment(Flags::ACK | CWR, Ecn::Ce, b"x"));
    assert_eq!(ecn.flags(false), ECE, "marked itself: new congestion");
}

#[test]
fn marks_on_segments_without_text_mean_nothing() {
    // RFC 3168 §6.1.4
    let mut ecn = classic();
    ecn.take_marks(&segment(Flags::ACK, Ecn::Ce, b""));
    assert_eq!(ecn.flags(false), NONE);
}

#[test]
fn cwr_is_said_once_and_with_new_text_alone() {
    let mut ecn = classic();
    ecn.on_reduction();
    assert_eq!(ecn.flags(false), NONE);
    assert_eq!(ecn.flags(true), CWR);
    assert_eq!(ecn.flags(true), NONE);
    assert_eq!((ecn.codepoint(true), ecn.codepoint(false)), (Ecn::Ect0, Ecn::NotEct));
}

#[test]
fn without_agreement_nothing_is_marked_echoed_or_believed() {
    let mut ecn = EcnState::new(&knobs("2"), false);
    ecn.take_syn(&knobs("2"), &segment(Flags::SYN, Ecn::NotEct, b""));
    ecn.take_marks(&segment(Flags::ACK, Ecn::Ce, b"x"));
    ecn.on_reduction();
    assert_eq!((ecn.flags(true), ecn.codepoint(true)), (NONE, Ecn::NotEct));
    assert_eq!(ecn.marks_reported(&segment(Flags::ACK | ECE, Ecn::NotEct, b""), 9, 9), 0);
}
