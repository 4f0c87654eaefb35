//! How large the buffers of a connection are: as large as its path can use, and no larger.
//!
//! The receive buffer follows what the application reads in a round trip (dynamic right-sizing, as
//! Linux does it): twice that bears a loss, and more while the rate still grows. The send buffer
//! follows the congestion window. Buffers only grow, up to `tcp_rmem` and `tcp_wmem`; one that the
//! application has sized itself is left alone. A buffer takes memory for the bytes in it only.

use std::time::Duration;

use super::connection::{Connection, Context};
use super::seq::Seq;
use crate::time::Instant;

/// The receiver's measurements: one round trip, and what is read in one.
#[derive(Clone, Debug, Default)]
pub(super) struct ReceiveTuning {
    /// The round trip as the receiver sees it, in microseconds; 0 while unknown.
    rtt_us: u32,
    /// Bytes read in the best round trip so far, no more than a buffer holds; 0 before the first text.
    copied: u32,
    /// A window of the peer's is full when this number arrives: that takes it a round trip.
    window_end: Seq,
    window_start: Instant,
    /// Where the reading stood when the present round trip began.
    read: Seq,
    since: Instant,
}

impl ReceiveTuning {
    /// The round trip as the receiver sees it; zero while unknown.
    pub(super) fn rtt(&self) -> Duration {
        Duration::from_micros(self.rtt_us.into())
    }

    /// Bytes read in the best round trip so far.
    pub(super) fn copied(&self) -> u32 {
        self.copied
    }

    /// The first text is about to be taken: `initial` bytes are what a sender starts with.
    fn start(&mut self, now: Instant, nxt: Seq, initial: u64) {
        let initial = u32::try_from(initial.max(1)).unwrap_or(u32::MAX);
        (self.copied, self.read, self.since) = (initial, nxt, now);
    }

    /// Text moved RCV.NXT to `nxt`, with `wnd` bytes of window beyond. Where the peer fills the
    /// window this measures the round trip, else something longer: the least counts.
    fn on_text(&mut self, now: Instant, nxt: Seq, wnd: u64) {
        if self.window_end != Seq::default() {
            if nxt < self.window_end {
                return;
            }
            let took_us = micros(now.saturating_since(self.window_start));
            self.rtt_us = if self.rtt_us == 0 { took_us } else { self.rtt_us.min(took_us) };
        }
        (self.window_end, self.window_start) = (nxt + wnd, now);
    }

    /// A timestamp's echo on text tells the round trip without guessing.
    fn on_rtt(&mut self, rtt: Duration) {
        let sample = micros(rtt);
        self.rtt_us = match self.rtt_us {
            0 => sample,
            before => before - before / 8 + sample / 8,
        };
    }

    /// The application has read up to `read`. Gives the window that the peer could use, when a
    /// round trip is over in which more was read than in any before; `mss` in bytes.
    fn on_read(&mut self, now: Instant, read: Seq, mss: u32) -> Option<u64> {
        let rtt = Duration::from_micros(u64::from(self.rtt_us));
        if self.rtt_us == 0 || now.saturating_since(self.since) < rtt {
            return None;
        }
        let (copied, before) = (read.since(self.read), u64::from(self.copied));
        (self.read, self.since) = (read, now);
        if copied <= before {
            return None;
        }
        self.copied = u32::try_from(copied).unwrap_or(u32::MAX);
        // Twice what was read bears a loss; the cushion, small variations. While the sender's rate
        // grows, what it can use in the next round trip grows as much again.
        let window = 2 * copied + 16 * u64::from(mss);
        let growth = u128::from(window) * u128::from(copied - before) / u128::from(before);
        Some(window.saturating_add(u64::try_from(2 * growth).unwrap_or(u64::MAX)))
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1)
}

/// The send buffer in bytes that keeps a congestion window of `cwnd` bytes busy: twice as much, so
/// that the application has a round trip to write more, but never less than for ten segments. What
/// Linux keeps beside each segment's bytes is counted too, so that as much is taken as there.
fn send_buffer_for(cwnd: u64, smss: u32) -> u64 {
    let smss = u64::from(smss.max(1));
    let per_segment = (smss + 640).next_power_of_two() + 256;
    2 * (cwnd / smss).max(10) * per_segment
}

impl Connection {
    /// Text arrived in order. `echoed` is the round trip that its timestamp tells, if it has one.
    pub(super) fn measure_receiving(&mut self, cx: &Context<'_>, echoed: Option<Duration>) {
        let (nxt, wnd) = (self.rcv.nxt, self.rcv.wnd());
        let initial = 10 * u64::from(self.own_mss(cx.mtu));
        let tuning = &mut self.receive_tuning;
        if tuning.copied == 0 {
            tuning.start(cx.now, self.rcv.irs + 1, initial.min(wnd));
        }
        match echoed {
            Some(rtt) => tuning.on_rtt(rtt),
            None => tuning.on_text(cx.now, nxt, wnd),
        }
    }

    /// The application has read: lets the receive buffer grow if the peer could use it.
    pub(super) fn tune_receive_buffer(&mut self, cx: &Context<'_>) {
        let read = self.read_seq();
        let mss = u32::from(self.own_mss(cx.mtu));
        let Some(window) = self.receive_tuning.on_read(cx.now, read, mss) else { return };
        if self.settings.is_receive_buffer_fixed || !cx.knobs.moderate_rcvbuf() {
            return;
        }
        let most = u64::from(cx.knobs.receive_buffer().max);
        let capacity = window.min(most) as usize;
        if capacity > self.receive_buffer.capacity() {
            self.receive_buffer.set_capacity(capacity);
        }
    }

    /// The congestion window may have grown: lets the send buffer follow.
    pub(super) fn tune_send_buffer(&mut self, cx: &Context<'_>) {
        if self.settings.is_send_buffer_fixed {
            return;
        }
        let most = u64::from(cx.knobs.send_buffer().max);
        if self.send_buffer.capacity() as u64 >= most {
            return;
        }
        let capacity = send_buffer_for(self.congestion.cwnd(), self.snd.smss).min(most) as usize;
        if capacity > self.send_buffer.capacity() {
            self.send_buffer.set_capacity(capacity);
        }
    }
}

#[cfg(test)]
mod tests;
