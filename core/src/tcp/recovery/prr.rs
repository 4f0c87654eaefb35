//! Proportional rate reduction: how much may leave while a window is being reduced
//! (RFC 9937, which follows RFC 6937 §3).
//!
//! Halving the window at once would silence the sender until half of the flight has drained. PRR
//! lets one segment leave for every one or two that are delivered, so that the ACK clock keeps
//! ticking, and comes to ssthresh when the repair ends. When so much is lost that the flight is
//! below ssthresh already, it sends no more than is delivered, and one more for each ACK that shows
//! progress without another loss.
//!
//! It counts in bytes and gives whole segments.

/// The counts of one reduction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prr {
    /// RecoverFS: what was in flight when the reduction began.
    recover_fs: u64,
    /// What was delivered since.
    delivered: u64,
    /// What was sent since.
    out: u64,
}

/// An ACK, as the reduction sees it. All counts are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct PrrAck {
    /// Newly acknowledged or SACKed.
    pub delivered: u64,
    /// In flight now.
    pub in_flight: u64,
    /// The window to come to.
    pub ssthresh: u64,
    /// SMSS.
    pub smss: u64,
    /// SND.UNA has moved, and nothing more was found lost (SafeACK).
    pub is_safe: bool,
}

impl Prr {
    /// A reduction begins with `recover_fs` bytes in flight.
    pub fn new(recover_fs: u64) -> Prr {
        Prr { recover_fs: recover_fs.max(1), delivered: 0, out: 0 }
    }

    /// `bytes` were sent, whatever they are.
    pub fn on_sent(&mut self, bytes: u64) {
        self.out += bytes;
    }

    /// What cwnd is to be after an ACK.
    pub fn on_ack(&mut self, ack: &PrrAck) -> u64 {
        let &PrrAck { delivered, in_flight, ssthresh, smss, is_safe } = ack;
        self.delivered += delivered;
        let allowed = if in_flight > ssthresh {
            let share = u128::from(self.delivered) * u128::from(ssthresh);
            let share = share.div_ceil(u128::from(self.recover_fs)) as u64;
            share.next_multiple_of(smss).saturating_sub(self.out)
        } else {
            // Conservative: no more than is delivered (CRB); one more when all goes well (SSRB).
            let bound = self.delivered.saturating_sub(self.out).max(delivered);
            let bound = if is_safe { bound + smss } else { bound };
            bound.min(ssthresh - in_flight)
        };
        // The first retransmission always leaves.
        let least = if self.out == 0 { smss } else { 0 };
        in_flight + allowed.max(least)
    }
}

#[cfg(test)]
mod tests;
