//! Many short lives under random conditions: whatever the network, the buffers, the segment sizes and
//! the habits of the applications are, every byte arrives once and in order and both ends close; and
//! whatever a forger sends, nothing panics and every invariant holds.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tcpstack::device::Impairment;
use tcpstack::host::{Config, Error, Shutdown, SocketOption};
use tcpstack::sim::{Conditions, HostId, LinkId, Socket, World};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;

use super::script::{at, frame, text};
use super::seeds::for_each_seed;

const LIVES: u64 = 200;
const FORGERIES: u64 = 4000;

/// All choices of one life.
struct Chance(ChaCha8Rng);

impl Chance {
    fn new(seed: u64) -> Chance {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn percent(&mut self, probability: u64) -> bool {
        self.below(100) < probability
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn impairment(&mut self) -> Impairment {
        let rate = self.percent(30).then(|| self.below(20_000_000) + 200_000);
        let mut share =
            |most: u64| if self.percent(50) { self.below(most) as f64 / 100.0 } else { 0.0 };
        Impairment {
            loss: share(20),
            reorder: share(30),
            duplicate: share(20),
            corrupt: share(10),
            delay: Duration::from_micros(self.below(100_000)),
            jitter: Duration::from_micros(self.below(20_000)),
            rate,
            limit: 10 + self.below(100) as usize,
            ecn: None,
        }
    }

    fn config(&mut self, address: &str) -> Config {
        let mut config = Config::new([address.parse().unwrap()], 0);
        config.mtu = self.one_of(&[576, 1280, 1500, 9000]);
        config.gso_max = self.one_of(&[0, 0, 20_000, 65_000]);
        let size = self.one_of(&[2304, 5000, 20_000, 100_000, 1_000_000]);
        let knobs = [
            ("tcp_rmem", format!("1024 {size} 6291456")),
            ("tcp_wmem", format!("1024 {} 6291456", self.one_of(&[1024, 10_000, 500_000]))),
            ("tcp_window_scaling", self.below(2).to_string()),
            ("tcp_delack_ms", self.one_of(&[0, 40, 200]).to_string()),
            ("tcp_quickack_start", self.one_of(&[0, 16]).to_string()),
            ("tcp_syn_retries", "20".to_owned()),
            ("tcp_synack_retries", "20".to_owned()),
            ("tcp_retries2", "50".to_owned()),
            ("tcp_orphan_retries", "50".to_owned()),
        ];
        for (name, value) in knobs {
            config.knobs.set(name, &value).unwrap_or_else(|error| panic!("{error}"));
        }
        config
    }
}

/// One end and its habits.
struct End {
    socket: Socket,
    sends: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    is_shut: bool,
    at_end: bool,
    read_max: usize,
    write_max: usize,
    /// Percent of the times that it does anything when it could.
    diligence: u64,
}

impl End {
    fn new(chance: &mut Chance, world: &mut World, socket: Socket) -> End {
        let no_delay = SocketOption::NoDelay(chance.percent(50));
        let set = |host: &mut tcpstack::host::Host, now| host.set_option(now, socket.id, no_delay);
        world.with_host(socket.host, set).unwrap();
        End {
            socket,
            sends: text(chance.one_of(&[0, 1, 1000, 30_000, 200_000])),
            sent: 0,
            received: Vec::new(),
            is_shut: false,
            at_end: false,
            read_max: chance.one_of(&[1, 100, 3000, usize::MAX]),
            write_max: chance.one_of(&[1, 100, 3000, usize::MAX]),
            diligence: chance.one_of(&[5, 50, 100]),
        }
    }

    fn act(&mut self, chance: &mut Chance, world: &mut World) {
        if !chance.percent(self.diligence) {
            return;
        }
        if self.sent < self.sends.len() {
            let end = self.sends.len().min(self.sent.saturating_add(self.write_max));
            match world.send(self.socket, &self.sends[self.sent..end]) {
                Ok(taken) => self.sent += taken,
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("send: {error}"),
            }
        } else if !self.is_shut {
            world.shutdown(self.socket, Shutdown::Write).unwrap();
            self.is_shut = true;
        }
        if !self.at_end {
            match world.recv(self.socket, self.read_max) {
                Ok(bytes) if bytes.is_empty() => self.at_end = true,
                Ok(bytes) => self.received.extend(bytes),
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("recv: {error}"),
            }
        }
    }

    fn is_done(&self) -> bool {
        self.is_shut && self.at_end
    }
}

/// Two hosts, joined, with a connection between them on its way.
fn arrange(chance: &mut Chance, seed: u64) -> (World, LinkId, Socket, Socket) {
    let mut world = World::new(seed);
    let addresses = chance.one_of(&[["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]]);
    let left = world.add_host_with(chance.config(addresses[0]));
    let right = world.add_host_with(chance.config(addresses[1]));
    let (forth, back) = (chance.impairment(), chance.impairment());
    let link = world.link(left, right, Conditions { forth, back });
    let listener = world.listen(right, at(addresses[1], 80), 16).unwrap();
    let client = world.connect(left, at(addresses[1], 80)).unwrap();
    (world, link, listener, client)
}

#[test]
fn every_byte_arrives_whatever_the_conditions() {
    for_each_seed(LIVES, |seed| {
        let mut chance = Chance::new(seed);
        let (mut world, _, listener, client) = arrange(&mut chance, seed);
        let mut server = None;
        world.drive(Duration::from_secs(3600), |world| {
            server = world.accept(listener).ok();
            server.is_some()
        });
        let server = server.expect("the handshake succeeds");
        let mut ends =
            [End::new(&mut chance, &mut world, client), End::new(&mut chance, &mut world, server)];
        let mut done = false;
        // An application also acts when nothing happens: every 10 ms at least.
        while !done && world.now().as_micros() < 48 * 3_600_000_000 {
            done = world.drive(Duration::from_millis(10), |world| {
                ends.iter_mut().for_each(|end| end.act(&mut chance, world));
                ends.iter().all(End::is_done)
            });
        }
        assert!(done, "{:?}", ends.map(|end| (end.sent, end.received.len(), end.at_end)));
        assert!(ends[0].received == ends[1].sends, "the server's bytes");
        assert!(ends[1].received == ends[0].sends, "the client's bytes");
        world.run_for(Duration::from_secs(24 * 3600));
        assert_eq!([client, server].map(|socket| world.state(socket)), [State::Closed; 2]);
    });
}

/// A segment of the connection with anything in it, its numbers mostly near the true ones.
fn forge(chance: &mut Chance, world: &mut World, to: HostId, like: &tcpstack::sim::Packet) {
    let near = |chance: &mut Chance, number: u32| match chance.below(4) {
        0 => number,
        1 => number.wrapping_add(chance.below(5) as u32).wrapping_sub(2),
        2 => number.wrapping_add(chance.below(200_000) as u32).wrapping_sub(100_000),
        _ => chance.below(1 << 32) as u32,
    };
    let tcp = like.tcp.unwrap();
    let flags = match chance.below(3) {
        0 => Flags::ACK,
        1 => chance.one_of(&[
            Flags::ACK | Flags::PSH,
            Flags::ACK | Flags::FIN,
            Flags::SYN,
            Flags::SYN | Flags::ACK,
            Flags::RST,
            Flags::RST | Flags::ACK,
        ]),
        _ => Flags(chance.below(512) as u16),
    };
    // Most resets would end the life before anything else is tried.
    let flags = if chance.percent(80) { flags.without(Flags::RST) } else { flags };
    let options = Options {
        mss: chance.percent(30).then(|| chance.below(65_536) as u16),
        window_scale: chance.percent(30).then(|| chance.below(256) as u8),
        ..Options::default()
    };
    let header = Header {
        seq: near(chance, tcp.seq),
        ack: near(chance, tcp.ack),
        window: chance.below(65_536) as u16,
        flags,
        options,
        ..tcp
    };
    let len = chance.one_of(&[0, 0, 1, 100, 1460, 9000]);
    let mut frame = frame(like.ip, &header, &text(len));
    frame.gso_size = chance.one_of(&[0, 0, 0, 500, 1460]);
    world.inject(to, frame);
}

#[test]
fn no_forged_segment_breaks_an_invariant() {
    for_each_seed(FORGERIES, |seed| {
        let mut chance = Chance::new(seed);
        let (mut world, link, listener, client) = arrange(&mut chance, seed);
        let hosts = [client.host, listener.host];
        world.start_capture(link);
        let mut sockets = vec![client];
        for _ in 0..300 {
            world.run_for(Duration::from_micros(chance.below(30_000)));
            sockets.extend(world.accept(listener));
            if chance.percent(50) {
                let from = chance.one_of(&hosts);
                let captured = world
                    .captured(link)
                    .iter()
                    .rev()
                    .find(|seen| seen.from == from && seen.packet.tcp.is_some());
                if let Some(like) = captured.map(|seen| seen.packet.clone()) {
                    let to = hosts[usize::from(from == hosts[0])];
                    forge(&mut chance, &mut world, to, &like);
                }
            }
            let socket = chance.one_of(&sockets);
            match chance.below(40) {
                0..15 => drop(world.send(socket, &text(5000))),
                15..38 => drop(world.recv(socket, 5000)),
                38 => drop(world.shutdown(socket, Shutdown::Write)),
                _ => drop(world.close(socket)),
            }
        }
        for socket in sockets.into_iter().chain([listener]) {
            let _ = world.close(socket);
        }
        // Nor do two ends that disagree keep each other busy.
        let seen = world.captured(link).len();
        let is_storm = |world: &World| world.captured(link).len() > seen + 10_000;
        assert!(!world.run_until(Duration::from_secs(48 * 3600), is_storm), "a storm of packets");
        for host in hosts {
            let left = world.host(host).connections();
            assert!(left.is_empty(), "{left:?}");
        }
    });
}
