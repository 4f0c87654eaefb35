//! How often a peer with a closed window was asked, and how often in vain (RFC 9293 §3.8.6.1).

/// The counts of zero-window probes.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowProbes {
    /// Sent since the peer last opened its window.
    sent: u32,
    /// Sent since the peer was last heard.
    unanswered: u32,
}

impl WindowProbes {
    /// A probe is about to leave.
    pub fn on_probe(&mut self) {
        self.sent = self.sent.saturating_add(1);
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// Text that had left before the window closed is sent again, and serves as a probe.
    pub fn on_repetition(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// The peer answered, its window still closed (RFC 9293 §3.8.6.1, MUST-37: the connection
    /// lives on).
    pub fn on_peer_heard(&mut self) {
        self.unanswered = 0;
    }

    /// The peer's window is open.
    pub fn on_window_open(&mut self) {
        *self = WindowProbes::default();
    }

    /// Probes sent since the window closed.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// Probes sent since the peer was last heard.
    pub fn unanswered(&self) -> u32 {
        self.unanswered
    }
}
