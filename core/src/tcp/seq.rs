//! Sequence numbers: 64 bits inside, 32 on the wire.
//!
//! Owns every wrap-around of the protocol. A connection's numbers start at `2^32 + ISS` and only
//! grow, so that everywhere else "before" is plain `<`; what arrives is widened once, to the value
//! nearest to what is expected. A `Seq` says nothing about windows: that is for the one who asks.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, AddAssign, Sub};

/// One turn of the 32-bit sequence space.
const TURN: u64 = 1 << 32;

/// A position in the sequence space of one direction, never wrapping.
///
/// Kept as one more than that, so that `Option<Seq>` needs no room of its own.
///
/// ```
/// use tcpstack::tcp::seq::Seq;
///
/// let iss = Seq::from_initial(0xffff_fffe);
/// let una = iss + 4; // past the end of the 32-bit space
/// assert!(una > iss);
/// assert_eq!(una.to_wire(), 2);
/// assert_eq!(Seq::nearest(0xffff_ffff, una), iss + 1);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(NonZeroU64);

impl Seq {
    /// The position `at`; the last number there is has none.
    const fn from_position(at: u64) -> Seq {
        Seq(NonZeroU64::MIN.saturating_add(at))
    }

    /// ISS or IRS: one turn above zero, so that numbers just before it exist too.
    pub const fn from_initial(iss: u32) -> Seq {
        Seq::from_position(TURN + iss as u64)
    }

    /// The 32 bits that go on the wire.
    pub const fn to_wire(self) -> u32 {
        self.as_u64() as u32
    }

    /// The position that `wire` stands for: of all that end in those 32 bits, the one closest to
    /// `near` (of two equally close ones the earlier).
    ///
    /// RFC 9293 §3.4 compares modulo 2^32; a valid number lies within half a turn of what is
    /// expected, because a window is at most 2^30 bytes (RFC 7323 §2.3).
    pub const fn nearest(wire: u32, near: Seq) -> Seq {
        // The distance modulo 2^32, read as two's complement, is the shortest way there.
        let distance = wire.wrapping_sub(near.to_wire()) as i32 as i64;
        match near.as_u64().checked_add_signed(distance) {
            Some(position) => Seq::from_position(position),
            // At either end of the 64-bit line there is one candidate only.
            None if distance < 0 => Seq::from_position(wire as u64),
            None => Seq::from_position(u64::MAX - (u32::MAX - wire) as u64),
        }
    }

    /// The position as a number, for events and logs.
    pub const fn as_u64(self) -> u64 {
        self.0.get() - 1
    }

    /// How many sequence numbers lie from `earlier` up to this one; 0 if it isn't earlier.
    pub const fn since(self, earlier: Seq) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

impl Default for Seq {
    /// Before all others.
    fn default() -> Seq {
        Seq::from_position(0)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seq").field(&self.as_u64()).finish()
    }
}

impl Add<u64> for Seq {
    type Output = Seq;

    fn add(self, count: u64) -> Seq {
        Seq(self.0.saturating_add(count))
    }
}

impl AddAssign<u64> for Seq {
    fn add_assign(&mut self, count: u64) {
        *self = *self + count;
    }
}

impl Sub<u64> for Seq {
    type Output = Seq;

    fn sub(self, count: u64) -> Seq {
        Seq::from_position(self.as_u64().saturating_sub(count))
    }
}

#[cfg(test)]
mod tests;
