//! What the knobs say, in the types of those who read them.

use std::time::Duration;

use super::{Knobs, Row};

/// Which feedback of congestion marks a connection has, from the poorest to the richest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EcnVariant {
    /// None: congestion is shown by loss alone.
    None,
    /// That there was a mark (RFC 3168).
    Classic,
    /// How many there were (RFC 9768).
    Accurate,
}

/// When a listener answers with SYN cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynCookieUse {
    /// Never: a full SYN queue drops SYNs.
    Never,
    /// When the SYN queue is full.
    WhenFull,
    /// To every SYN, for trying it out.
    Always,
}

/// `tcp_fastopen`: ask for cookies, and send text on SYNs.
pub const FAST_OPEN_CLIENT: u64 = 0x1;
/// `tcp_fastopen`: give cookies, and take text on SYNs.
pub const FAST_OPEN_SERVER: u64 = 0x2;
/// `tcp_fastopen`: text on a SYN without a cookie.
pub const FAST_OPEN_CLIENT_NO_COOKIE: u64 = 0x4;
/// `tcp_fastopen`: text taken without a cookie.
pub const FAST_OPEN_SERVER_NO_COOKIE: u64 = 0x200;
/// `tcp_fastopen`: on every listener.
pub const FAST_OPEN_EVERYWHERE: u64 = 0x400;

/// What `tcp_timestamps` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampMode {
    /// No timestamps.
    Off,
    /// From an offset of each pair of ends, which an outsider can't guess.
    RandomOffset,
    /// The host's clock as it is.
    NoOffset,
}

/// When a connection searches for the path's MTU itself, as `tcp_mtu_probing` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtuProbing {
    /// 0: never.
    Off,
    /// 1: once large segments have vanished in silence.
    AfterBlackHole,
    /// 2: always.
    Always,
}

/// A congestion control that `tcp_congestion_control` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CongestionAlgorithm {
    /// NewReno (RFC 5681, RFC 6582).
    Reno,
    /// CUBIC (RFC 9438).
    Cubic,
    /// BBR version 3 (draft-ietf-ccwg-bbr).
    Bbr,
}

impl CongestionAlgorithm {
    /// Every algorithm, in the order in which the knob names them.
    pub const ALL: [CongestionAlgorithm; 3] =
        [CongestionAlgorithm::Reno, CongestionAlgorithm::Cubic, CongestionAlgorithm::Bbr];

    /// The name that `tcp_congestion_control` and TCP_CONGESTION take.
    pub const fn name(self) -> &'static str {
        match self {
            CongestionAlgorithm::Reno => "reno",
            CongestionAlgorithm::Cubic => "cubic",
            CongestionAlgorithm::Bbr => "bbr",
        }
    }

    /// The one with that name.
    pub fn named(name: &str) -> Option<CongestionAlgorithm> {
        CongestionAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// What `tcp_recovery` says, with Linux's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RackMode {
    /// RACK finds losses, for peers with SACK. Otherwise RFC 6675 does.
    pub is_on: bool,
    /// DSACKs do not widen the reordering window.
    pub is_static: bool,
    /// As many SACKed segments as DupThresh are no reason to hurry.
    pub ignores_threshold: bool,
}

/// When connect() may use the ends of a connection in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWaitReuse {
    /// Never.
    Never,
    /// When its timestamps allow it.
    Always,
    /// The same, to this host only.
    Inside,
}

/// The sizes of a socket buffer in bytes: `min <= default <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferSizes {
    /// The least that a socket option gives.
    pub min: u32,
    /// What a socket starts with.
    pub default: u32,
    /// The most that a socket option gives.
    pub max: u32,
}

impl Knobs {
    fn first(&self, row: Row) -> u64 {
        self.values[row as usize][0]
    }

    /// A number whose range in the table fits 32 bits.
    fn small(&self, row: Row) -> u32 {
        u32::try_from(self.first(row)).unwrap_or(u32::MAX)
    }

    fn is_on(&self, row: Row) -> bool {
        self.first(row) != 0
    }

    fn millis(&self, row: Row) -> Duration {
        Duration::from_millis(self.first(row))
    }

    fn buffer(&self, row: Row) -> BufferSizes {
        let [min, default, max] = self.values[row as usize];
        BufferSizes { min: min as u32, default: default as u32, max: max as u32 }
    }

    /// `tcp_window_scaling`.
    pub fn window_scaling(&self) -> bool {
        self.is_on(Row::WindowScaling)
    }

    /// `tcp_dsack`.
    pub fn dsack(&self) -> bool {
        self.is_on(Row::Dsack)
    }

    /// `tcp_timestamps`.
    pub fn timestamps(&self) -> TimestampMode {
        match self.first(Row::Timestamps) {
            0 => TimestampMode::Off,
            1 => TimestampMode::RandomOffset,
            _ => TimestampMode::NoOffset,
        }
    }

    /// The richest ECN that `tcp_ecn` lets incoming connections have.
    pub fn ecn_incoming(&self) -> EcnVariant {
        match self.first(Row::Ecn) {
            0 => EcnVariant::None,
            1 | 2 => EcnVariant::Classic,
            _ => EcnVariant::Accurate,
        }
    }

    /// The ECN that `tcp_ecn` has outgoing connections ask for.
    pub fn ecn_outgoing(&self) -> EcnVariant {
        match self.first(Row::Ecn) {
            1 | 4 => EcnVariant::Classic,
            3 => EcnVariant::Accurate,
            _ => EcnVariant::None,
        }
    }

    /// `tcp_ecn_fallback`.
    pub fn ecn_fallback(&self) -> bool {
        self.is_on(Row::EcnFallback)
    }

    /// `tcp_syncookies`.
    pub fn syn_cookies(&self) -> SynCookieUse {
        match self.first(Row::SynCookies) {
            0 => SynCookieUse::Never,
            1 => SynCookieUse::WhenFull,
            _ => SynCookieUse::Always,
        }
    }

    /// `tcp_abort_on_overflow`.
    pub fn abort_on_overflow(&self) -> bool {
        self.is_on(Row::AbortOnOverflow)
    }

    /// Whether `tcp_fastopen` has all of these bits.
    pub fn fast_open(&self, bits: u64) -> bool {
        self.first(Row::FastOpen) & bits == bits
    }

    /// `tcp_fastopen_blackhole_timeout_sec`.
    pub fn fast_open_pause(&self) -> Duration {
        Duration::from_secs(self.first(Row::FastOpenPause))
    }

    /// `tcp_rfc1337`.
    pub fn rfc1337(&self) -> bool {
        self.is_on(Row::Rfc1337)
    }

    /// `tcp_invalid_ratelimit`.
    pub fn invalid_ratelimit(&self) -> Duration {
        self.millis(Row::InvalidRatelimitMs)
    }

    /// `tcp_sack`.
    pub fn sack(&self) -> bool {
        self.is_on(Row::Sack)
    }

    /// `tcp_rmem`.
    pub fn receive_buffer(&self) -> BufferSizes {
        self.buffer(Row::ReceiveMemory)
    }

    /// `tcp_notsent_lowat`, in bytes.
    pub fn notsent_lowat(&self) -> u32 {
        self.small(Row::NotsentLowat)
    }

    /// `tcp_autocorking`.
    pub fn autocorking(&self) -> bool {
        self.is_on(Row::Autocorking)
    }

    /// `tcp_stdurg`.
    pub fn stdurg(&self) -> bool {
        self.is_on(Row::Stdurg)
    }

    /// `tcp_moderate_rcvbuf`.
    pub fn moderate_rcvbuf(&self) -> bool {
        self.is_on(Row::ModerateRcvbuf)
    }

    /// `tcp_wmem`.
    pub fn send_buffer(&self) -> BufferSizes {
        self.buffer(Row::SendMemory)
    }

    /// `tcp_syn_retries`.
    pub fn syn_retries(&self) -> u32 {
        self.small(Row::SynRetries)
    }

    /// `tcp_synack_retries`.
    pub fn synack_retries(&self) -> u32 {
        self.small(Row::SynackRetries)
    }

    /// `tcp_retries2`.
    pub fn retries2(&self) -> u32 {
        self.small(Row::Retries2)
    }

    /// `tcp_user_timeout_option`.
    pub fn user_timeout_option(&self) -> bool {
        self.is_on(Row::UserTimeoutOption)
    }

    /// `tcp_user_timeout_min` and `tcp_user_timeout_max`.
    pub fn user_timeout_limits(&self) -> (Duration, Duration) {
        let seconds = |row| Duration::from_secs(self.first(row));
        (seconds(Row::UserTimeoutMin), seconds(Row::UserTimeoutMax))
    }

    /// `tcp_orphan_retries`; never 0.
    pub fn orphan_retries(&self) -> u32 {
        match self.small(Row::OrphanRetries) {
            0 => 8,
            retries => retries,
        }
    }

    /// `tcp_keepalive_time`.
    pub fn keepalive_time(&self) -> Duration {
        Duration::from_secs(self.first(Row::KeepaliveTime))
    }

    /// `tcp_keepalive_intvl`.
    pub fn keepalive_interval(&self) -> Duration {
        Duration::from_secs(self.first(Row::KeepaliveInterval))
    }

    /// `tcp_keepalive_probes`.
    pub fn keepalive_probes(&self) -> u8 {
        self.first(Row::KeepaliveProbes) as u8
    }

    /// `tcp_tw_reuse`.
    pub fn tw_reuse(&self) -> TimeWaitReuse {
        match self.first(Row::TimeWaitReuse) {
            0 => TimeWaitReuse::Never,
            1 => TimeWaitReuse::Always,
            _ => TimeWaitReuse::Inside,
        }
    }

    /// `tcp_max_orphans`.
    pub fn max_orphans(&self) -> usize {
        self.first(Row::MaxOrphans) as usize
    }

    /// `tcp_max_tw_buckets`.
    pub fn max_time_wait(&self) -> usize {
        self.first(Row::MaxTimeWait) as usize
    }

    /// `tcp_fin_timeout`.
    pub fn fin_timeout(&self) -> Duration {
        Duration::from_secs(self.first(Row::FinTimeout))
    }

    /// `tcp_max_syn_backlog`.
    pub fn max_syn_backlog(&self) -> u32 {
        self.small(Row::MaxSynBacklog)
    }

    /// `somaxconn`.
    pub fn somaxconn(&self) -> u32 {
        self.small(Row::SoMaxConn)
    }

    /// `tcp_congestion_control`.
    pub fn congestion_control(&self) -> CongestionAlgorithm {
        CongestionAlgorithm::ALL[self.first(Row::CongestionControl) as usize]
    }

    /// `tcp_hystart`.
    pub fn hystart(&self) -> bool {
        self.is_on(Row::Hystart)
    }

    /// `tcp_abe`.
    pub fn abe(&self) -> bool {
        self.is_on(Row::Abe)
    }

    /// `tcp_slow_start_after_idle`.
    pub fn slow_start_after_idle(&self) -> bool {
        self.is_on(Row::SlowStartAfterIdle)
    }

    /// `tcp_delack_ms`.
    pub fn delack(&self) -> Duration {
        self.millis(Row::DelackMs)
    }

    /// `tcp_recovery`.
    pub fn rack(&self) -> RackMode {
        let bits = self.first(Row::RackRecovery);
        RackMode {
            is_on: bits & 1 != 0,
            is_static: bits & 2 != 0,
            ignores_threshold: bits & 4 != 0,
        }
    }

    /// `tcp_early_retrans`.
    pub fn tail_loss_probe(&self) -> bool {
        self.first(Row::EarlyRetrans) >= 3
    }

    /// `tcp_frto`.
    pub fn frto(&self) -> bool {
        self.is_on(Row::Frto)
    }

    /// `tcp_reordering`, in segments.
    pub fn reordering(&self) -> u32 {
        self.small(Row::Reordering)
    }

    /// `tcp_max_reordering`, in segments; never below [`Knobs::reordering`].
    pub fn max_reordering(&self) -> u32 {
        self.small(Row::MaxReordering).max(self.reordering())
    }

    /// `tcp_min_rtt_wlen`.
    pub fn min_rtt_window(&self) -> Duration {
        Duration::from_secs(self.first(Row::MinRttWindow))
    }

    /// `tcp_initial_rto_ms`.
    pub fn initial_rto(&self) -> Duration {
        self.millis(Row::InitialRtoMs)
    }

    /// `tcp_min_rto_ms`.
    pub fn min_rto(&self) -> Duration {
        self.millis(Row::MinRtoMs)
    }

    /// `tcp_max_rto_ms`; never below [`Knobs::min_rto`].
    pub fn max_rto(&self) -> Duration {
        self.millis(Row::MaxRtoMs).max(self.min_rto())
    }

    /// `tcp_msl_ms`.
    pub fn msl(&self) -> Duration {
        self.millis(Row::MslMs)
    }

    /// How long TIME-WAIT lasts: two maximum segment lifetimes.
    pub fn time_wait(&self) -> Duration {
        2 * self.msl()
    }

    /// `tcp_initial_window`, in segments.
    pub fn initial_window_segments(&self) -> u32 {
        self.small(Row::InitialWindow)
    }

    /// `tcp_quickack_start`, in acknowledgments.
    pub fn quickack_start(&self) -> u32 {
        self.small(Row::QuickackStart)
    }

    /// `tcp_pingpong_thresh`, in replies.
    pub fn pingpong_thresh(&self) -> u32 {
        self.small(Row::PingpongThresh)
    }

    /// `tcp_abc_l`, in segments; 0: no limit.
    pub fn abc_l(&self) -> u8 {
        self.first(Row::AbcL) as u8
    }

    /// `tcp_min_snd_mss`, in bytes.
    pub fn min_mss(&self) -> u16 {
        self.first(Row::MinSndMss) as u16
    }

    /// `tcp_close_flush_ms`.
    pub fn close_flush(&self) -> Duration {
        self.millis(Row::CloseFlushMs)
    }

    /// `ip_local_port_range`: first and last port.
    pub fn local_port_range(&self) -> (u16, u16) {
        let [first, last, _] = self.values[Row::LocalPortRange as usize];
        (first as u16, last as u16)
    }

    /// `ipfrag_time` or `ip6frag_time`.
    pub fn reassembly_time(&self, is_ipv4: bool) -> Duration {
        let row = if is_ipv4 { Row::IpfragTime } else { Row::Ip6fragTime };
        Duration::from_secs(self.first(row))
    }

    /// `ipfrag_high_thresh`, in bytes.
    pub fn reassembly_memory(&self) -> usize {
        self.small(Row::IpfragHighThresh) as usize
    }

    /// `icmp_msgs_per_sec`.
    pub fn icmp_msgs_per_sec(&self) -> u64 {
        self.first(Row::IcmpMsgsPerSec)
    }

    /// `icmp_msgs_burst`.
    pub fn icmp_msgs_burst(&self) -> u64 {
        self.first(Row::IcmpMsgsBurst)
    }

    /// `tcp_retries1`.
    pub fn retries1(&self) -> u32 {
        self.small(Row::Retries1)
    }

    /// `tcp_mtu_probing`.
    pub fn mtu_probing(&self) -> MtuProbing {
        match self.first(Row::MtuProbing) {
            0 => MtuProbing::Off,
            1 => MtuProbing::AfterBlackHole,
            _ => MtuProbing::Always,
        }
    }

    /// `tcp_base_mss`, in bytes.
    pub fn base_mss(&self) -> u32 {
        self.small(Row::BaseMss)
    }

    /// `tcp_mtu_probe_floor`, in bytes.
    pub fn mtu_probe_floor(&self) -> u32 {
        self.small(Row::MtuProbeFloor)
    }

    /// `tcp_probe_interval`.
    pub fn probe_interval(&self) -> Duration {
        Duration::from_secs(self.first(Row::ProbeInterval))
    }

    /// `tcp_probe_threshold`, in bytes.
    pub fn probe_threshold(&self) -> u32 {
        self.small(Row::ProbeThreshold)
    }

    /// `mtu_expires`.
    pub fn mtu_expires(&self) -> Duration {
        Duration::from_secs(self.first(Row::MtuExpires))
    }

    /// `min_pmtu`, in bytes.
    pub fn min_pmtu(&self) -> u32 {
        self.small(Row::MinPmtu)
    }

    /// `tcp_reflect_tos`.
    pub fn tcp_reflect_tos(&self) -> bool {
        self.is_on(Row::ReflectTos)
    }

    /// `ip_default_ttl`.
    pub fn default_ttl(&self) -> u8 {
        self.first(Row::DefaultTtl) as u8
    }

    /// `busy_read`.
    pub fn busy_read(&self) -> Duration {
        Duration::from_micros(self.first(Row::BusyRead))
    }

    /// `tcp_sigpipe`.
    pub fn sigpipe(&self) -> bool {
        self.is_on(Row::Sigpipe)
    }
}
