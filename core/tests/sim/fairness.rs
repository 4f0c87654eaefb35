//! What several flows, or one, make of a bottleneck: shares, use and queue, with every congestion
//! control (RFC 9438 §1, RFC 9406, RFC 3168 §5, draft-ietf-ccwg-bbr §3.2).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::event::Kind;
use tcpstack::host::{Config, Error};
use tcpstack::sim::{Conditions, HostId, Socket, World};

/// What the bottleneck carries, in bytes per second.
const RATE: u64 = 1_250_000;

/// A round trip without a queue.
const RTT: Duration = Duration::from_millis(40);

/// RATE * RTT in packets of 1500 bytes.
const BDP_PACKETS: usize = 33;

/// Bytes of IP, TCP and timestamps in each packet of 1500.
const TEXT_PERCENT: u64 = 96;

/// A client whose flows to the server all pass one bottleneck.
struct Net {
    world: World,
    client: HostId,
    listener: Socket,
    flows: Vec<Flow>,
}

struct Flow {
    client: Socket,
    server: Socket,
    received: u64,
}

impl Net {
    fn new(queue: usize, ecn: Option<usize>, knobs: &[(&str, &str)]) -> Net {
        let mut world = World::new(super::script::seed());
        let mut add = |address: &str| {
            let mut config = Config::new([address.parse().unwrap()], 0);
            for (name, value) in knobs {
                config.knobs.set(name, value).expect("it is a knob");
            }
            world.add_host_with(config)
        };
        let (client, server) = (add("10.0.0.1"), add("10.0.0.2"));
        let back = Impairment { delay: RTT / 2, ..Impairment::NONE };
        let forth = Impairment { rate: Some(8 * RATE), limit: queue, ecn, ..back };
        world.link(client, server, Conditions { forth, back });
        let listener = world.listen(server, at("10.0.0.2"), 16).expect("the port is free");
        Net { world, client, listener, flows: Vec::new() }
    }

    /// Another flow, that begins to send now.
    fn add_flow(&mut self) {
        let client = self.world.connect(self.client, at("10.0.0.2")).expect("a port is free");
        let (flows, listener) = (&mut self.flows, self.listener);
        let server = loop {
            act(&mut self.world, flows);
            match self.world.accept(listener) {
                Ok(server) => break server,
                Err(_) => assert!(self.world.step(), "the handshake comes to an end"),
            }
        };
        self.flows.push(Flow { client, server, received: 0 });
    }

    /// All flows send as much as they may, for so long; what each gets through in that time, in
    /// percent of what the bottleneck carries of text.
    fn run(&mut self, seconds: u64) -> Vec<u64> {
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.received).collect();
        let flows = &mut self.flows;
        self.world.drive(Duration::from_secs(seconds), |world| {
            act(world, flows);
            false
        });
        let whole = seconds * RATE * TEXT_PERCENT / 100;
        let share = |(flow, before): (&Flow, u64)| (flow.received - before) * 100 / whole;
        self.flows.iter().zip(before).map(share).collect()
    }

    /// The phases that any of the flows was in.
    fn phases(&self) -> BTreeSet<String> {
        let phase = |kind: &Kind| match kind {
            Kind::CongestionChanged { phase } => Some(phase.clone()),
            _ => None,
        };
        self.world.events().iter().filter_map(|event| phase(&event.kind)).collect()
    }
}

fn at(host: &str) -> SocketAddr {
    SocketAddr::new(host.parse().unwrap(), 80)
}

/// Every flow sends and reads as much as goes.
fn act(world: &mut World, flows: &mut [Flow]) {
    static CHUNK: [u8; 65_536] = [7; 65_536];
    for flow in flows {
        while world.send(flow.client, &CHUNK).is_ok() {}
        let Socket { host, id } = flow.server;
        loop {
            match world.with_host(host, |host, now| host.recv(now, id, usize::MAX, false)) {
                Ok(slices) => flow.received += slices.iter().map(|s| s.len() as u64).sum::<u64>(),
                Err(Error::WouldBlock) => break,
                Err(error) => panic!("recv: {error}"),
            }
        }
    }
}

/// Two flows, the second two seconds later; the share of each once they have settled.
fn two_flows(knobs: &[(&str, &str)], queue: usize, ecn: Option<usize>) -> Vec<u64> {
    let mut net = Net::new(queue, ecn, knobs);
    net.add_flow();
    net.run(2);
    net.add_flow();
    net.run(25);
    net.run(40)
}

fn assert_fair(shares: &[u64]) {
    let sum: u64 = shares.iter().sum();
    assert!(sum >= 90, "the bottleneck is used: {shares:?}");
    // Within 20 % of each other.
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(least * 100 >= most * 80, "{shares:?}");
}

#[test]
fn two_flows_of_cubic_settle_at_equal_shares() {
    assert_fair(&two_flows(&[("tcp_congestion_control", "cubic")], 2 * BDP_PACKETS, None));
}

#[test]
fn two_flows_of_reno_settle_at_equal_shares() {
    assert_fair(&two_flows(&[("tcp_congestion_control", "reno")], 2 * BDP_PACKETS, None));
}

#[test]
fn two_flows_of_bbr_settle_at_equal_shares() {
    assert_fair(&two_flows(&[("tcp_congestion_control", "bbr")], 4 * BDP_PACKETS, None));
}

#[test]
fn two_flows_whose_segments_are_marked_settle_at_equal_shares_without_a_loss() {
    // RFC 3168 §5, §6.1.2
    let knobs = [("tcp_congestion_control", "cubic"), ("tcp_ecn", "1")];
    assert_fair(&two_flows(&knobs, 1000, Some(BDP_PACKETS)));
}

/// One flow for ten seconds: its share in the last eight, the longest round trip in those, in
/// milliseconds, and its phases.
fn one_flow(control: &str, queue: usize) -> (u64, u64, BTreeSet<String>) {
    let mut net = Net::new(queue, None, &[("tcp_congestion_control", control)]);
    net.world.start_recording();
    net.add_flow();
    net.run(2);
    let settled = net.world.events().len();
    let share = net.run(8)[0];
    let rtt = |kind: &Kind| match kind {
        Kind::RttMeasured { rtt_ns } => Some(rtt_ns / 1_000_000),
        _ => None,
    };
    let longest = net.world.events()[settled..].iter().filter_map(|event| rtt(&event.kind)).max();
    (share, longest.expect("round trips were measured"), net.phases())
}

#[test]
fn bbr_fills_the_bottleneck_and_leaves_its_queue_almost_empty() {
    let (share, longest_ms, phases) = one_flow("bbr", 1000);
    assert!(share >= 93, "{share} %");
    // Between the probes nothing waits; in them cwnd holds it below 2.25 round trips.
    assert!(longest_ms <= 90, "{longest_ms} ms");
    for phase in ["drain", "probe_bw_cruise", "probe_bw_refill", "probe_bw_up"] {
        assert!(phases.contains(phase), "{phase} is not in {phases:?}");
    }
}

#[test]
fn cubic_and_reno_fill_the_bottleneck_with_a_queue_of_one_round_trip() {
    for control in ["cubic", "reno"] {
        let (share, _, phases) = one_flow(control, BDP_PACKETS);
        assert!(share >= 93, "{control}: {share} %");
        assert!(phases.contains("congestion_avoidance"), "{control}: {phases:?}");
    }
}

#[test]
fn hystart_ends_slow_start_before_a_deep_queue_overflows() {
    // RFC 9406 §4.2
    let losses = |hystart: &str| {
        let mut net = Net::new(400, None, &[("tcp_hystart", hystart)]);
        net.world.start_recording();
        net.add_flow();
        net.run(3);
        let phases = net.phases();
        assert_eq!(phases.contains("conservative_slow_start"), hystart == "1", "{phases:?}");
        phases.contains("recovery")
    };
    assert!(losses("0"));
    assert!(!losses("1"));
}

#[test]
fn an_application_may_ask_for_a_pace() {
    // SO_MAX_PACING_RATE: a tenth of what the bottleneck carries, whatever the window would allow.
    let mut net = Net::new(1000, None, &[]);
    net.add_flow();
    let Socket { host, id } = net.flows[0].client;
    let rate = tcpstack::host::SocketOption::MaxPacingRate(Some(RATE / 10));
    net.world.with_host(host, |host, now| host.set_option(now, id, rate)).unwrap();
    net.run(1);
    let share = net.run(10)[0];
    assert!((9..=11).contains(&share), "{share} %");
}
