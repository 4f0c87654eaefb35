//! The protocol of one connection, without any I/O: RFC 9293 and the RFCs it leans on.
//!
//! Read it in this order, the RFC in the other hand:
//!
//! 1. the words: [`seq`], [`segment`], [`state`], [`isn`];
//! 2. the two halves of §3.3.1: [`sender`] and [`receiver`];
//! 3. where bytes wait: [`byte_queue`], [`send_buffer`], [`receive_buffer`], [`reassembler`];
//! 4. the connection that owns them: [`connection`];
//! 5. how it begins: [`listener`], [`reset`], `handshake`, [`timestamps`], [`ecn`],
//!    [`accurate_ecn`], [`syn_cookie`], [`fast_open`];
//! 6. what comes in: `arrival`, `acknowledgment`, `text`; urgent data, both ways: `urgent`;
//!    when and what is acknowledged: [`delayed_ack`], `sack`; how much the peer may send: `window`,
//!    `autotune`;
//! 7. what is lost, and how much may fly: [`rtt`], [`recovery`], [`delivery_rate`], [`congestion`],
//!    [`pacing`], `mtu_probe`;
//! 8. what time does: [`timers`], `timeouts`, `liveness`, `user_timeout`;
//! 9. what the application asks: `calls`;
//! 10. what goes out: `output`, how much of it: `allowance`, and what waits: `small_segments`;
//! 11. and how it all looks: `view`, [`info`], `tally`.

pub mod accurate_ecn;
mod acknowledgment;
mod allowance;
mod arrival;
mod autotune;
pub mod byte_queue;
mod calls;
pub mod congestion;
pub mod connection;
pub mod delayed_ack;
pub mod delivery_rate;
pub mod ecn;
mod ends;
pub mod fast_open;
mod handshake;
pub mod info;
pub mod isn;
pub mod listener;
mod liveness;
mod mtu_probe;
mod output;
pub mod pacing;
pub mod reassembler;
pub mod receive_buffer;
pub mod receiver;
pub mod recovery;
pub mod reset;
pub mod rtt;
mod sack;
pub mod segment;
mod seldom;
pub mod send_buffer;
pub mod sender;
pub mod seq;
mod small_segments;
pub mod state;
pub mod syn_cookie;
mod tally;
mod text;
mod timeouts;
pub mod timers;
pub mod timestamps;
mod urgent;
mod user_timeout;
mod view;
mod window;

pub use calls::Shutdown;
pub use connection::{Connection, Context, Outgoing, Settings};
pub use listener::{Arrival, Listener};
pub use reset::reset_for;
pub use seq::Seq;
pub use small_segments::SendFlags;
pub use state::State;
pub(crate) use view::{finished, segment_record};

#[cfg(test)]
mod tests;
