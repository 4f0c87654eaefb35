//! Congestion control: how much may be in flight.
//!
//! A controller owns cwnd and ssthresh and guarantees that cwnd is at least one SMSS. It is told
//! what happened (an ACK, a loss, a mark, a timeout) and answers with a window and, where it wants
//! one, a rate. Which bytes are lost and what is in flight is the recovery's to know; when a segment
//! leaves is the output's to decide.
//!
//! One round of calls, in the order in which an ACK makes them:
//!
//! 1. [`CongestionControl::on_lost`] for each transmission now known to be lost;
//! 2. [`CongestionControl::on_congestion`] if a loss or a mark begins a new reduction;
//! 3. [`CongestionControl::on_ack`] for what the ACK delivered;
//! 4. [`CongestionControl::on_recovered`] if SND.UNA has passed the end of the repair, or
//!    [`CongestionControl::undo`] if there was nothing to repair.

mod bbr;
mod cubic;
mod hystart;
mod reno;
mod validation;
mod window;

use std::fmt::Debug;
use std::time::Duration;

pub use bbr::Bbr;
pub use cubic::Cubic;
pub use reno::Reno;
pub use validation::WindowUse;

use super::delivery_rate::{LossSample, RateSample};
use super::seq::Seq;
use crate::knobs::CongestionAlgorithm;
use crate::time::Instant;

/// What a controller is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Doubling each round trip, below ssthresh (RFC 5681 §3.1).
    SlowStart,
    /// Growing more slowly, since a queue seems to build: the later part of the first slow start
    /// (RFC 9406 §4.2).
    ConservativeSlowStart,
    /// One segment more each round trip, or along CUBIC's curve (RFC 5681 §3.1, RFC 9438 §4).
    CongestionAvoidance,
    /// Repairing a loss that duplicate ACKs or SACK showed (RFC 5681 §3.2).
    Recovery,
    /// Reducing for a congestion mark, with nothing to repair (RFC 3168 §6.1.2).
    Cwr,
    /// Repairing after the retransmission timer fired.
    Loss,
    /// BBR: doubling the rate each round trip, to find how fast the path is.
    Startup,
    /// BBR: emptying the queue that this left.
    Drain,
    /// BBR: a little slower than the path, to leave others room.
    ProbeBwDown,
    /// BBR: as fast as the path.
    ProbeBwCruise,
    /// BBR: filling the path before it is probed.
    ProbeBwRefill,
    /// BBR: a little faster than the path, to see whether it has become faster.
    ProbeBwUp,
    /// BBR: little in flight, to see how long the empty path is.
    ProbeRtt,
}

impl Phase {
    /// The name in events, as `slow_start`.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::SlowStart => "slow_start",
            Phase::ConservativeSlowStart => "conservative_slow_start",
            Phase::CongestionAvoidance => "congestion_avoidance",
            Phase::Recovery => "recovery",
            Phase::Cwr => "cwr",
            Phase::Loss => "loss",
            Phase::Startup => "startup",
            Phase::Drain => "drain",
            Phase::ProbeBwDown => "probe_bw_down",
            Phase::ProbeBwCruise => "probe_bw_cruise",
            Phase::ProbeBwRefill => "probe_bw_refill",
            Phase::ProbeBwUp => "probe_bw_up",
            Phase::ProbeRtt => "probe_rtt",
        }
    }
}

/// An ACK that delivered something, as a controller sees it. All counts are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct AckSample {
    /// When it arrived.
    pub now: Instant,
    /// By how much SND.UNA moved; 0 for an ACK that brings SACK blocks only.
    pub acked: u64,
    /// Newly acknowledged or SACKed: what has arrived at the peer and was not known to have. A byte
    /// counts once, so that split, repeated or optimistic ACKs gain nothing.
    pub delivered: u64,
    /// Newly marked lost.
    pub lost: u64,
    /// In flight just before it arrived.
    pub in_flight_before: u64,
    /// In flight now.
    pub in_flight: u64,
    /// SND.UNA, as it has moved.
    pub una: Seq,
    /// SND.MAX: a round trip ends when SND.UNA passes what this is now.
    pub max: Seq,
    /// Whether cwnd, not the application or the peer, limited what was in flight (RFC 7661 §4.2's idea:
    /// a window that was not used does not grow).
    pub is_cwnd_limited: bool,
    /// The round trip that it measured, if any.
    pub rtt: Option<Duration>,
    /// The shortest round trip lately.
    pub min_rtt: Option<Duration>,
    /// SRTT.
    pub srtt: Option<Duration>,
    /// Delivered and reported as marked by the network (ECN).
    pub ce_bytes: u64,
    /// The delivery rate that it measured, if any.
    pub rate: Option<RateSample>,
}

/// What showed that the network is congested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionSignal {
    /// A segment is lost, by other signs than a timeout.
    Loss,
    /// A segment was marked rather than dropped (RFC 3168).
    Ecn,
}

/// A reduction begins.
#[derive(Clone, Copy, Debug)]
pub struct CongestionEvent {
    /// When it was noticed.
    pub now: Instant,
    /// FlightSize of RFC 5681 §2, in bytes: sent and not cumulatively acknowledged, without what
    /// limited transmit sent (§3.2).
    pub flight_size: u64,
    /// In flight by the recovery's estimate, in bytes: FlightSize less what was SACKed or is lost.
    pub in_flight: u64,
    /// What showed it.
    pub signal: CongestionSignal,
}

/// A congestion controller (RFC 9293 §3.8.2, MAY-18: there may be several). All windows are in bytes.
pub trait CongestionControl: Send + Debug {
    /// The name that `tcp_congestion_control` and TCP_CONGESTION know it by.
    fn name(&self) -> &'static str;

    /// The congestion window; at least one SMSS.
    fn cwnd(&self) -> u64;

    /// The slow-start threshold; `u64::MAX` until congestion was seen.
    fn ssthresh(&self) -> u64;

    /// What it is doing.
    fn phase(&self) -> Phase;

    /// Text leaves and nothing was in flight: the ACK clock starts anew. `is_app_limited`: for want
    /// of data it had stood still.
    fn on_transmit_start(&mut self, _now: Instant, _is_app_limited: bool) {}

    /// A transmission is now known to be lost. Call it before [`CongestionControl::on_congestion`].
    fn on_lost(&mut self, _now: Instant, _lost: &LossSample) {}

    /// Something was delivered or lost; call it in recovery too. A reduction that this ACK ends is
    /// reported behind it.
    fn on_ack(&mut self, ack: &AckSample);

    /// A loss was found by other means than a timeout, or a mark arrived: the window is reduced.
    ///
    /// Call it once for all that was outstanding (RFC 3168 §6.1.2, RFC 6582 §3.2): not again before
    /// [`CongestionControl::on_recovered`], [`CongestionControl::undo`] or a timeout.
    fn on_congestion(&mut self, event: &CongestionEvent);

    /// What proportional rate reduction lets the window be until the repair ends (RFC 6937), for a
    /// controller that [`CongestionControl::uses_prr`]. Without it the window is ssthresh at once.
    fn set_cwnd(&mut self, cwnd: u64);

    /// Everything that was outstanding when the reduction or the repair began is acknowledged.
    /// After fast recovery or a mark the window is ssthresh.
    fn on_recovered(&mut self, now: Instant, in_flight: u64);

    /// The retransmission timer fired. `is_first`: ssthresh is to be lowered, this being neither a
    /// repeated timeout of the same segment (RFC 5681 §3.1) nor one of a window that was lowered
    /// for a loss already.
    fn on_timeout(&mut self, now: Instant, flight_size: u64, is_first: bool);

    /// The last reduction was for nothing (F-RTO, Eifel, DSACK): cwnd and ssthresh are again what
    /// they were, if that is more. The repair is over.
    fn undo(&mut self, now: Instant);

    /// Nothing was sent for longer than an RTO, and now there is data: go on with at most
    /// `restart_window` (RFC 5681 §4.1).
    fn on_idle_restart(&mut self, now: Instant, restart_window: u64);

    /// SMSS changed: by the peer's MSS option or by path MTU discovery.
    fn set_smss(&mut self, smss: u32);

    /// Takes over from `other` in the midst of a connection: its window, its threshold, and the
    /// repair it was in.
    fn adopt(&mut self, other: &dyn CongestionControl);

    /// Whether proportional rate reduction decides what may leave during fast recovery.
    fn uses_prr(&self) -> bool {
        true
    }

    /// The rate at which segments should be spaced, in bytes per second; `None`: not paced.
    fn pacing_rate_bytes_per_s(&self) -> Option<u64> {
        None
    }
}

/// What a controller is to do other than by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters {
    /// `tcp_abc_l`: most segments by which one ACK opens the window in slow start; 0: all it covers.
    pub abc_l: u8,
    /// `tcp_hystart`: the first slow start ends before the queue overflows (RFC 9406).
    pub hystart: bool,
    /// `tcp_abe`: a mark costs less than a loss (RFC 8511).
    pub abe: bool,
    /// What spreads the probes of several flows apart.
    pub seed: u64,
}

/// A controller of the kind `algorithm`, that starts with `initial_window` bytes.
pub fn controller(
    algorithm: CongestionAlgorithm,
    smss: u32,
    initial_window: u64,
    parameters: &Parameters,
) -> Box<dyn CongestionControl> {
    match algorithm {
        CongestionAlgorithm::Reno => Box::new(Reno::new(smss, initial_window, parameters)),
        CongestionAlgorithm::Cubic => Box::new(Cubic::new(smss, initial_window, parameters)),
        CongestionAlgorithm::Bbr => Box::new(Bbr::new(smss, initial_window, parameters)),
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
