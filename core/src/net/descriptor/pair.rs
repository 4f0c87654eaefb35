//! The AF_UNIX pair behind a descriptor, as the kernel sees it; nothing here knows TCP.
//!
//! The application has the outer end, the stack the inner one and no copy of the outer, so that
//! the last close of the outer end, in whatever process, hangs up the inner. The outer end starts
//! unconnected, since such a socket polls as a fresh TCP socket does (OUT|HUP), and gets its inner end
//! later without ever changing its inode. It is bound to a name of the kernel's choice, which
//! says who connects, and, as long as it is taken, that the outer end lives.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, sockopt,
};
use nix::sys::stat::fstat;
use nix::sys::time::{TimeVal, TimeValLike};

use super::DescriptorKind;
use crate::host::{OptionName, Readiness};

/// Send buffer of a direct outer end, in bytes: the kernel's least. One byte then leaves it
/// writable, and two do not.
const DIRECT_SEND_BUFFER: usize = 1;
/// Send buffer of a bridged outer end, doubled by the kernel: AF_UNIX is writable while a quarter of
/// it is in use, and one buffer of which a byte is left unread (17 pages, when sendfile filled it)
/// must leave it so.
const BRIDGED_SEND_BUFFER: usize = 160 << 10;
/// Send buffer of a bridged inner end, doubled by the kernel. Small, so that the TCP window tells
/// the truth about a slow reader.
const INNER_SEND_BUFFER: usize = 32 << 10;

/// A number of the application's, for the length of a system call.
pub(in crate::net) fn borrow<'a>(fd: RawFd) -> BorrowedFd<'a> {
    // SAFETY: the number is only handed to system calls and never closed; where the application
    // has closed it meanwhile the call fails with EBADF or is about a file that it named itself.
    unsafe { BorrowedFd::borrow_raw(fd.max(0)) }
}

/// The inode of a socket, which is its identity: shared by every copy of the descriptor.
pub(super) fn inode(fd: RawFd) -> Option<u64> {
    if fd < 0 {
        return None;
    }
    let stat = fstat(borrow(fd)).ok()?;
    (stat.st_mode & libc::S_IFMT == libc::S_IFSOCK).then_some(stat.st_ino)
}

/// An outer end, unconnected.
pub(super) fn open_outer(
    kind: DescriptorKind,
    nonblocking: bool,
    cloexec: bool,
) -> nix::Result<OwnedFd> {
    let outer =
        socket::socket(AddressFamily::Unix, SockType::Stream, flags(nonblocking, cloexec), None)?;
    prepare_outer(&outer, kind)?;
    Ok(outer)
}

/// Both ends at once, for a connection that comes ready-made.
pub(super) fn open_pair(
    kind: DescriptorKind,
    nonblocking: bool,
    cloexec: bool,
) -> nix::Result<(OwnedFd, OwnedFd)> {
    let (outer, inner) = socket::socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    )?;
    prepare_outer(&outer, kind)?;
    if !nonblocking {
        fcntl(&outer, FcntlArg::F_SETFL(OFlag::empty()))?;
    }
    if !cloexec {
        fcntl(&outer, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))?;
    }
    prepare_inner(&inner, outer.as_raw_fd(), kind)?;
    Ok((outer, inner))
}

/// Gives the outer end `outer` its inner end.
pub(super) fn attach(outer: RawFd, kind: DescriptorKind) -> nix::Result<OwnedFd> {
    let listener = socket::socket(AddressFamily::Unix, SockType::Stream, flags(false, true), None)?;
    socket::bind(listener.as_raw_fd(), &UnixAddr::new_unnamed())?;
    socket::listen(&listener, Backlog::new(1)?)?;
    let name: UnixAddr = socket::getsockname(listener.as_raw_fd())?;
    socket::connect(outer, &name)?;
    let own: UnixAddr = socket::getsockname(outer)?;
    // Anyone on this machine could have found the name in that moment: ours says its own.
    let inner = loop {
        let inner = accept(&listener)?;
        if socket::getpeername::<UnixAddr>(inner.as_raw_fd())? == own {
            break inner;
        }
    };
    prepare_inner(&inner, outer, kind)?;
    Ok(inner)
}

fn accept(listener: &OwnedFd) -> nix::Result<OwnedFd> {
    let fd =
        socket::accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
    // SAFETY: the kernel has just made it for us, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn flags(nonblocking: bool, cloexec: bool) -> SockFlag {
    let mut flags = SockFlag::empty();
    flags.set(SockFlag::SOCK_NONBLOCK, nonblocking);
    flags.set(SockFlag::SOCK_CLOEXEC, cloexec);
    flags
}

fn prepare_outer(outer: &OwnedFd, kind: DescriptorKind) -> nix::Result<()> {
    // Without a name: the kernel chooses one.
    socket::bind(outer.as_raw_fd(), &UnixAddr::new_unnamed())?;
    let size = match kind {
        DescriptorKind::Direct => DIRECT_SEND_BUFFER,
        DescriptorKind::Bridged | DescriptorKind::OnDemand => BRIDGED_SEND_BUFFER,
    };
    socket::setsockopt(outer, sockopt::SndBuf, &size)
}

/// One byte from the outer end, which the inner never quite reads to the end: closed with something
/// unread, it shows ECONNRESET outside.
fn prepare_inner(inner: &OwnedFd, outer: RawFd, kind: DescriptorKind) -> nix::Result<()> {
    if kind != DescriptorKind::Direct {
        socket::setsockopt(inner, sockopt::SndBuf, &INNER_SEND_BUFFER)?;
    }
    send(outer, &[0])?;
    Ok(())
}

/// SO_RCVTIMEO or SO_SNDTIMEO of the outer end; zero has passed already, which the kernel has as a
/// negative time.
pub(super) fn set_timeout(outer: RawFd, name: OptionName, timeout: Option<Duration>) {
    let time = match timeout {
        None => TimeVal::zero(),
        Some(Duration::ZERO) => TimeVal::seconds(-1),
        Some(time) => {
            TimeVal::new(time.as_secs().try_into().unwrap_or(i64::MAX), time.subsec_micros().into())
        }
    };
    // It fails only when the application has closed the descriptor meanwhile.
    let _ = match name {
        OptionName::SendTimeout => socket::setsockopt(&borrow(outer), sockopt::SendTimeout, &time),
        _ => socket::setsockopt(&borrow(outer), sockopt::ReceiveTimeout, &time),
    };
}

/// The name of the outer end.
pub(super) fn name(outer: &OwnedFd) -> nix::Result<UnixAddr> {
    socket::getsockname(outer.as_raw_fd())
}

/// Whether the outer end called `name` is still open anywhere. Asks in the network namespace of the
/// calling thread.
pub(super) fn is_alive(name: &UnixAddr) -> bool {
    let probe = socket::socket(AddressFamily::Unix, SockType::Stream, flags(false, true), None);
    // Without a descriptor to spare there is no telling.
    let Ok(probe) = probe else { return true };
    socket::bind(probe.as_raw_fd(), name) != Ok(())
}

/// What `poll` shows of `fd` now.
pub(in crate::net) fn poll_now(fd: impl AsFd) -> Readiness {
    const BITS: [(libc::c_short, Readiness); 5] = [
        (libc::POLLIN, Readiness::IN),
        (libc::POLLOUT, Readiness::OUT),
        (libc::POLLRDHUP, Readiness::RDHUP),
        (libc::POLLHUP, Readiness::HUP),
        (libc::POLLERR, Readiness::ERR),
    ];
    let events = libc::POLLIN | libc::POLLOUT | libc::POLLRDHUP;
    let mut asked = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events, revents: 0 };
    // SAFETY: it reads and writes the one structure, which lives until it returns.
    unsafe { libc::poll(&raw mut asked, 1, 0) };
    let shown = BITS.iter().filter(|(bit, _)| asked.revents & bit != 0);
    shown.fold(Readiness::EMPTY, |mask, (_, readiness)| mask.union(*readiness))
}

/// Sends without waiting and without SIGPIPE.
pub(in crate::net) fn send(fd: RawFd, bytes: &[u8]) -> nix::Result<usize> {
    retry(|| socket::send(fd, bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL))
}

/// Receives without waiting.
pub(in crate::net) fn recv(fd: RawFd, bytes: &mut [u8]) -> nix::Result<usize> {
    retry(|| socket::recv(fd, bytes, MsgFlags::MSG_DONTWAIT))
}

/// Sends a byte out of band, which shows PRI at the other end, and IN beside it.
pub(in crate::net) fn send_urgent(fd: RawFd) -> nix::Result<usize> {
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    retry(|| socket::send(fd, &[1], flags))
}

/// Takes that byte back, and everything else: what the byte leaves behind reads as nothing, but
/// shows IN until it has been read over.
pub(in crate::net) fn recv_urgent_and_all(fd: RawFd, scratch: &mut [u8]) {
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_DONTWAIT;
    let _ = retry(|| socket::recv(fd, &mut [0], flags));
    while recv(fd, scratch).is_ok_and(|count| count > 0) {}
}

/// Looks at the first bytes without waiting.
pub(in crate::net) fn peek(fd: RawFd, bytes: &mut [u8]) -> nix::Result<usize> {
    retry(|| socket::recv(fd, bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_PEEK))
}

/// Calls that do not wait are not worth an EINTR.
fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

/// Bytes that can be read from `fd`.
pub(in crate::net) fn readable(fd: impl AsFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, to a place that lives until it returns.
    let done = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut count) };
    if done == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
}
