//! Python's address tuples: `(host, port)` for IPv4, `(host, port, flowinfo, scope_id)` for IPv6.
//!
//! A host that is not a number is looked up by the kernel's resolver, through Python's own function.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use pyo3::exceptions::{PyOSError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tcpstack::host::Domain;

/// An address given by the caller.
pub(crate) struct Address(pub(crate) SocketAddr);

impl<'py> FromPyObject<'_, 'py> for Address {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Address> {
        let wrong_shape = || {
            PyTypeError::new_err(
                "an address is (host, port), or (host, port, flowinfo, scope_id) for IPv6",
            )
        };
        let tuple = object.cast::<PyTuple>().map_err(|_| wrong_shape())?;
        if !(2..=4).contains(&tuple.len()) {
            return Err(wrong_shape());
        }
        let host: String = tuple.get_item(0)?.extract()?;
        let port: i64 = tuple.get_item(1)?.extract()?;
        let port =
            u16::try_from(port).map_err(|_| PyOverflowError::new_err("port must be 0-65535."))?;
        let number = |index| match tuple.get_item(index) {
            Ok(item) => item.extract::<u32>(),
            Err(_) => Ok(0),
        };
        Ok(Address(match resolve(object.py(), &host)? {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, number(2)?, number(3)?).into(),
        }))
    }
}

/// The first address of `host`; "" is every address of the stack. `socket.gaierror` if unknown.
fn resolve(py: Python<'_>, host: &str) -> PyResult<IpAddr> {
    if host.is_empty() {
        return Ok(Ipv4Addr::UNSPECIFIED.into());
    }
    if let Ok(ip) = host.parse() {
        return Ok(ip);
    }
    let found = py.import("socket")?.call_method1("getaddrinfo", (host, 0))?;
    let text: String = found.get_item(0)?.get_item(4)?.get_item(0)?.extract()?;
    text.parse().map_err(|_| PyOSError::new_err((libc::EAFNOSUPPORT, format!("{host}: {text}"))))
}

/// The tuple that `getsockname()` and friends return.
pub(crate) fn to_tuple(py: Python<'_>, address: SocketAddr) -> PyResult<Bound<'_, PyTuple>> {
    let host = address.ip().to_string();
    match address {
        SocketAddr::V4(_) => (host, address.port()).into_pyobject(py),
        SocketAddr::V6(v6) => {
            (host, address.port(), v6.flowinfo(), v6.scope_id()).into_pyobject(py)
        }
    }
}

/// Which kind of socket reaches `address`.
pub(crate) fn domain_of(address: SocketAddr) -> Domain {
    match address {
        SocketAddr::V4(_) => Domain::V4,
        SocketAddr::V6(_) => Domain::V6,
    }
}

/// The domain of an `AF_*` number, if the stack has it.
pub(crate) fn domain_of_family(family: i32) -> Option<Domain> {
    match family {
        libc::AF_INET => Some(Domain::V4),
        libc::AF_INET6 => Some(Domain::V6),
        _ => None,
    }
}

/// The `AF_*` number of a domain.
pub(crate) fn family_of(domain: Domain) -> i32 {
    match domain {
        Domain::V4 => libc::AF_INET,
        Domain::V6 => libc::AF_INET6,
    }
}
