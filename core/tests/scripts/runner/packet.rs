//! A packet as a script writes it: relative numbers, options in order, what is left out left open.
//!
//! The same type stands for a packet that was sent, with everything filled in, so that an
//! expectation and what came can be shown side by side in one notation.

use std::fmt;

/// FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE as bits of the header, with their letters.
pub(crate) const FLAGS: [(u16, char); 9] = [
    (0x01, 'F'),
    (0x02, 'S'),
    (0x04, 'R'),
    (0x08, 'P'),
    (0x10, '.'),
    (0x40, 'E'),
    (0x80, 'W'),
    (0x20, 'U'),
    (0x100, 'A'),
];
pub(crate) const FIN: u16 = 0x01;
pub(crate) const SYN: u16 = 0x02;
pub(crate) const RST: u16 = 0x04;
pub(crate) const PSH: u16 = 0x08;
pub(crate) const ACK: u16 = 0x10;
pub(crate) const URG: u16 = 0x20;

/// A packet of one flow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packet {
    /// `@n`: which of the peer's ports; 1 unless said.
    pub(crate) flow: u16,
    /// `@n:port`: our port, where it is not the one that the flow is known to have.
    pub(crate) port: Option<u16>,
    pub(crate) ip: Ip,
    pub(crate) body: Body,
}

/// What a script may say of the IP header, in `[...]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ip {
    /// `noecn`, `ect1`, `ect0`, `ce`: 0 to 3.
    pub(crate) ecn: Option<u8>,
    /// `tos N`: the upper six bits of it.
    pub(crate) dscp: Option<u8>,
    /// `ttl N`.
    pub(crate) ttl: Option<u8>,
    /// `badsum`: the transport checksum is wrong (injected packets only).
    pub(crate) bad_checksum: bool,
}

impl Packet {
    /// Whether it is a first part of the text of `whole`, and not yet all of it.
    pub(crate) fn is_part_of(&self, whole: &Packet) -> bool {
        let (Body::Tcp(part), Body::Tcp(whole)) = (&self.body, &whole.body) else { return false };
        part.seq == whole.seq && 0 < part.len && part.len < whole.len
    }

    /// This segment and the one whose text follows on it, as one. None: they do not belong together.
    pub(crate) fn followed_by(self, next: Packet) -> Option<Packet> {
        let (Body::Tcp(text), Body::Tcp(more)) = (&self.body, &next.body) else { return None };
        let follows = self.flow == next.flow
            && !text.has(FIN)
            && more.len > 0
            && more.seq == text.seq.wrapping_add(text.len)
            && (more.ack, more.window) == (text.ack, text.window);
        let joined = Tcp { seq: text.seq, len: text.len + more.len, ..more.clone() };
        follows.then_some(Packet { body: Body::Tcp(joined), ..next })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Tcp(Tcp),
    Icmp(Icmp),
}

/// A segment; numbers are relative to the initial ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tcp {
    pub(crate) flags: u16,
    pub(crate) seq: u32,
    pub(crate) len: u32,
    /// Present exactly when the ACK bit is.
    pub(crate) ack: Option<u32>,
    pub(crate) window: Option<u16>,
    pub(crate) urgent: Option<u16>,
    /// None: `<...>`, whatever they are.
    pub(crate) options: Option<Vec<TcpOption>>,
}

impl Tcp {
    pub(crate) fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }
}

/// One option.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TcpOption {
    EndOfList,
    NoOperation,
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    Sack(Vec<(u32, u32)>),
    Timestamps {
        value: u32,
        echo: u32,
    },
    FastOpen(Cookie),
    /// Any other kind, by its number.
    Other {
        kind: u8,
        value: Vec<u8>,
    },
    /// Bytes as they are, however wrong.
    Raw(Vec<u8>),
}

/// A Fast Open cookie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cookie {
    /// `FO`: a request.
    Request,
    /// `FO 1122334455667788`.
    Bytes(Vec<u8>),
    /// `FO $name`: what the name was first seen to stand for.
    Named(String),
}

/// An ICMP error about a segment of ours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Icmp {
    pub(crate) kind: IcmpKind,
    pub(crate) mtu: u32,
    /// The first number of the segment that it quotes, relative.
    pub(crate) seq: u32,
    pub(crate) len: u32,
}

/// What an ICMP error says; the numbers differ between IPv4 and IPv6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum IcmpKind {
    NetUnreachable,
    HostUnreachable,
    ProtocolUnreachable,
    PortUnreachable,
    PacketFiltered,
    FragNeeded,
    SourceQuench,
    TimeExceeded,
    ParameterProblem,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.flow != 1 {
            write!(f, "@{} ", self.flow)?;
        }
        match &self.body {
            Body::Tcp(tcp) => write!(f, "{}{tcp}", self.ip),
            Body::Icmp(icmp) => {
                let Icmp { kind, mtu, seq, len } = icmp;
                write!(f, "{}[{seq}:{}({len})] icmp {kind:?}", self.ip, seq.wrapping_add(*len))?;
                if *mtu > 0 { write!(f, " mtu {mtu}") } else { Ok(()) }
            }
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Vec::new();
        if let Some(ecn @ 1..=3) = self.ecn {
            fields.push(["", "ect1", "ect0", "ce"][usize::from(ecn)].to_owned());
        }
        if let Some(dscp) = self.dscp.filter(|dscp| *dscp > 0) {
            fields.push(format!("tos {dscp:#x}"));
        }
        if let Some(ttl) = self.ttl.filter(|ttl| *ttl != 64) {
            fields.push(format!("ttl {ttl}"));
        }
        if self.bad_checksum {
            fields.push("badsum".to_owned());
        }
        if fields.is_empty() { Ok(()) } else { write!(f, "[{}] ", fields.join(", ")) }
    }
}

impl fmt::Display for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = FLAGS.iter().filter(|(bit, _)| self.has(*bit)).map(|f| f.1).collect();
        f.write_str(if letters.is_empty() { "-" } else { &letters })?;
        write!(f, " {}:{}({})", self.seq, self.seq.wrapping_add(self.len), self.len)?;
        if let Some(ack) = self.ack {
            write!(f, " ack {ack}")?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        if let Some(urgent) = self.urgent {
            write!(f, " urg {urgent}")?;
        }
        match &self.options {
            None => write!(f, " <...>"),
            Some(options) if options.is_empty() => Ok(()),
            Some(options) => {
                let words: Vec<String> = options.iter().map(TcpOption::to_string).collect();
                write!(f, " <{}>", words.join(","))
            }
        }
    }
}

impl fmt::Display for TcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TcpOption::EndOfList => f.write_str("eol"),
            TcpOption::NoOperation => f.write_str("nop"),
            TcpOption::Mss(mss) => write!(f, "mss {mss}"),
            TcpOption::WindowScale(shift) => write!(f, "wscale {shift}"),
            TcpOption::SackPermitted => f.write_str("sackOK"),
            TcpOption::Sack(blocks) => {
                f.write_str("sack")?;
                blocks.iter().try_for_each(|(left, right)| write!(f, " {left}:{right}"))
            }
            TcpOption::Timestamps { value, echo } => write!(f, "TS val {value} ecr {echo}"),
            TcpOption::FastOpen(Cookie::Request) => f.write_str("FO"),
            TcpOption::FastOpen(Cookie::Bytes(bytes)) => write!(f, "FO {}", Hex(bytes)),
            TcpOption::FastOpen(Cookie::Named(name)) => write!(f, "FO ${name}"),
            TcpOption::Other { kind, value } => write!(f, "kind {kind} {}", Hex(value)),
            TcpOption::Raw(bytes) => write!(f, "raw {}", Hex(bytes)),
        }
    }
}

/// Bytes as hexadecimal digits; none as `-`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// In which respects `came` is not what `wanted` asks for; empty when it is.
pub(crate) fn differences(wanted: &Packet, came: &Packet) -> Vec<&'static str> {
    let (Body::Tcp(want), Body::Tcp(got)) = (&wanted.body, &came.body) else {
        return if wanted.body == came.body { Vec::new() } else { vec!["kind of packet"] };
    };
    let fits = |wanted: Option<u64>, came: Option<u64>| wanted.is_none() || wanted == came;
    let checks = [
        ("flow", wanted.flow == came.flow),
        ("our port", wanted.port.is_none() || wanted.port == came.port),
        ("ecn", fits(wanted.ip.ecn.map(Into::into), came.ip.ecn.map(Into::into))),
        ("tos", fits(wanted.ip.dscp.map(Into::into), came.ip.dscp.map(Into::into))),
        ("ttl", fits(wanted.ip.ttl.map(Into::into), came.ip.ttl.map(Into::into))),
        ("flags", want.flags == got.flags),
        ("sequence number", want.seq == got.seq),
        ("length", want.len == got.len),
        ("ack", want.ack == got.ack),
        ("win", fits(want.window.map(Into::into), got.window.map(Into::into))),
        ("urg", want.urgent.unwrap_or(0) == got.urgent.unwrap_or(0)),
        ("options", want.options.is_none() || want.options == got.options),
    ];
    checks.into_iter().filter(|(_, fits)| !fits).map(|(name, _)| name).collect()
}
