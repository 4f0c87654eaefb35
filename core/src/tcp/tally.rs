//! Counts of a connection's life that decide nothing: how much went and came, when, and what the
//! sender was waiting for meanwhile. TCP_INFO is their only reader.
//!
//! Real segments are counted, however many a device carries in one. Counts wrap as Linux's do.

use std::time::Duration;

use super::segment::segment_count;
use crate::time::Instant;

/// What a sender with something to send waits for (Linux: tcp_chrono).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Limit {
    /// It has nothing to send.
    #[default]
    Idle,
    /// The network, or the congestion window.
    Network,
    /// The peer's window.
    Window,
    /// The send buffer: it is full, and all in it is sent.
    Buffer,
}

/// How long a sender was busy, and with waiting for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) busy: Duration,
    pub(super) window: Duration,
    pub(super) buffer: Duration,
}

/// The counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) segments_sent: u32,
    pub(super) segments_received: u32,
    pub(super) data_segments_sent: u32,
    pub(super) data_segments_received: u32,
    /// The SYN is one of them.
    pub(super) delivered_segments: u32,
    pub(super) bytes_sent: u64,
    data_sent: Option<Instant>,
    data_received: Option<Instant>,
    limit: Limit,
    limit_since: Instant,
    /// Time with something to send, before `limit_since`.
    busy_ns: u64,
    /// Most connections have no need of it.
    troubles: Option<Box<Troubles>>,
}

/// What is counted only where something went wrong, or somebody was too slow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    pub(super) retransmitted_segments: u32,
    pub(super) out_of_order_segments: u32,
    pub(super) timeouts: u32,
    pub(super) bytes_retransmitted: u64,
    window_limited: Duration,
    buffer_limited: Duration,
}

impl Tally {
    /// The connection is open: as on Linux the times since data went and came begin here.
    pub(super) fn on_open(&mut self, now: Instant) {
        self.on_delivered(1);
        self.data_sent.get_or_insert(now);
        self.data_received.get_or_insert(now);
    }

    /// Counts a departure with `len` bytes of text in segments of `gso_size`.
    pub(super) fn on_departure(
        &mut self,
        now: Instant,
        len: usize,
        gso_size: u16,
        is_repeat: bool,
    ) {
        let segments = segment_count(len, gso_size).max(1);
        self.segments_sent = self.segments_sent.wrapping_add(segments);
        if is_repeat {
            let troubles = self.troubles.get_or_insert_default();
            troubles.retransmitted_segments =
                troubles.retransmitted_segments.wrapping_add(segments);
            troubles.bytes_retransmitted += len as u64;
        }
        if len > 0 {
            self.data_segments_sent = self.data_segments_sent.wrapping_add(segments);
            self.bytes_sent += len as u64;
            self.data_sent = Some(now);
        }
    }

    /// Counts an arrival.
    pub(super) fn on_arrival(&mut self, now: Instant, len: usize, gso_size: u16) {
        let segments = segment_count(len, gso_size).max(1);
        self.segments_received = self.segments_received.wrapping_add(segments);
        if len > 0 {
            self.data_segments_received = self.data_segments_received.wrapping_add(segments);
            self.data_received = Some(now);
        }
    }

    /// Counts segments that are known to have arrived.
    pub(super) fn on_delivered(&mut self, segments: u32) {
        self.delivered_segments = self.delivered_segments.wrapping_add(segments);
    }

    /// Counts text that came before what is in front of it.
    pub(super) fn on_out_of_order(&mut self, len: usize, gso_size: u16) {
        let segments = segment_count(len, gso_size).max(1);
        let troubles = self.troubles.get_or_insert_default();
        troubles.out_of_order_segments = troubles.out_of_order_segments.wrapping_add(segments);
    }

    /// Counts a retransmission timeout.
    pub(super) fn on_timeout(&mut self) {
        self.troubles.get_or_insert_default().timeouts += 1;
    }

    /// What went wrong so far.
    pub(super) fn troubles(&self) -> Troubles {
        self.troubles.as_deref().copied().unwrap_or_default()
    }

    /// From now on the sender waits for `limit`.
    pub(super) fn on_limit(&mut self, now: Instant, limit: Limit) {
        if limit == self.limit {
            return;
        }
        let Limits { busy, window, buffer } = self.limits(now);
        self.busy_ns = u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX);
        if !(window + buffer).is_zero() {
            let troubles = self.troubles.get_or_insert_default();
            (troubles.window_limited, troubles.buffer_limited) = (window, buffer);
        }
        (self.limit, self.limit_since) = (limit, now);
    }

    /// The times until now.
    pub(super) fn limits(&self, now: Instant) -> Limits {
        let Troubles { window_limited, buffer_limited, .. } = self.troubles();
        let busy = Duration::from_nanos(self.busy_ns);
        let mut limits = Limits { busy, window: window_limited, buffer: buffer_limited };
        let spent = now.saturating_since(self.limit_since);
        match self.limit {
            Limit::Idle => return limits,
            Limit::Network => {}
            Limit::Window => limits.window += spent,
            Limit::Buffer => limits.buffer += spent,
        }
        limits.busy += spent;
        limits
    }

    pub(super) fn since_data_sent(&self, now: Instant) -> Option<Duration> {
        self.data_sent.map(|then| now.saturating_since(then))
    }

    pub(super) fn since_data_received(&self, now: Instant) -> Option<Duration> {
        self.data_received.map(|then| now.saturating_since(then))
    }
}
