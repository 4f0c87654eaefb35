//! Explicit congestion notification from the SYN to the reduced window (RFC 3168, RFC 9768).

use super::*;
use crate::tcp::congestion::Phase;

const ECE: Flags = Flags::ECE;
const CWR: Flags = Flags::CWR;
const ECN_SYN: Flags = SYN.union(ECE).union(CWR);
const ACCURATE_SYN: Flags = ECN_SYN.union(Flags::AE);

impl In<'_> {
    fn codepoint(self, ecn: Ecn) -> Self {
        In { ecn, ..self }
    }
}

/// SYN-RECEIVED on a SYN with these flags, SMSS 1000.
fn accepting(flags: Flags, set_knobs: &[(&str, &str)]) -> Script {
    let options = Options { mss: Some(1000), ..Options::default() };
    Script::accepting_flags(flags, options, set_knobs)
}

/// ESTABLISHED, classic ECN agreed on.
fn classic() -> Script {
    let mut peer = accepting(ECN_SYN, &[]);
    peer.expect(out(SYN_ACK | ECE, 0, 1));
    peer.arrive(seg(ACK, 1).ack(1));
    peer.expect_state(State::Established);
    peer
}

/// The next segment: flags and codepoint.
fn marks(peer: &mut Script) -> (Flags, Ecn) {
    let outgoing = peer.poll().expect("a segment leaves");
    (outgoing.header.flags, outgoing.ecn)
}

#[test]
fn by_default_ecn_is_accepted_and_not_asked_for() {
    // RFC 3168 §6.1.1; Linux's tcp_ecn = 2
    let mut peer = Script::connecting(&[]);
    assert_eq!(marks(&mut peer), (SYN, Ecn::NotEct));
    let mut peer = accepting(ECN_SYN, &[]);
    assert_eq!(marks(&mut peer), (SYN_ACK | ECE, Ecn::NotEct));
    let mut peer = accepting(ECN_SYN, &[("tcp_ecn", "0")]);
    assert_eq!(marks(&mut peer), (SYN_ACK, Ecn::NotEct));
}

#[test]
fn a_client_that_is_answered_marks_its_text() {
    // RFC 9293 §3.8.2 (SHLD-8); RFC 3168 §5.
    let mut peer = Script::connecting(&[("tcp_ecn", "1")]);
    assert_eq!(marks(&mut peer), (ECN_SYN, Ecn::NotEct));
    peer.arrive(seg(SYN_ACK | ECE, 0).ack(1));
    assert_eq!(marks(&mut peer), (ACK, Ecn::NotEct));
    peer.send(b"x").unwrap();
    assert_eq!(marks(&mut peer), (PSH_ACK, Ecn::Ect0));
}

#[test]
fn a_syn_that_is_not_answered_is_repeated_without_ecn() {
    // RFC 3168 §6.1.1.1
    for (fallback, repeated) in [("1", SYN), ("0", ECN_SYN)] {
        let mut peer = Script::connecting(&[("tcp_ecn", "1"), ("tcp_ecn_fallback", fallback)]);
        assert_eq!(marks(&mut peer).0, ECN_SYN);
        peer.wait_for_timer();
        assert_eq!(marks(&mut peer).0, repeated);
    }
}

#[test]
fn only_new_text_is_ecn_capable() {
    // RFC 3168 §6.1.4 (no pure ACK), §6.1.5 (no retransmission)
    let mut peer = classic();
    peer.send(b"hello").unwrap();
    assert_eq!(marks(&mut peer), (PSH_ACK, Ecn::Ect0));
    peer.wait_for_timer();
    assert_eq!(marks(&mut peer).1, Ecn::NotEct, "repeated");
    peer.arrive(seg(ACK, 1).ack(6).text(b"x"));
    peer.wait(ms(40));
    assert_eq!(marks(&mut peer), (ACK, Ecn::NotEct));
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(marks(&mut peer), (FIN_ACK, Ecn::NotEct));
}

#[test]
fn a_window_probe_is_not_ecn_capable() {
    // RFC 3168 §6.1.6
    let mut peer = classic();
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.send(b"hello").unwrap();
    peer.expect_nothing();
    peer.wait_for_timer();
    assert_eq!(marks(&mut peer).1, Ecn::NotEct);
}

#[test]
fn a_mark_is_echoed_at_once_and_until_cwr() {
    // RFC 3168 §6.1.3
    let mut peer = classic();
    peer.arrive(seg(ACK, 1).ack(1).text(b"a").codepoint(Ecn::Ce));
    peer.expect(out(ACK | ECE, 1, 2));
    peer.arrive(seg(ACK, 2).ack(1).text(b"b").codepoint(Ecn::Ect0));
    peer.wait(ms(40));
    peer.expect(out(ACK | ECE, 1, 3));
    peer.arrive(seg(ACK | CWR, 3).ack(1).text(b"c").codepoint(Ecn::Ect0));
    peer.expect(out(ACK, 1, 4));
}

#[test]
fn a_mark_outside_the_window_is_not_believed() {
    // RFC 3168 §6.1.5's danger: a forger would slow the connection down.
    let mut peer = classic();
    peer.arrive(seg(ACK, 90_000).ack(1).text(b"a").codepoint(Ecn::Ce));
    peer.expect(out(ACK, 1, 1));
}

#[test]
fn an_echo_reduces_the_window_once_a_round_trip_and_cwr_says_so() {
    // RFC 9293 §3.8.2 (SHLD-8).
    // RFC 3168 §6.1.2; by how much is the controller's: CUBIC keeps 0.7 (RFC 9438 §4.6).
    let mut peer = classic();
    peer.send(&[7; 20_000]).unwrap();
    for _ in 0..10 {
        assert_eq!(marks(&mut peer).1, Ecn::Ect0);
    }
    peer.arrive(seg(ACK | ECE, 1).ack(1001));
    // Proportional rate reduction brings the window there in the course of the round trip.
    assert_eq!(peer.snapshot().ssthresh, 7000);
    assert_eq!(peer.connection.congestion.phase(), Phase::Cwr);
    peer.arrive(seg(ACK | ECE, 1).ack(9001));
    assert_eq!(peer.snapshot().ssthresh, 7000, "the same congestion");
    assert!(peer.snapshot().cwnd <= 7000);
    let (flags, codepoint) = loop {
        let Some(outgoing) = peer.poll() else {
            let una = peer.connection.snd.una.since(peer.connection.snd.iss) as u32;
            peer.arrive(seg(ACK | ECE, 1).ack(una + 1000));
            continue;
        };
        break (outgoing.header.flags, outgoing.ecn);
    };
    assert!(flags.contains(CWR), "the first new text after the reduction: {flags}");
    assert_eq!(codepoint, Ecn::Ect0);
}

#[test]
fn echoes_without_agreement_are_ignored() {
    let mut peer = Script::established();
    peer.send(&[7; 5000]).unwrap();
    while peer.poll().is_some() {}
    peer.arrive(seg(ACK | ECE, 1).ack(1001));
    assert_eq!(peer.connection.congestion.phase(), Phase::SlowStart);
}

#[test]
fn accurate_ecn_is_agreed_on_when_both_can() {
    // RFC 9768 §3.1.1, §3.1.2, §3.2.2.1
    let mut server = accepting(ACCURATE_SYN, &[("tcp_ecn", "3")]);
    assert_eq!(marks(&mut server).0, SYN_ACK | CWR, "0b010: the SYN arrived as not ECT");
    let mut client = Script::connecting(&[("tcp_ecn", "3")]);
    assert_eq!(marks(&mut client).0, ACCURATE_SYN);
    client.arrive(seg(SYN_ACK | CWR, 0).ack(1));
    assert_eq!(marks(&mut client).0, ACK | CWR, "0b010: so did the SYN+ACK");
    client.send(b"x").unwrap();
    let five = Flags::AE | ECE;
    assert_eq!(
        marks(&mut client),
        (PSH_ACK | five, Ecn::Ect0),
        "no marked packets, counted from 5"
    );
}

#[test]
fn accurate_ecn_falls_back_to_what_the_other_end_has() {
    // RFC 9768 §3.1.2
    let mut classic_server = accepting(ACCURATE_SYN, &[("tcp_ecn", "2")]);
    assert_eq!(marks(&mut classic_server).0, SYN_ACK | ECE);
    let mut client = Script::connecting(&[("tcp_ecn", "3")]);
    let _ = client.poll();
    client.arrive(seg(SYN_ACK | ECE, 0).ack(1));
    assert_eq!(marks(&mut client).0, ACK);
    let mut client = Script::connecting(&[("tcp_ecn", "3")]);
    let _ = client.poll();
    client.arrive(seg(SYN_ACK | ECE | CWR | Flags::AE, 0).ack(1));
    client.send(b"x").unwrap();
    assert_eq!(marks(&mut client), (PSH_ACK, Ecn::NotEct), "reflected flags agree to nothing");
}

#[test]
fn accurate_ecn_tells_how_many_packets_and_bytes_were_marked() {
    // RFC 9768 §3.2.2, §3.2.3
    let mut peer = accepting(ACCURATE_SYN, &[("tcp_ecn", "3")]);
    let _ = peer.poll();
    let five = Flags::AE | ECE;
    peer.arrive(seg(ACK | CWR, 1).ack(1));
    peer.arrive(seg(ACK | five, 1).ack(1).text(b"abc").codepoint(Ecn::Ce));
    let ack = peer.poll().unwrap().header;
    assert_eq!(ack.flags, ACK | Flags::AE | CWR, "6");
    assert_eq!(ack.options.accurate_ecn.unwrap().ce, Some(3));
}
