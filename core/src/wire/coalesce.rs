//! Packets that arrive one after the other, merged where they are one run of the same stream: many
//! segments then cost little more than one (GRO, or LRO in a network card).
//!
//! A [`Coalescer`] takes the packets of one batch in and hands frames on, in the same order. A run is
//! segments of one connection that follow each other without a gap, all of one size but for the last,
//! and whose headers differ in nothing but number, length, identification and checksum, and the last's in
//! PSH and FIN: what it tells is told by one header, and [`Transmit::segments`] makes the packets of it
//! again. Whatever else comes goes on as it came. Nothing is held back for a later batch.
//!
//! The checksums of a run are verified as its bytes are copied, behind each other, into a block: its text
//! is then one slice, long enough to stay where it is until it is read. A packet that is in no run, such as
//! one with a wrong checksum, goes on unverified.
//!
//! [`Transmit::segments`]: super::packet::Transmit::segments

use bytes::{Bytes, BytesMut};

use super::ip::PROTOCOL_TCP;
use super::packet::{Frame, Verification};
use super::tcp::{self, Flags};
use super::{HEADER_CAPACITY, checksum, ipv4, ipv6, read_u16, read_u32};
use crate::blocks::{self, BLOCK, Lent};

/// The longest packet that is made: what an IPv4 length field says.
const PACKET_MAX: usize = 65_535;

/// A batch of less is copied into memory of its own size: should somebody keep a packet of it, he keeps
/// no whole block.
const SHARE_MIN: usize = 16 * 1024;

/// Merges the packets of a batch.
///
/// ```
/// use tcpstack::wire::coalesce::Coalescer;
/// use tcpstack::wire::packet::{Transmit, Verification};
/// use tcpstack::wire::{ip, tcp};
/// let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
/// let header = tcp::Header { flags: tcp::Flags::ACK, ..Default::default() };
/// let text = [vec![7; 2500].into()].into_iter().collect();
/// let transmit = Transmit::tcp(ip, &header, text, 1000, None);
///
/// let (mut coalescer, mut frames) = (Coalescer::default(), Vec::new());
/// transmit.segments(|segment| {
///     coalescer.push(&segment.to_bytes(), Verification::Unverified, &mut frames);
/// });
/// coalescer.flush(&mut frames);
/// assert_eq!((frames.len(), frames[0].front.len(), frames[0].gso_size), (1, 40 + 2500, 1000));
/// ```
#[derive(Debug)]
pub struct Coalescer {
    buffers: Lent,
    /// Where packets are put; empty until one comes.
    block: BytesMut,
    /// Bytes of the block that are in use.
    filled: usize,
    packets: Vec<Packet>,
    /// How the last packet goes on, should the next segment follow it.
    run: Option<Run>,
}

/// A packet in the block; it ends where the next one starts.
#[derive(Debug)]
struct Packet {
    start: usize,
    verification: Verification,
    gso_size: u16,
}

/// Segments that have become one packet, the last of the block.
#[derive(Debug)]
struct Run {
    shape: Shape,
    /// What the headers of its segments have in common.
    common: Common,
    /// Text of each segment, in bytes.
    size: usize,
    /// SEG.SEQ of the segment that would follow.
    next: u32,
    verification: Verification,
}

/// Headers without the fields that differ within a run, which are 0 here. Their sums are known, so
/// that a checksum takes the other fields and the text alone.
#[derive(Debug)]
struct Common {
    words: Words,
    /// The bits that are each segment's own, and all behind the header.
    own: Words,
    /// Words in which there is some of the header.
    len: usize,
    /// Of the IPv4 header.
    ip_sum: u16,
    /// Of the TCP header, and of the pseudo-header but for the length.
    tcp_sum: u16,
}

/// Where the headers of a TCP segment end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// The IP header's length.
    tcp: usize,
    /// Both headers' length.
    text: usize,
}

impl Default for Coalescer {
    fn default() -> Coalescer {
        Coalescer {
            buffers: Lent::new(BLOCK),
            block: BytesMut::new(),
            filled: 0,
            packets: Vec::new(),
            run: None,
        }
    }
}

impl Coalescer {
    /// Takes in the next packet of the batch; it is copied. Frames that are complete are put behind
    /// `frames`.
    pub fn push(&mut self, packet: &[u8], verification: Verification, frames: &mut Vec<Frame>) {
        if self.run.is_none() {
            self.start_run(packet);
        }
        if self.goes_on(packet, verification) && self.append(packet) {
            return;
        }
        self.end_run();
        if packet.len() > self.block.len() - self.filled {
            self.flush(frames);
        }
        if packet.len() > BLOCK {
            let bytes = Bytes::copy_from_slice(packet);
            frames.push(Frame::new(bytes, verification, 0));
            return;
        }
        if self.block.is_empty() {
            self.block = self.buffers.take();
        }
        let start = self.filled;
        self.filled += packet.len();
        self.block[start..self.filled].copy_from_slice(packet);
        self.packets.push(Packet { start, verification, gso_size: 0 });
    }

    /// Hands over all packets that are still here: the batch has ended.
    pub fn flush(&mut self, frames: &mut Vec<Frame>) {
        self.end_run();
        if self.packets.is_empty() {
            return;
        }
        let filled = std::mem::take(&mut self.filled);
        let mut memory = if filled < SHARE_MIN {
            Bytes::copy_from_slice(&self.block[..filled])
        } else {
            self.buffers.lend(std::mem::take(&mut self.block)).slice(..filled)
        };
        let first = frames.len();
        // From the last to the first: what is left of the memory is the others'.
        for Packet { start, verification, gso_size } in self.packets.drain(..).rev() {
            frames.push(Frame::new(memory.split_off(start), verification, gso_size));
        }
        frames[first..].reverse();
    }

    /// Makes a run of the packet that came last, if `next` seems to follow it: only then it is looked at
    /// closely, for most packets come alone.
    fn start_run(&mut self, next: &[u8]) {
        let Some(first) = self.packets.last_mut().filter(|first| first.gso_size == 0) else {
            return;
        };
        let packet = &self.block[first.start..self.filled];
        self.run = Run::of(packet, next, first.verification);
        if self.run.is_some() {
            first.verification = Verification::Verified;
        }
    }

    /// Whether the packet is the next segment of the run, as far as its headers say.
    fn goes_on(&self, packet: &[u8], verification: Verification) -> bool {
        let (Some(run), Some(first)) = (&self.run, self.packets.last()) else { return false };
        let Shape { tcp, text } = run.shape;
        let len = packet.len();
        let fits = len > text
            && len - text <= run.size
            && self.filled + len - text <= self.block.len()
            && self.filled - first.start + len - text <= PACKET_MAX;
        fits && verification == run.verification
            && run.shape.is_length_right(packet)
            && run.shape.seq(packet) == run.next
            && run.common.is_in(packet)
            && (tcp == ipv6::HEADER_LEN || run.common.is_ipv4_checksum_right(packet))
    }

    /// Puts the text of the next segment behind the run's; false, and nothing done, when its checksum
    /// is wrong.
    fn append(&mut self, packet: &[u8]) -> bool {
        let (Some(run), Some(first)) = (&mut self.run, self.packets.last_mut()) else {
            return false;
        };
        let text = &packet[run.shape.text..];
        let room = &mut self.block[self.filled..self.filled + text.len()];
        if run.verification == Verification::Verified {
            blocks::copy(text, room);
        } else if !run.common.is_right(packet, run.shape, checksum::copy(text, room)) {
            return false;
        }
        self.filled += text.len();
        run.next = run.next.wrapping_add(text.len() as u32);
        first.gso_size = run.size as u16;
        let end = run.shape.flags(packet).intersection(Flags::PSH | Flags::FIN);
        let is_last = text.len() < run.size || end != Flags::EMPTY;
        self.block[first.start + run.shape.tcp + tcp::FLAGS] |= end.0 as u8;
        if is_last {
            self.end_run();
        }
        true
    }

    /// No segment follows the last packet any more: its header says how long it has become.
    fn end_run(&mut self) {
        let (Some(run), Some(first)) = (self.run.take(), self.packets.last()) else { return };
        let (tcp, len) = (run.shape.tcp, self.filled - first.start);
        let ip = &mut self.block[first.start..first.start + tcp];
        match tcp {
            ipv4::HEADER_LEN => ipv4::set_total_len(ip, len),
            _ => ipv6::set_payload_len(ip, len - tcp),
        }
    }
}

impl Run {
    /// The run that `first` begins, if it is a segment that `next` may follow.
    fn of(first: &[u8], next: &[u8], verification: Verification) -> Option<Run> {
        let shape = Shape::of(first)?;
        let text = &first[shape.text..];
        let end = shape.seq(first).wrapping_add(text.len() as u32);
        // PSH and FIN end a run, and CWR is said once (RFC 3168 §6.1.2).
        let is_plain = shape.flags(first).without(Flags::ECE) == Flags::ACK && !text.is_empty();
        if !is_plain || next.len() <= shape.text || shape.seq(next) != end {
            return None;
        }
        let common = Common::of(&first[..shape.text], shape.tcp);
        let is_right = verification == Verification::Verified
            || common.is_right(first, shape, checksum::sum(text));
        let run = Run { shape, common, size: text.len(), next: end, verification };
        is_right.then_some(run)
    }
}

impl Shape {
    /// None where it is no whole TCP segment behind a plain IP header.
    fn of(packet: &[u8]) -> Option<Shape> {
        let tcp = match packet.first()? >> 4 {
            4 if ipv4::is_plain(packet) => ipv4::HEADER_LEN,
            6 if ipv6::is_plain(packet) => ipv6::HEADER_LEN,
            _ => return None,
        };
        let text = tcp + tcp::header_len(packet.get(tcp..)?)?;
        Some(Shape { tcp, text }).filter(|shape| shape.is_length_right(packet))
    }

    /// Whether the IP header's length field agrees with the packet's length.
    fn is_length_right(self, packet: &[u8]) -> bool {
        let len = match self.tcp {
            ipv4::HEADER_LEN => read_u16(packet, ipv4::TOTAL_LENGTH).into(),
            _ => ipv6::HEADER_LEN + usize::from(read_u16(packet, ipv6::PAYLOAD_LENGTH)),
        };
        len == packet.len()
    }

    fn seq(self, packet: &[u8]) -> u32 {
        read_u32(packet, self.tcp + tcp::SEQUENCE_NUMBER)
    }

    /// The flags but for AE.
    fn flags(self, packet: &[u8]) -> Flags {
        Flags(u16::from(packet[self.tcp + tcp::FLAGS]))
    }
}

/// PSH and FIN, which the last segment of a run may have.
const END: u8 = (Flags::PSH.0 | Flags::FIN.0) as u8;

impl Common {
    /// What of `header`, whose TCP header starts at `tcp`, all segments of a run have in common.
    fn of(header: &[u8], tcp: usize) -> Common {
        let (mut bytes, mut own) = ([0; HEADER_CAPACITY], [0; HEADER_CAPACITY]);
        bytes[..header.len()].copy_from_slice(header);
        // Length, and the IPv4 header's identification and checksum.
        let (addresses, of_ip) = match tcp {
            ipv4::HEADER_LEN => (
                ipv4::ADDRESSES,
                [
                    ipv4::TOTAL_LENGTH..ipv4::FLAGS_AND_FRAGMENT_OFFSET,
                    ipv4::HEADER_CHECKSUM..ipv4::HEADER_CHECKSUM + 2,
                ],
            ),
            _ => (ipv6::ADDRESSES, [ipv6::PAYLOAD_LENGTH..ipv6::PAYLOAD_LENGTH + 2, 0..0]),
        };
        let of_tcp = [(tcp::SEQUENCE_NUMBER, 4), (tcp::CHECKSUM, 2)];
        let of_tcp = of_tcp.map(|(at, len)| tcp + at..tcp + at + len);
        for field in of_ip.into_iter().chain(of_tcp) {
            bytes[field.clone()].fill(0);
            own[field].fill(0xff);
        }
        bytes[tcp + tcp::FLAGS] &= !END;
        own[tcp + tcp::FLAGS] = END;
        own[header.len()..].fill(0xff);
        let pseudo_header = checksum::add(checksum::sum(&bytes[addresses]), PROTOCOL_TCP.into());
        Common {
            words: words(&bytes),
            own: words(&own),
            len: header.len().div_ceil(WORD),
            ip_sum: checksum::sum(&bytes[..tcp]),
            tcp_sum: checksum::add(checksum::sum(&bytes[tcp..]), pseudo_header),
        }
    }

    /// Whether the headers of `packet` say the same, its own fields aside. Text of a few bytes may be too
    /// short for the last word, and comes by itself.
    fn is_in(&self, packet: &[u8]) -> bool {
        let Some(words) = packet.as_chunks::<WORD>().0.get(..self.len) else { return false };
        let known = words.iter().zip(self.words).zip(self.own);
        let difference = known.fold(0, |difference, ((word, common), own)| {
            difference | ((u128::from_ne_bytes(*word) & !own) ^ common)
        });
        difference == 0
    }

    fn is_ipv4_checksum_right(&self, packet: &[u8]) -> bool {
        let own = [ipv4::TOTAL_LENGTH, ipv4::IDENTIFICATION, ipv4::HEADER_CHECKSUM];
        let [len, identification, checksum] = own.map(|at| read_u16(packet, at));
        checksum::is_right([self.ip_sum, len, identification, checksum])
    }

    /// Whether the checksum of `packet` is right, given the sum of its text.
    fn is_right(&self, packet: &[u8], shape: Shape, sum_of_text: u16) -> bool {
        let seq = shape.seq(packet);
        checksum::is_right([
            self.tcp_sum,
            (packet.len() - shape.tcp) as u16,
            (seq >> 16) as u16,
            seq as u16,
            u16::from(packet[shape.tcp + tcp::FLAGS] & END),
            read_u16(packet, shape.tcp + tcp::CHECKSUM),
            sum_of_text,
        ])
    }
}

/// A header in wide words, in this machine's byte order.
type Words = [u128; HEADER_CAPACITY / WORD];
const WORD: usize = size_of::<u128>();

fn words(bytes: &[u8; HEADER_CAPACITY]) -> Words {
    let mut words = Words::default();
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<WORD>().0) {
        *word = u128::from_ne_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests;
