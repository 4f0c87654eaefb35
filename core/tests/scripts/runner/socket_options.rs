//! `setsockopt` and `getsockopt`: names and values as a script writes them, and the bytes that C has.
//!
//! The stack's own table says which options there are and how their values lie in memory, so an
//! option is known here as soon as it is there. An option that Linux has and the stack has not is
//! written by its number.

use tcpstack::host::{Error, OPTIONS, Shape};

use super::calls::Check;
use super::machine::SystemCall;
use super::script::Argument;
use super::text;

/// `(level, number)`, and the shape of the value where it is known.
type Row = (i32, i32, Option<Shape>);

/// `setsockopt(fd, level, name, value, len)`: the value's first `len` bytes.
pub(crate) fn set(fd: i64, arguments: &[Argument]) -> Result<(SystemCall, Check), String> {
    let [level, name, value, len] = arguments else {
        return Err("expected setsockopt(fd, level, name, value, len)".into());
    };
    let (level, number, shape) = find(level, name)?;
    let mut value = bytes(shape, value)?;
    let len = number_of(len)? as usize;
    value.resize(len.max(value.len()), 0);
    value.truncate(len);
    Ok((SystemCall::SetOption { fd, level, number, value }, Check::Done))
}

/// `getsockopt(fd, level, name, value, [len])`: `value` is what is read, into `len` bytes.
pub(crate) fn get(fd: i64, arguments: &[Argument]) -> Result<(SystemCall, Check), String> {
    let [level, name, wanted, room] = arguments else {
        return Err("expected getsockopt(fd, level, name, value, [len])".into());
    };
    let (level, number, shape) = find(level, name)?;
    let room = number_of(room)? as usize;
    let check = match wanted {
        Argument::Any => Check::Any,
        wanted => {
            let mut wanted = bytes(shape, wanted)?;
            if shape == Some(Shape::Text) {
                wanted.resize(room, 0);
            }
            wanted.truncate(room);
            Check::Option(wanted)
        }
    };
    Ok((SystemCall::GetOption { fd, level, number, room }, check))
}

fn find(level: &Argument, name: &Argument) -> Result<Row, String> {
    let level = match level {
        Argument::Number(number) => *number as i32,
        Argument::Words(words) => match words[0].as_str() {
            "SOL_SOCKET" => libc::SOL_SOCKET,
            "SOL_TCP" | "IPPROTO_TCP" => libc::IPPROTO_TCP,
            "SOL_IP" | "IPPROTO_IP" => libc::IPPROTO_IP,
            "SOL_IPV6" | "IPPROTO_IPV6" => libc::IPPROTO_IPV6,
            other => return Err(format!("the level {other} is not known")),
        },
        other => return Err(format!("{other:?} is no level")),
    };
    match name {
        Argument::Number(number) => Ok((level, *number as i32, None)),
        Argument::Words(words) if words[0] == "SO_ERROR" => Ok((level, libc::SO_ERROR, None)),
        Argument::Words(words) => {
            let row = OPTIONS.iter().find(|row| (row.level, row.name) == (level, &*words[0]));
            let row = row.ok_or_else(|| format!("the option {} is not known", words[0]))?;
            Ok((row.level, row.number, Some(row.shape)))
        }
        other => Err(format!("{other:?} is no option")),
    }
}

/// A value as it lies in memory.
fn bytes(shape: Option<Shape>, value: &Argument) -> Result<Vec<u8>, String> {
    let pair = |first, second| -> Result<Vec<i64>, String> {
        Ok(vec![field(value, first)?, field(value, second)?])
    };
    Ok(match shape {
        Some(Shape::Linger) => {
            let ints = pair("onoff", "linger")?;
            ints.into_iter().flat_map(|int| (int as i32).to_ne_bytes()).collect()
        }
        Some(Shape::Time) => {
            let longs = pair("tv_sec", "tv_usec")?;
            longs.into_iter().flat_map(i64::to_ne_bytes).collect()
        }
        Some(Shape::Keys) => match single(value) {
            Argument::Text(digits) => text::bytes(digits)?,
            other => return Err(format!("{other:?} is no key")),
        },
        Some(Shape::Rate) => number_of(value)?.to_ne_bytes().to_vec(),
        Some(Shape::Text) => match single(value) {
            Argument::Text(text) => text.as_bytes().to_vec(),
            other => return Err(format!("{other:?} is no text")),
        },
        _ => (number_of(value)? as i32).to_ne_bytes().to_vec(),
    })
}

/// `[x]` and `x` are the same.
fn single(argument: &Argument) -> &Argument {
    match argument {
        Argument::List(list) if list.len() == 1 => &list[0],
        other => other,
    }
}

/// A number, or the number of an error's name.
fn number_of(argument: &Argument) -> Result<i64, String> {
    match single(argument) {
        Argument::Number(number) => Ok(*number),
        Argument::Words(words) => {
            let error = Error::ALL.iter().find(|error| error.name() == words[0]);
            let error = error.ok_or_else(|| format!("the error {} is not known", words[0]))?;
            Ok(error.errno().into())
        }
        other => Err(format!("{other:?}: expected [number]")),
    }
}

fn field(argument: &Argument, name: &str) -> Result<i64, String> {
    let Argument::Fields(fields) = single(argument) else {
        return Err(format!("{argument:?}: expected {{{name}=...}}"));
    };
    match fields.iter().find(|(known, _)| known == name) {
        Some((_, Argument::Number(number))) => Ok(*number),
        _ => Err(format!("{name}= is missing")),
    }
}

/// What an option was instead, for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match <[u8; 4]>::try_from(bytes) {
        Ok(int) => i32::from_ne_bytes(int).to_string(),
        Err(_) => format!("{bytes:?}"),
    }
}
