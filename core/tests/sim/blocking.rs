//! Programs that wait: the lane of their calls in the event stream, and what their calls return.

use std::time::Duration;

use tcpstack::event::{Event, Kind, Source};
use tcpstack::host::{Domain, Error, Shutdown, SocketOption};
use tcpstack::sim::{BlockingCall, Socket, World};
use tcpstack::tcp::{SendFlags, State};

use super::script::{CLIENT, DELAY_MS, Net, SERVER, at, net, net_with_knobs, text};

/// The calls of a host, one line for each of their events.
fn lane(world: &World, host: &str) -> Vec<String> {
    let of_host = world.events().iter().filter(|event| &*event.host == host);
    of_host.filter_map(|event| line(event).map(|line| ms(event) + &line)).collect()
}

fn ms(event: &Event) -> String {
    format!("{:>3} ", event.time_ns / 1_000_000)
}

fn line(event: &Event) -> Option<String> {
    match &event.kind {
        Kind::CallEntered { name, arguments, .. } => Some(format!("{name}({arguments})")),
        Kind::CallBlocked { name, .. } => Some(format!("{name} waits")),
        Kind::CallReturned { name, result, .. } => Some(format!("{name} = {result}")),
        _ => None,
    }
}

/// A socket of the client's host that has done nothing yet.
fn fresh_client(net: &mut Net) -> Socket {
    let host = net.client_host;
    net.socket(host, Domain::V4)
}

/// Lets time pass until the call has returned.
fn finish<T>(net: &mut Net, call: &mut BlockingCall<T>) -> Result<T, Error> {
    let mut returned = None;
    net.drive(Duration::from_secs(600), |world| {
        returned = world.resume(call);
        returned.is_some()
    });
    returned.expect("it returns")
}

#[test]
fn a_program_that_waits_is_told_of_as_on_a_real_stack() {
    let mut net = net();
    let mut accept = BlockingCall::accept(net.listener);
    assert!(net.resume(&mut accept).is_none());
    let client = fresh_client(&mut net);
    finish(&mut net, &mut BlockingCall::connect(client, at(SERVER, 80))).unwrap();
    let server = finish(&mut net, &mut accept).unwrap();
    let mut recv = BlockingCall::recv(server, 100);
    assert!(net.resume(&mut recv).is_none() && recv.is_waiting());
    assert_eq!(finish(&mut net, &mut BlockingCall::send(client, b"hello\n".to_vec())), Ok(6));
    assert_eq!(finish(&mut net, &mut recv).unwrap(), b"hello\n");
    net.shutdown(client, Shutdown::Write).unwrap();
    assert_eq!(finish(&mut net, &mut BlockingCall::recv(server, 100)).unwrap(), b"");
    net.close(server).unwrap();
    let port = net.host(client.host).local_addr(client.id).unwrap().port();
    assert_eq!(
        lane(&net, "client"),
        [
            "  0 socket(AF_INET, SOCK_STREAM, 0)",
            "  0 socket = ok",
            "  0 connect(10.0.0.2:80)",
            "  0 connect waits",
            " 20 connect = 0",
            " 30 send(\"hello\\n\", 6)",
            " 30 send = 6",
            " 40 shutdown(SHUT_WR)",
            " 40 shutdown = 0",
        ]
    );
    assert_eq!(
        lane(&net, "server"),
        [
            "  0 socket(AF_INET, SOCK_STREAM, 0)".to_owned(),
            "  0 socket = ok".to_owned(),
            "  0 bind(10.0.0.2:80)".to_owned(),
            "  0 bind = 0".to_owned(),
            "  0 listen(16)".to_owned(),
            "  0 listen = 0".to_owned(),
            "  0 accept()".to_owned(),
            "  0 accept waits".to_owned(),
            format!(" 30 accept = {CLIENT}:{port}"),
            " 30 recv(100)".to_owned(),
            " 30 recv waits".to_owned(),
            " 40 recv = 6".to_owned(),
            " 40 recv(100)".to_owned(),
            " 40 recv waits".to_owned(),
            " 50 recv = 0".to_owned(),
            " 50 close()".to_owned(),
            " 50 close = 0".to_owned(),
        ]
    );
}

#[test]
fn send_waits_until_the_buffer_has_taken_all() {
    let mut net = net_with_knobs(&[("tcp_wmem", "4096 4096 4096"), ("tcp_moderate_rcvbuf", "0")]);
    let (client, server) = net.open();
    let sent = text(300_000);
    let mut send = BlockingCall::send(client, sent.clone());
    assert!(net.resume(&mut send).is_none());
    net.run_ms(10_000);
    assert!(net.resume(&mut send).is_none(), "nobody reads, so the windows and buffers are full");
    let mut received = Vec::new();
    let mut returned = None;
    net.drive(Duration::from_secs(60), |world| {
        received.extend(world.recv(server, 4096).unwrap_or_default());
        returned = returned.or_else(|| world.resume(&mut send));
        returned.is_some() && received.len() == sent.len()
    });
    assert_eq!(returned, Some(Ok(sent.len())));
    assert_eq!(received, sent);
    let waits = lane(&net, "client").iter().filter(|line| line.ends_with("send waits")).count();
    assert_eq!(waits, 1);
}

#[test]
fn send_returns_what_was_taken_before_an_error_and_the_next_call_says_why() {
    let mut net = net_with_knobs(&[("tcp_wmem", "4096 4096 4096")]);
    let (client, server) = net.open();
    let mut send = BlockingCall::send(client, text(10_000_000));
    assert!(net.resume(&mut send).is_none());
    net.run_ms(1000);
    net.with_host(server.host, |host, now| {
        host.set_option(now, server.id, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    });
    net.close(server).unwrap();
    net.run_ms(100);
    assert_eq!(net.resume(&mut send), Some(Ok(4096)));
    assert_eq!(net.resume(&mut BlockingCall::send(client, vec![1])), Some(Err(Error::Reset)));
    assert_eq!(
        lane(&net, "client").last().unwrap(),
        &format!("{:>3} send = -1 ECONNRESET", net.now_ms())
    );
}

#[test]
fn connect_fails_where_nobody_listens() {
    let mut net = net();
    let client = fresh_client(&mut net);
    let mut connect = BlockingCall::connect(client, at(SERVER, 81));
    assert_eq!(finish(&mut net, &mut connect), Err(Error::Refused));
    assert_eq!(net.now_ms(), 2 * DELAY_MS);
    assert_eq!(lane(&net, "client").last().unwrap(), " 20 connect = -1 ECONNREFUSED");
}

#[test]
fn a_call_names_its_line_and_is_the_cause_of_what_it_does_later() {
    let mut net = net_with_knobs(&[("tcp_wmem", "4096 4096 4096")]);
    let (client, _) = net.open();
    let source = Source { file: "client.c".into(), line: 12 };
    let mut send = BlockingCall::send(client, text(8000)).from_line(source.clone());
    assert!(net.resume(&mut send).is_none());
    net.run_ms(3 * DELAY_MS);
    let before = net.events().len();
    assert_eq!(net.resume(&mut send), Some(Ok(8000)));
    let entered = net.events().iter().find(|event| match &event.kind {
        Kind::CallEntered { source: told, .. } => told.as_ref() == Some(&source),
        _ => false,
    });
    let entered = entered.expect("the call is recorded").index;
    let after = &net.events()[before..];
    let segments = after.iter().filter(|event| matches!(event.kind, Kind::SegmentSent(_)));
    let causes: Vec<_> = segments.map(|event| event.cause).collect();
    assert!(!causes.is_empty() && causes.iter().all(|cause| *cause == Some(entered)), "{causes:?}");
}

#[test]
fn without_a_recording_calls_wait_and_return_all_the_same() {
    let mut world = World::new(1);
    let [client_host, server_host] =
        [CLIENT, SERVER].map(|address| world.add_host(address, [address.parse().unwrap()]));
    world.link(client_host, server_host, Duration::from_millis(1));
    world.listen(server_host, at(SERVER, 80), 1).unwrap();
    let client: Socket = world.socket(client_host, Domain::V4);
    let mut connect = BlockingCall::connect(client, at(SERVER, 80));
    assert_eq!(world.resume(&mut connect), None);
    world.run_for(Duration::from_millis(2));
    assert_eq!(world.resume(&mut connect), Some(Ok(())));
    assert_eq!(world.state(client), State::Established);
}

#[test]
fn flags_of_send_are_told() {
    let mut net = net();
    let (client, _) = net.open();
    let urgent = SendFlags { urgent: true, ..SendFlags::default() };
    let mut send = BlockingCall::send_with(client, b"stop".to_vec(), urgent);
    assert_eq!(finish(&mut net, &mut send), Ok(4));
    assert!(lane(&net, "client").contains(&" 30 send(\"stop\", 4, MSG_OOB)".to_owned()));
    let first = net.captured(net.link).iter().find(|seen| seen.packet.has_text()).unwrap();
    assert!(first.packet.has(tcpstack::wire::tcp::Flags::URG));
}
