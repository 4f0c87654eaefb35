//! ICMP: pings answered, and errors carried to the connection that they quote.
//!
//! An error is a rumour until it quotes a segment in flight of a connection of ours (RFC 5927 §4.1);
//! anything else is counted and dropped. What it then means is RFC 1122 §4.2.3.9: unreachable
//! protocols, ports and forbidden destinations are hard, the rest may pass.

use std::net::{IpAddr, SocketAddr};

use super::counters::Counter;
use super::demux::FourTuple;
use super::socket::Kind;
use super::{Error, Host, SocketId};
use crate::tcp::State;
use crate::time::Instant;
use crate::wire::icmp::{self, ErrorKind, Message, Quoted};
use crate::wire::ip;
use crate::wire::packet::Transmit;

impl Host {
    /// Takes an ICMP message in.
    pub(super) fn handle_icmp(
        &mut self,
        now: Instant,
        ip: &ip::Header,
        message: &[u8],
    ) -> Result<(), Counter> {
        match icmp::parse(ip, message).map_err(|_| Counter::IcmpMalformed)? {
            Message::EchoRequest { rest } => {
                // RFC 1122 §3.2.2.6: from the address that was asked.
                let reply = Transmit::complete(icmp::echo_reply(ip.dst, ip.src, rest), None);
                if self.reply(ip.src, reply) {
                    self.counters.add(Counter::EchoReplies);
                }
                Ok(())
            }
            Message::Error { kind, quoted } if quoted.src == ip.dst => {
                self.handle_icmp_error(now, kind, quoted, ip.ttl)
            }
            Message::Error { .. } => Err(Counter::IcmpUnbelieved),
            Message::EchoReply { .. } | Message::Other => Err(Counter::IcmpIgnored),
        }
    }

    fn handle_icmp_error(
        &mut self,
        now: Instant,
        kind: ErrorKind,
        quoted: Quoted,
        ttl: u8,
    ) -> Result<(), Counter> {
        let tuple = FourTuple {
            local: SocketAddr::new(quoted.src, quoted.src_port),
            remote: SocketAddr::new(quoted.dst, quoted.dst_port),
        };
        // RFC 9293 §3.9.2.2 (MUST-54): to the connection whose segment it quotes.
        let id = self.demux.connection(&tuple, &self.sockets).ok_or(Counter::IcmpUnbelieved)?;
        self.check_hop_limit(id, quoted.dst, ttl)?;
        let state = self.state_if_in_flight(id, quoted.seq).ok_or(Counter::IcmpUnbelieved)?;
        self.counters.add(Counter::IcmpErrors);
        if let ErrorKind::PacketTooBig { mtu } = kind {
            return self.lower_mtu(now, id, quoted.dst, mtu);
        }
        let (error, is_hard) = meaning(kind, quoted.dst);
        // RFC 5461 §4.1: while opening, every error ends the attempt, so that the application can try
        // another address; as Linux.
        let is_hard = is_hard || state == State::SynSent;
        self.turn(now, id, |connection, cx| {
            connection.handle_icmp(cx, error, is_hard, quoted.seq);
        });
        Ok(())
    }

    /// The connection's state, if `seq` is a number that it has sent and not seen acknowledged.
    fn state_if_in_flight(&self, id: SocketId, seq: u32) -> Option<State> {
        let Kind::Connection(connection) = &self.sockets.get(id)?.kind else { return None };
        connection.is_in_flight(seq).then(|| connection.state())
    }
}

/// What an error means to the application, as Linux translates it (icmp_err_convert,
/// icmpv6_err_convert), and whether it is hard.
fn meaning(kind: ErrorKind, destination: IpAddr) -> (Error, bool) {
    match kind {
        ErrorKind::NetUnreachable => (Error::NetUnreachable, false),
        ErrorKind::ProtocolUnreachable => (Error::NoOption, true),
        ErrorKind::PortUnreachable => (Error::Refused, true),
        ErrorKind::AdminProhibited if destination.is_ipv6() => (Error::Access, true),
        ErrorKind::AdminProhibited => (Error::HostUnreachable, true),
        ErrorKind::PacketTooBig { .. } => (Error::MessageSize, false),
        ErrorKind::ParameterProblem => (Error::Protocol, true),
        ErrorKind::HostUnreachable | ErrorKind::TimeExceeded | ErrorKind::Unreachable => {
            (Error::HostUnreachable, false)
        }
    }
}
