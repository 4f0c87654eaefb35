//! F-RTO: was the timeout needed? (RFC 5682 §2.1, and §3.1 where the peer has SACK.)
//!
//! After a timeout only the first segment is sent again. If the ACK moves SND.UNA, new data goes out
//! in place of more repetitions (step 2b): should the next ACKs be for what was never sent again, the
//! flight had only been delayed and the window is given back; should they be duplicates, the loss
//! was real. It needs new data and room in the peer's window; without them the repair goes on as
//! ever.

/// Where the detection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Frto {
    /// Nothing to detect, or known already.
    #[default]
    Off,
    /// Step 1: the first segment was sent again.
    FirstSent,
    /// Step 2b: new data leaves before anything else.
    SendingNew,
}

/// What an ACK says to it.
#[derive(Clone, Copy, Debug)]
pub struct FrtoAck {
    /// SND.UNA has moved.
    pub is_advance: bool,
    /// Something that was sent once, before the timeout, has arrived.
    pub is_original: bool,
    /// It SACKs something new, or is a duplicate.
    pub is_duplicate: bool,
    /// All that was outstanding at the timeout is acknowledged.
    pub is_recovered: bool,
    /// Something was sent after the timeout that had not been sent before.
    pub has_sent_new: bool,
    /// There is new data, and the peer's window takes it.
    pub can_send_new: bool,
}

/// What has to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrtoVerdict {
    /// The timeout was spurious (step 3b).
    Spurious,
    /// New data before repetitions (step 2b).
    SendNew,
    /// Go on with the repair.
    Repair,
}

impl Frto {
    /// An ACK arrived.
    pub fn on_ack(&mut self, ack: &FrtoAck) -> FrtoVerdict {
        if *self == Frto::Off {
            return FrtoVerdict::Repair;
        }
        if ack.is_original {
            *self = Frto::Off;
            return FrtoVerdict::Spurious;
        }
        if ack.has_sent_new {
            // Step 3a: the loss was real. Without a duplicate nothing is known yet.
            *self = if ack.is_duplicate { Frto::Off } else { Frto::FirstSent };
        } else if ack.is_advance && !ack.is_recovered {
            *self = if ack.can_send_new { Frto::SendingNew } else { Frto::Off };
        }
        if ack.is_recovered {
            *self = Frto::Off;
        }
        if *self == Frto::SendingNew && !ack.has_sent_new {
            return FrtoVerdict::SendNew;
        }
        FrtoVerdict::Repair
    }
}

#[cfg(test)]
mod tests;
