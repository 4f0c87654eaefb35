//! A complete TCP in userspace: the protocol, a host that runs many connections, the devices that
//! carry its packets, a simulator in virtual time, and blocking sockets over the real clock.
//!
//! The layers import downwards only: `wire` <- `tcp` <- `host` <- (`sim` | `net`).

pub mod device;
pub mod event;
pub mod host;
pub mod net;
pub mod tcp;
pub mod time;
pub mod wire;
