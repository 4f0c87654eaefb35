//! [`Info`] as Linux's `struct tcp_info`, as far as Linux 6.7 has it: later fields are only ever
//! added behind, and a caller with an older structure gets the part that it knows.

use std::time::Duration;

use super::Info;
use crate::tcp::State;
use crate::tcp::fast_open::Failure;
use crate::tcp::recovery::RepairState;

/// Bytes of the structure.
pub const STRUCT_LEN: usize = 248;

/// Linux's TCP_INFINITE_SSTHRESH.
const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// The structure as it grows, field by field, in the machine's byte order.
struct Fields(Vec<u8>);

impl Fields {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn short(&mut self, value: u32) {
        self.0.extend(u16::try_from(value).unwrap_or(u16::MAX).to_ne_bytes());
    }

    fn int(&mut self, value: u32) {
        self.0.extend(value.to_ne_bytes());
    }

    fn long(&mut self, value: u64) {
        self.0.extend(value.to_ne_bytes());
    }

    /// An int that holds as much of `value` as it can.
    fn clamped(&mut self, value: u64) {
        self.int(u32::try_from(value).unwrap_or(u32::MAX));
    }

    fn micros(&mut self, time: Duration) {
        self.clamped(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn long_micros(&mut self, time: Duration) {
        self.long(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn millis(&mut self, time: Duration) {
        self.clamped(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }
}

impl Info {
    /// The bytes of the structure, in the machine's order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut fields = Fields(Vec::with_capacity(STRUCT_LEN));
        self.head(&mut fields);
        self.times_and_sizes(&mut fields);
        self.counts(&mut fields);
        fields.0
    }

    /// tcpi_state to tcpi_fackets.
    fn head(&self, to: &mut Fields) {
        to.byte(self.state.linux_number());
        to.byte(match self.congestion_state {
            RepairState::Open => 0,
            RepairState::Disorder => 1,
            RepairState::Cwr => 2,
            RepairState::Recovery => 3,
            RepairState::Loss => 4,
        });
        to.byte(self.timeouts);
        to.byte(self.probes);
        to.byte(self.backoffs);
        to.byte(self.option_bits());
        // Two bit-fields of four: the first is the low half.
        to.byte(self.send_scale & 0xf | self.receive_scale << 4);
        let failure = match self.fast_open_failure {
            Failure::None => 0,
            Failure::NoCookie => 1,
            Failure::NotTaken => 2,
            Failure::Repeated => 3,
        };
        to.byte(u8::from(self.is_app_limited) | failure << 1);
        to.micros(self.rto);
        to.micros(self.delayed_ack);
        to.int(self.send_mss);
        to.int(self.receive_mss);
        to.int(self.unacked);
        to.int(self.sacked);
        to.int(self.lost);
        to.int(self.retransmitted_outstanding);
        to.int(0);
    }

    /// TCPI_OPT_TIMESTAMPS and the others.
    fn option_bits(&self) -> u8 {
        let bits = [
            self.has_timestamps,
            self.has_sack,
            self.has_window_scale,
            self.has_ecn,
            self.has_seen_ecn,
            self.has_syn_data,
            // TCPI_OPT_USEC_TS: timestamps are in milliseconds.
            false,
            self.is_fast_open_child,
        ];
        bits.iter().enumerate().map(|(at, on)| u8::from(*on) << at).sum()
    }

    /// tcpi_last_data_sent to tcpi_total_retrans.
    fn times_and_sizes(&self, to: &mut Fields) {
        to.millis(self.since_data_sent.unwrap_or_default());
        // tcpi_last_ack_sent, which Linux does not remember either.
        to.int(0);
        to.millis(self.since_data_received.unwrap_or_default());
        to.millis(self.since_ack_received.unwrap_or_default());
        to.int(self.path_mtu);
        to.clamped(self.receive_window);
        to.micros(self.srtt);
        to.micros(self.rttvar);
        to.int(self.ssthresh.map_or(INFINITE_SSTHRESH, |bytes| self.in_segments(bytes)));
        to.int(self.in_segments(self.cwnd));
        to.int(self.advertised_mss);
        to.int(self.reordering);
        to.micros(self.receive_rtt);
        to.int(self.receive_space);
        to.int(self.retransmitted_segments);
    }

    /// tcpi_pacing_rate to the end.
    fn counts(&self, to: &mut Fields) {
        to.long(self.pacing_rate.unwrap_or(u64::MAX));
        to.long(self.max_pacing_rate.unwrap_or(u64::MAX));
        to.long(self.bytes_acked);
        to.long(self.bytes_received);
        to.int(self.segments_sent);
        to.int(self.segments_received);
        to.clamped(self.bytes_not_sent);
        match self.min_rtt {
            Some(time) => to.micros(time),
            None => to.int(u32::MAX),
        }
        to.int(self.data_segments_received);
        to.int(self.data_segments_sent);
        to.long(self.delivery_rate);
        to.long_micros(self.busy);
        to.long_micros(self.window_limited);
        to.long_micros(self.buffer_limited);
        to.int(self.delivered);
        to.int(self.delivered_ce);
        to.long(self.bytes_sent);
        to.long(self.bytes_retransmitted);
        to.int(self.dsacks_received);
        to.int(self.reordering_seen);
        to.int(self.out_of_order_segments);
        to.clamped(self.send_window);
        to.clamped(self.receive_window);
        // tcpi_rehash: there is no flow label to change.
        to.int(0);
        to.short(self.total_timeouts);
        to.short(self.total_timeout_recoveries);
        to.millis(self.timeout_time);
    }

    /// Linux counts windows in segments.
    fn in_segments(&self, bytes: u64) -> u32 {
        u32::try_from(bytes / u64::from(self.send_mss.max(1))).unwrap_or(u32::MAX)
    }
}

impl State {
    /// The number that Linux gives the state (TCP_ESTABLISHED is 1).
    pub const fn linux_number(self) -> u8 {
        match self {
            State::Established => 1,
            State::SynSent => 2,
            State::SynReceived => 3,
            State::FinWait1 => 4,
            State::FinWait2 => 5,
            State::TimeWait => 6,
            State::Closed => 7,
            State::CloseWait => 8,
            State::LastAck => 9,
            State::Listen => 10,
            State::Closing => 11,
        }
    }
}
