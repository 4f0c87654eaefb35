//! A complete TCP in userspace: the protocol, a host that runs many connections, the devices that
//! carry its packets, a simulator in virtual time, and blocking sockets over the real clock.
//!
//! The layers import downwards only: `wire` <- `tcp` <- `host` <- (`sim` | `net`). Beneath them all
//! lie a few words that every layer uses: [`blocks`], [`time`], [`error`], [`knobs`], [`readiness`], [`reason`].

pub mod blocks;
pub mod device;
pub mod error;
pub mod event;
pub mod host;
pub mod knobs;
pub mod net;
pub mod readiness;
pub mod reason;
pub mod sim;
pub mod tcp;
pub mod time;
pub mod wire;
