//! The table of socket options. One row says all there is to say of one: its typed name and value,
//! its level and number in C, the shape of its value, what it means, and how it is read and set. C,
//! Python and Rust all go by this table, so a new option is a new row.

use super::super::ip_options::FamilyOptions;
use super::super::socket::{Kind, Socket};
use super::super::{Domain, Error, Knobs, MtuDiscover};
use super::shape::{Encoded, OptionValue, Shape};
use super::{Options, buffer_capacity, buffer_shown, forced_capacity};
use crate::knobs::CongestionAlgorithm;
use crate::tcp::fast_open::CookieKeys;
use crate::tcp::{Settings, State};
use std::time::Duration;

/// What an option is read from.
pub(in super::super) struct View<'a> {
    pub(in super::super) socket: &'a Socket,
    pub(in super::super) knobs: &'a Knobs,
    /// The host's own.
    pub(in super::super) fast_open_keys: CookieKeys,
}

impl View<'_> {
    fn options(&self) -> &Options {
        &self.socket.options
    }

    fn settings(&self) -> &Settings {
        &self.socket.options.settings
    }

    fn ip(&self, family: Domain) -> &FamilyOptions {
        self.socket.options.ip.of(family)
    }

    /// Largest packet that the path to the peer takes, in bytes.
    fn mtu(&self) -> Result<u32, Error> {
        match self.socket.kind {
            Kind::Connection(_) => Ok(self.socket.path.mtu()),
            Kind::Idle | Kind::Listener(_) => Err(Error::NotConnected),
        }
    }
}

/// What an option is set on.
pub(in super::super) struct Change<'a> {
    pub(in super::super) options: &'a mut Options,
    pub(in super::super) knobs: &'a Knobs,
    pub(in super::super) domain: Domain,
    pub(in super::super) state: State,
    /// The socket has an address.
    pub(in super::super) is_bound: bool,
}

impl Change<'_> {
    fn settings(&mut self) -> &mut Settings {
        std::sync::Arc::make_mut(&mut self.options.settings)
    }

    /// What a connection does now rather than what it was asked to be: the host tells it.
    fn leave_to_connection(&mut self) {}

    fn ip(&mut self, family: Domain) -> &mut FamilyOptions {
        self.options.ip.of_mut(family)
    }
}

/// An option as C knows it.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Its name in this crate.
    pub option: OptionName,
    /// SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6.
    pub level: i32,
    /// Its number at that level.
    pub number: i32,
    /// The level's name in C.
    pub level_name: &'static str,
    /// Its name in C.
    pub name: &'static str,
    /// How its value lies in memory.
    pub shape: Shape,
    /// What it means.
    pub meaning: &'static str,
    /// Whether getsockopt knows it.
    pub is_readable: bool,
    /// Whether setsockopt knows it.
    pub is_settable: bool,
}

/// Declares the options.
macro_rules! options {
    ($(
        $variant:ident($type:ty) $level:ident $number:ident $shape:expr, $meaning:literal, {
            $(get($view:ident) $get:expr;)?
            $(set($change:ident, $value:ident) $set:expr;)?
        }
    )*) => {
        /// A socket option with its value; [`OPTIONS`] has its number in C.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SocketOption {
            $(
                #[doc = concat!(stringify!($number), ": ", $meaning)]
                $variant($type),
            )*
        }

        /// Which socket option.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OptionName {
            $(
                #[doc = concat!(stringify!($number), ".")]
                $variant,
            )*
        }

        /// Every socket option that the stack has, in the order of the manual.
        pub const OPTIONS: &[OptionRow] = &[$(
            OptionRow {
                option: OptionName::$variant,
                level: libc::$level,
                number: libc::$number,
                level_name: stringify!($level),
                name: stringify!($number),
                shape: $shape,
                meaning: $meaning,
                is_readable: options!(@is $($view)?),
                is_settable: options!(@is $($change)?),
            },
        )*];

        impl SocketOption {
            /// Its name.
            pub const fn name(self) -> OptionName {
                match self { $(SocketOption::$variant(_) => OptionName::$variant,)* }
            }

            /// The option of C's (level, number) with the value that `bytes` starts with.
            ///
            /// # Errors
            /// `NoOption` when there is none or it can only be read; `Invalid` for bytes that are too
            /// few, or a value out of its range; `OutOfDomain`, `NoSuchName`: as those say.
            pub fn decode(level: i32, number: i32, bytes: &[u8]) -> Result<SocketOption, Error> {
                // Linux looks at the length first at the two levels where every option is an int.
                let row = OptionName::find(level, number);
                let is_int = row.is_none_or(|row| row.shape != Shape::Text);
                let is_strict = matches!(level, libc::SOL_SOCKET | libc::IPPROTO_TCP);
                if is_strict && is_int && bytes.len() < size_of::<libc::c_int>() {
                    return Err(Error::Invalid);
                }
                let row = row.filter(|row| row.is_settable).ok_or(Error::NoOption)?;
                Ok(match row.option {
                    $(OptionName::$variant => {
                        SocketOption::$variant(OptionValue::decode(row.shape, bytes)?)
                    })*
                })
            }

            /// The value's bytes as getsockopt gives them, as many as have `room`.
            pub fn encode(self, room: usize) -> Encoded {
                match self {
                    $(SocketOption::$variant(value) => OptionValue::encode(value, $shape, room),)*
                }
            }

            /// Changes one.
            pub(in super::super) fn apply(self, change: &mut Change<'_>) -> Result<(), Error> {
                match self {
                    $(SocketOption::$variant(value) => {
                        if !OptionValue::is_within(value, $shape) {
                            return Err(Error::Invalid);
                        }
                        options!(@set change, value, $($change, $value, $set)?)
                    })*
                }
            }
        }

        impl OptionName {
            /// The row of C's (level, number).
            pub fn find(level: i32, number: i32) -> Option<&'static OptionRow> {
                OPTIONS.iter().find(|row| (row.level, row.number) == (level, number))
            }

            /// Reads one.
            pub(in super::super) fn read(self, view: &View<'_>) -> Result<SocketOption, Error> {
                match self {
                    $(OptionName::$variant => {
                        options!(@get $variant, view, $($view, $get)?)
                    })*
                }
            }
        }
    };
    (@is) => { false };
    (@is $part:ident) => { true };
    (@get $variant:ident, $from:ident, $view:ident, $get:expr) => {{
        let $view = $from;
        Ok(SocketOption::$variant($get))
    }};
    (@get $variant:ident, $from:ident,) => { Err(Error::NoOption) };
    (@set $to:ident, $from:ident, $change:ident, $value:ident, $set:expr) => {{
        let ($change, $value) = ($to, $from);
        $set;
        Ok(())
    }};
    (@set $to:ident, $from:ident,) => {{
        let _ = ($to, $from);
        Err(Error::NoOption)
    }};
}

/// Linux's IP_PMTUDISC_DONT to IP_PMTUDISC_OMIT.
const MTU_DISCOVER: Shape = Shape::ByteOrNumber { min: 0, max: 5 };
/// Any int.
const ANY: Shape = Shape::Number { min: i32::MIN, max: i32::MAX };
/// Linux's MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, in seconds.
const KEEPALIVE_SECONDS: Shape = Shape::Seconds { min: 1, max: 32_767 };
/// Linux's MAX_TCP_KEEPCNT and MAX_TCP_SYNCNT.
const COUNT: Shape = Shape::Number { min: 1, max: 127 };

options! {
    ReuseAddr(bool) SOL_SOCKET SO_REUSEADDR Shape::Switch,
        "bind takes an address that only connections in TIME-WAIT, or sockets with the same option that do not listen, still have", {
        get(of) of.options().reuse_addr;
        set(of, on) of.options.reuse_addr = on;
    }
    ReusePort(bool) SOL_SOCKET SO_REUSEPORT Shape::Switch,
        "several sockets, all of which have it, listen on one address and share its connections", {
        get(of) of.options().reuse_port;
        set(of, on) of.options.reuse_port = on;
    }
    SendBuffer(u32) SOL_SOCKET SO_SNDBUF Shape::Size,
        "bytes of the send buffer, cut to what tcp_wmem allows; reads as twice what was set, and it grows by itself until it is set", {
        get(of) buffer_shown(of.settings().send_buffer, of.settings().is_send_buffer_fixed);
        set(of, size) {
            let capacity = buffer_capacity(size, of.knobs.send_buffer());
            of.settings().send_buffer = capacity;
            of.settings().is_send_buffer_fixed = true;
        };
    }
    ReceiveBuffer(u32) SOL_SOCKET SO_RCVBUF Shape::Size,
        "bytes of the receive buffer, and so the window, cut to what tcp_rmem allows; reads as twice what was set, and it grows by itself until it is set", {
        get(of) buffer_shown(of.settings().receive_buffer, of.settings().is_receive_buffer_fixed);
        set(of, size) {
            let capacity = buffer_capacity(size, of.knobs.receive_buffer());
            of.settings().receive_buffer = capacity;
            of.settings().is_receive_buffer_fixed = true;
        };
    }
    SendBufferForce(u32) SOL_SOCKET SO_SNDBUFFORCE Shape::Size,
        "SO_SNDBUF beyond tcp_wmem", {
        set(of, size) {
            let capacity = forced_capacity(size, of.knobs.send_buffer());
            of.settings().send_buffer = capacity;
            of.settings().is_send_buffer_fixed = true;
        };
    }
    ReceiveBufferForce(u32) SOL_SOCKET SO_RCVBUFFORCE Shape::Size,
        "SO_RCVBUF beyond tcp_rmem", {
        set(of, size) {
            let capacity = forced_capacity(size, of.knobs.receive_buffer());
            of.settings().receive_buffer = capacity;
            of.settings().is_receive_buffer_fixed = true;
        };
    }
    ReceiveLowWater(i32) SOL_SOCKET SO_RCVLOWAT ANY,
        "least bytes that make the socket readable, at most half the receive buffer's limit", {
        get(of) of.settings().receive_low_water.cast_signed();
        set(of, bytes) {
            // Linux: negative is the most there is, and zero is one.
            let asked = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
            let limit = of.options.receive_limit(of.knobs);
            of.settings().receive_low_water = asked.min(limit / 2).max(1);
        };
    }
    SendLowWater(u32) SOL_SOCKET SO_SNDLOWAT ANY,
        "always 1", {
        get(_of) 1;
    }
    Linger(Option<Duration>) SOL_SOCKET SO_LINGER Shape::Linger,
        "how long close waits for the peer's ACK of everything; on with 0 seconds: close sends RST instead of FIN", {
        get(of) of.options().linger;
        set(of, time) of.options.linger = time;
    }
    KeepAlive(bool) SOL_SOCKET SO_KEEPALIVE Shape::Switch,
        "an idle peer is asked for a sign of life, and one that gives none is given up", {
        get(of) of.settings().keepalive;
        set(of, on) of.settings().keepalive = on;
    }
    OobInline(bool) SOL_SOCKET SO_OOBINLINE Shape::Switch,
        "urgent data stays in the stream, and MSG_OOB has none", {
        get(of) of.settings().oob_inline;
        set(of, on) of.settings().oob_inline = on;
    }
    ReceiveTimeout(Option<Duration>) SOL_SOCKET SO_RCVTIMEO Shape::Time,
        "recv and accept give up after this with EAGAIN; 0: never", {
        get(of) of.options().receive_timeout;
        set(of, time) of.options.receive_timeout = time;
    }
    SendTimeout(Option<Duration>) SOL_SOCKET SO_SNDTIMEO Shape::Time,
        "send gives up after this with EAGAIN, connect with EINPROGRESS; 0: never", {
        get(of) of.options().send_timeout;
        set(of, time) of.options.send_timeout = time;
    }
    MaxPacingRate(Option<u64>) SOL_SOCKET SO_MAX_PACING_RATE Shape::Rate,
        "bytes per second that data leaves at, at most; all ones: no limit", {
        get(of) of.settings().max_pacing_rate_bytes_per_s;
        set(of, rate) of.settings().max_pacing_rate_bytes_per_s = rate;
    }
    Type(u32) SOL_SOCKET SO_TYPE ANY,
        "SOCK_STREAM", {
        get(_of) libc::SOCK_STREAM.cast_unsigned();
    }
    Family(u32) SOL_SOCKET SO_DOMAIN ANY,
        "AF_INET or AF_INET6", {
        get(of) match of.socket.domain {
            Domain::V4 => libc::AF_INET.cast_unsigned(),
            Domain::V6 => libc::AF_INET6.cast_unsigned(),
        };
    }
    Protocol(u32) SOL_SOCKET SO_PROTOCOL ANY,
        "IPPROTO_TCP", {
        get(_of) libc::IPPROTO_TCP.cast_unsigned();
    }
    Listens(bool) SOL_SOCKET SO_ACCEPTCONN Shape::Switch,
        "1 for a socket that listens", {
        get(of) of.socket.state() == State::Listen;
    }

    NoDelay(bool) IPPROTO_TCP TCP_NODELAY Shape::Switch,
        "small segments leave at once (Nagle's algorithm off)", {
        get(of) of.settings().no_delay;
        set(of, on) of.settings().no_delay = on;
    }
    MaxSegment(u16) IPPROTO_TCP TCP_MAXSEG Shape::Number { min: 0, max: 32_767 },
        "most bytes of data in a segment, from 88; before connect or listen also told to the peer; 0: no limit", {
        get(of) of.options().segment_shown(of.socket);
        set(of, size) of.settings().max_segment = match size {
            0 => None,
            // Linux's TCP_MIN_MSS.
            1..88 => return Err(Error::Invalid),
            _ => Some(size),
        };
    }
    Cork(bool) IPPROTO_TCP TCP_CORK Shape::Switch,
        "only full segments leave, until it is off again or 200 ms have passed", {
        get(of) of.settings().cork;
        set(of, on) of.settings().cork = on;
    }
    QuickAck(bool) IPPROTO_TCP TCP_QUICKACK Shape::Switch,
        "a connection acknowledges at once, for now; 0: acknowledgments wait to ride on data", {
        get(of) match &of.socket.kind {
            Kind::Connection(connection) => connection.is_quick_ack(),
            _ => true,
        };
        set(of, _on) of.leave_to_connection();
    }
    KeepIdle(Duration) IPPROTO_TCP TCP_KEEPIDLE KEEPALIVE_SECONDS,
        "SO_KEEPALIVE: silence before the first probe (default: tcp_keepalive_time)", {
        get(of) of.settings().keepalive_idle.unwrap_or(of.knobs.keepalive_time());
        set(of, time) of.settings().keepalive_idle = Some(time);
    }
    KeepInterval(Duration) IPPROTO_TCP TCP_KEEPINTVL KEEPALIVE_SECONDS,
        "SO_KEEPALIVE: time between probes (default: tcp_keepalive_intvl)", {
        get(of) of.settings().keepalive_interval.unwrap_or(of.knobs.keepalive_interval());
        set(of, time) of.settings().keepalive_interval = Some(time);
    }
    KeepCount(u8) IPPROTO_TCP TCP_KEEPCNT COUNT,
        "SO_KEEPALIVE: probes without an answer before ETIMEDOUT (default: tcp_keepalive_probes)", {
        get(of) of.settings().keepalive_count.unwrap_or(of.knobs.keepalive_probes());
        set(of, count) of.settings().keepalive_count = Some(count);
    }
    SynCount(u8) IPPROTO_TCP TCP_SYNCNT COUNT,
        "retransmissions of a SYN before ETIMEDOUT (default: tcp_syn_retries)", {
        get(of) of.settings().syn_retries.unwrap_or(of.knobs.syn_retries() as u8);
        set(of, count) of.settings().syn_retries = Some(count);
    }
    UserTimeout(Duration) IPPROTO_TCP TCP_USER_TIMEOUT Shape::Milliseconds { min: 0, max: i32::MAX },
        "how long data may go unacknowledged before ETIMEDOUT; 0: as tcp_retries2 says", {
        get(of) of.settings().user_timeout.unwrap_or_default();
        set(of, time) of.settings().user_timeout = Some(time).filter(|time| !time.is_zero());
    }
    Linger2(i32) IPPROTO_TCP TCP_LINGER2 ANY,
        "seconds that a closed socket stays in FIN-WAIT-2, at most 120; 0: as tcp_fin_timeout says; negative: not at all", {
        get(of) match of.settings().linger2 {
            None => of.knobs.fin_timeout().as_secs() as i32,
            Some(Duration::ZERO) => -1,
            Some(time) => time.as_secs() as i32,
        };
        set(of, seconds) of.settings().linger2 = match u64::try_from(seconds) {
            Err(_) => Some(Duration::ZERO),
            Ok(0) => None,
            Ok(seconds) => Some(Duration::from_secs(seconds.min(120))),
        };
    }
    DeferAccept(i32) IPPROTO_TCP TCP_DEFER_ACCEPT ANY,
        "seconds that a listener waits for data before accept has the connection, rounded up to 1, 3, 7, ... (retransmissions of the SYN+ACK); 0: it does not wait", {
        get(of) of.settings().defer_accept.unwrap_or_default().as_secs() as i32;
        set(of, seconds) of.settings().defer_accept = super::defer_time(seconds);
    }
    WindowClamp(i32) IPPROTO_TCP TCP_WINDOW_CLAMP ANY,
        "most bytes of window that are advertised, at least 1152; 0: no limit, before connect or listen", {
        get(of) of.settings().window_clamp.unwrap_or(0).cast_signed();
        set(of, bytes) {
            if bytes == 0 && of.state != State::Closed {
                return Err(Error::Invalid);
            }
            // Linux: half its SOCK_MIN_RCVBUF is the least.
            let clamp = (bytes != 0).then(|| bytes.max(1152).cast_unsigned());
            of.settings().window_clamp = clamp;
        };
    }
    NotSentLowat(u32) IPPROTO_TCP TCP_NOTSENT_LOWAT Shape::Size,
        "the socket is writable while less than this is unsent; 0: no limit", {
        get(of) of.settings().notsent_lowat.unwrap_or(0);
        set(of, bytes) of.settings().notsent_lowat = Some(bytes).filter(|bytes| *bytes != 0);
    }
    Congestion(CongestionAlgorithm) IPPROTO_TCP TCP_CONGESTION Shape::Text,
        "the congestion control by its name (default: tcp_congestion_control)", {
        get(of) of.settings().congestion.unwrap_or(of.knobs.congestion_control());
        set(of, algorithm) of.settings().congestion = Some(algorithm);
    }
    FastOpen(i32) IPPROTO_TCP TCP_FASTOPEN Shape::Number { min: 0, max: i32::MAX },
        "handshakes with data that a listener lets wait; 0: no Fast Open there", {
        get(of) of.settings().fast_open_queue.unwrap_or(0).cast_signed();
        set(of, length) {
            if !matches!(of.state, State::Closed | State::Listen) {
                return Err(Error::Invalid);
            }
            let length = length.cast_unsigned().min(of.knobs.somaxconn());
            of.settings().fast_open_queue = Some(length).filter(|length| *length != 0);
        };
    }
    FastOpenKey(CookieKeys) IPPROTO_TCP TCP_FASTOPEN_KEY Shape::Keys,
        "16 bytes from which a listener's Fast Open cookies are made, and perhaps 16 more from which they were; unset, the stack has its own", {
        get(of) of.options().fast_open_keys().unwrap_or(of.fast_open_keys);
        set(of, keys) of.options.fast_open_keys = Some(Box::new(keys));
    }
    FastOpenConnect(bool) IPPROTO_TCP TCP_FASTOPEN_CONNECT Shape::Binary,
        "connect returns at once, and the first data goes with the SYN", {
        get(of) of.settings().fast_open_connect;
        set(of, on) {
            if of.state != State::Closed {
                return Err(Error::Invalid);
            }
            of.settings().fast_open_connect = on;
        };
    }
    Inq(bool) IPPROTO_TCP TCP_INQ Shape::Binary,
        "recvmsg tells in a TCP_CM_INQ message how many bytes are left to read", {
        get(of) of.options().tells_inq;
        set(of, on) of.options.tells_inq = on;
    }

    V6Only(bool) IPPROTO_IPV6 IPV6_V6ONLY Shape::Switch,
        "an AF_INET6 socket that leaves IPv4 alone, before bind", {
        get(of) of.options().v6_only;
        set(of, on) {
            if of.is_bound {
                return Err(Error::Invalid);
            }
            of.options.v6_only = on;
        };
    }

    TypeOfService(i32) IPPROTO_IP IP_TOS Shape::ByteOrNumber { min: i32::MIN, max: i32::MAX },
        "DSCP of the IPv4 packets sent, in the upper six bits of the byte (RFC 9293 §3.9.1.9); the lower two are TCP's", {
        get(of) of.ip(Domain::V4).traffic_class.into();
        set(of, byte) of.ip(Domain::V4).set_traffic_class((byte & 0xff) as u8);
    }
    TimeToLive(Option<u8>) IPPROTO_IP IP_TTL Shape::ByteOrNumber { min: -1, max: 255 },
        "hops that the IPv4 packets sent may take, from 1; -1: as ip_default_ttl says", {
        get(of) Some(of.ip(Domain::V4).hop_limit.unwrap_or(of.knobs.default_ttl()));
        set(of, hops) match hops {
            Some(0) => return Err(Error::Invalid),
            _ => of.ip(Domain::V4).hop_limit = hops,
        };
    }
    MinTimeToLive(u8) IPPROTO_IP IP_MINTTL Shape::ByteOrNumber { min: 0, max: 255 },
        "IPv4 packets that come in with a smaller TTL are dropped (RFC 5082)", {
        get(of) of.ip(Domain::V4).min_hop_limit;
        set(of, hops) of.ip(Domain::V4).min_hop_limit = hops;
    }
    MtuDiscover(MtuDiscover) IPPROTO_IP IP_MTU_DISCOVER MTU_DISCOVER,
        "how the IPv4 path's MTU is found: IP_PMTUDISC_DONT, WANT (the default), DO, PROBE, INTERFACE or OMIT", {
        get(of) of.ip(Domain::V4).mtu_discover;
        set(of, way) of.ip(Domain::V4).mtu_discover = way;
    }
    Mtu(u32) IPPROTO_IP IP_MTU Shape::ByteOrNumber { min: 0, max: i32::MAX },
        "bytes of the largest packet that the path to the peer takes; ENOTCONN without one", {
        get(of) of.mtu()?;
    }

    TrafficClass(i32) IPPROTO_IPV6 IPV6_TCLASS Shape::Number { min: -1, max: 255 },
        "IP_TOS for IPv6; -1: 0", {
        get(of) of.ip(Domain::V6).traffic_class.into();
        set(of, byte) of.ip(Domain::V6).set_traffic_class(u8::try_from(byte).unwrap_or(0));
    }
    HopLimit(Option<u8>) IPPROTO_IPV6 IPV6_UNICAST_HOPS Shape::Number { min: -1, max: 255 },
        "IP_TTL for IPv6, from 0; -1: as ip_default_ttl says", {
        get(of) Some(of.ip(Domain::V6).hop_limit.unwrap_or(of.knobs.default_ttl()));
        set(of, hops) of.ip(Domain::V6).hop_limit = hops;
    }
    MinHopLimit(u8) IPPROTO_IPV6 IPV6_MINHOPCOUNT Shape::Number { min: 0, max: 255 },
        "IP_MINTTL for IPv6", {
        get(of) of.ip(Domain::V6).min_hop_limit;
        set(of, hops) of.ip(Domain::V6).min_hop_limit = hops;
    }
    MtuDiscoverV6(MtuDiscover) IPPROTO_IPV6 IPV6_MTU_DISCOVER MTU_DISCOVER,
        "IP_MTU_DISCOVER for IPv6, whose packets routers never cut", {
        get(of) of.ip(Domain::V6).mtu_discover;
        set(of, way) of.ip(Domain::V6).mtu_discover = way;
    }
    MtuV6(u32) IPPROTO_IPV6 IPV6_MTU ANY,
        "IP_MTU for IPv6", {
        get(of) of.mtu()?;
    }
}
