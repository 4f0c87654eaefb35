//! A program's calls: which keys each of them takes, what it takes where a key is left out, and the
//! lines of the listings where it stands.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use tcpstack::host::{OPTIONS, OptionRow, Shape, Shutdown, SocketOption};
use tcpstack::tcp::SendFlags;
use toml::Spanned;

use super::error::Fault;
use super::format::{CallToml, UntilToml};
use super::plan::{Call, HostPlan, Repeat, Step};
use super::values::Setting;
use crate::run::{Line, Listing};

/// The calls and the keys of their own; `expect` and `source` are everybody's.
const CALLS: &[(&str, &[&str])] = &[
    ("socket", &["as"]),
    ("bind", &["on", "address"]),
    ("listen", &["on", "backlog"]),
    ("accept", &["on", "as", "repeat"]),
    ("connect", &["on", "address"]),
    ("send", &["on", "text", "bytes", "flags", "repeat", "pause"]),
    ("recv", &["on", "max", "flags", "until", "repeat", "pause"]),
    ("shutdown", &["on", "how"]),
    ("close", &["on"]),
    ("setsockopt", &["on", "option", "value"]),
    ("sleep", &["for"]),
    ("exit", &["by"]),
];

/// What a call can be about besides its own keys.
pub(super) struct Context<'a> {
    pub(super) hosts: &'a [HostPlan],
    /// The program's.
    pub(super) listings: &'a [&'a Listing],
}

/// One entry of `calls`.
pub(super) fn step(call: Spanned<CallToml>, context: &Context<'_>) -> Result<Step, Fault> {
    let at = call.span();
    let call = call.into_inner();
    check_keys(&call)?;
    let lines = lines(&call, context.listings)?;
    Ok(Step {
        on: call.on.as_ref().map(|name| name.get_ref().clone()),
        repeat: repeat(&call)?,
        pause: call.pause.map_or(Duration::ZERO, |time| time.0),
        expect: call.expect.clone(),
        lines,
        call: resolve(call, at, context)?,
    })
}

/// Refuses keys that the call has no use for.
fn check_keys(call: &CallToml) -> Result<(), Fault> {
    let name = call.call.get_ref();
    let Some((_, keys)) = CALLS.iter().find(|(known, _)| known == name) else {
        let known: Vec<&str> = CALLS.iter().map(|(name, _)| *name).collect();
        let message = format!("`{name}`: expected one of {}", known.join(", "));
        return Err(Fault::new(call.call.span(), message));
    };
    let given = [
        ("on", call.on.is_some()),
        ("as", call.name.is_some()),
        ("address", call.address.is_some()),
        ("backlog", call.backlog.is_some()),
        ("text", call.text.is_some()),
        ("bytes", call.bytes.is_some()),
        ("flags", call.flags.is_some()),
        ("max", call.max.is_some()),
        ("until", call.until.is_some()),
        ("how", call.how.is_some()),
        ("option", call.option.is_some()),
        ("value", call.value.is_some()),
        ("for", call.time.is_some()),
        ("by", call.by.is_some()),
        ("repeat", call.repeat.is_some()),
        ("pause", call.pause.is_some()),
    ];
    match given.iter().find(|(key, is_given)| *is_given && !keys.contains(key)) {
        None => Ok(()),
        Some((key, _)) => {
            let message =
                format!("`{name}` has no `{key}`: expected {}, expect or source", keys.join(", "),);
            Err(Fault::new(call.call.span(), message))
        }
    }
}

fn repeat(call: &CallToml) -> Result<Repeat, Fault> {
    let times = Repeat::Times(call.repeat.map_or(1, |times| times.small()));
    let Some(until) = &call.until else { return Ok(times) };
    if call.repeat.is_some() {
        return Err(Fault::new(until.span(), "`until` and `repeat`: expected one of them"));
    }
    match until.get_ref() {
        UntilToml::Bytes(bytes) => Ok(Repeat::Bytes(*bytes)),
        UntilToml::Word(word) if word == "eof" => Ok(Repeat::Eof),
        UntilToml::Word(word) => {
            let message = format!("`{word}`: expected `eof` or a number of bytes");
            Err(Fault::new(until.span(), message))
        }
    }
}

fn resolve(call: CallToml, at: Range<usize>, context: &Context<'_>) -> Result<Call, Fault> {
    let name = |default: &str| call.name.as_ref().map_or(default, |name| &name.0).to_owned();
    let missing = |key: &str| {
        let message = format!("`{}` lacks `{key}`", call.call.get_ref());
        Fault::new(at.clone(), message)
    };
    let address = || {
        let given = call.address.as_ref().ok_or_else(|| missing("address"))?;
        address(given, context.hosts)
    };
    Ok(match call.call.get_ref().as_str() {
        "socket" => Call::Socket { name: name("fd") },
        "bind" => Call::Bind { address: address()? },
        "listen" => Call::Listen { backlog: call.backlog.map_or(16, |most| most.small()) },
        "accept" => Call::Accept { name: name("conn") },
        "connect" => Call::Connect { address: address()? },
        "send" => {
            let flags = flags(&call, &["MSG_OOB", "MSG_MORE", "MSG_EOR"])?;
            let has = |flag: &str| flags.iter().any(|name| name == flag);
            let (urgent, more, end_of_record) = (has("MSG_OOB"), has("MSG_MORE"), has("MSG_EOR"));
            let data = data(&call).ok_or_else(|| missing("text` or `bytes"))?;
            Call::Send { data, flags: SendFlags { more, bulk: false, end_of_record, urgent } }
        }
        "recv" => Call::Recv {
            max: call.max.map_or(4096, |max| max.small() as usize),
            urgent: !flags(&call, &["MSG_OOB"])?.is_empty(),
        },
        "shutdown" => {
            let how = call.how.as_ref().ok_or_else(|| missing("how"))?;
            Call::Shutdown { how: direction(how)? }
        }
        "close" => Call::Close,
        "setsockopt" => {
            let option = call.option.as_ref().ok_or_else(|| missing("option"))?;
            let value = call.value.as_ref().ok_or_else(|| missing("value"))?;
            let shown = format!("{}, {}", option.get_ref(), value.get_ref());
            Call::SetOption { option: socket_option(option, value)?, shown }
        }
        "sleep" => Call::Sleep { time: call.time.ok_or_else(|| missing("for"))?.0 },
        // The only one left: the names were looked up before.
        _ => Call::Exit { signal: call.by.map(Spanned::into_inner) },
    })
}

/// `server:80`, or an address and a port.
pub(super) fn address(given: &Spanned<String>, hosts: &[HostPlan]) -> Result<SocketAddr, Fault> {
    let text = given.get_ref();
    let of_host = || {
        let (name, port) = text.rsplit_once(':')?;
        let host = hosts.iter().find(|host| host.name == name)?;
        Some(SocketAddr::new(host.address, port.parse().ok()?))
    };
    text.parse().ok().or_else(of_host).ok_or_else(|| {
        let message = format!(
            "`{text}`: expected a host and a port, as `server:80`, or an address, as \
             `10.0.0.2:80` or `[fd00::2]:80`",
        );
        Fault::new(given.span(), message)
    })
}

/// The text, or as many bytes as asked for: the alphabet again and again, so that a place in the
/// stream can be told from the bytes.
fn data(call: &CallToml) -> Option<Vec<u8>> {
    if let Some(text) = &call.text {
        return Some(text.clone().into_bytes());
    }
    let bytes = call.bytes?.small() as usize;
    Some((b'a'..=b'z').cycle().take(bytes).collect())
}

fn flags(call: &CallToml, known: &[&str]) -> Result<Vec<String>, Fault> {
    let given = call.flags.iter().flatten();
    let checked = given.map(|flag| {
        if known.contains(&flag.get_ref().as_str()) {
            return Ok(flag.get_ref().clone());
        }
        let message = format!("`{}`: expected one of {}", flag.get_ref(), known.join(", "));
        Err(Fault::new(flag.span(), message))
    });
    checked.collect()
}

fn direction(how: &Spanned<String>) -> Result<Shutdown, Fault> {
    match how.get_ref().as_str() {
        "SHUT_RD" => Ok(Shutdown::Read),
        "SHUT_WR" => Ok(Shutdown::Write),
        "SHUT_RDWR" => Ok(Shutdown::Both),
        other => {
            let message = format!("`{other}`: expected SHUT_RD, SHUT_WR or SHUT_RDWR");
            Err(Fault::new(how.span(), message))
        }
    }
}

/// An option by its name in C. A linger is its seconds, -1 for off.
fn socket_option(name: &Spanned<String>, value: &Spanned<Setting>) -> Result<SocketOption, Fault> {
    let row = OPTIONS.iter().find(|row| row.name == name.get_ref() && row.is_settable);
    let row = row.ok_or_else(|| {
        let message = format!("`{}`: there is no such socket option to set", name.get_ref());
        Fault::new(name.span(), message)
    })?;
    let bytes = option_bytes(row, value.get_ref());
    let option = bytes.and_then(|bytes| SocketOption::decode(row.level, row.number, &bytes).ok());
    option.ok_or_else(|| {
        let expected = match (row.shape, row.shape.range()) {
            (Shape::Linger, _) => "expected seconds, or -1 for off".to_owned(),
            (Shape::Switch | Shape::Binary, _) => "expected 0 or 1".to_owned(),
            (_, Some((min, max))) => format!("expected a number from {min} to {max}"),
            (Shape::Text, None) => "expected a name".to_owned(),
            _ => "a scenario cannot set this option".to_owned(),
        };
        Fault::new(value.span(), format!("`{}={}`: {expected}", row.name, value.get_ref()))
    })
}

/// The value as it lies in C's memory.
fn option_bytes(row: &OptionRow, value: &Setting) -> Option<Vec<u8>> {
    if let (Shape::Text, Setting::Word(word)) = (row.shape, value) {
        return Some(word.clone().into_bytes());
    }
    let number: i64 = value.to_string().parse().ok()?;
    let ints = |ints: &[i32]| ints.iter().flat_map(|int| int.to_ne_bytes()).collect();
    match row.shape {
        Shape::Linger if number < 0 => Some(ints(&[0, 0])),
        Shape::Linger => Some(ints(&[1, i32::try_from(number).ok()?])),
        Shape::Time | Shape::Keys | Shape::Text => None,
        Shape::Rate => Some(u32::try_from(number).ok()?.to_ne_bytes().to_vec()),
        _ if (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&number) => {
            // Truncation keeps the bits that C would pass.
            Some((number as u32).to_ne_bytes().to_vec())
        }
        _ => None,
    }
}

/// The line of each listing that has `source`; without it the one that has the call's name and `(`,
/// if there is exactly one.
fn lines(call: &CallToml, listings: &[&Listing]) -> Result<Vec<Line>, Fault> {
    let default = format!("{}(", call.call.get_ref());
    let wanted = call.source.as_ref().map_or(default.as_str(), |source| source.get_ref());
    let mut lines = Vec::new();
    for listing in listings {
        let having = || listing.text.lines().enumerate().filter(|(_, line)| line.contains(wanted));
        match (having().next(), having().count()) {
            (Some((at, _)), 1) => {
                let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
                lines.push(Line { file: listing.file.clone(), line });
            }
            (_, 0) => {}
            (_, several) => {
                let at = call.source.as_ref().map_or(call.call.span(), Spanned::span);
                let message = format!(
                    "`{wanted}` stands in {several} lines of {}: expected `source` to be a part of \
                     one line alone",
                    listing.file,
                );
                return Err(Fault::new(at, message));
            }
        }
    }
    match &call.source {
        Some(source) if lines.is_empty() => {
            Err(Fault::new(source.span(), format!("`{wanted}` stands in none of the listings")))
        }
        _ => Ok(lines),
    }
}

/// The addresses of one family: a socket is of its host's.
pub(super) fn is_same_family(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}
