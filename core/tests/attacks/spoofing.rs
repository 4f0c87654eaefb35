//! Segments whose sender sees nothing of the connection and guesses its numbers.

use std::time::Duration;

use tcpstack::host::Error;
use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};

use super::victim::{Line, PEER, VICTIM, Victim, at, icmp_error};

/// Numbers all over the sequence space, some of them in the window; never RCV.NXT itself.
fn sweep(expected: u32) -> impl Iterator<Item = u32> {
    let everywhere = (1..20_000_u32).map(move |i| expected.wrapping_add(i.wrapping_mul(214_748)));
    let in_window = (1..20_000).map(move |i| expected.wrapping_add(i));
    everywhere.chain(in_window).filter(move |seq| *seq != expected)
}

#[test]
fn a_reset_swept_through_the_window_ends_nothing() {
    // RFC 5961 §3.2, §7.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.take_work();
    for seq in sweep(line.seq) {
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::RST) }, b"");
    }
    assert_eq!(victim.state(&line), State::Established);
    let work = victim.take_work();
    assert_eq!(work.packets_out, 1, "one challenge, for no time passed");
    work.assert_bounded(0.001, 1.0, 1000);
}

#[test]
fn a_syn_swept_through_the_window_ends_nothing() {
    // RFC 5961 §4.2, §7.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.take_work();
    for flags in [Flags::SYN, Flags::SYN | Flags::ACK] {
        for seq in sweep(line.seq) {
            victim.feel(line.peer, &Header { seq, ..line.header(flags) }, b"");
        }
    }
    assert_eq!(victim.state(&line), State::Established);
    let work = victim.take_work();
    assert!(work.packets_out <= 40_000, "never more than one for each");
    work.assert_bounded(1.0, 2.0, 1000);
}

#[test]
fn text_with_guessed_acknowledgments_is_not_injected() {
    // RFC 5961 §5.2: who knows RCV.NXT but not SND.UNA has to hit a window's worth of 2^32.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.host.send(victim.now, line.id, b"hello").unwrap();
    victim.say();
    victim.take_work();
    for i in 1..10_000_u32 {
        let ack = line.ack.wrapping_add(i.wrapping_mul(400_009));
        let distance = line.ack.wrapping_sub(ack);
        if distance < 65_536 || ack.wrapping_sub(line.ack) <= 5 {
            continue;
        }
        victim.feel(line.peer, &Header { ack, ..line.header(Flags::ACK) }, b"rm -rf /");
    }
    assert_eq!(victim.recv(&line), b"");
    victim.take_work().assert_bounded(0.001, 1.0, 1000);
}

#[test]
fn an_icmp_error_with_a_guessed_number_does_nothing() {
    // RFC 5927 §4.1, §5.2, §7.2.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.host.send(victim.now, line.id, &[1; 1000]).unwrap();
    victim.say();
    let smss = victim.segment_size(&line);
    victim.take_work();
    for (kind, code, rest) in [(3, 3, 0), (3, 2, 0), (3, 4, 576), (3, 1, 0), (4, 0, 0)] {
        for i in 1..5000_u32 {
            let seq = line.ack.wrapping_add(1000).wrapping_add(i.wrapping_mul(850_009));
            if seq.wrapping_sub(line.ack) >= 1000 {
                victim.feel_frame(icmp_error(kind, code, rest, &line, seq));
            }
        }
    }
    assert_eq!(victim.state(&line), State::Established);
    assert_eq!(victim.segment_size(&line), smss);
    victim.take_work().assert_bounded(0.0, 1.0, 1000);
}

#[test]
fn a_packet_from_ourselves_to_ourselves_is_dropped() {
    // LAND (RFC 9293 §3.9.2.3, MUST-63).
    let mut victim = Victim::new(&[]);
    victim.take_work();
    let header = Header { src_port: 80, dst_port: 80, seq: 1, window: 9, ..Header::default() };
    for flags in [Flags::SYN, Flags::ACK, Flags::SYN | Flags::ACK, Flags::FIN] {
        for _ in 0..100 {
            victim.feel(at(VICTIM, 80), &Header { flags, ..header }, b"");
        }
    }
    assert_eq!(victim.count("bad_source"), 400);
    victim.take_work().assert_bounded(0.0, 1.0, 1000);
}

#[test]
fn challenges_on_one_connection_tell_nothing_of_another() {
    // RFC 5961 §7 with CVE-2016-5696 in mind: a limit that connections share is a side channel.
    let mut victim = Victim::new(&[]);
    let mine = victim.open_usual(4000);
    let theirs = victim.open(at("10.7.0.3", 4000), Default::default());
    let in_window =
        |line: &Line| Header { seq: line.seq.wrapping_add(1), ..line.header(Flags::RST) };
    for _ in 0..1000 {
        victim.feel(theirs.peer, &in_window(&theirs), b"");
    }
    let answers: usize =
        (0..1000).map(|_| victim.feel(mine.peer, &in_window(&mine), b"").len()).sum();
    assert_eq!(answers, 1, "as many as if nobody had touched the other one");
    victim.wait(Duration::from_secs(1));
    assert_eq!(victim.feel(mine.peer, &in_window(&mine), b"").len(), 1);
}

#[test]
fn a_refusal_of_an_attempt_has_to_acknowledge_its_syn() {
    // RFC 9293 §3.10.7.3; RFC 5961 §3.
    let mut victim = Victim::new(&[]);
    let id = victim.host.socket(tcpstack::host::Domain::V4);
    let begun = victim.host.connect(victim.now, id, at(PEER, 9));
    assert_eq!(begun, Err(Error::InProgress));
    let syn = victim.say().remove(0).header;
    victim.take_work();
    for i in 1..10_000_u32 {
        let ack = syn.seq.wrapping_add(1).wrapping_add(i.wrapping_mul(400_009));
        let flags = Flags::RST | Flags::ACK;
        let reset = Header { src_port: 9, dst_port: syn.src_port, ack, flags, ..Header::default() };
        victim.feel(at(PEER, 9), &reset, b"");
        victim.feel(at(PEER, 9), &Header { flags: Flags::RST, ..reset }, b"");
    }
    assert_eq!(victim.host.state(id), Ok(State::SynSent));
    victim.take_work().assert_bounded(0.0, 1.0, 1000);
}
