//! What a descriptor shows: the mask that the host wants, made of an AF_UNIX pair.
//!
//! | shown | made by |
//! |---|---|
//! | IN | a byte from the inner end, unread |
//! | not OUT | the outer end's send buffer filled |
//! | RDHUP | the inner end shut down for writing |
//! | HUP | shut down both ways |
//! | ERR | the inner end closed with a byte unread |
//! | PRI | a byte from the inner end, out of band and not taken (Linux 5.15) |
//!
//! Whatever shows PRI shows IN as well: where nothing but the urgent byte is here, a direct descriptor is
//! readable until the application's next call. A bridged one, whose bytes are the application's own,
//! shows no PRI.
//!
//! What adds readiness is done with the inner end, by any thread; what takes it away (draining the
//! byte, filling the buffer) needs the outer one, and happens in the application's own calls, which
//! are the only ones to make a socket less ready. RDHUP and HUP are never taken back: on Linux they are by a
//! second `connect` on a socket whose first, non-blocking one failed.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::socket::{Shutdown, shutdown};

use super::descriptor::{self, DescriptorKind};
use crate::host::Readiness;

/// Bytes read at once when a descriptor is drained.
const DRAIN: usize = 4096;

/// Bytes left with the outer end by a call that leaves it readable: taking them back is a system call.
const EDGES_KEPT: usize = 16;

/// The inner end, and what the outer one shows because of it.
pub(super) struct Signals {
    inner: OwnedFd,
    /// Bytes sent to the outer end and not drained: IN.
    bytes_in: usize,
    /// Bytes that fill the outer end's send buffer, beside the one that stays: not OUT.
    fill: usize,
    /// Bytes written at once to fill it: few, so that little has to be drained.
    fill_piece: usize,
    is_read_shut: bool,
    is_shut_both_ways: bool,
    /// A byte was sent out of band: PRI.
    is_urgent_shown: bool,
}

impl Signals {
    /// Signals over `inner`, whose outer end shows OUT.
    pub(super) fn new(inner: OwnedFd, kind: DescriptorKind) -> Signals {
        let fill_piece = match kind {
            DescriptorKind::Direct => 1,
            DescriptorKind::Bridged | DescriptorKind::OnDemand => 32 << 10,
        };
        Signals {
            inner,
            bytes_in: 0,
            fill: 0,
            fill_piece,
            is_read_shut: false,
            is_shut_both_ways: false,
            is_urgent_shown: false,
        }
    }

    pub(super) fn inner(&self) -> &OwnedFd {
        &self.inner
    }

    /// The inner end with nothing in it but the byte that stays.
    pub(super) fn into_inner(mut self) -> OwnedFd {
        self.show_out();
        self.inner
    }

    /// Shows `wanted`; `number` is the outer end in the application's own calls, of which
    /// `was_refused` says that the send buffer was full. True: the inner end has to be closed now,
    /// which shows ERR.
    pub(super) fn show(
        &mut self,
        wanted: Readiness,
        number: Option<RawFd>,
        was_refused: bool,
    ) -> bool {
        // An error of a connection that goes on is not the kind that ends one.
        if wanted.contains(Readiness::ERR.union(Readiness::HUP)) {
            return true;
        }
        if wanted.contains(Readiness::HUP) {
            self.shut(Shutdown::Both);
        } else if wanted.contains(Readiness::RDHUP) {
            self.shut(Shutdown::Write);
        }
        if wanted.contains(Readiness::OUT) {
            if let Some(number) = number.filter(|_| was_refused) {
                // Room came between the refusal and now: the writer waits for an edge.
                self.hide_out(number);
            }
            self.show_out();
        } else if let Some(number) = number {
            self.hide_out(number);
        }
        if let Some(number) = number {
            self.hide_urgent(number, wanted);
        }
        if wanted.contains(Readiness::IN) {
            // Without the application's number it comes from a wake: something is new.
            self.show_in(number.is_none());
        }
        if let Some(number) = number {
            // One byte is enough to show IN; the others made edges, and new ones need the room.
            let kept = usize::from(wanted.contains(Readiness::IN));
            if kept == 0 || self.bytes_in > EDGES_KEPT {
                self.hide_in(number, kept);
            }
        }
        if wanted.contains(Readiness::PRI) {
            self.show_urgent();
        }
        false
    }

    fn show_urgent(&mut self) {
        if !self.is_urgent_shown && !self.is_read_shut {
            // A kernel without it refuses: then PRI is not shown.
            self.is_urgent_shown = descriptor::send_urgent(self.inner.as_raw_fd()).is_ok();
        }
    }

    /// Takes PRI back where it is not wanted, and for a moment where the bytes about it have to go:
    /// reading past it would lose it unseen.
    fn hide_urgent(&mut self, number: RawFd, wanted: Readiness) {
        let is_in_the_way = match wanted.contains(Readiness::IN) {
            true => self.bytes_in > EDGES_KEPT,
            false => self.bytes_in > 0,
        };
        if self.is_urgent_shown && (is_in_the_way || !wanted.contains(Readiness::PRI)) {
            descriptor::recv_urgent_and_all(number, &mut [0; DRAIN]);
            (self.is_urgent_shown, self.bytes_in) = (false, 0);
        }
    }

    fn shut(&mut self, how: Shutdown) {
        let is_done = match how {
            Shutdown::Both => self.is_shut_both_ways,
            _ => self.is_read_shut,
        };
        if !is_done {
            // It fails only when the outer end is gone.
            let _ = shutdown(self.inner.as_raw_fd(), how);
            self.is_read_shut = true;
            self.is_shut_both_ways = how == Shutdown::Both;
        }
    }

    /// IN. What arrives while it is shown makes a new edge for EPOLLET, a few hundred times between two
    /// calls on the socket: as often as the kernel's queue takes a byte more.
    fn show_in(&mut self, is_news: bool) {
        let is_due = self.bytes_in == 0 || is_news;
        if is_due && !self.is_read_shut && descriptor::send(self.inner.as_raw_fd(), &[1]).is_ok() {
            self.bytes_in += 1;
        }
    }

    /// Takes the bytes back but for `kept`.
    fn hide_in(&mut self, number: RawFd, kept: usize) {
        let mut scratch = [0; DRAIN];
        while self.bytes_in > kept {
            let max = (self.bytes_in - kept).min(DRAIN);
            match descriptor::recv(number, &mut scratch[..max]) {
                Ok(count) if count > 0 => self.bytes_in -= count,
                // Somebody else read it: then it is not shown either.
                _ => self.bytes_in = 0,
            }
        }
    }

    fn show_out(&mut self) {
        let mut scratch = [0; DRAIN];
        while self.fill > 0 {
            let max = self.fill.min(DRAIN);
            match descriptor::recv(self.inner.as_raw_fd(), &mut scratch[..max]) {
                Ok(count) if count > 0 => self.fill -= count,
                _ => self.fill = 0,
            }
        }
    }

    fn hide_out(&mut self, number: RawFd) {
        if self.fill > 0 {
            return;
        }
        let piece = vec![0; self.fill_piece];
        while let Ok(count) = descriptor::send(number, &piece) {
            self.fill += count;
            let shown = descriptor::poll_now(descriptor::borrow(number));
            if !shown.contains(Readiness::OUT) {
                return;
            }
        }
    }
}
