//! What few connections ever need, in a place that is made when one does: urgent data, records,
//! pacing, what came twice, resets.

use std::collections::VecDeque;

use super::connection::{Connection, Reset};
use super::pacing::Pacer;
use super::seq::Seq;
use super::urgent::Urgent;
use crate::time::Instant;

/// What few connections ever need.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    /// Urgent data, once there was any.
    pub(super) urgent: Option<Urgent>,
    /// Where records end in the send buffer (MSG_EOR), in order: none later than its end.
    pub(super) record_ends: VecDeque<Seq>,
    /// When the next segment may leave, where a rate is asked for.
    pub(super) pacer: Option<Pacer>,
    /// Numbers that came twice and that the peer has not heard of (RFC 2883).
    pub(super) duplicate: Option<(Seq, Seq)>,
    /// When a segment without text was last answered though it could not be used.
    pub(super) last_challenge: Option<Instant>,
    /// A reset that has to leave.
    pub(super) reset: Option<Reset>,
}

impl Connection {
    /// To change it; made if it is not there.
    pub(super) fn seldom_mut(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }
}
