//! Who believes a reset, and who sends one (RFC 9293 §3.5.2, §3.10.7; RFC 5961).

use tcpstack::event::{Kind, Reason};
use tcpstack::host::{Error, Shutdown, SocketOption};
use tcpstack::sim::{Packet, drop_all};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};

use super::script::{DELAY_MS, Net, SERVER, is_reset, net, net_with_knobs};

/// What the server would send next, to be changed into what a forger sends.
fn from_server(
    net: &mut Net,
    server: tcpstack::sim::Socket,
    client: tcpstack::sim::Socket,
) -> Packet {
    net.send(server, b"0123456789").unwrap();
    net.run_ms(DELAY_MS);
    net.expect_text(client, b"0123456789");
    net.run_ms(2 * DELAY_MS);
    let mut like = net.last_sent(server.host);
    assert_eq!(like.payload.len(), 10);
    let tcp = like.tcp.as_mut().unwrap();
    tcp.seq = tcp.seq.wrapping_add(10);
    net.mark();
    like
}

fn reset_at(offset: i32) -> impl FnOnce(&mut Header) {
    move |header| {
        header.flags = Flags::RST;
        header.seq = header.seq.wrapping_add_signed(offset);
    }
}

#[test]
fn a_reset_at_exactly_the_expected_number_ends_the_connection() {
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    net.forge(client.host, &like, reset_at(0), b"");
    assert_eq!(net.state(client), State::Closed);
    assert_eq!(net.recv(client, 10), Err(Error::Reset));
    assert!(net.flow().is_empty(), "a reset is not answered");
}

#[test]
fn a_reset_elsewhere_in_the_window_is_asked_to_prove_itself() {
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    net.forge(client.host, &like, reset_at(1000), b"");
    assert_eq!(net.state(client), State::Established);
    assert_eq!(net.flow(), ["client ACK"]);
}

#[test]
fn a_reset_outside_the_window_is_dropped() {
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    for offset in [-1, -100_000, 2_000_000] {
        net.forge(client.host, &like, reset_at(offset), b"");
    }
    assert_eq!(net.state(client), State::Established);
    assert!(net.flow().is_empty());
}

#[test]
fn a_reset_with_text_that_reaches_over_the_expected_number_is_not_exact() {
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    net.forge(client.host, &like, reset_at(-500), &[0; 1000]);
    assert_eq!(net.state(client), State::Established);
}

#[test]
fn a_syn_in_the_window_is_asked_to_prove_itself() {
    // RFC 5961 §4.2
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    net.forge(client.host, &like, |header| header.flags = Flags::SYN, b"");
    assert_eq!(net.state(client), State::Established);
    assert_eq!(net.flow(), ["client ACK"]);
}

#[test]
fn challenges_are_few() {
    // RFC 5961 §7
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    for offset in 1..100 {
        net.forge(client.host, &like, reset_at(offset), b"");
    }
    assert_eq!(net.flow(), ["client ACK"]);
}

#[test]
fn an_acknowledgment_of_what_was_never_sent_is_answered_and_ignored() {
    let mut net = net_with_knobs(&[("tcp_timestamps", "0")]);
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    let future = |header: &mut Header| {
        header.flags = Flags::ACK;
        header.ack = header.ack.wrapping_add(1000);
    };
    net.forge(client.host, &like, future, b"forged");
    assert_eq!(net.flow(), ["client ACK"]);
    assert_eq!(net.recv(client, 10), Err(Error::WouldBlock));
}

#[test]
fn text_without_an_ack_bit_is_ignored() {
    let mut net = net();
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    net.forge(client.host, &like, |header| header.flags = Flags::PSH, b"forged");
    assert_eq!(net.recv(client, 10), Err(Error::WouldBlock));
    assert_eq!(net.state(client), State::Established);
}

#[test]
fn a_peer_that_has_forgotten_the_connection_resets_it() {
    // RFC 9293 §3.5.1: half-open; the server's side ends, and its reset is lost.
    let mut net = net();
    let (client, server) = net.open();
    let linger = SocketOption::Linger(Some(std::time::Duration::ZERO));
    net.with_host(server.host, |host, now| host.set_option(now, server.id, linger)).unwrap();
    net.rule_for_server(drop_all(is_reset));
    net.close(server).unwrap();
    assert_eq!(net.flow(), ["server RST|ACK lost"]);
    net.mend();
    net.mark();
    net.send(client, b"still there?").unwrap();
    let expected_seq = net.last_sent(client.host).ack();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.flow(), ["client PSH|ACK 12", "server RST"]);
    assert_eq!(net.last_sent(server.host).seq(), expected_seq);
    assert_eq!(net.recv(client, 10), Err(Error::Reset));
}

#[test]
fn linger_of_zero_resets() {
    let mut net = net();
    let (client, server) = net.open();
    let linger = SocketOption::Linger(Some(std::time::Duration::ZERO));
    net.with_host(client.host, |host, now| host.set_option(now, client.id, linger)).unwrap();
    net.close(client).unwrap();
    assert_eq!(net.orphan_state(net.client_host), None);
    net.run_ms(DELAY_MS);
    assert_eq!(net.recv(server, 10), Err(Error::Reset));
    assert_eq!(net.flow(), ["client RST|ACK"]);
}

#[test]
fn a_reset_reaches_a_peer_that_has_lost_the_text_before_it() {
    let mut net = net();
    let (client, server) = net.open();
    net.rule_for_client(drop_all(Packet::has_text));
    net.send(client, b"lost").unwrap();
    let linger = SocketOption::Linger(Some(std::time::Duration::ZERO));
    net.with_host(client.host, |host, now| host.set_option(now, client.id, linger)).unwrap();
    net.close(client).unwrap();
    // The reset lies past what the server expects; its challenge is answered by one that fits.
    net.run_ms(3 * DELAY_MS);
    assert_eq!(net.recv(server, 10), Err(Error::Reset));
    let expected = ["client PSH|ACK 4 lost", "client RST|ACK", "server ACK", "client RST"];
    assert_eq!(net.flow(), expected);
}

/// The client's socket in the state that closing or not on either side makes, and what a reset at
/// the expected number tells the application then.
#[track_caller]
fn reset_in(
    state: State,
    expected: Option<Error>,
    arrange: impl FnOnce(&mut Net, [tcpstack::sim::Socket; 2]),
) {
    let mut net = net();
    let (client, server) = net.open();
    let mut like = from_server(&mut net, server, client);
    arrange(&mut net, [client, server]);
    assert_eq!(net.state(client), state);
    let tcp = like.tcp.as_mut().unwrap();
    tcp.seq = net.last_sent(client.host).ack().max(tcp.seq);
    net.forge(client.host, &like, reset_at(0), b"");
    assert_eq!(net.state(client), State::Closed, "after {state}");
    let told = net.with_host(client.host, |host, _| host.take_error(client.id)).unwrap();
    assert_eq!(told, expected, "after {state}");
}

#[test]
fn a_reset_ends_every_state_and_tells_what_linux_tells() {
    let finish = |net: &mut Net, socket| net.shutdown(socket, Shutdown::Write).unwrap();
    reset_in(State::FinWait1, Some(Error::Reset), |net, [client, _]| finish(net, client));
    reset_in(State::FinWait2, Some(Error::Reset), |net, [client, _]| {
        finish(net, client);
        net.run_ms(2 * DELAY_MS);
    });
    reset_in(State::CloseWait, Some(Error::BrokenPipe), |net, [_, server]| {
        finish(net, server);
        net.run_ms(2 * DELAY_MS);
    });
    reset_in(State::LastAck, Some(Error::Reset), |net, [client, server]| {
        finish(net, server);
        net.run_ms(2 * DELAY_MS);
        finish(net, client);
    });
    reset_in(State::Closing, Some(Error::Reset), |net, [client, server]| {
        finish(net, server);
        finish(net, client);
        net.run_ms(DELAY_MS);
    });
    reset_in(State::TimeWait, None, |net, [client, server]| {
        finish(net, client);
        net.run_ms(2 * DELAY_MS);
        finish(net, server);
        net.run_ms(DELAY_MS);
    });
}

#[test]
fn an_acknowledgment_to_a_listener_is_reset() {
    // RFC 9293 §3.10.7.2, second; figure 11
    let mut net = net();
    let (client, server) = net.open();
    let mut stray = net.captured(net.link)[4].packet.clone();
    assert!(stray.is_bare_ack() && stray.ip.dst.to_string() == SERVER);
    stray.tcp.as_mut().unwrap().src_port = 4242;
    net.forge(server.host, &stray, |_| {}, b"");
    assert_eq!(net.flow(), ["server RST"]);
    assert_eq!(net.last_sent(server.host).seq(), stray.ack());
    assert_eq!(net.states(client, server), [State::Established; 2]);
    let by_nobody =
        |kind: &Kind| matches!(kind, Kind::SegmentSent(record) if record.flags == "RST");
    assert_eq!(net.count(server.host, by_nobody), 1);
    let told = net.events().iter().any(|event| event.reason == Some(Reason::NoSuchConnection));
    assert!(told);
}

#[test]
fn a_reset_to_a_half_open_child_returns_to_listen_in_silence() {
    let mut net = net();
    net.connect_client();
    let mut syn = net.last_sent(net.client_host);
    syn.tcp.as_mut().unwrap().src_port = 4242;
    net.forge_to_server(&syn, |_| {}, b"");
    let host = net.server_host;
    assert_eq!(net.host(host).connections().len(), 2);
    net.mark();
    let reset = |header: &mut Header| {
        header.flags = Flags::RST;
        header.seq = header.seq.wrapping_add(1);
    };
    net.forge(host, &syn, reset, b"");
    assert_eq!(net.host(host).connections().len(), 1);
    assert!(net.flow().is_empty());
    assert_eq!(net.accept_one(), Err(Error::WouldBlock));
}

#[test]
fn a_fin_before_text_that_is_here_already_is_a_lie() {
    let mut net = net_with_knobs(&[("tcp_timestamps", "0")]);
    let (client, server) = net.open();
    let like = from_server(&mut net, server, client);
    let later = |header: &mut Header| header.seq = header.seq.wrapping_add(100);
    net.forge(client.host, &like, later, &[7; 100]);
    let fin = |header: &mut Header| {
        header.flags = Flags::FIN | Flags::ACK;
        header.seq = header.seq.wrapping_add(150);
    };
    net.forge(client.host, &like, fin, b"");
    net.forge(client.host, &like, |_| {}, &[6; 100]);
    assert_eq!(net.recv(client, 1000).unwrap(), [[6; 100], [7; 100]].concat());
    assert_eq!(net.recv(client, 1000), Err(Error::WouldBlock));
    assert_eq!(net.state(client), State::Established);
}
