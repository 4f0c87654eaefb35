//! How fast losses are repaired: what must not wait for the retransmission timer (RFC 8985 §3).

use std::collections::BTreeMap;
use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::event::{Kind, TimerName};
use tcpstack::sim::{Action, Packet, Socket, drop_all};

use super::script::{Net, net, text};

const SMSS: usize = 1448;

/// An open connection over a path of that length.
fn open(rtt_ms: u64) -> (Net, Socket, Socket) {
    let mut net = net();
    let delay = Duration::from_millis(rtt_ms / 2);
    let (link, ends) = (net.link, [net.client_host, net.server_host]);
    for host in ends {
        net.set_impairment(link, host, Impairment { delay, ..Impairment::NONE });
    }
    let client = net.connect_client();
    net.run_ms(5 * rtt_ms);
    let server = net.accept_one().expect("the handshake is over");
    net.mark();
    (net, client, server)
}

/// Takes away the segments with text whose number (from 1, by when they are first sent) is in `lost`, as
/// often as it says there.
fn lose(lost: &[(u64, u32)]) -> impl FnMut(&Packet) -> Action + Send + 'static {
    let mut left: BTreeMap<u64, u32> = lost.iter().copied().collect();
    let mut numbers: BTreeMap<u32, u64> = BTreeMap::new();
    drop_all(move |packet| {
        if !packet.has_text() {
            return false;
        }
        let next = numbers.len() as u64 + 1;
        let number = *numbers.entry(packet.seq()).or_insert(next);
        let left = left.entry(number).or_default();
        let is_lost = *left > 0;
        *left = left.saturating_sub(1);
        is_lost
    })
}

fn timeouts(net: &Net) -> usize {
    let timeout = Kind::TimerFired { timer: TimerName::Retransmission };
    net.count(net.client_host, |kind| *kind == timeout)
}

#[test]
fn a_lost_tail_is_repaired_in_about_two_round_trips_rather_than_after_a_timeout() {
    // RFC 8985 §7.2, §7.3: the probe leaves two round trips (and two milliseconds of slack) after the
    // last ACK; its own ACK brings back what was lost before it. The timeout, SRTT + 200 ms, would come
    // later, and leave the window at one segment.
    for rtt_ms in [20, 60, 100] {
        let (mut net, client, server) = open(rtt_ms);
        net.rule_for_client(lose(&[(9, 1), (10, 1)]));
        let sent = text(10 * SMSS);
        net.send_all(client, &sent);
        let last_ack_ms = net.now_ms() + rtt_ms;
        net.expect_text(server, &sent);
        let repaired_ms = net.now_ms() - last_ack_ms;
        let times = net.times_ms(net.client_host, Packet::has_text);
        assert_eq!(times[10] - last_ack_ms, 2 * rtt_ms + 2, "the probe");
        assert_eq!(times[11] - times[10], rtt_ms, "what its SACK shows to be lost");
        assert_eq!(repaired_ms, 3 * rtt_ms + rtt_ms / 2 + 2);
        assert_eq!((times.len(), timeouts(&net)), (12, 0));
    }
}

#[test]
fn a_lost_retransmission_is_found_without_a_timeout_however_often() {
    // RFC 8985 §3.2: by time, a segment sent again is no other than one sent first: as long as later
    // ones arrive, each loss costs a round trip.
    for times_lost in [2, 3, 4] {
        let (mut net, client, server) = open(20);
        net.rule_for_client(lose(&[(3, times_lost)]));
        let sent = text(60 * SMSS);
        net.send_all(client, &sent);
        net.expect_text(server, &sent);
        let third: Vec<_> = net.sent(net.client_host).filter(|s| s.packet.has_text()).collect();
        let number = third[2].packet.seq();
        let repeats = third.iter().filter(|seen| seen.packet.seq() == number).count();
        assert_eq!((repeats as u32, timeouts(&net)), (times_lost + 1, 0));
    }
}

#[test]
fn an_end_that_is_lost_during_a_repair_is_found_by_the_repetition_of_what_was_lost_before() {
    // RFC 6675 §4: NextSeg's rules (3) and (4) would repeat the end on suspicion. RACK knows: what was sent
    // before a repetition that has arrived is lost (RFC 8985 §6.2).
    for lost in [&[(2, 1), (10, 1)][..], &[(2, 1), (9, 1), (10, 1)]] {
        let (mut net, client, server) = open(20);
        net.rule_for_client(lose(lost));
        let sent = text(10 * SMSS);
        let begun = net.now_ms();
        net.send_all(client, &sent);
        net.expect_text(server, &sent);
        let took_ms = net.now_ms() - begun;
        // The flight, the repetition, a quarter of a round trip's patience, the end: half of it each way.
        assert!(took_ms <= 10 + 20 + 20 + 7, "{took_ms} ms");
        let sent = net.times_ms(net.client_host, Packet::has_text).len();
        assert_eq!((sent, timeouts(&net)), (10 + lost.len(), 0));
    }
}

#[test]
fn a_burst_of_losses_is_repaired_within_two_round_trips_of_being_seen() {
    // RFC 6675 §5: what is lost leaves as the pipe has room, all in one recovery.
    let (mut net, client, server) = open(20);
    net.rule_for_client(lose(&[(2, 1), (3, 1), (4, 1), (5, 1)]));
    let (begun, sent) = (net.now_ms(), text(10 * SMSS));
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    assert!(net.now_ms() - begun <= 10 + 3 * 20, "{} ms", net.now_ms() - begun);
    assert_eq!(timeouts(&net), 0);
}
