//! A super-segment as the packets of the wire that it stands for, as a network card would make them:
//! shared ([`Transmit::segments`]), or written out in one piece each ([`Transmit::packets`]).
//!
//! Each packet has its own sequence number, lengths and IPv4 header checksum; PSH and FIN stay on the
//! last alone, CWR on the first alone (RFC 3168 §6.1.2: it is said once). The IPv4 id stays 0 throughout:
//! with DF set it has no meaning (RFC 6864 §4.1); without, each has the next one.

use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::ip::PROTOCOL_TCP;
use super::packet::{ChecksumField, Transmit};
use super::tcp::{self, Flags};
use super::{checksum, ipv4, ipv6, length_field, read_u32, write_u16, write_u32};

impl Transmit {
    /// Splits a super-segment into the packets of the wire, in order; any other packet is handed on as it
    /// is. No payload byte is copied. Their TCP checksums are partial, whatever the super-segment's was.
    pub fn segments(mut self, mut f: impl FnMut(Transmit)) {
        if self.segment_count() == 1 {
            self.gso_size = 0;
            return f(self);
        }
        let mut headers = Headers::new(&self.header);
        while !self.payload.is_empty() {
            let payload = self.payload.split_to(self.gso_size.into());
            let is_last = self.payload.is_empty();
            f(Transmit {
                header: SmallVec::from_slice(headers.next(payload.len(), is_last).0),
                payload,
                gso_size: 0,
                checksum: headers.checksum(),
                reason: self.reason,
            });
        }
    }

    /// The packets of the wire, to be written out one after the other, checksums complete.
    ///
    /// ```
    /// use tcpstack::wire::{ip, packet::Transmit, tcp};
    /// let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    /// let payload = vec![7; 2500];
    /// let header = tcp::Header { flags: tcp::Flags::ACK, ..Default::default() };
    /// let transmit = Transmit::tcp(ip, &header, [payload.into()].into_iter().collect(), 1000, None);
    ///
    /// let (mut packets, mut room, mut written) = (transmit.packets(), [0; 1500], vec![]);
    /// while let Some(len) = packets.next_len() {
    ///     packets.write(&mut room[..len]);
    ///     written.push(len);
    /// }
    /// assert_eq!(written, [1040, 1040, 540]);
    /// ```
    pub fn packets(&self) -> Packets<'_> {
        let is_super = self.segment_count() > 1;
        Packets {
            transmit: self,
            headers: is_super.then(|| Headers::new(&self.header)),
            size: if is_super { usize::from(self.gso_size) } else { self.payload.len() },
            at: 0,
            is_over: false,
            slice: 0,
            offset: 0,
        }
    }
}

/// The packets of a [`Transmit`] that are still to be written.
pub struct Packets<'a> {
    transmit: &'a Transmit,
    /// None where it is one packet only.
    headers: Option<Headers>,
    /// Payload bytes of each packet but the last.
    size: usize,
    /// Payload bytes written.
    at: usize,
    is_over: bool,
    /// Where the next payload byte is: in which slice, and where in it.
    slice: usize,
    offset: usize,
}

impl Packets<'_> {
    /// Length of the next packet in bytes; None when all are written.
    pub fn next_len(&self) -> Option<usize> {
        (!self.is_over).then(|| self.transmit.header.len() + self.next_payload_len())
    }

    fn next_payload_len(&self) -> usize {
        self.size.min(self.transmit.payload.len() - self.at)
    }

    /// Writes the next packet, which fills `to`.
    ///
    /// # Panics
    /// When `to` is not as long as [`Packets::next_len`] says.
    pub fn write(&mut self, to: &mut [u8]) {
        let len = self.next_payload_len();
        self.at += len;
        self.is_over = self.at == self.transmit.payload.len();
        let (header, payload) = to.split_at_mut(self.transmit.header.len());
        assert_eq!(payload.len(), len, "there is room for just the next packet");
        let sum = self.write_payload(payload);
        match &mut self.headers {
            Some(headers) => {
                let field = headers.tcp + tcp::CHECKSUM;
                let (bytes, sum_of_header) = headers.next(len, self.is_over);
                header.copy_from_slice(bytes);
                write_u16(header, field, checksum::finish(checksum::add(sum_of_header, sum)));
            }
            None => {
                header.copy_from_slice(&self.transmit.header);
                self.transmit.checksum.finish(header, sum);
            }
        }
    }

    /// Fills `to` with the next payload bytes and returns their sum.
    fn write_payload(&mut self, to: &mut [u8]) -> u16 {
        let (mut sum, mut filled) = (0, 0);
        while filled < to.len() {
            let rest = &self.transmit.payload.slices()[self.slice][self.offset..];
            let len = rest.len().min(to.len() - filled);
            let piece = checksum::copy(&rest[..len], &mut to[filled..filled + len]);
            sum = checksum::concat(sum, filled, piece);
            filled += len;
            self.offset += len;
            if len == rest.len() {
                (self.slice, self.offset) = (self.slice + 1, 0);
            }
        }
        sum
    }
}

/// The header of a super-segment, from which those of its segments are made one after the other. What
/// is the same in all is summed but once.
struct Headers {
    bytes: [u8; HEADER_CAPACITY],
    len: usize,
    /// Where the TCP header starts.
    tcp: usize,
    /// The pseudo-header's sum but for the length.
    pseudo_header: u16,
    /// The TCP header's sum but for SEG.SEQ, flags and checksum.
    common: u16,
    seq: u32,
    flags: Flags,
    /// Packets made so far.
    count: usize,
    /// Text of the last one, in bytes.
    last_len: usize,
}

impl Headers {
    /// `header` is an IP header as this module emits it, without extension headers, and a TCP header.
    fn new(header: &[u8]) -> Headers {
        let (tcp, addresses) = match header[0] >> 4 {
            4 => (ipv4::HEADER_LEN, ipv4::ADDRESSES),
            _ => (ipv6::HEADER_LEN, ipv6::ADDRESSES),
        };
        let seq = read_u32(header, tcp + tcp::SEQUENCE_NUMBER);
        let flags = Flags(u16::from(header[tcp + tcp::FLAGS]));
        let mut bytes = [0; HEADER_CAPACITY];
        bytes[..header.len()].copy_from_slice(header);
        write_u32(&mut bytes, tcp + tcp::SEQUENCE_NUMBER, 0);
        bytes[tcp + tcp::FLAGS] = 0;
        write_u16(&mut bytes, tcp + tcp::CHECKSUM, 0);
        Headers {
            bytes,
            len: header.len(),
            tcp,
            pseudo_header: checksum::add(checksum::sum(&header[addresses]), PROTOCOL_TCP.into()),
            common: checksum::sum(&bytes[tcp..header.len()]),
            seq,
            flags,
            count: 0,
            last_len: 0,
        }
    }

    /// The header of the next segment, which has `len` bytes of text, and the sum of all that the
    /// checksum covers but for the text. The checksum's field holds the pseudo-header's sum.
    fn next(&mut self, len: usize, is_last: bool) -> (&mut [u8], u16) {
        let (ip, tcp) = self.bytes[..self.len].split_at_mut(self.tcp);
        let segment_len = tcp.len() + len;
        match ip.len() {
            ipv4::HEADER_LEN
                if self.count > 0 && !ipv4::is_numbered(ip) && len == self.last_len => {}
            ipv4::HEADER_LEN => {
                ipv4::set_index(ip, usize::from(self.count > 0));
                ipv4::set_total_len(ip, ipv4::HEADER_LEN + segment_len);
            }
            _ => ipv6::set_payload_len(ip, segment_len),
        }
        let mut flags = self.flags;
        if !is_last {
            flags = flags.without(Flags::PSH | Flags::FIN);
        }
        if self.count > 0 {
            flags = flags.without(Flags::CWR);
        }
        let seq = self.seq;
        write_u32(tcp, tcp::SEQUENCE_NUMBER, seq);
        tcp[tcp::FLAGS] = flags.0 as u8;
        let pseudo_header = checksum::add(self.pseudo_header, length_field(segment_len));
        write_u16(tcp, tcp::CHECKSUM, pseudo_header);
        self.seq = seq.wrapping_add(len as u32);
        self.count += 1;
        self.last_len = len;
        let own = [self.common, (seq >> 16) as u16, seq as u16, flags.0];
        (&mut self.bytes[..self.len], own.into_iter().fold(pseudo_header, checksum::add))
    }

    /// The state of the checksum that each has.
    fn checksum(&self) -> ChecksumField {
        ChecksumField::Partial { start: self.tcp as u16, offset: tcp::CHECKSUM as u16 }
    }
}

#[cfg(test)]
mod tests;
