//! Losses that chance alone does not make: bursts, and the tail of each message.

use std::collections::HashSet;

use tcpstack::wire::ip;
use tcpstack::wire::tcp::{self, Flags};

/// Decides which data packets of one direction are lost, beside what the link itself does.
pub struct Faults {
    kind: Kind,
    /// xorshift64*.
    state: u64,
}

enum Kind {
    None,
    Bursts {
        share: f64,
        /// Packets of the present burst that are still to be lost.
        left: u64,
    },
    /// The first transmission of each segment with PSH, by its sequence number.
    Tails(HashSet<u32>),
}

impl Faults {
    /// Nothing is lost.
    #[must_use]
    pub fn none() -> Faults {
        Faults { kind: Kind::None, state: 1 }
    }

    /// Runs of 4 to 11 data packets, each packet beginning one with probability `share`.
    #[must_use]
    pub fn bursts(share: f64, seed: u64) -> Faults {
        Faults { kind: Kind::Bursts { share, left: 0 }, state: seed.wrapping_mul(2) | 1 }
    }

    /// The last segment of each message, once.
    #[must_use]
    pub fn tails() -> Faults {
        Faults { kind: Kind::Tails(HashSet::new()), state: 1 }
    }

    /// Whether this packet is lost.
    pub fn drops(&mut self, header: &tcp::Header, payload_len: usize) -> bool {
        if payload_len == 0 {
            return false;
        }
        let (number, unit) = self.draw();
        match &mut self.kind {
            Kind::None => false,
            Kind::Bursts { share, left } => {
                if *left == 0 && unit < *share {
                    *left = 4 + number % 8;
                }
                let is_lost = *left > 0;
                *left = left.saturating_sub(1);
                is_lost
            }
            Kind::Tails(seen) => header.flags.contains(Flags::PSH) && seen.insert(header.seq),
        }
    }

    /// As [`Faults::drops`], for a packet in one piece.
    ///
    /// # Panics
    /// When it is no TCP packet.
    pub fn drops_packet(&mut self, packet: &[u8]) -> bool {
        let ip = ip::Header::parse(packet).expect("an IP packet");
        let segment = &packet[ip.header_len..ip.header_len + ip.payload_len];
        let (header, offset) = tcp::Header::parse(segment).expect("a TCP segment");
        self.drops(&header, segment.len() - offset)
    }

    /// A number, and another evenly from [0, 1).
    fn draw(&mut self) -> (u64, f64) {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let number = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (number >> 40, (number >> 11) as f64 / (1u64 << 53) as f64)
    }
}
