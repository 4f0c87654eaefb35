//! The calls of a program that waits: what a textbook's blocking sockets do, in virtual time.
//!
//! A [`BlockingCall`] is begun and finished by [`World::resume`]: when it cannot go on it says so in the
//! event stream, once, as the same call on a real stack does, and is resumed when more has happened. A call
//! that is never resumed has not returned.

use std::net::SocketAddr;

use super::application::Socket;
use super::world::World;
use crate::event::Source;
use crate::host::{Error, Host, Readiness, SocketId, wording};
use crate::tcp::SendFlags;
use crate::time::Instant;

/// What a call has come to: a value and how events show it; None: it has to wait.
type Step<T> = Result<Option<(T, String)>, Error>;
type Work<T> = Box<dyn FnMut(&mut Host, Instant, SocketId) -> Step<T> + Send>;

/// A call that may have to wait.
///
/// ```
/// use std::time::Duration;
/// use tcpstack::sim::{BlockingCall, World};
///
/// let mut world = World::new(7);
/// let client_host = world.add_host("client", ["10.0.0.1".parse()?]);
/// let server_host = world.add_host("server", ["10.0.0.2".parse()?]);
/// world.link(client_host, server_host, Duration::from_millis(5));
/// world.listen(server_host, "10.0.0.2:80".parse()?, 16)?;
///
/// let client = world.socket(client_host, tcpstack::host::Domain::V4);
/// let mut connect = BlockingCall::connect(client, "10.0.0.2:80".parse()?);
/// assert_eq!(world.resume(&mut connect), None); // it waits for the SYN+ACK
/// world.run_for(Duration::from_millis(10));
/// assert_eq!(world.resume(&mut connect), Some(Ok(())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockingCall<T> {
    socket: Socket,
    name: &'static str,
    /// Until it is recorded.
    arguments: String,
    source: Option<Source>,
    progress: Progress,
    work: Work<T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    NotBegun,
    /// Its number, if anybody reads.
    Waiting(Option<u64>),
    Over,
}

impl<T> BlockingCall<T> {
    fn new(
        socket: Socket,
        name: &'static str,
        arguments: String,
        work: Work<T>,
    ) -> BlockingCall<T> {
        BlockingCall { socket, name, arguments, source: None, progress: Progress::NotBegun, work }
    }

    /// The same call, made from that line of a program.
    pub fn from_line(self, source: Source) -> BlockingCall<T> {
        BlockingCall { source: Some(source), ..self }
    }

    /// Whose call it is.
    pub fn socket(&self) -> Socket {
        self.socket
    }

    /// Whether it has been begun and has not returned: it waits.
    pub fn is_waiting(&self) -> bool {
        matches!(self.progress, Progress::Waiting(_))
    }
}

impl BlockingCall<()> {
    /// `connect`: until the handshake is done, or has failed with one of the errors of [`Host::connect`].
    pub fn connect(socket: Socket, remote: SocketAddr) -> BlockingCall<()> {
        let work = move |host: &mut Host, now, id| match host.connect(now, id, remote) {
            Ok(()) => Ok(Some(((), wording::zero(&())))),
            Err(Error::InProgress | Error::Already) => Ok(None),
            Err(error) => Err(error),
        };
        BlockingCall::new(socket, "connect", remote.to_string(), Box::new(work))
    }
}

impl BlockingCall<Socket> {
    /// `accept`: until there is a connection.
    pub fn accept(listener: Socket) -> BlockingCall<Socket> {
        let work = move |host: &mut Host, now, id| {
            let accepted = unless_blocked(host.accept(now, id))?;
            let shown = |(id, peer): (_, SocketAddr)| {
                (Socket { host: listener.host, id }, peer.to_string())
            };
            Ok(accepted.map(shown))
        };
        BlockingCall::new(listener, "accept", String::new(), Box::new(work))
    }
}

impl BlockingCall<usize> {
    /// `send`: until the send buffer has taken all of `data`, or as much as it took before an error.
    pub fn send(socket: Socket, data: Vec<u8>) -> BlockingCall<usize> {
        BlockingCall::send_with(socket, data, SendFlags::default())
    }

    /// [`BlockingCall::send`] with MSG_OOB, MSG_EOR or MSG_MORE.
    pub fn send_with(socket: Socket, data: Vec<u8>, flags: SendFlags) -> BlockingCall<usize> {
        let arguments = wording::buffer(&data, data.len()) + &wording::send_flags(flags);
        let mut sent = 0;
        let work = move |host: &mut Host, now, id| {
            loop {
                let left = &data[sent..];
                // What was taken is reported now; the error stays for the next call to say why.
                let has_failed = sent > 0 && host.readiness(id).contains(Readiness::ERR);
                let taken = match has_failed {
                    true => Err(Error::BrokenPipe),
                    false => unless_blocked(host.send_with(now, id, left, flags)),
                };
                match taken {
                    Ok(None) => return Ok(None),
                    Ok(Some(count)) => sent += count,
                    Err(error) if sent == 0 => return Err(error),
                    Err(_) => return Ok(Some((sent, sent.to_string()))),
                }
                if sent == data.len() {
                    return Ok(Some((sent, sent.to_string())));
                }
            }
        };
        BlockingCall::new(socket, "send", arguments, Box::new(work))
    }
}

impl BlockingCall<Vec<u8>> {
    /// `recv`: until there is something, at most `max` bytes of it; none: the end of the stream.
    pub fn recv(socket: Socket, max: usize) -> BlockingCall<Vec<u8>> {
        let work = move |host: &mut Host, now, id| {
            let slices = unless_blocked(host.recv(now, id, max, false))?;
            Ok(slices.map(|slices| {
                let bytes = slices.concat();
                let shown = bytes.len().to_string();
                (bytes, shown)
            }))
        };
        BlockingCall::new(socket, "recv", max.to_string(), Box::new(work))
    }
}

impl World {
    /// Makes the call, or goes on with it. None: it waits, so let something happen and resume it.
    ///
    /// # Panics
    /// When it has returned before.
    pub fn resume<T>(&mut self, call: &mut BlockingCall<T>) -> Option<Result<T, Error>> {
        assert!(call.progress != Progress::Over, "the call has returned");
        let Socket { host, id } = call.socket;
        self.with_host(host, |host, now| {
            let number = match call.progress {
                Progress::Waiting(number) => {
                    if let Some(number) = number {
                        host.call_resumed(number);
                    }
                    number
                }
                _ => host.is_observed().then(|| {
                    let arguments = std::mem::take(&mut call.arguments);
                    host.call_entered(now, Some(id), call.name, arguments, call.source.take())
                }),
            };
            let outcome = (call.work)(host, now, id);
            let shown = match &outcome {
                Ok(None) => {
                    let is_first = call.progress == Progress::NotBegun;
                    call.progress = Progress::Waiting(number);
                    match number.filter(|_| is_first) {
                        Some(number) => host.call_blocked(now, Some(id), number, call.name),
                        None => host.call_paused(),
                    }
                    return None;
                }
                Ok(Some((_, shown))) => shown.clone(),
                Err(error) => wording::failure(*error),
            };
            call.progress = Progress::Over;
            if let Some(number) = number {
                host.call_returned(now, Some(id), number, call.name, shown);
            }
            outcome.transpose().map(|done| done.map(|(value, _)| value))
        })
    }
}

/// `WouldBlock` as "not yet".
fn unless_blocked<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::WouldBlock) => Ok(None),
        Err(error) => Err(error),
    }
}
