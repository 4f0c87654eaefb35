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
#[derive(Default)]
pub(super) struct Wire {
    room: BytesMut,
    queue: VecDeque<Frame>,
}

impl Wire {
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

    /// Copies the packet, its checksum computed; on arrival it is to be verified.
    fn send(&mut self, mut transmit: Transmit) {
        transmit.complete_checksum();
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
            verification: Verification::Unverified,
            gso_size: transmit.gso_size,
        });
    }
}
