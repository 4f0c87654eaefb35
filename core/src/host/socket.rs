//! The sockets of a host: one list for everything that has an id, be it the application's, a
//! connection waiting to be accepted, or an orphan on its way through TIME-WAIT.
//!
//! A slot is used again, an id never: each carries the generation in which it was given out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::census::Class;
use super::demux::FourTuple;
use super::options::Options;
use super::path::Path;
use super::ports::Claim;
use super::{Readiness, addresses};
use crate::event::ConnectionName;
use crate::tcp::{Connection, Listener, State};
use crate::time::Instant;

/// A socket of a host. Never reused: a stale id gives [`Error::BadSocket`](super::Error::BadSocket).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// The address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// AF_INET.
    V4,
    /// AF_INET6; with `V6Only` off it speaks IPv4 too.
    V6,
}

impl Domain {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Domain {
        if address.is_ipv4() { Domain::V4 } else { Domain::V6 }
    }
}

/// Who answers for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The application: the id is good for calls.
    Application,
    /// A listener whose SYN queue it is in.
    SynQueue(SocketId),
    /// A listener whose accept queue it is in.
    AcceptQueue(SocketId),
    /// Nobody: closed by the application, it lives until it is CLOSED.
    Nobody,
}

/// What a socket is at present.
pub(super) enum Kind {
    /// Fresh or bound.
    Idle,
    /// After listen().
    Listener(Box<Listener<SocketId>>),
    /// After connect() or by a SYN.
    Connection(Box<Connection>),
}

/// What the last look at a connection showed, to notice what changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) readiness: Readiness,
    /// In bytes; more than it can say is as good as that.
    pub(super) readable: u32,
    pub(super) is_closing: bool,
}

/// A socket.
pub(super) struct Socket {
    pub(super) domain: Domain,
    pub(super) owner: Owner,
    /// Its number in events, unique for the host's life.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// Shared with the listener that begot it, until one of the two changes its own.
    pub(super) options: Arc<Options>,
    /// The port that getsockname shows while nothing is bound: that of an attempt to connect.
    pub(super) last_port: u16,
    /// Its entry in the table of ports.
    pub(super) claim: Option<Claim>,
    /// bind() was called: the port stays when a connection ends.
    pub(super) is_bound: bool,
    /// connect() has not yet said how it ended.
    pub(super) is_connecting: bool,
    /// The way to the peer.
    pub(super) path: Path,
    /// The IPv4 identification of its next packet that routers may cut.
    pub(super) next_identification: u16,
    /// Under which deadline it stands in the timer queue: never later than its own, once it is settled.
    pub(super) queued_deadline: Option<Instant>,
    pub(super) seen: Seen,
    /// What it counts as.
    pub(super) class: Class,
    /// It is in the output queue.
    pub(super) is_dirty: bool,
    /// It is in the wake queue.
    pub(super) is_waking: bool,
    /// It was told something, and timer queue and wakes do not know yet.
    pub(super) is_unsettled: bool,
}

impl Socket {
    pub(super) fn new(domain: Domain, owner: Owner, number: u64, options: Arc<Options>) -> Socket {
        Socket {
            domain,
            owner,
            number,
            kind: Kind::Idle,
            options,
            last_port: 0,
            claim: None,
            is_bound: false,
            is_connecting: false,
            path: Path::default(),
            next_identification: 0,
            queued_deadline: None,
            seen: Seen::default(),
            class: Class::default(),
            is_dirty: false,
            is_waking: false,
            is_unsettled: false,
        }
    }

    /// Its name in events.
    pub(super) fn name(&self) -> ConnectionName {
        match &self.kind {
            Kind::Connection(connection) => connection.name(),
            _ => ConnectionName { id: self.number, local: self.local(), remote: None },
        }
    }

    /// What getsockname shows, canonical; unspecified while unbound.
    pub(super) fn local(&self) -> SocketAddr {
        match (&self.kind, self.claim) {
            (Kind::Connection(connection), _) => connection.ends().0,
            (_, Some(claim)) => claim.place.bound(),
            (_, None) => SocketAddr::new(addresses::unspecified(self.domain), self.last_port),
        }
    }

    /// The two ends of its connection, if it is one.
    pub(super) fn tuple(&self) -> Option<FourTuple> {
        match &self.kind {
            Kind::Connection(connection) => {
                let (local, remote) = connection.ends();
                Some(FourTuple { local, remote })
            }
            Kind::Idle | Kind::Listener(_) => None,
        }
    }

    /// Whether it is the connection with these two ends.
    pub(super) fn has_ends(&self, tuple: &FourTuple) -> bool {
        matches!(&self.kind, Kind::Connection(connection)
            if connection.has_ends(&tuple.local, &tuple.remote))
    }

    /// When its connection wants to be called next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.kind {
            Kind::Connection(connection) => connection.next_deadline(),
            Kind::Idle | Kind::Listener(_) => None,
        }
    }

    pub(super) fn state(&self) -> State {
        match &self.kind {
            Kind::Idle => State::Closed,
            Kind::Listener(_) => State::Listen,
            Kind::Connection(connection) => connection.state(),
        }
    }

    /// What poll() shows (Linux: tcp_poll).
    pub(super) fn readiness(&self) -> Readiness {
        match &self.kind {
            // Linux calls a socket that never was connected hung up.
            Kind::Idle => Readiness::OUT | Readiness::HUP,
            Kind::Listener(listener) if listener.is_acceptable() => Readiness::IN,
            Kind::Listener(_) => Readiness::EMPTY,
            Kind::Connection(connection) => connection.readiness(),
        }
    }

    /// Whether the application has let go while data or the FIN is not acknowledged.
    pub(super) fn is_closing(&self) -> bool {
        self.owner == Owner::Nobody
            && matches!(self.state(), State::FinWait1 | State::Closing | State::LastAck)
    }

    /// What there is to notice about it now.
    pub(super) fn look(&self) -> Seen {
        let readable = match &self.kind {
            Kind::Connection(connection) => connection.queues().0,
            _ => 0,
        };
        let readable = u32::try_from(readable).unwrap_or(u32::MAX);
        Seen { readiness: self.readiness(), readable, is_closing: self.is_closing() }
    }
}

/// Slots that are made together.
const BLOCK: usize = 256;

/// Every socket of a host, found in constant time by its id.
#[derive(Default)]
pub(super) struct Sockets {
    /// In blocks, each full but the last: what is there never moves, however many more come.
    blocks: Vec<Vec<Slot>>,
    /// Empty slots, the one to be used next last.
    empty: Vec<u32>,
    generation: u32,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    socket: Option<Box<Socket>>,
}

impl Sockets {
    pub(super) fn insert(&mut self, socket: Socket) -> SocketId {
        // It comes round after 2^32 sockets, when nobody holds an id of that age any more.
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let slot = self.empty.pop().unwrap_or_else(|| self.add_slot());
        self.blocks[slot as usize / BLOCK][slot as usize % BLOCK] =
            Slot { generation, socket: Some(Box::new(socket)) };
        SocketId { slot, generation }
    }

    fn add_slot(&mut self) -> u32 {
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let at = (self.blocks.len() - 1) * BLOCK;
        self.blocks.last_mut().map_or(0, |block| {
            block.push(Slot::default());
            (at + block.len() - 1) as u32
        })
    }

    pub(super) fn get(&self, id: SocketId) -> Option<&Socket> {
        let slot = self.blocks.get(id.slot as usize / BLOCK)?.get(id.slot as usize % BLOCK)?;
        slot.socket.as_deref().filter(|_| slot.generation == id.generation)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        let block = self.blocks.get_mut(id.slot as usize / BLOCK)?;
        let slot = block.get_mut(id.slot as usize % BLOCK)?;
        slot.socket.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    pub(super) fn remove(&mut self, id: SocketId) -> Option<Socket> {
        self.get(id)?;
        self.empty.push(id.slot);
        let slot = &mut self.blocks[id.slot as usize / BLOCK][id.slot as usize % BLOCK];
        slot.socket.take().map(|socket| *socket)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SocketId, &Socket)> {
        let slots = (0..).zip(self.blocks.iter().flatten());
        slots.filter_map(|(slot, Slot { generation, socket })| {
            Some((SocketId { slot, generation: *generation }, &**socket.as_ref()?))
        })
    }
}
