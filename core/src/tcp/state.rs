//! The eleven states of RFC 9293 §3.3.2 and what may be done in each.

use serde::{Deserialize, Serialize};

/// The states of RFC 9293 §3.3.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum State {
    /// No connection.
    #[default]
    #[serde(rename = "CLOSED")]
    Closed,
    /// Waiting for a connection request.
    #[serde(rename = "LISTEN")]
    Listen,
    /// SYN sent, waiting for the peer's.
    #[serde(rename = "SYN-SENT")]
    SynSent,
    /// Both SYNs seen, waiting for the ACK of ours.
    #[serde(rename = "SYN-RECEIVED")]
    SynReceived,
    /// Data flows.
    #[serde(rename = "ESTABLISHED")]
    Established,
    /// Our FIN is sent or queued.
    #[serde(rename = "FIN-WAIT-1")]
    FinWait1,
    /// Our FIN is acknowledged, the peer may still send.
    #[serde(rename = "FIN-WAIT-2")]
    FinWait2,
    /// The peer has finished, we may still send.
    #[serde(rename = "CLOSE-WAIT")]
    CloseWait,
    /// Both FINs crossed, ours is not acknowledged yet.
    #[serde(rename = "CLOSING")]
    Closing,
    /// The peer finished first, our FIN is not acknowledged yet.
    #[serde(rename = "LAST-ACK")]
    LastAck,
    /// Waiting 2 MSL.
    #[serde(rename = "TIME-WAIT")]
    TimeWait,
}

impl State {
    /// The RFC's name, as `FIN-WAIT-1`.
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }

    /// Both SYNs have been seen: sequence numbers on both sides mean something.
    pub const fn is_synchronized(self) -> bool {
        !matches!(self, State::Closed | State::Listen | State::SynSent | State::SynReceived)
    }

    /// Data, or a FIN queued behind it, may still have to be sent for the first time or again.
    pub const fn may_send(self) -> bool {
        matches!(
            self,
            State::Established
                | State::CloseWait
                | State::FinWait1
                | State::Closing
                | State::LastAck
        )
    }

    /// The peer has not finished: its text is welcome.
    pub const fn may_receive(self) -> bool {
        matches!(self, State::SynReceived | State::Established | State::FinWait1 | State::FinWait2)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
