//! A connection's two ends, in as little room as they need: a host may have a million of them.
//!
//! IPv4's lie in place, IPv6's elsewhere. Both ends are of one family: a packet has one IP header.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::event::ConnectionName;

/// The two ends, from this host's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    V4 { local: SocketAddrV4, remote: SocketAddrV4 },
    V6(Box<(SocketAddrV6, SocketAddrV6)>),
}

impl Ends {
    /// Those of a connection by that name.
    pub(super) fn of(name: &ConnectionName) -> Ends {
        match (name.local, name.remote) {
            (SocketAddr::V6(local), Some(SocketAddr::V6(remote))) => {
                Ends::V6(Box::new((local, remote)))
            }
            (local, remote) => Ends::V4 { local: v4(Some(local)), remote: v4(remote) },
        }
    }

    pub(super) fn local(&self) -> SocketAddr {
        match self {
            Ends::V4 { local, .. } => SocketAddr::V4(*local),
            Ends::V6(ends) => SocketAddr::V6(ends.0),
        }
    }

    pub(super) fn remote(&self) -> SocketAddr {
        match self {
            Ends::V4 { remote, .. } => SocketAddr::V4(*remote),
            Ends::V6(ends) => SocketAddr::V6(ends.1),
        }
    }

    /// Whether these are the two ends.
    pub(super) fn are(&self, local: &SocketAddr, remote: &SocketAddr) -> bool {
        match (self, local, remote) {
            (Ends::V4 { local, remote }, SocketAddr::V4(near), SocketAddr::V4(far)) => {
                local == near && remote == far
            }
            (Ends::V6(ends), SocketAddr::V6(near), SocketAddr::V6(far)) => {
                ends.0 == *near && ends.1 == *far
            }
            _ => false,
        }
    }

    pub(super) fn is_ipv4(&self) -> bool {
        matches!(self, Ends::V4 { .. })
    }

    /// The local and the remote port.
    pub(super) fn ports(&self) -> (u16, u16) {
        match self {
            Ends::V4 { local, remote } => (local.port(), remote.port()),
            Ends::V6(ends) => (ends.0.port(), ends.1.port()),
        }
    }
}

/// What is no IPv4 address beside one is nobody's.
fn v4(end: Option<SocketAddr>) -> SocketAddrV4 {
    match end {
        Some(SocketAddr::V4(end)) => end,
        _ => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
    }
}
