//! Congestion control: how much may be in flight.
//!
//! A controller owns cwnd and ssthresh and guarantees that cwnd is at least one SMSS. It is told
//! what happened (an ACK, a loss, a timeout) and answers with a window. Which bytes are lost, and
//! what is in flight, is the recovery's to know; when a segment leaves is the output's to decide.

mod reno;

use std::fmt::Debug;
use std::time::Duration;

pub use reno::Reno;

use crate::time::Instant;

/// What a controller is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Doubling each round trip, below ssthresh (RFC 5681 §3.1).
    SlowStart,
    /// One segment more each round trip (RFC 5681 §3.1).
    CongestionAvoidance,
    /// Repairing a loss that duplicate ACKs showed (RFC 5681 §3.2).
    Recovery,
    /// Repairing after the retransmission timer fired.
    Loss,
}

impl Phase {
    /// The name in events: `slow_start`, `congestion_avoidance`, `recovery` or `loss`.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::SlowStart => "slow_start",
            Phase::CongestionAvoidance => "congestion_avoidance",
            Phase::Recovery => "recovery",
            Phase::Loss => "loss",
        }
    }
}

/// An ACK that acknowledged new data, as a controller sees it.
#[derive(Clone, Copy, Debug)]
pub struct AckedData {
    /// When it arrived.
    pub now: Instant,
    /// Bytes newly acknowledged.
    pub acked: u64,
    /// Bytes in flight before it arrived.
    pub in_flight: u64,
    /// SMSS in bytes.
    pub smss: u32,
    /// Whether the application, not cwnd, limited what was in flight.
    pub app_limited: bool,
    /// The round trip that it measured, if any.
    pub rtt: Option<Duration>,
}

/// A congestion controller (RFC 9293 §3.8.2, MAY-18: there may be several). All windows are in bytes.
pub trait CongestionControl: Send + Debug {
    /// The congestion window; at least one SMSS.
    fn cwnd(&self) -> u64;

    /// The slow-start threshold; `u64::MAX` until a loss was seen.
    fn ssthresh(&self) -> u64;

    /// What it is doing.
    fn phase(&self) -> Phase;

    /// New data was acknowledged. Within a recovery that ends by this ACK, call it before
    /// [`CongestionControl::on_recovered`].
    fn on_ack(&mut self, ack: &AckedData);

    /// A loss was found by other means than a timeout: recovery begins. Call it once per recovery.
    /// The window is not inflated by duplicate ACKs: what has left the network is for the one who
    /// counts what is in flight.
    fn on_loss(&mut self, now: Instant, in_flight: u64, smss: u32);

    /// Everything that was outstanding when the loss was found is acknowledged; `in_flight` is what
    /// is outstanding now.
    fn on_recovered(&mut self, smss: u32, in_flight: u64);

    /// The retransmission timer fired. `first`: not a repeated timeout of the same segment.
    fn on_timeout(&mut self, now: Instant, in_flight: u64, smss: u32, first: bool);

    /// Nothing was sent for longer than an RTO, and now there is data (RFC 5681 §4.1).
    fn on_idle(&mut self, initial_window: u64);

    /// SMSS changed: by the peer's MSS option or by path MTU discovery.
    fn set_smss(&mut self, smss: u32);

    /// The rate at which segments should be spaced, in bytes per second; `None`: not paced.
    fn pacing_rate_bytes_per_s(&self) -> Option<u64> {
        None
    }
}

/// The initial window in bytes, for a sender that may start with `segments` (RFC 6928: 10).
///
/// `min(10 * MSS, max(2 * MSS, 14600))` (RFC 6928 §2), where 14600 is ten segments of Ethernet's
/// size and grows or shrinks with `segments`. At least one segment.
///
/// ```
/// use tcpstack::tcp::congestion::initial_window;
///
/// assert_eq!(initial_window(1460, 10), 14_600);
/// assert_eq!(initial_window(8960, 10), 17_920);
/// ```
pub fn initial_window(smss: u32, segments: u32) -> u64 {
    const ETHERNET_MSS: u64 = 1460;
    let (smss, segments) = (u64::from(smss), u64::from(segments.max(1)));
    (segments * smss).min((2 * smss).max(segments * ETHERNET_MSS))
}

#[cfg(test)]
mod tests;
