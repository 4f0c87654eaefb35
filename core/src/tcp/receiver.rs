//! The receive sequence space of RFC 9293 §3.3.1, and what is acknowledged of it.
//!
//! Guarantees that RCV.NXT and the right edge never retreat (RFC 9293 §3.8.6, SHLD-14), and that the edge moves in worthwhile
//! steps only (silly window avoidance, §3.8.6.2.2). On the wire a scaled window is rounded down, so
//! the peer may see an edge up to 2^shift - 1 bytes before it (RFC 7323 §2.4); all up to ours is taken.

use super::delayed_ack::{Arrived, DelayedAck};
use super::segment::Segment;
use super::seq::Seq;
use crate::event::Reason;
use crate::time::Instant;

/// The receive sequence variables.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// IRS: the number of the peer's SYN.
    pub irs: Seq,
    /// RCV.NXT: the next number expected.
    pub nxt: Seq,
    /// The right edge of the window as last advertised; RCV.WND = edge - RCV.NXT.
    edge: Seq,
    /// How far our window field is shifted (RFC 7323 §2.3); 0 until agreed.
    pub wnd_shift: u8,
    /// The peer's FIN, when it has arrived (perhaps ahead of data that has not).
    pub fin: Option<Seq>,
    /// RCV.NXT as last acknowledged.
    acked: Seq,
    /// When what arrived is acknowledged.
    delayed_ack: DelayedAck,
}

/// What the receive buffer has room for.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes that may be offered.
    pub free: u64,
    /// The most that could be, with nothing unread.
    pub capacity: u64,
    /// The most that we take in one segment, in bytes.
    pub mss: u32,
}

impl Receiver {
    /// Variables of a connection whose peer has not been heard.
    pub fn new(delayed_ack: DelayedAck) -> Receiver {
        Receiver {
            irs: Seq::default(),
            nxt: Seq::default(),
            edge: Seq::default(),
            wnd_shift: 0,
            fin: None,
            acked: Seq::default(),
            delayed_ack,
        }
    }

    /// The peer's SYN arrived with number `irs`.
    pub fn synchronize(&mut self, irs: Seq) {
        // What our own SYN offered, if we sent one, counts from here.
        let offered = self.wnd();
        self.irs = irs;
        self.nxt = irs + 1;
        self.edge = self.nxt + offered;
        self.acked = irs;
    }

    /// Last.ACK.sent (RFC 7323 §4.3).
    pub fn last_ack_sent(&self) -> Seq {
        self.acked
    }

    /// RCV.WND in bytes: what the peer may still send beyond RCV.NXT.
    pub fn wnd(&self) -> u64 {
        self.edge.since(self.nxt)
    }

    /// The right edge as advertised.
    pub fn edge(&self) -> Seq {
        self.edge
    }

    /// RCV.NXT =< `seq` < RCV.NXT + RCV.WND.
    pub fn is_in_window(&self, seq: Seq) -> bool {
        self.nxt <= seq && seq < self.edge
    }

    /// Whether any of the segment lies in the window (RFC 9293 §3.10.7.4, first; Table 6).
    pub fn is_acceptable(&self, segment: &Segment) -> bool {
        match (segment.len(), self.wnd()) {
            (0, 0) => segment.seq == self.nxt,
            // Beyond the RFC's table also just at the edge: a peer that has filled the window, its
            // first segment lost, acknowledges from there.
            (0, _) => self.nxt <= segment.seq && segment.seq <= self.edge,
            // Unlike text a FIN needs no room: a peer that has nothing else to say need not wait for
            // a closed window to open, as on Linux.
            (_, 0) => segment.seq == self.nxt && segment.is_bare_fin(),
            (len, _) => {
                self.is_in_window(segment.seq)
                    || self.is_in_window(segment.seq + (len - 1))
                    // A super-segment may reach over the whole window.
                    || (segment.seq < self.nxt && segment.end() > self.edge)
            }
        }
    }

    /// Where the right edge may be moved to with that room, and no further than pays: by at least a
    /// segment or half the buffer (RFC 9293 §3.8.6.2.2, MUST-39).
    fn next_edge(&self, room: Room, shift: u8) -> Seq {
        // The field holds no more than this; what it can't say was not advertised.
        let candidate = self.nxt + room.free.min(u64::from(u16::MAX) << shift);
        let step = u64::from(room.mss).min(room.capacity / 2);
        if candidate.since(self.edge) >= step { self.edge.max(candidate) } else { self.edge }
    }

    /// Moves the right edge and gives the window field for a segment that leaves now.
    pub fn advertise(&mut self, room: Room, is_syn: bool) -> u16 {
        // RFC 7323 §2.2: the window of a segment with SYN is never scaled.
        let shift = if is_syn { 0 } else { self.wnd_shift };
        self.edge = self.next_edge(room, shift);
        u16::try_from(self.wnd() >> shift).unwrap_or(u16::MAX)
    }

    /// Whether reading has opened the window by so much that the peer should hear of it: to twice
    /// of what it knows, as on Linux. A window above half the buffer needs no such news.
    pub fn deserves_update(&self, room: Room) -> bool {
        let wnd = self.wnd();
        let opened = self.next_edge(room, self.wnd_shift).since(self.nxt);
        2 * wnd <= room.capacity && opened > wnd && opened >= 2 * wnd
    }

    /// Notes text in order that moved RCV.NXT to `nxt`.
    pub fn advance(&mut self, nxt: Seq) {
        self.nxt = nxt;
        self.delayed_ack.on_advance();
    }

    /// The peer's FIN follows all the text before it. At the edge of a window that is full it moves
    /// the edge along.
    pub fn advance_past_fin(&mut self) {
        self.advance(self.nxt + 1);
        self.edge = self.edge.max(self.nxt);
    }

    /// The window that was offered with the last acknowledgment, in bytes.
    fn offered(&self) -> u64 {
        self.edge.since(self.acked)
    }

    /// Text arrived in order, in segments of `size` bytes. Says why it is to be acknowledged at
    /// once, if it is (RFC 9293 §3.8.6.3).
    pub fn text_due_now(&mut self, mut arrived: Arrived) -> Option<Reason> {
        arrived.wnd = self.offered();
        self.delayed_ack.on_text(&arrived);
        self.delayed_ack.due_now(self.nxt.since(self.acked))
    }

    /// An acknowledgment has to leave now, for that reason: one, however many segments ask for it
    /// before the owner asks what is to be sent (RFC 9293 §3.10.7.4, MUST-58, MUST-59).
    pub fn demand_ack(&mut self, reason: Reason) {
        self.delayed_ack.demand(reason);
    }

    /// Text in order is to be acknowledged now; a reason that tells more stays.
    pub fn demand_ack_of_text(&mut self, reason: Reason) {
        self.delayed_ack.demand_if_none(reason);
    }

    /// So many segments came past a hole, and each is to be acknowledged for itself.
    pub fn demand_ack_for_each(&mut self, segments: u32) {
        self.delayed_ack.demand_each(segments);
    }

    /// The peer repeats what was acknowledged: it hears of everything at once for a while.
    pub fn on_repetition(&mut self) {
        self.delayed_ack.on_repetition(self.offered());
    }

    /// Whether an acknowledgment has to leave now.
    pub fn is_ack_due(&self) -> bool {
        self.ack_reason().is_some()
    }

    /// Why an acknowledgment has to leave now, if it has to.
    pub fn ack_reason(&self) -> Option<Reason> {
        self.delayed_ack.due()
    }

    /// Whether an acknowledgment that is owed should leave now that the application has read.
    pub fn is_due_on_read(&self, is_drained: bool) -> bool {
        self.delayed_ack.is_due_on_read(self.nxt.since(self.acked), is_drained)
    }

    /// A segment with ACK = RCV.NXT has left.
    pub fn ack_sent(&mut self) {
        self.delayed_ack.on_ack_sent();
        self.acked = self.nxt;
    }

    /// A segment with text has left.
    pub fn on_text_sent(&mut self, now: Instant, delay: std::time::Duration) {
        self.delayed_ack.on_text_sent(now, delay);
    }

    /// The delayed-ACK timer fired.
    pub fn on_delayed_ack_timeout(&mut self) {
        self.delayed_ack.on_timeout();
    }

    /// TCP_QUICKACK. Says whether what is owed should leave now.
    pub fn set_quick_ack(&mut self, is_quick: bool, is_drained: bool) -> bool {
        self.delayed_ack.set_interactive(!is_quick);
        is_quick && is_drained && self.delayed_ack.is_owed()
    }

    /// Whether acknowledgments are not held back for replies to ride on (TCP_QUICKACK).
    pub fn is_quick_ack(&self) -> bool {
        !self.delayed_ack.is_interactive()
    }

    /// The text of the peer's full-sized segments in bytes, as far as is known.
    pub fn segment_size(&self) -> u32 {
        self.delayed_ack.segment_size()
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self) {
        assert!(self.irs <= self.nxt && self.acked <= self.nxt);
        assert!(self.nxt <= self.edge, "nothing is taken past the advertised edge");
    }
}
