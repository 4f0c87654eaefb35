//! What a connection makes of a bad link, in virtual time: tcpstack with each congestion control and
//! smoltcp with its CUBIC, over the same links, from the same seeds. Nothing here depends on how fast
//! the machine is: the same source gives the same table.

pub mod fairness;
mod faults;
mod ours;
mod smol;

use std::fmt;
use std::time::Duration;

use tcpstack::device::Impairment;

pub use faults::Faults;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// smoltcp with its CUBIC.
    Smoltcp,
    /// tcpstack with NewReno or SACK's repair under Reno.
    Reno,
    /// tcpstack with CUBIC, its default.
    Cubic,
    /// tcpstack with BBR.
    Bbr,
}

impl Contender {
    /// All, in the order of the table.
    pub const ALL: [Contender; 4] =
        [Contender::Smoltcp, Contender::Reno, Contender::Cubic, Contender::Bbr];
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Contender::Smoltcp => "smoltcp",
            Contender::Reno => "reno",
            Contender::Cubic => "cubic",
            Contender::Bbr => "bbr",
        })
    }
}

/// What goes wrong on the link beside its delay and its bottleneck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Each packet is lost with this probability, both ways.
    Loss(f64),
    /// Runs of 4 to 11 data packets are lost, each packet beginning one with this probability.
    Bursts(f64),
    /// Each packet overtakes those before it with this probability: by up to the link's delay.
    Reordering(f64),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Loss(share) => write!(f, "loss {} %", share * 100.0),
            Trouble::Bursts(share) => write!(f, "bursts {} %", share * 100.0),
            Trouble::Reordering(share) => write!(f, "reordering {} %", share * 100.0),
        }
    }
}

/// A link, and what is moved over it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The bottleneck, in bits per second.
    pub rate_bit_per_s: u64,
    /// The round trip without queueing.
    pub rtt: Duration,
    /// What goes wrong.
    pub trouble: Trouble,
    /// Of everything random.
    pub seed: u64,
}

/// Buffers of both sockets, in bytes: more than any bandwidth-delay product here.
const BUFFER: usize = 4 << 20;

/// Largest IP packet, in bytes.
const MTU: usize = 1500;

/// A run that takes longer, in virtual time, has failed.
const LIMIT: Duration = Duration::from_secs(3600);

impl Scenario {
    /// One direction of the link: its queue holds one bandwidth-delay product, 50 packets at least.
    fn impairment(&self) -> Impairment {
        let product = self.rate_bit_per_s as f64 / 8.0 * self.rtt.as_secs_f64();
        let (loss, reorder) = match self.trouble {
            Trouble::Loss(share) => (share, 0.0),
            Trouble::Reordering(share) => (0.0, share),
            Trouble::Bursts(_) => (0.0, 0.0),
        };
        Impairment {
            rate: Some(self.rate_bit_per_s),
            delay: self.rtt / 2,
            limit: ((product / MTU as f64) as usize).max(50),
            loss,
            reorder,
            ..Impairment::NONE
        }
    }

    fn faults(&self) -> Faults {
        match self.trouble {
            Trouble::Bursts(share) => Faults::bursts(share, self.seed),
            Trouble::Loss(_) | Trouble::Reordering(_) => Faults::none(),
        }
    }

    /// Moves `amount` bytes; the goodput in bits per second, from the first SYN to the last byte read.
    ///
    /// # Panics
    /// When it does not end within an hour of virtual time, or a byte is wrong.
    #[must_use]
    pub fn goodput_bit_per_s(&self, contender: Contender, amount: usize) -> f64 {
        let took = match contender {
            Contender::Smoltcp => smol::transfer(self, amount),
            _ => ours::transfer(self, contender, amount),
        };
        amount as f64 * 8.0 / took.as_secs_f64()
    }
}

/// How long a message of `segments` full segments takes to arrive, and its receipt to come back, when
/// its last segment is lost: the mean of `count` messages, in round trips.
///
/// # Panics
/// When a message is not through within an hour of virtual time.
#[must_use]
pub fn tail_loss_rtts(contender: Contender, rtt: Duration, segments: usize, count: u32) -> f64 {
    let took = match contender {
        Contender::Smoltcp => smol::messages(rtt, segments, count),
        _ => ours::messages(contender, rtt, segments, count),
    };
    took.as_secs_f64() / f64::from(count) / rtt.as_secs_f64()
}

/// A link that only takes time.
fn quiet_link(rtt: Duration) -> Impairment {
    Impairment { delay: rtt / 2, ..Impairment::NONE }
}

/// Text of one full segment without options, in bytes; timestamps make it less, so that a message ends
/// in a segment of its own either way.
const SEGMENT: usize = 1448;
