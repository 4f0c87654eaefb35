//! Opens under pressure and in a hurry: SYN cookies, full queues, deferred accept, Fast Open.

mod host_pair;

use host_pair::{CLIENT, Pair, SERVER, at, read, seconds, segment, sent_by};
use tcpstack::host::{Config, Domain, Error, Host, Readiness, SocketId, SocketOption};
use tcpstack::tcp::State;
use tcpstack::wire::ip;
use tcpstack::wire::packet::Transmit;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::FastOpenCookie;

fn with(knobs: &'static [(&'static str, &'static str)]) -> Pair {
    Pair::with(|config: &mut Config| {
        for (name, value) in knobs {
            config.knobs.set(name, value).unwrap();
        }
    })
}

fn count(host: &Host, name: &str) -> u64 {
    host.counters().get(name).unwrap()
}

/// SYNs from so many ports that nobody answers for.
fn flood(pair: &mut Pair, ports: std::ops::Range<u16>) {
    for port in ports {
        let syn = segment(at("10.7.0.9", port), at(SERVER, 80), Flags::SYN, 9, 0, b"");
        pair.server.handle_frame(pair.now, syn);
        while pair.server.poll_transmit(pair.now).is_some() {}
    }
}

#[test]
fn a_real_client_gets_through_a_syn_flood_with_all_its_options() {
    // RFC 4987 §3.6
    let mut pair = Pair::new();
    let listener = pair.listen(80, 16);
    flood(&mut pair, 1..5000);
    assert!(count(&pair.server, "syn_cookies_sent") > 4900);
    assert!(pair.server.connections().len() < 20, "a cookie takes no memory");
    let (socket, child) = pair.connected(listener);
    assert_eq!(count(&pair.server, "syn_cookies_received"), 1);
    let answer = pair.take_sent().into_iter().find(|sent| !sent.from_client).unwrap();
    let options = answer.header.options;
    assert!(
        options.window_scale.is_some() && options.sack_permitted && options.timestamps.is_some()
    );
    let data: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    let (mut sent, mut got) = (0, vec![]);
    while got.len() < data.len() {
        sent += pair.client.send(pair.now, socket, &data[sent..]).unwrap_or(0);
        pair.pass(seconds(1));
        got.extend(read(&mut pair.server, pair.now, child));
    }
    assert!(got == data);
}

#[test]
fn a_cookie_keeps_only_the_segment_size_of_a_client_without_timestamps() {
    let mut pair = with(&[("tcp_syncookies", "2"), ("tcp_timestamps", "0")]);
    let listener = pair.listen(80, 16);
    let (_, child) = pair.connected(listener);
    let answer = pair.take_sent().into_iter().find(|sent| !sent.from_client).unwrap();
    assert_eq!(answer.header.options.window_scale, None);
    assert!(!answer.header.options.sack_permitted);
    assert_eq!(pair.server.state(child), Ok(State::Established));
}

#[test]
fn without_cookies_a_full_queue_drops() {
    let mut pair = with(&[("tcp_syncookies", "0")]);
    pair.listen(80, 16);
    flood(&mut pair, 1..100);
    assert_eq!(count(&pair.server, "syn_cookies_sent"), 0);
    assert_eq!(count(&pair.server, "listen_overflow"), 99 - 16);
}

#[test]
fn forged_and_stale_cookies_are_reset() {
    let mut pair = with(&[("tcp_syncookies", "2")]);
    pair.listen(80, 16);
    let (client, server) = (at(CLIENT, 4000), at(SERVER, 80));
    let forged = segment(client, server, Flags::ACK, 100, 12_345, b"");
    pair.server.handle_frame(pair.now, forged);
    assert_eq!(sent_by(&mut pair.server, pair.now).flags, Flags::RST);
    assert_eq!(count(&pair.server, "syn_cookies_refused"), 1);

    pair.server.handle_frame(pair.now, segment(client, server, Flags::SYN, 99, 0, b""));
    let cookie = sent_by(&mut pair.server, pair.now).seq;
    let ack = || segment(client, server, Flags::ACK, 100, cookie.wrapping_add(1), b"hi");
    pair.now += seconds(180);
    pair.server.handle_frame(pair.now, ack());
    assert_eq!(sent_by(&mut pair.server, pair.now).flags, Flags::RST, "three minutes old");
    pair.server.check();
}

#[test]
fn no_cookie_is_looked_for_while_none_was_sent() {
    let mut pair = Pair::new();
    pair.listen(80, 16);
    let ack = segment(at(CLIENT, 4000), at(SERVER, 80), Flags::ACK, 100, 12_345, b"");
    pair.server.handle_frame(pair.now, ack);
    assert_eq!(sent_by(&mut pair.server, pair.now).flags, Flags::RST);
    assert_eq!(count(&pair.server, "syn_cookies_refused"), 0);
}

#[test]
fn a_full_accept_queue_lets_the_client_wait_or_resets_it() {
    for (knobs, connects) in
        [(&[("tcp_abort_on_overflow", "0")], true), (&[("tcp_abort_on_overflow", "1")], false)]
    {
        let mut pair = with(knobs);
        let listener = pair.listen(80, 0);
        // Both handshakes begin while there is room, and one place remains.
        let sockets = [pair.begin(80), pair.begin(80)];
        pair.settle();
        let _ = pair.server.accept(pair.now, listener).unwrap();
        pair.pass(seconds(3));
        // To the client it is open after its ACK; only a reset tells it otherwise.
        let late = pair.client.connect(pair.now, sockets[1], at(SERVER, 80));
        assert_eq!(late, if connects { Ok(()) } else { Err(Error::Reset) });
        let is_there = pair.server.readiness(listener).contains(Readiness::IN);
        assert_eq!(is_there, connects);
    }
}

#[test]
fn a_deferred_accept_waits_for_data_and_in_the_end_takes_the_connection_without() {
    // TCP_DEFER_ACCEPT, as on Linux: 3 s are two SYN+ACK timeouts.
    let mut pair = Pair::new();
    let listener = pair.listen(80, 16);
    pair.server.set_option(pair.now, listener, SocketOption::DeferAccept(3)).unwrap();
    let socket = pair.begin(80);
    pair.settle();
    assert_eq!(pair.take_flags(), ["> SYN", "< SYN|ACK", "> ACK"]);
    assert_eq!(pair.server.accept(pair.now, listener), Err(Error::WouldBlock));
    pair.client.send(pair.now, socket, b"hello").unwrap();
    pair.settle();
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(read(&mut pair.server, pair.now, child), b"hello");

    pair.begin(80);
    pair.pass(seconds(2));
    assert_eq!(pair.server.accept(pair.now, listener), Err(Error::WouldBlock));
    pair.pass(seconds(10));
    pair.server.accept(pair.now, listener).unwrap();
}

/// Both ends with Fast Open, and a client that has the server's cookie.
fn fast(pair: &mut Pair) -> SocketId {
    let listener = pair.listen(80, 16);
    pair.server.set_option(pair.now, listener, SocketOption::FastOpen(5)).unwrap();
    let socket = pair.client.socket(Domain::V4);
    let begun = pair.client.connect_with(pair.now, socket, at(SERVER, 80), b"early");
    assert_eq!(begun, Err(Error::InProgress), "no cookie yet");
    pair.settle();
    let sent = pair.take_sent();
    assert_eq!(sent[0].header.options.fast_open, Some(FastOpenCookie::REQUEST));
    assert_eq!(sent[0].len, 0);
    let cookie = sent[1].header.options.fast_open.unwrap();
    assert_eq!(cookie.as_slice().len(), 8);
    pair.server.accept(pair.now, listener).unwrap();
    listener
}

const BOTH: &[(&str, &str)] = &[("tcp_fastopen", "3")];

/// Begins a fast open with that data.
fn begin_fast(pair: &mut Pair, data: &[u8]) -> SocketId {
    let socket = pair.client.socket(Domain::V4);
    let taken = pair.client.connect_with(pair.now, socket, at(SERVER, 80), data);
    assert_eq!(taken, Ok(data.len()));
    socket
}

#[test]
fn with_a_cookie_the_data_is_read_and_answered_before_the_third_segment() {
    // RFC 7413 §2, §4.2.2
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    let socket = begin_fast(&mut pair, b"request");
    let syn = pair.client.poll_transmit(pair.now).unwrap().into_frame();
    pair.server.handle_frame(pair.now, syn);
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(pair.server.state(child), Ok(State::SynReceived));
    assert_eq!(read(&mut pair.server, pair.now, child), b"request");
    pair.server.send(pair.now, child, b"response").unwrap();
    pair.settle();
    assert_eq!(pair.client.connect(pair.now, socket, at(SERVER, 80)), Ok(()));
    assert_eq!(read(&mut pair.client, pair.now, socket), b"response");
    assert_eq!(pair.server.state(child), Ok(State::Established));
    assert_eq!(count(&pair.server, "fast_open_accepted"), 1);
    let text: usize =
        pair.take_sent().iter().filter(|sent| sent.from_client).map(|sent| sent.len).sum();
    assert_eq!(text, 0, "the request was not sent again");
    pair.pass(seconds(5));
    pair.client.send(pair.now, socket, b"more").unwrap();
    pair.settle();
    assert_eq!(read(&mut pair.server, pair.now, child), b"more");
}

#[test]
fn text_that_the_server_does_not_take_is_sent_again() {
    // RFC 7413 §4.2.1: the fallback is the ordinary handshake.
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    pair.server.set_option(pair.now, listener, SocketOption::FastOpen(0)).unwrap();
    begin_fast(&mut pair, b"request");
    pair.settle();
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(read(&mut pair.server, pair.now, child), b"request");
    assert_eq!(count(&pair.server, "fast_open_accepted"), 0);
}

#[test]
fn a_lost_fast_syn_is_followed_by_a_plain_one() {
    // RFC 7413 §4.1.3.1
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    pair.lose = Box::new(|sent| sent.header.flags.contains(Flags::SYN) && sent.len > 0);
    begin_fast(&mut pair, b"request");
    pair.pass(seconds(2));
    let sent = pair.take_sent();
    let syns: Vec<&Header> =
        sent.iter().filter(|sent| sent.from_client).map(|sent| &sent.header).take(2).collect();
    assert!(syns[0].options.fast_open.is_some() && syns[1].options.fast_open.is_none());
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(read(&mut pair.server, pair.now, child), b"request");
}

#[test]
fn a_forged_cookie_gets_the_ordinary_handshake_and_a_new_cookie() {
    // RFC 7413 §4.2.1
    let mut pair = with(BOTH);
    fast(&mut pair);
    let mut syn = Header {
        src_port: 4000,
        dst_port: 80,
        seq: 99,
        flags: Flags::SYN,
        window: 1000,
        ..Header::default()
    };
    syn.options.fast_open = FastOpenCookie::new(&[7; 8]);
    let ip = ip::Header::new(at(CLIENT, 0).ip(), at(SERVER, 0).ip(), ip::PROTOCOL_TCP, 64, 0);
    let text = bytes::Bytes::from_static(b"text");
    let frame = Transmit::tcp(ip, &syn, [text].into_iter().collect(), 0, None).into_frame();
    pair.server.handle_frame(pair.now, frame);
    let answer = sent_by(&mut pair.server, pair.now);
    assert_eq!(answer.ack, 100, "the text is not taken");
    assert!(answer.options.fast_open.is_some_and(|cookie| !cookie.is_request()));
    assert_eq!(count(&pair.server, "fast_open_refused"), 1);
}

#[test]
fn handshakes_with_early_text_are_bounded() {
    // RFC 7413 §5.1
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    pair.server.set_option(pair.now, listener, SocketOption::FastOpen(2)).unwrap();
    pair.lose = Box::new(|sent| !sent.from_client);
    for _ in 0..4 {
        begin_fast(&mut pair, b"request");
    }
    pair.settle();
    assert_eq!(count(&pair.server, "fast_open_accepted"), 2);
}

#[test]
fn connect_waits_for_the_first_data_where_the_option_asks_for_it() {
    // TCP_FASTOPEN_CONNECT
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    let socket = pair.client.socket(Domain::V4);
    pair.client.set_option(pair.now, socket, SocketOption::FastOpenConnect(true)).unwrap();
    assert_eq!(pair.client.connect(pair.now, socket, at(SERVER, 80)), Ok(()));
    pair.settle();
    assert!(pair.take_sent().is_empty(), "nothing is sent before there is data");
    assert_eq!(pair.client.send(pair.now, socket, b"request"), Ok(7));
    pair.settle();
    assert_eq!(pair.take_sent()[0].len, 7);
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(read(&mut pair.server, pair.now, child), b"request");
}

#[test]
fn the_syn_takes_no_more_than_a_segment() {
    // RFC 7413 §4.1.3: the cached MSS, and the path's; options have their room
    let mut pair = with(BOTH);
    let listener = fast(&mut pair);
    let socket = pair.client.socket(Domain::V4);
    let data = [7; 5000];
    let taken = pair.client.connect_with(pair.now, socket, at(SERVER, 80), &data).unwrap();
    assert_eq!(taken, 1460 - 40);
    pair.settle();
    assert_eq!(pair.take_sent()[0].len, 1420);
    let (child, _) = pair.server.accept(pair.now, listener).unwrap();
    assert_eq!(read(&mut pair.server, pair.now, child), data[..1420]);
}

#[test]
fn a_client_may_dare_without_a_cookie_and_a_server_may_let_it() {
    // Linux's tcp_fastopen = 0x4 and 0x200, for closed networks
    let mut pair = with(&[("tcp_fastopen", "519")]);
    let listener = pair.listen(80, 16);
    pair.server.set_option(pair.now, listener, SocketOption::FastOpen(5)).unwrap();
    begin_fast(&mut pair, b"request");
    pair.settle();
    assert_eq!(pair.take_sent()[0].header.options.fast_open, None);
    assert_eq!(count(&pair.server, "fast_open_accepted"), 1);
}

#[test]
fn without_the_client_bit_there_is_no_fast_open() {
    // RFC 7413 §2.1.
    let mut pair = with(&[("tcp_fastopen", "0")]);
    pair.listen(80, 16);
    let socket = pair.client.socket(Domain::V4);
    let refused = pair.client.connect_with(pair.now, socket, at(SERVER, 80), b"x");
    assert_eq!(refused, Err(Error::NotSupported));
}
