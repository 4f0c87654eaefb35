//! The stage of the scripts: a client and a server, 10 ms apart, every packet and event kept.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tcpstack::event::{Kind, Snapshot};
use tcpstack::host::{Config, Domain, Error};
use tcpstack::sim::{Action, Captured, HostId, LinkId, Packet, Socket, Vantage, World};
use tcpstack::tcp::State;
use tcpstack::wire::packet::{Frame, Transmit};
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::{ip, tcp};

use super::told;

pub(crate) const CLIENT: &str = "10.0.0.1";
pub(crate) const SERVER: &str = "10.0.0.2";

/// How long a packet is under way.
pub(crate) const DELAY_MS: u64 = 10;

/// A client and a server that listens on port 80, on one link. Calls go to the world.
pub(crate) struct Net {
    world: World,
    pub(crate) client_host: HostId,
    pub(crate) server_host: HostId,
    pub(crate) link: LinkId,
    pub(crate) listener: Socket,
    marked: usize,
}

impl Deref for Net {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Net {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

/// What a failed script leaves to look at; what every other one has to have told.
impl Drop for Net {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.world.seed();
            let thread = std::thread::current();
            let test = thread.name().unwrap_or_default();
            eprintln!("seed {seed}; alone: TCPSTACK_SEED={seed} cargo test --test sim {test}");
            for seen in self.world.captured(self.link) {
                let time_ms = seen.at.as_micros() as f64 / 1000.0;
                eprintln!("{time_ms:>12.3} {:?} {}", seen.vantage, seen.packet);
            }
            return;
        }
        told::check(self);
    }
}

/// The seed of all scripts: `$TCPSTACK_SEED`, or 1.
pub(crate) fn seed() -> u64 {
    std::env::var("TCPSTACK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Everything at its default.
pub(crate) fn net() -> Net {
    net_with(|_| {})
}

/// Both hosts with these knobs.
pub(crate) fn net_with_knobs(knobs: &[(&str, &str)]) -> Net {
    net_with(|config| {
        for (name, value) in knobs {
            config.knobs.set(name, value).expect("it is a knob");
        }
    })
}

/// Both hosts made from what `configure` makes of the defaults.
pub(crate) fn net_with(configure: impl Fn(&mut Config)) -> Net {
    let mut world = World::new(seed());
    let mut add = |name: &str, address: &str| {
        let mut config = Config::new([address.parse().unwrap()], 0);
        config.name = name.to_owned();
        configure(&mut config);
        world.add_host_with(config)
    };
    let (client_host, server_host) = (add("client", CLIENT), add("server", SERVER));
    let link = world.link(client_host, server_host, Duration::from_millis(DELAY_MS));
    world.start_capture(link);
    world.start_recording();
    let listener = world.listen(server_host, at(SERVER, 80), 16).expect("the port is free");
    Net { world, client_host, server_host, link, listener, marked: 0 }
}

pub(crate) fn at(host: &str, port: u16) -> SocketAddr {
    SocketAddr::new(host.parse().unwrap(), port)
}

impl Net {
    /// A client's socket, its SYN to the listener sent.
    pub(crate) fn connect_client(&mut self) -> Socket {
        self.connect_to(80).expect("a port is free")
    }

    /// A client's socket, its SYN to that port of the server sent.
    pub(crate) fn connect_to(&mut self, port: u16) -> Result<Socket, Error> {
        self.world.connect(self.client_host, at(SERVER, port))
    }

    /// The server takes a connection.
    pub(crate) fn accept_one(&mut self) -> Result<Socket, Error> {
        self.world.accept(self.listener)
    }

    /// A socket of `host`, bound.
    pub(crate) fn bound(&mut self, host: HostId, local: SocketAddr) -> Socket {
        let socket = self.world.socket(host, Domain::V4);
        self.world.with_host(host, |host, _| host.bind(socket.id, local)).expect("it is free");
        socket
    }

    /// An open connection: the client's end and the server's.
    pub(crate) fn open(&mut self) -> (Socket, Socket) {
        let client = self.connect_client();
        self.run_ms(3 * DELAY_MS);
        let server = self.accept_one().expect("the handshake is over");
        assert_eq!(self.states(client, server), [State::Established; 2]);
        self.mark();
        (client, server)
    }

    pub(crate) fn states(&self, client: Socket, server: Socket) -> [State; 2] {
        [self.state(client), self.state(server)]
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        self.run_for(Duration::from_millis(ms));
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now().as_micros() / 1000
    }

    /// What is seen from here on is what [`Net::flow`] shows.
    pub(crate) fn mark(&mut self) {
        self.marked = self.captured(self.link).len();
    }

    /// The packets seen since the mark.
    pub(crate) fn seen(&self) -> &[Captured] {
        &self.captured(self.link)[self.marked..]
    }

    /// The packets that `from` has sent since the mark, with those that were then lost.
    pub(crate) fn sent(&self, from: HostId) -> impl Iterator<Item = &Captured> {
        self.seen()
            .iter()
            .filter(move |seen| seen.from == from && seen.vantage == Vantage::Departure)
    }

    /// When, in milliseconds, `from` has sent a packet like that since the mark.
    pub(crate) fn times_ms(&self, from: HostId, matches: impl Fn(&Packet) -> bool) -> Vec<u64> {
        self.sent(from)
            .filter(|seen| matches(&seen.packet))
            .map(|seen| seen.at.as_micros() / 1000)
            .collect()
    }

    /// Every departure since the mark, as `client PSH|ACK 5` or `server SYN|ACK lost`.
    pub(crate) fn flow(&self) -> Vec<String> {
        let mut flow: Vec<String> = Vec::new();
        for Captured { from, vantage, packet, .. } in self.seen() {
            match vantage {
                Vantage::Departure => {
                    let from = if *from == self.client_host { "client" } else { "server" };
                    let text = match packet.payload.len() {
                        0 => String::new(),
                        len => format!(" {len}"),
                    };
                    flow.push(format!("{from} {}{text}", packet.flags()));
                }
                Vantage::Dropped => flow.last_mut().expect("it departed").push_str(" lost"),
                Vantage::Arrival => {}
            }
        }
        flow
    }

    pub(crate) fn rule_for_client(&mut self, rule: impl FnMut(&Packet) -> Action + Send + 'static) {
        let (link, from) = (self.link, self.client_host);
        self.add_rule(link, from, rule);
    }

    pub(crate) fn rule_for_server(&mut self, rule: impl FnMut(&Packet) -> Action + Send + 'static) {
        let (link, from) = (self.link, self.server_host);
        self.add_rule(link, from, rule);
    }

    /// Nothing gets through any more.
    pub(crate) fn cut(&mut self) {
        self.rule_for_client(tcpstack::sim::drop_all(|_| true));
        self.rule_for_server(tcpstack::sim::drop_all(|_| true));
    }

    pub(crate) fn mend(&mut self) {
        let link = self.link;
        self.clear_rules(link);
    }

    /// The variables of a host's connection after its last event.
    pub(crate) fn snapshot(&self, host: HostId) -> &Snapshot {
        let name = if host == self.client_host { "client" } else { "server" };
        let mut events = self.events().iter().rev().filter(|event| &*event.host == name);
        events.find_map(|event| event.after.as_deref()).expect("it had a connection")
    }

    /// The state of the one connection of a host, be it an orphan's, and None when it is forgotten.
    pub(crate) fn orphan_state(&self, host: HostId) -> Option<State> {
        let connections = self.host(host).connections();
        connections.iter().map(|row| row.state).find(|state| *state != State::Listen)
    }

    /// Counts a host's events.
    pub(crate) fn count(&self, host: HostId, matches: impl Fn(&Kind) -> bool) -> usize {
        let name = if host == self.client_host { "client" } else { "server" };
        self.events().iter().filter(|event| &*event.host == name && matches(&event.kind)).count()
    }

    /// Sends all of `data`, reading nothing; time passes as needed.
    pub(crate) fn send_all(&mut self, socket: Socket, mut data: &[u8]) {
        let done = self.drive(Duration::from_secs(600), |world| {
            match world.send(socket, data) {
                Ok(taken) => data = &data[taken..],
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("send: {error}"),
            }
            data.is_empty()
        });
        assert!(done, "{} bytes are not taken", data.len());
    }

    /// Reads until `len` bytes are there; time passes as needed.
    pub(crate) fn recv_all(&mut self, socket: Socket, len: usize) -> Vec<u8> {
        let mut read = Vec::new();
        self.drive(Duration::from_secs(600), |world| {
            match world.recv(socket, len - read.len()) {
                Ok(bytes) => read.extend(bytes),
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("recv: {error}"),
            }
            read.len() == len
        });
        read
    }

    /// What `socket` reads as one pattern, all of it.
    #[track_caller]
    pub(crate) fn expect_text(&mut self, socket: Socket, text: &[u8]) {
        let read = self.recv_all(socket, text.len());
        assert!(read == text, "{} bytes of {} were read", read.len(), text.len());
    }

    /// The last packet that `from` sent.
    pub(crate) fn last_sent(&self, from: HostId) -> Packet {
        let mut seen = self.captured(self.link).iter().rev();
        let last = seen.find(|seen| seen.from == from && seen.vantage == Vantage::Departure);
        last.expect("it has sent something").packet.clone()
    }

    pub(crate) fn forge_to_client(
        &mut self,
        like: &Packet,
        change: impl FnOnce(&mut Header),
        text: &[u8],
    ) {
        self.forge(self.client_host, like, change, text);
    }

    pub(crate) fn forge_to_server(
        &mut self,
        like: &Packet,
        change: impl FnOnce(&mut Header),
        text: &[u8],
    ) {
        self.forge(self.server_host, like, change, text);
    }

    /// Gives `to` a segment that its peer has not sent, as if it came from the ends of `like`.
    pub(crate) fn forge(
        &mut self,
        to: HostId,
        like: &Packet,
        change: impl FnOnce(&mut Header),
        text: &[u8],
    ) {
        let mut header = Header { options: Default::default(), ..like.tcp.expect("it is TCP") };
        change(&mut header);
        let frame = frame(like.ip, &header, text);
        self.inject(to, frame);
    }
}

/// A segment as it comes in.
pub(crate) fn frame(ip: ip::Header, header: &tcp::Header, text: &[u8]) -> Frame {
    let payload = [bytes::Bytes::copy_from_slice(text)].into_iter().collect();
    Transmit::tcp(ip, header, payload, 0, None).into_frame()
}

/// Text without a pattern that a shifted copy would fit.
pub(crate) fn text(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

pub(crate) fn is_reset(packet: &Packet) -> bool {
    packet.has(Flags::RST)
}
