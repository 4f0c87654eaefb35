//! The receive sequence space of RFC 9293 §3.3.1, and when an acknowledgment is due.
//!
//! Guarantees that RCV.NXT and the right edge never retreat (RFC 9293 §3.8.6, SHLD-14), and that the edge moves in worthwhile
//! steps only (silly window avoidance, §3.8.6.2.2). On the wire a scaled window is rounded down, so
//! the peer may see an edge up to 2^shift - 1 bytes before it (RFC 7323 §2.4); all up to ours is taken.

use super::segment::{Segment, segment_count};
use super::seq::Seq;

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
    /// The largest text that one real segment of the peer carried, in bytes.
    segment_size: u32,
    /// RCV.NXT as last acknowledged.
    acked: Seq,
    /// Segments that will still be acknowledged at once, at the start of a connection.
    quick_acks: u32,
    /// An acknowledgment has to leave now.
    ack_now: bool,
}

/// What to do about acknowledging a segment that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckTiming {
    /// At once.
    Now,
    /// With the next segment, or when the delayed-ACK timer fires.
    Delayed,
}

impl Receiver {
    /// Variables of a connection whose peer has not been heard; `quick_acks` segments will be
    /// acknowledged without delay.
    pub fn new(quick_acks: u32) -> Receiver {
        Receiver {
            irs: Seq::default(),
            nxt: Seq::default(),
            edge: Seq::default(),
            wnd_shift: 0,
            fin: None,
            segment_size: 0,
            acked: Seq::default(),
            quick_acks,
            ack_now: false,
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

    /// The largest text that one real segment of the peer carried, in bytes.
    pub fn segment_size(&self) -> u32 {
        self.segment_size
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
            (_, 0) => false,
            (len, _) => {
                self.is_in_window(segment.seq)
                    || self.is_in_window(segment.seq + (len - 1))
                    // A super-segment may reach over the whole window.
                    || (segment.seq < self.nxt && segment.end() > self.edge)
            }
        }
    }

    /// Where the right edge may be moved to with `free` bytes of buffer, and no further than pays:
    /// by at least a segment or half the buffer (RFC 9293 §3.8.6.2.2, MUST-39). A buffer that nobody
    /// reads keeps the window closed for as long as it likes (MAY-8).
    fn next_edge(&self, free: u64, capacity: u64, mss: u32, shift: u8) -> Seq {
        // The field holds no more than this; what it can't say was not advertised.
        let candidate = self.nxt + free.min(u64::from(u16::MAX) << shift);
        let step = u64::from(mss).min(capacity / 2);
        if candidate.since(self.edge) >= step { self.edge.max(candidate) } else { self.edge }
    }

    /// Moves the right edge and gives the window field for a segment that leaves now.
    pub fn advertise(&mut self, free: u64, capacity: u64, mss: u32, is_syn: bool) -> u16 {
        // RFC 7323 §2.2: the window of a segment with SYN is never scaled.
        let shift = if is_syn { 0 } else { self.wnd_shift };
        self.edge = self.next_edge(free, capacity, mss, shift);
        u16::try_from(self.wnd() >> shift).unwrap_or(u16::MAX)
    }

    /// Whether reading has opened the window by so much that the peer should hear of it: two
    /// segments or half the buffer, and anything worth a segment if it knows of no window at all.
    pub fn deserves_update(&self, free: u64, capacity: u64, mss: u32) -> bool {
        let gain = self.next_edge(free, capacity, mss, self.wnd_shift).since(self.edge);
        let step = (2 * u64::from(mss)).min(capacity / 2);
        gain > 0 && (gain >= step || self.wnd() < u64::from(mss))
    }

    /// Notes text in order that moved RCV.NXT to `nxt`.
    pub fn advance(&mut self, nxt: Seq) {
        self.nxt = nxt;
    }

    /// Decides when to acknowledge `len` bytes of text that arrived in order, in segments of
    /// `gso_size` if the device merged several (RFC 9293 §3.8.6.3, SHLD-19: at least every second
    /// full-sized segment). `mss` is what we told the peer we take.
    pub fn time_ack(&mut self, len: usize, gso_size: u16, mss: u32) -> AckTiming {
        let size = if gso_size == 0 { len as u32 } else { u32::from(gso_size) };
        self.segment_size = self.segment_size.max(size).min(mss);
        if self.quick_acks > 0 {
            self.quick_acks = self.quick_acks.saturating_sub(segment_count(len, gso_size));
            return AckTiming::Now;
        }
        if self.nxt.since(self.acked) >= 2 * u64::from(self.segment_size.max(1)) {
            AckTiming::Now
        } else {
            AckTiming::Delayed
        }
    }

    /// An acknowledgment has to leave now: one, however many segments ask for it before the owner asks
    /// what is to be sent (RFC 9293 §3.10.7.4, MUST-58, MUST-59).
    pub fn demand_ack(&mut self) {
        self.ack_now = true;
    }

    /// Whether an acknowledgment has to leave now.
    pub fn is_ack_due(&self) -> bool {
        self.ack_now
    }

    /// A segment with ACK = RCV.NXT has left.
    pub fn ack_sent(&mut self) {
        self.ack_now = false;
        self.acked = self.nxt;
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self) {
        assert!(self.irs <= self.nxt && self.acked <= self.nxt);
        assert!(self.nxt <= self.edge, "nothing is taken past the advertised edge");
    }
}
