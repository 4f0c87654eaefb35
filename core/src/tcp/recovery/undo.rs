//! Was the repair needed? If everything that was sent again had arrived the first time, the window
//! was reduced for nothing and is given back.
//!
//! Two witnesses are heard. The Eifel detection (RFC 3522 §3.2): the ACK of the first piece sent again
//! echoes a timestamp from before it was sent again. DSACK (RFC 2883 §5, RFC 3708): for every segment
//! sent again the peer reports that it came twice. Nothing is given back for a congestion mark,
//! which is never spurious. What is given back (RFC 4015 §3.1, §3.4; RFC 5682 §4) is for the
//! controller to know (RFC 4015 §3.2).

use crate::tcp::seq::Seq;
use crate::time::Instant;

/// What is remembered of one repair.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    /// SND.UNA when it began; nothing where there is nothing to undo.
    marker: Option<Seq>,
    /// Segments sent again that no DSACK has been seen for; nothing before the first was.
    unexplained: Option<u32>,
    /// When the first of them was sent.
    first_repeat_at: Option<Instant>,
    /// Whether the window comes back: not if a mark was a reason too.
    restores: bool,
}

impl Undo {
    /// A repair begins at SND.UNA = `una`, `repeated` segments being on their way for the second
    /// time.
    pub fn begin(&mut self, una: Seq, repeated: u32, restores: bool) {
        self.marker = Some(una);
        self.unexplained = (repeated > 0).then_some(repeated);
        self.restores = restores;
    }

    /// The repair is over, or undone.
    pub fn end(&mut self) {
        self.marker = None;
    }

    /// Nothing that was sent again is on its way any more.
    pub fn forget_repeats(&mut self) {
        self.first_repeat_at = None;
    }

    /// A mark is a reason for the reduction too.
    pub fn on_mark(&mut self) {
        self.restores = false;
    }

    /// `segments` were sent again.
    pub fn on_repeat(&mut self, now: Instant, segments: u32) {
        self.first_repeat_at.get_or_insert(now);
        self.unexplained = Some(self.unexplained.unwrap_or(0).saturating_add(segments));
    }

    /// A DSACK reports that `segments` before `end` came twice.
    pub fn on_dsack(&mut self, end: Seq, segments: u32) {
        if self.marker.is_some_and(|marker| end > marker) {
            self.unexplained = self.unexplained.map(|count| count.saturating_sub(segments));
        }
    }

    /// Whether the window comes back with it.
    pub fn restores(&self) -> bool {
        self.restores
    }

    /// DSACK: all that was sent again came twice.
    pub fn is_explained(&self) -> bool {
        self.marker.is_some() && self.unexplained == Some(0)
    }

    /// Eifel: what is acknowledged is the original. `echo`: the segment that the peer answers left
    /// before this. True too if nothing was sent again.
    pub fn is_original(&self, echo: Option<Instant>) -> bool {
        let is_before = |first: Instant| echo.is_some_and(|echo| echo <= first);
        self.marker.is_some() && self.first_repeat_at.is_none_or(is_before)
    }
}

#[cfg(test)]
mod tests;
