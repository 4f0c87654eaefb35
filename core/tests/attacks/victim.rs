//! The stage: a host with an open connection, and an attacker who sends it what he likes. Only the
//! victim's own work is counted: his packets are made before the counting begins.

use std::net::SocketAddr;
use std::time::Duration;

use tcpstack::host::{Config, Domain, Host, OptionName, SocketId, SocketOption};
use tcpstack::tcp::State;
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};
use tcpstack::wire::tcp::{self, Flags, Header};
use tcpstack::wire::tcp_options::Options;
use tcpstack::wire::{checksum, ip};

use super::work::{Mark, Work};

pub(crate) const VICTIM: &str = "10.7.0.2";
pub(crate) const PEER: &str = "10.7.0.1";

pub(crate) fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

/// A segment that the victim sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) to: SocketAddr,
    pub(crate) header: Header,
    pub(crate) text: Vec<u8>,
}

/// A host under attack, listening on port 80.
pub(crate) struct Victim {
    pub(crate) host: Host,
    pub(crate) now: Instant,
    pub(crate) listener: SocketId,
    work: Work,
    counting_since: Mark,
}

/// One connection to it, in the numbers of its peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) id: SocketId,
    pub(crate) peer: SocketAddr,
    /// What the victim expects next.
    pub(crate) seq: u32,
    /// What the peer expects next.
    pub(crate) ack: u32,
    /// TSval and TSecr, if they were agreed.
    pub(crate) timestamps: Option<(u32, u32)>,
}

impl Line {
    /// A header from the peer, with all its numbers as they should be.
    pub(crate) fn header(&self, flags: Flags) -> Header {
        Header {
            src_port: self.peer.port(),
            dst_port: 80,
            seq: self.seq,
            ack: self.ack,
            flags,
            window: 0xffff,
            options: Options { timestamps: self.timestamps, ..Options::default() },
            ..Header::default()
        }
    }
}

impl Victim {
    pub(crate) fn new(knobs: &[(&str, &str)]) -> Victim {
        let mut config = Config::new([VICTIM.parse().unwrap()], 7);
        for (name, value) in knobs {
            config.knobs.set(name, value).unwrap();
        }
        let mut host = Host::new(config, None);
        let now = Instant::from_micros(1_000_000);
        let listener = host.socket(Domain::V4);
        host.bind(listener, at(VICTIM, 80)).unwrap();
        host.listen(now, listener, 64).unwrap();
        Victim { host, now, listener, work: Work::default(), counting_since: Mark::now() }
    }

    /// A connection from `peer`, whose SYN has these options.
    pub(crate) fn open(&mut self, peer: SocketAddr, options: Options) -> Line {
        let iss = 1_000_000;
        let syn = Header { seq: iss, options, ..line_to(peer, self.listener).header(Flags::SYN) };
        let sent = self.feel(peer, &syn, b"");
        let syn_ack = sent.first().expect("a SYN+ACK").header;
        let mut line = line_to(peer, self.listener);
        (line.seq, line.ack) = (iss + 1, syn_ack.seq.wrapping_add(1));
        let agreed = options.timestamps.zip(syn_ack.options.timestamps);
        line.timestamps = agreed.map(|((ours, _), (theirs, _))| (ours, theirs));
        self.feel(peer, &line.header(Flags::ACK), b"");
        (line.id, _) = self.host.accept(self.now, self.listener).expect("the handshake is over");
        line
    }

    /// A connection with a large MSS and SACK.
    pub(crate) fn open_usual(&mut self, port: u16) -> Line {
        let options = Options { mss: Some(1460), sack_permitted: true, ..Options::default() };
        self.open(at(PEER, port), options)
    }

    /// A packet comes in; what the victim says to that, before anything else happens.
    pub(crate) fn feel(&mut self, from: SocketAddr, header: &Header, text: &[u8]) -> Vec<Sent> {
        let frame = frame(from, header, text);
        self.feel_frame(frame)
    }

    /// Any packet comes in.
    pub(crate) fn feel_frame(&mut self, frame: Frame) -> Vec<Sent> {
        let mark = Mark::now();
        self.host.handle_frame(self.now, frame);
        self.work.packets_in += 1;
        self.listen_to(mark)
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, duration: Duration) -> Vec<Sent> {
        let end = self.now + duration;
        let mut sent = Vec::new();
        while let Some(next) = self.host.next_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            let mark = Mark::now();
            self.host.handle_timers(self.now);
            sent.extend(self.listen_to(mark));
        }
        self.now = end;
        sent
    }

    /// All that leaves now.
    pub(crate) fn say(&mut self) -> Vec<Sent> {
        self.listen_to(Mark::now())
    }

    fn listen_to(&mut self, mut mark: Mark) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(packet) = self.host.poll_transmit(self.now) {
            self.work.add_since(mark);
            self.work.packets_out += 1;
            sent.extend(read(&packet));
            mark = Mark::now();
        }
        self.work.add_since(mark);
        // Looking at everything after every packet would take the tests minutes.
        if self.work.packets_in.is_multiple_of(61) {
            self.host.check();
        }
        sent
    }

    /// What the attack has cost so far; counting starts over.
    pub(crate) fn take_work(&mut self) -> Work {
        self.host.check();
        let start = std::mem::replace(&mut self.counting_since, Mark::now());
        std::mem::take(&mut self.work).until_now(start)
    }

    pub(crate) fn state(&self, line: &Line) -> State {
        self.host.state(line.id).unwrap_or(State::Closed)
    }

    /// The segment size in force, in bytes.
    pub(crate) fn segment_size(&self, line: &Line) -> SocketOption {
        self.host.option(line.id, OptionName::MaxSegment).unwrap()
    }

    /// All that can be read now.
    pub(crate) fn recv(&mut self, line: &Line) -> Vec<u8> {
        let mut data = Vec::new();
        while let Ok(slices) = self.host.recv(self.now, line.id, 1 << 16, false) {
            if slices.is_empty() {
                break;
            }
            data.extend(slices.iter().flatten());
        }
        data
    }

    pub(crate) fn count(&self, counter: &str) -> u64 {
        self.host.counters().get(counter).expect("it is a counter")
    }
}

fn line_to(peer: SocketAddr, id: SocketId) -> Line {
    Line { id, peer, seq: 0, ack: 0, timestamps: None }
}

/// A packet to the victim that nobody vouches for.
pub(crate) fn frame(from: SocketAddr, header: &Header, text: &[u8]) -> Frame {
    let ip = ip::Header::new(from.ip(), VICTIM.parse().unwrap(), ip::PROTOCOL_TCP, 64, 0);
    let text = bytes::Bytes::copy_from_slice(text);
    let bytes = Transmit::tcp(ip, header, [text].into_iter().collect(), 0, None).to_bytes();
    unverified(bytes)
}

/// An ICMPv4 error with `rest` in its second word, about a segment that the victim sent.
pub(crate) fn icmp_error(kind: u8, code: u8, rest: u32, about: &Line, seq: u32) -> Frame {
    let header = Header { src_port: 80, dst_port: about.peer.port(), seq, ..Header::default() };
    let quoted = Transmit::tcp(
        ip::Header::new(VICTIM.parse().unwrap(), about.peer.ip(), ip::PROTOCOL_TCP, 64, 0),
        &header,
        [bytes::Bytes::from_static(&[0; 8])].into_iter().collect(),
        0,
        None,
    );
    let mut message = vec![kind, code, 0, 0];
    message.extend(rest.to_be_bytes());
    message.extend(&quoted.to_bytes()[..28]);
    let sum = checksum::finish(checksum::sum(&message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let source = "10.7.0.254".parse().unwrap();
    let header = ip::Header {
        payload_len: message.len(),
        ..ip::Header::new(source, VICTIM.parse().unwrap(), ip::PROTOCOL_ICMP, 64, 0)
    };
    let mut packet = smallvec::SmallVec::new();
    header.emit(&mut packet);
    unverified([packet.as_slice(), &message].concat())
}

fn unverified(bytes: Vec<u8>) -> Frame {
    Frame::new(bytes.into(), Verification::Unverified, 0)
}

fn read(packet: &Transmit) -> Option<Sent> {
    let bytes = packet.to_bytes();
    let ip = ip::Header::parse(&bytes).ok()?;
    let (header, offset) = tcp::Header::parse(&bytes[ip.header_len..]).ok()?;
    let text = bytes[ip.header_len + offset..].to_vec();
    Some(Sent { to: SocketAddr::new(ip.dst, header.dst_port), header, text })
}
