//! Stacks: opening, refusing, closing, what is recorded, and what ends one.

mod net_support;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, mpsc};

use net_support::{Directory, Network, SOON, beside, blocked_calls, now};
use tcpstack::event::Kind;
use tcpstack::event::json;
use tcpstack::host::{Domain, Error};
use tcpstack::net::{Flags, OpenError, SocketError, Stack, TcpListener, TcpStream};
use tcpstack::tcp::State;

#[test]
fn a_stack_without_an_address_takes_the_first_free_one() {
    let directory = Directory::new();
    let url = format!("unix:{}", directory.0.display());
    let stacks: Vec<_> = (0..3).map(|_| Stack::open(&url).unwrap()).collect();
    let addresses: Vec<_> = stacks.iter().map(|stack| stack.addresses()[0].to_string()).collect();
    assert_eq!(addresses, ["10.7.0.2", "10.7.0.3", "10.7.0.4"]);
}

#[test]
fn a_taken_address_is_in_use_until_its_stack_is_closed() {
    let directory = Directory::new();
    let url = format!("unix:{}?addr=10.7.0.5/24", directory.0.display());
    let first = Stack::open(&url).unwrap();
    let refused = Stack::open(&url).unwrap_err();
    assert!(matches!(refused, OpenError::Device { .. }));
    assert_eq!(refused.errno(), libc::EADDRINUSE);
    first.close();
    // The handle is still there, its device is not.
    Stack::open(&url).unwrap();
    assert!(!first.is_open());
}

#[test]
fn a_url_that_is_not_understood_is_invalid_and_says_why() {
    let refused = Stack::open("unix:?colour=blue").unwrap_err();
    assert_eq!(refused.errno(), libc::EINVAL);
    assert!(refused.to_string().contains("unknown key `colour`"), "{refused}");
    let file = Stack::open("user:?events=/no/such/directory/events").unwrap_err();
    assert_eq!(file.errno(), libc::ENOENT);
    assert!(file.to_string().contains("/no/such/directory"), "{file}");
}

#[test]
fn calls_on_a_closed_stack_fail_and_those_that_wait_return() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let blocked = blocked_calls(&stack);
    let listener = stack.socket(Domain::V4).unwrap();
    listener.listen(1).unwrap();
    let waiting = beside(move || listener.accept().map(|_| ()).unwrap_err());
    blocked.recv_timeout(SOON).unwrap();
    stack.close();
    stack.close();
    assert_eq!(waiting().errno(), libc::EBADF);
    assert_eq!(stack.socket(Domain::V4).unwrap_err(), SocketError::StackClosed);
}

#[test]
fn closing_a_stack_delivers_what_was_sent_and_ends_in_time_wait() {
    let network = Network::with("&delay=20ms");
    let (mut client, mut server) = network.connection();
    let server_side = beside(move || {
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        text
    });
    client.write_all(&vec![b'x'; 100_000]).unwrap();
    let states = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&states);
    network.alice.on_event(Some(Box::new(move |json: &str| {
        if json.contains("\"to\":\"TIME-WAIT\"") {
            seen.lock().unwrap().push(State::TimeWait);
        }
    })));
    network.alice.close();
    assert_eq!(server_side().len(), 100_000);
    assert_eq!(*states.lock().unwrap(), [State::TimeWait]);
}

#[test]
fn the_last_handle_closes_the_stack() {
    let network = Network::new();
    let (client, mut server) = network.connection();
    let Network { alice, directory, bob } = network;
    drop(alice);
    // The connection holds its stack.
    assert_eq!((&client).write(b"x").unwrap(), 1);
    drop(client);
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    assert_eq!(text, "x");
    drop((bob, directory));
}

#[test]
fn the_default_stack_is_the_one_set_until_it_is_closed() {
    let stack = Stack::open("user:?seed=1").unwrap();
    Stack::set_default(Some(stack.clone()));
    assert_eq!(Stack::default_stack().unwrap(), stack);
    Stack::set_default(None);
}

#[test]
fn knobs_are_read_and_set_by_name() {
    let stack = Stack::open("user:?seed=1&tcp_syn_retries=3").unwrap();
    assert_eq!(stack.sysctl_get("tcp_syn_retries").as_deref(), Some("3"));
    stack.sysctl_set("tcp_syn_retries", "4").unwrap();
    assert_eq!(stack.sysctl_get("tcp_syn_retries").as_deref(), Some("4"));
    assert!(stack.sysctl_set("tcp_syn_retries", "0").is_err());
    assert_eq!(stack.sysctl_get("no_such_knob"), None);
}

#[test]
fn the_file_of_events_tells_the_calls_in_their_order() {
    let directory = Directory::new();
    let file = directory.0.join("events");
    let stack =
        Stack::open(&format!("user:?addr=10.7.0.2&seed=1&events={}", file.display())).unwrap();
    let listener = TcpListener::bind(&stack, "10.7.0.2:7777").unwrap();
    let mut client = TcpStream::connect(&stack, "10.7.0.2:7777").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"hello\n").unwrap();
    server.read_exact(&mut [0; 6]).unwrap();
    drop(client);
    TcpStream::connect(&stack, "10.7.0.2:1").unwrap_err();
    stack.close();

    let recording =
        json::read(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap();
    assert_eq!(recording.header.host, "10.7.0.2");
    assert!(recording.header.unix_epoch_ns > 0);
    let calls: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::CallEntered { name, arguments, .. } => Some(format!("{name}({arguments})")),
            Kind::CallReturned { name, result, .. } => Some(format!("{name} = {result}")),
            _ => None,
        })
        .collect();
    let expected = [
        "socket(AF_INET, SOCK_STREAM, 0)",
        "bind(10.7.0.2:7777)",
        "listen(128)",
        "connect(10.7.0.2:7777)",
        "connect = 0",
        "send(\"hello\\n\", 6)",
        "send = 6",
        "recv(6)",
        "recv = 6",
        "close()",
        "connect(10.7.0.2:1)",
        "connect = -1 ECONNREFUSED",
    ];
    let mut rest = calls.iter();
    for call in expected {
        assert!(rest.any(|known| known == call), "{call} is missing, or late, in {calls:#?}");
    }
    // The connection that connect() made is its consequence.
    let is_connect =
        |kind: &Kind| matches!(kind, Kind::CallEntered { name, .. } if name == "connect");
    let entered = recording.events.iter().find(|event| is_connect(&event.kind)).unwrap();
    let caused = recording.events.iter().filter(|event| event.cause == Some(entered.index));
    assert!(caused.count() > 0);
}

#[test]
fn a_function_gets_each_event_once_and_no_more_when_it_is_taken_away() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let (sender, events) = mpsc::channel();
    stack.on_event(Some(Box::new(move |json: &str| sender.send(json.to_owned()).unwrap())));
    let socket = stack.socket(Domain::V4).unwrap();
    stack.on_event(None);
    drop(socket);
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|json| json.starts_with('{') && !json.contains('\n')));
}

#[test]
fn a_function_may_use_the_stack_that_calls_it() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let (inner, calls) = (stack.clone(), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&calls);
    stack.on_event(Some(Box::new(move |_: &str| {
        inner.connections();
        *count.lock().unwrap() += 1;
    })));
    stack.socket(Domain::V4).unwrap().listen(1).unwrap();
    assert!(*calls.lock().unwrap() >= 4);
    stack.on_event(None);
}

#[test]
fn a_panic_of_an_event_function_is_its_callers_and_the_stack_lives_on() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let user = stack.clone();
    user.on_event(Some(Box::new(|_: &str| panic!("the application's fault"))));
    let panicked = std::thread::spawn(move || user.socket(Domain::V4).map(|_| ())).join();
    assert!(panicked.is_err());
    stack.on_event(None);
    stack.socket(Domain::V4).unwrap();
}

/// Run as a program of its own by the test below: sends, and exits without closing anything.
#[test]
fn a_program_that_just_exits() {
    let Some(url) = std::env::var_os("TCPS_TEST_EXIT") else { return };
    let stack = Stack::open(url.to_str().unwrap()).unwrap();
    let mut client = TcpStream::connect(&stack, "10.7.0.2:7777").unwrap();
    client.write_all(&net_support::pattern(300_000)).unwrap();
    std::process::exit(0);
}

#[test]
fn what_a_program_sent_arrives_although_it_just_exits() {
    let network = Network::new();
    let listener = TcpListener::bind(&network.bob, "10.7.0.2:7777").unwrap();
    let url = format!("unix:{}?addr=10.7.0.9/24&delay=5ms", network.directory.0.display());
    let mut program = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_program_that_just_exits"])
        .env("TCPS_TEST_EXIT", url)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    drop(server);
    assert!(received == net_support::pattern(300_000));
    assert!(program.wait().unwrap().success());
}

#[test]
fn an_idle_stack_sleeps() {
    let network = Network::new();
    let _connection = network.connection();
    let turns = || {
        let counters = network.alice.counters();
        counters.iter().map(|(_, count)| count).sum::<u64>()
    };
    let before = turns();
    let start = now();
    while start.elapsed() < std::time::Duration::from_millis(300) {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    assert_eq!(turns(), before, "packets move although nobody does anything");
}

#[test]
fn connecting_to_nobody_reports_what_the_network_says() {
    let network = Network::new();
    let error = TcpStream::connect(&network.alice, "10.7.0.77:80").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EHOSTUNREACH));
    let other = network.alice.socket(Domain::V6).unwrap();
    let error = other.connect("[fd00::1]:80".parse().unwrap()).unwrap_err();
    assert_eq!(error, Error::NetUnreachable.into());
    assert_eq!(other.recv(&mut [0; 1], Flags::default()).unwrap_err(), Error::NotConnected.into());
}
