//! HyStart++ (RFC 9406): slow start that ends before the queue overflows.
//!
//! Owns the rounds of the first slow start and the shortest round trip of each. When a round's is
//! clearly longer than the one before, a queue is building: growth becomes cautious (Conservative
//! Slow Start), and ends after five rounds unless the round trips grow shorter again. It refuses to
//! judge by fewer than eight samples a round.

use std::time::Duration;

use super::super::seq::Seq;

// RFC 9406 §4.3, the recommended values.
const MIN_RTT_THRESH_US: u32 = 4_000;
const MAX_RTT_THRESH_US: u32 = 16_000;
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u8 = 8;
const CSS_ROUNDS: u8 = 5;
/// By how much slower the window grows in Conservative Slow Start.
pub(super) const CSS_GROWTH_DIVISOR: u64 = 4;

/// No sample: RFC 9406's infinity.
const NONE: u32 = u32::MAX;

/// How slow start is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// As ever.
    Double,
    /// Slower: Conservative Slow Start.
    Caution,
    /// It is over.
    Stop,
}

/// The rounds of slow start.
#[derive(Clone, Debug)]
pub(super) struct HyStart {
    /// `windowEnd`, as on the wire: the round ends when it is acknowledged, within half a turn of the
    /// numbers.
    round_end: u32,
    last_round_min_us: u32,
    round_min_us: u32,
    /// The round trip that led to caution, or none where there is no caution.
    css_baseline_us: u32,
    samples: u8,
    css_rounds: u8,
    /// A round has begun.
    is_begun: bool,
}

impl HyStart {
    /// Before the first round.
    pub(super) fn new() -> HyStart {
        HyStart {
            round_end: 0,
            last_round_min_us: NONE,
            round_min_us: NONE,
            css_baseline_us: NONE,
            samples: 0,
            css_rounds: 0,
            is_begun: false,
        }
    }

    /// An ACK moved SND.UNA to `una`, SND.MAX being `max`, and measured `rtt` if anything.
    pub(super) fn on_ack(&mut self, una: Seq, max: Seq, rtt: Option<Duration>) -> Advice {
        if !self.is_begun {
            self.is_begun = true;
            self.round_end = max.to_wire();
        }
        if let Some(rtt) = rtt {
            let rtt_us = u32::try_from(rtt.as_micros()).unwrap_or(NONE - 1);
            self.round_min_us = self.round_min_us.min(rtt_us);
            self.samples = self.samples.saturating_add(1);
        }
        self.judge();
        if una >= Seq::nearest(self.round_end, una) {
            self.begin_round(max);
        }
        match self.css_baseline_us {
            NONE => Advice::Double,
            _ if self.css_rounds < CSS_ROUNDS => Advice::Caution,
            _ => Advice::Stop,
        }
    }

    /// RFC 9406 §4.2: has the shortest round trip of this round grown, or shrunk again?
    fn judge(&mut self) {
        if self.samples < N_RTT_SAMPLE {
            return;
        }
        if self.css_baseline_us != NONE {
            if self.round_min_us < self.css_baseline_us {
                // The queue was not ours, or is gone: slow start goes on.
                self.css_baseline_us = NONE;
            }
        } else if self.last_round_min_us != NONE {
            let threshold = (self.last_round_min_us / MIN_RTT_DIVISOR)
                .clamp(MIN_RTT_THRESH_US, MAX_RTT_THRESH_US);
            if self.round_min_us >= self.last_round_min_us.saturating_add(threshold) {
                self.css_baseline_us = self.round_min_us;
                self.css_rounds = 0;
            }
        }
    }

    fn begin_round(&mut self, max: Seq) {
        self.round_end = max.to_wire();
        self.last_round_min_us = self.round_min_us;
        self.round_min_us = NONE;
        self.samples = 0;
        // The round in which caution began counts, though it is part of one only (§4.2).
        self.css_rounds += u8::from(self.css_baseline_us != NONE);
    }
}

#[cfg(test)]
mod tests;
