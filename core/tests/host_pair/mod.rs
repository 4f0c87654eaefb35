//! Two hosts on one wire in virtual time: what one sends the other gets at once, unless the wire is
//! told to lose it. Every step checks both hosts' invariants.
#![allow(dead_code, reason = "each test binary uses what it needs of the pair")]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpstack::host::{Config, Domain, Error, Host, SocketId};
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::{ip, tcp};

pub(crate) const CLIENT: &str = "10.7.0.1";
pub(crate) const SERVER: &str = "10.7.0.2";

/// A segment seen on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) from_client: bool,
    pub(crate) at: Instant,
    pub(crate) header: Header,
    pub(crate) len: usize,
}

type Loss = Box<dyn FnMut(&Sent) -> bool>;

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) client: Host,
    pub(crate) server: Host,
    pub(crate) sent: Vec<Sent>,
    /// Says which segments the wire loses.
    pub(crate) lose: Loss,
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip(address), port)
}

pub(crate) fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair::with(|_| {})
    }

    /// A pair whose configurations were changed by `change`.
    pub(crate) fn with(change: impl Fn(&mut Config)) -> Pair {
        let host = |addresses: [&str; 2], seed| {
            let mut config = Config::new(addresses.map(ip), seed);
            change(&mut config);
            Host::new(config, None)
        };
        Pair {
            now: Instant::from_micros(1_000_000),
            client: host([CLIENT, "fd00::1"], 1),
            server: host([SERVER, "fd00::2"], 2),
            sent: Vec::new(),
            lose: Box::new(|_| false),
        }
    }

    /// Carries packets until neither side has any.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            let from_client = self.client.poll_transmit(self.now);
            let from_server = self.server.poll_transmit(self.now);
            if from_client.is_none() && from_server.is_none() {
                self.client.check();
                self.server.check();
                return;
            }
            if let Some(packet) = from_client {
                self.carry(true, packet);
            }
            if let Some(packet) = from_server {
                self.carry(false, packet);
            }
        }
        panic!("the two hosts never fall silent");
    }

    fn carry(&mut self, from_client: bool, packet: Transmit) {
        let bytes = packet.to_bytes();
        let ip = ip::Header::parse(&bytes).unwrap();
        let now = self.now;
        if ip.protocol == ip::PROTOCOL_TCP {
            let segment = &bytes[ip.header_len..];
            let (header, offset) = tcp::Header::parse(segment).unwrap();
            let sent = Sent { from_client, at: now, header, len: segment.len() - offset };
            let is_lost = (self.lose)(&sent);
            self.sent.push(sent);
            if is_lost {
                return;
            }
        }
        let to = if from_client { &mut self.server } else { &mut self.client };
        to.handle_frame(now, unverified(bytes));
    }

    /// Lets time pass, timers firing when they are due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        loop {
            let deadlines = [self.client.next_deadline(), self.server.next_deadline()];
            let Some(next) = deadlines.into_iter().flatten().min().filter(|next| *next <= end)
            else {
                break;
            };
            assert!(next >= self.now, "a deadline lies in the past");
            self.now = next;
            self.client.handle_timers(next);
            self.server.handle_timers(next);
            self.settle();
        }
        self.now = end;
    }

    /// A listener on the server.
    pub(crate) fn listen(&mut self, port: u16, backlog: u32) -> SocketId {
        let id = self.server.socket(Domain::V4);
        self.server.bind(id, at(SERVER, port)).unwrap();
        self.server.listen(self.now, id, backlog).unwrap();
        id
    }

    /// A client socket that has begun to connect.
    pub(crate) fn begin(&mut self, port: u16) -> SocketId {
        let id = self.client.socket(Domain::V4);
        let begun = self.client.connect(self.now, id, at(SERVER, port));
        assert_eq!(begun, Err(Error::InProgress));
        id
    }

    /// An established connection: the client's socket, and the server's.
    pub(crate) fn connected(&mut self, listener: SocketId) -> (SocketId, SocketId) {
        let port = self.server.local_addr(listener).unwrap().port();
        let socket = self.begin(port);
        self.settle();
        assert_eq!(self.client.connect(self.now, socket, at(SERVER, port)), Ok(()));
        let (child, peer) = self.server.accept(self.now, listener).unwrap();
        assert_eq!(peer, self.client.local_addr(socket).unwrap());
        (socket, child)
    }

    /// What was sent since the last call.
    pub(crate) fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// The flags of what was sent since the last call, as `> SYN` from the client.
    pub(crate) fn take_flags(&mut self) -> Vec<String> {
        let arrow = |from_client| if from_client { '>' } else { '<' };
        let line = |sent: Sent| format!("{} {}", arrow(sent.from_client), sent.header.flags);
        self.take_sent().into_iter().map(line).collect()
    }
}

/// All that can be read now.
pub(crate) fn read(host: &mut Host, now: Instant, id: SocketId) -> Vec<u8> {
    let mut data = Vec::new();
    while let Ok(slices) = host.recv(now, id, 1 << 16, false) {
        if slices.is_empty() {
            break;
        }
        data.extend(slices.iter().flatten());
    }
    data
}

/// A frame that nobody vouches for.
pub(crate) fn unverified(bytes: Vec<u8>) -> Frame {
    Frame::new(bytes.into(), Verification::Unverified, 0)
}

/// A hand-made segment.
pub(crate) fn segment(
    from: SocketAddr,
    to: SocketAddr,
    flags: Flags,
    seq: u32,
    ack: u32,
    text: &[u8],
) -> Frame {
    let header = Header {
        src_port: from.port(),
        dst_port: to.port(),
        seq,
        ack,
        flags,
        window: 65_535,
        ..Header::default()
    };
    let ip = ip::Header::new(from.ip(), to.ip(), ip::PROTOCOL_TCP, 64, 0);
    let text = bytes::Bytes::copy_from_slice(text);
    unverified(Transmit::tcp(ip, &header, [text].into_iter().collect(), 0, None).to_bytes())
}

/// The TCP header of a packet that a host sends, which must have one to send.
pub(crate) fn sent_by(host: &mut Host, now: Instant) -> Header {
    let bytes = host.poll_transmit(now).expect("the host has a packet to send").to_bytes();
    let ip = ip::Header::parse(&bytes).unwrap();
    tcp::Header::parse(&bytes[ip.header_len..]).unwrap().0
}
