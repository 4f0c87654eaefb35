//! Many connections between two hosts in memory: each carries bytes both ways, all live with keepalive,
//! and none costs what it does not need.
//!
//! A million of them live in `scripts/bench memory-million`.

use std::net::SocketAddr;
use std::time::Duration;

use tcpstack::host::{Config, Domain, Error, Host, SocketId, SocketOption};
use tcpstack::tcp::State;
use tcpstack::time::Instant;

/// One client has so many ports at most towards each port of the server.
const LISTENERS: usize = 32;

/// `tcp_keepalive_time`, and a quarter of an hour for the probes to have been answered.
const KEEPALIVE_TIME: Duration = Duration::from_secs(7200 + 900);

struct Crowd {
    client: Host,
    server: Host,
    now: Instant,
    /// Packets carried so far.
    packets: u64,
}

fn server(port: usize) -> SocketAddr {
    SocketAddr::new([10, 7, 0, 2].into(), 80 + port as u16)
}

fn host(last: u8) -> Host {
    let mut config = Config::new([[10, 7, 0, last].into()], last.into());
    config.knobs.set("ip_local_port_range", "1024 65535").unwrap();
    Host::new(config, None)
}

impl Crowd {
    fn new() -> Crowd {
        let now = Instant::from_micros(1_000_000);
        Crowd { client: host(1), server: host(2), now, packets: 0 }
    }

    /// Carries packets until there are none.
    fn exchange(&mut self) {
        loop {
            let before = self.packets;
            let Crowd { client, server, now, packets } = self;
            while let Some(packet) = client.poll_transmit(*now) {
                server.handle_frame(*now, packet.into_frame());
                *packets += 1;
            }
            while let Some(packet) = server.poll_transmit(*now) {
                client.handle_frame(*now, packet.into_frame());
                *packets += 1;
            }
            while client.poll_wake().is_some() || server.poll_wake().is_some() {}
            if self.packets == before {
                return;
            }
        }
    }

    /// Opens so many connections; both ends of each.
    fn open(&mut self, count: usize) -> Vec<(SocketId, SocketId)> {
        let listeners: Vec<SocketId> = (0..LISTENERS)
            .map(|port| {
                let listener = self.server.socket(Domain::V4);
                self.server.bind(listener, server(port)).unwrap();
                self.server.set_option(self.now, listener, SocketOption::KeepAlive(true)).unwrap();
                self.server.listen(self.now, listener, 16).unwrap();
                listener
            })
            .collect();
        let open_one = |number: usize| {
            let port = number % LISTENERS;
            let socket = self.client.socket(Domain::V4);
            self.client.set_option(self.now, socket, SocketOption::KeepAlive(true)).unwrap();
            let begun = self.client.connect(self.now, socket, server(port));
            assert_eq!(begun, Err(Error::InProgress));
            self.exchange();
            self.now += Duration::from_micros(50);
            (socket, self.server.accept(self.now, listeners[port]).unwrap().0)
        };
        (0..count).map(open_one).collect()
    }

    /// Each end of each connection tells the other its number.
    fn speak(&mut self, ends: &[(SocketId, SocketId)]) {
        for (number, (socket, child)) in ends.iter().enumerate() {
            let words = [number.to_be_bytes(), (!number).to_be_bytes()];
            self.client.send(self.now, *socket, &words[0]).unwrap();
            self.server.send(self.now, *child, &words[1]).unwrap();
            self.exchange();
            assert_eq!(self.server.recv(self.now, *child, 100, false).unwrap().concat(), words[0]);
            assert_eq!(self.client.recv(self.now, *socket, 100, false).unwrap().concat(), words[1]);
        }
    }

    /// Lets time pass, timers firing when they are due.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.exchange();
        loop {
            let deadlines = [self.client.next_deadline(), self.server.next_deadline()];
            let next = deadlines.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next;
            self.client.handle_timers(next);
            self.server.handle_timers(next);
            self.exchange();
        }
        self.now = end;
    }

    /// All are still there, and both hosts' tables agree with them.
    fn check(&self, ends: &[(SocketId, SocketId)]) {
        self.client.check();
        self.server.check();
        for (socket, child) in ends {
            assert_eq!(self.client.state(*socket), Ok(State::Established));
            assert_eq!(self.server.state(*child), Ok(State::Established));
        }
    }
}

/// A crowd's life, from the first word to the keepalives.
fn live(count: usize) {
    let mut crowd = Crowd::new();
    let ends = crowd.open(count);
    crowd.speak(&ends);
    crowd.pass(Duration::from_secs(10));
    let before = crowd.packets;
    crowd.pass(KEEPALIVE_TIME);
    // Each is asked once, by one end or by both, and answers.
    let asked = (crowd.packets - before) as usize;
    assert!((2 * count..=4 * count).contains(&asked), "{asked} packets of keepalive");
    crowd.speak(&ends);
    crowd.check(&ends);
}

#[test]
fn ten_thousand_connections_speak_and_keep_alive() {
    live(10_000);
}
