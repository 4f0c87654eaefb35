//! The curve of CUBIC, and Reno's line beside it, in whole numbers.
//!
//! Time is counted in 2^-20 s, a little less than a microsecond, so that the cube of a time in
//! seconds is a shift away; windows are in bytes. Nothing overflows: times are capped at 2^30 of
//! those units (17 minutes), windows at 2^32 bytes.

use std::time::Duration;

use crate::time::Instant;

/// A second, in units of 2^-20 s.
const SECOND_BITS: u32 = 20;

/// Time from the vertex of the curve at most.
const REACH_MAX: u64 = 1 << 30;

/// C = 0.4 segments per cubic second (RFC 9438 §5.1), in units of 2^-20.
const C_BITS: u32 = 20;
const C: u128 = (4 << C_BITS) / 10;

/// A stage of congestion avoidance: from one reduction to the next.
#[derive(Clone, Debug)]
pub(super) struct Epoch {
    /// When it began (`epoch_start`).
    start: Instant,
    /// K: how long the curve takes to its vertex, in units of 2^-20 s.
    k: u64,
    /// The window at the vertex, in bytes.
    vertex: u64,
    /// W_est: the window that Reno would have by now, in bytes.
    w_est: u64,
    /// Bytes delivered since W_est last grew.
    w_est_credit: u64,
    /// The window before the reduction (`cwnd_prior`): up to there Reno's line is less steep.
    cwnd_prior: u64,
}

impl Epoch {
    /// Begins at `now` with a window of `cwnd` bytes, the last loss having been at `w_max`.
    pub(super) fn begin(now: Instant, cwnd: u64, w_max: u64, cwnd_prior: u64, smss: u64) -> Epoch {
        let distance = w_max.saturating_sub(cwnd);
        Epoch {
            start: now,
            k: time_to_vertex(distance, smss),
            // RFC 9438 §4.8 and §4.10: without a loss to return to, the curve starts at its vertex.
            vertex: w_max.max(cwnd),
            w_est: cwnd,
            w_est_credit: 0,
            cwnd_prior,
        }
    }

    /// The window after `delivered` bytes arrived, it having been `cwnd`.
    pub(super) fn grow(
        &mut self,
        now: Instant,
        srtt: Duration,
        cwnd: u64,
        delivered: u64,
        smss: u64,
    ) -> u64 {
        let elapsed = units(now.saturating_since(self.start));
        self.grow_reno(cwnd, delivered, smss);
        if self.w_cubic(elapsed, smss) < self.w_est {
            // §4.3: the Reno-friendly region
            return self.w_est.max(cwnd);
        }
        // §4.2: target is where the curve will be a round trip from now, at most half as much again.
        let target = self.w_cubic(elapsed + units(srtt), smss).clamp(cwnd, cwnd + cwnd / 2);
        // §4.4 and §4.5: (target - cwnd) / cwnd for each segment acknowledged
        cwnd + delivered.min(cwnd) * (target - cwnd) / cwnd
    }

    /// §4.3: alpha_cubic = 3 * (1 - 0.7) / (1 + 0.7) = 9 / 17 segments per window's worth of
    /// ACKs, and one segment once the window before the reduction is reached.
    fn grow_reno(&mut self, cwnd: u64, delivered: u64, smss: u64) {
        self.w_est_credit = self.w_est_credit.saturating_add(delivered);
        let price = if self.w_est < self.cwnd_prior { cwnd * 17 / 9 } else { cwnd };
        if self.w_est_credit >= price {
            // An ACK that covers several windows opens the window once: it is one round trip.
            self.w_est_credit = (self.w_est_credit - price).min(price);
            self.w_est += smss;
        }
    }

    /// W_cubic(t) = C * (t - K)^3 + W_max, for `t` in units of 2^-20 s, in bytes.
    fn w_cubic(&self, t: u64, smss: u64) -> u64 {
        let reach = u128::from(t.abs_diff(self.k).min(REACH_MAX));
        let height = (reach * reach * reach * C * u128::from(smss)) >> (3 * SECOND_BITS + C_BITS);
        let height = u64::try_from(height).unwrap_or(u64::MAX);
        if t < self.k {
            self.vertex.saturating_sub(height)
        } else {
            self.vertex.saturating_add(height)
        }
    }

    /// The curve stood still for so long.
    pub(super) fn postpone(&mut self, time: Duration) {
        self.start += time;
    }
}

/// K = cbrt((W_max - cwnd_epoch) / C), the distance being in bytes (§4.2, figure 2).
fn time_to_vertex(distance: u64, smss: u64) -> u64 {
    // distance < 2^33 and 1 / C = 5 / 2
    let cube = ((u128::from(distance) * 5) << (3 * SECOND_BITS)) / (2 * u128::from(smss.max(1)));
    cube_root(cube).min(REACH_MAX)
}

/// The largest number whose cube is not more than `cube`; asked once an epoch.
fn cube_root(cube: u128) -> u64 {
    // 2^42 cubed is 2^126.
    (0..42).rev().fold(0, |root, bit| {
        let next = root | (1_u64 << bit);
        if u128::from(next).pow(3) <= cube { next } else { root }
    })
}

/// `time` in units of 2^-20 s.
fn units(time: Duration) -> u64 {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // 2^52 / 10^9: times beyond two hours are cut, as the reach is.
    const SCALE: u64 = 4_503_600;
    let ns = ns.min(u64::MAX / SCALE);
    (ns * SCALE) >> 32
}

#[cfg(test)]
mod tests;
