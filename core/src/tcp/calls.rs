//! What the application may ask of a connection (RFC 9293 §3.10.2 to §3.10.5), with Linux's
//! answers where the RFC leaves the error open. Nothing waits here: WouldBlock says so.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use smallvec::SmallVec;

use super::connection::{Connection, Context, Reset, Settings, new_controller};
use super::seq::Seq;
use super::small_segments::SendFlags;
use super::state::State;
use crate::error::Error;
use crate::event::Reason;

/// Which direction of a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// What comes in (SHUT_RD).
    Read,
    /// What goes out (SHUT_WR): a FIN behind all that was sent.
    Write,
    /// Both (SHUT_RDWR).
    Both,
}

impl Connection {
    /// SEND: takes what fits the buffer, at least one byte.
    ///
    /// # Errors
    ///
    /// The pending error, once; `BrokenPipe` when this direction is over; `WouldBlock` when the
    /// buffer is full or the connection is not open yet.
    pub fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Result<usize, Error> {
        self.send_with(cx, data, SendFlags::default())
    }

    /// SEND with the flags that the application gave.
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub fn send_with(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
        flags: SendFlags,
    ) -> Result<usize, Error> {
        if let Some(error) = self.take_error() {
            return Err(error);
        }
        if self.is_write_shut() {
            return Err(Error::BrokenPipe);
        }
        if data.is_empty() {
            return Ok(0);
        }
        if matches!(self.state, State::SynSent | State::SynReceived) && !self.is_early() {
            return Err(Error::WouldBlock);
        }
        self.remember_cause(cx);
        self.restart_after_idle(cx);
        let before = self.observed(cx);
        let room = data.len().min(self.writable());
        let taken = self.send_buffer.push(&data[..room], cx.blocks);
        if taken > 0 {
            // A record, or what is urgent, ends where all of it is taken.
            let is_all = taken == data.len();
            let end_of_record = flags.end_of_record && is_all;
            let bulk = flags.bulk && cx.knobs.autocorking();
            self.note_send_flags(SendFlags { bulk, end_of_record, ..flags });
        }
        self.record_update(cx, before);
        if taken == 0 { Err(Error::WouldBlock) } else { Ok(taken) }
    }

    /// RFC 5681 §4.1: after an idle RTO the ACK clock is gone, so sending starts as it began.
    fn restart_after_idle(&mut self, cx: &Context<'_>) {
        let is_idle = cx.knobs.slow_start_after_idle()
            && self.snd.outstanding() == 0
            && self.send_buffer.is_empty();
        if is_idle && cx.now.saturating_since(self.last_sent) > self.rtt.rto() {
            let window = super::congestion::initial_window(
                self.snd.smss,
                cx.knobs.initial_window_segments(),
            );
            if window < self.congestion.cwnd() {
                self.congestion.on_idle_restart(cx.now, window);
            }
        }
    }

    /// RECEIVE: takes at most `max` bytes out, or shares them where `peek` leaves them, as `slices`.
    /// None is the end of the stream, or `max` = 0.
    ///
    /// # Errors
    ///
    /// The pending error, once, after all that arrived before it was read: an abort is told apart from
    /// the end (RFC 9293 §3.6, MUST-12); `WouldBlock` when
    /// nothing is there yet.
    pub fn recv(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        peek: bool,
        slices: &mut SmallVec<[Bytes; 4]>,
    ) -> Result<(), Error> {
        if max == 0 {
            return Ok(());
        }
        let before = self.observed(cx);
        let skipped = usize::from(self.is_before_out_of_band() && !self.receive_buffer.is_empty());
        if self.receive_buffer.len() <= skipped {
            if !peek {
                self.receive_buffer.skip(skipped);
                self.pass_mark();
            }
            return match self.take_error() {
                Some(error) => Err(error),
                None if self.is_at_end() => Ok(()),
                None => Err(Error::WouldBlock),
            };
        }
        self.read_to_mark(max, skipped, peek, slices);
        self.record_update(cx, before);
        if !peek && self.state.may_receive() {
            self.on_read(cx);
        }
        Ok(())
    }

    /// Reads up to the urgent mark, or, at the mark, what comes behind the `skipped` octet that is
    /// read out of band.
    fn read_to_mark(
        &mut self,
        max: usize,
        skipped: usize,
        peek: bool,
        slices: &mut SmallVec<[Bytes; 4]>,
    ) {
        let max = match self.bytes_to_mark() {
            Some(bytes) if bytes > 0 => max.min(bytes),
            _ => max.saturating_add(skipped),
        };
        self.receive_buffer.read(max, peek, slices);
        if skipped > 0
            && let Some(first) = slices.first_mut()
        {
            first.advance(skipped);
            slices.retain(|slice| !slice.is_empty());
        }
        if !peek {
            self.pass_mark();
        }
    }

    /// TCP_QUICKACK: acknowledges at once what is owed and, for now, what comes; or has
    /// acknowledgments wait to ride on text. As on Linux the ends' behaviour soon decides again.
    pub fn set_quick_ack(&mut self, cx: &mut Context<'_>, is_quick: bool) {
        let is_open = matches!(self.state, State::Established | State::CloseWait);
        let is_due = self.rcv.set_quick_ack(is_quick, self.receive_buffer.is_empty());
        if is_due && is_open {
            self.remember_cause(cx);
            self.rcv.demand_ack(Reason::QuickAck);
        }
    }

    /// Whether acknowledgments are not held back to ride on text (TCP_QUICKACK).
    pub fn is_quick_ack(&self) -> bool {
        self.rcv.is_quick_ack()
    }

    /// Whether no byte will ever follow what is in the receive buffer.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_read_shut
            || self.state == State::Closed
            || self.rcv.fin.is_some_and(|fin| self.rcv.nxt > fin)
    }

    /// Ends one direction or both (CLOSE of §3.10.4 is `Shutdown::Write`).
    ///
    /// # Errors
    ///
    /// `NotConnected` when the connection is over already.
    pub fn shutdown(&mut self, cx: &mut Context<'_>, how: Shutdown) -> Result<(), Error> {
        if self.state == State::Closed {
            return Err(Error::NotConnected);
        }
        self.remember_cause(cx);
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            self.is_read_shut = true;
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            self.close_sending(cx);
        }
        Ok(())
    }

    /// Queues our FIN behind all that was sent (§3.10.4).
    fn close_sending(&mut self, cx: &mut Context<'_>) {
        if self.snd.fin.is_some() {
            return;
        }
        match self.state {
            State::SynSent => self.set_state(cx, State::Closed, Reason::ApplicationClosed),
            State::SynReceived => self.snd.fin = Some(self.send_buffer.end()),
            State::Established => {
                self.snd.fin = Some(self.send_buffer.end());
                self.set_state(cx, State::FinWait1, Reason::ApplicationClosed);
            }
            State::CloseWait => {
                self.snd.fin = Some(self.send_buffer.end());
                self.set_state(cx, State::LastAck, Reason::ApplicationClosed);
            }
            _ => {}
        }
    }

    /// The application lets go: the connection ends by FIN on its own, or by RST when data is
    /// unread (SHLD-3, RFC 2525 §2.17) or `linger_zero` asks for it. Nothing more is told to anybody,
    /// nor read (RFC 9293 §3.6.1, MAY-1).
    pub fn close(&mut self, cx: &mut Context<'_>, linger_zero: bool) {
        self.is_orphan = true;
        self.remember_cause(cx);
        // In TIME-WAIT nothing is left to refuse, and 2 MSL are to be kept (MUST-13).
        let loses_data = linger_zero || !self.receive_buffer.is_empty();
        if loses_data && self.state != State::TimeWait {
            return self.abort(cx);
        }
        self.close_sending(cx);
        if self.state == State::FinWait2 {
            self.arm_fin_wait_2(cx);
        }
    }

    /// ABORT (§3.10.5): the peer hears a RST where it knows of the connection, and all is over.
    pub fn abort(&mut self, cx: &mut Context<'_>) {
        self.remember_cause(cx);
        match self.state {
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            // Their FIN may still be queued, behind data that dies here.
            | State::Closing
            | State::LastAck => self.reset_peer(Reason::Aborted),
            _ => {}
        }
        self.set_state(cx, State::Closed, Reason::Aborted);
    }

    /// Ends a connection of which nobody is to hear.
    pub fn forget(&mut self, cx: &mut Context<'_>) {
        self.remember_cause(cx);
        self.set_state(cx, State::Closed, Reason::Aborted);
    }

    /// Has a RST sent from where the peer expects our next number.
    pub(super) fn reset_peer(&mut self, reason: Reason) {
        let seq = self.ack_seq();
        self.seldom_mut().reset = Some(Reset { seq, has_ack: true, reason });
    }

    /// TCP_NODELAY was asked for, maybe once more: as on Linux what waits leaves now, even behind a
    /// cork or MSG_MORE.
    pub fn release(&mut self) {
        self.override_due |= self.unsent() > 0;
    }

    /// Takes new settings; a buffer shrinks no further than what is in it.
    pub fn set_settings(&mut self, cx: &mut Context<'_>, settings: Arc<Settings>) {
        let before = &self.settings;
        let is_hurried = settings.no_delay && !before.no_delay;
        // What autotuning has made of a buffer stays, unless the application chooses now.
        if settings.send_buffer != before.send_buffer || settings.is_send_buffer_fixed {
            self.send_buffer.set_capacity(settings.send_buffer as usize);
        }
        if settings.receive_buffer != before.receive_buffer || settings.is_receive_buffer_fixed {
            self.receive_buffer.set_capacity(settings.receive_buffer as usize);
        }
        let before = std::mem::replace(&mut self.settings, settings);
        if is_hurried {
            self.release();
        }
        if before.congestion != self.settings.congestion {
            self.switch_congestion_control(cx);
        }
        self.update_smss(cx);
        self.end_of_more();
        self.update_notsent_lowat(cx);
        if before.user_timeout != self.settings.user_timeout {
            self.advise_user_timeout(cx);
        }
        let now = &self.settings;
        if before.keepalive != now.keepalive || before.keepalive_idle != now.keepalive_idle {
            self.restart_keepalive(cx);
        }
    }

    /// Another controller takes over, with the window and the threshold as they are (TCP_CONGESTION
    /// on a connection that is open, as on Linux).
    fn switch_congestion_control(&mut self, cx: &Context<'_>) {
        let window = self.congestion.cwnd();
        let mut controller = new_controller(cx.knobs, &self.settings, &self.snd, window);
        controller.adopt(&*self.congestion);
        self.congestion = controller;
    }

    /// An ICMP error quoted a segment of ours that began at `seq`. Only what is outstanding
    /// counts; only in the handshake may a hard error end the connection (SHLD-26, RFC 5927 §5.2). A
    /// soft one never does (MUST-56): it is kept, to be the answer should the connection time out
    /// (§3.9.1.8, MUST-47); nothing is told to who does not ask (SHLD-20).
    pub fn handle_icmp(&mut self, cx: &mut Context<'_>, error: Error, hard: bool, seq: u32) {
        if !self.is_in_flight(seq) {
            return;
        }
        self.remember_cause(cx);
        match self.state {
            State::SynSent if hard => self.fail(cx, error, Reason::IcmpError),
            State::SynReceived if hard && self.is_active => self.fail(cx, error, Reason::IcmpError),
            State::Closed | State::TimeWait => {}
            _ => self.soft_error = Some(error),
        }
    }

    /// Whether the wire's number `seq` lies in what is sent and not acknowledged: an ICMP error
    /// that quotes another is stale or forged (RFC 5927 §4.1).
    pub fn is_in_flight(&self, seq: u32) -> bool {
        let seq = Seq::nearest(seq, self.snd.una);
        self.snd.una <= seq && seq < self.snd.max
    }

    /// The path takes packets of at most `cx.mtu` from now on. Says whether segments are smaller now.
    pub fn handle_mtu_change(&mut self, cx: &mut Context<'_>) -> bool {
        let before = self.snd.smss;
        self.update_smss(cx);
        self.snd.smss < before
    }

    /// A segment was too large for the path: what is outstanding is sent again at once
    /// (RFC 1191 §6.4, RFC 8201 §5.4).
    pub fn resend_too_big(&mut self, cx: &mut Context<'_>) {
        self.remember_cause(cx);
        if self.state.is_synchronized() {
            self.recovery.on_resegment(&self.snd);
        }
    }
}
