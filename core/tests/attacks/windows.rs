//! Peers that play with the window.

use std::time::Duration;

use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;

use super::victim::{PEER, Sent, Victim, at};

fn text_of(sent: &[Sent]) -> usize {
    sent.iter().map(|sent| sent.text.len()).sum()
}

#[test]
fn a_window_that_shrinks_and_grows_with_every_ack_brings_no_silly_segments() {
    // RFC 9293 §3.8.6 (MUST-34, SHLD-15), §3.8.6.2.1 (MUST-38).
    let mut victim = Victim::new(&[]);
    let mut line = victim.open_usual(4000);
    victim.host.send(victim.now, line.id, &[1; 500_000]).unwrap();
    let mut sent = victim.say();
    victim.take_work();
    let mut packets = 0;
    for i in 0..3000_u16 {
        packets += sent.len();
        line.ack = line.ack.wrapping_add(u32::from(i % 2));
        let window = [65_535, 0, 1, 40_000, 2, 20, 0, 600][usize::from(i % 8)];
        sent = victim.feel(line.peer, &Header { window, ..line.header(Flags::ACK) }, b"");
    }
    assert_eq!(victim.state(&line), State::Established);
    println!("{packets} packets");
    victim.take_work().assert_bounded(1.0, 8.0, 100_000);
}

#[test]
fn peers_that_hoard_zero_windows_lose_their_hold_when_the_application_has_gone() {
    // RFC 9293 §3.8.6.1 with the resource management that it leaves to the host.
    let mut victim = Victim::new(&[]);
    let warm = victim.open_usual(3999);
    victim.feel(warm.peer, &warm.header(Flags::RST), b"");
    victim.host.close(victim.now, warm.id).unwrap();
    victim.take_work();
    let lines: Vec<_> = (0..50).map(|i| victim.open_usual(4000 + i)).collect();
    for line in &lines {
        victim.feel(line.peer, &Header { window: 0, ..line.header(Flags::ACK) }, b"");
        victim.host.send(victim.now, line.id, &[1; 100_000]).unwrap();
        victim.say();
        victim.host.close(victim.now, line.id).unwrap();
    }
    // The hoarder answers every probe, and never opens.
    for _ in 0..3600 {
        for sent in victim.wait(Duration::from_secs(1)) {
            if let Some(line) = lines.iter().find(|line| line.peer == sent.to)
                && !sent.header.flags.contains(Flags::RST)
            {
                victim.feel(line.peer, &Header { window: 0, ..line.header(Flags::ACK) }, b"");
            }
        }
    }
    let left = victim.host.connections().len();
    assert_eq!(left, 1, "an hour later there is the listener alone");
    drop(lines);
    let work = victim.take_work();
    assert!(work.kept_bytes < 100_000, "of five megabytes {} bytes are kept", work.kept_bytes);
}

#[test]
fn a_tiny_mss_does_not_make_a_packet_of_every_byte() {
    // CVE-2019-11479: the floor is `tcp_min_snd_mss`.
    let mut victim = Victim::new(&[]);
    for (port, mss) in [(4000, 0), (4001, 1), (4002, 8), (4003, 47)] {
        let options = Options { mss: Some(mss), ..Options::default() };
        let mut line = victim.open(at(PEER, port), options);
        victim.host.send(victim.now, line.id, &[1; 20_000]).unwrap();
        let mut packets = 0;
        let mut sent = victim.say();
        let mut bytes = 0;
        while bytes < 20_000 {
            assert!(!sent.is_empty(), "it stands still at {bytes}");
            packets += sent.len();
            bytes += text_of(&sent);
            line.ack = line.ack.wrapping_add(text_of(&sent) as u32);
            sent = victim.feel(line.peer, &line.header(Flags::ACK), b"");
        }
        assert!(packets <= 20_000 / 48 + 2, "{packets} packets with an MSS of {mss}");
    }
}
