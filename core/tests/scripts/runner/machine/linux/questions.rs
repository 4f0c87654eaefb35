//! What can be asked of the kernel's sockets: options, readiness, addresses, queues and states.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno as Failure;
use rustix::net::{getpeername, getsockname};
use tcpstack::host::Readiness;
use tcpstack::tcp::State;

use super::super::{SystemCall, Value};
use crate::runner::tcp_info;

/// poll()'s bits, and the readiness that each is.
const BITS: [(PollFlags, Readiness); 6] = [
    (PollFlags::IN, Readiness::IN),
    (PollFlags::OUT, Readiness::OUT),
    (PollFlags::RDHUP, Readiness::RDHUP),
    (PollFlags::HUP, Readiness::HUP),
    (PollFlags::ERR, Readiness::ERR),
    (PollFlags::PRI, Readiness::PRI),
];

/// The kernel's states by their numbers (include/net/tcp_states.h), from 1 on.
const STATES: [State; 12] = [
    State::Established,
    State::SynSent,
    State::SynReceived,
    State::FinWait1,
    State::FinWait2,
    State::TimeWait,
    State::Closed,
    State::CloseWait,
    State::LastAck,
    State::Listen,
    State::Closing,
    // A connection request, before there is a socket for it.
    State::SynReceived,
];

/// Calls that change nothing but options.
pub(super) fn ask(socket: BorrowedFd<'_>, call: SystemCall) -> Result<Value, Failure> {
    match call {
        SystemCall::SetOption { level, number, value, .. } => {
            set(&socket, level, number, &value).map(|()| Value::Done)
        }
        SystemCall::GetOption { level, number, room, .. } => {
            get(&socket, level, number, room).map(Value::Bytes)
        }
        SystemCall::Poll { asked, .. } => readiness(socket, asked).map(Value::Readiness),
        SystemCall::LocalAddress { .. } => address(getsockname(socket)?.try_into()),
        SystemCall::PeerAddress { .. } => {
            address(getpeername(socket)?.ok_or(Failure::NOTCONN)?.try_into())
        }
        SystemCall::Queues { .. } => queues(socket),
        SystemCall::State { .. } => {
            let info = get(&socket, libc::IPPROTO_TCP, libc::TCP_INFO, 1)?;
            Ok(Value::State(state(info[0].into()).unwrap_or_default()))
        }
        // There is no call for SIOCATMARK in safe Rust: such scripts are left out.
        other => unreachable!("{other:?} is left out"),
    }
}

/// setsockopt().
pub(super) fn set(
    socket: &impl AsFd,
    level: i32,
    number: i32,
    value: &[u8],
) -> Result<(), Failure> {
    uapi::setsockopt(socket.as_fd().as_raw_fd(), level, number, value)
        .map_err(|error| Failure::from_raw_os_error(error.0))
}

/// getsockopt() into `room` bytes.
pub(super) fn get(
    socket: &impl AsFd,
    level: i32,
    number: i32,
    room: usize,
) -> Result<Vec<u8>, Failure> {
    let mut value = vec![0; room];
    let len = uapi::getsockopt(socket.as_fd().as_raw_fd(), level, number, value.as_mut_slice())
        .map_err(|error| Failure::from_raw_os_error(error.0))?;
    value.truncate(len);
    Ok(value)
}

fn address(address: Result<SocketAddr, Failure>) -> Result<Value, Failure> {
    address.map(Value::Address)
}

fn readiness(socket: BorrowedFd<'_>, asked: Readiness) -> Result<Readiness, Failure> {
    let events = BITS.iter().filter(|(_, bit)| asked.contains(*bit)).map(|(flag, _)| *flag);
    let mut fds = [PollFd::from_borrowed_fd(socket, events.collect())];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    let shown = BITS.iter().filter(|(flag, _)| fds[0].revents().contains(*flag));
    Ok(shown.fold(Readiness::EMPTY, |shown, (_, bit)| shown | *bit))
}

/// SIOCINQ by its call; SIOCOUTQ and SIOCOUTQNSD, for which safe Rust has none, from where the
/// kernel shows the same numbers: /proc/net/tcp and TCP_INFO.
fn queues(socket: BorrowedFd<'_>) -> Result<Value, Failure> {
    let readable = rustix::io::ioctl_fionread(socket)? as usize;
    let info = get(&socket, libc::IPPROTO_TCP, libc::TCP_INFO, 1000)?;
    let unsent = tcp_info::field(&info, "notsent_bytes").map_err(|_| Failure::INVAL)? as usize;
    let inode = rustix::fs::fstat(socket)?.st_ino.to_string();
    let rows = table();
    let row = rows.iter().find(|row| row.get(9) == Some(&inode)).ok_or(Failure::NOTCONN)?;
    let unacknowledged = row[4].split_once(':').and_then(|(queue, _)| hexadecimal(queue));
    Ok(Value::Queues(readable, unacknowledged.unwrap_or(0) as usize, unsent))
}

/// The state of every connection and listener, with the peer's address.
pub(super) fn states() -> Vec<(Option<SocketAddr>, State)> {
    let of = |row: &Vec<String>| {
        let state = row.get(3).and_then(|text| hexadecimal(text)).and_then(state)?;
        let remote = row.get(2).and_then(|text| remote(text));
        Some((remote.filter(|remote| remote.port() != 0), state))
    };
    table().iter().filter_map(of).collect()
}

fn state(number: u32) -> Option<State> {
    STATES.get(number.checked_sub(1)? as usize).copied()
}

/// The words of each line of /proc/net/tcp and tcp6 of this thread's namespace.
fn table() -> Vec<Vec<String>> {
    let read = |name| {
        let path = format!("/proc/thread-self/net/{name}");
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let text = ["tcp", "tcp6"].map(read).concat();
    text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// `0100007F:1F90`: the address as numbers of 32 bits in the machine's order.
fn remote(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let words = address.as_bytes().chunks(8).map(|word| hexadecimal(str::from_utf8(word).ok()?));
    let bytes: Vec<u8> =
        words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => IpAddr::from(v4),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)?),
    };
    Some(SocketAddr::new(address, hexadecimal(port)? as u16))
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}
