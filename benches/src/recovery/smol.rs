//! smoltcp's side: two interfaces on the same kind of link, the clock jumping from event to event.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use tcpstack::device::{Impairment, ImpairmentQueue};
use tcpstack::wire::packet::Transmit;

use super::{BUFFER, Faults, LIMIT, MTU, SEGMENT, Scenario, quiet_link};
use crate::interfaces::{Queue, Wire};
use crate::{CALL, Stream};

/// An interface, its socket, and the link that it sends on.
struct End {
    wire: Wire,
    incoming: Queue,
    outgoing: Queue,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    link: ImpairmentQueue,
    faults: Faults,
}

impl End {
    fn new(last: u8, link: Impairment, seed: u64, faults: Faults) -> End {
        let (incoming, outgoing) = (Queue::default(), Queue::default());
        let mut wire = Wire::unbounded(MTU, incoming.clone(), outgoing.clone());
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed + u64::from(last);
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let address = IpCidr::new(IpAddress::v4(10, 0, 0, last), 24);
            addresses.push(address).expect("room for one address");
        });
        let mut socket = crate::interfaces::socket(BUFFER);
        socket.set_congestion_control(tcp::CongestionControl::Cubic);
        let mut sockets = SocketSet::new(vec![]);
        let handle = sockets.add(socket);
        let link = ImpairmentQueue::new(link, seed * 2 + u64::from(last));
        End { wire, incoming, outgoing, interface, sockets, handle, link, faults }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Lets the interface work, and puts what it sends on the link.
    fn poll(&mut self, now: tcpstack::time::Instant) {
        self.interface.poll(smoltcp_time(now), &mut self.wire, &mut self.sockets);
        let mut sent: VecDeque<Vec<u8>> = RefCell::take(&self.outgoing);
        for packet in sent.drain(..) {
            if !self.faults.drops_packet(&packet) {
                self.link.offer(now, Transmit::complete(packet, None));
            }
        }
    }
}

fn smoltcp_time(now: tcpstack::time::Instant) -> Instant {
    Instant::from_micros(i64::try_from(now.as_micros()).expect("a time of this century"))
}

struct Stage {
    now: tcpstack::time::Instant,
    client: End,
    server: End,
}

impl Stage {
    fn new(link: Impairment, seed: u64, faults: Faults) -> Stage {
        let mut client = End::new(1, link, seed, faults);
        let mut server = End::new(2, link, seed, Faults::none());
        server.socket().listen(80).expect("a closed socket");
        let remote = (IpAddress::v4(10, 0, 0, 2), 80);
        let socket = client.sockets.get_mut::<tcp::Socket>(client.handle);
        socket.connect(client.interface.context(), remote, 49_152).expect("a free port");
        Stage { now: tcpstack::time::Instant::ZERO, client, server }
    }

    /// Lets `act` work after every event until it says that it is done.
    fn drive(&mut self, mut act: impl FnMut(&mut End, &mut End) -> bool) {
        let end = self.now + LIMIT;
        loop {
            carry(self.now, &mut self.client.link, &self.server.incoming);
            carry(self.now, &mut self.server.link, &self.client.incoming);
            self.client.poll(self.now);
            self.server.poll(self.now);
            if act(&mut self.client, &mut self.server) {
                return;
            }
            // What was just written or read may be worth a segment at once.
            self.client.poll(self.now);
            self.server.poll(self.now);
            self.now = self.next_event();
            assert!(self.now < end, "smoltcp is not done in {LIMIT:?}");
        }
    }

    fn next_event(&mut self) -> tcpstack::time::Instant {
        let Stage { now, client, server } = self;
        let polls = [&mut *client, server].map(|end| {
            let at = end.interface.poll_at(smoltcp_time(*now), &end.sockets)?;
            let at = tcpstack::time::Instant::from_micros(u64::try_from(at.total_micros()).ok()?);
            // "At once" means again: a microsecond later, or time would stand still.
            Some(at.max(*now + Duration::from_micros(1)))
        });
        let arrivals = [client.link.next_deadline(), server.link.next_deadline()];
        let next = polls.into_iter().chain(arrivals).flatten().min();
        next.expect("somebody waits for something").max(*now)
    }
}

fn carry(
    now: tcpstack::time::Instant,
    link: &mut ImpairmentQueue,
    to: &Rc<RefCell<VecDeque<Vec<u8>>>>,
) {
    while let Some(packet) = link.take_due(now) {
        to.borrow_mut().push_back(packet.to_bytes());
    }
}

/// Writes what goes of `left` bytes; how much.
fn write(socket: &mut tcp::Socket<'_>, stream: &mut Stream, left: usize) -> usize {
    let mut sent = 0;
    while sent < left && socket.can_send() {
        let count = socket.send_slice(stream.next(left - sent)).expect("an open stream");
        stream.wrote(count);
        sent += count;
    }
    sent
}

/// Reads all there is; how much.
fn read(socket: &mut tcp::Socket<'_>, stream: &mut Stream, sink: &mut [u8]) -> usize {
    let mut total = 0;
    while socket.can_recv() {
        let count = socket.recv_slice(sink).expect("an open stream");
        stream.read(&sink[..count]);
        total += count;
    }
    total
}

/// How long `amount` bytes take, the handshake included.
pub(super) fn transfer(scenario: &Scenario, amount: usize) -> Duration {
    let mut stage = Stage::new(scenario.impairment(), scenario.seed, scenario.faults());
    let (mut stream, mut sink) = (Stream::new(), vec![0; CALL]);
    let (mut sent, mut received) = (0, 0);
    stage.drive(|client, server| {
        sent += write(client.socket(), &mut stream, amount - sent);
        received += read(server.socket(), &mut stream, &mut sink);
        received == amount
    });
    Duration::from_nanos(stage.now.as_nanos())
}

/// How long `count` messages take, each with its receipt, the handshake not included.
pub(super) fn messages(rtt: Duration, segments: usize, count: u32) -> Duration {
    let mut stage = Stage::new(quiet_link(rtt), 1, Faults::tails());
    let (mut stream, mut sink) = (Stream::new(), vec![0; CALL]);
    stage.drive(|client, server| client.socket().may_send() && server.socket().may_send());
    let (begun, size) = (stage.now, segments * SEGMENT);
    for _ in 0..count {
        let (mut sent, mut received, mut is_answered) = (0, 0, false);
        stage.drive(|client, server| {
            sent += write(client.socket(), &mut stream, size - sent);
            received += read(server.socket(), &mut stream, &mut sink);
            if received == size && !is_answered {
                is_answered = server.socket().send_slice(b"!").is_ok_and(|count| count == 1);
            }
            let client = client.socket();
            client.can_recv() && client.recv_slice(&mut [0]).is_ok()
        });
    }
    stage.now.saturating_since(begun)
}
