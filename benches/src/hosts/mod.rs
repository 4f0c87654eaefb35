//! Two tcpstack hosts in memory: one connection that moves bytes ([`Bulk`]), and as many as one likes
//! that open, speak and close ([`Crowd`]).

mod bulk;
mod crowd;
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tcpstack::device::GSO_MAX_PAYLOAD;
use tcpstack::host::{Config, Error, Host, SocketId};
use tcpstack::time::Instant;

pub use bulk::Bulk;
pub use crowd::Crowd;
use wire::Wire;

use crate::Setting;

/// What crosses the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// Every segment by itself: the hosts' super-segments are cut at the wire's one end, and merged at
    /// the other, as before and behind a device without offload.
    None,
    /// Super-segments, as between two hosts of one machine: with offload their checksum is left to a
    /// device, and here there is none.
    Super,
    /// Super-segments, and the checksum of each is computed and verified.
    SuperWithChecksums,
}

/// The server's address, with one of its ports.
fn server_address(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), port)
}

/// One host; `last` is the last byte of its address.
fn host(last: u8, setting: Setting) -> Host {
    let mut config = Config::new([Ipv4Addr::new(10, 0, 0, last).into()], last.into());
    config.mtu = setting.mtu;
    config.gso_max = GSO_MAX_PAYLOAD;
    let sizes = format!("4096 {0} {0}", setting.buffer);
    for knob in ["tcp_rmem", "tcp_wmem"] {
        config.knobs.set(knob, &sizes).expect("a buffer size in range");
    }
    Host::new(config, None)
}

/// Two hosts, a wire and a clock that jumps.
struct Link {
    client: Host,
    server: Host,
    now: Instant,
    wire: Wire,
}

impl Link {
    fn new(setting: Setting, segmentation: Segmentation) -> Link {
        Link {
            client: host(1, setting),
            server: host(2, setting),
            // Not the beginning of time, before which nothing lies.
            now: Instant::from_micros(1_000_000),
            wire: Wire::new(segmentation),
        }
    }

    /// A socket of the server that listens on `port`.
    fn listen(&mut self, port: u16, backlog: u32) -> SocketId {
        let listener = self.server.socket(tcpstack::host::Domain::V4);
        self.server.bind(listener, server_address(port)).expect("a free port");
        self.server.listen(self.now, listener, backlog).expect("a bound socket");
        listener
    }

    /// A socket of the client whose SYN is on its way to `port`.
    fn begin(&mut self, port: u16) -> SocketId {
        let socket = self.client.socket(tcpstack::host::Domain::V4);
        let begun = self.client.connect(self.now, socket, server_address(port));
        assert_eq!(begun, Err(Error::InProgress));
        socket
    }

    /// A batch from the client to the server; how many segments crossed.
    fn there(&mut self) -> usize {
        self.wire.carry(&mut self.client, &mut self.server, self.now)
    }

    /// A batch from the server to the client; how many segments crossed.
    fn back(&mut self) -> usize {
        self.wire.carry(&mut self.server, &mut self.client, self.now)
    }

    /// Carries packets until neither has any; how many segments crossed.
    fn settle(&mut self) -> usize {
        let mut total = 0;
        loop {
            let crossed = self.there() + self.back();
            if crossed == 0 {
                return total;
            }
            total += crossed;
        }
    }

    /// When the next timer of either is due.
    fn next_timer(&mut self) -> Option<Instant> {
        let deadlines = [self.client.next_deadline(), self.server.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// The clock jumps to `at`, where both run their timers.
    fn jump(&mut self, at: Instant) {
        self.now = at.max(self.now);
        self.client.handle_timers(self.now);
        self.server.handle_timers(self.now);
    }

    /// `duration` passes: every timer that comes due on the way runs in its moment; how many segments
    /// crossed.
    fn pass(&mut self, duration: std::time::Duration) -> usize {
        let end = self.now + duration;
        let mut segments = 0;
        while let Some(next) = self.next_timer().filter(|next| *next <= end) {
            self.jump(next);
            segments += self.settle();
        }
        self.now = end;
        segments
    }
}
