//! Whether two flows of the same kind share a bottleneck: how much each gets once both have settled.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::host::{Config, Error};
use tcpstack::sim::{Conditions, Socket, World};
use tcpstack::tcp::State;

use super::{Contender, MTU};
use crate::CALL;

/// The bottleneck, in bits per second.
pub const RATE_BIT_PER_S: u64 = 10_000_000;

/// The round trip without queueing.
pub const RTT: Duration = Duration::from_millis(40);

/// The second flow begins so much later ...
const LEAD: Duration = Duration::from_secs(2);

/// ... and as many times this as the seed says, since nothing else here is random.
const STAGGER: Duration = Duration::from_millis(37);

/// Then both have so much time to settle before they are measured.
const SETTLING: Duration = Duration::from_secs(60);

/// For how long they are measured: the shares of CUBIC swing over tens of seconds.
const MEASURED: Duration = Duration::from_secs(160);

struct Flow {
    client: Socket,
    server: Socket,
    received: u64,
}

struct Net {
    world: World,
    flows: Vec<Flow>,
}

impl Net {
    /// All flows send and read as much as goes for so long; what each got through, in bits per second.
    fn run(&mut self, time: Duration) -> Vec<f64> {
        let Net { world, flows } = self;
        let before: Vec<u64> = flows.iter().map(|flow| flow.received).collect();
        world.drive(time, |world| {
            flows.iter_mut().for_each(|flow| flow.act(world));
            false
        });
        let got = flows.iter().zip(before).map(|(flow, before)| flow.received - before);
        got.map(|bytes| bytes as f64 * 8.0 / time.as_secs_f64()).collect()
    }
}

impl Flow {
    fn act(&mut self, world: &mut World) {
        static CHUNK: [u8; CALL] = [7; CALL];
        while world.send(self.client, &CHUNK).is_ok() {}
        loop {
            match world.recv(self.server, CALL) {
                Ok(bytes) => self.received += bytes.len() as u64,
                Err(Error::WouldBlock) => return,
                Err(error) => panic!("recv: {error}"),
            }
        }
    }
}

/// Two flows under `contender`, the second about two seconds later, over a bottleneck whose queue holds
/// `products` times what the path holds: what each gets in 160 seconds, a minute on, in bits per
/// second.
///
/// # Panics
/// When a handshake does not succeed, or for smoltcp, which is not measured here.
#[must_use]
pub fn two_flows_bit_per_s(contender: Contender, products: usize, seed: u64) -> [f64; 2] {
    assert_ne!(contender, Contender::Smoltcp, "two of its sockets would share one interface");
    let mut world = World::new(seed);
    let mut add = |address: &str| {
        let mut config = Config::new([address.parse().expect("an address")], 0);
        config.mtu = MTU;
        let knob = config.knobs.set("tcp_congestion_control", &contender.to_string());
        knob.unwrap_or_else(|error| panic!("{error}"));
        world.add_host_with(config)
    };
    let (client, server) = (add("10.0.0.1"), add("10.0.0.2"));
    let product = RATE_BIT_PER_S as f64 / 8.0 * RTT.as_secs_f64() / MTU as f64;
    let back = Impairment { delay: RTT / 2, ..Impairment::NONE };
    let limit = product as usize * products;
    let forth = Impairment { rate: Some(RATE_BIT_PER_S), limit, ..back };
    world.link(client, server, Conditions { forth, back });
    let remote = "10.0.0.2:80".parse().expect("an address");
    let listener = world.listen(server, remote, 2).expect("a free port");
    let mut net = Net { world, flows: Vec::new() };
    let lead = LEAD + STAGGER * u32::try_from(seed).unwrap_or(0);
    for time in [lead, SETTLING] {
        let socket = net.world.connect(client, remote).expect("a free port");
        let mut accepted = None;
        let Net { world, flows } = &mut net;
        world.drive(LEAD, |world| {
            flows.iter_mut().for_each(|flow| flow.act(world));
            accepted = world.accept(listener).ok();
            accepted.is_some() && world.state(socket) == State::Established
        });
        let server = accepted.expect("the handshake succeeds");
        flows.push(Flow { client: socket, server, received: 0 });
        net.run(time);
    }
    let shares = net.run(MEASURED);
    [shares[0], shares[1]]
}
