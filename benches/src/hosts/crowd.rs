//! Many connections between two hosts: how they open, speak and close.

use std::time::Duration;

use tcpstack::host::{SocketId, SocketOption};

use super::{Link, Segmentation};
use crate::Setting;

/// Connections to one port of the server: fewer than there are ephemeral ports.
const PER_PORT: usize = 20_000;

/// Connections that open at a time.
const AT_ONCE: usize = 1000;

const FIRST_PORT: u16 = 80;

/// TIME-WAIT, in which a connection that was closed first keeps its port.
const TIME_WAIT: Duration = Duration::from_secs(60);

/// Two hosts and the connections between them.
pub struct Crowd {
    link: Link,
    listeners: Vec<SocketId>,
    /// Both ends of each connection, the client's first.
    ends: Vec<(SocketId, SocketId)>,
}

impl Crowd {
    /// Two hosts, without connections as yet.
    #[must_use]
    pub fn new(setting: Setting) -> Crowd {
        let link = Link::new(setting, Segmentation::None);
        Crowd { link, listeners: Vec::new(), ends: Vec::new() }
    }

    /// Opens so many connections more, which stay.
    pub fn open(&mut self, count: usize) {
        let end = self.ends.len() + count;
        while self.ends.len() < end {
            let begin = self.ends.len();
            let port = begin / PER_PORT;
            let room = (port + 1) * PER_PORT - begin;
            self.open_at_once(port, AT_ONCE.min(room).min(end - begin));
            self.match_ends(begin);
            // So that not all of their timers are due in the same instant.
            self.link.pass(Duration::from_millis(1));
        }
        // The last acknowledgments, and timers that only the handshake needed.
        self.link.pass(Duration::from_secs(1));
    }

    /// How many connections there are that stay.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Turns keepalives on at both ends of every connection.
    ///
    /// # Panics
    /// When an end is gone.
    pub fn keep_alive(&mut self) {
        let (now, option) = (self.link.now, SocketOption::KeepAlive(true));
        for (client, server) in &self.ends {
            self.link.client.set_option(now, *client, option).expect("an open socket");
            self.link.server.set_option(now, *server, option).expect("an open socket");
        }
        self.link.settle();
    }

    /// So much time passes, in which nobody says anything but what timers have them say; how many
    /// segments crossed.
    pub fn pass(&mut self, duration: Duration) -> usize {
        self.link.pass(duration)
    }

    /// A message from the client on the `index`th connection, read by the server; how many segments
    /// crossed.
    ///
    /// # Panics
    /// When it does not arrive.
    pub fn tell(&mut self, index: usize, message: &[u8]) -> usize {
        let (client, server) = self.ends[index];
        let Link { now, .. } = self.link;
        let sent = self.link.client.send(now, client, message).expect("an open connection");
        assert_eq!(sent, message.len(), "the buffer has room for it");
        let segments = self.link.there();
        let told = self.link.server.recv(now, server, sent, false).expect("the message");
        assert_eq!(told.iter().map(|slice| slice.len()).sum::<usize>(), sent);
        self.link.now += Duration::from_micros(10);
        segments + self.link.back()
    }

    /// Opens so many connections to the server's `port`th port, all in one go.
    fn open_at_once(&mut self, port: usize, count: usize) {
        assert!(count <= AT_ONCE, "the listener's queue holds {AT_ONCE}");
        let number = FIRST_PORT + port as u16;
        if port == self.listeners.len() {
            self.listeners.push(self.link.listen(number, AT_ONCE as u32));
        }
        let sockets: Vec<SocketId> = (0..count).map(|_| self.link.begin(number)).collect();
        self.link.settle();
        for socket in sockets {
            let accepted = self.link.server.accept(self.link.now, self.listeners[port]);
            self.ends.push((socket, accepted.expect("as many connections as were begun").0));
        }
    }

    /// Finds the two ends of each connection from the `begin`th on: who was accepted first need not be
    /// who connected first.
    fn match_ends(&mut self, begin: usize) {
        let Crowd { link, ends, .. } = self;
        let ends = &mut ends[begin..];
        let mut children: Vec<SocketId> = ends.iter().map(|(_, child)| *child).collect();
        let local = |socket| link.client.local_addr(socket).expect("a bound socket").port();
        let peer = |child| link.server.peer_addr(child).expect("a connected socket").port();
        ends.sort_by_key(|(socket, _)| local(*socket));
        children.sort_by_key(|child| peer(*child));
        for (end, child) in ends.iter_mut().zip(children) {
            end.1 = child;
        }
    }

    /// One byte to and fro on the `index`th connection, so many times; how many segments crossed.
    ///
    /// # Panics
    /// When a byte is lost or changed.
    pub fn ping_pong(&mut self, index: usize, count: usize) -> usize {
        let (client, server) = self.ends[index];
        let mut segments = 0;
        for round in 0..count {
            let byte = (index + round) as u8;
            self.link.client.send(self.link.now, client, &[byte]).expect("an open connection");
            segments += self.link.there();
            let asked = self.link.server.recv(self.link.now, server, 16, false).expect("the byte");
            assert_eq!(asked.concat(), [byte]);
            self.link
                .server
                .send(self.link.now, server, &[byte ^ 255])
                .expect("an open connection");
            segments += self.link.back();
            let answer = self.link.client.recv(self.link.now, client, 16, false).expect("the byte");
            assert_eq!(answer.concat(), [byte ^ 255]);
            self.link.now += Duration::from_micros(10);
        }
        segments
    }

    /// Opens so many connections at once beside those that stay, sends a byte each way on each, and
    /// closes them, the client first; then its TIME-WAIT passes.
    ///
    /// # Panics
    /// When a byte is lost or changed.
    pub fn churn(&mut self, count: usize) {
        let begin = self.ends.len();
        self.open_at_once(0, count);
        let ends = self.ends.split_off(begin);
        for (client, _) in &ends {
            self.link.client.send(self.link.now, *client, b"?").expect("an open connection");
        }
        self.link.settle();
        for (_, server) in &ends {
            let asked = self.link.server.recv(self.link.now, *server, 16, false).expect("the byte");
            assert_eq!(asked.concat(), b"?");
            self.link.server.send(self.link.now, *server, b"!").expect("an open connection");
        }
        self.link.settle();
        for (client, _) in &ends {
            let answer =
                self.link.client.recv(self.link.now, *client, 16, false).expect("the byte");
            assert_eq!(answer.concat(), b"!");
            self.link.client.close(self.link.now, *client).expect("an open socket");
        }
        self.link.settle();
        for (_, server) in &ends {
            let end = self.link.server.recv(self.link.now, *server, 16, false).expect("the end");
            assert!(end.is_empty(), "the stream has ended");
            self.link.server.close(self.link.now, *server).expect("an open socket");
        }
        self.link.settle();
        self.link.pass(TIME_WAIT);
    }
}
