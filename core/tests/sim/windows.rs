//! The peer's window: closed and probed, opened in worthwhile steps, scaled; Nagle, delayed
//! acknowledgments, segment sizes (RFC 9293 §3.7, §3.8.6; RFC 7323 §2).

use std::time::Duration;

use tcpstack::event::{Kind, TimerName};
use tcpstack::host::{Error, SocketOption};
use tcpstack::sim::{Packet, Socket, Vantage, World, drop_all, drop_nth};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;

use super::script::{DELAY_MS, Net, at, net, net_with, net_with_knobs, text};

const SMSS: usize = 1448;

/// A connection whose server has a buffer of 8 KiB, filled and not read; the client has more to send.
fn closed_window() -> (Net, Socket, Socket, Vec<u8>) {
    // Forged segments have no timestamps.
    let mut net = net_with_knobs(&[("tcp_rmem", "4096 8192 8192"), ("tcp_timestamps", "0")]);
    let (client, server) = net.open();
    let sent = text(40_000);
    assert_eq!(net.send(client, &sent), Ok(sent.len()));
    net.run_ms(350); // the last bytes wait for an acknowledgment and the silly-window override
    assert_eq!(net.snapshot(net.client_host).snd_wnd, 0);
    net.mark();
    (net, client, server, sent)
}

#[test]
fn a_closed_window_is_probed_ever_more_rarely() {
    // RFC 9293 §3.8.6.1 (MUST-36, SHLD-29, SHLD-30).
    let (mut net, ..) = closed_window();
    net.run_ms(30_000);
    let probes: Vec<usize> =
        net.sent(net.client_host).map(|seen| seen.packet.payload.len()).collect();
    assert!(probes.iter().all(|len| *len == 1), "{probes:?}");
    let times = net.times_ms(net.client_host, Packet::has_text);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [449, 897, 1795, 3590, 7180, 14_360]);
}

#[test]
fn a_connection_lives_on_while_the_probes_are_answered() {
    // RFC 9293 §3.8.6.1 (MAY-8).
    // MUST-37
    let (mut net, client, server, sent) = closed_window();
    net.run_for(Duration::from_secs(6 * 3600));
    assert_eq!(net.states(client, server), [State::Established; 2]);
    net.expect_text(server, &sent);
}

#[test]
fn probes_that_nobody_answers_end_in_a_timeout() {
    let (mut net, client, ..) = closed_window();
    net.cut();
    net.run_for(Duration::from_secs(3600));
    assert_eq!(net.state(client), State::Closed);
    assert_eq!(net.send(client, b"x"), Err(Error::TimedOut));
}

#[test]
fn reading_sends_a_window_update_and_everything_flows() {
    let (mut net, _, server, sent) = closed_window();
    net.run_ms(5000);
    net.mark();
    net.expect_text(server, &sent);
    assert_eq!(net.flow()[0], "server ACK");
}

#[test]
fn a_lost_window_update_is_found_by_the_next_probe() {
    let (mut net, _, server, sent) = closed_window();
    net.rule_for_server(drop_nth(1, |packet| packet.window() > 0));
    let first = net.recv_all(server, 8192);
    assert_eq!(net.flow(), ["server ACK lost"]);
    assert!(first == sent[..8192]);
    net.expect_text(server, &sent[8192..]);
}

#[test]
fn a_window_opens_in_steps_of_a_segment_or_half_the_buffer() {
    // RFC 9293 §3.8.6.2.2 (MUST-39).
    // RFC 9293 §3.8.6.2.2: an application that reads byte by byte makes no silly windows.
    let (mut net, _, server, sent) = closed_window();
    let mut read = Vec::new();
    net.drive(Duration::from_secs(600), |world| {
        read.extend(world.recv(server, 1).unwrap_or_default());
        read.len() >= 30_000
    });
    for _ in read.len()..30_000 {
        read.extend(net.recv_all(server, 1));
    }
    assert!(read == sent[..30_000]);
    let edges: Vec<u32> = net
        .sent(net.server_host)
        .map(|seen| seen.packet.ack().wrapping_add(u32::from(seen.packet.window())))
        .collect();
    let steps = edges.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let silly: Vec<u32> = steps.filter(|step| *step > 0 && *step < SMSS as u32).collect();
    assert!(silly.is_empty(), "steps of the right edge: {silly:?}");
    let texts = net.sent(net.client_host).map(|seen| seen.packet.payload.len());
    let small = texts.filter(|len| (2..1000).contains(len)).count();
    assert_eq!(small, 0, "small segments");
}

#[test]
fn a_sender_does_not_fill_a_silly_window_at_once() {
    // RFC 9293 §3.8.6.2.1 (MUST-38).
    // RFC 9293 §3.8.6.2.1
    let (mut net, ..) = closed_window();
    let ack = net.last_sent(net.server_host);
    net.rule_for_server(drop_all(|_| true));
    net.forge_to_client(&ack, |header| header.window = 128, b"");
    let start = net.now_ms();
    let rto_ms = net.snapshot(net.client_host).rto_ns / 1_000_000;
    assert!((100..=1000).contains(&rto_ms), "the RFC's bounds");
    net.mark();
    net.run_ms(rto_ms - 10);
    assert_eq!(net.sent(net.client_host).count(), 0);
    net.run_ms(20);
    assert_eq!(net.times_ms(net.client_host, Packet::has_text), [start + rto_ms]);
    assert_eq!(net.last_sent(net.client_host).payload.len(), 128);
}

#[test]
fn an_old_segment_does_not_bring_back_an_old_window() {
    // WL1 and WL2 (§3.10.7.4, fifth)
    let (mut net, client, server, _) = closed_window();
    let old = net.captured(net.link).iter().find(|seen| seen.from == server.host).unwrap();
    let mut old = old.packet.clone();
    old.tcp.as_mut().unwrap().flags = tcpstack::wire::tcp::Flags::ACK;
    net.send(server, b"newer").unwrap();
    net.run_ms(DELAY_MS);
    net.expect_text(client, b"newer");
    let ack = net.last_sent(net.client_host).seq();
    net.forge_to_client(&old, |header| (header.ack, header.window) = (ack, 60_000), b"");
    assert_eq!(net.snapshot(net.client_host).snd_wnd, 0);
}

#[test]
fn more_than_64_kib_fly_with_window_scaling_and_no_more_without() {
    let in_flight = |knobs: &[(&str, &str)]| {
        let mut net = net_with_knobs(knobs);
        let (client, server) = net.open();
        let sent = text(3_000_000);
        let (mut left, mut read) = (&sent[..], Vec::new());
        net.drive(Duration::from_secs(60), |world| {
            left = &left[world.send(client, left).unwrap_or(0)..];
            read.extend(world.recv(server, usize::MAX).unwrap_or_default());
            read.len() == sent.len()
        });
        assert!(read == sent);
        let snapshots = net.events().iter().filter_map(|event| event.after.as_deref());
        snapshots.map(|after| after.in_flight).max().unwrap()
    };
    assert!(in_flight(&[]) > 500_000);
    let unscaled = in_flight(&[("tcp_window_scaling", "0")]);
    assert!((60_000..=65_535).contains(&unscaled), "{unscaled}");
}

/// The largest packet of a transfer both ways between hosts with these MTUs.
fn largest_packet(mtus: [usize; 2], addresses: [&str; 2], max_segment: Option<u16>) -> usize {
    let mut world = World::new(super::script::seed());
    let mut add = |name: &str, address: &str, mtu| {
        let config = tcpstack::host::Config::new([address.parse().unwrap()], 0);
        world.add_host_with(tcpstack::host::Config { name: name.to_owned(), mtu, ..config })
    };
    let (left, right) = (add("l", addresses[0], mtus[0]), add("r", addresses[1], mtus[1]));
    let link = world.link(left, right, Duration::from_millis(1));
    world.start_capture(link);
    let remote = at(addresses[1], 80);
    let listener = world.listen(right, remote, 1).unwrap();
    let client = world.socket(left, tcpstack::host::Domain::of(remote.ip()));
    if let Some(max) = max_segment {
        let option = SocketOption::MaxSegment(max);
        world.with_host(left, |host, now| host.set_option(now, client.id, option)).unwrap();
    }
    world.connect_socket(client, remote).unwrap();
    world.run_for(Duration::from_millis(10));
    let server = world.accept(listener).unwrap();
    let sent = text(40_000);
    world.send(client, &sent).unwrap();
    world.send(server, &sent).unwrap();
    world.run_for(Duration::from_secs(10));
    assert!(world.recv(client, usize::MAX).unwrap() == sent);
    assert!(world.recv(server, usize::MAX).unwrap() == sent);
    world.captured(link).iter().map(|seen| seen.packet.bytes.len()).max().unwrap()
}

#[test]
fn no_packet_is_larger_than_either_mtu() {
    // RFC 9293 §3.7.1 (MUST-16, MUST-67).
    let v4 = ["10.0.0.1", "10.0.0.2"];
    assert_eq!(largest_packet([1500, 1500], v4, None), 1500);
    assert_eq!(largest_packet([1500, 576], v4, None), 576);
    assert_eq!(largest_packet([600, 9000], v4, None), 600);
    assert_eq!(largest_packet([9000, 9000], v4, None), 9000);
    assert_eq!(largest_packet([1500, 1500], v4, Some(1000)), 1040);
    let v6 = ["fd00::1", "fd00::2"];
    assert_eq!(largest_packet([1500, 1280], v6, None), 1280);
}

#[test]
fn a_small_segment_waits_for_the_one_before_it() {
    // RFC 9293 §3.7.4 (SHLD-7).
    // Nagle, RFC 9293 §3.7.4
    let mut net = net();
    let (client, _) = net.open();
    for part in [b"one", b"two", b"six"] {
        net.send(client, part).unwrap();
    }
    assert_eq!(net.flow(), ["client PSH|ACK 3"]);
    net.run_ms(100);
    assert_eq!(net.flow(), ["client PSH|ACK 3", "server ACK", "client PSH|ACK 6", "server ACK"]);
}

#[test]
fn without_delay_small_segments_leave_at_once() {
    // RFC 9293 §3.7.4 (MUST-17).
    let mut net = net();
    let (client, _) = net.open();
    let no_delay = SocketOption::NoDelay(true);
    net.with_host(client.host, |host, now| host.set_option(now, client.id, no_delay)).unwrap();
    net.send(client, b"one").unwrap();
    net.send(client, b"two").unwrap();
    assert_eq!(net.flow(), ["client PSH|ACK 3", "client PSH|ACK 3"]);
}

#[test]
fn a_small_end_does_not_wait_for_full_segments() {
    // Minshall's form of the rule: only small text holds back small text.
    let mut net = net();
    let (client, _) = net.open();
    net.send(client, &text(SMSS + 100)).unwrap();
    assert_eq!(net.flow(), ["client ACK 1448", "client PSH|ACK 100"]);
}

/// Both hosts without the quick acknowledgments of a connection's start.
fn without_quick_acks() -> Net {
    net_with_knobs(&[("tcp_quickack_start", "0")])
}

#[test]
fn one_segment_is_acknowledged_after_the_delay() {
    // RFC 9293 §3.8.6.3 (SHLD-18, MUST-40).
    let mut net = without_quick_acks();
    let (client, _) = net.open();
    let start = net.now_ms();
    net.send(client, b"hello").unwrap();
    net.run_ms(1000);
    assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack), [start + DELAY_MS + 40]);
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    // RFC 9293 §3.8.6.3 (SHLD-19).
    let mut net = without_quick_acks();
    let (client, _) = net.open();
    let start = net.now_ms();
    net.send(client, &text(6 * SMSS)).unwrap();
    net.run_ms(1000);
    assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack), [start + DELAY_MS; 3]);
}

#[test]
fn an_answer_carries_the_acknowledgment_along() {
    let mut net = without_quick_acks();
    let (client, server) = net.open();
    net.send(client, b"question").unwrap();
    net.run_ms(DELAY_MS + 5);
    net.send(server, b"answer").unwrap();
    net.run_ms(1000);
    assert_eq!(net.flow(), ["client PSH|ACK 8", "server PSH|ACK 6", "client ACK"]);
}

#[test]
fn a_gap_is_acknowledged_at_once_and_so_is_its_filling() {
    // RFC 9293 §3.10.7.4 (SHLD-31, MAY-13).
    let mut net = without_quick_acks();
    let (client, _) = net.open();
    net.rule_for_client(drop_nth(1, Packet::has_text));
    let start = net.now_ms();
    net.send(client, &text(2 * SMSS)).unwrap();
    net.run_ms(DELAY_MS);
    assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack), [start + DELAY_MS]);
    net.run_ms(1000);
    let filled = net.times_ms(net.client_host, Packet::has_text)[2] + DELAY_MS;
    assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack)[1], filled);
}

#[test]
fn the_first_segments_of_a_connection_are_acknowledged_at_once() {
    let mut net = net();
    let (client, _) = net.open();
    for _ in 0..16 {
        let start = net.now_ms();
        net.mark();
        net.send(client, b"x").unwrap();
        net.run_ms(100);
        assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack), [start + DELAY_MS]);
    }
    let start = net.now_ms();
    net.mark();
    net.send(client, b"x").unwrap();
    net.run_ms(100);
    assert_eq!(net.times_ms(net.server_host, Packet::is_bare_ack), [start + DELAY_MS + 40]);
}

#[test]
fn a_full_window_with_its_first_segment_lost_still_lets_acknowledgments_through() {
    // The client has filled the server's window: its ACKs bear the number of the right edge.
    let mut net = net_with(|config| {
        let rmem = if config.name == "server" { "4096 8192 8192" } else { "4096 1048576 6291456" };
        config.knobs.set("tcp_rmem", rmem).unwrap();
    });
    let (client, server) = net.open();
    let mut is_first = true;
    net.rule_for_client(drop_all(move |packet| packet.has_text() && std::mem::take(&mut is_first)));
    net.send(client, &text(40_000)).unwrap();
    net.send(server, &text(5 * SMSS)).unwrap();
    net.run_ms(2 * DELAY_MS);
    // The server's text was acknowledged from the edge before the hole was repaired.
    let acknowledged = net.seen().iter().any(|seen| {
        seen.vantage == Vantage::Arrival && seen.from == client.host && seen.packet.is_bare_ack()
    });
    assert!(acknowledged, "the client's bare ACKs have arrived");
    let view = net.snapshot(net.server_host);
    assert_eq!(view.snd_una, view.snd_max);
}

#[test]
fn reading_nothing_loses_nothing() {
    let (mut net, client, server, sent) = closed_window();
    net.close(client).unwrap();
    // Well within the patience of an orphan, whose probes reach their longest interval in 200 s.
    net.run_for(Duration::from_secs(150));
    net.expect_text(server, &sent);
    net.run_for(Duration::from_secs(200));
    assert_eq!(net.recv(server, 10).unwrap(), b"");
}

#[test]
fn no_timeout_and_probe_are_awaited_at_once() {
    let (mut net, _, server, sent) = closed_window();
    net.run_ms(10_000);
    net.expect_text(server, &sent);
    net.run_ms(1000);
    let persists = Kind::TimerFired { timer: TimerName::Persist };
    let fired = net.count(net.client_host, |kind| *kind == persists);
    net.run_for(Duration::from_secs(1000));
    assert_eq!(net.count(net.client_host, |kind| *kind == persists), fired);
    assert!(net.snapshot(net.client_host).timers.is_empty());
}

#[test]
fn two_ends_whose_probes_crossed_and_were_taken_find_together_again() {
    // Each has taken the other's probe octet, and neither has heard so: their acknowledgments bear
    // the number of that octet, one before what the other expects.
    let mut net = net_with_knobs(&[("tcp_rmem", "4096 8192 8192")]);
    let (client, server) = net.open();
    let sent = text(40_000);
    net.send(client, &sent).unwrap();
    net.send(server, &sent).unwrap();
    net.run_ms(1000);
    net.mark();
    let link = net.link;
    let seen_before = net.captured(link).len();
    net.run_until(Duration::from_secs(60), |world| {
        let probes = world.captured(link)[seen_before..]
            .iter()
            .filter(|seen| seen.vantage == Vantage::Departure && seen.packet.payload.len() == 1);
        probes.count() == 2
    });
    net.run_ms(DELAY_MS / 2);
    net.rule_for_client(drop_all(Packet::is_bare_ack));
    net.rule_for_server(drop_all(Packet::is_bare_ack));
    let read = [net.recv(client, 8192).unwrap(), net.recv(server, 8192).unwrap()];
    net.run_ms(DELAY_MS);
    net.mend();
    for (socket, read) in [client, server].into_iter().zip(read) {
        assert!(read == sent[..read.len()]);
        net.expect_text(socket, &sent[read.len()..]);
    }
}

#[test]
fn a_window_that_is_rounded_down_does_not_move_acknowledgments_back() {
    // RFC 7323 §2.4.
    // A scaled window is rounded down to its unit, so that its edge may seem to retreat behind what
    // was sent under an earlier one. Bare ACKs bear the number after what was sent all the same.
    let mut net = net_with_knobs(&[("tcp_rmem", "4096 8761 6291456")]);
    let (client, server) = net.open();
    // The first of six segments is lost; duplicates show a window of 8704 for the 8760 bytes sent; of
    // the ACK for all six the client never hears.
    net.rule_for_client(drop_nth(1, Packet::has_text));
    net.rule_for_server(drop_nth(6, Packet::is_bare_ack));
    net.send(client, &text(6 * SMSS)).unwrap();
    net.run_ms(3 * DELAY_MS);
    assert_eq!(net.flow().last().unwrap(), "server ACK lost");
    let last = net.last_sent(server.host);
    net.forge_to_client(&last, |header| header.flags = Flags::SYN, b""); // asks for an ACK
    let answer = net.last_sent(client.host);
    assert!(answer.is_bare_ack());
    assert_eq!(answer.seq(), last.ack(), "RCV.NXT of the server");
}
