//! tcpstack's side: two hosts in its own simulator.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::host::{Config, Error};
use tcpstack::sim::{Action, HostId, LinkId, Socket, World};
use tcpstack::tcp::State;

use super::{BUFFER, Contender, Faults, LIMIT, MTU, SEGMENT, Scenario, quiet_link};
use crate::{CALL, Stream};

struct Stage {
    world: World,
    client: Socket,
    server: Socket,
}

fn add_host(world: &mut World, name: &str, address: &str, contender: Contender) -> HostId {
    let mut config = Config::new([address.parse().expect("an address")], 0);
    config.name = name.to_owned();
    config.mtu = MTU;
    let buffers = format!("4096 {BUFFER} {BUFFER}");
    let knobs = [
        ("tcp_rmem", buffers.as_str()),
        ("tcp_wmem", buffers.as_str()),
        ("tcp_congestion_control", &contender.to_string()),
    ];
    for (name, value) in knobs {
        config.knobs.set(name, value).unwrap_or_else(|error| panic!("{error}"));
    }
    world.add_host_with(config)
}

impl Stage {
    /// Two hosts, joined and connected.
    fn new(contender: Contender, link: Impairment, seed: u64, mut faults: Faults) -> Stage {
        let mut world = World::new(seed);
        let left = add_host(&mut world, "client", "10.0.0.1", contender);
        let right = add_host(&mut world, "server", "10.0.0.2", contender);
        let link: LinkId = world.link(left, right, link);
        world.add_rule(link, left, move |packet| {
            let tcp = packet.tcp.as_ref();
            let is_lost = tcp.is_some_and(|tcp| faults.drops(tcp, packet.payload.len()));
            if is_lost { Action::Drop } else { Action::Pass }
        });
        let remote = "10.0.0.2:80".parse().expect("an address");
        let listener = world.listen(right, remote, 1).expect("a free port");
        let client = world.connect(left, remote).expect("a free port");
        let mut server = None;
        world.drive(LIMIT, |world| {
            server = world.accept(listener).ok();
            server.is_some() && world.state(client) == State::Established
        });
        Stage { world, client, server: server.expect("the handshake succeeds") }
    }
}

/// Reads all there is; how much.
fn read(world: &mut World, socket: Socket, stream: &mut Stream) -> usize {
    let mut total = 0;
    loop {
        match world.recv(socket, CALL) {
            Ok(bytes) if bytes.is_empty() => return total,
            Ok(bytes) => {
                stream.read(&bytes);
                total += bytes.len();
            }
            Err(Error::WouldBlock) => return total,
            Err(error) => panic!("recv: {error}"),
        }
    }
}

fn write(world: &mut World, socket: Socket, stream: &mut Stream, left: usize) -> usize {
    let mut sent = 0;
    while sent < left {
        match world.send(socket, stream.next(left - sent)) {
            Ok(count) => {
                stream.wrote(count);
                sent += count;
            }
            Err(Error::WouldBlock) => break,
            Err(error) => panic!("send: {error}"),
        }
    }
    sent
}

/// How long `amount` bytes take, the handshake included.
pub(super) fn transfer(scenario: &Scenario, contender: Contender, amount: usize) -> Duration {
    let (link, faults) = (scenario.impairment(), scenario.faults());
    let Stage { mut world, client, server } = Stage::new(contender, link, scenario.seed, faults);
    let mut stream = Stream::new();
    let (mut sent, mut received) = (0, 0);
    let is_done = world.drive(LIMIT, |world| {
        sent += write(world, client, &mut stream, amount - sent);
        received += read(world, server, &mut stream);
        received == amount
    });
    assert!(is_done, "{contender} moved {received} of {amount} bytes in {LIMIT:?}");
    Duration::from_nanos(world.now().as_nanos())
}

/// How long `count` messages take, each with its receipt, the handshake not included.
pub(super) fn messages(
    contender: Contender,
    rtt: Duration,
    segments: usize,
    count: u32,
) -> Duration {
    let Stage { mut world, client, server } =
        Stage::new(contender, quiet_link(rtt), 1, Faults::tails());
    let begun = world.now();
    let (mut stream, size) = (Stream::new(), segments * SEGMENT);
    for _ in 0..count {
        let (mut sent, mut received, mut is_received) = (0, 0, false);
        let is_done = world.drive(LIMIT, |world| {
            sent += write(world, client, &mut stream, size - sent);
            received += read(world, server, &mut stream);
            if received == size && !is_received {
                is_received = world.send(server, b"!").is_ok();
            }
            world.recv(client, 1).is_ok()
        });
        assert!(is_done, "{contender}: a message is not through in {LIMIT:?}");
    }
    world.now().saturating_since(begun)
}
