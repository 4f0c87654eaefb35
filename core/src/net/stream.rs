//! `TcpListener` and `TcpStream` in the shape of `std::net`, for Rust programs.
//!
//! Thin: everything is done by [`Socket`], which `as_socket` gives to those who need more.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use super::{Flags, Socket, SocketError, Stack};
use crate::host::{Domain, Error, OptionName, Shutdown, SocketOption};

/// What `std::net::TcpListener::bind` asks for.
const BACKLOG: u32 = 128;

/// A socket that takes connections. Closed when dropped.
#[derive(Debug)]
pub struct TcpListener {
    socket: Socket,
}

/// A connection, or one end of it. Closed when the last clone is dropped.
///
/// A stack talks to itself on 127.0.0.1 and its own addresses, and to other processes over its
/// device, here a directory:
///
/// ```
/// use std::io::{Read, Write};
/// use tcpstack::net::{Stack, TcpListener, TcpStream};
///
/// let directory = std::env::temp_dir().join(format!("tcpstack-doc-{}", std::process::id()));
/// let network = format!("unix:{}", directory.display());
/// let alice = Stack::open(&format!("{network}?addr=10.7.0.1/24"))?;
/// let bob = Stack::open(&format!("{network}?addr=10.7.0.2/24"))?;
///
/// let listener = TcpListener::bind(&bob, "10.7.0.2:7777")?;
/// let mut client = TcpStream::connect(&alice, "10.7.0.2:7777")?;
/// let (mut server, peer) = listener.accept()?;
/// assert_eq!(peer, client.local_addr()?);
///
/// client.write_all(b"hello")?;
/// client.shutdown(std::net::Shutdown::Write)?;
/// let mut text = String::new();
/// server.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # drop((client, server, listener, alice, bob));
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TcpStream {
    socket: Arc<Socket>,
}

/// Connections as they come; never ends. See [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

/// The domain of a socket that can have `addr`.
fn domain(addr: &SocketAddr) -> Domain {
    if addr.is_ipv4() { Domain::V4 } else { Domain::V6 }
}

/// Tries each address until one works; the last error otherwise.
fn try_each<T>(
    addrs: impl ToSocketAddrs,
    mut attempt: impl FnMut(SocketAddr) -> Result<T, SocketError>,
) -> io::Result<T> {
    let mut last = SocketError::Host(Error::Invalid);
    for addr in addrs.to_socket_addrs()? {
        match attempt(addr) {
            Ok(done) => return Ok(done),
            Err(error) => last = error,
        }
    }
    Err(last.into())
}

impl TcpListener {
    /// Listens on the first of `addr` that can be had, with SO_REUSEADDR and a backlog of 128.
    ///
    /// # Errors
    /// Those of [`Socket::bind`] and [`Socket::listen`].
    pub fn bind(stack: &Stack, addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
        try_each(addr, |addr| {
            let socket = stack.socket(domain(&addr))?;
            socket.set_option(SocketOption::ReuseAddr(true))?;
            socket.bind(addr)?;
            socket.listen(BACKLOG)?;
            Ok(TcpListener { socket })
        })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// Those of [`Socket::accept`].
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = self.socket.accept()?;
        Ok((TcpStream { socket: Arc::new(socket) }, peer))
    }

    /// Connections as they come.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// When the stack is closed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Whether `accept` fails with `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, on: bool) {
        self.socket.set_nonblocking(on);
    }

    /// The socket.
    pub fn as_socket(&self) -> &Socket {
        &self.socket
    }
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl TcpStream {
    /// Connects to the first of `addr` that answers.
    ///
    /// # Errors
    /// Those of [`Socket::connect`].
    pub fn connect(stack: &Stack, addr: impl ToSocketAddrs) -> io::Result<TcpStream> {
        try_each(addr, |addr| {
            let socket = stack.socket(domain(&addr))?;
            socket.connect(addr)?;
            Ok(TcpStream { socket: Arc::new(socket) })
        })
    }

    /// Another handle of the same connection.
    ///
    /// # Errors
    /// None; the shape is std's.
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        Ok(self.clone())
    }

    /// The address of this end.
    ///
    /// # Errors
    /// When the stack is closed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.socket.peer_addr()?)
    }

    /// Ends one direction, or both.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        let how = match how {
            std::net::Shutdown::Read => Shutdown::Read,
            std::net::Shutdown::Write => Shutdown::Write,
            std::net::Shutdown::Both => Shutdown::Both,
        };
        Ok(self.socket.shutdown(how)?)
    }

    /// Receives without taking.
    ///
    /// # Errors
    /// Those of [`Socket::recv`].
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.socket.recv(buffer, Flags { peek: true, ..Flags::default() })?)
    }

    /// Whether small pieces are sent at once (RFC 9293 §3.7.4: Nagle's algorithm off).
    ///
    /// # Errors
    /// When the stack is closed.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        Ok(self.socket.set_option(SocketOption::NoDelay(on))?)
    }

    /// Whether small pieces are sent at once.
    ///
    /// # Errors
    /// When the stack is closed.
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(self.socket.option(OptionName::NoDelay)? == SocketOption::NoDelay(true))
    }

    /// Whether calls fail with `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, on: bool) {
        self.socket.set_nonblocking(on);
    }

    /// How long `read` waits; None: as long as it takes.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) {
        self.socket.set_recv_timeout(timeout);
    }

    /// How long `write` waits; None: as long as it takes.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) {
        self.socket.set_send_timeout(timeout);
    }

    /// SO_ERROR: the pending error, once.
    ///
    /// # Errors
    /// When the stack is closed.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.socket.take_error()?.map(|error| SocketError::Host(error).into()))
    }

    /// The socket.
    pub fn as_socket(&self) -> &Socket {
        &self.socket
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.socket.recv(buffer, Flags::default())?)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        Ok(self.socket.recvv(buffers, Flags::default())?)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.socket.send(data, Flags::default())?)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.socket.sendv(data, Flags::default())?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
