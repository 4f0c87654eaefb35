//! System calls: from what a script writes to what a machine is asked, and whether the answer is the
//! one that was expected.
//!
//! What an application writes is the pattern of its stream, and what it reads must be the peer's.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tcpstack::host::{Domain, Readiness, Shutdown};

use super::flow::{OUR_PORT, pattern, peer};
use super::machine::{Flags, Returned, SystemCall, Value};
use super::script::{Argument, Call, Expected, Family};
use super::socket_options;

/// How far a socket's streams have come: the next numbers to be written and read.
#[derive(Clone, Copy, Debug)]
struct Streams {
    written: u32,
    read: u32,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { written: 1, read: 1 }
    }
}

/// The script's sockets.
pub(crate) struct Sockets {
    family: Family,
    streams: HashMap<i64, Streams>,
    /// The one that was connected or accepted last.
    pub(crate) newest: Option<i64>,
    /// The number of the latest urgent byte that came in.
    pub(crate) urgent: Option<u32>,
}

/// What to look at in an answer.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// 0 or an error.
    Done,
    /// A socket by that number.
    Opened(i64),
    Written(i64),
    Read {
        fd: i64,
        stays: bool,
    },
    /// The out-of-band byte.
    Urgent,
    /// Whether reading has come to the urgent mark.
    Mark(i64),
    /// The bytes of an option's value.
    Option(Vec<u8>),
    /// Whatever it is.
    Any,
    Readiness(Readiness),
    Address(Option<SocketAddr>),
    /// One of the three queues, and how long it is to be.
    Queue(usize, i64),
}

impl Sockets {
    pub(crate) fn new(family: Family) -> Sockets {
        Sockets { family, streams: HashMap::new(), newest: None, urgent: None }
    }

    /// What a machine is asked, and what to look at in its answer.
    ///
    /// # Errors
    /// A call, or arguments, that are not known.
    pub(crate) fn prepare(&self, call: &Call) -> Result<(SystemCall, Check), String> {
        let arguments = Arguments { name: &call.name, list: &call.arguments };
        let new = match call.result {
            Expected::Number(number) => number,
            Expected::Error(_) => -1,
        };
        let fd = || arguments.number(0);
        Ok(match call.name.as_str() {
            "socket" => {
                let domain = self.domain(&arguments)?;
                (SystemCall::Socket { domain, number: new }, Check::Opened(new))
            }
            "bind" => (SystemCall::Bind { fd: fd()?, to: self.local(&arguments)? }, Check::Done),
            "listen" => {
                let backlog = arguments.number(1)? as u32;
                (SystemCall::Listen { fd: fd()?, backlog }, Check::Done)
            }
            "accept" | "accept4" => {
                let nonblocking = arguments.flags(3)?.contains(&"SOCK_NONBLOCK");
                (SystemCall::Accept { fd: fd()?, number: new, nonblocking }, Check::Opened(new))
            }
            "connect" if arguments.word(1) == Ok("AF_UNSPEC") => {
                (SystemCall::Disconnect { fd: fd()? }, Check::Done)
            }
            "connect" => {
                (SystemCall::Connect { fd: fd()?, to: self.remote(&arguments)? }, Check::Done)
            }
            "write" | "send" | "sendto" => self.prepare_send(&arguments)?,
            "read" | "recv" => prepare_receive(&arguments)?,
            "shutdown" => (SystemCall::Shutdown { fd: fd()?, how: how(&arguments)? }, Check::Done),
            "close" => (SystemCall::Close { fd: fd()? }, Check::Done),
            "poll" => prepare_poll(&arguments)?,
            "setsockopt" => socket_options::set(fd()?, &call.arguments[1..])?,
            "getsockopt" => socket_options::get(fd()?, &call.arguments[1..])?,
            "fcntl" => {
                let on = arguments.flags(2)?.contains(&"O_NONBLOCK");
                (SystemCall::SetNonblocking { fd: fd()?, on }, Check::Done)
            }
            "ioctl" => prepare_ioctl(&arguments)?,
            "getsockname" => {
                let check = Check::Address(self.address(&arguments)?);
                (SystemCall::LocalAddress { fd: fd()? }, check)
            }
            "getpeername" => {
                let check = Check::Address(self.address(&arguments)?);
                (SystemCall::PeerAddress { fd: fd()? }, check)
            }
            other => return Err(format!("the call `{other}` is not known")),
        })
    }

    fn domain(&self, arguments: &Arguments<'_>) -> Result<Domain, String> {
        match (arguments.get(0)?, self.family) {
            (Argument::Words(words), _) if words == &["AF_INET"] => Ok(Domain::V4),
            (Argument::Words(words), _) if words == &["AF_INET6"] => Ok(Domain::V6),
            (Argument::Any, Family::V4) => Ok(Domain::V4),
            (Argument::Any, Family::V6) => Ok(Domain::V6),
            (other, _) => Err(format!("{other:?} is no address family")),
        }
    }

    fn local(&self, arguments: &Arguments<'_>) -> Result<SocketAddr, String> {
        let any = match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        match arguments.get(1)? {
            Argument::Any => Ok(SocketAddr::new(any, OUR_PORT)),
            Argument::Port(port) => Ok(SocketAddr::new(any, *port)),
            other => Err(format!("{other:?}: expected ... or :port")),
        }
    }

    fn remote(&self, arguments: &Arguments<'_>) -> Result<SocketAddr, String> {
        match arguments.get(1)? {
            Argument::Any => Ok(peer(self.family, 1)),
            Argument::Flow(flow) => Ok(peer(self.family, *flow)),
            other => Err(format!("{other:?}: expected ... or @n")),
        }
    }

    fn address(&self, arguments: &Arguments<'_>) -> Result<Option<SocketAddr>, String> {
        match arguments.get(1)? {
            Argument::Any => Ok(None),
            Argument::Flow(flow) => Ok(Some(peer(self.family, *flow))),
            Argument::Port(port) => {
                Ok(Some(SocketAddr::new(super::flow::our_address(self.family), *port)))
            }
            other => Err(format!("{other:?}: expected ..., @n or :port")),
        }
    }

    fn prepare_send(&self, arguments: &Arguments<'_>) -> Result<(SystemCall, Check), String> {
        let (fd, len) = (arguments.number(0)?, arguments.number(2)?);
        let mut words = arguments.flags(3)?;
        let is_opening = words.contains(&"MSG_FASTOPEN");
        words.retain(|word| *word != "MSG_FASTOPEN");
        let flags = message_flags(&words)?;
        let from = self.streams.get(&fd).copied().unwrap_or_default().written;
        let data = pattern(from, len as usize);
        if is_opening {
            let to =
                self.remote(&Arguments { name: arguments.name, list: &arguments.list[3..] })?;
            return Ok((SystemCall::SendOpening { fd, to, data, flags }, Check::Written(fd)));
        }
        Ok((SystemCall::Send { fd, data, flags }, Check::Written(fd)))
    }

    /// Whether a call returned what it was to return.
    ///
    /// # Errors
    /// What it returned instead.
    pub(crate) fn judge(
        &mut self,
        check: &Check,
        expected: &Expected,
        returned: Returned,
    ) -> Result<(), String> {
        match (expected, returned) {
            (Expected::Error(wanted), Err(error)) if *wanted == error => Ok(()),
            (_, Err(error)) => Err(format!("it returned -1 {error}")),
            (Expected::Error(_), Ok(value)) => Err(format!("it returned {value:?}")),
            (Expected::Number(number), Ok(value)) => self.judge_value(check, *number, value),
        }
    }

    fn judge_value(&mut self, check: &Check, number: i64, value: Value) -> Result<(), String> {
        match (check, value) {
            (Check::Opened(fd), _) => {
                self.streams.insert(*fd, Streams::default());
                self.newest = Some(*fd);
                Ok(())
            }
            (Check::Done, Value::Done) if number == 0 => Ok(()),
            (Check::Written(fd), Value::Count(count)) => {
                self.streams.entry(*fd).or_default().written += count as u32;
                equal(count as i64, number)
            }
            (Check::Read { fd, stays }, Value::Bytes(bytes)) => {
                let streams = self.streams.entry(*fd).or_default();
                let mut from = streams.read;
                if self.urgent == Some(from) && bytes != pattern(from, bytes.len()) {
                    // The urgent byte is out of band: reading goes on behind it.
                    from += 1;
                }
                if !stays {
                    streams.read = from + bytes.len() as u32;
                }
                if bytes != pattern(from, bytes.len()) {
                    return Err(format!("the bytes read from {from} on are not those sent"));
                }
                equal(bytes.len() as i64, number)
            }
            (Check::Any, _) => Ok(()),
            (Check::Urgent, Value::Bytes(bytes)) => {
                let urgent = self.urgent.map(|number| pattern(number, bytes.len()));
                if urgent.is_some_and(|urgent| urgent != bytes) {
                    return Err("the urgent byte is not the one sent".into());
                }
                equal(bytes.len() as i64, number)
            }
            (Check::Mark(wanted), Value::Count(count)) => equal(count as i64, *wanted),
            (Check::Option(wanted), Value::Bytes(bytes)) => {
                let came = socket_options::shown(&bytes);
                if *wanted == bytes { equal(0, number) } else { Err(format!("it is {came}")) }
            }
            (Check::Readiness(wanted), Value::Readiness(came)) => {
                let count = i64::from(!came.is_empty());
                if *wanted == came { equal(count, number) } else { Err(format!("it is {came}")) }
            }
            (Check::Address(wanted), Value::Address(came)) => match wanted {
                Some(wanted) if *wanted != came => Err(format!("it is {came}")),
                _ => equal(0, number),
            },
            (Check::Queue(which, wanted), Value::Queues(readable, unacknowledged, unsent)) => {
                equal([readable, unacknowledged, unsent][*which] as i64, *wanted)
            }
            (_, value) => Err(format!("it returned {value:?}")),
        }
    }
}

fn equal(came: i64, wanted: i64) -> Result<(), String> {
    if came == wanted { Ok(()) } else { Err(format!("it returned {came}")) }
}

/// The arguments of a call.
struct Arguments<'a> {
    name: &'a str,
    list: &'a [Argument],
}

impl<'a> Arguments<'a> {
    fn get(&self, index: usize) -> Result<&'a Argument, String> {
        let missing = || format!("{} has no argument {}", self.name, index + 1);
        self.list.get(index).ok_or_else(missing)
    }

    fn number(&self, index: usize) -> Result<i64, String> {
        match self.get(index)? {
            Argument::Number(number) => Ok(*number),
            other => Err(format!("{other:?} is no number")),
        }
    }

    fn word(&self, index: usize) -> Result<&'a str, String> {
        match self.get(index)? {
            Argument::Words(words) if words.len() == 1 => Ok(&words[0]),
            other => Err(format!("{other:?} is no name")),
        }
    }

    /// The words of an argument that may be left out or 0.
    fn flags(&self, index: usize) -> Result<Vec<&'a str>, String> {
        match self.list.get(index) {
            None | Some(Argument::Number(0)) => Ok(Vec::new()),
            Some(Argument::Words(words)) => Ok(words.iter().map(String::as_str).collect()),
            Some(other) => Err(format!("{other:?} are no flags")),
        }
    }
}

fn message_flags(words: &[&str]) -> Result<Flags, String> {
    let mut flags = Flags::default();
    for word in words {
        match *word {
            "MSG_PEEK" => flags.peek = true,
            "MSG_DONTWAIT" => flags.dont_wait = true,
            "MSG_WAITALL" => flags.wait_all = true,
            "MSG_OOB" => flags.urgent = true,
            "MSG_MORE" => flags.more = true,
            "MSG_EOR" => flags.end_of_record = true,
            "MSG_NOSIGNAL" => {}
            other => return Err(format!("the flag {other} is not known")),
        }
    }
    Ok(flags)
}

fn prepare_receive(arguments: &Arguments<'_>) -> Result<(SystemCall, Check), String> {
    let (fd, len) = (arguments.number(0)?, arguments.number(2)? as usize);
    let flags = message_flags(&arguments.flags(3)?)?;
    let check = match flags.urgent {
        true => Check::Urgent,
        false => Check::Read { fd, stays: flags.peek },
    };
    Ok((SystemCall::Receive { fd, len, flags }, check))
}

fn how(arguments: &Arguments<'_>) -> Result<Shutdown, String> {
    match arguments.word(1)? {
        "SHUT_RD" => Ok(Shutdown::Read),
        "SHUT_WR" => Ok(Shutdown::Write),
        "SHUT_RDWR" => Ok(Shutdown::Both),
        other => Err(format!("`{other}`: expected SHUT_RD, SHUT_WR or SHUT_RDWR")),
    }
}

/// `poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 0)`: as Linux, of what was asked for, and of
/// HUP and ERR without asking.
fn prepare_poll(arguments: &Arguments<'_>) -> Result<(SystemCall, Check), String> {
    let fields = match arguments.get(0)? {
        Argument::List(list) => match list.as_slice() {
            [Argument::Fields(fields)] => fields,
            _ => return Err("expected one {fd=..., events=..., revents=...}".into()),
        },
        other => return Err(format!("{other:?} is no list")),
    };
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|field| &field.1);
    let bits = |name: &str| match field(name) {
        None | Some(Argument::Number(0)) => Ok(Readiness::EMPTY),
        Some(Argument::Words(words)) => readiness(words),
        Some(other) => Err(format!("{other:?} are no events")),
    };
    let Some(Argument::Number(fd)) = field("fd") else { return Err("fd= is missing".into()) };
    let asked = bits("events")?;
    Ok((SystemCall::Poll { fd: *fd, asked }, Check::Readiness(bits("revents")?)))
}

fn readiness(words: &[String]) -> Result<Readiness, String> {
    words.iter().try_fold(Readiness::EMPTY, |bits, word| {
        let bit = match word.as_str() {
            "POLLIN" => Readiness::IN,
            "POLLOUT" => Readiness::OUT,
            "POLLRDHUP" => Readiness::RDHUP,
            "POLLHUP" => Readiness::HUP,
            "POLLERR" => Readiness::ERR,
            "POLLPRI" => Readiness::PRI,
            other => return Err(format!("the event {other} is not known")),
        };
        Ok(bits | bit)
    })
}

fn prepare_ioctl(arguments: &Arguments<'_>) -> Result<(SystemCall, Check), String> {
    let fd = arguments.number(0)?;
    let wanted = match arguments.get(2)? {
        Argument::List(list) => match list.as_slice() {
            [Argument::Number(number)] => *number,
            _ => return Err("expected [number]".into()),
        },
        other => return Err(format!("{other:?}: expected [number]")),
    };
    let which = match arguments.word(1)? {
        "SIOCATMARK" => return Ok((SystemCall::AtMark { fd }, Check::Mark(wanted))),
        "FIONREAD" | "SIOCINQ" => 0,
        "SIOCOUTQ" => 1,
        "SIOCOUTQNSD" => 2,
        other => return Err(format!("the request {other} is not known")),
    };
    Ok((SystemCall::Queues { fd }, Check::Queue(which, wanted)))
}
