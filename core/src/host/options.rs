//! Socket options: what a socket was asked to be, before and after it has a connection.
//!
//! A value that is stored is in Linux's range; one that is not, or an option that this stack does
//! not have, is refused with Linux's error. The `table` says which options there are, `shape` how
//! their values lie in C's memory.

mod shape;
mod table;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::ip_options::IpOptions;
use super::socket::{Kind, Socket};
use super::{Domain, Error, Knobs};
use crate::knobs::BufferSizes;
use crate::tcp::Settings;
use crate::tcp::fast_open::CookieKeys;

pub use shape::{Encoded, Shape};
pub(super) use table::{Change, View};
pub use table::{OPTIONS, OptionName, OptionRow, SocketOption};

/// What TCP_MAXSEG shows before there is a connection (RFC 9293 §3.7.1, MUST-15).
const DEFAULT_SEGMENT: u16 = 536;

/// Linux's limit of a buffer that is forced: INT_MAX shows as its double.
const FORCED_MAX: u32 = i32::MAX.cast_unsigned() / 2;

/// Values that sockets were given lately: whoever is given the same shares it, so that a million
/// sockets with one wish cost no more memory than one.
#[derive(Default)]
pub(super) struct RecentOptions(VecDeque<Arc<Options>>);

/// So many values are remembered.
const RECENT: usize = 8;

impl RecentOptions {
    /// The same value, shared if it was given lately.
    pub(super) fn share(&mut self, options: &Arc<Options>) -> Arc<Options> {
        if let Some(same) = self.0.iter().find(|recent| *recent == options) {
            return Arc::clone(same);
        }
        self.0.truncate(RECENT - 1);
        self.0.push_front(Arc::clone(options));
        Arc::clone(options)
    }
}

/// The options of one socket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    pub(super) reuse_addr: bool,
    pub(super) reuse_port: bool,
    pub(super) v6_only: bool,
    pub(super) linger: Option<Duration>,
    pub(super) ip: IpOptions,
    /// recvmsg tells how much is left.
    tells_inq: bool,
    /// For those who block on top of the host; zero: not at all.
    receive_timeout: Option<Duration>,
    send_timeout: Option<Duration>,
    /// From which a listener's Fast Open cookies are made, if not from the host's keys.
    fast_open_keys: Option<Box<CookieKeys>>,
    /// What a connection has to know of them; shared until one of the sockets changes its own.
    settings: Arc<Settings>,
}

/// Linux doubles what is asked for, for its bookkeeping; this is the half that holds data.
fn buffer_capacity(asked: u32, sizes: BufferSizes) -> u32 {
    asked.saturating_mul(2).clamp(sizes.min, sizes.max.saturating_mul(2)) / 2
}

/// The same without the knob's limit; Linux takes a negative size as none.
fn forced_capacity(asked: u32, sizes: BufferSizes) -> u32 {
    let asked = if asked.cast_signed() < 0 { 0 } else { asked };
    asked.min(FORCED_MAX).max(sizes.min / 2)
}

/// What getsockopt says of a buffer: the double, once the application has chosen.
fn buffer_shown(capacity: u32, is_fixed: bool) -> u32 {
    if is_fixed { capacity.saturating_mul(2) } else { capacity }
}

/// TCP_DEFER_ACCEPT as Linux keeps it: the time that so many retransmissions of the SYN+ACK take,
/// the first after a second, each after twice as long, 120 seconds at most.
fn defer_time(seconds: i32) -> Option<Duration> {
    let wanted = u64::try_from(seconds).unwrap_or(0);
    let (mut period, mut timeout, mut retransmissions) = (1, 1, 1);
    while wanted > period && retransmissions < u8::MAX {
        timeout = (2 * timeout).min(120);
        period += timeout;
        retransmissions += 1;
    }
    (wanted > 0).then(|| Duration::from_secs(period))
}

impl Options {
    pub(super) fn new(knobs: &Knobs) -> Options {
        Options {
            reuse_addr: false,
            reuse_port: false,
            v6_only: false,
            linger: None,
            ip: IpOptions::default(),
            tells_inq: false,
            receive_timeout: None,
            send_timeout: None,
            fast_open_keys: None,
            settings: Arc::new(Settings {
                send_buffer: knobs.send_buffer().default,
                receive_buffer: knobs.receive_buffer().default,
                ..Settings::default()
            }),
        }
    }

    /// The keys of a listener's own Fast Open cookies.
    pub(super) fn fast_open_keys(&self) -> Option<CookieKeys> {
        self.fast_open_keys.as_deref().copied()
    }

    /// What a connection has to know of them.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
    }

    /// The most that the receive buffer can become, in bytes.
    fn receive_limit(&self, knobs: &Knobs) -> u32 {
        match self.settings.is_receive_buffer_fixed {
            true => self.settings.receive_buffer,
            false => knobs.receive_buffer().max,
        }
    }

    /// TCP_MAXSEG: of a connection, the segment size in force.
    fn segment_shown(&self, socket: &Socket) -> u16 {
        match &socket.kind {
            Kind::Connection(connection) => connection.smss(),
            _ => self.settings.max_segment.unwrap_or(DEFAULT_SEGMENT),
        }
    }
}

impl SocketOption {
    /// Sets it, where the socket's family has it.
    ///
    /// # Errors
    /// `NoOption` for what this family does not have or what can only be read, `Invalid` for a value
    /// out of range or one that comes too late.
    pub(super) fn set(self, change: &mut Change<'_>) -> Result<(), Error> {
        self.name().check_family(change.domain)?;
        self.apply(change)
    }
}

impl OptionName {
    /// Reads it, where the socket's family has it.
    ///
    /// # Errors
    /// `NoOption` for what this family does not have or what can only be set.
    pub(super) fn get(self, view: &View<'_>) -> Result<SocketOption, Error> {
        // Linux tells those who read that it is another family's, and those who set that there is none.
        self.check_family(view.socket.domain).map_err(|_| Error::NotSupported)?;
        self.read(view)
    }

    /// IPv6's options are those of AF_INET6 sockets alone.
    fn check_family(self, domain: Domain) -> Result<(), Error> {
        let is_v6 = OPTIONS.iter().any(|row| row.option == self && row.level == libc::IPPROTO_IPV6);
        if is_v6 && domain == Domain::V4 { Err(Error::NoOption) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
