//! The wire between two smoltcp interfaces: a queue each way, whose packets' memory is used again.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::BATCH;

pub(crate) type Queue = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One way of the wire: packets that wait, and packets that were taken, whose memory is used again.
#[derive(Clone, Default)]
pub(super) struct Lane {
    pub(super) packets: Queue,
    spare: Queue,
}

impl Lane {
    /// Keeps the memory of a packet that was taken.
    fn keep(&self, packet: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < 2 * BATCH {
            spare.push_back(packet);
        }
    }
}

/// One end of the wire: a lane each way. The checksums are smoltcp's to compute and verify.
pub(crate) struct Wire {
    mtu: usize,
    pub(super) incoming: Lane,
    outgoing: Lane,
    /// Packets that it takes before they are carried away.
    room: usize,
}

impl Wire {
    /// A wire that takes `room` packets before they are carried away.
    pub(super) fn new(mtu: usize, incoming: Lane, outgoing: Lane, room: usize) -> Wire {
        Wire { mtu, incoming, outgoing, room }
    }

    /// A wire that takes whatever is sent.
    pub(crate) fn unbounded(mtu: usize, incoming: Queue, outgoing: Queue) -> Wire {
        let lane = |packets| Lane { packets, ..Lane::default() };
        Wire { mtu, incoming: lane(incoming), outgoing: lane(outgoing), room: usize::MAX }
    }
}

/// A packet that arrived.
pub(crate) struct Arrived {
    packet: Vec<u8>,
    lane: Lane,
}

/// Room for a packet to send.
pub(crate) struct Room(Lane);

impl phy::RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.packet);
        self.lane.keep(self.packet);
        result
    }
}

impl phy::TxToken for Room {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = self.0.spare.borrow_mut().pop_back().unwrap_or_default();
        packet.resize(len, 0);
        let result = f(&mut packet);
        self.0.packets.borrow_mut().push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Room;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Room)> {
        let packet = self.incoming.packets.borrow_mut().pop_front()?;
        Some((Arrived { packet, lane: self.incoming.clone() }, Room(self.outgoing.clone())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room> {
        let has_room = self.outgoing.packets.borrow().len() < self.room;
        has_room.then(|| Room(self.outgoing.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}
