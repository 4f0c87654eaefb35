//! Whole connections in the simulator: every test is a script of what the applications do, what the
//! network does to single packets, and what must be seen then.

#[path = "sim/bad_network.rs"]
mod bad_network;
#[path = "sim/blocking.rs"]
mod blocking;
#[path = "sim/close_orders.rs"]
mod close_orders;
#[path = "sim/determinism.rs"]
mod determinism;
#[path = "sim/fairness.rs"]
mod fairness;
#[path = "sim/handshake.rs"]
mod handshake;
#[path = "sim/journeys.rs"]
mod journeys;
#[path = "sim/lives.rs"]
mod lives;
#[path = "sim/reordering.rs"]
mod reordering;
#[path = "sim/repairs.rs"]
mod repairs;
#[path = "sim/resets.rs"]
mod resets;
#[path = "sim/retransmission.rs"]
mod retransmission;
#[path = "sim/script.rs"]
mod script;
#[path = "sim/seeds.rs"]
mod seeds;
#[path = "sim/time_wait.rs"]
mod time_wait;
#[path = "sim/told.rs"]
mod told;
#[path = "sim/windows.rs"]
mod windows;
#[path = "sim/world.rs"]
mod world;
