//! Socket options: what a socket was asked to be, before and after it has a connection.
//!
//! A value that is stored is in Linux's range; one that is not, or an option that this stack does
//! not have, is refused with Linux's error.

use std::time::Duration;

use super::{Domain, Error, Knobs};
use crate::tcp::Settings;

/// Linux's TCP_MAXSEG range (`TCP_MIN_MSS`, `MAX_TCP_WINDOW`).
const MAX_SEGMENT: std::ops::RangeInclusive<u16> = 88..=32_767;

/// What TCP_MAXSEG shows before there is a connection (RFC 9293 §3.7.1, MUST-15).
pub(super) const DEFAULT_SEGMENT: u16 = 536;

/// A socket option with its value; the numbers of the C API are mapped to these above the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// SO_REUSEADDR: bind beside sockets that have it too and do not listen, TIME-WAIT included.
    ReuseAddr(bool),
    /// SO_REUSEPORT: several listeners on one address share its connections.
    ReusePort(bool),
    /// SO_SNDBUF in bytes. As on Linux, reading it gives twice what was set.
    SendBuffer(u32),
    /// SO_RCVBUF in bytes. As on Linux, reading it gives twice what was set.
    ReceiveBuffer(u32),
    /// SO_LINGER: how long close() waits; zero: it resets; None: it goes on in the background.
    Linger(Option<Duration>),
    /// TCP_NODELAY: no Nagle (RFC 9293 §3.7.4).
    NoDelay(bool),
    /// TCP_MAXSEG in bytes, 88 to 32,767; 0 takes the wish back.
    MaxSegment(u16),
    /// IPV6_V6ONLY: an IPv6 socket that leaves IPv4 alone.
    V6Only(bool),
    /// SO_KEEPALIVE; the stack has no keepalive, so only `false` is taken.
    KeepAlive(bool),
}

/// Which socket option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionName {
    /// SO_REUSEADDR.
    ReuseAddr,
    /// SO_REUSEPORT.
    ReusePort,
    /// SO_SNDBUF.
    SendBuffer,
    /// SO_RCVBUF.
    ReceiveBuffer,
    /// SO_LINGER.
    Linger,
    /// TCP_NODELAY.
    NoDelay,
    /// TCP_MAXSEG.
    MaxSegment,
    /// IPV6_V6ONLY.
    V6Only,
    /// SO_KEEPALIVE.
    KeepAlive,
}

/// The options of one socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) reuse_addr: bool,
    pub(super) reuse_port: bool,
    pub(super) v6_only: bool,
    pub(super) linger: Option<Duration>,
    no_delay: bool,
    max_segment: Option<u16>,
    send_buffer: Buffer,
    receive_buffer: Buffer,
}

/// The size of a socket buffer: what it holds, and what getsockopt says of it.
#[derive(Clone, Copy, Debug)]
struct Buffer {
    capacity: u32,
    shown: u32,
}

impl Buffer {
    fn initial(size: u32) -> Buffer {
        Buffer { capacity: size, shown: size }
    }

    /// Linux doubles what is asked for, for its bookkeeping, and shows the double.
    fn asked(size: u32, min: u32, max: u32) -> Buffer {
        let shown = size.saturating_mul(2).clamp(min, max.saturating_mul(2));
        Buffer { capacity: shown / 2, shown }
    }
}

impl Options {
    pub(super) fn new(knobs: &Knobs) -> Options {
        Options {
            reuse_addr: false,
            reuse_port: false,
            v6_only: false,
            linger: None,
            no_delay: false,
            max_segment: None,
            send_buffer: Buffer::initial(knobs.send_buffer().default),
            receive_buffer: Buffer::initial(knobs.receive_buffer().default),
        }
    }

    /// What a connection has to know of them.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            send_buffer: self.send_buffer.capacity,
            receive_buffer: self.receive_buffer.capacity,
            no_delay: self.no_delay,
            max_segment: self.max_segment,
        }
    }

    /// Changes one; `is_bound` says that the socket has an address.
    ///
    /// # Errors
    /// `NoOption` for what this stack or family does not have, `Invalid` for a value out of range or
    /// one that comes too late.
    pub(super) fn set(
        &mut self,
        option: SocketOption,
        domain: Domain,
        is_bound: bool,
        knobs: &Knobs,
    ) -> Result<(), Error> {
        match option {
            SocketOption::ReuseAddr(on) => self.reuse_addr = on,
            SocketOption::ReusePort(on) => self.reuse_port = on,
            SocketOption::SendBuffer(size) => {
                let sizes = knobs.send_buffer();
                self.send_buffer = Buffer::asked(size, sizes.min, sizes.max);
            }
            SocketOption::ReceiveBuffer(size) => {
                let sizes = knobs.receive_buffer();
                self.receive_buffer = Buffer::asked(size, sizes.min, sizes.max);
            }
            SocketOption::Linger(linger) => self.linger = linger,
            SocketOption::NoDelay(on) => self.no_delay = on,
            SocketOption::MaxSegment(0) => self.max_segment = None,
            SocketOption::MaxSegment(size) if MAX_SEGMENT.contains(&size) => {
                self.max_segment = Some(size);
            }
            SocketOption::MaxSegment(_) => return Err(Error::Invalid),
            SocketOption::V6Only(_) if domain == Domain::V4 => return Err(Error::NoOption),
            SocketOption::V6Only(_) if is_bound => return Err(Error::Invalid),
            SocketOption::V6Only(on) => self.v6_only = on,
            SocketOption::KeepAlive(true) => return Err(Error::NoOption),
            SocketOption::KeepAlive(false) => {}
        }
        Ok(())
    }

    /// Reads one.
    ///
    /// # Errors
    /// `NoOption` for what this family does not have.
    pub(super) fn get(&self, name: OptionName, domain: Domain) -> Result<SocketOption, Error> {
        Ok(match name {
            OptionName::ReuseAddr => SocketOption::ReuseAddr(self.reuse_addr),
            OptionName::ReusePort => SocketOption::ReusePort(self.reuse_port),
            OptionName::SendBuffer => SocketOption::SendBuffer(self.send_buffer.shown),
            OptionName::ReceiveBuffer => SocketOption::ReceiveBuffer(self.receive_buffer.shown),
            OptionName::Linger => SocketOption::Linger(self.linger),
            OptionName::NoDelay => SocketOption::NoDelay(self.no_delay),
            OptionName::MaxSegment => {
                SocketOption::MaxSegment(self.max_segment.unwrap_or(DEFAULT_SEGMENT))
            }
            OptionName::V6Only if domain == Domain::V4 => return Err(Error::NoOption),
            OptionName::V6Only => SocketOption::V6Only(self.v6_only),
            OptionName::KeepAlive => SocketOption::KeepAlive(false),
        })
    }
}
