//! The turn of a connection: whatever it is told (a segment, a timer, a call), afterwards the host's
//! tables agree with it again. This is the one place that makes them agree.

use std::collections::VecDeque;

use super::census::Class;
use super::counters::Counter;
use super::deadlines::Deadlines;
use super::output::context;
use super::socket::{Kind, Owner, Socket};
use super::{Host, SocketId};
use crate::event::{Kind as EventKind, Reason};
use crate::tcp::{Connection, Context, State};
use crate::time::Instant;

/// The sockets that were told something since the tables last agreed with them, each once.
#[derive(Default)]
pub(super) struct Unsettled(VecDeque<SocketId>);

impl Unsettled {
    pub(super) fn note(&mut self, socket: &mut Socket, id: SocketId) {
        if !socket.is_unsettled {
            socket.is_unsettled = true;
            self.0.push_back(id);
        }
    }

    fn pop(&mut self) -> Option<SocketId> {
        self.0.pop_front()
    }
}

impl Host {
    /// Tells a connection something that its application has to do with; None when the socket is none.
    pub(super) fn turn<R>(
        &mut self,
        now: Instant,
        id: SocketId,
        tell: impl FnOnce(&mut Connection, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let result = self.tell(now, id, tell)?;
        self.settle(now, id);
        self.notice(id);
        Some(result)
    }

    /// Tells a connection something that has nothing to do with who owns it, as most calls do.
    pub(super) fn speak<R>(
        &mut self,
        now: Instant,
        id: SocketId,
        tell: impl FnOnce(&mut Connection, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let result = self.tell(now, id, tell)?;
        // The application acts on what it sees: what changes from here on is news.
        self.notice(id);
        Some(result)
    }

    /// Tells a connection something. Of a batch of segments each may change when it wants to be called
    /// and what poll() shows: that is looked at once, behind the last of them (`catch_up`). What the
    /// next segment depends on is settled now.
    pub(super) fn tell<R>(
        &mut self,
        now: Instant,
        id: SocketId,
        tell: impl FnOnce(&mut Connection, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let socket = self.sockets.get_mut(id)?;
        let Kind::Connection(connection) = &mut socket.kind else { return None };
        let before = connection.state();
        let mut cx = context(&self.knobs, &mut self.log, &mut self.blocks, socket.path, now);
        let result = tell(connection, &mut cx);
        let is_eventful = connection.state() != before || connection.has_fast_open_verdict();
        self.output.note(socket, id);
        self.unsettled.note(socket, id);
        if is_eventful {
            self.settle(now, id);
        }
        Some(result)
    }

    /// Brings the timer queue and the wakes up to date with what was told since.
    pub(super) fn catch_up(&mut self) {
        while let Some(id) = self.unsettled.pop() {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.is_unsettled = false;
                queue_deadline(&mut self.deadlines, socket, id);
                notice(&mut self.wakes, socket, id);
            }
        }
    }

    /// Brings deadline, queues of the listener and addresses up to date; readiness follows when the host
    /// catches up.
    pub(super) fn settle(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        queue_deadline(&mut self.deadlines, socket, id);
        let is_inside = socket.path.is_inside;
        let Kind::Connection(connection) = &mut socket.kind else { return };
        let verdict = connection.take_fast_open_verdict();
        let (state, owner) = (connection.state(), socket.owner);
        let class = Class::of(owner, state);
        let before = std::mem::replace(&mut socket.class, class);
        self.census.change(before, class);
        if let Some(verdict) = verdict {
            self.take_fast_open_verdict(now, verdict, is_inside);
        }
        if before != class && self.is_one_too_many(class) {
            // The bound is a defence: the peer hears of it by a RST where data is at stake.
            self.turn(now, id, |connection, cx| connection.abort(cx));
            return;
        }
        if let Owner::SynQueue(listener) = owner {
            self.settle_embryo(now, id, listener, state);
        }
        if state == State::Closed {
            self.settle_closed(id);
        }
    }

    /// Whether a connection that has just become one of `class` exceeds the bound (`tcp_max_orphans`,
    /// `tcp_max_tw_buckets`).
    fn is_one_too_many(&mut self, class: Class) -> bool {
        let (most, counter) = match class {
            Class::Uncounted => return false,
            Class::Orphan => (self.knobs.max_orphans(), Counter::OrphansAborted),
            Class::TimeWait => (self.knobs.max_time_wait(), Counter::TimeWaitOverflow),
        };
        let is_over = self.census.count(class) > most;
        if is_over {
            self.counters.add(counter);
        }
        is_over
    }

    /// A child of a listener went on, or died, before it was in the accept queue.
    fn settle_embryo(&mut self, now: Instant, id: SocketId, parent: SocketId, state: State) {
        if state == State::SynReceived {
            return;
        }
        let Some(listener) = self.listener_mut(parent) else { return };
        let (owner, is_refused) = match state {
            State::Closed => {
                listener.removed(id);
                (Owner::Nobody, false)
            }
            _ if listener.established(id) => (Owner::AcceptQueue(parent), false),
            // The segment that completed it should have been held back: there is no room.
            _ => {
                listener.removed(id);
                (Owner::Nobody, true)
            }
        };
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.owner = owner;
        }
        if is_refused {
            self.turn(now, id, |connection, cx| connection.abort(cx));
        }
        self.notice(parent);
    }

    /// A connection in CLOSED gives back its addresses, and is forgotten when nobody holds it and its
    /// last reset has left.
    fn settle_closed(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let Kind::Connection(connection) = &socket.kind else { return };
        let is_abandoned = socket.owner == Owner::Nobody;
        if is_abandoned && connection.is_finished() {
            return self.forget(id);
        }
        if let Some(tuple) = socket.tuple() {
            self.demux.remove_connection(&tuple, id);
        }
        // As Linux: a port that bind() chose stays with the socket.
        if (is_abandoned || !socket.is_bound)
            && let Some(claim) = socket.claim.take()
        {
            self.ports.release(claim);
        }
    }

    /// Queues a wake if there is news of the socket.
    pub(super) fn notice(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            notice(&mut self.wakes, socket, id);
        }
    }

    /// Takes a socket out of every table.
    pub(super) fn forget(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(id) else { return };
        if !self.waiting_for_text.is_empty() {
            self.waiting_for_text.remove(&id);
        }
        self.census.change(socket.class, Class::Uncounted);
        self.deadlines.change(id, socket.queued_deadline, None);
        if let Some(tuple) = socket.tuple() {
            self.demux.remove_connection(&tuple, id);
        }
        if let Some(claim) = socket.claim {
            self.ports.release(claim);
        }
        if socket.seen.is_closing && !socket.is_waking {
            self.wakes.push_back(id);
        }
    }

    /// A connection in TIME-WAIT gives way to a new one between the same ends. One that the
    /// application still holds keeps what it can read; only its ends are gone.
    pub(super) fn retire(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let name = socket.name();
        if socket.owner == Owner::Application {
            if let Some(tuple) = socket.tuple() {
                self.demux.remove_connection(&tuple, id);
            }
            return;
        }
        let kind = EventKind::StateChanged { from: socket.state(), to: State::Closed };
        self.log.record(now, Some(name), kind, Some(Reason::PassiveOpen), None);
        self.forget(id);
    }
}

/// Tells the timer queue of a connection's deadline, if that is sooner than the queue knows.
fn queue_deadline(deadlines: &mut Deadlines, socket: &mut Socket, id: SocketId) {
    let deadline = socket.deadline();
    // With every ACK the retransmission timer moves back: the queue hears of it only when the
    // deadline it knows has come to the front (`refresh_deadlines`).
    let is_sooner = |deadline| socket.queued_deadline.is_none_or(|queued| deadline < queued);
    if deadline.is_some_and(is_sooner) {
        deadlines.change(id, socket.queued_deadline, deadline);
        socket.queued_deadline = deadline;
    }
}

/// Queues a wake if what poll() shows has changed or more can be read, or if a socket that was
/// closed has got all its data through.
fn notice(wakes: &mut VecDeque<SocketId>, socket: &mut Socket, id: SocketId) {
    let now = socket.look();
    let before = std::mem::replace(&mut socket.seen, now);
    if now == before {
        return;
    }
    let is_news = match socket.owner {
        Owner::Application => now.readiness != before.readiness || now.readable > before.readable,
        Owner::Nobody => now.is_closing != before.is_closing,
        Owner::SynQueue(_) | Owner::AcceptQueue(_) => false,
    };
    if is_news && !socket.is_waking {
        socket.is_waking = true;
        wakes.push_back(id);
    }
}
