//! What was dropped or refused, counted by reason. Names are stable: events and tools quote them.

use crate::wire::Malformed;

/// Declares [`Counter`] and its table of names.
macro_rules! counters {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// A reason to count something.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Counter {
            $(#[doc = $doc] $variant,)*
        }

        /// Stable name and meaning of each counter.
        const TABLE: &[(&str, &str)] = &[$(($name, $doc),)*];
        const COUNT: usize = TABLE.len();
    };
}

counters! {
    PacketsReceived "packets_received" "Packets that came in, whatever became of them.";
    PacketsSent "packets_sent" "Packets that went out to the device.";
    PacketsLooped "packets_looped" "Packets from the host to itself.";
    IpTruncated "ip_truncated" "Dropped: shorter than the IP header or its length field says.";
    IpVersion "ip_version" "Dropped: neither IPv4 nor IPv6.";
    IpLength "ip_length" "Dropped: IP length fields that contradict each other.";
    IpChecksum "ip_checksum" "Dropped: wrong IPv4 header checksum.";
    IpFragments "ip_fragments" "Fragments that came in for the host.";
    IpReassembled "ip_reassembled" "Packets put together from fragments.";
    IpFragment "ip_fragment" "Dropped: a fragment of no use, or of a packet that was given up.";
    IpFragmentDuplicate "ip_fragment_duplicate" "Dropped: a fragment that was there already.";
    IpFragmentOverlap "ip_fragment_overlap" "Dropped: a packet whose fragments overlap, or disagree about its length.";
    IpReassemblyMemory "ip_reassembly_memory" "Dropped: incomplete packets that had to make room for others.";
    IpReassemblyTimeout "ip_reassembly_timeout" "Dropped: packets whose fragments did not all come in time.";
    IpExtensionHeaders "ip_extension_headers" "Dropped: IPv6 extension headers not understood.";
    IpProblem "ip_problem" "Dropped: a header field that cannot be processed, or an option that must be known.";
    IpSourceRoute "ip_source_route" "Dropped: an IPv4 source route.";
    NotForUs "not_for_us" "Dropped: for an address that the host does not have.";
    BadSource "bad_source" "Dropped: from an address that no other host can have.";
    MinHopLimit "min_hop_limit" "Dropped: a TTL or hop limit below what the socket asks for.";
    UnknownProtocol "unknown_protocol" "Dropped: neither TCP nor ICMP.";
    TcpTruncated "tcp_truncated" "Dropped: shorter than a TCP header.";
    TcpLength "tcp_length" "Dropped: TCP data offset out of bounds.";
    TcpChecksum "tcp_checksum" "Dropped: wrong TCP checksum.";
    TcpPortZero "tcp_port_zero" "Dropped: a TCP port of zero.";
    TcpReassemblyFull "tcp_reassembly_full" "Dropped: data past a hole when a connection held too many pieces.";
    TcpPaws "tcp_paws" "Dropped: a TCP timestamp older than one that came before (RFC 7323).";
    TcpTimestampMissing "tcp_timestamp_missing" "Dropped: no TCP timestamp on a connection that has them (RFC 7323).";
    TcpNoSocket "tcp_no_socket" "Segments that no socket wanted.";
    ListenIgnored "listen_ignored" "Dropped: a segment that a listener ignores.";
    ListenSynFin "listen_syn_fin" "Dropped: a SYN to a listener that is a FIN too.";
    ListenOverflow "listen_overflow" "Dropped: a SYN or the last ACK when a listener's queue was full.";
    OrphansAborted "orphans_aborted" "Connections reset at close() because `tcp_max_orphans` were there.";
    TimeWaitOverflow "time_wait_overflow" "TIME-WAITs cut short because `tcp_max_tw_buckets` were there.";
    CookiesSent "syn_cookies_sent" "SYNs answered by a SYN cookie.";
    CookiesReceived "syn_cookies_received" "SYN cookies that came back and opened a connection.";
    CookiesRefused "syn_cookies_refused" "Segments that should have borne a SYN cookie, and bore none that is good.";
    FastOpenAccepted "fast_open_accepted" "SYNs whose text was taken at once.";
    FastOpenPaused "fast_open_paused" "Times that Fast Open was given up for a while because something swallows it.";
    FastOpenRefused "fast_open_refused" "SYNs with a Fast Open cookie that is not ours.";
    ResetsSent "resets_sent" "Resets sent for segments that no connection took.";
    RepliesDropped "replies_dropped" "Resets and echo replies not sent because too many waited.";
    IcmpMalformed "icmp_malformed" "Dropped: ICMP that cannot be read.";
    IcmpIgnored "icmp_ignored" "Dropped: ICMP that does not concern TCP or ping.";
    IcmpUnbelieved "icmp_unbelieved" "Dropped: an ICMP error about nothing in flight (RFC 5927).";
    IcmpErrors "icmp_errors" "ICMP errors given to a connection.";
    EchoReplies "echo_replies" "Pings answered.";
    IcmpReports "icmp_reports" "ICMP errors sent about packets of no use.";
    IcmpRateLimited "icmp_rate_limited" "ICMP errors not sent because of `icmp_msgs_per_sec`.";
}

/// How often each thing happened, since the host was made.
#[derive(Clone, Debug)]
pub struct Counters {
    counts: [u64; COUNT],
}

impl Default for Counters {
    fn default() -> Counters {
        Counters { counts: [0; COUNT] }
    }
}

impl Counters {
    /// Every counter's stable name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TABLE.iter().zip(self.counts).map(|((name, _), count)| (*name, count))
    }

    /// The value of the counter of that name; None when there is none.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.iter().find_map(|(known, count)| (known == name).then_some(count))
    }

    pub(super) fn add(&mut self, counter: Counter) {
        self.add_many(counter, 1);
    }

    pub(super) fn add_many(&mut self, counter: Counter, count: u64) {
        self.counts[counter as usize] += count;
    }
}

impl Counter {
    pub(super) fn name(self) -> &'static str {
        TABLE[self as usize].0
    }

    /// Where a packet goes whose IP header is malformed.
    pub(super) fn of_ip(malformed: Malformed) -> Counter {
        match malformed {
            Malformed::Truncated => Counter::IpTruncated,
            Malformed::Version => Counter::IpVersion,
            Malformed::Length => Counter::IpLength,
            Malformed::Checksum => Counter::IpChecksum,
            Malformed::Fragment => Counter::IpFragment,
            Malformed::ExtensionHeaders => Counter::IpExtensionHeaders,
            Malformed::SourceRoute => Counter::IpSourceRoute,
            Malformed::Problem(_) => Counter::IpProblem,
        }
    }

    /// Where a packet goes whose TCP header is malformed.
    pub(super) fn of_tcp(malformed: Malformed) -> Counter {
        match malformed {
            Malformed::Truncated => Counter::TcpTruncated,
            Malformed::Checksum => Counter::TcpChecksum,
            _ => Counter::TcpLength,
        }
    }
}
