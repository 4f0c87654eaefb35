//! Socket options: what a socket was asked to be, before and after it has a connection.
//!
//! A value that is stored is in Linux's range; one that is not, or an option that this stack does
//! not have, is refused with Linux's error.

use std::sync::Arc;
use std::time::Duration;

use super::{Domain, Error, Knobs};
use crate::knobs::BufferSizes;
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
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) reuse_addr: bool,
    pub(super) reuse_port: bool,
    pub(super) v6_only: bool,
    pub(super) linger: Option<Duration>,
    /// What a connection has to know of them; shared until one of the sockets changes its own.
    settings: Arc<Settings>,
}

/// Linux doubles what is asked for, for its bookkeeping; this is the half that holds data.
fn buffer_capacity(asked: u32, sizes: BufferSizes) -> u32 {
    asked.saturating_mul(2).clamp(sizes.min, sizes.max.saturating_mul(2)) / 2
}

/// What getsockopt says of a buffer: the double, once the application has chosen.
fn buffer_shown(capacity: u32, is_fixed: bool) -> u32 {
    if is_fixed { capacity.saturating_mul(2) } else { capacity }
}

impl Options {
    pub(super) fn new(knobs: &Knobs) -> Options {
        Options {
            reuse_addr: false,
            reuse_port: false,
            v6_only: false,
            linger: None,
            settings: Arc::new(Settings {
                send_buffer: knobs.send_buffer().default,
                receive_buffer: knobs.receive_buffer().default,
                ..Settings::default()
            }),
        }
    }

    /// What a connection has to know of them.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
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
        let settings = Arc::make_mut(&mut self.settings);
        match option {
            SocketOption::ReuseAddr(on) => self.reuse_addr = on,
            SocketOption::ReusePort(on) => self.reuse_port = on,
            SocketOption::SendBuffer(size) => {
                settings.send_buffer = buffer_capacity(size, knobs.send_buffer());
                settings.is_send_buffer_fixed = true;
            }
            SocketOption::ReceiveBuffer(size) => {
                settings.receive_buffer = buffer_capacity(size, knobs.receive_buffer());
                settings.is_receive_buffer_fixed = true;
            }
            SocketOption::Linger(linger) => self.linger = linger,
            SocketOption::NoDelay(on) => settings.no_delay = on,
            SocketOption::MaxSegment(0) => settings.max_segment = None,
            SocketOption::MaxSegment(size) if MAX_SEGMENT.contains(&size) => {
                settings.max_segment = Some(size);
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
        let settings = &self.settings;
        Ok(match name {
            OptionName::ReuseAddr => SocketOption::ReuseAddr(self.reuse_addr),
            OptionName::ReusePort => SocketOption::ReusePort(self.reuse_port),
            OptionName::SendBuffer => SocketOption::SendBuffer(buffer_shown(
                settings.send_buffer,
                settings.is_send_buffer_fixed,
            )),
            OptionName::ReceiveBuffer => SocketOption::ReceiveBuffer(buffer_shown(
                settings.receive_buffer,
                settings.is_receive_buffer_fixed,
            )),
            OptionName::Linger => SocketOption::Linger(self.linger),
            OptionName::NoDelay => SocketOption::NoDelay(settings.no_delay),
            OptionName::MaxSegment => {
                SocketOption::MaxSegment(settings.max_segment.unwrap_or(DEFAULT_SEGMENT))
            }
            OptionName::V6Only if domain == Domain::V4 => return Err(Error::NoOption),
            OptionName::V6Only => SocketOption::V6Only(self.v6_only),
            OptionName::KeepAlive => SocketOption::KeepAlive(false),
        })
    }
}
