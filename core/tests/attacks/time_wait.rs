//! TIME-WAIT assassination (RFC 1337), and SYNs that come too early.

use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};

use super::victim::{Line, Victim};

/// A connection that the victim has closed first.
fn in_time_wait(victim: &mut Victim) -> Line {
    let mut line = victim.open_usual(4000);
    victim.host.close(victim.now, line.id).unwrap();
    victim.say();
    line.ack = line.ack.wrapping_add(1);
    victim.feel(line.peer, &line.header(Flags::FIN | Flags::ACK), b"");
    line.seq = line.seq.wrapping_add(1);
    assert_eq!(state(victim), State::TimeWait);
    victim.take_work();
    line
}

/// The state of the one connection there is, closed by its application.
fn state(victim: &Victim) -> State {
    let connections = victim.host.connections();
    let found = connections.iter().find(|seen| seen.state != State::Listen);
    found.map_or(State::Closed, |seen| seen.state)
}

#[test]
fn old_duplicates_do_not_end_time_wait() {
    // RFC 1337 §2: each is answered at most; none is believed.
    let mut victim = Victim::new(&[]);
    let line = in_time_wait(&mut victim);
    for i in 1..2000_u32 {
        let seq = line.seq.wrapping_sub(i * 31);
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::ACK) }, b"old text");
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::RST) }, b"");
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::SYN) }, b"");
    }
    assert_eq!(state(&victim), State::TimeWait);
    victim.take_work().assert_bounded(1.0, 2.0, 1000);
}

#[test]
fn a_reset_in_the_window_but_not_at_its_edge_does_not_end_time_wait() {
    // RFC 5961 §3.2.
    let mut victim = Victim::new(&[]);
    let line = in_time_wait(&mut victim);
    for i in 1..2000 {
        let seq = line.seq.wrapping_add(i);
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::RST) }, b"");
    }
    assert_eq!(state(&victim), State::TimeWait);
    victim.take_work().assert_bounded(0.001, 1.0, 1000);
}

#[test]
fn with_the_knob_no_reset_ends_time_wait() {
    // RFC 1337 §3, fix F1; without it, as on Linux, one at exactly RCV.NXT does.
    for (knob, expected) in [("1", State::TimeWait), ("0", State::Closed)] {
        let mut victim = Victim::new(&[("tcp_rfc1337", knob)]);
        let line = in_time_wait(&mut victim);
        let sent = victim.feel(line.peer, &line.header(Flags::RST), b"");
        assert!(sent.is_empty());
        assert_eq!(state(&victim), expected);
    }
}
