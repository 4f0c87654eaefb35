//! Two smoltcp interfaces in memory: one connection that moves bytes ([`Bulk`]), and many that open,
//! speak and close ([`Crowd`]).

mod bulk;
mod crowd;
mod wire;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

pub use bulk::Bulk;
pub use crowd::Crowd;
use wire::Lane;
pub(crate) use wire::{Queue, Wire};

use crate::Setting;

const PORT: u16 = 80;

/// An interface with its sockets.
struct End {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    handles: Vec<SocketHandle>,
}

/// A client and a server with so many sockets each, on a wire that takes `room` packets at a time.
fn ends(setting: Setting, sockets: usize, room: usize) -> (End, End) {
    let (there, back) = (Lane::default(), Lane::default());
    let client = Wire::new(setting.mtu, back.clone(), there.clone(), room);
    let server = Wire::new(setting.mtu, there, back, room);
    (End::new(1, setting, client, sockets), End::new(2, setting, server, sockets))
}

impl End {
    fn new(last: u8, setting: Setting, mut wire: Wire, count: usize) -> End {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = last.into();
        let mut interface = Interface::new(config, &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let address = IpCidr::new(IpAddress::v4(10, 0, 0, last), 24);
            addresses.push(address).expect("room for one address");
        });
        let mut sockets = SocketSet::new(vec![]);
        let handles = (0..count).map(|_| sockets.add(socket(setting.buffer))).collect();
        End { wire, interface, sockets, handles }
    }

    fn socket(&mut self, index: usize) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handles[index])
    }

    /// Sends a SYN from the `index`th socket.
    fn connect(&mut self, index: usize, port: u16) {
        let socket = self.sockets.get_mut::<tcp::Socket>(self.handles[index]);
        let server = (IpAddress::v4(10, 0, 0, 2), PORT);
        socket.connect(self.interface.context(), server, port).expect("a free port");
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
