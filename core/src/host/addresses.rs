//! The host's own addresses: which packets are for it, and which address it speaks from.
//!
//! Inside the host every address is canonical: an IPv4 address is never written as an IPv6 one.
//! The mapped form (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) exists only at the edge to an IPv6 socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Domain, Error};

/// The addresses of a host with their prefix lengths.
#[derive(Debug)]
pub(super) struct Addresses {
    own: Vec<(IpAddr, u8)>,
}

impl Addresses {
    pub(super) fn new(own: Vec<(IpAddr, u8)>) -> Addresses {
        Addresses { own }
    }

    /// The first one, which names the host unless it has a name.
    pub(super) fn first(&self) -> Option<IpAddr> {
        self.own.first().map(|(address, _)| *address)
    }

    /// Whether the address was given to the host.
    pub(super) fn is_own(&self, address: IpAddr) -> bool {
        self.own.iter().any(|(own, _)| *own == address)
    }

    /// Whether packets to it stay inside: 127/8, ::1 and own addresses.
    pub(super) fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.is_own(address)
    }

    /// The address to speak from to `destination`: itself or the loopback address if it is local,
    /// else the own address of its family in whose subnet it lies (longest prefix), else the first
    /// one that reaches beyond its link.
    pub(super) fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        if destination.is_loopback() {
            return Some(loopback(Domain::of(destination)));
        }
        if self.is_own(destination) {
            return Some(destination);
        }
        let family = || self.own.iter().filter(|(own, _)| own.is_ipv4() == destination.is_ipv4());
        let (address, _) = family()
            .filter(|(own, prefix)| same_subnet(*own, destination, *prefix))
            .max_by_key(|(_, prefix)| *prefix)
            .or_else(|| family().find(|(own, _)| !is_link_local(*own)))
            .or_else(|| family().next())?;
        Some(*address)
    }

    /// Whether a packet may come from this address (RFC 1122 §3.2.1.3): it may name one other host. A
    /// mapped address (RFC 4291 §2.5.5.2) names none on the wire: it would pass for an IPv4 peer.
    pub(super) fn is_usable_source(&self, address: IpAddr) -> bool {
        let is_nobody = match address {
            IpAddr::V4(v4) => v4.octets()[0] == 0,
            IpAddr::V6(v6) => v6.is_unspecified() || v6.to_ipv4_mapped().is_some(),
        };
        !is_nobody && !address.is_loopback() && self.is_unicast(address)
    }

    /// Whether one can connect to it: not a group of hosts, and not all those of a link.
    pub(super) fn is_unicast(&self, address: IpAddr) -> bool {
        !address.is_multicast() && !self.is_broadcast(address)
    }

    /// The limited broadcast, or that of a subnet of ours; subnets of two hosts or one have none
    /// (RFC 3021).
    fn is_broadcast(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else { return false };
        let is_of_subnet = |(own, prefix): &(IpAddr, u8)| match own {
            IpAddr::V4(own) if *prefix < 31 => {
                own.to_bits() | u32::MAX >> prefix == address.to_bits() && *own != address
            }
            _ => false,
        };
        address.is_broadcast() || self.own.iter().any(is_of_subnet)
    }
}

/// 127.0.0.1 or ::1.
pub(super) fn loopback(domain: Domain) -> IpAddr {
    match domain {
        Domain::V4 => Ipv4Addr::LOCALHOST.into(),
        Domain::V6 => Ipv6Addr::LOCALHOST.into(),
    }
}

/// 0.0.0.0 or ::.
pub(super) fn unspecified(domain: Domain) -> IpAddr {
    match domain {
        Domain::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Domain::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The canonical form of an address that the application gave to a socket of `domain`.
///
/// # Errors
/// `AddressFamily` when a socket of this kind cannot use it.
pub(super) fn canonical(
    domain: Domain,
    v6_only: bool,
    address: SocketAddr,
) -> Result<SocketAddr, Error> {
    match (domain, address) {
        (Domain::V4, SocketAddr::V4(_)) => Ok(address),
        (Domain::V6, SocketAddr::V6(v6)) => match v6.ip().to_canonical() {
            IpAddr::V4(_) if v6_only => Err(Error::NetUnreachable),
            // Flow label and scope mean nothing on a device that has one other end.
            ip => Ok(SocketAddr::new(ip, v6.port())),
        },
        _ => Err(Error::AddressFamily),
    }
}

/// A canonical address as a socket of `domain` shows it: mapped on an IPv6 socket.
pub(super) fn shown(domain: Domain, address: SocketAddr) -> SocketAddr {
    match (domain, address.ip()) {
        (Domain::V6, IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        _ => address,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn same_subnet(left: IpAddr, right: IpAddr, prefix: u8) -> bool {
    let difference = match (left, right) {
        (IpAddr::V4(left), IpAddr::V4(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        (IpAddr::V6(left), IpAddr::V6(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        _ => return false,
    };
    difference >= u32::from(prefix)
}

#[cfg(test)]
mod tests;
