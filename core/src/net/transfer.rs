//! `send` and `recv`: bytes between the application's buffers and the host's.
//!
//! Each way has one copy. Sending copies with the host locked, a bounded piece at a time; receiving
//! takes shared slices out of the lock and copies them afterwards.

use std::io::{IoSlice, IoSliceMut};

use bytes::Bytes;
use smallvec::SmallVec;

use super::blocking::Patience;
use super::calls::{Call, shown_bytes};
use super::descriptor::Receiving;
use super::shared::Locked;
use super::socket::{Socket, unless_blocked};
use super::{Flags, SocketError};
use crate::blocks;
use crate::host::{Error, Readiness, SocketId, wording};
use crate::tcp::SendFlags;
use crate::time::Instant;

/// Bytes copied in one hold of the lock.
const PIECE: usize = 256 << 10;

/// From so many bytes on a call is one of a bulk.
const BULK: usize = 32 << 10;

/// What is left of several buffers.
struct Unsent<'a> {
    slices: &'a [IoSlice<'a>],
    /// Bytes of the first slice that are done.
    offset: usize,
    sent: usize,
    total: usize,
    /// More calls like this one are likely to follow.
    is_bulk: bool,
    flags: Flags,
}

impl Unsent<'_> {
    /// The next bytes to send; None when all are.
    fn next(&mut self) -> Option<(&[u8], SendFlags)> {
        while let [first, rest @ ..] = self.slices
            && self.offset == first.len()
        {
            self.slices = rest;
            self.offset = 0;
        }
        let first = self.slices.first()?;
        let left = &first[self.offset..];
        let piece = &left[..left.len().min(PIECE)];
        Some((piece, self.flags_of(piece.len())))
    }

    /// What the host is told of a piece of `len` bytes: the last has the end of all.
    fn flags_of(&self, len: usize) -> SendFlags {
        let is_last = self.sent + len == self.total;
        SendFlags {
            more: self.flags.more,
            bulk: self.is_bulk,
            end_of_record: self.flags.end_of_record && is_last,
            urgent: self.flags.out_of_band && is_last,
        }
    }

    fn advance(&mut self, count: usize) {
        self.offset += count;
        self.sent += count;
    }

    /// Hands the host a piece; whether it took any.
    fn hand_over(
        &mut self,
        locked: &mut Locked,
        now: Instant,
        id: SocketId,
    ) -> Result<Option<()>, Error> {
        if self.sent > 0 && locked.host.readiness(id).contains(Readiness::ERR) {
            // What was taken is reported now; the error stays for the next call to say why.
            return Err(Error::BrokenPipe);
        }
        let end = self.sent + PIECE;
        let mut took = false;
        while self.sent < end {
            let Some((bytes, flags)) = self.next() else { return Ok(Some(())) };
            match unless_blocked(locked.host.send_with(now, id, bytes, flags)) {
                Ok(Some(count)) => self.advance(count),
                Ok(None) => break,
                Err(error) => return Err(error),
            }
            took = true;
        }
        Ok(took.then_some(()))
    }
}

/// Sends all, or what fits.
pub(super) fn send(
    socket: &Socket,
    data: &[IoSlice<'_>],
    flags: Flags,
) -> Result<usize, SocketError> {
    let total: usize = data.iter().map(|slice| slice.len()).sum();
    let mut call = Call::new(socket.shared(), "send", || {
        let shown = shown_bytes(data.first().map_or(&[], |slice| slice), total);
        let Flags { more, end_of_record, out_of_band: urgent, .. } = flags;
        shown + &wording::send_flags(SendFlags { more, end_of_record, urgent, bulk: false })
    });
    let patience = socket.send_patience(flags);
    let is_bulk = total >= BULK && !socket.shared().clock.is_manual();
    // Who never waits may go on to wait elsewhere, in poll(2) say: the device stays the engine's.
    let hears = is_bulk && !matches!(patience, Patience::None);
    let mut unsent = Unsent { slices: data, offset: 0, sent: 0, total, is_bulk, flags };
    let result = loop {
        let step = socket.drive_hearing(hears, &mut call, patience, |locked, now, id| {
            if total == 0 {
                // Nothing to send still says whether it could be.
                return locked.host.send(now, id, &[]).map(|_| Some(()));
            }
            unsent.hand_over(locked, now, id)
        });
        match step {
            Ok(Some(())) if unsent.sent < total => {}
            Ok(Some(())) => break Ok(total),
            _ if unsent.sent > 0 => break Ok(unsent.sent),
            Ok(None) => break Err(Error::WouldBlock.into()),
            Err(error) => break Err(error),
        }
    };
    call.finish(socket.shared(), Some(socket.endpoint().id), &result, usize::to_string);
    result
}

impl Socket {
    /// Waits until a call that sends takes some bytes or fails, as poll for POLLOUT does.
    ///
    /// # Errors
    /// `WouldBlock` (non-blocking, or the send timeout has passed); `Interrupted`.
    pub fn wait_writable(&self) -> Result<(), SocketError> {
        let mut call = Call::new(self.shared(), "poll", || "POLLOUT".into());
        let patience = self.send_patience(Flags::default());
        let done = Readiness::OUT | Readiness::ERR | Readiness::HUP;
        let waited = self.drive(&mut call, patience, |locked, _, id| {
            Ok(locked.host.readiness(id).intersects(done).then_some(()))
        });
        let result = waited.and_then(|done| done.ok_or(Error::WouldBlock.into()));
        call.finish(self.shared(), Some(self.endpoint().id), &result, |()| "1".into());
        result
    }
}

/// Receives what is there, or until the buffers are full.
pub(super) fn recv(
    socket: &Socket,
    data: &mut [IoSliceMut<'_>],
    flags: Flags,
) -> Result<usize, SocketError> {
    let _receiving = Receiving::begin(socket.endpoint())?;
    let total: usize = data.iter().map(|slice| slice.len()).sum();
    let mut call = Call::new(socket.shared(), "recv", || total.to_string());
    let patience = socket.recv_patience(flags);
    let result = if flags.peek {
        look(socket, &mut call, total, patience, flags.wait_all)
            .map(|slices| copy(&slices, data, 0))
    } else {
        drain(socket, &mut call, total, patience, flags.wait_all, |slices, filled| {
            copy(slices, data, filled)
        })
    };
    call.finish(socket.shared(), Some(socket.endpoint().id), &result, usize::to_string);
    result
}

/// Receives as [`recv`] does, into nowhere.
pub(super) fn skip(socket: &Socket, count: usize, flags: Flags) -> Result<usize, SocketError> {
    let _receiving = Receiving::begin(socket.endpoint())?;
    let mut call = Call::new(socket.shared(), "recv", || format!("{count}, MSG_TRUNC"));
    let patience = socket.recv_patience(flags);
    let result = if flags.peek {
        look(socket, &mut call, count, patience, flags.wait_all).map(|slices| len(&slices))
    } else {
        drain(socket, &mut call, count, patience, flags.wait_all, |slices, _| len(slices))
    };
    call.finish(socket.shared(), Some(socket.endpoint().id), &result, usize::to_string);
    result
}

type Slices = SmallVec<[Bytes; 4]>;

/// Takes what is there, at most `total` bytes, with `wait_all` all of them; `put` gets them and how
/// many came before, and returns how many they are.
fn drain(
    socket: &Socket,
    call: &mut Call,
    total: usize,
    patience: Patience,
    wait_all: bool,
    mut put: impl FnMut(&Slices, usize) -> usize,
) -> Result<usize, SocketError> {
    let mut filled = 0;
    loop {
        let step = socket.drive(call, patience, |locked, now, id| {
            let is_over = filled > 0
                && locked.host.readiness(id).contains(Readiness::ERR)
                && locked.host.queues(id).is_ok_and(|(readable, ..)| readable == 0);
            if is_over {
                // The error stays for the next call, which then says why no more came.
                return Ok(Some(Slices::new()));
            }
            unless_blocked(locked.host.recv(now, id, total - filled, false))
        });
        let slices = match step {
            Ok(Some(slices)) => slices,
            _ if filled > 0 => return Ok(filled),
            Ok(None) => return Err(Error::WouldBlock.into()),
            Err(error) => return Err(error),
        };
        let count = put(&slices, filled);
        filled += count;
        if count == 0 || filled == total || !wait_all {
            return Ok(filled);
        }
    }
}

/// Looks without taking; with `wait_all`, once as much is there as was asked for.
fn look(
    socket: &Socket,
    call: &mut Call,
    total: usize,
    patience: Patience,
    wait_all: bool,
) -> Result<Slices, SocketError> {
    let attempt = |wait_all: bool| {
        move |locked: &mut Locked, now: Instant, id: SocketId| {
            let Some(slices) = unless_blocked(locked.host.recv(now, id, total, true))? else {
                return Ok(None);
            };
            let is_final = locked.host.readiness(id).intersects(Readiness::RDHUP);
            let is_enough = !wait_all || is_final || len(&slices) >= total;
            Ok::<Option<Slices>, Error>(is_enough.then_some(slices))
        }
    };
    let mut step = socket.drive(call, patience, attempt(wait_all));
    if wait_all && !matches!(step, Ok(Some(_))) {
        // Out of patience: what is there is the answer.
        if let some @ Ok(Some(_)) = socket.drive(call, Patience::None, attempt(false)) {
            step = some;
        }
    }
    step?.ok_or(Error::WouldBlock.into())
}

fn len(slices: &Slices) -> usize {
    slices.iter().map(Bytes::len).sum()
}

/// Copies `slices` behind the first `filled` bytes of `data`, as far as there is room. Returns how many
/// bytes went.
fn copy(slices: &Slices, data: &mut [IoSliceMut<'_>], filled: usize) -> usize {
    let mut skip = filled;
    let mut copied = 0;
    let mut slices = slices.iter();
    let mut left: &[u8] = &[];
    for buffer in data {
        let skipped = skip.min(buffer.len());
        skip -= skipped;
        let mut room = &mut buffer[skipped..];
        while !room.is_empty() {
            if left.is_empty() {
                let Some(slice) = slices.next() else { return copied };
                left = slice;
                continue;
            }
            let count = left.len().min(room.len());
            let (here, rest) = room.split_at_mut(count);
            blocks::copy(&left[..count], here);
            (room, left) = (rest, &left[count..]);
            copied += count;
        }
    }
    copied
}

#[cfg(test)]
mod tests;
