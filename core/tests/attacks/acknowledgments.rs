//! Acknowledgments that lie, and ends that can't agree.

use std::time::Duration;

use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::{Options, SackBlocks};

use super::victim::{PEER, Sent, Victim, at};

fn sack(blocks: &[(u32, u32)]) -> Options {
    let mut sack = SackBlocks::default();
    for (left, right) in blocks {
        sack.push(*left, *right);
    }
    Options { sack, ..Options::default() }
}

#[test]
fn a_flood_of_sacks_over_tiny_segments_is_cheap() {
    // CVE-2019-11477 and 11478: many tiny segments, selectively acknowledged in ever new patterns.
    let mut victim = Victim::new(&[]);
    let options = Options { mss: Some(48), sack_permitted: true, ..Options::default() };
    let mut line = victim.open(at(PEER, 4000), options);
    victim.host.send(victim.now, line.id, &[1; 400_000]).unwrap();
    let count = |sent: &[Sent]| sent.iter().map(|sent| sent.text.len()).sum::<usize>() as u32;
    let mut out = count(&victim.say());
    for _ in 0..300 {
        line.ack = line.ack.wrapping_add(48);
        out = out - 48 + count(&victim.feel(line.peer, &line.header(Flags::ACK), b""));
    }
    assert!(out > 200 * 48, "enough is out to play with: {out} bytes");
    victim.take_work();
    for i in 0..20_000_u32 {
        let place = |step: u32| line.ack.wrapping_add(48 * ((i * step) % (out / 48)));
        let blocks = [(place(7), 48), (place(13), 48), (place(29), 24), (place(31), 1)];
        let blocks = blocks.map(|(left, len)| (left, left.wrapping_add(len)));
        let header = Header { options: sack(&blocks), ..line.header(Flags::ACK) };
        victim.feel(line.peer, &header, b"");
    }
    assert_eq!(victim.state(&line), State::Established);
    let work = victim.take_work();
    work.assert_bounded(0.5, 4.0, 200_000);
    victim.wait(Duration::from_secs(5));
}

#[test]
fn sack_blocks_of_nonsense_change_nothing() {
    // RFC 2018 §5 and RFC 2883 §4 leave room for lies: below, beyond, backwards, empty, enormous.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.host.send(victim.now, line.id, &[1; 5000]).unwrap();
    victim.say();
    victim.take_work();
    for (left, right) in [
        (0, 0),
        (5000, 1000),
        (6000, 9000),
        (0, 0x8000_0000),
        (u32::MAX - 9, u32::MAX),
        (1, 0),
        (0x8000_0000, 0x8000_0001),
        (4999, 5001),
    ] {
        for _ in 0..500 {
            let block = (line.ack.wrapping_add(left), line.ack.wrapping_add(right));
            let header = Header { options: sack(&[block; 4]), ..line.header(Flags::ACK) };
            victim.feel(line.peer, &header, b"");
        }
    }
    assert_eq!(victim.state(&line), State::Established);
    victim.take_work().assert_bounded(0.01, 2.0, 20_000);
}

#[test]
fn acknowledging_byte_by_byte_opens_the_window_no_faster() {
    // RFC 3465 §3.3: ACK division.
    let grown = |pieces: u32| {
        let mut victim = Victim::new(&[]);
        let line = victim.open_usual(4000);
        victim.host.send(victim.now, line.id, &[1; 900_000]).unwrap();
        victim.say();
        let mut out = 0;
        for piece in 1..=pieces {
            let ack = line.ack.wrapping_add(1460 * piece / pieces);
            let sent = victim.feel(line.peer, &Header { ack, ..line.header(Flags::ACK) }, b"");
            out += sent.iter().map(|sent| sent.text.len()).sum::<usize>();
        }
        out
    };
    let (once, split) = (grown(1), grown(1460));
    assert!(split <= once + 1460, "{split} bytes let out rather than {once}");
}

#[test]
fn optimistic_acknowledgments_open_the_window_no_further_than_honest_ones() {
    // RFC 5681 §3.1 and RFC 3465 §2: cwnd grows by bytes newly acknowledged, each once; what was not
    // sent yet acknowledges nothing (RFC 9293 §3.10.7.4).
    let let_out = |acks: &[u32]| {
        let mut victim = Victim::new(&[]);
        let line = victim.open_usual(4000);
        victim.host.send(victim.now, line.id, &[1; 900_000]).unwrap();
        let first: usize = victim.say().iter().map(|sent| sent.text.len()).sum();
        assert_eq!(first, 14_600, "the initial window");
        let mut out = 0;
        for ack in acks {
            let header = Header { ack: line.ack.wrapping_add(*ack), ..line.header(Flags::ACK) };
            let sent = victim.feel(line.peer, &header, b"");
            out += sent.iter().map(|sent| sent.text.len()).sum::<usize>();
        }
        out
    };
    let honest = let_out(&[1460, 2920, 4380, 5840, 7300, 8760, 10_220, 11_680, 13_140, 14_600]);
    let ahead = let_out(&[14_600]);
    let beyond = let_out(&[14_600, 200_000, 500_000, 899_000, 1460, 2920, 7300, 14_600, 14_600]);
    assert!(ahead <= honest && beyond <= honest, "{ahead} and {beyond} rather than {honest}");
}

#[test]
fn acknowledgments_of_what_was_never_sent_are_answered_rarely() {
    // RFC 9293 §3.10.7.4; RFC 5961 §5.2, §7.
    let mut victim = Victim::new(&[]);
    let line = victim.open_usual(4000);
    victim.take_work();
    for i in 1..10_000 {
        let ack = line.ack.wrapping_add(i * 1000);
        victim.feel(line.peer, &Header { ack, ..line.header(Flags::ACK) }, b"");
    }
    assert_eq!(victim.take_work().packets_out, 1);
}

#[test]
fn two_ends_that_disagree_about_everything_do_not_storm() {
    // Each takes the other's acknowledgment for nonsense and says so by another one.
    let mut ends = [Victim::new(&[]), Victim::new(&[("tcp_msl_ms", "1000")])];
    let lines = ends.each_mut().map(|end| end.open_usual(4000));
    for (end, line) in ends.iter_mut().zip(&lines) {
        end.host.send(end.now, line.id, b"something").unwrap();
        end.take_work();
    }
    // The wire turns each one's segments into ones of the other's peer, their numbers as they are.
    let mut waiting: Vec<(usize, Sent)> = Vec::new();
    for (i, end) in ends.iter_mut().enumerate() {
        waiting.extend(end.say().into_iter().map(|sent| (1 - i, sent)));
    }
    let mut carried = 0;
    for _ in 0..100 {
        while let Some((to, sent)) = waiting.pop() {
            carried += 1;
            assert!(carried < 1000, "a storm");
            // Neither knows the other's numbers: an offset stands between them.
            let seq = sent.header.seq.wrapping_add(1_000_000_000);
            let ack = sent.header.ack.wrapping_sub(1_000_000_000);
            let header = Header { src_port: 4000, dst_port: 80, seq, ack, ..sent.header };
            let peer = lines[to].peer;
            let answers = ends[to].feel(peer, &header, &sent.text);
            waiting.extend(answers.into_iter().map(|sent| (1 - to, sent)));
        }
        for (i, end) in ends.iter_mut().enumerate() {
            let sent = end.wait(Duration::from_millis(100));
            waiting.extend(sent.into_iter().map(|sent| (1 - i, sent)));
        }
    }
    // Ten seconds: two challenges a second from each, and some retransmissions.
    assert!(carried <= 100, "{carried} packets in ten seconds");
}
