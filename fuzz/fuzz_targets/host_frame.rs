//! Whatever arrives at a host, and whatever its application does meanwhile: nothing panics, and every
//! invariant holds after each step. `cargo +nightly fuzz run host_frame`.
//!
//! Raw bytes alone would hardly ever get past the checksums, so steps come in three kinds: bytes as
//! they are; segments with right checksums and chosen fields, near the numbers that a connection
//! expects; and the calls and the clock of the application.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tcpstack::host::{Config, Domain, Host, Shutdown, SocketId};
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};
use tcpstack::wire::{ip, tcp};

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORT: u16 = 80;

/// One step; numbers are offsets from what the last segment of the host had.
#[derive(Arbitrary, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Segment { flags: u8, seq: i16, ack: i16, window: u16, payload_len: u8, from_port: bool },
    Wait { ms: u16 },
    Connect,
    Accept,
    Send { len: u16 },
    Receive { max: u16 },
    Shutdown,
    Close,
}

struct World {
    host: Host,
    now: Instant,
    listener: SocketId,
    sockets: Vec<SocketId>,
    /// What the host said last: the peer's next numbers are near these.
    last: tcp::Header,
}

impl World {
    fn new() -> World {
        let mut host = Host::new(Config::new([IpAddr::V4(HOST)], 1), None);
        let now = Instant::ZERO;
        let listener = host.socket(Domain::V4);
        host.bind(listener, SocketAddr::from((HOST, PORT))).expect("a free port");
        host.listen(now, listener, 4).expect("a bound socket");
        World { host, now, listener, sockets: Vec::new(), last: tcp::Header::default() }
    }

    fn step(&mut self, step: Step) {
        let (host, now) = (&mut self.host, self.now);
        let socket = self.sockets.last().copied();
        match (step, socket) {
            (Step::Bytes(bytes), _) => host.handle_frame(now, frame(bytes)),
            (Step::Segment { flags, seq, ack, window, payload_len, from_port }, _) => {
                let header = tcp::Header {
                    src_port: if from_port { self.last.dst_port } else { 40_000 },
                    dst_port: if from_port { self.last.src_port } else { PORT },
                    seq: self.last.ack.wrapping_add_signed(seq.into()),
                    ack: self.last.seq.wrapping_add_signed(ack.into()),
                    flags: tcp::Flags(flags.into()),
                    window,
                    ..Default::default()
                };
                host.handle_frame(now, frame(segment(&header, payload_len)));
            }
            (Step::Wait { ms }, _) => {
                self.now += Duration::from_millis(ms.into());
                host.handle_timers(self.now);
            }
            (Step::Connect, _) => {
                let id = host.socket(Domain::V4);
                let _ = host.connect(now, id, SocketAddr::from((PEER, PORT)));
                self.sockets.push(id);
            }
            (Step::Accept, _) => {
                self.sockets.extend(host.accept(now, self.listener).map(|(id, _)| id).ok());
            }
            (Step::Send { len }, Some(id)) => {
                let _ = host.send(now, id, &vec![0; len.into()]);
            }
            (Step::Receive { max }, Some(id)) => {
                let _ = host.recv(now, id, max.into(), false);
            }
            (Step::Shutdown, Some(id)) => {
                let _ = host.shutdown(now, id, Shutdown::Write);
            }
            (Step::Close, Some(id)) => {
                let _ = host.close(now, id);
                self.sockets.pop();
            }
            (_, None) => {}
        }
        while let Some(transmit) = self.host.poll_transmit(self.now) {
            self.note(&transmit);
        }
        while self.host.poll_wake().is_some() {}
        self.host.check();
    }

    fn note(&mut self, transmit: &Transmit) {
        let packet = transmit.to_bytes();
        let Ok(ip) = ip::Header::parse(&packet) else { panic!("the host sent what is no packet") };
        if ip.protocol == ip::PROTOCOL_TCP {
            let (header, _) = tcp::Header::parse(&packet[ip.header_len..]).expect("a TCP header");
            self.last = header;
        }
    }
}

fn frame(bytes: Vec<u8>) -> Frame {
    Frame::new(bytes.into(), Verification::Unverified, 0)
}

/// A packet from the peer with right checksums.
fn segment(header: &tcp::Header, payload_len: u8) -> Vec<u8> {
    let ip = ip::Header::new(PEER.into(), HOST.into(), ip::PROTOCOL_TCP, 64, 0);
    let payload = vec![7_u8; payload_len.into()].into();
    Transmit::tcp(ip, header, [payload].into_iter().collect(), 0, None).to_bytes()
}

fuzz_target!(|steps: Vec<Step>| {
    let mut world = World::new();
    for step in steps.into_iter().take(200) {
        world.step(step);
    }
});
