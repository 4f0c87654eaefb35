//! The knobs of a stack: one table of name, range, default and meaning that the URL, C, Python and
//! the documentation all read. A value that is in [`Knobs`] is inside its range; everything else
//! is refused with what would have been valid. What a knob *does* is decided where it is read.
//!
//! Names are Linux's where Linux has the knob. The differences from Linux's defaults, and why:
//!
//! - `tcp_rmem` and `tcp_wmem` have Linux's numbers, but count bytes of data, where Linux counts the
//!   memory that they take: a receive buffer of 131,072 bytes offers all of it as window, not half.
//! - `tcp_orphan_retries` says 8 where Linux says 0 and means 8.
//! - `tcp_msl_ms` is 30 s: TIME-WAIT then lasts Linux's 60 s. RFC 9293 §3.4.2 takes an MSL of two
//!   minutes, hence four minutes of TIME-WAIT.
//! - `busy_read` is 60 µs and adapts (`net/busy_poll.rs`), where Linux's is fixed and off.

mod domain;
mod readings;

pub use domain::Domain;
pub use readings::{
    BufferSizes, CongestionAlgorithm, EcnVariant, FAST_OPEN_CLIENT, FAST_OPEN_CLIENT_NO_COOKIE,
    FAST_OPEN_EVERYWHERE, FAST_OPEN_SERVER, FAST_OPEN_SERVER_NO_COOKIE, MtuProbing, RackMode,
    SynCookieUse, TimeWaitReuse, TimestampMode,
};

/// `0` or `1`.
const SWITCH: Domain = number(0, 1);

/// One number from `min` to `max`.
const fn number(min: u64, max: u64) -> Domain {
    Domain::Numbers { fields: &["value"], min, max }
}

/// The three sizes of a socket buffer, as Linux's `tcp_rmem`.
const BUFFER: Domain =
    Domain::Numbers { fields: &["min", "default", "max"], min: 1024, max: 1 << 30 };

/// One row of the table: all there is to say of a knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knob {
    /// Its name, as `tcp_window_scaling`.
    pub name: &'static str,
    /// Its values.
    pub domain: Domain,
    /// Its value unless set, as text.
    pub default: &'static str,
    /// What it does, with its unit.
    pub doc: &'static str,
}

/// A setting was refused; the message names the knob and what would be valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    /// There is no such knob.
    #[error("there is no knob `{0}`; the knobs are {names}", names = Knobs::names().collect::<Vec<_>>().join(", "))]
    Unknown(String),
    /// The knob does not take this value.
    #[error("`{name}={value}`: expected {expected}")]
    Invalid {
        /// The knob.
        name: String,
        /// The value that was refused.
        value: String,
        /// What would be valid.
        expected: String,
    },
}

/// Declares the table [`KNOBS`] and an index into it.
macro_rules! knobs {
    ($($index:ident $name:literal $domain:expr, $default:literal $doc:literal;)*) => {
        /// A row of [`KNOBS`].
        #[derive(Clone, Copy)]
        enum Row { $($index,)* }

        /// Every knob, in the order of the documentation.
        pub const KNOBS: &[Knob] = &[$(
            Knob { name: $name, domain: $domain, default: $default, doc: $doc },
        )*];

        const COUNT: usize = [$(Row::$index,)*].len();
    };
}

knobs! {
    WindowScaling "tcp_window_scaling" SWITCH, "1"
        "Offer and take window scaling (RFC 7323 §2): windows above 65,535 bytes.";
    Dsack "tcp_dsack" SWITCH, "1"
        "Tell the peer of segments that came twice (RFC 2883), where selective ACKs are agreed.";
    Timestamps "tcp_timestamps" number(0, 2), "1"
        "Timestamps and PAWS (RFC 7323 §3, §5): 0 none, 1 from a random offset, 2 without offset.";
    Sack "tcp_sack" SWITCH, "1"
        "Selective acknowledgments (RFC 2018), where the peer has them too.";
    Ecn "tcp_ecn" number(0, 5), "2"
        "ECN of incoming and outgoing connections: 0 none, 1 ECN for both (RFC 3168), 2 ECN and none, 3 accurate ECN for both (RFC 9768), 4 accurate ECN and ECN, 5 accurate ECN and none.";
    EcnFallback "tcp_ecn_fallback" SWITCH, "1"
        "Repeat an unanswered SYN without ECN (RFC 3168 §6.1.1.1).";
    SynCookies "tcp_syncookies" number(0, 2), "1"
        "SYN cookies (RFC 4987 §3.6): 0 never, 1 when a listener's SYN queue is full, 2 always.";
    AbortOnOverflow "tcp_abort_on_overflow" SWITCH, "0"
        "Reset a client whose handshake completes while the accept queue is full, rather than let it try again.";
    FastOpen "tcp_fastopen" number(0, 0x7fff), "1"
        "TCP Fast Open (RFC 7413), a sum: 1 as client, 2 as server, 4 text on a SYN even without a cookie, 512 text taken even without a cookie, 1024 on every listener.";
    InvalidRatelimitMs "tcp_invalid_ratelimit" number(0, 60_000), "500"
        "Least milliseconds between two answers of a connection to segments it cannot use (RFC 5961 §7).";
    ReceiveMemory "tcp_rmem" BUFFER, "4096 131072 6291456"
        "Receive buffer in bytes: least and initial size, and the most that autotuning or SO_RCVBUF gives.";
    SendMemory "tcp_wmem" BUFFER, "4096 16384 4194304"
        "Send buffer in bytes: least and initial size, and the most that autotuning or SO_SNDBUF gives.";
    NotsentLowat "tcp_notsent_lowat" number(0, 4_294_967_295), "4294967295"
        "Most unsent bytes that a send buffer takes and at which poll() calls it writable.";
    Autocorking "tcp_autocorking" SWITCH, "1"
        "After a call that sends 32 KiB or more, a tail that does not fill a segment waits for the next call or the next ACK, where round trips take up to 1 ms; never with clock=manual.";
    Stdurg "tcp_stdurg" SWITCH, "0"
        "Read the peer's urgent pointer as RFC 1122 had it: 1 is the last urgent octet itself.";
    ModerateRcvbuf "tcp_moderate_rcvbuf" SWITCH, "1"
        "Let receive buffers grow with what is read in a round trip, unless SO_RCVBUF is set; 0: fixed.";
    SynRetries "tcp_syn_retries" number(1, 127), "6"
        "Retransmissions of a SYN before connect() fails with ETIMEDOUT.";
    SynackRetries "tcp_synack_retries" number(0, 255), "5"
        "Retransmissions of a SYN+ACK before a half-open connection is forgotten.";
    Retries2 "tcp_retries2" number(1, 255), "15"
        "Retransmissions of data before the connection fails with ETIMEDOUT (RFC 9293 §3.8.3, R2).";
    UserTimeoutOption "tcp_user_timeout_option" SWITCH, "0"
        "Tell the peer of TCP_USER_TIMEOUT, and wait as long as it asks where the application set none (RFC 5482).";
    UserTimeoutMin "tcp_user_timeout_min" number(1, 1_966_020), "100"
        "Least seconds that a peer's user timeout makes a connection wait (RFC 5482 §3.1, L_LIMIT).";
    UserTimeoutMax "tcp_user_timeout_max" number(1, 1_966_020), "3600"
        "Most seconds that a peer's user timeout makes a connection wait (RFC 5482 §3.1, U_LIMIT).";
    OrphanRetries "tcp_orphan_retries" number(0, 255), "8"
        "Retransmissions for a connection that the application has closed; 0 means 8, as on Linux.";
    KeepaliveTime "tcp_keepalive_time" number(1, 32_767), "7200"
        "Seconds of silence before SO_KEEPALIVE asks the peer (RFC 9293 §3.8.4: two hours).";
    KeepaliveInterval "tcp_keepalive_intvl" number(1, 32_767), "75"
        "Seconds between keepalive probes that are not answered.";
    KeepaliveProbes "tcp_keepalive_probes" number(1, 127), "9"
        "Unanswered keepalive probes after which the connection fails with ETIMEDOUT.";
    TimeWaitReuse "tcp_tw_reuse" number(0, 2), "2"
        "connect() takes over ends in TIME-WAIT after a second, by timestamps: 0 never, 1 always, 2 on loopback.";
    FastOpenPause "tcp_fastopen_blackhole_timeout_sec" number(0, 86_400), "0"
        "Seconds that a client leaves Fast Open alone when something swallows it, doubled each time up to 64 times; 0: it goes on.";
    Rfc1337 "tcp_rfc1337" SWITCH, "0"
        "Ignore resets in TIME-WAIT (RFC 1337 §3, fix F1), where otherwise they end it.";
    MaxOrphans "tcp_max_orphans" number(0, 1 << 24), "16384"
        "Most connections that live on after close(); one more is reset at once.";
    MaxTimeWait "tcp_max_tw_buckets" number(0, 1 << 24), "262144"
        "Most connections in TIME-WAIT; one more is forgotten at once.";
    FinTimeout "tcp_fin_timeout" number(1, 3600), "60"
        "Seconds that a closed socket stays in FIN-WAIT-2 for the peer's FIN.";
    MaxSynBacklog "tcp_max_syn_backlog" number(1, 4096), "1024"
        "Most half-open connections of one listening socket, whatever its backlog.";
    SoMaxConn "somaxconn" number(1, 4096), "4096"
        "Largest backlog that listen() takes; a larger one is cut to it.";
    CongestionControl "tcp_congestion_control" Domain::Choice(&["reno", "cubic", "bbr"]), "cubic"
        "Congestion control of new connections: `reno` (RFC 5681), `cubic` (RFC 9438) or `bbr` (version 3).";
    Hystart "tcp_hystart" SWITCH, "1"
        "End CUBIC's first slow start when round trips grow, before the queue overflows (RFC 9406).";
    Abe "tcp_abe" SWITCH, "0"
        "Reduce the window less for an ECN mark than for a loss (RFC 8511).";
    SlowStartAfterIdle "tcp_slow_start_after_idle" SWITCH, "1"
        "After an idle RTO begin anew with the initial window at most (RFC 5681 §4.1).";
    DelackMs "tcp_delack_ms" number(0, 499), "40"
        "Milliseconds an acknowledgment may wait (RFC 9293 §3.8.6.3: below 500); 0: never.";
    RackRecovery "tcp_recovery" number(0, 7), "1"
        "Bits: 1 RACK finds losses (RFC 8985; 0: RFC 6675), 2 no wider window by DSACK, 4 no DupThresh.";
    EarlyRetrans "tcp_early_retrans" number(0, 4), "3"
        "3 or 4: tail loss probes (RFC 8985 §7); else none.";
    Frto "tcp_frto" number(0, 2), "2"
        "Detect spurious timeouts by F-RTO (RFC 5682); 0: do not.";
    Reordering "tcp_reordering" number(1, 300), "3"
        "Segments that may overtake one before it counts as lost (DupThresh, RFC 6675 §2).";
    MaxReordering "tcp_max_reordering" number(1, 10_000), "300"
        "Most segments to which reordering that was seen raises that.";
    MinRttWindow "tcp_min_rtt_wlen" number(0, 86_400), "300"
        "Seconds for which the shortest round trip counts.";
    InitialRtoMs "tcp_initial_rto_ms" number(1, 120_000), "1000"
        "Retransmission timeout in milliseconds before a round trip was measured (RFC 6298 §2.1).";
    MinRtoMs "tcp_min_rto_ms" number(1, 120_000), "200"
        "Least milliseconds by which the retransmission timeout exceeds the round trip (RFC 6298 §2.4).";
    MaxRtoMs "tcp_max_rto_ms" number(1000, 120_000), "120000"
        "Greatest retransmission timeout in milliseconds (RFC 6298 §2.5: at least 60000).";
    MslMs "tcp_msl_ms" number(1, 240_000), "30000"
        "Maximum segment lifetime in milliseconds; TIME-WAIT lasts twice as long (RFC 9293 §3.4.2).";
    InitialWindow "tcp_initial_window" number(1, 1000), "10"
        "Initial congestion window in segments (RFC 6928).";
    QuickackStart "tcp_quickack_start" number(0, 65_535), "16"
        "Acknowledgments not delayed at the start, after a pause or repeated data; 0: none, and reading hastens none.";
    PingpongThresh "tcp_pingpong_thresh" number(1, 255), "1"
        "Prompt replies after which acknowledgments wait to ride on the next one.";
    AbcL "tcp_abc_l" number(0, 255), "0"
        "Most segments by which one ACK opens cwnd in slow start (RFC 3465 §2.3, L); 0: all it covers.";
    MinSndMss "tcp_min_snd_mss" number(8, 1460), "48"
        "Least segment size in bytes that a peer's MSS option can press a sender down to.";
    CloseFlushMs "tcp_close_flush_ms" number(0, 600_000), "1000"
        "Milliseconds that closing the stack waits for data and FINs to be acknowledged.";
    LocalPortRange "ip_local_port_range"
        Domain::Numbers { fields: &["first", "last"], min: 1, max: 65_535 }, "32768 60999"
        "Ports that connect() and bind() to port 0 choose from (RFC 6056).";
    IpfragTime "ipfrag_time" number(1, 3600), "30"
        "Seconds that the fragments of an IPv4 packet may take (RFC 1122 §3.3.2 asks for 60 to 120).";
    Ip6fragTime "ip6frag_time" number(1, 3600), "60"
        "Seconds that the fragments of an IPv6 packet may take (RFC 8200 §4.5).";
    IpfragHighThresh "ipfrag_high_thresh" number(0, 1 << 30), "4194304"
        "Most bytes that packets take of which fragments are missing; 0: no packet is reassembled.";
    IcmpMsgsPerSec "icmp_msgs_per_sec" number(0, 1_000_000), "1000"
        "ICMP errors sent per second at most (RFC 4443 §2.4); 0: none.";
    IcmpMsgsBurst "icmp_msgs_burst" number(1, 1_000_000), "50"
        "ICMP errors sent at once at most.";
    Retries1 "tcp_retries1" number(1, 255), "3"
        "Retransmissions before the path itself is suspected (RFC 9293 §3.8.3, R1).";
    MtuProbing "tcp_mtu_probing" number(0, 2), "0"
        "Find the path's MTU without routers (RFC 4821): 0 never, 1 after tcp_retries1, 2 always.";
    BaseMss "tcp_base_mss" number(48, 65_535), "1024"
        "Bytes of text and options that the search for the path's MTU starts with.";
    MtuProbeFloor "tcp_mtu_probe_floor" number(48, 1024), "48"
        "Least bytes of text and options that the search for the path's MTU falls back to.";
    ProbeInterval "tcp_probe_interval" number(1, 86_400), "600"
        "Seconds after which the whole range of sizes is searched anew (RFC 4821 §7.7).";
    ProbeThreshold "tcp_probe_threshold" number(1, 1500), "8"
        "Bytes of uncertainty that end the search for the path's MTU.";
    MtuExpires "mtu_expires" number(1, 86_400), "600"
        "Seconds for which a router is believed that the path is narrower (RFC 1191 §6.3: 600).";
    MinPmtu "min_pmtu" number(68, 1500), "552"
        "Narrowest IPv4 path in bytes that a router is believed; below it routers may fragment.";
    ReflectTos "tcp_reflect_tos" SWITCH, "0"
        "Accepted connections send with the DSCP of the SYN that opened them.";
    DefaultTtl "ip_default_ttl" number(1, 255), "64"
        "IPv4 time to live and IPv6 hop limit of the packets sent.";
    BusyRead "busy_read" number(0, 10_000), "60"
        "Most microseconds that a call which waits looks at the device before it sleeps, where that has paid; 0: none.";
    Sigpipe "tcp_sigpipe" SWITCH, "1"
        "Raise SIGPIPE with EPIPE in the C API, as BSD sockets do, unless MSG_NOSIGNAL is given.";
}

/// The settings of one stack: a value for every row of [`KNOBS`], each inside its range.
///
/// ```
/// use std::time::Duration;
/// use tcpstack::host::Knobs;
///
/// let mut knobs = Knobs::default();
/// assert_eq!(knobs.time_wait(), Duration::from_secs(60));
/// knobs.set("tcp_msl_ms", "120000")?;
/// assert_eq!(knobs.time_wait(), Duration::from_secs(240));
///
/// let refused = knobs.set("tcp_syn_retries", "many").unwrap_err();
/// assert_eq!(refused.to_string(), "`tcp_syn_retries=many`: expected a number from 1 to 127");
/// # Ok::<(), tcpstack::host::KnobError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// For each row its numbers, or the position of its word among the choices.
    values: [[u64; 3]; COUNT],
}

impl Default for Knobs {
    fn default() -> Knobs {
        let mut knobs = Knobs { values: [[0; 3]; COUNT] };
        for (value, knob) in knobs.values.iter_mut().zip(KNOBS) {
            *value = knob.domain.parse(knob.default).expect("every default is inside its range");
        }
        knobs
    }
}

impl Knobs {
    /// Sets a knob from its text.
    ///
    /// # Errors
    /// [`KnobError`] when there is no such knob or the value is outside its range; nothing changes.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), KnobError> {
        let row = position(name).ok_or_else(|| KnobError::Unknown(name.to_owned()))?;
        let domain = KNOBS[row].domain;
        self.values[row] = domain.parse(value).ok_or_else(|| KnobError::Invalid {
            name: name.to_owned(),
            value: value.to_owned(),
            expected: domain.expected(),
        })?;
        Ok(())
    }

    /// A knob's value as text; None when there is no such knob.
    pub fn get(&self, name: &str) -> Option<String> {
        let row = position(name)?;
        Some(KNOBS[row].domain.format(&self.values[row]))
    }

    /// The names of all knobs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KNOBS.iter().map(|knob| knob.name)
    }
}

fn position(name: &str) -> Option<usize> {
    KNOBS.iter().position(|knob| knob.name == name)
}

#[cfg(test)]
mod tests;
