//! A stack over a TUN interface beside the kernel's own TCP: throughput, response, connections.
//!
//! Of each measurement there are three processes. The runner makes a network namespace; in it runs
//! the server, which is the stack under test and listens; and the client, which is the kernel's TCP
//! in all of them, connects and holds the stopwatch. So the time is taken alike whoever serves, and
//! ends when the last byte is there, not when it was handed over.
//!
//! The reference is the kernel as server too (`relay`): in a namespace of its own, with a TUN
//! interface of its own, and between the two interfaces threads that only copy.

pub mod client;
mod namespace;
mod relay;
mod rows;
mod server;
mod smol;

use std::net::{Ipv4Addr, SocketAddr};

pub use namespace::Namespace;
pub use rows::{Contender, ROWS, Row, Task, Work};

/// The interface's name, in its namespace.
const INTERFACE: &str = "tcps0";
/// The client's end of it.
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The server's end of it.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PORT: u16 = 5001;
/// Of the interface, in bytes.
const MTU: usize = 1500;
/// smoltcp's buffers, and tcpstack's where it is to do with the same.
const BUFFER: usize = 1 << 20;

fn server_address() -> SocketAddr {
    SocketAddr::from((SERVER, PORT))
}
