//! `setsockopt` and `getsockopt`: names and values as a script writes them, and the machine's.

use std::time::Duration;

use tcpstack::host::{Error, OptionName, SocketOption};

use super::calls::Check;
use super::machine::SystemCall;
use super::script::Argument;

/// `setsockopt(fd, ..., name, value, ...)`.
pub(crate) fn set(fd: i64, name: &str, value: &Argument) -> Result<(SystemCall, Check), String> {
    if let "SO_RCVTIMEO" | "SO_SNDTIMEO" = name {
        let us = 1_000_000 * field(value, "tv_sec")? + field(value, "tv_usec")?;
        let time = (us > 0).then(|| Duration::from_micros(us as u64));
        let is_receive = name == "SO_RCVTIMEO";
        return Ok((SystemCall::SetTimeout { fd, is_receive, time }, Check::Done));
    }
    Ok((SystemCall::SetOption { fd, option: option(name, value)? }, Check::Done))
}

/// `getsockopt(fd, ..., name, value, ...)`.
pub(crate) fn get(fd: i64, name: &str, value: &Argument) -> Result<(SystemCall, Check), String> {
    let check = Check::Option(value.clone());
    if name == "SO_ERROR" {
        return Ok((SystemCall::TakeError { fd }, check));
    }
    let name = match name {
        "SO_REUSEADDR" => OptionName::ReuseAddr,
        "SO_REUSEPORT" => OptionName::ReusePort,
        "SO_SNDBUF" => OptionName::SendBuffer,
        "SO_RCVBUF" => OptionName::ReceiveBuffer,
        "SO_LINGER" => OptionName::Linger,
        "SO_KEEPALIVE" => OptionName::KeepAlive,
        "TCP_NODELAY" => OptionName::NoDelay,
        "TCP_MAXSEG" => OptionName::MaxSegment,
        "IPV6_V6ONLY" => OptionName::V6Only,
        other => return Err(format!("the option {other} is not known")),
    };
    Ok((SystemCall::GetOption { fd, name }, check))
}

fn option(name: &str, value: &Argument) -> Result<SocketOption, String> {
    let is_on = || number(value).map(|number| number != 0);
    Ok(match name {
        "SO_REUSEADDR" => SocketOption::ReuseAddr(is_on()?),
        "SO_REUSEPORT" => SocketOption::ReusePort(is_on()?),
        "SO_SNDBUF" => SocketOption::SendBuffer(unsigned(value)?),
        "SO_RCVBUF" => SocketOption::ReceiveBuffer(unsigned(value)?),
        "SO_LINGER" => {
            let seconds = field(value, "linger")? as u64;
            let is_on = field(value, "onoff")? != 0;
            SocketOption::Linger(is_on.then(|| Duration::from_secs(seconds)))
        }
        "SO_KEEPALIVE" => SocketOption::KeepAlive(is_on()?),
        "TCP_NODELAY" => SocketOption::NoDelay(is_on()?),
        "TCP_MAXSEG" => SocketOption::MaxSegment(unsigned(value)?),
        "IPV6_V6ONLY" => SocketOption::V6Only(is_on()?),
        other => return Err(format!("the option {other} is not known")),
    })
}

/// Whether `option` has the value `wanted`.
pub(crate) fn judge(wanted: &Argument, option: SocketOption) -> Result<(), String> {
    let came = match option {
        SocketOption::ReuseAddr(on)
        | SocketOption::ReusePort(on)
        | SocketOption::KeepAlive(on)
        | SocketOption::NoDelay(on)
        | SocketOption::V6Only(on) => i64::from(on),
        SocketOption::SendBuffer(size) | SocketOption::ReceiveBuffer(size) => i64::from(size),
        SocketOption::MaxSegment(size) => i64::from(size),
        SocketOption::Linger(linger) => {
            let seconds = linger.map_or(0, |time| time.as_secs() as i64);
            let is_right = field(wanted, "onoff")? == i64::from(linger.is_some())
                && (linger.is_none() || field(wanted, "linger")? == seconds);
            return if is_right { Ok(()) } else { Err(format!("it is {linger:?}")) };
        }
    };
    if number(wanted)? == came { Ok(()) } else { Err(format!("it is {came}")) }
}

/// Whether SO_ERROR is what was wanted: `[ECONNRESET]` or `[0]`.
pub(crate) fn judge_error(wanted: &Argument, error: Option<Error>) -> Result<(), String> {
    let came = error.map_or("0", Error::name);
    let is_right = match single(wanted) {
        Argument::Words(words) => words == &[came],
        Argument::Number(0) => error.is_none(),
        _ => return Err("expected [0] or [ERROR]".into()),
    };
    if is_right { Ok(()) } else { Err(format!("it is {came}")) }
}

/// `[x]` and `x` are the same.
fn single(argument: &Argument) -> &Argument {
    match argument {
        Argument::List(list) if list.len() == 1 => &list[0],
        other => other,
    }
}

fn number(argument: &Argument) -> Result<i64, String> {
    match single(argument) {
        Argument::Number(number) => Ok(*number),
        other => Err(format!("{other:?}: expected [number]")),
    }
}

fn unsigned<N: TryFrom<i64>>(argument: &Argument) -> Result<N, String> {
    let number = number(argument)?;
    N::try_from(number).map_err(|_| format!("{number} is out of range here"))
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
