//! A stage on which a test lets two hosts play a connection and hands out their recordings.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of the stage")]

pub mod plays;

use std::fmt::Write;
use std::net::SocketAddr;

use smallvec::SmallVec;
use tcpstack::event::json::{Header as FileHeader, Recording};
use tcpstack::event::{ConnectionName, Event, Kind, Reason, SegmentRecord, Snapshot, TimerName};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};
use tcpstack::wire::tcp_options::Options;
use tcpstack_lab::diagram::{self, diagram, legend};
use tcpstack_lab::recording::{self, Source};
use tcpstack_lab::render::render;
use tcpstack_lab::story::{Story, condense, find_conversations, summarise, tell, tell_all};

pub const J: u32 = 2_891_336_453;
pub const K: u32 = 172_983;
pub const CLIENT: &str = "10.7.0.2:49152";
pub const SERVER: &str = "10.7.0.1:8080";

/// One host and what it has recorded so far.
pub struct Host {
    pub events: Vec<Event>,
    name: String,
    local: SocketAddr,
    remote: SocketAddr,
    id: u64,
    state: State,
    calls: u64,
    sockets: Vec<(u64, Option<ConnectionName>)>,
}

/// A segment with relative numbers.
#[derive(Clone)]
pub struct Segment {
    pub flags: Flags,
    pub seq: u64,
    pub ack: u64,
    pub payload: Vec<u8>,
    pub segments: u32,
    pub window: u16,
    pub again: bool,
}

pub fn segment(flags: Flags, seq: u64, ack: u64) -> Segment {
    Segment { flags, seq, ack, payload: Vec::new(), segments: 1, window: 502, again: false }
}

impl Segment {
    pub fn with(self, payload: &[u8]) -> Segment {
        Segment { payload: payload.to_vec(), ..self }
    }

    pub fn again(self) -> Segment {
        Segment { again: true, ..self }
    }

    fn record(&self, from: &SocketAddr, to: &SocketAddr) -> SegmentRecord {
        let from_client = from.port() != port(SERVER);
        let (own, other) = if from_client { (J, K) } else { (K, J) };
        let syn = self.flags.contains(Flags::SYN);
        let acks = self.flags.contains(Flags::ACK);
        let options = Options {
            mss: syn.then_some(1460),
            window_scale: syn.then_some(7),
            ..Options::default()
        };
        let header = Header {
            src_port: from.port(),
            dst_port: to.port(),
            seq: own.wrapping_add(self.seq as u32),
            ack: if acks { other.wrapping_add(self.ack as u32) } else { 0 },
            flags: self.flags,
            window: if syn { 64240 } else { self.window },
            urgent: 0,
            options,
        };
        let mut bytes = SmallVec::new();
        header.emit(0, &mut bytes);
        SegmentRecord {
            src_port: header.src_port,
            dst_port: header.dst_port,
            seq: header.seq,
            ack: header.ack,
            relative_seq: Some(self.seq),
            relative_ack: acks.then_some(self.ack),
            flags: self.flags.to_string(),
            window: header.window,
            window_bytes: if syn { 64240 } else { u64::from(self.window) << 7 },
            urgent: 0,
            len: self.payload.len(),
            segments: self.segments,
            header: hex(&bytes),
            payload: hex(&self.payload[..self.payload.len().min(64)]),
            payload_sum: None,
            retransmission: self.again,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub fn port(end: &str) -> u16 {
    end.parse::<SocketAddr>().unwrap().port()
}

impl Host {
    pub fn new(local: &str, remote: &str) -> Host {
        let local: SocketAddr = local.parse().unwrap();
        Host {
            events: Vec::new(),
            name: local.ip().to_string(),
            local,
            remote: remote.parse().unwrap(),
            id: 7,
            state: State::Closed,
            calls: 0,
            sockets: Vec::new(),
        }
    }

    pub fn connection(&self) -> ConnectionName {
        ConnectionName { id: self.id, local: self.local, remote: Some(self.remote) }
    }

    fn listener(&self) -> ConnectionName {
        let local = format!("0.0.0.0:{}", self.local.port()).parse().unwrap();
        ConnectionName { id: 1, local, remote: None }
    }

    pub fn record(
        &mut self,
        us: u64,
        connection: Option<ConnectionName>,
        kind: Kind,
        reason: Option<Reason>,
    ) {
        self.events.push(Event {
            index: self.events.len() as u64,
            time_ns: 5_000_000_000 + us * 1_000,
            host: self.name.as_str().into(),
            connection,
            kind,
            cause: None,
            reason,
            after: connection
                .map(|_| Box::new(Snapshot { state: self.state, ..Default::default() })),
        });
    }

    pub fn sends(&mut self, us: u64, segment: &Segment, reason: Reason) {
        let record = segment.record(&self.local, &self.remote);
        self.record(us, Some(self.connection()), Kind::SegmentSent(record), Some(reason));
    }

    pub fn gets(&mut self, us: u64, segment: &Segment) {
        let record = segment.record(&self.remote, &self.local);
        self.record(us, Some(self.connection()), Kind::SegmentReceived(record), None);
    }

    pub fn becomes(&mut self, us: u64, to: State, reason: Reason) {
        let from = std::mem::replace(&mut self.state, to);
        self.record(us, Some(self.connection()), Kind::StateChanged { from, to }, Some(reason));
    }

    pub fn listens(&mut self, us: u64) {
        let (from, to) = (State::Closed, State::Listen);
        self.record(us, Some(self.listener()), Kind::StateChanged { from, to }, None);
        self.state = State::Listen;
    }

    pub fn arms(&mut self, us: u64, timer: TimerName, for_us: u64) {
        let deadline_ns = 5_000_000_000 + (us + for_us) * 1_000;
        self.record(us, Some(self.connection()), Kind::TimerArmed { timer, deadline_ns }, None);
    }

    pub fn fires(&mut self, us: u64, timer: TimerName) {
        self.record(us, Some(self.connection()), Kind::TimerFired { timer }, None);
    }

    /// Moves what was recorded by `us` and gives connections and calls other numbers.
    pub fn later(mut self, us: u64, number: u64) -> Host {
        for event in &mut self.events {
            event.time_ns += us * 1_000;
            if let Some(name) = &mut event.connection
                && name.remote.is_some()
            {
                name.id += number;
            }
            match &mut event.kind {
                Kind::CallEntered { call, .. }
                | Kind::CallBlocked { call, .. }
                | Kind::CallReturned { call, .. } => *call += 1000 * number,
                _ => {}
            }
        }
        self
    }

    /// A call that returns at once.
    pub fn calls(&mut self, us: u64, name: &str, arguments: &str, result: &str) {
        let call = self.enters(us, name, arguments);
        self.returns(us, call, name, result);
    }

    /// A call that will have to wait.
    pub fn waits(&mut self, us: u64, name: &str, arguments: &str) -> u64 {
        let call = self.enters(us, name, arguments);
        let (socket, name) = (self.socket_of(name, arguments), name.to_owned());
        self.record(us, socket, Kind::CallBlocked { call, name }, None);
        call
    }

    pub fn enters(&mut self, us: u64, name: &str, arguments: &str) -> u64 {
        self.calls += 1;
        let call = self.calls;
        let socket = self.socket_of(name, arguments);
        self.sockets.push((call, socket));
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        self.record(us, socket, Kind::CallEntered { call, name, arguments, source: None }, None);
        call
    }

    pub fn returns(&mut self, us: u64, call: u64, name: &str, result: &str) {
        // What was closed has no name any more.
        let known = self.sockets.iter().find(|(number, _)| *number == call && name != "close");
        let socket = known.and_then(|(_, socket)| *socket);
        let (name, result) = (name.to_owned(), result.to_owned());
        self.record(us, socket, Kind::CallReturned { call, name, result }, None);
    }

    /// The socket that a call is about: 3 is the server's listening one.
    fn socket_of(&self, name: &str, arguments: &str) -> Option<ConnectionName> {
        let on_listener = self.local.port() == port(SERVER) && arguments.starts_with('3');
        match name {
            "socket" => None,
            _ if on_listener => Some(self.listener()),
            _ => Some(self.connection()),
        }
    }

    pub fn source(self) -> Source {
        let header =
            FileHeader { host: self.name.clone(), url: "unix:".to_owned(), unix_epoch_ns: 0 };
        let recording = Recording { header, events: self.events, cut_short: None };
        Source { name: format!("{}.jsonl", self.name), recording }
    }
}

/// What several recordings of one host are in one file.
pub fn joined(mut one: Host, other: Host) -> Host {
    for mut event in other.events {
        event.index = one.events.len() as u64;
        one.events.push(event);
    }
    one
}

pub fn client() -> Host {
    Host::new(CLIENT, SERVER)
}

pub fn server() -> Host {
    Host::new(SERVER, CLIENT)
}

/// The drawing of the first connection of `hosts`, with the legend.
pub fn draw(hosts: Vec<Host>, options: diagram::Options) -> String {
    let sources: Vec<Source> = hosts.into_iter().map(Host::source).collect();
    draw_one(&sources, 1, options)
}

/// The drawing of one connection of `sources`, with the legend.
pub fn draw_one(sources: &[Source], number: usize, options: diagram::Options) -> String {
    let run = recording::run(sources, false);
    text_of(tell(&run, &find_conversations(&run.events), number), options)
}

/// The drawing of all connections of `sources` at once, with the legend.
pub fn draw_together(sources: &[Source], options: diagram::Options) -> String {
    let run = recording::run(sources, false);
    text_of(tell_all(&run, &find_conversations(&run.events)), options)
}

fn text_of(story: Story, options: diagram::Options) -> String {
    let summaries = summarise(&story);
    let drawing = diagram(&condense(story, false), &summaries, options);
    let mut rows = drawing.rows;
    rows.push(Vec::new());
    rows.extend(legend(&drawing.signs, options));
    render(&rows, false)
}
