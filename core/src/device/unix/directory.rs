//! The directory that is the network: who may use it, and the sockets that have its addresses.
//!
//! An address belongs to whoever holds its socket open. A name left behind by a process that ended
//! is taken over; one in use is refused, saying by whom. Joining holds the directory's lock,
//! so that of two that start at once only one gets an address.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};
use nix::unistd::Uid;

use crate::device::error::context;

/// A socket bound to an address; dropping it takes the name out of the directory.
pub(super) struct BoundSocket {
    socket: OwnedFd,
    path: PathBuf,
    /// Device and inode of the name, so that a successor's is left alone.
    identity: (u64, u64),
    /// The process that bound it: a fork's copy going away must not take the name with it.
    owner: u32,
}

impl AsFd for BoundSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        if std::process::id() == self.owner && identity(&self.path).ok() == Some(self.identity) {
            // If it stays, the next one to want the address finds it stale.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The directory given, made for this user alone if it is not there.
pub(super) fn open(directory: &Path) -> io::Result<PathBuf> {
    let what = || format!("using {} as a network", directory.display());
    match DirBuilder::new().recursive(true).mode(0o700).create(directory) {
        Ok(()) => fs::canonicalize(directory).map_err(|e| context(e, what())),
        Err(error) => Err(context(error, what())),
    }
}

/// This user's own: `$XDG_RUNTIME_DIR/tcpstack`, or `/tmp/tcpstack-UID`.
pub(super) fn open_default() -> io::Result<PathBuf> {
    let uid = Uid::effective();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let directory = match runtime.filter(|directory| directory.is_dir()) {
        Some(runtime) => runtime.join("tcpstack"),
        None => PathBuf::from(format!("/tmp/tcpstack-{uid}")),
    };
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(context(error, format!("making the directory {}", directory.display())));
        }
        _ => {}
    }
    check_private(&directory, uid)?;
    Ok(directory)
}

/// In /tmp somebody else may have been there first, with a directory or a link to one.
pub(super) fn check_private(directory: &Path, uid: Uid) -> io::Result<()> {
    let name = directory.display();
    let metadata = fs::symlink_metadata(directory)
        .map_err(|e| context(e, format!("looking at the directory {name}")))?;
    let is_private =
        metadata.is_dir() && metadata.uid() == uid.as_raw() && metadata.mode() & 0o077 == 0;
    if is_private {
        return Ok(());
    }
    let rule = format!("must be a directory of user {uid} with mode 0700");
    Err(context(Errno::EACCES, format!("{name} {rule}; name another with `unix:DIR`")))
}

/// Binds every address, or none.
pub(super) fn bind_all(directory: &Path, addresses: &[IpAddr]) -> io::Result<Vec<BoundSocket>> {
    let locked = File::open(directory).and_then(|file| file.lock().map(|()| file));
    let _locked =
        locked.map_err(|e| context(e, format!("locking the directory {}", directory.display())))?;
    addresses.iter().map(|address| bind(directory, *address)).collect()
}

fn bind(directory: &Path, address: IpAddr) -> io::Result<BoundSocket> {
    let path = path(directory, address);
    let what = || format!("binding {}", path.display());
    let name = socket_name(directory, address).map_err(|e| context(e, what()))?;
    let socket = datagram_socket().map_err(|e| context(e, what()))?;
    let mut bound = socket::bind(socket.as_raw_fd(), &name);
    if bound == Err(Errno::EADDRINUSE) {
        take_over(&path, &name, address)?;
        bound = socket::bind(socket.as_raw_fd(), &name);
    }
    bound.map_err(|e| context(e, what()))?;
    let identity = identity(&path).map_err(|e| context(e, what()))?;
    Ok(BoundSocket { socket, path, identity, owner: std::process::id() })
}

/// Removes a name that no process holds any more.
fn take_over(path: &Path, name: &UnixAddr, address: IpAddr) -> io::Result<()> {
    let what = || format!("taking over {}", path.display());
    let is_socket = fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
    if !is_socket {
        let message = format!("{} is there and is not a socket", path.display());
        return Err(context(Errno::EADDRINUSE, message));
    }
    let probe = datagram_socket().map_err(|e| context(e, what()))?;
    match socket::connect(probe.as_raw_fd(), name) {
        Err(Errno::ECONNREFUSED) => fs::remove_file(path).map_err(|e| context(e, what())),
        _ => {
            let holder = holder(path).unwrap_or_else(|| "another process".to_owned());
            let message = format!("the address {address} belongs to {holder} ({})", path.display());
            Err(context(Errno::EADDRINUSE, message))
        }
    }
}

/// Who holds the socket bound to `path`, as far as this user may know: its inode from
/// /proc/net/unix, looked for among the processes' descriptors.
fn holder(path: &Path) -> Option<String> {
    let table = fs::read_to_string("/proc/net/unix").ok()?;
    let path = path.to_str()?;
    let line = table.lines().find(|line| line.split_whitespace().nth(7) == Some(path))?;
    let link = PathBuf::from(format!("socket:[{}]", line.split_whitespace().nth(6)?));
    let holds = |process: &Path| {
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        descriptors.into_iter().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == link))
    };
    let is_number = |name: &OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    let process = processes.find(|p| is_number(&p.file_name()) && holds(&p.path()))?;
    let command = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
    Some(format!("{} (process {})", command.trim(), process.file_name().to_string_lossy()))
}

pub(super) fn datagram_socket() -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket::socket(AddressFamily::Unix, SockType::Datagram, flags, None)
}

/// The name of an address's socket for `bind` and `connect`.
pub(super) fn socket_name(directory: &Path, address: IpAddr) -> Result<UnixAddr, Errno> {
    UnixAddr::new(&path(directory, address))
}

/// Colons would read like a host and port in a listing.
fn path(directory: &Path, address: IpAddr) -> PathBuf {
    directory.join(address.to_string().replace(':', "_"))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
