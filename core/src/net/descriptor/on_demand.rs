//! Descriptors on demand: numbers that the application has not asked for.
//!
//! Whoever only calls `send` and `recv` needs no descriptor that is readable when the connection is, nor one
//! that carries bytes; showing the one costs system calls, the other a copy and a change of threads more. So
//! until the application asks for the number, for `poll` or `read` or another process, data calls go to the
//! host, and the pair does one thing: its hang-up tells that the number was closed. Then the descriptor is
//! handed out, once and for good, and is a bridged one.
//!
//! The change loses nothing and leaves nobody behind:
//!
//! - *Bytes.* What was sent before is with the host, ahead of all that comes through the pair; what was not
//!   received yet is moved into the pair before the number is returned.
//! - *Calls under way.* Who sends goes on: what is sent at the same time has no order. Who receives
//!   has counted itself, then looked whether the descriptor is handed out; whoever hands it out says so, then
//!   looks for those who receive. So either the call is refused ([`SocketError::HandedOut`]) and can be made
//!   on the descriptor, or the bridge takes nothing from the host until the call has come to its end.
//! - *Ends.* Where our FIN is on the way, the application's end is shut for writing from the start.
//! - *A child of a fork* has every descriptor and no host, so a fork hands all of them out before.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::SeqCst;

use nix::sys::socket::shutdown;

use super::{Descriptor, DescriptorKind, lookup, table};
use crate::host::Error;
use crate::net::blocking::Endpoint;
use crate::net::bridge::Bridge;
use crate::net::{Socket, SocketError};

/// A call that receives from the host, as long as this lives.
pub(in crate::net) struct Receiving<'a>(Option<&'a Descriptor>);

impl Receiving<'_> {
    /// Counts a call on the socket of `endpoint`.
    ///
    /// # Errors
    /// `HandedOut`.
    pub(in crate::net) fn begin(endpoint: &Endpoint) -> Result<Receiving<'_>, SocketError> {
        let descriptor = endpoint.descriptor.get();
        let Some(descriptor) = descriptor.filter(|it| it.kind == DescriptorKind::OnDemand) else {
            return Ok(Receiving(None));
        };
        descriptor.receivers.fetch_add(1, SeqCst);
        let receiving = Receiving(Some(descriptor));
        if descriptor.is_handed_out() { Err(SocketError::HandedOut) } else { Ok(receiving) }
    }
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        // The call brings the descriptor up to date once this is gone, as every call does.
        if let Some(descriptor) = self.0 {
            descriptor.receivers.fetch_sub(1, SeqCst);
        }
    }
}

/// The application wants the number of a descriptor on demand, which is bridged from here on: when this
/// returns it shows what a TCP socket would. Nothing happens to others, or the second time.
///
/// # Errors
/// `BadSocket`: not one of ours.
pub fn hand_out(fd: RawFd) -> Result<(), SocketError> {
    let socket = lookup(fd).ok_or(Error::BadSocket)?;
    give(&socket);
    Ok(())
}

/// Hands out every descriptor that there is.
pub(super) fn hand_out_all() {
    for socket in table::all(|socket| !socket.is_handed_out()) {
        give(&socket);
    }
}

fn give(socket: &Socket) {
    let endpoint = socket.endpoint();
    if let Some(descriptor) = endpoint.descriptor.get() {
        descriptor.is_handed_out.store(true, SeqCst);
        // The bridge first, then what is there to cross it.
        descriptor.show_own(socket.shared(), endpoint, false);
        descriptor.show_own(socket.shared(), endpoint, false);
    }
}

impl Descriptor {
    /// Whether the application may know the number.
    pub(in crate::net) fn is_handed_out(&self) -> bool {
        self.is_handed_out.load(SeqCst)
    }

    /// Whether a call receives from the host, to which the bridge leaves the bytes.
    pub(in crate::net) fn has_receivers(&self) -> bool {
        self.receivers.load(SeqCst) > 0
    }

    /// Has writing fail where the application has finished before.
    pub(super) fn shut_writing(&self, bridge: &mut Bridge) {
        if let Some(number) = self.number() {
            // It fails only when the application has closed the descriptor meanwhile.
            let _ = shutdown(number, nix::sys::socket::Shutdown::Write);
            bridge.set_fin_sent();
        }
    }
}
