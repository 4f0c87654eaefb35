//! `TcpInfo`: what TCP_INFO tells of a connection, each number under a name. Times are seconds.

use std::time::Duration;

use pyo3::prelude::*;
use tcpstack::tcp::State;
use tcpstack::tcp::fast_open::Failure;
use tcpstack::tcp::info::Info;
use tcpstack::tcp::recovery::RepairState;

/// How a value of the stack's looks in Python.
trait Shown {
    type Python;
    fn shown(self) -> Self::Python;
}

/// Values that look the same.
macro_rules! as_they_are {
    ($($type:ty)*) => {$(
        impl Shown for $type {
            type Python = $type;
            fn shown(self) -> $type {
                self
            }
        }
    )*};
}

as_they_are! { bool u8 u32 u64 Option<u64> }

impl Shown for Duration {
    type Python = f64;
    fn shown(self) -> f64 {
        self.as_secs_f64()
    }
}

impl Shown for Option<Duration> {
    type Python = Option<f64>;
    fn shown(self) -> Option<f64> {
        self.map(|time| time.as_secs_f64())
    }
}

impl Shown for State {
    type Python = &'static str;
    fn shown(self) -> &'static str {
        self.name()
    }
}

impl Shown for Failure {
    type Python = &'static str;
    fn shown(self) -> &'static str {
        self.name()
    }
}

impl Shown for RepairState {
    type Python = &'static str;
    fn shown(self) -> &'static str {
        self.name()
    }
}

/// Declares the getters.
macro_rules! tcp_info {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty;)*) => {
        /// What TCP_INFO tells of a connection at one moment.
        #[pyclass(frozen, module = "tcpstack")]
        pub(crate) struct TcpInfo(pub(crate) Info);

        #[pymethods]
        impl TcpInfo {
            $(
                $(#[doc = $doc])+
                #[getter]
                fn $name(&self) -> <$type as Shown>::Python {
                    self.0.$name.shown()
                }
            )*

            fn __repr__(&self) -> String {
                let pairs = [$(format!("{}={:?}", stringify!($name), self.0.$name.shown()),)*];
                format!("TcpInfo({})", pairs.join(", "))
            }
        }
    };
}

tcp_info! {
    /// The state.
    state: State;
    /// How the sender regards the network.
    congestion_state: RepairState;
    /// Retransmission timeouts in a row.
    timeouts: u8;
    /// Unanswered probes, of a closed window or of keepalive.
    probes: u8;
    /// How often the RTO was doubled.
    backoffs: u8;
    /// Both ends send timestamps (RFC 7323).
    has_timestamps: bool;
    /// Both ends speak SACK (RFC 2018).
    has_sack: bool;
    /// Both ends scale their windows (RFC 7323 §2).
    has_window_scale: bool;
    /// ECN was agreed on (RFC 3168).
    has_ecn: bool;
    /// A packet with an ECN codepoint has arrived.
    has_seen_ecn: bool;
    /// The data of a SYN was acknowledged or taken (RFC 7413).
    has_syn_data: bool;
    /// The shift of the peer's windows.
    send_scale: u8;
    /// The shift of ours.
    receive_scale: u8;
    /// The last delivery rate is the application's rather than the network's.
    is_app_limited: bool;
    /// Why Fast Open has carried no text for a client: `none`, `no_cookie`, `not_taken` or `repeated`.
    fast_open_failure: Failure;
    /// RTO.
    rto: Duration;
    /// How long an ACK may wait.
    delayed_ack: Duration;
    /// SMSS in bytes.
    send_mss: u32;
    /// The largest segment that came, in bytes.
    receive_mss: u32;
    /// The MSS that we tell the peer, in bytes.
    advertised_mss: u32;
    /// The path MTU in bytes.
    path_mtu: u32;
    /// Segments outstanding; of a listener, connections that wait for accept.
    unacked: u32;
    /// Segments outstanding and SACKed; of a listener, its backlog.
    sacked: u32;
    /// Segments outstanding that were lost, those sent again since among them.
    lost: u32;
    /// Segments outstanding that were sent again.
    retransmitted_outstanding: u32;
    /// Since data was last sent; None: never.
    since_data_sent: Option<Duration>;
    /// Since data last came.
    since_data_received: Option<Duration>;
    /// Since an ACK last came.
    since_ack_received: Option<Duration>;
    /// SRTT.
    srtt: Duration;
    /// RTTVAR.
    rttvar: Duration;
    /// The shortest round trip; None: none was measured.
    min_rtt: Option<Duration>;
    /// The round trip as the receiver sees it.
    receive_rtt: Duration;
    /// Bytes that the application reads in a round trip, which sizes the receive buffer.
    receive_space: u32;
    /// The window that we offer, in bytes.
    receive_window: u64;
    /// The window that the peer offers, in bytes.
    send_window: u64;
    /// cwnd in bytes.
    cwnd: u64;
    /// ssthresh in bytes; None: no congestion was seen.
    ssthresh: Option<u64>;
    /// Segments by which the network is taken to reorder at least.
    reordering: u32;
    /// How often reordering was seen.
    reordering_seen: u32;
    /// Bytes per second at which segments are spaced; None: they are not.
    pacing_rate: Option<u64>;
    /// SO_MAX_PACING_RATE, in bytes per second.
    max_pacing_rate: Option<u64>;
    /// The last delivery rate, in bytes per second.
    delivery_rate: u64;
    /// Segments known to have arrived.
    delivered: u32;
    /// Of these, marked by the network.
    delivered_ce: u32;
    /// Segments sent, repetitions and empty ones among them.
    segments_sent: u32;
    /// Segments that came.
    segments_received: u32;
    /// Segments sent with data.
    data_segments_sent: u32;
    /// Segments that came with data.
    data_segments_received: u32;
    /// Segments sent again.
    retransmitted_segments: u32;
    /// Segments that came before those in front of them.
    out_of_order_segments: u32;
    /// DSACKs from the peer: repetitions that were for nothing.
    dsacks_received: u32;
    /// Bytes acknowledged.
    bytes_acked: u64;
    /// Bytes that came, in order.
    bytes_received: u64;
    /// Bytes of data sent, repetitions among them.
    bytes_sent: u64;
    /// Bytes of data sent again.
    bytes_retransmitted: u64;
    /// Bytes in the send buffer that were never sent.
    bytes_not_sent: u64;
    /// Time with data to send or to be acknowledged.
    busy: Duration;
    /// Of that, stopped by the peer's window.
    window_limited: Duration;
    /// Of that, stopped by the send buffer.
    buffer_limited: Duration;
    /// RTO timeouts.
    total_timeouts: u32;
    /// How often what they began was ended by an ACK.
    total_timeout_recoveries: u32;
    /// Time spent in them.
    timeout_time: Duration;
}
