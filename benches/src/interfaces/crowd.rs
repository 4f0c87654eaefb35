//! Many connections between two smoltcp interfaces: how they open, speak and close.

use std::ops::Range;

use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};

use super::{End, PORT, ends};
use crate::Setting;

const FIRST_PORT: u16 = 10_000;

/// smoltcp's TIME-WAIT, and a little.
const TIME_WAIT: Duration = Duration::from_secs(11);

/// Two interfaces, connections that stay, and sockets for others that come and go.
pub struct Crowd {
    client: End,
    server: End,
    now: Instant,
    /// The sockets that are not idle.
    active: Range<usize>,
}

impl Crowd {
    /// Opens `idle` connections, and has sockets for `active` more. The wire takes what is sent at once,
    /// so that smoltcp goes through its sockets as seldom as it can.
    #[must_use]
    pub fn new(setting: Setting, idle: usize, active: usize) -> Crowd {
        let (client, server) = ends(setting, idle + active, usize::MAX);
        let mut crowd = Crowd { client, server, now: Instant::ZERO, active: 0..idle };
        crowd.open();
        crowd.active = idle..idle + active;
        crowd
    }

    /// Opens a connection on every active socket.
    fn open(&mut self) {
        for index in self.active.clone() {
            self.server.socket(index).listen(PORT).expect("a closed socket");
            self.client.connect(index, FIRST_PORT + index as u16);
        }
        self.settle();
    }

    /// Polls both until neither sends anything.
    fn settle(&mut self) {
        loop {
            self.client.poll(self.now);
            self.server.poll(self.now);
            self.now += Duration::from_micros(1);
            let is_quiet = |end: &End| end.wire.incoming.packets.borrow().is_empty();
            if is_quiet(&self.client) && is_quiet(&self.server) {
                return;
            }
        }
    }

    /// Opens a connection on every active socket, sends a byte each way on each, and closes them, the client
    /// first; then its TIME-WAIT passes.
    pub fn churn(&mut self) {
        self.open();
        for index in self.active.clone() {
            self.client.socket(index).send_slice(b"?").expect("an open connection");
        }
        self.settle();
        for index in self.active.clone() {
            let server = self.server.socket(index);
            let mut asked = [0];
            assert_eq!(server.recv_slice(&mut asked).expect("the byte"), 1);
            assert_eq!(&asked, b"?");
            server.send_slice(b"!").expect("an open connection");
        }
        self.settle();
        for index in self.active.clone() {
            let client = self.client.socket(index);
            let mut answer = [0];
            assert_eq!(client.recv_slice(&mut answer).expect("the byte"), 1);
            assert_eq!(&answer, b"!");
            client.close();
        }
        self.settle();
        for index in self.active.clone() {
            let server = self.server.socket(index);
            assert_eq!(server.state(), State::CloseWait, "the stream has ended");
            server.close();
        }
        self.settle();
        self.now += TIME_WAIT;
        self.settle();
        for index in self.active.clone() {
            assert_eq!(self.client.socket(index).state(), State::Closed);
            assert_eq!(self.server.socket(index).state(), State::Closed);
        }
    }
}
