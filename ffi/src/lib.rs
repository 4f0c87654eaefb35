//! libtcpstack: the C interface. One file per noun of `include/tcpstack.h`, which cbindgen makes
//! from the comments here: a comment on an exported function is a page of the C manual.
//!
//! Every exported function runs inside [`panic::boundary`]: it turns a failure into `-1` (or NULL)
//! and `errno`, keeps the sentence for `tcps_last_error`, and lets no panic cross into C. Nothing
//! here decides anything about TCP: arguments are checked as Linux checks them, and the call goes
//! to `tcpstack::net`.

// What a pointer must be is said in C's terms in each function's manual page.
#![allow(clippy::missing_safety_doc)]

#[allow(unsafe_code)]
pub mod version;

#[allow(unsafe_code)]
pub mod last_error;

#[allow(unsafe_code)]
pub mod stack;

#[allow(unsafe_code)]
pub mod connections;

#[allow(unsafe_code)]
pub mod events;

#[allow(unsafe_code)]
pub mod source;

#[allow(unsafe_code)]
pub mod manual;

#[allow(unsafe_code)]
pub mod socket;

#[allow(unsafe_code)]
pub mod transfer;

#[allow(unsafe_code)]
pub mod vector;

#[allow(unsafe_code)]
mod flow;

#[allow(unsafe_code)]
pub mod option;

#[allow(unsafe_code)]
pub mod control;
#[allow(unsafe_code)]
mod control_message;

#[allow(unsafe_code)]
pub mod poll;

#[allow(unsafe_code)]
mod address;

#[allow(unsafe_code)]
mod pointer;

#[allow(unsafe_code)]
mod descriptor;

mod errno;
mod handle;
mod panic;
mod signal;
