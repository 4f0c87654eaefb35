//! `[ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 1 ecr 2>` and
//! `[1:1001(1000)] icmp unreachable frag_needed mtu 1300`.

use crate::runner::packet::{
    ACK, Body, Cookie, FLAGS, Icmp, IcmpKind, Ip, Packet, Tcp, TcpOption, URG,
};
use crate::runner::text::{Cursor, bytes};

/// Reads a packet up to the end of the line.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Packet, String> {
    let (mut flow, mut port) = (1, None);
    if cursor.eat("@") {
        flow = cursor.number()?;
        if cursor.eat(":") {
            port = Some(cursor.number()?);
        }
    }
    let mut ip = Ip::default();
    let mut quoted = None;
    while cursor.eat("[") {
        if cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
            quoted = Some(range(cursor)?);
            cursor.expect("]")?;
        } else {
            ip_fields(cursor, &mut ip)?;
        }
    }
    let body = match (cursor.eat_word("icmp"), quoted) {
        (true, quoted) => Body::Icmp(icmp(cursor, quoted)?),
        (false, None) => Body::Tcp(tcp(cursor)?),
        (false, Some(_)) => return Err(cursor.wanted("`icmp` after what it quotes")),
    };
    Ok(Packet { flow, port, ip, body })
}

fn ip_fields(cursor: &mut Cursor<'_>, ip: &mut Ip) -> Result<(), String> {
    loop {
        match cursor.word()? {
            "noecn" => ip.ecn = Some(0),
            "ect1" => ip.ecn = Some(1),
            "ect0" => ip.ecn = Some(2),
            "ce" => ip.ecn = Some(3),
            "tos" => ip.dscp = Some(cursor.number::<u8>()? & 0xfc),
            "ttl" => ip.ttl = Some(cursor.number()?),
            "badsum" => ip.bad_checksum = true,
            other => {
                return Err(format!(
                    "`[{other}]`: expected noecn, ect0, ect1, ce, tos, ttl or badsum"
                ));
            }
        }
        if cursor.eat("]") {
            return Ok(());
        }
        cursor.expect(",")?;
    }
}

/// `1:1001(1000)`: the first number and the length.
fn range(cursor: &mut Cursor<'_>) -> Result<(u32, u32), String> {
    let seq: u32 = cursor.number()?;
    cursor.expect(":")?;
    let end: u32 = cursor.number()?;
    cursor.expect("(")?;
    let len: u32 = cursor.number()?;
    cursor.expect(")")?;
    if seq.wrapping_add(len) != end {
        return Err(format!("{seq}:{end}({len}): from {seq} to {end} there are not {len} bytes"));
    }
    Ok((seq, len))
}

fn tcp(cursor: &mut Cursor<'_>) -> Result<Tcp, String> {
    let mut tcp = Tcp { flags: flags(cursor)?, options: Some(Vec::new()), ..Tcp::default() };
    (tcp.seq, tcp.len) = range(cursor)?;
    loop {
        if cursor.eat_word("ack") {
            tcp.ack = Some(cursor.number()?);
        } else if cursor.eat_word("win") {
            tcp.window = Some(cursor.number()?);
        } else if cursor.eat_word("urg") {
            tcp.urgent = Some(cursor.number()?);
        } else {
            break;
        }
    }
    if tcp.has(ACK) != tcp.ack.is_some() {
        return Err("the flag `.` and `ack N` go together".into());
    }
    if tcp.urgent.is_some() && !tcp.has(URG) {
        return Err("`urg N` goes with the flag `U`".into());
    }
    if cursor.eat("<") {
        tcp.options = options(cursor)?;
    }
    Ok(tcp)
}

fn flags(cursor: &mut Cursor<'_>) -> Result<u16, String> {
    if cursor.eat("-") {
        return Ok(0);
    }
    let mut flags = 0;
    while let Some((bit, letter)) =
        FLAGS.iter().find(|(_, letter)| cursor.rest().starts_with(*letter))
    {
        cursor.expect(letter.encode_utf8(&mut [0; 4]))?;
        flags |= bit;
    }
    if flags == 0 { Err(cursor.wanted("flags as `S`, `P.`, `F.` or `-`")) } else { Ok(flags) }
}

fn options(cursor: &mut Cursor<'_>) -> Result<Option<Vec<TcpOption>>, String> {
    if cursor.eat("...") {
        cursor.expect(">")?;
        return Ok(None);
    }
    let mut options = Vec::new();
    while !cursor.eat(">") {
        options.push(option(cursor)?);
        if !cursor.eat(",") {
            cursor.expect(">")?;
            break;
        }
    }
    Ok(Some(options))
}

fn option(cursor: &mut Cursor<'_>) -> Result<TcpOption, String> {
    Ok(match cursor.word()? {
        "eol" => TcpOption::EndOfList,
        "nop" => TcpOption::NoOperation,
        "mss" => TcpOption::Mss(cursor.number()?),
        "wscale" => TcpOption::WindowScale(cursor.number()?),
        "sackOK" => TcpOption::SackPermitted,
        "sack" => TcpOption::Sack(blocks(cursor)?),
        "TS" => {
            cursor.expect("val")?;
            let value = cursor.number()?;
            cursor.expect("ecr")?;
            TcpOption::Timestamps { value, echo: cursor.number()? }
        }
        "FO" if cursor.eat("$") => TcpOption::FastOpen(Cookie::Named(cursor.word()?.to_owned())),
        "FO" => match cursor.peek_word() {
            "" => TcpOption::FastOpen(Cookie::Request),
            _ => TcpOption::FastOpen(Cookie::Bytes(bytes(cursor.word()?)?)),
        },
        "kind" => {
            let kind = cursor.number()?;
            let value = if cursor.eat("-") { Vec::new() } else { bytes(cursor.word()?)? };
            TcpOption::Other { kind, value }
        }
        "raw" => TcpOption::Raw(bytes(cursor.word()?)?),
        other => {
            return Err(format!(
                "`{other}`: expected mss, sackOK, TS, nop, eol, wscale, sack, FO, kind or raw"
            ));
        }
    })
}

fn blocks(cursor: &mut Cursor<'_>) -> Result<Vec<(u32, u32)>, String> {
    let mut blocks = Vec::new();
    while cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        let left = cursor.number()?;
        cursor.expect(":")?;
        blocks.push((left, cursor.number()?));
    }
    Ok(blocks)
}

fn icmp(cursor: &mut Cursor<'_>, quoted: Option<(u32, u32)>) -> Result<Icmp, String> {
    let kind = match cursor.word()? {
        "unreachable" => match cursor.word()? {
            "net_unreachable" => IcmpKind::NetUnreachable,
            "host_unreachable" => IcmpKind::HostUnreachable,
            "protocol_unreachable" => IcmpKind::ProtocolUnreachable,
            "port_unreachable" => IcmpKind::PortUnreachable,
            "packet_filtered" => IcmpKind::PacketFiltered,
            "frag_needed" => IcmpKind::FragNeeded,
            other => return Err(format!("`icmp unreachable {other}` is not known")),
        },
        "source_quench" => IcmpKind::SourceQuench,
        "time_exceeded" => IcmpKind::TimeExceeded,
        "parameter_problem" => IcmpKind::ParameterProblem,
        other => return Err(format!("`icmp {other}` is not known")),
    };
    let mtu = if cursor.eat_word("mtu") { cursor.number()? } else { 0 };
    let quoted = match quoted {
        None if cursor.eat("[") => {
            let quoted = range(cursor)?;
            cursor.expect("]")?;
            Some(quoted)
        }
        quoted => quoted,
    };
    let (seq, len) = quoted.ok_or("an ICMP error quotes a segment: `[1:1001(1000)]`")?;
    Ok(Icmp { kind, mtu, seq, len })
}
