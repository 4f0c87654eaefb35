//! How a connection begins: the active and the passive open (RFC 9293 §3.10.1, §3.10.7.2) and what
//! a segment means in SYN-SENT (§3.10.7.3), simultaneous open included.

use super::congestion::initial_window;
use super::connection::new_controller;
use super::connection::{Connection, Context, MAX_WINDOW_SHIFT, Reset, Settings};
use super::isn::Origin;
use super::segment::Segment;
use super::sender::AckOutcome;
use super::seq::Seq;
use super::state::State;
use crate::error::Error;
use crate::event::{ConnectionName, Reason, TimerName};
use crate::wire::ip::Ecn;
use crate::wire::tcp::{Flags, Header};
use bytes::Bytes;
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
        let segment = Segment::from_wire(syn, Bytes::new(), 0, ecn, near, connection.snd.una);
        connection.take_syn(cx, &segment);
        connection.set_state(cx, State::SynReceived, Reason::PassiveOpen);
        connection
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
        self.update_smss(cx);
        // RFC 7323 §2.2: the window of a SYN is not scaled.
        self.snd.wnd = u64::from(syn.window_field);
        self.snd.max_wnd = self.snd.max_wnd.max(self.snd.wnd);
        self.snd.edge = self.snd.iss + 1 + self.snd.wnd;
        self.snd.wl1 = syn.seq;
        self.snd.wl2 = syn.ack.unwrap_or(self.snd.iss);
    }

    /// RFC 9293 §3.10.7.3: a segment in SYN-SENT.
    pub(super) fn arrival_in_syn_sent(&mut self, cx: &mut Context<'_>, mut segment: Segment) {
        // First, the ACK bit: it must cover our SYN and nothing that was not sent.
        let outcome = segment.ack.map(|ack| self.snd.judge(ack));
        // The echo of a timestamp that this connection never sent comes from another, as on Linux.
        let is_echo_ours = self.timestamps.is_echo_plausible(cx.now, segment.options.timestamps);
        let is_acceptable = matches!(outcome, None | Some(AckOutcome::New(_)))
            && (segment.ack.is_none() || is_echo_ours);
        let is_reset = segment.flags.contains(Flags::RST);
        if let Some(ack) = segment.ack.filter(|_| !is_acceptable) {
            if !is_reset {
                self.reset =
                    Some(Reset { seq: ack, has_ack: false, reason: Reason::BadHandshakeAck });
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
        self.take_syn(cx, &segment);
        let Some(ack) = segment.ack else {
            // Simultaneous open (MUST-10): our SYN goes out again, now with an ACK.
            self.snd.nxt = self.snd.iss;
            self.set_state(cx, State::SynReceived, Reason::SimultaneousOpen);
            return;
        };
        self.take_handshake_ack(cx, &segment, ack);
        self.rcv.demand_ack();
        self.set_state(cx, State::Established, Reason::SynAcknowledged);
        self.liveness.on_heard(cx.now);
        self.restart_keepalive(cx);
        segment.trim_front(self.rcv.nxt);
        segment.trim_back(self.rcv.edge());
        self.arrival_of_text(cx, segment);
    }

    /// Our SYN is acknowledged: data may flow (RFC 9293 §3.10.7.3 and .4).
    pub(super) fn take_handshake_ack(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq) {
        let repeats = self.rtt.backoffs();
        // Of a SYN sent twice only a timestamp's echo tells which one was answered (Karn).
        let timed = self.recovery.take_rtt(ack, cx.now);
        let echoed = || self.timestamps.round_trip(cx.now, segment.options.timestamps);
        if let Some(rtt) = timed.or_else(echoed) {
            self.take_rtt_sample(cx, rtt);
        }
        // RFC 6298 §5.7: a lost SYN costs the short timeout, unless a round trip is known all the
        // same; RFC 6928 §2: a second one the window.
        if repeats > 0 && self.rtt.srtt().is_none() {
            self.rtt.restart_after_syn_loss();
        }
        let window = if repeats > 1 {
            u64::from(self.snd.smss)
        } else {
            initial_window(self.snd.smss, cx.knobs.initial_window_segments())
        };
        self.congestion = new_controller(cx.knobs, &self.settings, &self.snd, window);
        self.recovery.on_open(self.sack_permitted);
        self.snd.acknowledge(ack);
        self.liveness.on_progress(cx.now);
        self.stop(cx, TimerName::Retransmission);
    }
}
