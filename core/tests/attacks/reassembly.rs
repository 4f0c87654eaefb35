//! Text that comes in pieces meant to cost more than it weighs.

use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};

use super::victim::Victim;

#[test]
fn every_other_byte_of_the_window_costs_bounded_memory_and_no_data() {
    // The pieces held are bounded (RFC 2018 §8: what was reported may be dropped again).
    let mut victim = Victim::new(&[]);
    let mut line = victim.open_usual(4000);
    victim.take_work();
    for i in 0..6000_u32 {
        let seq = line.seq.wrapping_add(1 + 2 * i);
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::ACK) }, b"y");
    }
    // One ACK each tells of the gap; the bookkeeping is the reassembler's bound.
    victim.take_work().assert_bounded(1.0, 8.0, 1_500_000);

    // The honest stream comes through all the same.
    for _ in 0..12 {
        victim.feel(line.peer, &line.header(Flags::ACK), &[b'y'; 1000]);
        line.seq = line.seq.wrapping_add(1000);
    }
    assert_eq!(victim.recv(&line), vec![b'y'; 12_000]);
    victim.take_work();
}

#[test]
fn the_same_bytes_again_and_again_cost_an_ack_each_and_no_memory() {
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.feel(line.peer, &line.header(Flags::ACK), &[1; 1000]);
    victim.take_work();
    for _ in 0..5000 {
        victim.feel(line.peer, &line.header(Flags::ACK), &[2; 1000]);
    }
    assert_eq!(victim.recv(&line), [1; 1000], "what is here already is not overwritten");
    victim.take_work().assert_bounded(1.0, 4.0, 5000);
}

#[test]
fn text_far_beyond_the_window_is_not_kept() {
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.take_work();
    for i in 0..5000_u32 {
        let seq = line.seq.wrapping_add(10_000_000 + i * 1000);
        victim.feel(line.peer, &Header { seq, ..line.header(Flags::ACK) }, &[1; 1000]);
    }
    assert_eq!(victim.state(&line), State::Established);
    victim.take_work().assert_bounded(1.0, 4.0, 5000);
}
