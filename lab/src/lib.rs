//! The learning tool: what `tcpstack show` reads, orders and draws.
//!
//! The parts are pure and in this order: recordings -> [`story`] -> [`diagram`] -> [`render`].

pub mod book;
pub mod caption;
pub mod capture;
pub mod diagram;
pub mod export;
pub mod lesson;
pub mod open;
pub mod recording;
pub mod render;
pub mod run;
#[cfg(feature = "server")]
pub mod server;
pub mod stage;
pub mod story;
#[cfg(feature = "terminal")]
pub mod terminal;
pub mod text;
