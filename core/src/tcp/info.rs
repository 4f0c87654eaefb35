//! What TCP_INFO tells: a connection's variables and counts in the units of people who measure.
//!
//! Filled when it is asked for, from those who own the numbers; `Tally` keeps
//! what nobody else has to. `layout` writes it as Linux's `struct tcp_info`.

mod layout;

use std::time::Duration;

use super::connection::{Connection, Outgoing};
use super::fast_open::Failure;
use super::recovery::RepairState;
use super::seq::Seq;
use super::state::State;
use super::tally::Limit;
use crate::knobs::{EcnVariant, Knobs};
use crate::time::Instant;
use crate::wire::tcp::Flags;

pub use layout::STRUCT_LEN;

/// RFC 5681 §3.2: three duplicate ACKs are taken for a loss.
const REORDERING: u32 = 3;
/// RFC 9293 §3.7.1 (MUST-15).
const DEFAULT_MSS: u16 = 536;

/// What TCP_INFO tells of a connection. Times that were never measured are zero or None; segments
/// are real ones, however many a device carries in one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// The state.
    pub state: State,
    /// How the sender regards the network (`tcpi_ca_state`).
    pub congestion_state: RepairState,
    /// Retransmission timeouts in a row.
    pub timeouts: u8,
    /// Unanswered probes, of a closed window or of keepalive.
    pub probes: u8,
    /// How often the RTO was doubled.
    pub backoffs: u8,
    /// Both ends send timestamps (RFC 7323).
    pub has_timestamps: bool,
    /// Both ends speak SACK (RFC 2018).
    pub has_sack: bool,
    /// Both ends scale their windows (RFC 7323 §2).
    pub has_window_scale: bool,
    /// ECN was agreed on (RFC 3168).
    pub has_ecn: bool,
    /// A packet with an ECN codepoint has arrived.
    pub has_seen_ecn: bool,
    /// The data of a SYN was acknowledged or taken (RFC 7413).
    pub has_syn_data: bool,
    /// It was opened by a peer's SYN whose data was taken (RFC 7413 §4.2.2).
    pub is_fast_open_child: bool,
    /// The shift of the peer's windows.
    pub send_scale: u8,
    /// The shift of ours.
    pub receive_scale: u8,
    /// The last delivery rate is the application's rather than the network's.
    pub is_app_limited: bool,
    /// Why Fast Open has carried no text for a client.
    pub fast_open_failure: Failure,
    /// RTO.
    pub rto: Duration,
    /// How long an ACK may wait.
    pub delayed_ack: Duration,
    /// SMSS in bytes.
    pub send_mss: u32,
    /// The largest segment that came, in bytes.
    pub receive_mss: u32,
    /// The MSS that we tell the peer, in bytes.
    pub advertised_mss: u32,
    /// The path MTU in bytes.
    pub path_mtu: u32,
    /// Segments outstanding; of a listener, connections that wait for accept.
    pub unacked: u32,
    /// Segments outstanding and SACKed, or reported by duplicate ACKs; of a listener, its backlog.
    pub sacked: u32,
    /// Segments outstanding that were lost, those sent again since among them.
    pub lost: u32,
    /// Segments outstanding that were sent again.
    pub retransmitted_outstanding: u32,
    /// Since data was last sent, or since the connection is open; None: neither was.
    pub since_data_sent: Option<Duration>,
    /// Since data last came, or since the connection is open.
    pub since_data_received: Option<Duration>,
    /// Since an ACK last came.
    pub since_ack_received: Option<Duration>,
    /// SRTT.
    pub srtt: Duration,
    /// RTTVAR.
    pub rttvar: Duration,
    /// The shortest round trip; None: none was measured.
    pub min_rtt: Option<Duration>,
    /// The round trip as the receiver sees it.
    pub receive_rtt: Duration,
    /// Bytes that the application reads in a round trip, which sizes the receive buffer.
    pub receive_space: u32,
    /// The window that we offer, in bytes.
    pub receive_window: u64,
    /// The window that the peer offers, in bytes.
    pub send_window: u64,
    /// cwnd in bytes.
    pub cwnd: u64,
    /// ssthresh in bytes; None: no congestion was seen.
    pub ssthresh: Option<u64>,
    /// Segments by which the network is taken to reorder at least.
    pub reordering: u32,
    /// How often reordering was seen.
    pub reordering_seen: u32,
    /// Bytes per second at which segments are spaced; None: they are not.
    pub pacing_rate: Option<u64>,
    /// SO_MAX_PACING_RATE, in bytes per second.
    pub max_pacing_rate: Option<u64>,
    /// The last delivery rate, in bytes per second.
    pub delivery_rate: u64,
    /// Segments known to have arrived.
    pub delivered: u32,
    /// Of these, marked by the network.
    pub delivered_ce: u32,
    /// Segments sent, repetitions and empty ones among them.
    pub segments_sent: u32,
    /// Segments that came.
    pub segments_received: u32,
    /// Segments sent with data.
    pub data_segments_sent: u32,
    /// Segments that came with data.
    pub data_segments_received: u32,
    /// Segments sent again.
    pub retransmitted_segments: u32,
    /// Segments that came before those in front of them.
    pub out_of_order_segments: u32,
    /// DSACKs from the peer: repetitions that were for nothing.
    pub dsacks_received: u32,
    /// Bytes acknowledged.
    pub bytes_acked: u64,
    /// Bytes that came, in order.
    pub bytes_received: u64,
    /// Bytes of data sent, repetitions among them.
    pub bytes_sent: u64,
    /// Bytes of data sent again.
    pub bytes_retransmitted: u64,
    /// Bytes in the send buffer that were never sent.
    pub bytes_not_sent: u64,
    /// Time with data to send or to be acknowledged.
    pub busy: Duration,
    /// Of that, stopped by the peer's window.
    pub window_limited: Duration,
    /// Of that, stopped by the send buffer.
    pub buffer_limited: Duration,
    /// RTO timeouts.
    pub total_timeouts: u32,
    /// How often what they began was ended by an ACK.
    pub total_timeout_recoveries: u32,
    /// Time spent in them.
    pub timeout_time: Duration,
}

impl Info {
    /// Of a socket without a connection: what one would start with.
    pub fn unconnected(knobs: &Knobs) -> Info {
        let send_mss = u32::from(DEFAULT_MSS);
        Info {
            rto: knobs.initial_rto(),
            send_mss,
            cwnd: u64::from(knobs.initial_window_segments()) * u64::from(send_mss),
            reordering: REORDERING,
            ..Info::default()
        }
    }
}

impl Connection {
    /// What TCP_INFO tells now; `mtu` is the path's.
    pub fn info(&self, now: Instant, knobs: &Knobs, mtu: usize) -> Info {
        let smss = u64::from(self.snd.smss.max(1));
        let segments = |bytes: u64| count(bytes.div_ceil(smss));
        let is_open = self.state.is_synchronized();
        let rate = self.recovery.rate(&self.snd);
        let (delivery_rate, is_app_limited) = rate.last_rate.unwrap_or((0, true));
        let tally = &self.tally;
        let (times, troubles) = (tally.limits(now), tally.troubles());
        Info {
            state: self.state,
            probes: small(self.recovery.window_probes.unanswered()).max(self.liveness.probes()),
            backoffs: small(self.rtt.backoffs()),
            has_timestamps: is_open && self.timestamps.is_on(),
            has_sack: is_open && self.sack_permitted,
            has_window_scale: is_open && self.offered_shift.is_some(),
            has_ecn: is_open && self.ecn.variant() != EcnVariant::None,
            has_seen_ecn: self.ecn.has_seen(),
            has_syn_data: self.has_syn_data(),
            is_fast_open_child: self.has_syn_data() && !self.is_active,
            send_scale: self.snd.wnd_shift,
            receive_scale: self.rcv.wnd_shift,
            rto: self.rtt.rto(),
            delayed_ack: knobs.delack(),
            send_mss: self.snd.smss,
            receive_mss: self.rcv.segment_size(),
            advertised_mss: self.own_mss(mtu).into(),
            path_mtu: u32::try_from(mtu).unwrap_or(u32::MAX),
            unacked: self
                .recovery
                .board()
                .map_or(segments(self.snd.outstanding()), |b| b.segments()),
            delivered: tally.delivered_segments,
            delivery_rate,
            is_app_limited,
            fast_open_failure: self.fast_open_failure(),
            since_data_sent: tally.since_data_sent(now),
            since_data_received: tally.since_data_received(now),
            since_ack_received: is_open.then(|| self.liveness.silence(now)),
            srtt: self.rtt.srtt().unwrap_or_default(),
            rttvar: self.rtt.rttvar().unwrap_or_default(),
            min_rtt: self.rtt.min_rtt(),
            receive_rtt: self.receive_tuning.rtt(),
            receive_space: self.receive_tuning.copied(),
            receive_window: self.rcv.wnd(),
            send_window: self.snd.wnd,
            cwnd: self.congestion.cwnd(),
            ssthresh: Some(self.congestion.ssthresh()).filter(|bytes| *bytes != u64::MAX),
            pacing_rate: self.pacing_rate_bytes_per_s(),
            max_pacing_rate: self.settings.max_pacing_rate_bytes_per_s,
            segments_sent: tally.segments_sent,
            segments_received: tally.segments_received,
            data_segments_sent: tally.data_segments_sent,
            data_segments_received: tally.data_segments_received,
            retransmitted_segments: troubles.retransmitted_segments,
            out_of_order_segments: troubles.out_of_order_segments,
            bytes_acked: self.bytes_acked(),
            bytes_received: self.bytes_received(),
            bytes_sent: tally.bytes_sent,
            bytes_retransmitted: troubles.bytes_retransmitted,
            bytes_not_sent: self.unsent() as u64,
            busy: times.busy,
            window_limited: times.window,
            buffer_limited: times.buffer,
            ..self.repair_info(now)
        }
    }

    /// What is lost, out of order, marked and sent again.
    fn repair_info(&self, now: Instant) -> Info {
        let (board, counts) = (self.recovery.board(), self.recovery.counts());
        Info {
            congestion_state: self.recovery.state(),
            timeouts: small(self.recovery.timeouts()),
            // Without SACK a duplicate ACK stands for a segment that has arrived, as on Linux.
            sacked: board.map_or(0, |board| board.sacked_segments() + self.recovery.duplicates()),
            lost: board.map_or(0, |board| board.lost_segments()),
            retransmitted_outstanding: board.map_or(0, |board| board.repeated_segments()),
            reordering: self.recovery.reordering(),
            reordering_seen: counts.reordering_seen,
            dsacks_received: counts.dsacked,
            delivered_ce: counts.delivered_ce,
            total_timeouts: self.tally.troubles().timeouts,
            total_timeout_recoveries: counts.timeouts.repairs,
            timeout_time: counts.timeouts.spent(now),
            ..Info::default()
        }
    }

    /// What the sender waits for, when nothing more may leave now.
    pub(super) fn limit(&self) -> Limit {
        let unsent = self.send_buffer.end().since(self.snd.nxt.min(self.send_buffer.end()));
        let is_idle = unsent == 0 && self.snd.outstanding() == 0;
        if is_idle || !self.state.is_synchronized() {
            Limit::Idle
        } else if unsent > 0 && self.snd.usable() < unsent.min(self.snd.smss.into()) {
            Limit::Window
        } else if unsent == 0 && self.send_buffer.free() == 0 {
            Limit::Buffer
        } else {
            Limit::Network
        }
    }

    /// Bytes of the stream that the peer has acknowledged: SYN and FIN have numbers but no byte.
    fn bytes_acked(&self) -> u64 {
        let end = self.snd.una.min(self.snd.fin.unwrap_or(self.snd.una));
        end.since(self.snd.iss).saturating_sub(1)
    }

    fn bytes_received(&self) -> u64 {
        let end = self.rcv.nxt.min(self.rcv.fin.unwrap_or(self.rcv.nxt));
        end.since(self.rcv.irs).saturating_sub(1)
    }
}

impl Outgoing {
    /// Whether it takes up numbers, all of them sent before: `sent` is SND.MAX.
    pub(super) fn is_before(&self, sent: Seq) -> bool {
        let flags = self.header.flags;
        let takes_numbers = !self.payload.is_empty()
            || flags.contains(Flags::SYN)
            || (flags.contains(Flags::FIN) && !flags.contains(Flags::RST));
        takes_numbers && Seq::nearest(self.header.seq, sent) < sent
    }
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
