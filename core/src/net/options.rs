//! setsockopt and getsockopt as C has them: (level, number) and the value's bytes.
//!
//! The host's table says which options there are and how their values lie in memory. Added here is
//! what belongs to those who block: the timeouts, which every call reads without a lock, and SO_ERROR,
//! which is taken as it is read, and TCP_INFO, a structure.

use super::SocketError;
use super::socket::Socket;
use crate::host::{Domain, Encoded, Error, OptionName, SocketOption};

impl Socket {
    /// Sets an option.
    ///
    /// # Errors
    /// `Invalid` for a value out of range, `NoOption` for what the stack does not have.
    pub fn set_option(&self, option: SocketOption) -> Result<(), SocketError> {
        let id = self.endpoint().id;
        self.shared().enter(|locked, now| locked.host.set_option(now, id, option))??;
        let timeout = match option {
            SocketOption::ReceiveTimeout(time) => {
                self.set_recv_timeout(time);
                time
            }
            SocketOption::SendTimeout(time) => {
                self.set_send_timeout(time);
                time
            }
            _ => return Ok(()),
        };
        if let Some(descriptor) = self.endpoint().descriptor.get() {
            descriptor.set_timeout(option.name(), timeout);
        }
        Ok(())
    }

    /// An option's value.
    ///
    /// # Errors
    /// `NoOption` for what the stack does not have.
    pub fn option(&self, name: OptionName) -> Result<SocketOption, SocketError> {
        Ok(match name {
            OptionName::ReceiveTimeout => SocketOption::ReceiveTimeout(self.recv_timeout()),
            OptionName::SendTimeout => SocketOption::SendTimeout(self.send_timeout()),
            _ => self.look()?.host.option(self.endpoint().id, name)?,
        })
    }

    /// setsockopt: the value's bytes, in the machine's order.
    ///
    /// ```
    /// use tcpstack::host::Domain;
    /// use tcpstack::net::Stack;
    ///
    /// let stack = Stack::open("user:")?;
    /// let socket = stack.socket(Domain::V4)?;
    /// socket.set_raw_option(libc::IPPROTO_TCP, libc::TCP_KEEPCNT, &5_i32.to_ne_bytes())?;
    /// let value = socket.raw_option(libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 4)?;
    /// assert_eq!(value[..], 5_i32.to_ne_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As Linux: `Invalid` for bytes that are too few or a value out of range, `NoOption` for what
    /// the stack does not have or can only be read, `OutOfDomain`, `NoSuchName`.
    pub fn set_raw_option(&self, level: i32, number: i32, value: &[u8]) -> Result<(), SocketError> {
        if !self.has_level(level) {
            return Err(Error::NoOption.into());
        }
        self.set_option(SocketOption::decode(level, number, value)?)
    }

    /// getsockopt: the value's bytes, as many as have `room`.
    ///
    /// # Errors
    /// `NoOption` for what the stack does not have or can only be set; `NotSupported` for a level
    /// that an IPv4 socket does not have.
    pub fn raw_option(&self, level: i32, number: i32, room: usize) -> Result<Encoded, SocketError> {
        if (level, number) == (libc::SOL_SOCKET, libc::SO_ERROR) {
            let errno = self.take_error()?.map_or(0, Error::errno);
            return Ok(errno.to_ne_bytes().into_iter().take(room).collect());
        }
        if (level, number) == (libc::IPPROTO_TCP, libc::TCP_INFO) {
            let info = self.tcp_info()?.to_bytes();
            return Ok(info.into_iter().take(room).collect());
        }
        if !self.has_level(level) && self.domain() == Domain::V4 {
            // Linux: ip_getsockopt says so where ip_setsockopt says ENOPROTOOPT.
            return Err(Error::NotSupported.into());
        }
        let row = OptionName::find(level, number).ok_or(Error::NoOption)?;
        Ok(self.option(row.option)?.encode(room))
    }

    /// Whether a socket of its family has options of that level.
    fn has_level(&self, level: i32) -> bool {
        match level {
            libc::SOL_SOCKET | libc::IPPROTO_TCP | libc::IPPROTO_IP => true,
            libc::IPPROTO_IPV6 => self.domain() == Domain::V6,
            _ => false,
        }
    }
}
