//! What a connection looks like from outside: to its owner, to poll(), and in events.

use crate::error::Error;
use crate::event::{
    ConnectionName, HeaderBytes, Kind, RANGES_SHOWN, Reason, ReceiveBufferView, RecoveryView,
    SegmentRecord, SendBufferView, Snapshot,
};
use crate::readiness::Readiness;
use crate::time::Instant;
use crate::wire::checksum;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::connection::{Connection, Context, Drops, Outgoing};
use super::fast_open::Lesson;
use super::segment::{Segment, segment_count};
use super::seq::Seq;
use super::state::State;

/// How many bytes of text an event carries along.
const PAYLOAD_SHOWN: usize = 64;

impl Connection {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its name and addresses.
    pub fn name(&self) -> ConnectionName {
        let (local, remote) = self.ends();
        ConnectionName { id: self.id, local, remote: Some(remote) }
    }

    /// Its two ends: this host's, and the peer's.
    pub fn ends(&self) -> (SocketAddr, SocketAddr) {
        (self.ends.local(), self.ends.remote())
    }

    /// Whether it is the connection between these two ends.
    pub fn has_ends(&self, local: &SocketAddr, remote: &SocketAddr) -> bool {
        self.ends.are(local, remote)
    }

    /// CLOSED, and nothing is left to send: it may be forgotten.
    pub fn is_finished(&self) -> bool {
        self.state == State::Closed
            && self.seldom.as_ref().is_none_or(|seldom| seldom.reset.is_none())
    }

    /// The application has ended its direction.
    pub(super) fn is_write_shut(&self) -> bool {
        self.snd.fin.is_some() || self.state == State::Closed || self.is_orphan
    }

    /// What Linux's poll() shows for a TCP socket in this situation.
    #[inline]
    pub fn readiness(&self) -> Readiness {
        let is_dead = self.state == State::Closed;
        let peer_finished = self.rcv.fin.is_some_and(|fin| self.rcv.nxt > fin);
        let read_over = self.is_read_shut || peer_finished || is_dead;
        let write_over = self.is_write_shut();
        let mut ready = Readiness::EMPTY;
        if is_dead || (read_over && write_over) {
            ready = ready.union(Readiness::HUP);
        }
        if read_over {
            ready = ready.union(Readiness::IN).union(Readiness::RDHUP);
        }
        if self.error.is_some() {
            ready = ready.union(Readiness::ERR);
        }
        if matches!(self.state, State::SynSent | State::SynReceived) && !self.is_early() {
            return ready;
        }
        if self.is_readable() {
            ready = ready.union(Readiness::IN);
        }
        if self.has_out_of_band() {
            ready = ready.union(Readiness::PRI);
        }
        if write_over || self.is_writable() {
            ready = ready.union(Readiness::OUT);
        }
        ready
    }

    /// Whether so much is here as SO_RCVLOWAT asks for, the out-of-band byte not counted; or as much
    /// as will come, when the window has no room for another segment.
    fn is_readable(&self) -> bool {
        let len = self.receive_buffer.len();
        let wanted = self.settings.receive_low_water.max(1) as usize;
        let is_full = self.rcv.wnd() <= u64::from(self.rcv.segment_size());
        len > 0 && (len >= wanted + usize::from(self.is_before_out_of_band()) || is_full)
    }

    /// The pending error.
    pub fn error(&self) -> Option<Error> {
        self.error
    }

    /// The pending error, once (SO_ERROR).
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Bytes to be read, bytes in the send buffer, bytes free in it.
    pub fn queues(&self) -> (usize, usize, usize) {
        (self.receive_buffer.len(), self.send_buffer.len(), self.send_buffer.free())
    }

    /// SEG.SEQ of the next byte that the application reads.
    pub(super) fn read_seq(&self) -> Seq {
        let is_fin_taken = self.rcv.fin.is_some_and(|fin| self.rcv.nxt > fin);
        self.rcv.nxt - (u64::from(is_fin_taken) + self.receive_buffer.len() as u64)
    }

    /// What few segments lead to: what was dropped, and what the handshake taught; once.
    pub fn take_peculiar(&mut self) -> Option<(Drops, Option<Lesson>)> {
        if self.drops == Drops::default() && self.fast_open.is_none() {
            return None;
        }
        Some((std::mem::take(&mut self.drops), self.take_lesson()))
    }

    /// Bytes in the send buffer that were never sent.
    pub fn unsent(&self) -> usize {
        let unsent = self.send_buffer.end().since(self.snd.max.min(self.send_buffer.end()));
        // In SYN-SENT the SYN itself lies between SND.MAX and the first byte.
        (unsent as usize).min(self.send_buffer.len())
    }

    /// Capacity of the send and of the receive buffer in bytes, as autotuning has made them.
    pub fn buffer_sizes(&self) -> (usize, usize) {
        (self.send_buffer.capacity(), self.receive_buffer.capacity())
    }

    /// SMSS in bytes (TCP_MAXSEG).
    pub fn smss(&self) -> u16 {
        u16::try_from(self.snd.smss).unwrap_or(u16::MAX)
    }

    /// The variables, for an event.
    #[inline(never)]
    pub fn snapshot(&self, now: Instant) -> Box<Snapshot> {
        // In SYN-SENT the SYN itself lies between SND.NXT and the first byte.
        let len = self.send_buffer.len() as u64;
        let unsent = self.send_buffer.end().since(self.snd.nxt).min(len);
        Box::new(Snapshot {
            state: self.state,
            iss: self.snd.iss.as_u64(),
            irs: self.rcv.irs.as_u64(),
            snd_una: self.snd.una.as_u64(),
            snd_nxt: self.snd.nxt.as_u64(),
            snd_max: self.snd.max.as_u64(),
            snd_wnd: self.snd.wnd,
            rcv_nxt: self.rcv.nxt.as_u64(),
            rcv_wnd: self.rcv.wnd(),
            cwnd: self.congestion.cwnd(),
            ssthresh: self.congestion.ssthresh(),
            in_flight: self.recovery.in_flight(&self.snd),
            srtt_ns: self.rtt.srtt().map(nanos),
            rto_ns: nanos(self.rtt.rto()),
            recovery: self.recovery_view(),
            limit: self.limit_for_events(now),
            timers: self.timers.iter().map(|(timer, at)| (timer, at.as_nanos())).collect(),
            send_buffer: SendBufferView {
                capacity: self.send_buffer.capacity() as u64,
                unacked: len - unsent,
                unsent,
            },
            receive_buffer: ReceiveBufferView {
                capacity: self.receive_buffer.capacity() as u64,
                queued: self.receive_buffer.len() as u64,
                out_of_order: self
                    .reassembler
                    .ranges()
                    .take(RANGES_SHOWN)
                    .map(|(start, end)| (start.as_u64(), end.as_u64()))
                    .collect(),
            },
        })
    }

    fn recovery_view(&self) -> RecoveryView {
        let mut view = RecoveryView {
            state: self.recovery.state(),
            rttvar_ns: self.rtt.rttvar().map(nanos),
            pacing_bytes_per_s: self.pacing_rate_bytes_per_s(),
            ..RecoveryView::default()
        };
        if let Some(board) = self.recovery.board() {
            let more = &mut view.has_more;
            view.sacked = shown(board.sacked().iter(), more);
            view.lost = shown(board.lost().iter(), more);
            view.retransmitted = shown(board.repeated().map(|r| (r.start, r.end)), more);
        }
        view
    }

    /// The variables now, if anybody reads: to be handed to [`Connection::record_update`] after a
    /// change.
    #[inline]
    pub(super) fn observed(&self, cx: &Context<'_>) -> Option<Box<Snapshot>> {
        cx.log.is_on().then(|| self.snapshot(cx.now))
    }

    /// Records what has become of the variables since `before`, if they changed.
    #[inline]
    pub(super) fn record_update(&self, cx: &mut Context<'_>, before: Option<Box<Snapshot>>) {
        if let Some(before) = before {
            self.record_difference(cx, &before);
        }
    }

    #[cold]
    fn record_difference(&self, cx: &mut Context<'_>, before: &Snapshot) {
        if *before != *self.snapshot(cx.now) {
            self.record(cx, Kind::Updated, None);
        }
    }

    /// Records an arrival; what the connection does about it is its effect.
    #[cold]
    pub(super) fn record_arrival(
        &self,
        cx: &mut Context<'_>,
        header: &Header,
        payload: &Payload,
        gso_size: u16,
    ) {
        let shift = self.snd.wnd_shift;
        let (local, remote) = self.ends();
        let bytes = cx.log.take_arriving();
        let bytes = bytes.unwrap_or_else(|| finished(header, payload, remote.ip(), local.ip()));
        let mut record = segment_record(header, &bytes, payload, gso_size, shift);
        record.relative_seq = self.relative_to_irs(header);
        if header.flags.contains(Flags::ACK) {
            record.relative_ack = Some(Seq::nearest(header.ack, self.snd.una).since(self.snd.iss));
        }
        let snapshot = Some(self.snapshot(cx.now));
        cx.log.set_cause(None);
        let kind = Kind::SegmentReceived(record);
        let index = cx.log.record(cx.now, Some(self.name()), kind, None, snapshot);
        cx.log.set_cause(index);
    }

    /// Records that an arrival is dropped, and why.
    #[cold]
    pub(super) fn record_drop(
        &self,
        cx: &mut Context<'_>,
        segment: &Segment,
        counter: &str,
        reason: Reason,
    ) {
        if cx.log.is_on() {
            let kind =
                Kind::PacketDropped { counter: counter.to_owned(), len: segment.payload.len() };
            self.record(cx, kind, Some(reason));
        }
    }

    /// SEG.SEQ of an arrival from the peer's ISS on; a SYN names the ISS itself.
    fn relative_to_irs(&self, header: &Header) -> Option<u64> {
        if header.flags.contains(Flags::SYN) {
            return Some(0);
        }
        (self.rcv.irs != Seq::default())
            .then(|| Seq::nearest(header.seq, self.rcv.nxt).since(self.rcv.irs))
    }

    /// Records a departure.
    #[cold]
    pub(super) fn record_departure(
        &self,
        cx: &mut Context<'_>,
        outgoing: &Outgoing,
        retransmission: bool,
    ) {
        let header = &outgoing.header;
        let shift = self.rcv.wnd_shift;
        let (payload, (local, remote)) = (&outgoing.payload, self.ends());
        let bytes = finished(header, payload, local.ip(), remote.ip());
        let mut record = segment_record(header, &bytes, payload, outgoing.gso_size, shift);
        record.relative_seq = Some(Seq::nearest(header.seq, self.snd.una).since(self.snd.iss));
        if header.flags.contains(Flags::ACK) {
            record.relative_ack = Some(self.rcv.nxt.since(self.rcv.irs));
        }
        record.retransmission = retransmission;
        self.record(cx, Kind::SegmentSent(record), Some(outgoing.reason));
    }
}

/// The bytes of a header that goes from `src` to `dst` before `payload`, its checksum finished
/// (RFC 9293 §3.1).
pub(crate) fn finished(
    header: &Header,
    payload: &Payload,
    src: IpAddr,
    dst: IpAddr,
) -> HeaderBytes {
    let mut bytes = HeaderBytes::new();
    header.emit(0, &mut bytes);
    checksum::finish_segment(&mut bytes, (payload.sum(), payload.len()), src, dst);
    bytes
}

/// What an event says of a segment, as far as the segment alone tells; `bytes` are its header's.
pub(crate) fn segment_record(
    header: &Header,
    bytes: &[u8],
    payload: &Payload,
    gso_size: u16,
    wnd_shift: u8,
) -> SegmentRecord {
    let len = payload.len();
    let shift = if header.flags.contains(Flags::SYN) { 0 } else { wnd_shift };
    SegmentRecord {
        src_port: header.src_port,
        dst_port: header.dst_port,
        seq: header.seq,
        ack: header.ack,
        relative_seq: None,
        relative_ack: None,
        flags: header.flags.to_string(),
        window: header.window,
        window_bytes: u64::from(header.window) << shift,
        urgent: header.urgent,
        len,
        segments: segment_count(len, gso_size),
        header: hexadecimal(bytes.iter()),
        payload: hexadecimal(payload.slices().iter().flatten().take(PAYLOAD_SHOWN)),
        payload_sum: Some(payload.sum()),
        retransmission: false,
    }
}

fn hexadecimal<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The first of `ranges`, those that touch made one; `has_more` says that there are others.
fn shown(ranges: impl Iterator<Item = (Seq, Seq)>, has_more: &mut bool) -> Vec<(u64, u64)> {
    let mut shown: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        let (start, end) = (start.as_u64(), end.as_u64());
        if let Some(last) = shown.last_mut().filter(|last| last.1 == start) {
            last.1 = end;
        } else if shown.len() == RANGES_SHOWN {
            *has_more = true;
            break;
        } else {
            shown.push((start, end));
        }
    }
    shown
}
