//! How a connection begins: the active and the passive open (RFC 9293 §3.10.1, §3.10.7.2) and what
//! a segment means in SYN-SENT (§3.10.7.3), simultaneous open included.

use super::congestion::initial_window;
use super::connection::new_controller;
use super::connection::{Connection, Context, MAX_WINDOW_SHIFT, Outgoing, Reset, Settings};
use super::ecn::ECN_FLAGS;
use super::isn::Origin;
use super::segment::Segment;
use super::sender::AckOutcome;
use super::seq::Seq;
use super::state::State;
use super::syn_cookie::{self, Agreed};
use super::timestamps::Timestamps;
use crate::error::Error;
use crate::event::{ConnectionName, Reason, TimerName};
use crate::knobs::EcnVariant;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};
use crate::wire::tcp_options::Options;
use std::sync::Arc;

impl Connection {
    /// Active open: the SYN is had from `poll_transmit`.
    pub fn connect(
        cx: &mut Context<'_>,
        name: ConnectionName,
        origin: Origin,
        settings: Arc<Settings>,
    ) -> Connection {
        let mut connection = Connection::new(cx, name, origin, settings, true);
        connection.offered_shift =
            cx.knobs.window_scaling().then(|| connection.own_shift(cx.knobs));
        connection.update_smss(cx);
        connection.set_state(cx, State::SynSent, Reason::ActiveOpen);
        connection
    }

    /// Passive open on a SYN that a listener took: the SYN+ACK is had from `poll_transmit`.
    pub fn accept(
        cx: &mut Context<'_>,
        name: ConnectionName,
        origin: Origin,
        settings: Arc<Settings>,
        syn: &Header,
        ecn: Ecn,
    ) -> Connection {
        let mut connection = Connection::new(cx, name, origin, settings, false);
        if cx.knobs.window_scaling() {
            connection.offered_shift = Some(connection.own_shift(cx.knobs));
        }
        let near = Seq::from_initial(syn.seq);
        // Text on the SYN is not taken; unacknowledged, it will be sent again (§3.10.7.2, third).
        let segment = Segment::from_wire(syn, Payload::default(), 0, ecn, near, connection.snd.una);
        connection.take_syn(cx, &segment);
        connection.set_state(cx, State::SynReceived, Reason::PassiveOpen);
        connection
    }

    /// The SYN+ACK of a SYN cookie, whose ISS is the cookie: what a child would send, which is then
    /// forgotten (RFC 4987 §3.6). The timestamp's low bits remember what was agreed on.
    pub fn cookie_syn_ack(
        cx: &mut Context<'_>,
        name: ConnectionName,
        origin: Origin,
        settings: Arc<Settings>,
        syn: &Header,
    ) -> Option<Outgoing> {
        let options = syn_cookie::remembered(&syn.options);
        // Accurate ECN has more to remember than there are bits.
        let is_classic = options.timestamps.is_some() && !syn.flags.contains(Flags::AE);
        let flags = if is_classic { syn.flags } else { syn.flags.without(ECN_FLAGS) };
        let syn = Header { options, flags, ..*syn };
        let mut child = Connection::accept(cx, name, origin, settings, &syn, Ecn::NotEct);
        let mut outgoing = child.poll_transmit(cx)?;
        outgoing.reason = Reason::SynCookie;
        if let Some((value, _)) = &mut outgoing.header.options.timestamps {
            let agreed = Agreed {
                window_scale: child.offered_shift.and(options.window_scale),
                sack_permitted: child.sack_permitted,
                ecn: child.ecn.variant() != EcnVariant::None,
            };
            let offset = child.timestamps.offset();
            *value = syn_cookie::stamp(value.wrapping_sub(offset), &agreed).wrapping_add(offset);
        }
        Some(outgoing)
    }

    /// The child that an ACK with a good cookie stands for, its SYN+ACK sent: the ACK completes its
    /// handshake. None where the ACK claims what the knobs do not allow.
    pub fn from_cookie(
        cx: &mut Context<'_>,
        name: ConnectionName,
        origin: Origin,
        settings: Arc<Settings>,
        ack: &Header,
        mss: u16,
    ) -> Option<Connection> {
        let offset = Timestamps::new(cx.knobs, origin.ts_offset).offset();
        let agreed =
            ack.options.timestamps.map(|(_, echo)| syn_cookie::agreed(echo.wrapping_sub(offset)));
        let options = Options {
            mss: Some(mss),
            window_scale: agreed.and_then(|agreed| agreed.window_scale),
            sack_permitted: agreed.is_some_and(|agreed| agreed.sack_permitted),
            timestamps: ack.options.timestamps,
            ..Options::default()
        };
        let ecn = if agreed.is_some_and(|agreed| agreed.ecn) {
            Flags::ECE | Flags::CWR
        } else {
            Flags::EMPTY
        };
        let seq = ack.seq.wrapping_sub(1);
        let syn = Header { seq, flags: Flags::SYN | ecn, options, ..*ack };
        let mut child = Connection::accept(cx, name, origin, settings, &syn, Ecn::NotEct);
        let sent = child.poll_transmit(cx)?.header.options;
        let is_agreed = sent.window_scale.is_some() == options.window_scale.is_some()
            && sent.sack_permitted == options.sack_permitted
            && sent.timestamps.is_some() == options.timestamps.is_some();
        child.recovery.stop_timing();
        is_agreed.then_some(child)
    }

    /// TCP_DEFER_ACCEPT: the third segment is here, without text. Until the time is over it counts as
    /// not arrived, and the SYN+ACK is not repeated either, as on Linux.
    pub(super) fn defers_accept(&mut self, cx: &Context<'_>, segment: &Segment) -> bool {
        let is_deferred = !self.is_active
            && segment.is_empty()
            && self.rtt.backoffs() < self.deferring_timeouts(cx);
        self.is_ack_deferred |= is_deferred;
        is_deferred
    }

    /// The timeouts of the SYN+ACK that TCP_DEFER_ACCEPT spans.
    fn deferring_timeouts(&self, cx: &Context<'_>) -> u32 {
        let Some(time) = self.settings.defer_accept.filter(|time| !time.is_zero()) else {
            return 0;
        };
        let (mut timeout, mut period, mut count) =
            (cx.knobs.initial_rto(), cx.knobs.initial_rto(), 1);
        while time > period && count < 255 {
            count += 1;
            timeout = (2 * timeout).min(cx.knobs.max_rto());
            period += timeout;
        }
        count
    }

    /// The SYN+ACK was not answered in time: once more, as often as `tcp_synack_retries` says. A SYN
    /// that is repeated meanwhile changes nothing about that.
    pub(super) fn on_syn_ack_timeout(&mut self, cx: &mut Context<'_>) {
        let timeouts = self.rtt.backoffs();
        let deferring = self.deferring_timeouts(cx);
        let waits_for_text = self.is_ack_deferred && timeouts < deferring;
        if timeouts >= cx.knobs.synack_retries() && !waits_for_text {
            let error = self.soft_error.take().unwrap_or(Error::TimedOut);
            return self.fail(cx, error, Reason::GaveUp);
        }
        self.rtt.back_off();
        if self.is_ack_deferred && timeouts + 1 < deferring {
            // At the end of that time one more SYN+ACK gives the client a last chance.
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        } else {
            self.snd.nxt = self.snd.iss;
        }
    }

    /// Takes what the peer's SYN says: IRS, MSS, window scale, timestamps, SACK permitted.
    fn take_syn(&mut self, cx: &mut Context<'_>, syn: &Segment) {
        self.rcv.synchronize(syn.seq);
        // MUST-14; without the option the default stays (MUST-15).
        if let Some(mss) = syn.options.mss {
            self.peer_mss = mss;
        }
        // RFC 7323 §2.2: scaling is in force only if both SYNs carry the option; §2.3: a shift
        // above 14 counts as 14.
        match (self.offered_shift, syn.options.window_scale) {
            (Some(ours), Some(theirs)) => {
                self.rcv.wnd_shift = ours;
                self.snd.wnd_shift = theirs.min(MAX_WINDOW_SHIFT);
            }
            _ => self.offered_shift = None,
        }
        match (self.is_active, syn.ack) {
            (false, _) => self.ecn.take_syn(cx.knobs, syn),
            (true, Some(_)) => self.ecn.take_syn_ack(syn),
            (true, None) => self.ecn.give_up(),
        }
        self.timestamps.negotiate(cx.now, syn.options.timestamps);
        self.sack_permitted &= syn.options.sack_permitted;
        self.take_user_timeout(cx, &syn.options);
        // RFC 7323 §2.2: the window of a SYN is not scaled.
        self.snd.wnd = u64::from(syn.window_field);
        self.snd.max_wnd = self.snd.max_wnd.max(self.snd.wnd);
        self.update_smss(cx);
        self.snd.edge = self.snd.iss + 1 + self.snd.wnd;
        self.snd.wl1 = syn.seq;
        self.snd.wl2 = syn.ack.unwrap_or(self.snd.iss);
    }

    /// RFC 9293 §3.10.7.3: a segment in SYN-SENT.
    pub(super) fn arrival_in_syn_sent(&mut self, cx: &mut Context<'_>, segment: &mut Segment) {
        // First, the ACK bit: it must cover our SYN and nothing that was not sent.
        let outcome = segment.ack.map(|ack| self.snd.judge(ack));
        // The echo of a timestamp that this connection never sent comes from another, as on Linux.
        let is_echo_ours = self.timestamps.is_echo_plausible(cx.now, segment.options.timestamps);
        let is_acceptable = matches!(outcome, None | Some(AckOutcome::New(_)))
            && (segment.ack.is_none() || is_echo_ours);
        let is_reset = segment.flags.contains(Flags::RST);
        if let Some(ack) = segment.ack.filter(|_| !is_acceptable) {
            if !is_reset {
                let reason = Reason::BadHandshakeAck;
                self.seldom_mut().reset = Some(Reset { seq: ack, has_ack: false, reason });
            }
            return;
        }
        // Second, the RST bit: believed only with an acceptable ACK (RFC 5961 §3 agrees).
        if is_reset {
            if segment.ack.is_some() {
                self.fail(cx, Error::Refused, Reason::Refused);
            }
            return;
        }
        // Fourth, the SYN bit; fifth: without it the segment means nothing here.
        if !segment.flags.contains(Flags::SYN) {
            return;
        }
        self.take_syn(cx, segment);
        let Some(ack) = segment.ack else {
            // Simultaneous open (MUST-10): our SYN goes out again, now with an ACK.
            self.snd.nxt = self.snd.iss;
            self.set_state(cx, State::SynReceived, Reason::SimultaneousOpen);
            return;
        };
        self.take_handshake_ack(cx, segment, ack);
        self.rcv.demand_ack(Reason::AcknowledgeSyn);
        self.set_state(cx, State::Established, Reason::SynAcknowledged);
        self.liveness.on_heard(cx.now);
        self.restart_keepalive(cx);
        segment.trim_front(self.rcv.nxt);
        segment.trim_to_edge(self.rcv.edge());
        self.arrival_of_text(cx, segment);
    }

    /// Text may leave from now on, as much as an initial window of so many segments.
    pub(super) fn start_congestion(&mut self, cx: &Context<'_>, segments: u32) {
        let window = initial_window(self.snd.smss, segments);
        self.congestion = new_controller(cx.knobs, &self.settings, &self.snd, window);
    }

    /// Our SYN is acknowledged: data may flow (RFC 9293 §3.10.7.3 and .4).
    pub(super) fn take_handshake_ack(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        let repeats = if self.is_ack_deferred { 0 } else { self.rtt.backoffs() };
        // Of a SYN sent twice only a timestamp's echo tells which one was answered (Karn).
        let timed = self.recovery.take_rtt(cx.now);
        let echoed = || self.timestamps.round_trip(cx.now, segment.options.timestamps);
        if let Some(rtt) = timed.or_else(echoed) {
            self.take_rtt_sample(cx, rtt);
        }
        // RFC 6298 §5.7: a lost SYN costs the short timeout, unless a round trip is known all the
        // same; RFC 6928 §2: a second one the window.
        if repeats > 0 && self.rtt.srtt().is_none() {
            self.rtt.restart_after_syn_loss();
        }
        if repeats > 1 {
            self.start_congestion(cx, 1);
        } else if !self.is_early() {
            self.start_congestion(cx, cx.knobs.initial_window_segments());
        }
        self.recovery.on_open(cx.now, ack, self.sack_permitted);
        self.snd.acknowledge(ack);
        self.tally.on_open(cx.now);
        self.liveness.on_progress(cx.now);
        self.stop(cx, TimerName::Retransmission);
        if self.is_active {
            self.take_fast_open_answer(segment);
        }
        self.send_buffer.release(ack.min(self.send_buffer.end()));
        if self.snd.outstanding() > 0 {
            // An early child's text is on its way.
            self.arm(cx, TimerName::Retransmission, cx.now + self.rtt.rto());
        }
    }
}
