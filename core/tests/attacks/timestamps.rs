//! Timestamps that lie (RFC 7323 §7): a TS.Recent from the future would shut the honest peer out.

use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;

use super::victim::{Line, PEER, Victim, at};

fn open(victim: &mut Victim) -> Line {
    let options = Options { mss: Some(1460), timestamps: Some((1000, 0)), ..Options::default() };
    let line = victim.open(at(PEER, 4000), options);
    assert!(line.timestamps.is_some(), "timestamps are agreed");
    victim.take_work();
    line
}

/// A header whose TSval lies as far in the future as there is one.
fn from_the_future(line: &Line, flags: Flags) -> Header {
    let (value, echo) = line.timestamps.unwrap();
    let timestamps = Some((value.wrapping_add(0x7fff_ffff), echo));
    let options = Options { timestamps, ..Options::default() };
    Header { options, ..line.header(flags) }
}

/// The honest peer's next text must be taken.
#[track_caller]
fn assert_unpoisoned(victim: &mut Victim, line: &Line) {
    victim.feel(line.peer, &line.header(Flags::ACK), b"honest");
    assert_eq!(victim.recv(line), b"honest");
}

#[test]
fn a_timestamp_on_a_segment_outside_the_window_does_not_poison_paws() {
    // RFC 7323 §4.3, §5.3 (R1 to R5): only what covers Last.ACK.sent moves TS.Recent.
    let mut victim = Victim::new(&[]);
    let line = open(&mut victim);
    for i in 1..2000_u32 {
        let header = from_the_future(&line, Flags::ACK);
        let seq = line.seq.wrapping_add(i.wrapping_mul(2_100_000_001));
        if seq.wrapping_sub(line.seq) > 10_000_000 {
            victim.feel(line.peer, &Header { seq, ..header }, b"forged");
        }
    }
    victim.take_work().assert_bounded(1.0, 4.0, 5000);
    assert_unpoisoned(&mut victim, &line);
}

#[test]
fn a_timestamp_on_a_segment_with_an_impossible_ack_does_not_poison_paws() {
    // RFC 5961 §5.2 before RFC 7323 §4.3: who does not know SND.UNA moves nothing.
    let mut victim = Victim::new(&[]);
    let line = open(&mut victim);
    for i in 1..2000_u32 {
        let header = from_the_future(&line, Flags::ACK);
        let ack = line.ack.wrapping_add(i * 1000);
        victim.feel(line.peer, &Header { ack, ..header }, b"forged");
        victim.feel(line.peer, &from_the_future(&line, Flags::SYN), b"");
        victim.feel(line.peer, &from_the_future(&line, Flags::PSH), b"forged");
    }
    victim.take_work().assert_bounded(0.01, 2.0, 5000);
    assert_unpoisoned(&mut victim, &line);
}

#[test]
fn a_timestamp_on_text_ahead_of_a_gap_does_not_poison_paws() {
    // RFC 7323 §4.3 (2): SEG.SEQ =< Last.ACK.sent.
    let mut victim = Victim::new(&[]);
    let line = open(&mut victim);
    let header = from_the_future(&line, Flags::ACK);
    victim.feel(line.peer, &Header { seq: line.seq.wrapping_add(1000), ..header }, b"forged");
    assert_unpoisoned(&mut victim, &line);
}

#[test]
fn a_reset_without_a_timestamp_is_judged_like_any_other() {
    // RFC 7323 §5.2: RSTs are exempt from PAWS; RFC 5961 §3.2 still asks for RCV.NXT.
    let mut victim = Victim::new(&[]);
    let line = Line { timestamps: None, ..open(&mut victim) };
    let reset = Header { seq: line.seq.wrapping_add(1), ..line.header(Flags::RST) };
    assert_eq!(victim.feel(line.peer, &reset, b"").len(), 1, "a challenge");
    victim.feel(line.peer, &line.header(Flags::RST), b"");
    assert_eq!(victim.state(&line), tcpstack::tcp::State::Closed);
}
