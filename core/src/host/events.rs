//! What the host itself puts into the event stream: the application's calls, listeners, segments
//! that belong to no connection, and dropped packets. Without an observer nothing is built.

use super::arrival::Segment;
use super::demux::FourTuple;
use super::{Host, SocketId};
use crate::event::{
    ConnectionName, EventLog, HeaderBytes, Kind, Observer, Reason, SegmentRecord, Source,
};
use crate::tcp::{State, finished, segment_record};
use crate::time::Instant;
use crate::wire::packet::{Frame, Verification};
use crate::wire::payload::Payload;
use crate::wire::tcp::{self, Header};
use crate::wire::{checksum, ip};

impl Host {
    /// Whether anybody reads events (build nothing otherwise).
    pub fn is_observed(&self) -> bool {
        self.log.is_on()
    }

    /// Replaces the observer; its stream starts at index 0.
    pub fn set_observer(&mut self, observer: Option<Box<dyn Observer>>) {
        self.log = match observer {
            Some(observer) => EventLog::new(&self.name, observer),
            None => EventLog::off(),
        };
        self.open_calls.clear();
    }

    /// Records that the application calls, from `source` if that is known, and makes the call the cause of
    /// what follows. Returns the call's number, for the others.
    pub fn call_entered(
        &mut self,
        now: Instant,
        id: Option<SocketId>,
        name: &str,
        arguments: String,
        source: Option<Source>,
    ) -> u64 {
        let call = self.next_call;
        self.next_call += 1;
        if self.log.is_on() {
            self.log.set_cause(None);
            let socket = self.name_of(id);
            let kind = Kind::CallEntered { call, name: name.to_owned(), arguments, source };
            if let Some(index) = self.log.record(now, socket, kind, None, None) {
                self.open_calls.insert(call, index);
                self.log.set_cause(Some(index));
            }
        }
        call
    }

    /// A call that had to wait goes on: it is the cause of what follows.
    pub fn call_resumed(&mut self, call: u64) {
        self.log.set_cause(self.open_calls.get(&call).copied());
    }

    /// A call that went on has to wait again: it is no longer the cause of what follows.
    pub fn call_paused(&mut self) {
        self.log.set_cause(None);
    }

    /// Records that the call has to wait.
    pub fn call_blocked(&mut self, now: Instant, id: Option<SocketId>, call: u64, name: &str) {
        if self.log.is_on() {
            self.log.set_cause(self.open_calls.get(&call).copied());
            let socket = self.name_of(id);
            let kind = Kind::CallBlocked { call, name: name.to_owned() };
            self.log.record(now, socket, kind, None, None);
            self.log.set_cause(None);
        }
    }

    /// Records that the call returns, with its result or the errno's name.
    pub fn call_returned(
        &mut self,
        now: Instant,
        id: Option<SocketId>,
        call: u64,
        name: &str,
        result: String,
    ) {
        if self.log.is_on() {
            self.log.set_cause(self.open_calls.remove(&call));
            let socket = self.name_of(id);
            let kind = Kind::CallReturned { call, name: name.to_owned(), result };
            self.log.record(now, socket, kind, None, None);
            self.log.set_cause(None);
        }
    }

    fn name_of(&self, id: Option<SocketId>) -> Option<ConnectionName> {
        self.sockets.get(id?).map(|socket| socket.name())
    }

    /// A listening socket began or ended to listen.
    pub(super) fn record_listening(&mut self, now: Instant, id: SocketId, from: State, to: State) {
        if self.log.is_on() {
            let socket = self.name_of(Some(id));
            let reason = match to {
                State::Listen => Reason::Listen,
                _ => Reason::ListenerClosed,
            };
            self.log.record(now, socket, Kind::StateChanged { from, to }, Some(reason), None);
        }
    }

    pub(super) fn record_dropped(&mut self, now: Instant, counter: &str, len: usize) {
        if self.log.is_on() {
            let kind = Kind::PacketDropped { counter: counter.to_owned(), len };
            self.log.record(now, None, kind, None, None);
        }
    }

    /// Keeps the TCP header of a packet for the event of its arrival, as it was on the wire.
    #[cold]
    pub(super) fn note_header(&mut self, ip: &ip::Header, frame: &Frame) {
        let end = frame.front.len().min(ip.header_len + ip.payload_len);
        let transport = &frame.front[ip.header_len..end];
        self.log.note_arriving(None);
        // What can't be read is dropped, and has no record.
        let Ok((_, offset)) = tcp::Header::parse(transport) else { return };
        let (header, text) = transport.split_at(offset);
        let mut bytes = HeaderBytes::from_slice(header);
        if frame.verification == Verification::Verified {
            // No wire lay between, or the device has looked: the field may not be finished.
            let sum = checksum::concat(checksum::sum(text), text.len(), frame.rest.sum());
            let payload = (sum, ip.payload_len - offset);
            checksum::finish_segment(&mut bytes, payload, ip.src, ip.dst);
        }
        self.log.note_arriving(Some(bytes));
    }

    /// A segment that arrived, as far as it alone tells.
    fn arrival_record(&mut self, segment: &Segment) -> SegmentRecord {
        let Segment { header, payload, tuple, .. } = segment;
        let bytes = self.log.take_arriving();
        let bytes =
            bytes.unwrap_or_else(|| finished(header, payload, tuple.remote.ip(), tuple.local.ip()));
        segment_record(header, &bytes, payload, segment.gso_size, 0)
    }

    /// The SYN that begins the connection `name`; its index.
    pub(super) fn record_arrival(
        &mut self,
        now: Instant,
        name: ConnectionName,
        segment: &Segment,
    ) -> Option<u64> {
        if !self.log.is_on() {
            return None;
        }
        let mut record = self.arrival_record(segment);
        record.relative_seq = Some(0);
        self.log.record(now, Some(name), Kind::SegmentReceived(record), None, None)
    }

    /// A segment for which there is no connection, as the cause of what follows.
    pub(super) fn record_unowned(&mut self, now: Instant, segment: &Segment) {
        if self.log.is_on() {
            let kind = Kind::SegmentReceived(self.arrival_record(segment));
            let name = unowned(&segment.tuple);
            let index = self.log.record(now, Some(name), kind, None, None);
            self.log.set_cause(index);
        }
    }

    /// The segment that answers it, which was queued just now.
    pub(super) fn record_reset(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        reset: &Header,
        reason: Reason,
    ) {
        if self.log.is_on() {
            let none = Payload::default();
            let bytes = finished(reset, &none, tuple.local.ip(), tuple.remote.ip());
            let kind = Kind::SegmentSent(segment_record(reset, &bytes, &none, 0, 0));
            self.log.record(now, Some(unowned(tuple)), kind, Some(reason), None);
            let event = self.log.take_sent();
            self.output.note_reply(event);
        }
    }
}

/// The name under which events show two ends that have no connection: number 0 is never given out.
fn unowned(tuple: &FourTuple) -> ConnectionName {
    ConnectionName { id: 0, local: tuple.local, remote: Some(tuple.remote) }
}
