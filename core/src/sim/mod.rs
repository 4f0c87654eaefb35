//! A whole network in one value: hosts and the links between them, on one virtual clock.
//!
//! The hosts are the very [`Host`](crate::host::Host)s that run on a real network. A [`World`] jumps
//! from one event to the next, be it a packet that arrives or a timer that fires, so that an hour of
//! waiting takes no time. It reads no clock and draws no chance but from its seed: the same seed and
//! the same calls give the same run, to the byte.
//!
//! What happens on a link is said by an [`Impairment`](crate::device::Impairment) (by chance) and by
//! rules (to the packet):
//!
//! ```
//! use std::time::Duration;
//! use tcpstack::sim::{World, drop_nth};
//! use tcpstack::tcp::State;
//!
//! let mut world = World::new(7);
//! let client_host = world.add_host("client", ["10.0.0.1".parse()?]);
//! let server_host = world.add_host("server", ["10.0.0.2".parse()?]);
//! let link = world.link(client_host, server_host, Duration::from_millis(5));
//! world.add_rule(link, client_host, drop_nth(1, |packet| packet.is_syn()));
//!
//! let listener = world.listen(server_host, "10.0.0.2:80".parse()?, 16)?;
//! let client = world.connect(client_host, "10.0.0.2:80".parse()?)?;
//! world.run_until(Duration::from_secs(2), |world| world.state(client) == State::Established);
//! assert_eq!(world.now().as_micros(), 1_010_000); // the SYN was lost and sent again after a second
//!
//! world.send(client, b"hello")?;
//! world.close(client)?; // ours is the first FIN: ours is TIME-WAIT
//! world.run_for(Duration::from_millis(100));
//! let server = world.accept(listener)?;
//! assert_eq!(world.recv(server, 100)?, b"hello");
//! assert_eq!(world.recv(server, 100)?, b""); // the end of the stream
//! world.close(server)?;
//!
//! world.run_for(Duration::from_secs(1));
//! let left = world.host(client_host).connections();
//! assert_eq!(left[0].state, State::TimeWait);
//! world.run_for(Duration::from_secs(60));
//! assert!(world.host(client_host).connections().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agenda;
mod application;
mod blocking;
mod journey;
mod link;
mod packet;
mod world;

pub use application::Socket;
pub use blocking::BlockingCall;
pub use journey::{Captured, Fate, Journey};
pub use link::{Action, Conditions, LinkId, REORDER_WAIT, Vantage, at_number, drop_all, drop_nth};
pub use packet::Packet;
pub use world::{HostId, World};
