//! What two running stacks write is what `show` draws: nothing lost on the way, every part there.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use tcpstack::event::TimerName;
use tcpstack::event::json::read;
use tcpstack::host::Domain;
use tcpstack::net::{Flags, Socket, Stack};
use tcpstack::tcp::State;
use tcpstack_lab::recording::{self, Source};
use tcpstack_lab::story::{Close, Fate, Role, Story, What, find_conversations, summarise, tell};

fn open(dir: &Path, address: &str) -> Stack {
    let (network, events) = (dir.join("network"), dir.join(format!("{address}.jsonl")));
    let (network, events) = (network.display(), events.display());
    Stack::open(&format!("unix:{network}?addr={address}/24&events={events}")).unwrap()
}

fn source(dir: &Path, address: &str) -> Source {
    let file = std::fs::read(dir.join(format!("{address}.jsonl"))).unwrap();
    Source { name: address.to_owned(), recording: read(file.as_slice()).unwrap() }
}

fn receive(socket: &Socket) -> Vec<u8> {
    let mut buffer = [0; 64];
    let len = socket.recv(&mut buffer, Flags::default()).unwrap();
    buffer[..len].to_vec()
}

/// Echoes one message over real stacks and returns what they recorded.
fn record(dir: &Path) -> Vec<Source> {
    let (server, client) = (open(dir, "10.7.0.1"), open(dir, "10.7.0.2"));
    let listener = server.socket(Domain::V4).unwrap();
    listener.bind("0.0.0.0:8080".parse().unwrap()).unwrap();
    listener.listen(8).unwrap();
    let serving = thread::spawn(move || {
        let (peer, _) = listener.accept().unwrap();
        let message = receive(&peer);
        peer.send(&message, Flags::default()).unwrap();
        assert!(receive(&peer).is_empty());
        peer.close().unwrap();
    });
    let socket = client.socket(Domain::V4).unwrap();
    let there: SocketAddr = "10.7.0.1:8080".parse().unwrap();
    socket.connect(there).unwrap();
    socket.send(b"hello", Flags::default()).unwrap();
    assert_eq!(receive(&socket), b"hello");
    socket.close().unwrap();
    serving.join().unwrap();
    // The server's stack waits until its FIN is acknowledged; the client's must be there for that.
    server.close();
    client.close();
    vec![source(dir, "10.7.0.1"), source(dir, "10.7.0.2")]
}

/// The states that the lane of `role` goes through.
fn states(story: &Story, role: Role) -> Vec<State> {
    let of_role = story.moments.iter().filter(|moment| story.lanes[moment.lane].role == role);
    let to = of_role.filter_map(|moment| match moment.what {
        What::State { to, .. } => Some(to),
        _ => None,
    });
    to.collect()
}

#[test]
fn a_real_connection_is_told_from_its_first_syn_to_time_wait() {
    let dir = tempfile::tempdir().unwrap();
    let sources = record(dir.path());
    let run = recording::run(&sources, false);
    let conversations = find_conversations(&run.events);
    assert_eq!(conversations.len(), 1);
    assert!(conversations[0].j.is_some() && conversations[0].k.is_some());
    let story = tell(&run, &conversations, 1);
    let lost: Vec<_> = story.arrows.iter().filter(|arrow| arrow.fate != Fate::Arrived).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    let client = states(&story, Role::Client);
    assert_eq!(client[..2], [State::SynSent, State::Established]);
    assert_eq!(client.last(), Some(&State::TimeWait));
    assert_eq!(
        states(&story, Role::Server),
        [
            State::Listen,
            State::SynReceived,
            State::Established,
            State::CloseWait,
            State::LastAck,
            State::Closed
        ]
    );
    let calls = story.moments.iter().filter_map(|moment| match &moment.what {
        What::Call(call) => Some(call.name.as_str()),
        _ => None,
    });
    let calls: Vec<&str> = calls.collect();
    for name in ["socket", "bind", "listen", "accept", "connect", "send", "recv", "close"] {
        assert!(calls.contains(&name), "{name} is missing in {calls:?}");
    }
    let waits = |moment: &tcpstack_lab::story::Moment| {
        matches!(moment.what, What::TimerArmed { timer: TimerName::TimeWait, .. })
    };
    assert!(story.moments.iter().any(waits));
    let summary = &summarise(&story)[0];
    assert_eq!(summary.close, Close::Fin(0));
    assert_eq!(summary.flows.map(|flow| flow.bytes), [5, 5]);
}
