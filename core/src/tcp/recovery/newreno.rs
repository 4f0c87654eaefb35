//! Peers without SACK: all there is to go by are duplicate ACKs (RFC 5681 §3.2, §4.3; RFC 6582
//! §3.2).
//!
//! Each duplicate ACK stands for one segment that has left the network, so what is in flight can be
//! told without inflating any window, and limited transmit (RFC 3042 §2) follows by itself. Owns how
//! many are believed; a peer that forges more gains nothing.

use crate::tcp::sender::Sender;

/// Duplicate ACKs of SND.UNA.
#[derive(Clone, Debug, Default)]
pub struct NewReno {
    /// How many stand for segments no longer in flight.
    duplicates: u32,
    /// How many are believed until the present hole is filled.
    most: u32,
}

impl NewReno {
    /// Bytes no longer in flight though not acknowledged. The segment that the duplicates ask for
    /// stays counted: its loss or its retransmission.
    pub fn gone(&self, snd: &Sender) -> u64 {
        let smss = u64::from(snd.smss);
        let most = snd.outstanding().saturating_sub(smss);
        (u64::from(self.duplicates) * smss).min(most)
    }

    /// How many duplicates were counted.
    pub fn duplicates(&self) -> u32 {
        self.duplicates
    }

    /// `count` more arrived; returns how many of them are believed.
    pub fn on_duplicates(&mut self, count: u32, is_limited: bool) -> u32 {
        let before = self.duplicates;
        self.duplicates = self.duplicates.saturating_add(count);
        if is_limited {
            self.duplicates = self.duplicates.min(self.most.max(before));
        }
        self.duplicates - before
    }

    /// Until the hole at SND.UNA is filled, no more segments than are outstanding now can be
    /// reported: what is sent meanwhile arrives after the repair. More duplicates are the network's
    /// or a forger's, and each would let a segment out (RFC 5681 §3.2, the MAY after step 4).
    pub fn limit(&mut self, snd: &Sender, threshold: u32) {
        let sent = u32::try_from(snd.outstanding() / u64::from(snd.smss)).unwrap_or(u32::MAX);
        self.most = sent.max(threshold);
    }

    /// A partial ACK of `acked` numbers: the first hole was filled, the rest of what it covers had
    /// been reported by duplicates (RFC 6582 §3.2 step 3). Returns how many bytes had not been.
    pub fn on_partial(&mut self, snd: &Sender, acked: u64) -> u64 {
        let smss = u64::from(snd.smss);
        let reported = u64::from(self.duplicates) * smss;
        let covered = u32::try_from((acked / smss).saturating_sub(1)).unwrap_or(u32::MAX);
        self.duplicates = self.duplicates.saturating_sub(covered);
        acked.saturating_sub(reported).max(smss.min(acked))
    }

    /// All that they told is acknowledged, or lost.
    pub fn reset(&mut self) {
        self.duplicates = 0;
    }
}

#[cfg(test)]
mod tests;
