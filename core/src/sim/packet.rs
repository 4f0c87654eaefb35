//! A packet on a link, read: what rules judge by and captures keep.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::wire::packet::Transmit;
use crate::wire::tcp::Flags;
use crate::wire::{ip, tcp};

/// A packet on a link. Its numbers are those on the wire.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its number among the packets that its host has sent over links, from 1: it stays the same for the same
    /// packet in every run from the same seed. 0 at an arrival whose departure nobody saw.
    pub number: u64,
    /// The whole packet from its IP header on, its checksum finished.
    pub bytes: Bytes,
    /// The IP header.
    pub ip: ip::Header,
    /// The TCP header, if it is a TCP segment.
    pub tcp: Option<tcp::Header>,
    /// What follows the TCP header; of other packets, what follows the IP header.
    pub payload: Bytes,
}

impl Packet {
    /// Reads a packet of wire size; None: no host made it.
    pub(super) fn read(transmit: &Transmit, number: u64) -> Option<Packet> {
        let bytes = Bytes::from(transmit.to_bytes());
        let ip = ip::Header::parse(&bytes).ok()?;
        let transport = bytes.slice(ip.header_len..ip.header_len + ip.payload_len);
        let read = (ip.protocol == ip::PROTOCOL_TCP).then(|| tcp::Header::parse(&transport).ok());
        let (tcp, payload) = match read.flatten() {
            Some((header, header_len)) => (Some(header), transport.slice(header_len..)),
            None => (None, transport),
        };
        Some(Packet { number, bytes, ip, tcp, payload })
    }

    /// The control bits; none for what is not TCP.
    pub fn flags(&self) -> Flags {
        self.tcp.map_or(Flags::EMPTY, |tcp| tcp.flags)
    }

    /// Whether it is a TCP segment with all these bits.
    pub fn has(&self, flags: Flags) -> bool {
        self.tcp.is_some() && self.flags().contains(flags)
    }

    /// A SYN without ACK: the first of the handshake.
    pub fn is_syn(&self) -> bool {
        self.has(Flags::SYN) && !self.has(Flags::ACK)
    }

    /// A SYN with ACK: the second of the handshake.
    pub fn is_syn_ack(&self) -> bool {
        self.has(Flags::SYN | Flags::ACK)
    }

    /// A FIN, with text or without.
    pub fn is_fin(&self) -> bool {
        self.has(Flags::FIN)
    }

    /// A reset.
    pub fn is_reset(&self) -> bool {
        self.has(Flags::RST)
    }

    /// A TCP segment with text.
    pub fn has_text(&self) -> bool {
        self.tcp.is_some() && !self.payload.is_empty()
    }

    /// An acknowledgment and nothing else.
    pub fn is_bare_ack(&self) -> bool {
        self.flags().without(Flags::PSH) == Flags::ACK && self.payload.is_empty()
    }

    /// SEG.SEQ; 0 for what is not TCP.
    pub fn seq(&self) -> u32 {
        self.tcp.map_or(0, |tcp| tcp.seq)
    }

    /// SEG.ACK; 0 without an ACK.
    pub fn ack(&self) -> u32 {
        self.tcp.map_or(0, |tcp| tcp.ack)
    }

    /// The window field, unscaled; 0 for what is not TCP.
    pub fn window(&self) -> u16 {
        self.tcp.map_or(0, |tcp| tcp.window)
    }
}

/// As `10.0.0.1:49152 > 10.0.0.2:80 ACK|PSH seq=1 ack=1 window=512 len=5`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip::Header { src, dst, protocol, .. } = self.ip;
        let len = self.payload.len();
        let Some(tcp) = self.tcp else {
            return write!(f, "{src} > {dst} protocol={protocol} len={len}");
        };
        let (src, dst) = (SocketAddr::new(src, tcp.src_port), SocketAddr::new(dst, tcp.dst_port));
        let tcp::Header { flags, seq, ack, window, .. } = tcp;
        write!(f, "{src} > {dst} {flags} seq={seq} ack={ack} window={window} len={len}")
    }
}
