//! Floods of connection requests.

use std::time::Duration;

use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;

use super::victim::{PEER, Victim, at};

/// SYNs from addresses that are nobody's.
fn flood(victim: &mut Victim, count: u32) {
    for i in 0..count {
        let from = at(&format!("10.8.{}.{}", i / 250 % 250, 1 + i % 250), 1024 + (i / 7) as u16);
        let options = Options { mss: Some(1460), ..Options::default() };
        let seq = i.wrapping_mul(0x9e37_79b9);
        let syn = Header {
            src_port: from.port(),
            dst_port: 80,
            flags: Flags::SYN,
            seq,
            window: 65_535,
            options,
            ..Header::default()
        };
        victim.feel(from, &syn, b"");
    }
}

#[test]
fn a_real_client_gets_through_a_flood_of_syns() {
    // RFC 4987 §3.6: what does not fit the queue is remembered in a cookie.
    let mut victim = Victim::new(&[]);
    victim.take_work();
    flood(&mut victim, 10_000);
    let options = Options { mss: Some(1460), sack_permitted: true, ..Options::default() };
    let mut line = victim.open(at(PEER, 4000), options);
    victim.feel(line.peer, &line.header(Flags::ACK), b"GET /");
    line.seq = line.seq.wrapping_add(5);
    assert_eq!(victim.recv(&line), b"GET /");
    flood(&mut victim, 1000);
    victim.feel(line.peer, &line.header(Flags::ACK), b"again");
    assert_eq!(victim.recv(&line), b"again", "an open connection does not notice");
    // One SYN+ACK for each SYN at most, and memory for the queue's length of half-open connections.
    victim.take_work().assert_bounded(1.0, 10.0, 500_000);
}

#[test]
fn what_a_flood_leaves_behind_goes_by_itself() {
    // RFC 4987 §3.3.
    let mut victim = Victim::new(&[]);
    flood(&mut victim, 200);
    victim.take_work();
    let repeated = victim.wait(Duration::from_secs(120));
    assert!(repeated.len() <= 64 * 6, "{} SYN+ACKs again", repeated.len());
    assert_eq!(victim.host.connections().len(), 1, "the listener alone is left");
}

#[test]
fn acknowledgments_of_cookies_never_given_open_nothing() {
    // RFC 4987 §3.6: a cookie is 32 bits of which a forger has to guess enough.
    let mut victim = Victim::new(&[]);
    flood(&mut victim, 1000);
    victim.take_work();
    for i in 0..20_000_u32 {
        let ack = i.wrapping_mul(214_748_357);
        let header = Header {
            src_port: 5000,
            dst_port: 80,
            flags: Flags::ACK,
            seq: 1,
            ack,
            window: 9,
            ..Header::default()
        };
        victim.feel(at(PEER, 5000), &header, b"");
    }
    let accepted = victim.host.accept(victim.now, victim.listener);
    assert_eq!(accepted.err(), Some(tcpstack::host::Error::WouldBlock));
    victim.take_work().assert_bounded(1.0, 6.0, 5000);
}
