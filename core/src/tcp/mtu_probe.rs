//! The path's MTU without a router's word (RFC 4821 §4): where large segments vanish in silence,
//! a black hole, start again from a size that passes, and try larger ones with the data itself.
//!
//! The search is a bisection between the largest segment known to pass and the smallest known, or
//! presumed, not to. A probe is one segment of new data that is larger than SMSS, sent only where the
//! data behind it tells soon whether it arrived. Nothing is kept for a connection that does not search:
//! `tcp_mtu_probing` says who does.

use super::congestion::Phase;
use super::connection::{Connection, Context};
use super::seq::Seq;
use crate::knobs::MtuProbing;
use crate::time::Instant;

/// Segments behind a probe that show its loss by duplicate ACKs, and one more.
const FOLLOWERS: u64 = 4;

/// Segments that the congestion window must have room for, as on Linux: a small one has none to spare.
const WINDOW_MIN: u64 = 11;

/// No IPv6 path takes less than 1280 bytes (RFC 8200 §5), which leaves this for TCP and its options.
const LEAST_V6: u32 = 1220;

/// The search, in bytes of text and TCP options: what an MSS counts, less no options.
#[derive(Clone, Debug)]
pub(super) struct MtuProbe {
    /// The largest that is known to pass.
    low: u32,
    /// The largest that may pass.
    high: u32,
    /// The probe on its way: its text and what it tries.
    probe: Option<Attempt>,
    /// When the search last began from the whole range.
    began: Instant,
    /// No probe leaves before this.
    next_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    start: Seq,
    end: Seq,
    size: u32,
}

impl MtuProbe {
    /// A search from `low` up to `high`.
    fn new(low: u32, high: u32, now: Instant) -> MtuProbe {
        MtuProbe { low: low.min(high), high, probe: None, began: now, next_at: now }
    }

    /// What segments may count.
    pub(super) fn low(&self) -> u32 {
        self.low
    }

    /// What the data sent so far says of the probe: it passed if all of it is acknowledged.
    fn settle(&mut self, una: Seq) {
        if let Some(attempt) = self.probe
            && una >= attempt.end
        {
            self.low = self.low.max(attempt.size);
            self.high = self.high.max(self.low);
            self.probe = None;
        }
    }

    /// The numbers of the probe that is on its way.
    pub(super) fn on_its_way(&self) -> Option<(Seq, Seq)> {
        self.probe.map(|attempt| (attempt.start, attempt.end))
    }

    /// The probe alone was lost: it is too large (RFC 4821 §7.6.2).
    fn on_lost(&mut self, next_at: Instant) {
        if let Some(attempt) = self.probe.take() {
            self.high = self.low.max(attempt.size - 1);
            self.next_at = next_at;
        }
    }

    /// The number `seq` is sent again: if the probe began there, it was lost with other segments, which
    /// says nothing of its size (RFC 4821 §7.6.4).
    fn on_repeat(&mut self, seq: Seq) {
        self.probe.take_if(|attempt| attempt.start == seq);
    }

    /// Everything was lost: that says nothing of the probe either.
    fn forget(&mut self) {
        self.probe = None;
    }

    /// What to try next, the path taking at most `ceiling`; None where nothing is to be gained.
    fn candidate(&self, ceiling: u32, threshold: u32) -> Option<u32> {
        let high = self.high.min(ceiling);
        let is_worth_it = self.probe.is_none() && high.saturating_sub(self.low) >= threshold;
        is_worth_it.then(|| self.low + ((high - self.low) / 2).max(1))
    }

    /// RFC 4821 §7.4 and §7.7: paths get wider too, so the whole range is searched anew at times.
    fn restart(&mut self, ceiling: u32, now: Instant) {
        *self = MtuProbe::new(self.low, ceiling, now);
    }

    /// Panics where the guarantees above do not hold.
    pub(super) fn check(&self) {
        assert!(self.low > 0 && self.low <= self.high, "the search has an empty range");
        if let Some(attempt) = self.probe {
            assert!(
                attempt.start < attempt.end && attempt.size > self.low,
                "a probe tries nothing"
            );
        }
    }
}

impl Connection {
    /// The retransmission timer has fired `tcp_retries1` times in a row (RFC 4821 §7.7, RFC 9293
    /// §3.8.3: R1; three by default, SHLD-10): perhaps the path swallows large segments. Each time
    /// from then on they get smaller.
    pub(super) fn suspect_black_hole(&mut self, cx: &Context<'_>) {
        if let Some(search) = &mut self.mtu_probe {
            search.forget();
        }
        let is_suspect = self.recovery.timeouts() >= cx.knobs.retries1();
        if !is_suspect || !self.state.is_synchronized() || cx.knobs.mtu_probing() == MtuProbing::Off
        {
            return;
        }
        let is_ipv4 = self.ends.is_ipv4();
        let floor = if is_ipv4 { cx.knobs.mtu_probe_floor() } else { LEAST_V6 };
        let (base, ceiling) = (cx.knobs.base_mss(), self.largest_segment(cx));
        match &mut self.mtu_probe {
            None => {
                self.mtu_probe = Some(Box::new(MtuProbe::new(base.max(floor), ceiling, cx.now)))
            }
            Some(search) => {
                let low = (search.low / 2).min(base).max(floor).max(cx.knobs.min_mss().into());
                search.high = search.high.max(low);
                search.low = low;
            }
        }
        self.update_smss(cx);
    }

    /// Before new text is sent: begins the search where there is one from the start
    /// (`tcp_mtu_probing=2`), takes in what became of the last probe, and at times begins anew.
    pub(super) fn tend_mtu_search(&mut self, cx: &Context<'_>) {
        let is_always = cx.knobs.mtu_probing() == MtuProbing::Always;
        if self.mtu_probe.is_none() && !is_always {
            return;
        }
        let ceiling = self.largest_segment(cx);
        let before = self.mtu_probe.as_ref().map(|search| search.low);
        if self.mtu_probe.is_none() && is_always {
            let floor = if self.ends.is_ipv4() { 1 } else { LEAST_V6 };
            let low = cx.knobs.base_mss().max(floor);
            self.mtu_probe = Some(Box::new(MtuProbe::new(low, ceiling, cx.now)));
        }
        let Some(search) = &mut self.mtu_probe else { return };
        search.settle(self.snd.una);
        let is_over = search.probe.is_none()
            && search.candidate(ceiling, cx.knobs.probe_threshold()).is_none();
        if is_over && cx.now.saturating_since(search.began) >= cx.knobs.probe_interval() {
            search.restart(ceiling, cx.now);
        }
        if before != Some(search.low) {
            self.update_smss(cx);
        }
    }

    /// The text of a probe that may leave at SND.NXT: more than SMSS, and enough data behind it.
    pub(super) fn mtu_probe_len(
        &mut self,
        cx: &Context<'_>,
        data: u64,
        usable: u64,
        room: u64,
    ) -> Option<u64> {
        let search = self.mtu_probe.as_ref()?;
        let size = search.candidate(self.largest_segment(cx), cx.knobs.probe_threshold())?;
        if cx.now < search.next_at {
            return None;
        }
        let smss = u64::from(self.snd.smss);
        let len = u64::from(size.saturating_sub(self.timestamps.option_len()));
        let needed = len + FOLLOWERS * smss;
        let phase = self.congestion.phase();
        let is_calm = matches!(phase, Phase::SlowStart | Phase::CongestionAvoidance)
            && self.snd.nxt == self.snd.max
            && self.recovery.timeouts() == 0
            // Blocks of SACK take the room of text: a probe would be larger than it says.
            && self.text_max() == smss;
        let may_leave = is_calm
            && len > smss
            && data.min(usable) >= needed
            && self.congestion.cwnd() >= needed.max(WINDOW_MIN * smss)
            && room >= len.max(2 * smss);
        if !may_leave {
            return None;
        }
        let start = self.snd.nxt;
        let search = self.mtu_probe.as_mut()?;
        search.probe = Some(Attempt { start, end: start + len, size });
        Some(len)
    }

    /// The loss of a probe costs no window, so it must be rarer than losses that do: the next one waits
    /// for as many round trips as the window has segments (RFC 4821 §4, §7.6.2; Linux does not wait).
    pub(super) fn on_mtu_probe_lost(&mut self, cx: &Context<'_>) {
        let segments = self.congestion.cwnd() / u64::from(self.snd.smss);
        let round_trips = u32::try_from(segments).unwrap_or(u32::MAX);
        let pause = self.rtt.srtt().unwrap_or_default().saturating_mul(round_trips);
        if let Some(search) = &mut self.mtu_probe {
            search.on_lost(cx.now + pause);
        }
    }

    /// Text is sent again from `seq` on.
    pub(super) fn note_repeat(&mut self, seq: Seq) {
        if let Some(search) = &mut self.mtu_probe {
            search.on_repeat(seq);
        }
    }
}

#[cfg(test)]
mod tests;
