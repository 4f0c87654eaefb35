//! The wire between two hosts: memory that packets are copied to, as into a device's receive buffer.

use std::collections::VecDeque;

use bytes::BytesMut;
use tcpstack::host::Host;
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Transmit, Verification};

use crate::BATCH;

/// What the wire's memory is taken in, in bytes.
const ROOM: usize = 128 * 1024;

/// Memory, and the queue of packets in it.
pub(super) struct Wire {
    has_checksums: bool,
    room: BytesMut,
    queue: VecDeque<Frame>,
}

impl Wire {
    /// Checksums are computed and verified, or left to a device that there is not.
    pub(super) fn new(has_checksums: bool) -> Wire {
        Wire { has_checksums, room: BytesMut::new(), queue: VecDeque::new() }
    }

    /// Brings a batch of packets from one host to the other, who says which sockets have news; how
    /// many segments crossed.
    pub(super) fn carry(&mut self, from: &mut Host, to: &mut Host, now: Instant) -> usize {
        let mut count = 0;
        while count < BATCH
            && let Some(transmit) = from.poll_transmit(now)
        {
            count += transmit.segment_count();
            self.send(transmit);
        }
        for frame in self.queue.drain(..) {
            to.handle_frame(now, frame);
        }
        while to.poll_wake().is_some() {}
        count
    }

    /// Copies the packet; a checksum that was computed is to be verified on arrival.
    fn send(&mut self, mut transmit: Transmit) {
        let verification = if self.has_checksums {
            transmit.complete_checksum();
            Verification::Unverified
        } else {
            Verification::Verified
        };
        if self.room.capacity() < transmit.len() {
            // Takes the memory of packets that are gone by now, if it can.
            self.room.reserve(ROOM);
        }
        self.room.extend_from_slice(&transmit.header);
        for slice in &transmit.payload {
            self.room.extend_from_slice(slice);
        }
        self.queue.push_back(Frame {
            bytes: self.room.split().freeze(),
            verification,
            gso_size: transmit.gso_size,
        });
    }
}
