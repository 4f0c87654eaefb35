//! Socket addresses in and out, with the lengths and families that Linux takes.

use std::ffi::c_int;
use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};
use nix::errno::Errno;
use tcpstack::host::Domain;

use crate::errno::Failure;
use crate::pointer;

/// No address is longer (Linux's move_addr_to_kernel).
const LONGEST: usize = size_of::<sockaddr_storage>();
const V4_LEN: usize = size_of::<sockaddr_in>();
const V6_LEN: usize = size_of::<sockaddr_in6>();
/// A sockaddr_in6 as RFC 2133 had it, without sin6_scope_id; Linux still takes it.
const V6_LEN_WITHOUT_SCOPE: usize = offset_of!(sockaddr_in6, sin6_scope_id);

/// The address at `address`, for a socket of `domain`.
///
/// # Safety
/// `address` is NULL or points to `len` readable bytes.
pub(crate) unsafe fn read(
    domain: Domain,
    address: *const sockaddr,
    len: socklen_t,
) -> Result<SocketAddr, Failure> {
    // SAFETY: passed on from this function's own condition.
    let bytes = unsafe { raw(address, len) }?;
    parse(domain, bytes)
}

/// The bytes of an address whose length can be; what they say is not looked at.
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn raw<'a>(
    address: *const sockaddr,
    len: socklen_t,
) -> Result<&'a [u8], Failure> {
    if len as usize > LONGEST {
        return Err(Failure::invalid("no address is as long as its length says"));
    }
    // SAFETY: passed on from this function's own condition.
    unsafe { pointer::bytes(address.cast(), len as usize) }
        .map_err(|_| Failure::null("the address is NULL"))
}

fn parse(domain: Domain, bytes: &[u8]) -> Result<SocketAddr, Failure> {
    let needed = match domain {
        Domain::V4 => V4_LEN,
        Domain::V6 => V6_LEN_WITHOUT_SCOPE,
    };
    if bytes.len() < needed {
        return Err(Failure::invalid("the address is shorter than its family needs"));
    }
    let family = c_int::from(u16::from_ne_bytes(array(bytes, 0)));
    let port = u16::from_be_bytes(array(bytes, offset_of!(sockaddr_in, sin_port)));
    match (domain, family) {
        (Domain::V4, libc::AF_INET) => {
            let ip = Ipv4Addr::from(array::<4>(bytes, offset_of!(sockaddr_in, sin_addr)));
            Ok(SocketAddrV4::new(ip, port).into())
        }
        (Domain::V6, libc::AF_INET6) => {
            let ip = Ipv6Addr::from(array::<16>(bytes, offset_of!(sockaddr_in6, sin6_addr)));
            let flow_info = array(bytes, offset_of!(sockaddr_in6, sin6_flowinfo));
            let scope_id = match bytes.len() < V6_LEN {
                true => 0,
                false => u32::from_ne_bytes(array(bytes, V6_LEN_WITHOUT_SCOPE)),
            };
            Ok(SocketAddrV6::new(ip, port, u32::from_be_bytes(flow_info), scope_id).into())
        }
        _ => Err(Failure::Argument(
            Errno::EAFNOSUPPORT,
            "the address is of another family than the socket",
        )),
    }
}

/// Whether it is an address of no family, which disconnects.
///
/// # Safety
/// `address` is NULL or points to `len` readable bytes.
pub(crate) unsafe fn is_unspecified(
    address: *const sockaddr,
    len: socklen_t,
) -> Result<bool, Failure> {
    // SAFETY: the condition of this function.
    let bytes = unsafe { raw(address, len) }?;
    let family = bytes.first_chunk().map(|family| u16::from_ne_bytes(*family));
    family
        .map(|family| c_int::from(family) == libc::AF_UNSPEC)
        .ok_or(Failure::invalid("the address is too short for a family"))
}

/// The N bytes at `at`; the caller has checked that they are there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// Where an address goes back to the caller: room and its length.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    address: *mut sockaddr,
    len: *mut socklen_t,
    cap: usize,
}

impl Place {
    /// Checks the pointers and the length at `len`, before anything happens that can't be undone.
    ///
    /// # Safety
    /// `len` is NULL or points to a length, and `address` is NULL or points to that many writable
    /// bytes; both outlive the result.
    pub(crate) unsafe fn check(
        address: *mut sockaddr,
        len: *mut socklen_t,
    ) -> Result<Place, Failure> {
        if address.is_null() {
            return Err(Failure::null("the place for the address is NULL"));
        }
        // SAFETY: passed on from this function's own condition.
        let cap = unsafe { pointer::read(len, "the address's length is NULL") }?;
        // Linux reads the length as an int.
        let cap = c_int::try_from(cap).map_err(|_| Failure::invalid("a negative length"))?;
        Ok(Place { address, len, cap: cap.unsigned_abs() as usize })
    }

    /// Writes as much of `address` as has room, and its whole length, so that the caller can tell.
    ///
    /// # Safety
    /// The pointers of [`Place::check`] are still good.
    pub(crate) unsafe fn fill(self, family: c_int, address: SocketAddr) -> Result<(), Failure> {
        let mut bytes = [0; V6_LEN];
        let len = encode(address_for(family, address), &mut bytes);
        // SAFETY: `cap` bytes at `address` are writable, by the condition of `check`.
        let out = unsafe { pointer::bytes_mut(self.address.cast(), self.cap.min(len)) }?;
        out.copy_from_slice(&bytes[..out.len()]);
        // SAFETY: `len` is writable, by the condition of `check`.
        unsafe { self.set_len(len) }
    }

    /// Says that there is no address, as Linux does for `recvfrom` on a connection.
    ///
    /// # Safety
    /// As for [`Place::fill`].
    pub(crate) unsafe fn clear(self) -> Result<(), Failure> {
        // SAFETY: passed on.
        unsafe { self.set_len(0) }
    }

    /// # Safety
    /// As for [`Place::fill`].
    unsafe fn set_len(self, len: usize) -> Result<(), Failure> {
        // SAFETY: passed on. No address is longer than a socklen_t can say.
        unsafe { pointer::write(self.len, len as socklen_t, "the address's length is NULL") }
    }
}

/// An AF_INET6 socket shows an IPv4 peer as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
fn address_for(family: c_int, address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if family == libc::AF_INET6 => {
            SocketAddr::new(ip.to_ipv6_mapped().into(), address.port())
        }
        _ => address,
    }
}

/// `address` as a sockaddr_in or sockaddr_in6; returns its length.
fn encode(address: SocketAddr, out: &mut [u8; V6_LEN]) -> usize {
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(offset_of!(sockaddr_in, sin_port), &address.port().to_be_bytes());
    match address {
        SocketAddr::V4(v4) => {
            put(0, &(libc::AF_INET as u16).to_ne_bytes());
            put(offset_of!(sockaddr_in, sin_addr), &v4.ip().octets());
            V4_LEN
        }
        SocketAddr::V6(v6) => {
            put(0, &(libc::AF_INET6 as u16).to_ne_bytes());
            put(offset_of!(sockaddr_in6, sin6_flowinfo), &v6.flowinfo().to_be_bytes());
            put(offset_of!(sockaddr_in6, sin6_addr), &v6.ip().octets());
            put(V6_LEN_WITHOUT_SCOPE, &v6.scope_id().to_ne_bytes());
            V6_LEN
        }
    }
}

/// `address` in a sockaddr_storage; all zero, which is AF_UNSPEC, for none.
pub(crate) fn storage(address: Option<SocketAddr>) -> sockaddr_storage {
    let mut bytes = [0; V6_LEN];
    if let Some(address) = address {
        encode(address, &mut bytes);
    }
    // SAFETY: zero is a value of every field of this structure.
    let mut out: sockaddr_storage = unsafe { std::mem::zeroed() };
    // SAFETY: both are plain bytes, `out` is longer, and they are different variables.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut out).cast(), V6_LEN) };
    out
}

#[cfg(test)]
mod tests;
