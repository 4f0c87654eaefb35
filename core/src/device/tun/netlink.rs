//! The kernel's configuration of an interface over rtnetlink (rtnetlink(7)): addresses, MTU, up. One
//! request and one acknowledgement at a time.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sockopt,
};
use nix::sys::time::TimeVal;

use crate::device::error::context;

/// A socket to the kernel's routing tables.
pub(super) struct Netlink(OwnedFd);

/// How long a new IPv6 address may take to become usable; it is usually less than a millisecond.
const USABLE_WITHIN_S: i64 = 1;

/// The fixed header of a message (nlmsghdr).
const MESSAGE_HEADER_LEN: usize = 16;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTMGRP_IPV6_ROUTE: u32 = 0x400;
const RTN_LOCAL: u8 = 2;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// The address is ours alone on this link: usable at once, without duplicate detection (RFC 4862 §5.4).
const IFA_F_NODAD: u8 = 0x2;
const IFLA_MTU: u16 = 4;

impl Netlink {
    pub(super) fn open() -> io::Result<Netlink> {
        let socket = socket::socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        );
        socket.map(Netlink).map_err(|e| context(e, "opening a netlink socket"))
    }

    /// Gives the interface an address; one that is there keeps its place.
    pub(super) fn add_address(
        &self,
        index: u32,
        address: IpAddr,
        prefix_len: u8,
    ) -> io::Result<()> {
        let (family, bytes) = match address {
            IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
            IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
        };
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        let flags = if address.is_ipv6() { IFA_F_NODAD } else { 0 };
        let mut body = vec![family as u8, prefix_len, flags, 0];
        body.extend_from_slice(&index.to_ne_bytes());
        attribute(&mut body, IFA_LOCAL, &bytes);
        attribute(&mut body, IFA_ADDRESS, &bytes);
        let routes = LocalRoutes::watch()?;
        self.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body)?;
        if address.is_ipv6() {
            routes.wait_for(&bytes)?;
        }
        Ok(())
    }

    /// Brings the interface up, with the MTU given.
    pub(super) fn set_up(&self, index: u32, mtu: Option<usize>) -> io::Result<()> {
        // struct ifinfomsg: family, padding, type, index, flags, and which of the flags to change.
        let up = libc::IFF_UP as u32;
        let mut body = vec![0; 4];
        for field in [index, up, up] {
            body.extend_from_slice(&field.to_ne_bytes());
        }
        if let Some(mtu) = mtu {
            let mtu = u32::try_from(mtu).map_err(|_| io::Error::from(Errno::EINVAL))?;
            attribute(&mut body, IFLA_MTU, &mtu.to_ne_bytes());
        }
        self.request(RTM_NEWLINK, 0, &body)
    }

    /// Sends one message and waits for the kernel's word on it, which comes at once.
    fn request(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        let len = u32::try_from(MESSAGE_HEADER_LEN + body.len()).unwrap_or(u32::MAX);
        let mut message = len.to_ne_bytes().to_vec();
        message.extend_from_slice(&kind.to_ne_bytes());
        message.extend_from_slice(&(NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        // Sequence number and port: one request per answer needs neither.
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(body);
        socket::send(self.0.as_raw_fd(), &message, MsgFlags::empty())?;
        let mut answer = [0; 1024];
        let len = socket::recv(self.0.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        acknowledged(&answer[..len])
    }
}

/// The kernel's news of IPv6 routes. It enters the route to a new IPv6 address of its own a little
/// after it acknowledged the address, and until then drops what is sent there.
struct LocalRoutes(Netlink);

impl LocalRoutes {
    fn watch() -> io::Result<LocalRoutes> {
        let netlink = Netlink::open()?;
        socket::bind(netlink.0.as_raw_fd(), &NetlinkAddr::new(0, RTMGRP_IPV6_ROUTE))?;
        let timeout = TimeVal::new(USABLE_WITHIN_S, 0);
        socket::setsockopt(&netlink.0, sockopt::ReceiveTimeout, &timeout)?;
        Ok(LocalRoutes(netlink))
    }

    /// Returns when the route to `address` is there, or has not come in time: packets may then be
    /// lost at first, which is no failure of the interface.
    fn wait_for(&self, address: &[u8]) -> io::Result<()> {
        let mut message = [0; 4096];
        loop {
            match socket::recv(self.0.0.as_raw_fd(), &mut message, MsgFlags::empty()) {
                Ok(len) if is_route_to(&message[..len], address) => return Ok(()),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether it is RTM_NEWROUTE with a route of type local (the eighth byte of rtmsg) to this address.
fn is_route_to(message: &[u8], address: &[u8]) -> bool {
    let is_new = message.get(4..6) == Some(&RTM_NEWROUTE.to_ne_bytes());
    let is_local = message.get(MESSAGE_HEADER_LEN + 7) == Some(&RTN_LOCAL);
    is_new && is_local && message.windows(address.len()).any(|bytes| bytes == address)
}

/// Appends an attribute (rtattr), padded to 4 bytes.
fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let len = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    body.extend_from_slice(&len.to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// The errno in an NLMSG_ERROR message; 0 is the acknowledgement.
fn acknowledged(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).map(|b| u16::from_ne_bytes([b[0], b[1]]));
    let code = answer.get(16..20).map(|b| i32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => {
            Err(io::Error::from_raw_os_error(code.checked_neg().unwrap_or(libc::EPROTO)))
        }
        _ => Err(Errno::EPROTO.into()),
    }
}
