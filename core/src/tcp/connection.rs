//! One connection: the variables of RFC 9293 §3.3.1, the types that guard them, and its state.
//!
//! A connection is made by an open, driven by segments, timers and calls, and read by its owner.
//! It does no I/O: what it wants to send is asked of it (`output`), what it waits for is its next
//! deadline. Nothing is ever reset to be used again: a new connection is a new `Connection`.
//!
//! | file | what it answers |
//! |---|---|
//! | `handshake` | how a connection begins, and what a segment means in SYN-SENT |
//! | `arrival` | what a segment means in every other state, step by step |
//! | `acknowledgment` | what SEG.ACK and SEG.WND mean to the sender |
//! | `text` | what SEG.TEXT and FIN mean to the receiver |
//! | `urgent` | where urgent data ends, both ways |
//! | `small_segments` | what waits for more before it is sent |
//! | `window` | what the peer may send |
//! | `sack` | what the peer hears of holes and of what came twice |
//! | `timeouts` | what each timer does when it fires |
//! | `mtu_probe` | what the path takes where no router says so |
//! | `liveness` | whether the peer is still there |
//! | `user_timeout` | how long what is sent may wait |
//! | `calls` | what the application may ask for |
//! | `output` | what is sent next |
//! | `view` | what the connection looks like from outside |

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::autotune::ReceiveTuning;
use super::congestion::{self, CongestionControl};
use super::delayed_ack::DelayedAck;
use super::ecn::EcnState;
use super::ends::Ends;
use super::fast_open::FastOpen;
use super::isn::Origin;
use super::liveness::Liveness;
use super::mtu_probe::MtuProbe;
use super::reassembler::Reassembler;
use super::receive_buffer::ReceiveBuffer;
use super::receiver::Receiver;
use super::recovery::Recovery;
use super::rtt::RttEstimator;
use super::seldom::Seldom;
use super::send_buffer::SendBuffer;
use super::sender::Sender;
use super::seq::Seq;
use super::state::State;
use super::tally::Tally;
use super::timers::Timers;
use super::timestamps::Timestamps;
use super::user_timeout::Advice;
use crate::blocks::Blocks;
use crate::error::Error;
use crate::event::{ConnectionName, EventLog, Kind, Reason, TimerName};
use crate::knobs::{CongestionAlgorithm, Knobs};
use crate::time::Instant;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::Header;

/// What a connection is told at each call.
pub struct Context<'a> {
    /// The time.
    pub now: Instant,
    /// The stack's knobs.
    pub knobs: &'a Knobs,
    /// Where events go.
    pub log: &'a mut EventLog,
    /// What buffers are made of.
    pub blocks: &'a mut Blocks,
    /// Largest IP packet toward this peer, in bytes.
    pub mtu: usize,
    /// Largest payload of a super-segment, in bytes; 0 where the device takes none.
    pub gso_max: usize,
}

/// What the application asked for, by socket options; accepted connections inherit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Capacity of the send buffer, in bytes (SO_SNDBUF).
    pub send_buffer: u32,
    /// The application chose it: no autotuning.
    pub is_send_buffer_fixed: bool,
    /// Capacity of the receive buffer, in bytes (SO_RCVBUF).
    pub receive_buffer: u32,
    /// The application chose it: no autotuning.
    pub is_receive_buffer_fixed: bool,
    /// Whether small segments leave at once (TCP_NODELAY; RFC 9293 §3.7.4, MUST-17).
    pub no_delay: bool,
    /// Whether small segments wait for more (TCP_CORK).
    pub cork: bool,
    /// Upper bound of the segment size, in bytes (TCP_MAXSEG).
    pub max_segment: Option<u16>,
    /// The most unsent bytes at which the socket is writable (TCP_NOTSENT_LOWAT).
    pub notsent_lowat: Option<u32>,
    /// Upper bound of the advertised window, in bytes (TCP_WINDOW_CLAMP).
    pub window_clamp: Option<u32>,
    /// The least number of bytes that make the socket readable (SO_RCVLOWAT).
    pub receive_low_water: u32,
    /// Urgent data stays in the stream (SO_OOBINLINE).
    pub oob_inline: bool,
    /// Whether an idle peer is asked for a sign of life (SO_KEEPALIVE).
    pub keepalive: bool,
    /// Idle time before the first keepalive (TCP_KEEPIDLE); None: the knob.
    pub keepalive_idle: Option<Duration>,
    /// Time between keepalives (TCP_KEEPINTVL); None: the knob.
    pub keepalive_interval: Option<Duration>,
    /// Unanswered keepalives that end the connection (TCP_KEEPCNT); None: the knob.
    pub keepalive_count: Option<u8>,
    /// How long sent data may go unacknowledged (TCP_USER_TIMEOUT, RFC 9293 §3.9.1); None: R2.
    pub user_timeout: Option<Duration>,
    /// How long an orphan stays in FIN-WAIT-2 (TCP_LINGER2); None: the knob, zero: not at all.
    pub linger2: Option<Duration>,
    /// Retransmissions of a SYN (TCP_SYNCNT); None: the knob.
    pub syn_retries: Option<u8>,
    /// How long a listener waits for data before it wakes accept (TCP_DEFER_ACCEPT).
    pub defer_accept: Option<Duration>,
    /// Handshakes with data that a listener lets wait (TCP_FASTOPEN); None: no Fast Open there.
    pub fast_open_queue: Option<u32>,
    /// connect() waits for the first data to send (TCP_FASTOPEN_CONNECT).
    pub fast_open_connect: bool,
    /// The congestion controller (TCP_CONGESTION); None: the knob.
    pub congestion: Option<CongestionAlgorithm>,
    /// The fastest that data may leave, in bytes per second (SO_MAX_PACING_RATE).
    pub max_pacing_rate_bytes_per_s: Option<u64>,
}

impl Default for Settings {
    /// Nothing asked for; buffers of 64 KiB.
    fn default() -> Settings {
        Settings {
            send_buffer: 65_536,
            is_send_buffer_fixed: false,
            receive_buffer: 65_536,
            is_receive_buffer_fixed: false,
            no_delay: false,
            cork: false,
            max_segment: None,
            notsent_lowat: None,
            window_clamp: None,
            receive_low_water: 1,
            oob_inline: false,
            keepalive: false,
            keepalive_idle: None,
            keepalive_interval: None,
            keepalive_count: None,
            user_timeout: None,
            linger2: None,
            syn_retries: None,
            defer_accept: None,
            fast_open_queue: None,
            fast_open_connect: false,
            congestion: None,
            max_pacing_rate_bytes_per_s: None,
        }
    }
}

/// A segment on its way out; the owner puts the IP header before it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The TCP header, but for the checksum.
    pub header: Header,
    /// The text, shared with the send buffer.
    pub payload: Payload,
    /// Bytes of each real segment when this is a super-segment, else 0.
    pub gso_size: u16,
    /// The ECN codepoint for its IP header (RFC 3168 §6.1).
    pub ecn: Ecn,
    /// Why it is sent.
    pub reason: Reason,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Its number in events.
    pub(super) id: u64,
    pub(super) ends: Ends,
    pub(super) state: State,
    /// Opened actively: a refusal is the application's to hear (RFC 9293 §3.5, MUST-11; §3.10.7.4,
    /// second).
    pub(super) is_active: bool,
    pub(super) snd: Sender,
    pub(super) rcv: Receiver,
    pub(super) send_buffer: SendBuffer,
    pub(super) receive_buffer: ReceiveBuffer,
    pub(super) reassembler: Reassembler,
    /// Urgent data, records, pacing and the like, once there was any.
    pub(super) seldom: Option<Box<Seldom>>,
    /// The application said that more follows at once (MSG_MORE).
    pub(super) is_more_coming: bool,
    /// What was written last was a bulk, and no segment has come since.
    pub(super) is_bulk: bool,
    /// The most unsent bytes at which the socket is writable.
    pub(super) notsent_lowat: u32,
    /// What the size of the receive buffer is chosen by.
    pub(super) receive_tuning: ReceiveTuning,
    pub(super) recovery: Recovery,
    pub(super) congestion: Box<dyn CongestionControl>,
    pub(super) rtt: RttEstimator,
    pub(super) timers: Timers,
    pub(super) liveness: Liveness,
    /// What the ends have told each other of the user timeout.
    pub(super) advice: Advice,
    pub(super) tally: Tally,
    /// Shared with the socket and with all that one listener begot.
    pub(super) settings: Arc<Settings>,
    /// What was dropped since the host last counted.
    pub(super) drops: Drops,
    /// The window scale we offer, until the peer has agreed or not.
    pub(super) offered_shift: Option<u8>,
    /// Timestamps: offered, then agreed or not.
    pub(super) timestamps: Timestamps,
    /// Congestion marks: asked for, then agreed or not.
    pub(super) ecn: EcnState,
    /// Fast Open, where the handshake has anything to do with it.
    pub(super) fast_open: Option<Box<FastOpen>>,
    /// The handshake's ACK came without text, and the listener waits for text (TCP_DEFER_ACCEPT).
    pub(super) is_ack_deferred: bool,
    /// SACK permitted (RFC 2018 §2): offered by us, then agreed or not.
    pub(super) sack_permitted: bool,
    /// The largest segment the peer says it takes, in bytes (MSS option; RFC 6691).
    pub(super) peer_mss: u16,
    /// What the application has yet to hear.
    pub(super) error: Option<Error>,
    /// A soft ICMP error, told only if the connection then times out (RFC 9293 §3.9.2.2, SHLD-25).
    pub(super) soft_error: Option<Error>,
    /// The application has shut its reading side.
    pub(super) is_read_shut: bool,
    /// The application has let go.
    pub(super) is_orphan: bool,
    /// The persist timer fired: a probe has to leave.
    pub(super) probe_due: bool,
    /// The silly-window override fired: what there is may leave.
    pub(super) override_due: bool,
    /// Where the last segment below SMSS ended (Minshall's form of the Nagle rule).
    pub(super) small_end: Seq,
    /// When anything with text was last sent (RFC 5681 §4.1).
    pub(super) last_sent: Instant,
    /// The search for the path's MTU by probing, where there is one.
    pub(super) mtu_probe: Option<Box<MtuProbe>>,
    /// The event that led to what is sent next.
    pub(super) cause: Cause,
}

/// What a connection had to drop of what came for it, by reason: for the host to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Text past a hole when the reassembler held too many pieces; the peer will send it again.
    pub pieces: u8,
    /// Segments with an old timestamp (RFC 7323 §5.3, R1).
    pub paws: u8,
    /// Segments without the timestamp that was agreed on (RFC 7323 §3.2).
    pub without_timestamp: u8,
}

/// The event that led to something, if anybody read events then: kept as one more than its index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cause(Option<NonZeroU64>);

impl Cause {
    pub(super) fn of(index: Option<u64>) -> Cause {
        Cause(index.and_then(|index| NonZeroU64::MIN.checked_add(index)))
    }

    pub(super) fn index(self) -> Option<u64> {
        self.0.map(|cause| cause.get() - 1)
    }
}

/// A reset to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset {
    /// Its SEG.SEQ.
    pub(super) seq: Seq,
    /// Whether it acknowledges RCV.NXT.
    pub(super) has_ack: bool,
    /// Why it is sent.
    pub(super) reason: Reason,
}

impl Connection {
    /// A connection in CLOSED with nothing sent; the two opens make it more.
    pub(super) fn new(
        cx: &mut Context<'_>,
        name: ConnectionName,
        origin: Origin,
        settings: Arc<Settings>,
        is_active: bool,
    ) -> Connection {
        let ends = Ends::of(&name);
        let snd = Sender::new(origin.iss, u32::from(default_mss(&ends)));
        let knobs = cx.knobs;
        Connection {
            id: name.id,
            state: State::Closed,
            is_active,
            rcv: Receiver::new(DelayedAck::new(knobs.quickack_start(), knobs.pingpong_thresh())),
            send_buffer: SendBuffer::new(settings.send_buffer as usize, snd.iss + 1),
            receive_buffer: ReceiveBuffer::new(settings.receive_buffer as usize),
            reassembler: Reassembler::new(),
            seldom: None,
            is_more_coming: false,
            is_bulk: false,
            notsent_lowat: settings
                .notsent_lowat
                .filter(|lowat| *lowat > 0)
                .unwrap_or(knobs.notsent_lowat()),
            receive_tuning: ReceiveTuning::default(),
            recovery: Recovery::new(knobs, snd.iss),
            congestion: new_controller(knobs, &settings, &snd, u64::from(snd.smss)),
            rtt: RttEstimator::new(knobs.initial_rto(), knobs.min_rto(), knobs.max_rto())
                .with_least_window(knobs.min_rtt_window()),
            timers: Timers::new(),
            liveness: Liveness::new(cx.now),
            advice: Advice::default(),
            tally: Tally::default(),
            settings,
            drops: Drops::default(),
            offered_shift: None,
            timestamps: Timestamps::new(knobs, origin.ts_offset),
            ecn: EcnState::new(knobs, is_active),
            fast_open: None,
            is_ack_deferred: false,
            sack_permitted: knobs.sack(),
            peer_mss: default_mss(&ends),
            ends,
            error: None,
            soft_error: None,
            is_read_shut: false,
            is_orphan: false,
            probe_due: false,
            override_due: false,
            small_end: snd.iss,
            last_sent: cx.now,
            mtu_probe: None,
            cause: Cause::of(cx.log.cause()),
            snd,
        }
    }

    /// Moves to `to`: the one place where the state changes.
    pub(super) fn set_state(&mut self, cx: &mut Context<'_>, to: State, reason: Reason) {
        let from = std::mem::replace(&mut self.state, to);
        if from == to {
            return;
        }
        self.record(cx, Kind::StateChanged { from, to }, Some(reason));
        match to {
            State::TimeWait => {
                self.conclude_fast_open();
                self.stop_all_timers(cx);
                self.rest();
                self.arm_time_wait(cx);
            }
            State::Established => {
                self.record_first_phase(cx);
                self.tune_send_buffer(cx);
                self.advise_user_timeout(cx);
            }
            State::FinWait2 if self.is_orphan => self.arm_fin_wait_2(cx),
            State::Closed => {
                self.conclude_fast_open();
                self.stop_all_timers(cx);
                self.rest();
                self.reassembler.clear();
                self.send_buffer = SendBuffer::new(self.send_buffer.capacity(), self.snd.una);
            }
            _ => {}
        }
    }

    /// It waits for nothing but perhaps keepalive: memory that was kept for what comes next is given back.
    pub(super) fn rest(&mut self) {
        self.recovery.rest();
        self.send_buffer.rest();
        self.receive_buffer.rest();
    }

    /// Ends the connection with `error` for the application.
    pub(super) fn fail(&mut self, cx: &mut Context<'_>, error: Error, reason: Reason) {
        self.error = Some(error);
        self.set_state(cx, State::Closed, reason);
    }

    /// Arms `timer` for `deadline`.
    pub(super) fn arm(&mut self, cx: &mut Context<'_>, timer: TimerName, deadline: Instant) {
        self.timers.arm(timer, deadline);
        if cx.log.is_on() {
            self.record_timer(cx, timer);
        }
    }

    /// Stops `timer` if it is armed.
    #[inline]
    pub(super) fn stop(&mut self, cx: &mut Context<'_>, timer: TimerName) {
        if self.timers.stop(timer) && cx.log.is_on() {
            self.record_timer(cx, timer);
        }
    }

    /// Records that `timer` was armed or stopped.
    #[cold]
    fn record_timer(&self, cx: &mut Context<'_>, timer: TimerName) {
        let kind = match self.timers.deadline(timer) {
            Some(deadline) => Kind::TimerArmed { timer, deadline_ns: deadline.as_nanos() },
            None => Kind::TimerStopped { timer },
        };
        self.record(cx, kind, None);
    }

    fn stop_all_timers(&mut self, cx: &mut Context<'_>) {
        if self.timers.next_deadline().is_some() {
            for timer in TimerName::ALL {
                self.stop(cx, timer);
            }
        }
        self.timers.rest();
    }

    /// Records an event with the connection's variables, if anybody reads.
    #[cold]
    pub(super) fn record(&self, cx: &mut Context<'_>, kind: Kind, reason: Option<Reason>) {
        if cx.log.is_on() {
            cx.log.record(cx.now, Some(self.name()), kind, reason, Some(self.snapshot(cx.now)));
        }
    }

    /// What arrived, fired or was called leads to what is sent next.
    #[inline]
    pub(super) fn remember_cause(&mut self, cx: &Context<'_>) {
        if let Some(event) = cx.log.cause().filter(|_| cx.log.is_on()) {
            self.cause = Cause::of(Some(event));
        }
    }

    /// Our MSS option: what the device takes less the fixed headers (RFC 6691 §2; RFC 9293 §3.7.1,
    /// MUST-67), and if the path takes less, that (SHLD-6).
    pub(super) fn own_mss(&self, mtu: usize) -> u16 {
        let room = mtu.saturating_sub(fixed_headers(&self.ends));
        let mss = u16::try_from(room).unwrap_or(u16::MAX);
        self.settings.max_segment.map_or(mss, |max| mss.min(max))
    }

    /// Eff.snd.MSS (RFC 9293 §3.7.1, MUST-16): what the peer takes, the path takes and the
    /// application allows; a floor keeps a peer's hostile MSS from being a burden.
    pub(super) fn update_smss(&mut self, cx: &Context<'_>) {
        let largest = self.largest_segment(cx);
        let segment = self.mtu_probe.as_ref().map_or(largest, |search| largest.min(search.low()));
        // RFC 6691 §2: MSS options count no options, so the sender takes off what its own need.
        let text = segment.saturating_sub(self.timestamps.option_len());
        let least = LEAST_SEGMENT.saturating_sub(self.timestamps.option_len());
        let share = self
            .snd
            .window_share()
            .map_or(text, |share| u32::try_from(share).unwrap_or(u32::MAX).max(least));
        self.snd.smss = text.min(share).max(1);
        self.congestion.set_smss(self.snd.smss);
    }

    /// Text and options of the largest segment that the peer and, as far as is known, the path take.
    pub(super) fn largest_segment(&self, cx: &Context<'_>) -> u32 {
        let peer_mss = self.peer_mss.max(cx.knobs.min_mss());
        peer_mss.min(self.own_mss(cx.mtu)).into()
    }

    /// Panics where a guarantee of the connection or of one of its parts does not hold.
    pub fn check(&self) {
        self.snd.check();
        self.rcv.check();
        self.send_buffer.check();
        self.receive_buffer.check();
        self.reassembler.check();
        self.recovery.check(&self.snd);
        if let Some(search) = &self.mtu_probe {
            search.check();
        }
        assert!(self.congestion.cwnd() >= u64::from(self.snd.smss));
        if self.state.is_synchronized() {
            assert!(self.send_buffer.end() <= self.snd.fin.unwrap_or(self.send_buffer.end()));
            assert!(self.reassembler.ranges().all(|(start, _)| start > self.rcv.nxt));
        }
        let retransmits = self.timers.is_armed(TimerName::Retransmission);
        let persists = self.timers.is_armed(TimerName::Persist);
        let waits = self.timers.next_deadline().is_some();
        assert!(self.state != State::Closed || !waits, "what is over waits for nothing");
        assert!(!(retransmits && persists), "a timeout and a probe are never awaited at once");
    }
}

/// The congestion controller that the application or the knob names, starting from `window` bytes.
pub(super) fn new_controller(
    knobs: &Knobs,
    settings: &Settings,
    snd: &Sender,
    window: u64,
) -> Box<dyn CongestionControl> {
    let parameters = congestion::Parameters {
        abc_l: knobs.abc_l(),
        hystart: knobs.hystart(),
        abe: knobs.abe(),
        // No two connections have the same, and nobody off the path knows it (RFC 6528).
        seed: snd.iss.as_u64(),
    };
    let algorithm = settings.congestion.unwrap_or_else(|| knobs.congestion_control());
    congestion::controller(algorithm, snd.smss, window, &parameters)
}

/// Text and options that go into the smallest packet that every path takes, 68 bytes (RFC 791 §3.2): a
/// tiny window makes no smaller segments.
const LEAST_SEGMENT: u32 = 48;

/// RFC 7323 §2.3: a larger shift would let a window span half the sequence space.
pub(super) const MAX_WINDOW_SHIFT: u8 = 14;

/// IP and TCP header without options, in bytes.
pub(super) fn fixed_headers(ends: &Ends) -> usize {
    if ends.is_ipv4() { 40 } else { 60 }
}

/// The MSS of a peer that names none (RFC 9293 §3.7.1, MUST-15).
fn default_mss(ends: &Ends) -> u16 {
    if ends.is_ipv4() { 536 } else { 1220 }
}
