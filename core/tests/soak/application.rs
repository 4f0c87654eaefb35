//! A program that does, on one socket, whatever chance says: send, recv, shutdown, close, abort. What
//! it sends is a function of the place in the stream, so that each byte read is known to be true.

use std::net::SocketAddr;
use std::time::Duration;

use tcpstack::host::{Error, Shutdown, SocketOption};
use tcpstack::sim::{Socket, World};
use tcpstack::tcp::State;

use super::chance::Chance;

/// The byte at `place` of the stream `stream`; no shifted copy fits, and no other stream.
fn byte(stream: u64, place: u64) -> u8 {
    let mut word = (stream << 48) ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word ^= word >> 29;
    (word.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) as u8
}

/// Which end, and for a server the client's address.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Client,
    Server(SocketAddr),
}

/// One end of a connection and its program.
pub(crate) struct Application {
    pub(crate) socket: Socket,
    /// Which connection of the life it is.
    pub(crate) connection: usize,
    /// The client's address, by which both ends are known.
    pub(crate) client_end: SocketAddr,
    /// Which streams it writes and reads.
    writes: u64,
    reads: u64,
    /// Bytes it wants to send, has sent, and has read.
    to_send: u64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    is_shut: bool,
    pub(crate) at_end: bool,
    pub(crate) is_closed: bool,
    /// How the connection failed, if it did.
    pub(crate) error: Option<Error>,
    /// It may do anything at any time, and not only what ends well.
    is_rude: bool,
    read_max: u64,
    write_max: u64,
    /// Percent of the times that it does anything when it could.
    diligence: u64,
}

impl Application {
    /// A program for one end of the life's connection number `connection`.
    pub(crate) fn new(
        chance: &mut Chance,
        world: &mut World,
        socket: Socket,
        connection: usize,
        role: Role,
        is_rude: bool,
    ) -> Application {
        // One stream leads from client to server, the next one back.
        let (forth, back) = (2 * connection as u64, 2 * connection as u64 + 1);
        let (client_end, writes, reads) = match role {
            Role::Client => {
                let local = world.host(socket.host).local_addr(socket.id);
                (local.expect("it is connecting"), forth, back)
            }
            Role::Server(peer) => (peer, back, forth),
        };
        let no_delay = SocketOption::NoDelay(chance.percent(50));
        let set = |host: &mut tcpstack::host::Host, now| host.set_option(now, socket.id, no_delay);
        world.with_host(socket.host, set).expect("the option is there");
        Application {
            socket,
            connection,
            client_end,
            writes,
            reads,
            to_send: chance.one_of(&[0, 1, 1000, 30_000, 200_000]),
            sent: 0,
            received: 0,
            is_shut: false,
            at_end: false,
            is_closed: false,
            error: None,
            is_rude,
            read_max: chance.one_of(&[7, 100, 3000, 1 << 30]),
            write_max: chance.one_of(&[7, 100, 3000, 1 << 20]),
            diligence: chance.one_of(&[5, 50, 100]),
        }
    }

    /// What a failure shows.
    pub(crate) fn describe(&self) -> String {
        let Application { connection, sent, to_send, received, is_shut, at_end, error, .. } = self;
        format!(
            "{connection}: sent {sent} of {to_send} (shut: {is_shut}), read {received} (end: {at_end}), {error:?}"
        )
    }

    /// Whether it has nothing more to do.
    pub(crate) fn is_done(&self) -> bool {
        self.is_closed || self.error.is_some() || (self.is_shut && self.at_end)
    }

    /// Does what chance says.
    pub(crate) fn act(&mut self, chance: &mut Chance, world: &mut World) {
        if self.is_closed || !chance.percent(self.diligence) {
            return;
        }
        if world.state(self.socket) == State::SynSent && !self.is_rude {
            // shutdown() would give the attempt up.
            return;
        }
        if self.is_rude && chance.percent(1) {
            return self.be_rude(chance, world);
        }
        if self.sent < self.to_send {
            self.send(world);
        } else if !self.is_shut {
            let result = world.shutdown(self.socket, Shutdown::Write);
            self.is_shut = true;
            self.note(result.map(|()| 0));
        }
        if !self.at_end {
            self.receive(world);
        }
    }

    fn be_rude(&mut self, chance: &mut Chance, world: &mut World) {
        let Socket { host, id } = self.socket;
        match chance.below(5) {
            0 => {
                let linger = SocketOption::Linger(Some(Duration::ZERO));
                let set = |host: &mut tcpstack::host::Host, now| host.set_option(now, id, linger);
                world.with_host(host, set).expect("the option is there");
                self.close(world);
            }
            1 => self.close(world),
            2 => drop(world.shutdown(self.socket, Shutdown::Both)),
            3 => drop(world.shutdown(self.socket, Shutdown::Read)),
            _ => drop(world.shutdown(self.socket, Shutdown::Write)),
        }
    }

    pub(crate) fn close(&mut self, world: &mut World) {
        if !self.is_closed {
            self.is_closed = true;
            world.close(self.socket).expect("it is open");
        }
    }

    fn send(&mut self, world: &mut World) {
        let len = (self.to_send - self.sent).min(self.write_max);
        let data: Vec<u8> = (self.sent..self.sent + len).map(|at| byte(self.writes, at)).collect();
        let result = world.send(self.socket, &data);
        self.sent += self.note(result) as u64;
    }

    fn receive(&mut self, world: &mut World) {
        let max = usize::try_from(self.read_max).expect("64 bits");
        let result = world.recv(self.socket, max);
        if self.error.is_none() && result.as_ref().is_ok_and(Vec::is_empty) {
            self.at_end = true;
        }
        let bytes = result.as_deref().unwrap_or_default();
        for (at, read) in (self.received..).zip(bytes) {
            assert_eq!(*read, byte(self.reads, at), "byte {at} of stream {}", self.reads);
        }
        self.received += bytes.len() as u64;
        self.note(result.map(|_| 0));
    }

    /// Keeps the first error that is no mere "not now".
    fn note(&mut self, result: Result<usize, Error>) -> usize {
        match result {
            Ok(count) => count,
            Err(Error::WouldBlock) => 0,
            Err(error) => {
                self.error.get_or_insert(error);
                0
            }
        }
    }
}
