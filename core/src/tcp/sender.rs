//! The send sequence space of RFC 9293 §3.3.1: what is acknowledged, what is sent, what may be.
//!
//! Guarantees UNA <= NXT <= MAX, and that the window is only taken from segments that are newer
//! than the last one it was taken from (WL1/WL2). NXT falls back to UNA after a retransmission
//! timeout; MAX does not. Which bytes are lost is `Recovery`'s, how many may fly `Congestion`'s.

use super::segment::Segment;
use super::seq::Seq;

/// RFC 9293 §3.7.1: what every IPv4 host takes, in bytes.
const DEFAULT_MSS: u64 = 536;

/// The send sequence variables.
#[derive(Clone, Debug)]
pub struct Sender {
    /// ISS: the number of our SYN.
    pub iss: Seq,
    /// SND.UNA: the oldest number not acknowledged.
    pub una: Seq,
    /// SND.NXT: the next number to send.
    pub nxt: Seq,
    /// The highest SND.NXT there has been.
    pub max: Seq,
    /// SND.WND in bytes, scaled.
    pub wnd: u64,
    /// SND.WL1: the SEG.SEQ of the last window update.
    pub wl1: Seq,
    /// SND.WL2: the SEG.ACK of the last window update.
    pub wl2: Seq,
    /// The right edge of the furthest window that the peer has offered. SND.UNA + SND.WND may lie
    /// before it: a scaled window is rounded down.
    pub edge: Seq,
    /// Max(SND.WND): the largest window the peer has offered (RFC 9293 §3.8.6.2.1).
    pub max_wnd: u64,
    /// How far the peer's window field is shifted (RFC 7323 §2.3); 0 until agreed.
    pub wnd_shift: u8,
    /// Eff.snd.MSS: the text that one segment may carry, in bytes (RFC 9293 §3.7.1).
    pub smss: u32,
    /// The number of our FIN, once the application has closed its direction.
    pub fin: Option<Seq>,
}

/// What an acknowledgment says, compared with what was sent (RFC 9293 §3.10.7.4, fifth).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckOutcome {
    /// SND.UNA < SEG.ACK =< SND.MAX: this many numbers are newly acknowledged.
    New(u64),
    /// SEG.ACK = SND.UNA, or older but still plausible.
    Old,
    /// SEG.ACK > SND.MAX: something not yet sent.
    Future,
    /// Older than any segment of this connection can be (RFC 5961 §5.2, MAY-12).
    TooOld,
}

impl Sender {
    /// Variables of a connection that will send its SYN as `iss`, before anything is sent.
    pub fn new(iss: u32, smss: u32) -> Sender {
        let iss = Seq::from_initial(iss);
        Sender {
            iss,
            una: iss,
            nxt: iss,
            max: iss,
            wnd: 0,
            wl1: Seq::default(),
            wl2: Seq::default(),
            edge: iss,
            max_wnd: 0,
            wnd_shift: 0,
            smss,
            fin: None,
        }
    }

    /// Judges SEG.ACK.
    pub fn judge(&self, ack: Seq) -> AckOutcome {
        if ack > self.max {
            AckOutcome::Future
        } else if ack > self.una {
            AckOutcome::New(ack.since(self.una))
        } else if ack + self.max_wnd.max(u64::from(self.smss)) >= self.una {
            AckOutcome::Old
        } else {
            AckOutcome::TooOld
        }
    }

    /// Takes SEG.WND if the segment is newer than the last update (RFC 9293 §3.10.7.4, fifth).
    /// Says whether the window changed.
    pub fn update_window(&mut self, segment: &Segment, ack: Seq) -> bool {
        let newer = self.wl1 < segment.seq || (self.wl1 == segment.seq && self.wl2 <= ack);
        if !newer {
            return false;
        }
        self.wl1 = segment.seq;
        self.wl2 = ack;
        let before = self.wnd;
        self.wnd = u64::from(segment.window_field) << self.wnd_shift;
        self.edge = self.edge.max(ack + self.wnd);
        self.max_wnd = self.max_wnd.max(self.wnd);
        self.wnd != before
    }

    /// Moves SND.UNA up to an acceptable SEG.ACK; after a timeout NXT may lie behind it.
    pub fn acknowledge(&mut self, ack: Seq) {
        self.una = ack;
        self.nxt = self.nxt.max(ack);
    }

    /// Moves SND.NXT past `len` numbers just sent.
    pub fn advance(&mut self, len: u64) {
        self.nxt += len;
        self.max = self.max.max(self.nxt);
    }

    /// The right edge of the peer's window.
    pub fn window_end(&self) -> Seq {
        self.una + self.wnd
    }

    /// Bytes the peer's window still takes at SND.NXT (the usable window of §3.8.6.2.1): none when the
    /// peer has shrunk it (MUST-34), so that nothing new leaves (SHLD-15).
    pub fn usable(&self) -> u64 {
        self.window_end().since(self.nxt)
    }

    /// The most text that a segment should carry, by the windows the peer has offered: half of the
    /// largest, so that the first of two tells of the room that the second has left, as on Linux. A
    /// window of the default MSS or less takes one whole. None before there was any.
    pub fn window_share(&self) -> Option<u64> {
        match self.max_wnd {
            0 => None,
            tiny if tiny <= DEFAULT_MSS => Some(tiny),
            max_wnd => Some(max_wnd / 2),
        }
    }

    /// Numbers sent and not acknowledged, as far as SND.NXT tells.
    pub fn outstanding(&self) -> u64 {
        self.nxt.since(self.una)
    }

    /// Whether our FIN has been sent and acknowledged.
    pub fn is_fin_acknowledged(&self) -> bool {
        self.fin.is_some_and(|fin| self.una > fin)
    }

    /// Panics where the guarantees above do not hold.
    pub fn check(&self) {
        assert!(self.iss <= self.una && self.una <= self.nxt && self.nxt <= self.max);
        assert!(self.fin.is_none_or(|fin| self.max <= fin + 1));
        assert!(self.smss > 0);
    }
}
