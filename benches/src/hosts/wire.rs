//! The wire between two hosts: memory that segments are copied to, as into a device's receive buffer, or
//! that super-segments share with the sender's buffer, as between two hosts of one machine.

use tcpstack::host::Host;
use tcpstack::time::Instant;
use tcpstack::wire::coalesce::Coalescer;
use tcpstack::wire::packet::{Frame, Transmit, Verification};

use super::Segmentation;
use crate::BATCH;

/// Longer than any packet, in bytes.
const PACKET: usize = 66_000;

/// Memory of the packets that are under way, and what it takes to cut and to merge them.
pub(super) struct Wire {
    segmentation: Segmentation,
    /// Segments by themselves, one behind the other.
    memory: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    coalescer: Coalescer,
    frames: Vec<Frame>,
}

impl Wire {
    pub(super) fn new(segmentation: Segmentation) -> Wire {
        Wire {
            segmentation,
            memory: Vec::new(),
            ends: Vec::new(),
            coalescer: Coalescer::default(),
            frames: Vec::new(),
        }
    }

    /// Brings a batch of packets from one host to the other, who says which sockets have news; how
    /// many segments crossed.
    pub(super) fn carry(&mut self, from: &mut Host, to: &mut Host, now: Instant) -> usize {
        let mut count = 0;
        while count < BATCH
            && let Some(transmit) = from.poll_transmit(now)
        {
            count += transmit.segment_count();
            match self.segmentation {
                Segmentation::None => self.send_segments(&transmit),
                _ => self.send_whole(transmit),
            }
        }
        self.merge();
        for frame in self.frames.drain(..) {
            to.handle_frame(now, frame);
        }
        while to.poll_wake().is_some() {}
        count
    }

    /// Copies each segment, its checksum computed; on arrival it is to be verified.
    fn send_segments(&mut self, transmit: &Transmit) {
        let mut packets = transmit.packets();
        while let Some(len) = packets.next_len() {
            let start = self.ends.last().copied().unwrap_or(0);
            if self.memory.len() < start + len {
                self.memory.resize(start + PACKET, 0);
            }
            packets.write(&mut self.memory[start..start + len]);
            self.ends.push(start + len);
        }
    }

    /// Hands the packet on as it is; its checksum is computed and to be verified, or left to a device that
    /// there is not.
    fn send_whole(&mut self, mut transmit: Transmit) {
        if self.segmentation == Segmentation::SuperWithChecksums {
            transmit.complete_checksum();
        }
        self.frames.push(transmit.into_frame());
    }

    /// What arrives in one batch, and belongs together, becomes one frame.
    fn merge(&mut self) {
        let mut start = 0;
        for end in self.ends.drain(..) {
            let packet = &self.memory[start..end];
            self.coalescer.push(packet, Verification::Unverified, &mut self.frames);
            start = end;
        }
        self.coalescer.flush(&mut self.frames);
    }
}
