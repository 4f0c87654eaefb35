//! What we tell the sender of data that arrived past a hole, or twice: the SACK option of the
//! segments that leave (RFC 2018 §3, §4; RFC 2883).
//!
//! Which ranges are here the reassembler alone knows, so a block never tells of data that was
//! dropped again. This file owns the one thing that only the option remembers, the segment that
//! came twice, and how many blocks there is room for. It refuses to tell of anything unless both
//! SYNs permitted it.

use super::connection::{Connection, Context};
use super::segment::Segment;
use super::seq::Seq;
use super::state::State;
use crate::event::Reason;
use crate::wire::tcp::Flags;
use crate::wire::tcp_options::{Options, SackBlocks};

impl Connection {
    /// A segment repeats what was delivered long ago: the next acknowledgment says which numbers
    /// came twice (RFC 2883 §4.1). A FIN has a number like any other; a SYN tells of a peer that is
    /// lost rather than of a copy.
    pub(super) fn note_repetition(&mut self, cx: &Context<'_>, segment: &Segment) {
        let end = segment.end().min(self.rcv.nxt);
        let is_copy = segment.seq < end && !segment.flags.contains(Flags::SYN);
        if is_copy {
            self.rcv.on_repetition();
        }
        if is_copy && self.state.is_synchronized() && self.state != State::TimeWait {
            self.note_duplicate(cx, (segment.seq, end));
        }
    }

    /// Numbers that came twice, a whole segment or a part of one (RFC 2883 §4.1, §4.2). The latest are
    /// told of, and once (RFC 2883 §4).
    pub(super) fn note_duplicate(&mut self, cx: &Context<'_>, duplicate: (Seq, Seq)) {
        if self.sack_permitted && cx.knobs.dsack() {
            self.seldom_mut().duplicate = Some(duplicate);
        }
    }

    /// Why something is acknowledged: that it came twice, where the peer is to hear so, goes before
    /// `reason`.
    pub(super) fn repetition_or(&self, reason: Reason) -> Reason {
        if self.duplicate().is_some() { Reason::DuplicateSack } else { reason }
    }

    fn duplicate(&self) -> Option<(Seq, Seq)> {
        self.seldom.as_ref()?.duplicate
    }

    /// Whether there may be anything to tell of: mostly nothing is missing, and nothing came twice.
    fn has_sack_blocks(&self) -> bool {
        self.sack_permitted && (self.duplicate().is_some() || self.reassembler.has_recent())
    }

    /// The blocks of a segment that leaves now: what came twice, then what arrived past a hole, the
    /// latest first (RFC 2018 §4: the block of the segment that called for this acknowledgment, then
    /// those reported most recently; RFC 2883 §4: the duplicate before all).
    pub(super) fn sack_blocks(&self) -> SackBlocks {
        let mut blocks = SackBlocks::default();
        if !self.has_sack_blocks() {
            return blocks;
        }
        let ranges = self.reassembler.recent(self.rcv.fin);
        let duplicate = self.duplicate();
        for (left, right) in duplicate.into_iter().chain(ranges) {
            if !blocks.push(left.to_wire(), right.to_wire()) {
                break;
            }
        }
        blocks
    }

    /// The text that one segment can carry now, in bytes: SACK blocks and what is rarer take their room
    /// from it (RFC 9293 §3.7.1, MUST-16: Eff.snd.MSS knows of the options).
    #[inline]
    pub(super) fn text_max(&self) -> u64 {
        if self.has_sack_blocks() || self.advice.is_due() {
            return self.text_beside_options();
        }
        self.snd.smss.into()
    }

    #[cold]
    fn text_beside_options(&self) -> u64 {
        // SMSS has made room for the timestamps; beside them fewer blocks fit.
        let timestamps = self.timestamps.is_on().then_some((0, 0));
        let (sack, user_timeout) = (self.sack_blocks(), self.due_user_timeout());
        let options = Options { sack, timestamps, user_timeout, ..Options::default() };
        let more = options.len() as u64 - u64::from(self.timestamps.option_len());
        u64::from(self.snd.smss).saturating_sub(more).max(1)
    }
}
