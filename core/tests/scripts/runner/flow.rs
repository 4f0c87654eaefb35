//! The flows of a script: which ports they have, and how the numbers that a script writes become
//! those of the wire and back.
//!
//! Our initial sequence number is whatever our SYN says; the peer's is the script's choice. Both are
//! 0 in the script. Our timestamps count from the first that a script names, as in packetdrill.
//! Text is a fixed pattern of the relative number, so that every byte that passes is verified.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::packet::{ACK, Body, Cookie, Icmp, Packet, RST, SYN, Tcp, TcpOption, URG};
use super::script::{Family, Settings};
use super::wire::{self, Segment, Sent};

/// The port that `bind(3, ..., ...)` takes.
pub(crate) const OUR_PORT: u16 = 8080;
/// The peer's port in flow n is this plus n.
const PEER_PORT: u16 = 5000;

pub(crate) fn our_address(family: Family) -> IpAddr {
    match family {
        Family::V4 => "192.168.0.1".parse().unwrap(),
        Family::V6 => "fd00::1".parse().unwrap(),
    }
}

/// The peer in flow `n`.
pub(crate) fn peer(family: Family, n: u16) -> SocketAddr {
    let address = match family {
        Family::V4 => "192.0.2.1".parse().unwrap(),
        Family::V6 => "2001:db8::1".parse().unwrap(),
    };
    SocketAddr::new(address, PEER_PORT + n)
}

/// The byte of a stream with the relative number `number`.
fn byte(number: u32) -> u8 {
    (u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// The bytes of a stream from the relative number `from` on.
pub(crate) fn pattern(from: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| byte(from.wrapping_add(i))).collect()
}

/// One flow.
#[derive(Clone, Debug)]
struct Flow {
    our_port: u16,
    /// Our initial sequence number, once our SYN was seen.
    iss: Option<u32>,
    /// The window of the peer's last packet.
    window: u16,
    /// What to take from our timestamps to have the script's.
    timestamps_from: Option<u32>,
    /// What our timestamps were in truth, by what the script took them for, where time is real.
    timestamps: HashMap<u32, u32>,
}

/// All flows of a run.
pub(crate) struct Flows {
    family: Family,
    peer_isn: u32,
    flows: HashMap<u16, Flow>,
    cookies: HashMap<String, Vec<u8>>,
    /// How far our timestamps may be from the script's, where time is real.
    pub(crate) timestamps_off_ms: u32,
}

impl Flows {
    pub(crate) fn new(family: Family, settings: &Settings) -> Flows {
        let (flows, cookies) = (HashMap::new(), HashMap::new());
        let peer_isn = settings.peer_isn;
        Flows { family, peer_isn, flows, cookies, timestamps_off_ms: 0 }
    }

    fn flow(&mut self, n: u16) -> &mut Flow {
        self.flows.entry(n).or_insert(Flow {
            our_port: OUR_PORT,
            iss: None,
            window: u16::MAX,
            timestamps_from: None,
            timestamps: HashMap::new(),
        })
    }

    /// The two ends of a flow, ours first.
    pub(crate) fn ends(&mut self, n: u16) -> (SocketAddr, SocketAddr) {
        let (family, port) = (self.family, self.flow(n).our_port);
        (SocketAddr::new(our_address(family), port), peer(family, n))
    }

    /// The bytes of a packet that a script injects.
    pub(crate) fn inject(&mut self, packet: &Packet) -> Result<Vec<u8>, String> {
        let n = packet.flow;
        if let Some(port) = packet.port {
            self.flow(n).our_port = port;
        }
        let (ours, theirs) = self.ends(n);
        match &packet.body {
            Body::Tcp(tcp) => {
                let segment = self.wire_segment(n, tcp)?;
                wire::tcp_packet(theirs, ours, &packet.ip, &segment)
            }
            Body::Icmp(icmp) => {
                let Icmp { kind, mtu, seq, len } = *icmp;
                // A link of that MTU carries the same segments as one of 20 bytes more under IPv6.
                let wider = if mtu > 0 && self.family == Family::V6 { 20 } else { 0 };
                let seq = seq.wrapping_add(self.flow(n).iss.unwrap_or(0));
                wire::icmp_packet(ours, theirs, kind, mtu + wider, seq, len)
            }
        }
    }

    fn wire_segment(&mut self, n: u16, tcp: &Tcp) -> Result<Segment, String> {
        let peer_isn = self.peer_isn;
        let cookies = &self.cookies;
        let options = tcp.options.as_ref().ok_or("an injected packet has options, or none")?;
        let options = options.iter().map(|option| with_cookie(option, cookies)).collect();
        let flow = self.flow(n);
        let iss = flow.iss.unwrap_or(0);
        flow.window = tcp.window.unwrap_or(flow.window);
        let timestamps_from = flow.timestamps_from.unwrap_or(0);
        let echo_on_wire = |echo: u32| match flow.timestamps.get(&echo) {
            // Without ACK an echo means nothing: it is what the script says.
            _ if !tcp.has(ACK) => echo,
            Some(sent) => *sent,
            None => echo.wrapping_add(timestamps_from),
        };
        let shift = |option| match option {
            TcpOption::Timestamps { value, echo } => {
                TcpOption::Timestamps { value, echo: echo_on_wire(echo) }
            }
            TcpOption::Sack(blocks) => TcpOption::Sack(
                blocks.iter().map(|(l, r)| (l.wrapping_add(iss), r.wrapping_add(iss))).collect(),
            ),
            other => other,
        };
        let options: Vec<TcpOption> = options;
        // The octet after a SYN has the number 1.
        let first = if tcp.has(SYN) { tcp.seq.wrapping_add(1) } else { tcp.seq };
        Ok(Segment {
            seq: tcp.seq.wrapping_add(peer_isn),
            ack: tcp.ack.map_or(0, |ack| ack.wrapping_add(iss)),
            flags: tcp.flags,
            window: flow.window,
            urgent: tcp.urgent.unwrap_or(0),
            options: options.into_iter().map(shift).collect(),
            payload: pattern(first, tcp.len as usize),
        })
    }

    /// What a packet that was sent is in a script's words. `wanted` is what the script expects at
    /// this place: it may name timestamps and cookies for the first time.
    pub(crate) fn read(&mut self, bytes: &[u8], wanted: Option<&Packet>) -> Result<Packet, String> {
        let Sent { from, to, ip, segment } = wire::read(bytes)?;
        let peer = peer(self.family, 0);
        let n = to.port().wrapping_sub(peer.port());
        if to.ip() != peer.ip() || from.ip() != our_address(self.family) || !(1..=999).contains(&n)
        {
            return Err(format!("a packet from {from} to {to}, which is in no flow"));
        }
        let flow = self.flow(n);
        flow.our_port = from.port();
        if segment.flags & SYN != 0 {
            flow.iss = Some(segment.seq);
        }
        let tcp = self.script_segment(n, &segment, wanted)?;
        Ok(Packet { flow: n, port: Some(from.port()), ip, body: Body::Tcp(tcp) })
    }

    fn script_segment(
        &mut self,
        n: u16,
        segment: &Segment,
        wanted: Option<&Packet>,
    ) -> Result<Tcp, String> {
        let has = |flag| segment.flags & flag != 0;
        let wanted = match wanted.map(|wanted| &wanted.body) {
            Some(Body::Tcp(Tcp { options: Some(options), .. })) => options.as_slice(),
            _ => &[],
        };
        let peer_isn = self.peer_isn;
        self.learn(n, &segment.options, wanted);
        let off_ms = self.timestamps_off_ms;
        let cookies = &self.cookies;
        let named: Vec<_> = segment.options.iter().map(|o| with_name(o, wanted, cookies)).collect();
        let flow = self.flow(n);
        let timestamps_from = flow.timestamps_from.unwrap_or(0);
        let mut in_script = |sent: u32| {
            let value = sent.wrapping_sub(timestamps_from);
            let near = wanted.iter().find_map(|wanted| match wanted {
                TcpOption::Timestamps { value: named, .. } => Some(*named),
                _ => None,
            });
            let Some(named) = near.filter(|named| named.abs_diff(value) <= off_ms) else {
                return value;
            };
            flow.timestamps.insert(named, sent);
            named
        };
        let mut shift = |option| match option {
            TcpOption::Timestamps { value, echo } => {
                TcpOption::Timestamps { value: in_script(value), echo }
            }
            TcpOption::Sack(blocks) => TcpOption::Sack(
                blocks
                    .iter()
                    .map(|(l, r)| (l.wrapping_sub(peer_isn), r.wrapping_sub(peer_isn)))
                    .collect(),
            ),
            other => other,
        };
        // A reset from where there is no connection bears 0, not a number of ours (RFC 9293 §3.5.2).
        let iss = match flow.iss {
            Some(_) if has(RST) && segment.seq == 0 => 0,
            iss => iss.unwrap_or(0),
        };
        let seq = segment.seq.wrapping_sub(iss);
        let first = if has(SYN) { seq.wrapping_add(1) } else { seq };
        if segment.payload != pattern(first, segment.payload.len()) {
            return Err(format!("the text from {first} on is not what was written"));
        }
        Ok(Tcp {
            flags: segment.flags,
            seq,
            len: segment.payload.len() as u32,
            ack: has(ACK).then(|| segment.ack.wrapping_sub(peer_isn)),
            window: Some(segment.window),
            urgent: has(URG).then_some(segment.urgent),
            options: Some(named.into_iter().map(&mut shift).collect()),
        })
    }

    /// Timestamps and cookies that the script names here first.
    fn learn(&mut self, n: u16, came: &[TcpOption], wanted: &[TcpOption]) {
        for (came, wanted) in came.iter().zip(wanted) {
            match (came, wanted) {
                (
                    TcpOption::Timestamps { value, .. },
                    TcpOption::Timestamps { value: named, .. },
                ) => {
                    let from = value.wrapping_sub(*named);
                    self.flow(n).timestamps_from.get_or_insert(from);
                }
                (
                    TcpOption::FastOpen(Cookie::Bytes(cookie)),
                    TcpOption::FastOpen(Cookie::Named(name)),
                ) => {
                    self.cookies.entry(name.clone()).or_insert_with(|| cookie.clone());
                }
                _ => {}
            }
        }
    }
}

/// A named cookie as the bytes that it stands for.
fn with_cookie(option: &TcpOption, cookies: &HashMap<String, Vec<u8>>) -> TcpOption {
    match option {
        TcpOption::FastOpen(Cookie::Named(name)) => match cookies.get(name) {
            Some(cookie) => TcpOption::FastOpen(Cookie::Bytes(cookie.clone())),
            None => option.clone(),
        },
        option => option.clone(),
    }
}

/// A cookie by the name that the script expects, if it is that one.
fn with_name(
    option: &TcpOption,
    wanted: &[TcpOption],
    cookies: &HashMap<String, Vec<u8>>,
) -> TcpOption {
    let TcpOption::FastOpen(Cookie::Bytes(cookie)) = option else { return option.clone() };
    let name = wanted.iter().find_map(|wanted| match wanted {
        TcpOption::FastOpen(Cookie::Named(name)) if cookies.get(name) == Some(cookie) => Some(name),
        _ => None,
    });
    name.map_or(option.clone(), |name| TcpOption::FastOpen(Cookie::Named(name.clone())))
}
