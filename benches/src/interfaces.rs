//! Two smoltcp interfaces and one connection between them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use crate::{BATCH, CALL, Pair, Setting, Stream};

pub(crate) type Queue = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of the wire: a queue each way. The checksums are smoltcp's to compute and verify.
pub(crate) struct Wire {
    mtu: usize,
    incoming: Queue,
    outgoing: Queue,
    /// Packets that it takes before they are carried away.
    room: usize,
}

impl Wire {
    /// A wire that takes whatever is sent.
    pub(crate) fn unbounded(mtu: usize, incoming: Queue, outgoing: Queue) -> Wire {
        Wire { mtu, incoming, outgoing, room: usize::MAX }
    }
}

/// A packet that arrived.
pub(crate) struct Arrived(Vec<u8>);

/// Room for a packet to send.
pub(crate) struct Room(Queue);

impl phy::RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Room {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.borrow_mut().push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Room;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Room)> {
        let packet = self.incoming.borrow_mut().pop_front()?;
        Some((Arrived(packet), Room(self.outgoing.clone())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room> {
        (self.outgoing.borrow().len() < self.room).then(|| Room(self.outgoing.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// An interface with one socket.
struct End {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl End {
    fn new(last: u8, setting: Setting, incoming: Queue, outgoing: Queue) -> End {
        let mut wire = Wire { mtu: setting.mtu, incoming, outgoing, room: BATCH };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = last.into();
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let address = IpCidr::new(IpAddress::v4(10, 0, 0, last), 24);
            addresses.push(address).expect("room for one address");
        });
        let mut sockets = SocketSet::new(vec![]);
        let handle = sockets.add(socket(setting.buffer));
        End { wire, interface, sockets, handle }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
    }
}

/// A socket with buffers of `buffer` bytes, as it comes: without congestion control.
#[must_use]
pub fn socket(buffer: usize) -> tcp::Socket<'static> {
    let room = || tcp::SocketBuffer::new(vec![0; buffer]);
    tcp::Socket::new(room(), room())
}

/// Two interfaces, a clock that jumps, and a connected socket on each.
pub struct Interfaces {
    client: End,
    server: End,
    now: Instant,
    stream: Stream,
    sink: Vec<u8>,
}

impl Interfaces {
    /// Opens a connection from the one to the other.
    ///
    /// # Panics
    /// When they do not connect.
    #[must_use]
    pub fn connect(setting: Setting) -> Interfaces {
        let (there, back) = (Queue::default(), Queue::default());
        let mut client = End::new(1, setting, back.clone(), there.clone());
        let mut server = End::new(2, setting, there, back);
        server.socket().listen(80).expect("a closed socket");
        let socket = client.sockets.get_mut::<tcp::Socket>(client.handle);
        let server_address = (IpAddress::v4(10, 0, 0, 2), 80);
        socket.connect(client.interface.context(), server_address, 49_152).expect("a free port");
        for _ in 0..3 {
            client.poll(Instant::ZERO);
            server.poll(Instant::ZERO);
        }
        assert!(server.socket().may_recv(), "the connection is not established");
        let (stream, sink) = (Stream::new(), vec![0; CALL]);
        Interfaces { client, server, now: Instant::ZERO, stream, sink }
    }

    /// Reads all there is.
    fn read(&mut self) -> usize {
        let mut total = 0;
        while self.server.socket().can_recv() {
            let socket = self.server.sockets.get_mut::<tcp::Socket>(self.server.handle);
            let count = socket.recv_slice(&mut self.sink).expect("an open stream");
            self.stream.read(&self.sink[..count]);
            total += count;
        }
        total
    }

    /// Nothing moved: the clock jumps to the next timer of either.
    fn wait(&mut self) {
        let Interfaces { client, server, now, .. } = self;
        let deadlines = [&mut *client, server]
            .map(|end| end.interface.poll_at(*now, &end.sockets))
            .into_iter()
            .flatten();
        *now = deadlines.min().expect("somebody waits for a timer").max(*now);
    }
}

impl Pair for Interfaces {
    fn transfer(&mut self, len: usize) {
        let (mut sent, mut received) = (0, 0);
        while received < len {
            let socket = self.client.sockets.get_mut::<tcp::Socket>(self.client.handle);
            while sent < len && socket.can_send() {
                let count = socket.send_slice(self.stream.next(len - sent)).expect("open");
                self.stream.wrote(count);
                sent += count;
            }
            self.client.poll(self.now);
            self.server.poll(self.now);
            let read = self.read();
            received += read;
            if read == 0 && self.client.wire.incoming.borrow().is_empty() {
                self.wait();
            }
            // A microsecond a turn: time goes by, but no timer is ever the answer.
            self.now += Duration::from_micros(1);
        }
    }
}
