//! What is lost is sent again: timeout, fast retransmit, NewReno, Karn (RFC 6298, 5681, 6582).

use std::collections::BTreeSet;
use std::time::Duration;

use tcpstack::event::{Kind, TimerName};
use tcpstack::host::Error;
use tcpstack::sim::{Action, Packet, drop_all, drop_nth};
use tcpstack::tcp::State;

use super::script::{DELAY_MS, Net, net, net_with_knobs, text};

const SMSS: usize = 1448;

/// Segments that the client has sent again.
fn repeated(net: &Net) -> usize {
    net.count(
        net.client_host,
        |kind| matches!(kind, Kind::SegmentSent(segment) if segment.retransmission),
    )
}

fn timeouts(net: &Net) -> usize {
    let retransmission = Kind::TimerFired { timer: TimerName::Retransmission };
    net.count(net.client_host, |kind| *kind == retransmission)
}

fn samples(net: &Net) -> usize {
    net.count(net.client_host, |kind| matches!(kind, Kind::RttMeasured { .. }))
}

/// A rule that loses the first sending of the text segments with these numbers, from 1.
fn lose(numbers: &'static [u64]) -> impl FnMut(&Packet) -> Action + Send + 'static {
    let mut seen = 0;
    drop_all(move |packet| {
        seen += u64::from(packet.has_text());
        packet.has_text() && numbers.contains(&seen)
    })
}

/// Ends without SACK and timestamps: duplicates and the timer are all there is.
const BARE: &[(&str, &str)] = &[("tcp_sack", "0"), ("tcp_timestamps", "0")];

/// The client sends `segments` full segments at once, of which those in `lost` are lost.
fn send_and_lose(segments: usize, lost: &'static [u64]) -> Net {
    send_and_lose_with(&[], segments, lost)
}

fn send_and_lose_with(knobs: &[(&str, &str)], segments: usize, lost: &'static [u64]) -> Net {
    let mut net = net_with_knobs(knobs);
    let (client, server) = net.open();
    net.rule_for_client(lose(lost));
    let sent = text(segments * SMSS);
    net.send_all(client, &sent);
    // The server reads later: an ACK that brings a window update along is no duplicate.
    net.run_ms(5000);
    net.expect_text(server, &sent);
    assert_eq!(net.snapshot(net.client_host).snd_una, net.snapshot(net.client_host).snd_max);
    net
}

#[test]
fn one_loss_is_repaired_by_one_fast_retransmission() {
    for lost in [&[1], &[2], &[5], &[7_u64]] {
        let net = send_and_lose(10, lost);
        assert_eq!((repeated(&net), timeouts(&net)), (1, 0), "lost: {lost:?}");
    }
}

#[test]
fn fast_retransmission_takes_one_round_trip() {
    let net = send_and_lose(10, &[3]);
    let times = net.times_ms(net.client_host, Packet::has_text);
    let start = times[0];
    assert_eq!(times[10..], [start + 2 * DELAY_MS]);
}

#[test]
fn partial_acknowledgments_repair_several_losses_without_a_timeout() {
    // RFC 5681 §4.3.
    for lost in [&[1, 2][..], &[3, 6], &[1, 3, 5], &[2, 3, 4, 5]] {
        let net = send_and_lose(10, lost);
        assert_eq!((repeated(&net), timeouts(&net)), (lost.len(), 0), "lost: {lost:?}");
    }
}

#[test]
fn each_loss_costs_newreno_a_round_trip() {
    let net = send_and_lose_with(BARE, 10, &[1, 3, 5]);
    let times = net.times_ms(net.client_host, Packet::has_text);
    let repairs: Vec<u64> = times[10..].iter().map(|ms| ms - times[0]).collect();
    assert_eq!(repairs, [20, 40, 60]);
}

#[test]
fn with_sack_all_losses_are_repaired_in_one_round_trip() {
    let net = send_and_lose(10, &[1, 3, 5]);
    let times = net.times_ms(net.client_host, Packet::has_text);
    let repairs: Vec<u64> = times[10..].iter().map(|ms| ms - times[0]).collect();
    assert_eq!(repairs, [20, 20, 20]);
}

#[test]
fn without_sack_a_lost_tail_waits_for_the_timer() {
    for (segments, lost) in [(10, &[10]), (1, &[1_u64])] {
        let net = send_and_lose_with(BARE, segments, lost);
        assert_eq!((repeated(&net), timeouts(&net)), (1, 1));
    }
}

#[test]
fn a_lost_tail_is_repaired_by_a_probe_after_two_round_trips() {
    // RFC 8985 §7.3: the last two are lost. The timer was set anew by the ACK of the eighth, 20 ms
    // on; the retransmission timer would have taken 220 ms from there.
    let net = send_and_lose(10, &[9, 10]);
    assert_eq!((repeated(&net), timeouts(&net)), (2, 0));
    let times = net.times_ms(net.client_host, Packet::has_text);
    let repairs: Vec<u64> = times[10..].iter().map(|ms| ms - times[0]).collect();
    assert_eq!(repairs, [62, 82], "the probe, then what its SACK shows to be lost");
}

#[test]
fn the_probe_of_a_lone_segment_leaves_time_for_a_delayed_acknowledgment() {
    // RFC 8985 §7.2: TLP.max_ack_delay, but not beyond the retransmission timer.
    let net = send_and_lose(10, &[10]);
    assert_eq!((repeated(&net), timeouts(&net)), (1, 0));
    let times = net.times_ms(net.client_host, Packet::has_text);
    assert_eq!(times[10] - times[0], 240);
}

#[test]
fn a_lost_end_of_many_segments_is_found_by_the_probe_and_repaired_a_round_trip_later() {
    // RFC 8985 §7.4.1: the SACK of the probe tells that what was sent before it is lost.
    let net = send_and_lose(10, &[7, 8, 9, 10]);
    assert_eq!((repeated(&net), timeouts(&net)), (4, 0));
}

#[test]
fn a_lost_retransmission_waits_for_the_timer() {
    let net = send_and_lose(10, &[3, 11]);
    assert_eq!(timeouts(&net), 1);
}

#[test]
fn a_whole_lost_window_starts_over_from_one_segment() {
    // RFC 6675 §5.1; RFC 8985 §6.3.
    // RFC 5681 §3.1.
    let net = send_and_lose_with(BARE, 10, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!((repeated(&net), timeouts(&net)), (10, 1));
    let times = net.times_ms(net.client_host, Packet::has_text);
    let repairs: Vec<u64> = times[10..].iter().map(|ms| ms - times[0]).collect();
    // Slow start from one segment, L = 1 (RFC 3465 §2.3), on the ACK clock of 20 ms.
    assert_eq!(repairs[0], 220);
    assert_eq!(repairs[1..3], [240, 240]);
    assert!(repairs[3..7].iter().all(|ms| *ms == 260), "{repairs:?}");
}

#[test]
fn a_little_reordering_is_no_loss() {
    let mut net = net();
    let (client, server) = net.open();
    let mut delay_first = drop_nth(1, Packet::has_text);
    net.rule_for_client(move |packet| match delay_first(packet) {
        Action::Drop => Action::Delay(Duration::from_millis(3)),
        other => other,
    });
    let sent = text(3 * SMSS);
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    net.run_ms(1000);
    assert_eq!((repeated(&net), timeouts(&net)), (0, 0));
}

#[test]
fn duplicated_packets_are_no_loss() {
    let mut net = net();
    let (client, server) = net.open();
    net.rule_for_client(|_| Action::Duplicate);
    let sent = text(100_000);
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    net.run_ms(1000);
    assert_eq!(timeouts(&net), 0);
    assert_eq!(net.state(client), State::Established);
}

#[test]
fn lost_acknowledgments_are_made_good_by_later_ones() {
    let mut net = net();
    let (client, server) = net.open();
    let mut count = 0;
    net.rule_for_server(drop_all(move |packet| {
        count += u64::from(packet.is_bare_ack());
        packet.is_bare_ack() && count % 2 == 1
    }));
    let sent = text(10 * SMSS);
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    net.run_ms(1000);
    assert_eq!((repeated(&net), timeouts(&net)), (0, 0));
}

#[test]
fn the_timeout_doubles_each_time_and_after_fifteen_the_connection_is_given_up() {
    // RFC 9293 §3.8.3 (MUST-20, SHLD-11); RFC 9293 §3.8.2 (MUST-19).
    let mut net = net_with_knobs(BARE);
    let (client, _) = net.open();
    net.cut();
    net.mark();
    let start = net.now_ms();
    net.send(client, b"anybody?").unwrap();
    net.run_for(Duration::from_millis(945_059));
    assert_eq!(net.state(client), State::Established);
    net.run_ms(1);
    assert_eq!(net.state(client), State::Closed);
    assert_eq!(net.recv(client, 10), Err(Error::TimedOut));
    assert_eq!(net.send(client, b"x"), Err(Error::BrokenPipe));

    let mut expected = vec![start];
    for doubling in 0..15 {
        // the round trip and tcp_min_rto_ms at first, tcp_max_rto_ms at last
        expected.push(expected.last().unwrap() + (220 << doubling).min(120_000));
    }
    assert_eq!(net.times_ms(net.client_host, Packet::has_text), expected);
}

#[test]
fn a_repeated_segment_is_not_timed_and_its_timeout_stays_doubled() {
    // RFC 9293 §3.8.1 (MUST-18).
    // Karn's algorithm, RFC 6298 §3 and §5.
    let mut net = net_with_knobs(BARE);
    let (client, server) = net.open();
    net.rule_for_client(drop_nth(1, Packet::has_text));
    let before = samples(&net);
    net.send(client, b"first").unwrap();
    net.run_ms(1000);
    net.expect_text(server, b"first");
    assert_eq!(samples(&net), before);
    assert_eq!(net.snapshot(net.client_host).rto_ns, 440_000_000);
    net.send(client, b"second").unwrap();
    net.run_ms(1000);
    assert_eq!(samples(&net), before + 1);
    assert_eq!(net.snapshot(net.client_host).rto_ns, 220_000_000);
}

#[test]
fn timeouts_with_progress_between_them_do_not_add_up() {
    // Every segment is lost when it is sent first, so each needs a timeout and none is ever timed.
    let mut net = net_with_knobs(BARE);
    let (client, server) = net.open();
    let mut seen = BTreeSet::new();
    net.rule_for_client(drop_all(move |packet| packet.has_text() && seen.insert(packet.seq())));
    for round in 0..40_u8 {
        net.send(client, &[round; 100]).unwrap();
        net.run_for(Duration::from_secs(121));
        assert_eq!(net.recv(server, 1000), Ok(vec![round; 100]), "round {round}");
    }
    assert!(timeouts(&net) >= 40);
}

#[test]
fn a_timeout_halves_the_threshold_each_time_there_was_progress() {
    let mut net = net();
    let (client, server) = net.open();
    let sent = text(40 * SMSS);
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    assert_eq!(net.snapshot(net.client_host).ssthresh, u64::MAX);
    let mut thresholds = Vec::new();
    for _ in 0..2 {
        net.cut();
        net.send_all(client, &sent);
        net.run_ms(5000);
        thresholds.push(net.snapshot(net.client_host).ssthresh);
        net.mend();
        net.expect_text(server, &sent);
        net.run_ms(1000);
    }
    assert!(thresholds[0] < 40 * SMSS as u64 && thresholds[1] < thresholds[0], "{thresholds:?}");
}

#[test]
fn nothing_small_is_sent_again_before_the_end() {
    let mut net = super::script::net_with_knobs(&[
        ("tcp_rmem", "4096 2097152 6291456"),
        ("tcp_wmem", "4096 2097152 4194304"),
    ]);
    let (client, server) = net.open();
    let mut state = 1_u32;
    net.rule_for_client(drop_all(move |packet| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        packet.has_text() && state >> 24 < 20
    }));
    let sent = text(1000 * SMSS);
    net.send_all(client, &sent);
    net.expect_text(server, &sent);
    net.run_ms(1000);
    let small = net
        .sent(net.client_host)
        .filter(|seen| seen.packet.has_text() && seen.packet.payload.len() < SMSS);
    assert_eq!(small.count(), 0);
}

#[test]
fn the_initial_window_is_ten_segments() {
    let mut net = net();
    let (client, _) = net.open();
    net.cut();
    net.send(client, &text(50 * SMSS)).unwrap();
    assert_eq!(net.sent(net.client_host).count(), 10);
}

#[test]
fn the_third_duplicate_lets_the_retransmission_go_and_the_first_two_new_data() {
    // RFC 3042 §2.
    // RFC 3042, RFC 5681 §3.2 step 1
    let mut net = net();
    let (client, _) = net.open();
    net.send(client, b"the first ACK brings the scaled window").unwrap();
    net.run_ms(100);
    net.mark();
    net.rule_for_client(lose(&[1]));
    let mut acks = 0;
    net.rule_for_server(drop_all(move |_| {
        acks += 1;
        acks > 3
    }));
    net.send(client, &text(50 * SMSS)).unwrap();
    net.run_ms(2 * DELAY_MS);
    let sent: Vec<_> = net.sent(net.client_host).map(|seen| seen.packet.seq()).collect();
    assert_eq!(sent[12], sent[0], "two new segments, then the first again");
    assert!(sent[10] > sent[9] && sent[11] > sent[10]);
}

#[test]
fn forged_duplicates_let_no_more_out_than_was_in_flight() {
    // tcp_limit_reno_sacked: a segment can have left the network only if it was sent.
    let mut net = net();
    let (client, _) = net.open();
    net.rule_for_server(drop_all(|_| true));
    net.send(client, &text(500 * SMSS)).unwrap();
    net.run_ms(DELAY_MS);
    let ack = net.last_sent(net.server_host);
    let first = net.sent(net.client_host).next().unwrap().packet.seq();
    for _ in 0..300 {
        net.forge_to_client(&ack, |header| header.ack = first, b"");
    }
    let sent = net.sent(net.client_host).count();
    assert!(sent <= 2 * 10 + 2, "{sent} segments were sent on forged acknowledgments");
}

#[test]
fn knobs_bound_the_timeout() {
    let mut net = net_with_knobs(&[
        ("tcp_min_rto_ms", "1000"),
        ("tcp_max_rto_ms", "3000"),
        ("tcp_sack", "0"),
    ]);
    let (client, _) = net.open();
    net.cut();
    net.send(client, b"x").unwrap();
    net.run_ms(13_200);
    let times = net.times_ms(net.client_host, Packet::has_text);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [1020, 2040, 3000, 3000, 3000]);
}
