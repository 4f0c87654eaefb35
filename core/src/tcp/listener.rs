//! A socket in LISTEN: what it answers, and the children it has begotten.
//!
//! Owns the SYN queue (children in SYN-RECEIVED) and the accept queue (ESTABLISHED, not accepted),
//! and bounds both (RFC 4987 §3.2). It refuses a SYN when there is no place for the child; the peer will try again.
//! The children themselves are the host's, which tells here what became of them.
//!
//! The bounds are Linux's. The accept queue holds `backlog + 1`. The SYN queue holds `backlog`, but
//! at least 8: where SYN cookies are off, a small backlog would shut out clients for as long as one
//! SYN+ACK goes unanswered. The host caps the backlog that the
//! application asks for (`somaxconn`), so that a flood of SYNs fills bounded memory.

use std::collections::VecDeque;
use std::time::Duration;

use super::reset::reset_for;
use crate::time::Instant;
use crate::wire::tcp::{Flags, Header};

/// How long a SYN cookie is good (`syn_cookie`).
const COOKIE_LIFETIME: Duration = Duration::from_secs(120);

/// The SYN queue's least bound.
const SYN_QUEUE_MIN: usize = 8;

/// What RFC 9293 §3.10.7.2 says of a segment that reached LISTEN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Drop it without an answer.
    Ignore,
    /// SYN and FIN in one: drop it without an answer, and count that.
    Contradiction,
    /// Answer with this.
    Reset(Header),
    /// A connection request: make a child in SYN-RECEIVED and tell it to [`Listener::opened`].
    Open,
    /// A connection request without a place in the SYN queue: answer it by a SYN cookie, or drop it.
    Crowded,
    /// A connection request while the accept queue is full: drop it, and count that.
    Full,
}

/// A listening socket's queues; `Id` names a child.
#[derive(Clone, Debug)]
pub struct Listener<Id> {
    backlog: u32,
    syn_queue: Vec<Id>,
    accept_queue: VecDeque<Id>,
    /// When a SYN cookie was last sent: later ACKs may bear one.
    last_cookie: Option<Instant>,
    /// Children that were accepted with text on the SYN, and may still be in SYN-RECEIVED.
    early: Vec<Id>,
}

impl<Id: Copy + PartialEq> Listener<Id> {
    /// A listener without children. `backlog` is that of `listen()`, capped by the host.
    pub fn new(backlog: u32) -> Listener<Id> {
        Listener {
            backlog,
            syn_queue: Vec::new(),
            accept_queue: VecDeque::new(),
            last_cookie: None,
            early: Vec::new(),
        }
    }

    /// A second `listen()`. Children that are there stay, even when they are more.
    pub fn set_backlog(&mut self, backlog: u32) {
        self.backlog = backlog;
    }

    /// What to do with a segment that no child of this listener takes.
    ///
    /// Text that comes with a SYN may be left alone: unacknowledged, it will come again.
    pub fn handle_segment(&self, header: &Header, payload_len: usize) -> Arrival {
        let flags = header.flags;
        // RFC 9293 §3.10.7.2, first: nothing was sent yet that a reset could answer
        if flags.contains(Flags::RST) {
            return Arrival::Ignore;
        }
        // second: nor anything that could be acknowledged
        if flags.contains(Flags::ACK) {
            return reset_for(header, payload_len).map_or(Arrival::Ignore, Arrival::Reset);
        }
        // third
        if flags.contains(Flags::SYN) {
            // The RFC would keep the FIN for later. But nobody asks for a connection that is over; who
            // sends such a SYN looks for a way past a filter. Dropped, as on Linux.
            if flags.contains(Flags::FIN) {
                return Arrival::Contradiction;
            }
            return match (self.accept_queue_is_full(), self.syn_queue_is_full()) {
                (true, _) => Arrival::Full,
                (false, true) => Arrival::Crowded,
                (false, false) => Arrival::Open,
            };
        }
        // fourth: no valid segment gets here
        Arrival::Ignore
    }

    /// A child in SYN-RECEIVED was made.
    pub fn opened(&mut self, child: Id) {
        self.syn_queue.push(child);
    }

    /// The handshake of `child` completed: moves it to the accept queue.
    ///
    /// False if that is full: the child stays in SYN-RECEIVED and its ACK counts as not arrived, as
    /// on Linux; the SYN+ACK, retransmitted, brings another. False too for an unknown child.
    pub fn established(&mut self, child: Id) -> bool {
        let place = self.syn_queue.iter().position(|id| *id == child);
        match place {
            Some(place) if !self.accept_queue_is_full() => {
                self.syn_queue.remove(place);
                self.accept_queue.push_back(child);
                true
            }
            _ => false,
        }
    }

    /// The child died before it was accepted.
    pub fn removed(&mut self, child: Id) {
        self.syn_queue.retain(|id| *id != child);
        self.accept_queue.retain(|id| *id != child);
    }

    /// Takes the child that has waited longest.
    pub fn accept(&mut self) -> Option<Id> {
        self.accept_queue.pop_front()
    }

    /// Whether [`Listener::accept`] has a child to give: readable, to `poll`.
    pub fn is_acceptable(&self) -> bool {
        !self.accept_queue.is_empty()
    }

    /// How many children are in SYN-RECEIVED.
    pub fn half_open(&self) -> usize {
        self.syn_queue.len()
    }

    /// The children in SYN-RECEIVED.
    pub fn half_open_children(&self) -> &[Id] {
        &self.syn_queue
    }

    /// Every child, in SYN-RECEIVED or waiting for accept, for when the listener closes.
    pub fn children(&self) -> Vec<Id> {
        self.syn_queue.iter().chain(&self.accept_queue).copied().collect()
    }

    /// Whether there is no place for another child in SYN-RECEIVED.
    fn syn_queue_is_full(&self) -> bool {
        self.syn_queue.len() >= (self.backlog as usize).max(SYN_QUEUE_MIN)
    }

    /// A SYN cookie was sent.
    pub fn cookie_sent(&mut self, now: Instant) {
        self.last_cookie = Some(now);
    }

    /// Whether a SYN cookie was sent so lately that an ACK may bear it: at other times none is looked
    /// for, so that none can be guessed.
    pub fn expects_cookies(&self, now: Instant) -> bool {
        self.last_cookie.is_some_and(|last| now.saturating_since(last) < COOKIE_LIFETIME)
    }

    /// A child was accepted with text on its SYN.
    pub fn opened_early(&mut self, child: Id) {
        self.early.push(child);
    }

    /// Those children, as far as [`Listener::set_early_children`] has not struck them out.
    pub fn early_children(&self) -> &[Id] {
        &self.early
    }

    /// Strikes out those whose handshake is over: what is left counts against the application's limit
    /// (RFC 7413 §5.1).
    pub fn set_early_children(&mut self, pending: Vec<Id>) {
        self.early = pending;
    }

    /// Connections that wait for accept().
    pub fn waiting(&self) -> usize {
        self.accept_queue.len()
    }

    /// The backlog of `listen()`.
    pub fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Whether no handshake can be completed now. Linux's sk_acceptq_is_full: `>`, so one more than
    /// the backlog fits.
    pub fn accept_queue_is_full(&self) -> bool {
        self.accept_queue.len() > self.backlog as usize
    }

    /// Asserts that no child is listed twice.
    ///
    /// # Panics
    /// When not: a bug in this module or a child told twice to [`Listener::opened`].
    pub fn check(&self) {
        let children = self.children();
        for (index, child) in children.iter().enumerate() {
            assert!(!children[..index].contains(child), "a child is in the queues twice");
        }
    }
}

#[cfg(test)]
mod tests;
