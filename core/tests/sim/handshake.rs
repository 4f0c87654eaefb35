//! How connections begin: the handshake, its losses, simultaneous open, refusals (RFC 9293 §3.5,
//! §3.10.7.2, §3.10.7.3).

use std::time::Duration;

use tcpstack::event::Kind;
use tcpstack::host::Error;
use tcpstack::sim::{Action, Socket, drop_all, drop_nth};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;

use super::script::{CLIENT, DELAY_MS, Net, SERVER, at, is_reset, net, net_with_knobs, text};

#[test]
fn three_segments_open_a_connection() {
    let mut net = net();
    let client = net.connect_client();
    assert_eq!(net.state(client), State::SynSent);
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), Some(State::SynReceived));
    net.run_ms(DELAY_MS);
    assert_eq!(net.state(client), State::Established);
    assert_eq!(net.accept_one(), Err(Error::WouldBlock));
    net.run_ms(DELAY_MS);
    let server = net.accept_one().unwrap();
    assert_eq!(net.state(server), State::Established);
    assert_eq!(net.flow(), ["client SYN", "server SYN|ACK", "client ACK"]);
}

#[test]
fn a_lost_syn_is_sent_again_after_a_second() {
    // With timestamps the round trip would be measured all the same.
    let mut net = net_with_knobs(&[("tcp_timestamps", "0")]);
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn()));
    let client = net.connect_client();
    net.run_ms(1000 + 2 * DELAY_MS);
    assert_eq!(net.state(client), State::Established);
    assert_eq!(net.times_ms(net.client_host, |packet| packet.is_syn()), [0, 1000]);
    // RFC 6298 §5.7; RFC 6928 §2: one lost SYN does not cost the initial window.
    assert_eq!(net.snapshot(net.client_host).rto_ns, 3_000_000_000);
    assert_eq!(net.snapshot(net.client_host).cwnd, 14_600);
}

#[test]
fn a_lost_syn_ack_is_sent_again() {
    let mut net = net();
    net.rule_for_server(drop_nth(1, |packet| packet.is_syn_ack()));
    let client = net.connect_client();
    net.run_ms(1100);
    let server = net.accept_one().unwrap();
    assert_eq!(net.states(client, server), [State::Established; 2]);
    // Both ends have waited a second; one SYN+ACK would have been enough, two do no harm.
    assert!(net.flow().contains(&"server SYN|ACK lost".to_owned()));
    assert_eq!(net.sent(net.server_host).filter(|seen| is_reset(&seen.packet)).count(), 0);
}

#[test]
fn a_lost_third_ack_is_made_good_by_the_repeated_syn_ack() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_bare_ack()));
    net.connect_client();
    net.run_ms(3 * DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), Some(State::SynReceived));
    net.run_ms(1000);
    assert_eq!(net.orphan_state(net.server_host), Some(State::Established));
    let expected =
        ["client SYN", "server SYN|ACK", "client ACK lost", "server SYN|ACK", "client ACK"];
    assert_eq!(net.flow(), expected);
}

#[test]
fn text_stands_in_for_a_lost_third_ack() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_bare_ack()));
    let client = net.connect_client();
    net.run_ms(2 * DELAY_MS);
    net.send(client, b"hello").unwrap();
    net.run_ms(DELAY_MS);
    let server = net.accept_one().unwrap();
    assert_eq!(net.recv(server, 100).unwrap(), b"hello");
}

#[test]
fn a_closed_port_refuses() {
    let mut net = net();
    let client = net.connect_to(81).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.state(client), State::Closed);
    assert_eq!(net.connect_socket(client, at(SERVER, 81)), Err(Error::Refused));
    assert_eq!(net.flow(), ["client SYN", "server RST|ACK"]);
}

#[test]
fn seven_syns_without_an_answer_end_in_a_timeout() {
    // RFC 9293 §3.8.3 (MUST-22, MUST-23).
    let mut net = net();
    net.cut();
    let client = net.connect_client();
    net.run_ms(126_999);
    assert_eq!(net.state(client), State::SynSent);
    net.run_ms(1);
    assert_eq!(net.state(client), State::Closed);
    let expected = [0, 1000, 3000, 7000, 15_000, 31_000, 63_000];
    assert_eq!(net.times_ms(net.client_host, |packet| packet.is_syn()), expected);
    assert_eq!(net.connect_socket(client, at(SERVER, 80)), Err(Error::TimedOut));
}

#[test]
fn a_half_open_connection_is_forgotten_after_six_syn_acks() {
    // RFC 4987 §3.3.
    let mut net = net();
    net.rule_for_server(drop_all(|_| true));
    let client = net.connect_client();
    net.run_ms(DELAY_MS);
    net.close(client).unwrap(); // no second SYN
    net.run_ms(62_999);
    assert_eq!(net.orphan_state(net.server_host), Some(State::SynReceived));
    net.run_ms(1);
    assert_eq!(net.orphan_state(net.server_host), None);
    let expected = [0, 1000, 3000, 7000, 15_000, 31_000].map(|ms| ms + DELAY_MS);
    assert_eq!(net.times_ms(net.server_host, |packet| packet.is_syn_ack()), expected);
    assert_eq!(net.accept_one(), Err(Error::WouldBlock));
}

/// Both ends connect to each other from fixed ports at the same moment.
fn open_at_once(net: &mut Net) -> [Socket; 2] {
    let (left_host, right_host) = (net.client_host, net.server_host);
    let (left_end, right_end) = (at(CLIENT, 1000), at(SERVER, 1000));
    let (left, right) = (net.bound(left_host, left_end), net.bound(right_host, right_end));
    net.connect_socket(left, right_end).unwrap();
    net.connect_socket(right, left_end).unwrap();
    [left, right]
}

#[test]
fn both_may_open_at_once() {
    // RFC 9293 §3.5 (MUST-10).
    let mut net = net();
    let [left, right] = open_at_once(&mut net);
    net.run_ms(DELAY_MS);
    assert_eq!(net.states(left, right), [State::SynReceived; 2]);
    net.run_ms(DELAY_MS);
    assert_eq!(net.states(left, right), [State::Established; 2]);
    net.run_ms(100);
    assert_eq!(net.flow()[..4], ["client SYN", "server SYN", "server SYN|ACK", "client SYN|ACK"]);
    assert!(net.sent(net.client_host).all(|seen| !is_reset(&seen.packet)));

    let both = [text(300_000), text(200_000)];
    net.send_all(left, &both[0]);
    net.send_all(right, &both[1]);
    net.expect_text(right, &both[0]);
    net.expect_text(left, &both[1]);
}

#[test]
fn the_window_of_a_crossed_syn_ack_is_not_scaled() {
    let mut net = net();
    let [_, _] = open_at_once(&mut net);
    // Only the crossed SYN+ACK arrives, not what follows it.
    net.rule_for_client(drop_all(|packet| packet.is_bare_ack()));
    net.rule_for_server(drop_all(|packet| packet.is_bare_ack()));
    net.run_ms(2 * DELAY_MS);
    assert!(net.snapshot(net.client_host).snd_wnd <= 65_535);
}

#[test]
fn simultaneous_open_survives_the_loss_of_one_syn_ack() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn_ack()));
    let [left, right] = open_at_once(&mut net);
    net.run_ms(5000);
    assert_eq!(net.states(left, right), [State::Established; 2]);
}

#[test]
fn an_acknowledgment_of_nothing_sent_is_reset_and_the_attempt_goes_on() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn()));
    let client = net.connect_client();
    let syn = net.last_sent(net.client_host);
    let back = answer_to(&syn);
    net.mark();
    net.forge_to_client(&back, |header| header.ack = header.ack.wrapping_add(7), b"");
    assert_eq!(net.flow(), ["client RST"]);
    assert_eq!(net.last_sent(net.client_host).seq(), syn.seq().wrapping_add(8));
    net.run_ms(1100);
    assert_eq!(net.state(client), State::Established);
}

#[test]
fn a_reset_that_acknowledges_nothing_does_not_refuse() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn()));
    let client = net.connect_client();
    let back = answer_to(&net.last_sent(net.client_host));
    net.forge_to_client(&back, |header| header.flags = Flags::RST, b"");
    let wrong = |header: &mut tcpstack::wire::tcp::Header| {
        header.flags = Flags::RST | Flags::ACK;
        header.ack = header.ack.wrapping_sub(1);
    };
    net.forge_to_client(&back, wrong, b"");
    assert_eq!(net.state(client), State::SynSent);
    net.run_ms(1100);
    assert_eq!(net.state(client), State::Established);
}

/// The SYN+ACK that would answer a SYN, from the same ends.
fn answer_to(syn: &tcpstack::sim::Packet) -> tcpstack::sim::Packet {
    let mut answer = syn.clone();
    std::mem::swap(&mut answer.ip.src, &mut answer.ip.dst);
    let tcp = answer.tcp.as_mut().unwrap();
    std::mem::swap(&mut tcp.src_port, &mut tcp.dst_port);
    (tcp.seq, tcp.ack) = (900_000, tcp.seq.wrapping_add(1));
    (tcp.flags, tcp.window) = (Flags::SYN | Flags::ACK, 50_000);
    answer
}

#[test]
fn text_and_fin_on_the_syn_ack_are_taken() {
    let mut net = net();
    net.cut();
    let client = net.connect_client();
    let back = answer_to(&net.last_sent(net.client_host));
    net.mark();
    let with_fin =
        |header: &mut tcpstack::wire::tcp::Header| header.flags = header.flags | Flags::FIN;
    net.forge_to_client(&back, with_fin, b"early");
    assert_eq!(net.state(client), State::CloseWait);
    assert_eq!(net.recv(client, 100).unwrap(), b"early");
    assert_eq!(net.recv(client, 100).unwrap(), b"");
    assert_eq!(net.last_sent(net.client_host).ack(), 900_000 + 1 + 5 + 1);
}

#[test]
fn text_on_the_syn_is_sent_again_and_taken_then() {
    // The listener's child acknowledges the SYN alone.
    let mut net = net();
    net.connect_client();
    let mut syn = net.last_sent(net.client_host);
    syn.tcp.as_mut().unwrap().src_port = 4242;
    net.forge_to_server(&syn, |_| {}, b"too early");
    assert_eq!(net.last_sent(net.server_host).ack(), syn.seq().wrapping_add(1));
}

#[test]
fn an_old_duplicate_syn_only_delays_the_connection() {
    // RFC 9293 §3.5.1, figure 8, with the new SYN before the reset: it returns the child to LISTEN.
    let mut net = net();
    let client = net.connect_client();
    let mut old = net.last_sent(net.client_host);
    old.tcp.as_mut().unwrap().seq = old.seq().wrapping_sub(50_000);
    net.forge_to_server(&old, |_| {}, b"");
    assert_eq!(net.orphan_state(net.server_host), Some(State::SynReceived));
    net.run_ms(DELAY_MS);
    assert_eq!(net.flow()[2], "client RST");
    assert_eq!(net.orphan_state(net.server_host), None);
    net.run_ms(1000 + DELAY_MS);
    assert_eq!(net.state(client), State::Established);
    net.run_ms(DELAY_MS);
    let server = net.accept_one().unwrap();
    net.send(client, b"hello").unwrap();
    net.run_ms(DELAY_MS);
    assert_eq!(net.recv(server, 10).unwrap(), b"hello");
}

#[test]
fn a_full_backlog_makes_clients_wait() {
    let mut net = net();
    let host = net.server_host;
    let listener = net.listen(host, at(SERVER, 81), 0).unwrap();
    let clients: Vec<Socket> = (0..3).map(|_| net.connect_to(81).unwrap()).collect();
    net.run_ms(100);
    let first = net.accept(listener).unwrap();
    assert_eq!(net.state(first), State::Established);
    net.run_ms(3000);
    net.accept(listener).unwrap();
    net.run_ms(7000);
    net.accept(listener).unwrap();
    assert!(clients.iter().all(|client| net.state(*client) == State::Established));
}

#[test]
fn both_syns_repeat_what_the_sender_takes() {
    let mut net = net();
    net.open();
    for (host, other) in [(net.client_host, "SYN"), (net.server_host, "SYN|ACK")] {
        let first = net.captured(net.link).iter().find(|seen| seen.from == host).unwrap();
        let options = first.packet.tcp.unwrap().options;
        assert_eq!((options.mss, options.window_scale), (Some(1460), Some(7)), "{other}");
    }
}

#[test]
fn without_the_option_on_both_syns_nothing_is_scaled() {
    let mut net = net_with_knobs(&[("tcp_window_scaling", "0")]);
    let (client, _) = net.open();
    net.send(client, b"x").unwrap();
    net.run_ms(1000);
    assert!(net.snapshot(net.client_host).snd_wnd <= 65_535);
}

#[test]
fn a_connection_is_timed_from_the_handshake_on() {
    let mut net = net();
    net.open();
    let is_sample = |kind: &Kind| *kind == Kind::RttMeasured { rtt_ns: 20_000_000 };
    assert_eq!(net.count(net.client_host, is_sample), 1);
    assert_eq!(net.count(net.server_host, is_sample), 1);
}

#[test]
fn shutdown_before_the_handshake_is_over_sends_its_fin_after_it() {
    let mut net = net();
    let [left, right] = open_at_once(&mut net);
    net.run_ms(DELAY_MS);
    assert_eq!(net.state(left), State::SynReceived);
    net.shutdown(left, tcpstack::host::Shutdown::Write).unwrap();
    net.run_ms(100);
    assert_eq!(net.states(left, right), [State::FinWait2, State::CloseWait]);
}

#[test]
fn an_aborted_attempt_leaves_nothing_behind() {
    let mut net = net();
    let client = net.connect_client();
    net.close(client).unwrap();
    assert_eq!(net.orphan_state(net.client_host), None);
    net.run_for(Duration::from_secs(100));
    // The server's SYN+ACK met nobody.
    assert!(net.flow().contains(&"client RST".to_owned()));
    assert_eq!(net.orphan_state(net.server_host), None);
}

#[test]
fn a_delayed_duplicate_of_the_handshake_does_no_harm() {
    let mut net = net();
    let duplicate = |packet: &tcpstack::sim::Packet| match packet.has_text() {
        false => Action::Duplicate,
        true => Action::Pass,
    };
    net.rule_for_client(duplicate);
    net.rule_for_server(duplicate);
    let (client, server) = net.open();
    net.send(client, b"hello").unwrap();
    net.run_ms(100);
    assert_eq!(net.recv(server, 10).unwrap(), b"hello");
    assert!(net.seen().iter().all(|seen| !is_reset(&seen.packet)));
}

#[test]
fn two_ends_that_each_hold_a_forged_syn_do_not_storm() {
    let mut net = net();
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn()));
    net.connect_client();
    let syn = net.last_sent(net.client_host);
    net.forge_to_server(&syn, |header| header.seq = header.seq.wrapping_add(1_000_000), b"");
    let mut back = answer_to(&syn);
    back.tcp.as_mut().unwrap().flags = Flags::SYN;
    net.forge_to_client(&back, |_| {}, b"");
    net.mark();
    net.run_for(Duration::from_secs(30));
    assert!(net.flow().len() < 100, "{} packets", net.flow().len());
}
