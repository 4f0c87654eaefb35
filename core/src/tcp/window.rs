//! What the peer may send: the receive window, when it opens, and how far it may be scaled.
//!
//! The window is the receive buffer less what the application has not read, exactly, within
//! TCP_WINDOW_CLAMP. Where nobody reads it stays closed, for as long as that lasts (RFC 9293 §3.8.6.1,
//! MAY-8). That the right edge never retreats and moves in worthwhile steps only is the
//! receiver's promise. How large the buffer is `autotune` decides.

use super::connection::{Connection, Context, MAX_WINDOW_SHIFT};
use super::receiver::Room;
use crate::event::Reason;
use crate::knobs::Knobs;
use crate::wire::tcp::Flags;

impl Connection {
    /// The window field of a segment that leaves now with these control bits.
    pub(super) fn window_field(&mut self, cx: &Context<'_>, flags: Flags) -> u16 {
        if flags.contains(Flags::RST) {
            return 0;
        }
        let room = self.receive_room(cx);
        self.rcv.advertise(room, flags.contains(Flags::SYN))
    }

    /// What the receive buffer has room for.
    fn receive_room(&self, cx: &Context<'_>) -> Room {
        let clamp = self.settings.window_clamp.map_or(u64::MAX, u64::from);
        Room {
            free: (self.receive_buffer.free() as u64).min(clamp),
            capacity: (self.receive_buffer.capacity() as u64).min(clamp),
            mss: u32::from(self.own_mss(cx.mtu)),
        }
    }

    /// The application has read: the peer hears at once of what it should (RFC 9293 §3.8.6.2.2).
    pub(super) fn on_read(&mut self, cx: &mut Context<'_>) {
        self.tune_receive_buffer(cx);
        if self.rcv.is_ack_due() {
            return;
        }
        let reason = if self.rcv.is_due_on_read(self.receive_buffer.is_empty()) {
            Reason::AcknowledgeRead
        } else if !self.is_read_shut && self.rcv.deserves_update(self.receive_room(cx)) {
            Reason::WindowUpdate
        } else {
            return;
        };
        self.remember_cause(cx);
        self.rcv.demand_ack(reason);
    }

    /// The window scale that we offer (RFC 7323 §2.3): the smallest shift under which the largest
    /// buffer there may ever be fits the field.
    pub(super) fn own_shift(&self, knobs: &Knobs) -> u8 {
        let chosen = self.settings.receive_buffer;
        let largest = match self.settings.is_receive_buffer_fixed {
            true => chosen,
            false => knobs.receive_buffer().max.max(chosen),
        };
        let largest = self.settings.window_clamp.map_or(largest, |clamp| clamp.min(largest));
        // No coarser than an eighth of the buffer: a window below one unit could not be said.
        let finest = (chosen.max(8).ilog2() as u8 - 3).min(MAX_WINDOW_SHIFT);
        (0..finest).find(|shift| largest >> shift <= u32::from(u16::MAX)).unwrap_or(finest)
    }
}
