//! Two tcpstack hosts and one connection between them.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::BytesMut;
use tcpstack::host::{Config, Domain, Host, SocketId};
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};

use crate::{BATCH, CALL, Pair, Setting, Stream};

/// What crosses the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// Every segment by itself.
    None,
    /// Super-segments, as between two hosts of one machine; their checksum is computed too.
    Super,
}

/// Two hosts, a clock that jumps, and a connected socket on each.
pub struct Hosts {
    client: Host,
    server: Host,
    sender: SocketId,
    receiver: SocketId,
    now: Instant,
    wire: Wire,
    stream: Stream,
    sink: Vec<u8>,
}

/// What the wire's memory is taken in, in bytes.
const ROOM: usize = 128 * 1024;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);

/// One host; `last` is the last byte of its address.
fn host(last: u8, setting: Setting, segmentation: Segmentation) -> Host {
    let mut config = Config::new([Ipv4Addr::new(10, 0, 0, last).into()], last.into());
    config.mtu = setting.mtu;
    config.gso_max = if segmentation == Segmentation::Super { 65_000 } else { 0 };
    let sizes = format!("4096 {0} {0}", setting.buffer);
    for knob in ["tcp_rmem", "tcp_wmem"] {
        config.knobs.set(knob, &sizes).expect("a buffer size in range");
    }
    Host::new(config, None)
}

impl Hosts {
    /// Opens a connection from the one to the other.
    ///
    /// # Panics
    /// When the hosts do not connect.
    #[must_use]
    pub fn connect(setting: Setting, segmentation: Segmentation) -> Hosts {
        let now = Instant::ZERO;
        let mut client = host(1, setting, segmentation);
        let mut server = host(2, setting, segmentation);
        let listener = server.socket(Domain::V4);
        server.bind(listener, SERVER).expect("a free port");
        server.listen(now, listener, 1).expect("a bound socket");
        let sender = client.socket(Domain::V4);
        // It says that the connection is on its way.
        let _ = client.connect(now, sender, SERVER);
        let mut wire = Wire::default();
        for _ in 0..3 {
            wire.carry(&mut client, &mut server, now);
            wire.carry(&mut server, &mut client, now);
        }
        let (receiver, _) = server.accept(now, listener).expect("an established connection");
        let (stream, sink) = (Stream::new(), vec![0; CALL]);
        Hosts { client, server, sender, receiver, now, wire, stream, sink }
    }

    /// Reads all there is.
    fn read(&mut self) -> usize {
        let mut total = 0;
        while let Ok(slices) = self.server.recv(self.now, self.receiver, CALL, false) {
            let mut filled = 0;
            for slice in &slices {
                self.sink[filled..filled + slice.len()].copy_from_slice(slice);
                filled += slice.len();
            }
            assert_ne!(filled, 0, "the stream ended");
            self.stream.read(&self.sink[..filled]);
            total += filled;
        }
        total
    }

    /// Nothing moved: the clock jumps to the next timer of either.
    fn wait(&mut self) {
        let deadlines = [self.client.next_deadline(), self.server.next_deadline()];
        let next = deadlines.into_iter().flatten().min().expect("somebody waits for a timer");
        self.now = next.max(self.now);
        self.client.handle_timers(self.now);
        self.server.handle_timers(self.now);
    }
}

impl Pair for Hosts {
    fn transfer(&mut self, len: usize) {
        let (mut sent, mut received) = (0, 0);
        while received < len {
            while sent < len {
                let piece = self.stream.next(len - sent);
                let Ok(count) = self.client.send(self.now, self.sender, piece) else { break };
                self.stream.wrote(count);
                sent += count;
            }
            let there = self.wire.carry(&mut self.client, &mut self.server, self.now);
            received += self.read();
            let back = self.wire.carry(&mut self.server, &mut self.client, self.now);
            if there + back == 0 && received < len {
                self.wait();
            }
        }
    }
}

/// The wire: memory that packets are copied to, as into a device's receive buffer, and their queue.
#[derive(Default)]
struct Wire {
    room: BytesMut,
    queue: VecDeque<Frame>,
}

impl Wire {
    /// Brings a batch of packets from one host to the other; how many crossed.
    fn carry(&mut self, from: &mut Host, to: &mut Host, now: Instant) -> usize {
        let mut count = 0;
        while count < BATCH
            && let Some(transmit) = from.poll_transmit(now)
        {
            count += transmit.segment_count();
            self.send(transmit);
        }
        for frame in self.queue.drain(..) {
            to.handle_frame(now, frame);
        }
        count
    }

    /// Copies the packet, its checksum computed; on arrival it is to be verified.
    fn send(&mut self, mut transmit: Transmit) {
        transmit.complete_checksum();
        if self.room.capacity() < transmit.len() {
            // Takes the memory of packets that are gone by now, if it can.
            self.room.reserve(ROOM);
        }
        self.room.extend_from_slice(&transmit.header);
        for slice in &transmit.payload {
            self.room.extend_from_slice(slice);
        }
        self.queue.push_back(Frame {
            bytes: self.room.split().freeze(),
            verification: Verification::Unverified,
            gso_size: transmit.gso_size,
        });
    }
}
