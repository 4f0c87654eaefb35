//! What `poll()` would show for a socket: a small set of bits, computed anew each time it is asked
//! for. It remembers nothing: edges are for whoever hands readiness to the application.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// What Linux's `poll()` would show for a TCP socket in the same situation: a set of bits.
///
/// ```
/// use tcpstack::host::Readiness;
///
/// let ready = Readiness::IN | Readiness::OUT;
/// assert!(ready.contains(Readiness::IN));
/// assert!(!ready.intersects(Readiness::HUP | Readiness::ERR));
/// assert_eq!(ready.to_string(), "IN|OUT");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Readiness(u8);

impl Readiness {
    /// `recv` or `accept` has something: data, end of stream, an error, a connection.
    pub const IN: Readiness = Readiness(1);
    /// `send` takes bytes now, or fails at once.
    pub const OUT: Readiness = Readiness(2);
    /// The peer has finished sending, or the receiving side was shut down.
    pub const RDHUP: Readiness = Readiness(4);
    /// Both directions are over.
    pub const HUP: Readiness = Readiness(8);
    /// An error is pending (SO_ERROR).
    pub const ERR: Readiness = Readiness(16);
    /// Urgent data.
    pub const PRI: Readiness = Readiness(32);
    /// Nothing.
    pub const EMPTY: Readiness = Readiness(0);

    const NAMES: [(Readiness, &'static str); 6] = [
        (Readiness::IN, "IN"),
        (Readiness::OUT, "OUT"),
        (Readiness::RDHUP, "RDHUP"),
        (Readiness::HUP, "HUP"),
        (Readiness::ERR, "ERR"),
        (Readiness::PRI, "PRI"),
    ];

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    pub const fn intersects(self, other: Readiness) -> bool {
        self.0 & other.0 != 0
    }

    /// The bits of either.
    pub const fn union(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }

    /// The bits of this one that `other` does not have.
    pub const fn without(self, other: Readiness) -> Readiness {
        Readiness(self.0 & !other.0)
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Readiness {
    type Output = Readiness;

    fn bitor(self, other: Readiness) -> Readiness {
        self.union(other)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Readiness) {
        *self = self.union(other);
    }
}

/// As `IN|OUT`; `-` for the empty set.
impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        let mut separator = "";
        for (bit, name) in Readiness::NAMES {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = "|";
            }
        }
        Ok(())
    }
}
