//! Round-trip time and retransmission timeout: RFC 6298.
//!
//! Owns SRTT, RTTVAR and RTO, and guarantees that the RTO lies between its minimum and its maximum,
//! backed off or not. Which round trips may be measured is the caller's to know: never one of a
//! segment that was sent twice (Karn's algorithm, §3), unless timestamps tell which was answered.
//! RFC 9293 §3.8.1 makes this a MUST (MUST-18).

use std::time::Duration;

/// G, the clock granularity of RFC 6298 §4: how exactly the timers of the real clock are kept.
const GRANULARITY_NS: u64 = 1_000_000;

/// §5.7: the RTO to begin data transmission with after the timer of a SYN fired.
const AFTER_SYN_LOSS_NS: u64 = 3_000_000_000;

/// The estimator of one connection.
#[derive(Clone, Debug)]
pub struct RttEstimator {
    /// SRTT and RTTVAR, from the first sample on.
    smoothed_ns: Option<(u64, u64)>,
    least_ns: Option<u64>,
    /// Without backing off; always within the two bounds.
    rto_ns: u64,
    min_ns: u64,
    max_ns: u64,
    backoffs: u32,
}

impl RttEstimator {
    /// An estimator without a sample, whose RTO is `initial` (RFC 6298 §2.1: 1 s).
    ///
    /// `min` and `max` bound every RTO, `initial` included (RFC 6298 §2.4: `min` SHOULD be 1 s, Linux
    /// takes 200 ms; RFC 6298 §2.5: `max` at least 60 s). Should they contradict each other, `min` wins.
    pub fn new(initial: Duration, min: Duration, max: Duration) -> RttEstimator {
        let min_ns = nanos(min);
        let max_ns = nanos(max).max(min_ns);
        RttEstimator {
            smoothed_ns: None,
            least_ns: None,
            rto_ns: nanos(initial).clamp(min_ns, max_ns),
            min_ns,
            max_ns,
            backoffs: 0,
        }
    }

    /// Takes in a measured round trip. The RTO follows from it, and backing off is over (§5, the
    /// note after 5.7).
    ///
    /// The caller keeps Karn's rule: no sample from a segment that was retransmitted.
    pub fn sample(&mut self, rtt: Duration) {
        let rtt = nanos(rtt).min(self.max_ns);
        let (srtt, rttvar) = match self.smoothed_ns {
            // RFC 6298 §2.2
            None => (rtt, rtt / 2),
            // RFC 6298 §2.3: alpha = 1/8, beta = 1/4; RTTVAR first, from the old SRTT
            Some((srtt, rttvar)) => {
                (srtt - srtt / 8 + rtt / 8, rttvar - rttvar / 4 + srtt.abs_diff(rtt) / 4)
            }
        };
        self.smoothed_ns = Some((srtt, rttvar));
        self.least_ns = Some(self.least_ns.map_or(rtt, |least| least.min(rtt)));
        let rto = srtt.saturating_add(GRANULARITY_NS.max(rttvar.saturating_mul(4)));
        self.rto_ns = rto.clamp(self.min_ns, self.max_ns);
        self.backoffs = 0;
    }

    /// SRTT, once there was a sample.
    pub fn srtt(&self) -> Option<Duration> {
        self.smoothed_ns.map(|(srtt, _)| Duration::from_nanos(srtt))
    }

    /// RTTVAR, once there was a sample.
    pub fn rttvar(&self) -> Option<Duration> {
        self.smoothed_ns.map(|(_, rttvar)| Duration::from_nanos(rttvar))
    }

    /// The shortest sample so far.
    pub fn min_rtt(&self) -> Option<Duration> {
        self.least_ns.map(Duration::from_nanos)
    }

    /// The retransmission timeout in force, backing off included.
    pub fn rto(&self) -> Duration {
        let doubled = 1u64.checked_shl(self.backoffs).unwrap_or(u64::MAX);
        Duration::from_nanos(self.rto_ns.saturating_mul(doubled).min(self.max_ns))
    }

    /// The timer fired: doubles the RTO (RFC 6298 §5.5; RFC 9293 §3.8.2, MUST-19), up to its maximum.
    pub fn back_off(&mut self) {
        self.backoffs = self.backoffs.saturating_add(1);
    }

    /// New data was acknowledged: the path works again, and so does the RTO as computed.
    pub fn reset_backoff(&mut self) {
        self.backoffs = 0;
    }

    /// How often in a row the RTO was doubled.
    pub fn backoffs(&self) -> u32 {
        self.backoffs
    }

    /// §5.7: call it when a handshake completes during which the timer of the SYN fired. If the RTO
    /// was below 3 s, transmission begins with 3 s, until the first sample.
    pub fn restart_after_syn_loss(&mut self) {
        self.backoffs = 0;
        self.rto_ns = self.rto_ns.max(AFTER_SYN_LOSS_NS).clamp(self.min_ns, self.max_ns);
    }
}

/// `duration` in nanoseconds, capped at 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
