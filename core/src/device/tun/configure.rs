//! Attaches to a TUN interface and gives it what its configuration asks for.
//!
//! What is already so is left alone, so a process without privilege can use an interface that was
//! made for it; only what is missing takes CAP_NET_ADMIN.

use std::fs::OpenOptions;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType};
use nix::unistd::{Uid, User};

use super::netlink::Netlink;
use super::{TunConfig, ioctl, virtio};
use crate::device::error::{context, errno};

const TUN_PATH: &str = "/dev/net/tun";

/// The kernel's limit (MAX_TAP_QUEUES).
const QUEUES_MAX: usize = 256;

/// An interface's queues, open.
pub(super) struct Attached {
    pub(super) queues: Vec<OwnedFd>,
    pub(super) has_virtio_header: bool,
}

/// Makes an interface that outlives this process and that `user` (a name or a number) may open without
/// privilege, configured as `config` says.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN, EINVAL for a user that does not exist, and those of [`super::TunDevice::open`].
pub fn create_persistent(name: &str, user: &str, config: &TunConfig) -> io::Result<()> {
    let owner = uid_of(user)?;
    let attached = attach(name, config)?;
    configure(name, config)?;
    for queue in &attached.queues[..1] {
        ioctl::set_owner(queue.as_fd(), owner)
            .and_then(|()| ioctl::set_persistent(queue.as_fd(), true))
            .map_err(|e| context(e, format!("making the interface `{name}` persistent")))?;
    }
    Ok(())
}

/// Removes an interface that [`create_persistent`] made.
///
/// # Errors
/// ENODEV when there is none of that name, EBUSY while a process has it open, EPERM without privilege.
pub fn remove(name: &str) -> io::Result<()> {
    check_name(name)?;
    if_nametoindex(name).map_err(|e| context(e, format!("there is no interface `{name}`")))?;
    let attached = attach(name, &TunConfig::default())?;
    ioctl::set_persistent(attached.queues[0].as_fd(), false)
        .map_err(|e| context(e, format!("removing the interface `{name}`")))
}

/// Opens the queues of `name`; the interface is created if it is not there.
pub(super) fn attach(name: &str, config: &TunConfig) -> io::Result<Attached> {
    check_name(name)?;
    if !(1..=QUEUES_MAX).contains(&config.queues) {
        let message = format!("{} queues: 1 to {QUEUES_MAX} are possible", config.queues);
        return Err(context(Errno::EINVAL, message));
    }
    let exists = if_nametoindex(name).is_ok();
    let multi = if config.queues > 1 { libc::IFF_MULTI_QUEUE } else { 0 };
    let virtio = if config.offload { libc::IFF_VNET_HDR } else { 0 };
    // EINVAL: the interface was made with the other kind of queues, or the kernel has no IFF_VNET_HDR.
    let mut attempts = vec![virtio | multi];
    if exists && multi == 0 {
        attempts.push(virtio | libc::IFF_MULTI_QUEUE);
    }
    attempts.extend((virtio != 0).then_some(multi));
    let mut result = Err(Errno::EINVAL);
    for flags in attempts {
        let queue = open_queue()?;
        result = ioctl::set_interface(queue.as_fd(), name, libc::IFF_TUN | libc::IFF_NO_PI | flags)
            .map(|()| (queue, flags));
        if !matches!(result, Err(Errno::EINVAL)) {
            break;
        }
    }
    let (first, flags) = result.map_err(|e| attach_error(e, name, exists))?;
    let mut queues = vec![first];
    for _ in 1..config.queues {
        let queue = open_queue()?;
        ioctl::set_interface(queue.as_fd(), name, libc::IFF_TUN | libc::IFF_NO_PI | flags)
            .map_err(|e| context(e, format!("adding a queue to the interface `{name}`")))?;
        queues.push(queue);
    }
    let has_virtio_header = flags & libc::IFF_VNET_HDR != 0;
    set_offload(&queues, has_virtio_header)
        .map_err(|e| context(e, format!("setting the offload of `{name}`")))?;
    Ok(Attached { queues, has_virtio_header })
}

fn open_queue() -> io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC);
    options.open(TUN_PATH).map(OwnedFd::from).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => " (the kernel's tun module is missing: `modprobe tun`)",
            io::ErrorKind::PermissionDenied => " (run as root, or let root `chmod 0666` it)",
            _ => "",
        };
        context(error, format!("opening {TUN_PATH}{hint}"))
    })
}

fn attach_error(error: Errno, name: &str, exists: bool) -> io::Error {
    let message = match (error, exists) {
        (Errno::EPERM, false) => {
            format!("creating the interface `{name}` needs CAP_NET_ADMIN; {}", advice(name))
        }
        (Errno::EPERM, true) => {
            format!("the interface `{name}` belongs to another user; {}", advice(name))
        }
        (Errno::EBUSY, _) => format!("the interface `{name}` is open in another process"),
        (Errno::EINVAL, true) => format!("the interface `{name}` is not a TUN interface"),
        _ => format!("opening the TUN interface `{name}`"),
    };
    context(error, message)
}

fn advice(name: &str) -> String {
    let user = User::from_uid(Uid::effective()).ok().flatten().map(|user| user.name);
    let user = user.unwrap_or_else(|| Uid::effective().to_string());
    format!("run as root, or let root once do `tcpstack tun up {name} --user {user}`")
}

/// Asks for as much as the kernel has; what we send may use the header in any case.
fn set_offload(queues: &[OwnedFd], has_virtio_header: bool) -> Result<(), Errno> {
    let tso = libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
    for queue in queues {
        if !has_virtio_header {
            // A persistent interface remembers what its last user had asked for.
            ioctl::set_offload(queue.as_fd(), 0)?;
            continue;
        }
        ioctl::set_virtio_header_len(queue.as_fd(), virtio::LEN)?;
        ioctl::set_offload(queue.as_fd(), libc::TUN_F_CSUM | tso)
            .or_else(|_| ioctl::set_offload(queue.as_fd(), libc::TUN_F_CSUM))
            .or_else(|_| ioctl::set_offload(queue.as_fd(), 0))?;
    }
    Ok(())
}

/// Sets what differs from `config` and returns the MTU in force.
pub(super) fn configure(name: &str, config: &TunConfig) -> io::Result<usize> {
    let index = if_nametoindex(name)
        .map_err(|e| context(e, format!("looking for the interface `{name}`")))?;
    let present = Present::of(name)?;
    // Up first: an IPv6 address is only entered into an interface that is.
    let mtu = config.mtu.filter(|mtu| *mtu != present.mtu);
    if mtu.is_some() || !present.is_up {
        let what = mtu.map_or("the state `up`".to_owned(), |mtu| format!("the MTU {mtu}"));
        Netlink::open()?.set_up(index, mtu).map_err(|e| set_error(e, name, &what))?;
    }
    for &(address, prefix_len) in &config.host {
        if !present.addresses.contains(&address) {
            check_prefix(address, prefix_len)?;
            Netlink::open()?
                .add_address(index, address, prefix_len)
                .map_err(|e| set_error(e, name, &format!("the address {address}/{prefix_len}")))?;
        }
    }
    Ok(config.mtu.unwrap_or(present.mtu))
}

fn set_error(error: io::Error, name: &str, what: &str) -> io::Error {
    let hint = match errno(&error) {
        libc::EPERM => format!(" needs CAP_NET_ADMIN; {}", advice(name)),
        _ => String::new(),
    };
    context(error, format!("giving the interface `{name}` {what}{hint}"))
}

fn check_name(name: &str) -> io::Result<()> {
    let is_valid = (1..libc::IFNAMSIZ).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.bytes().any(|b| matches!(b, b'/' | b'%' | b':' | 0) || b.is_ascii_whitespace());
    if is_valid {
        return Ok(());
    }
    let rule = "1 to 15 bytes without space, `/`, `%` or `:`";
    Err(context(Errno::EINVAL, format!("`{name}` is no interface name ({rule})")))
}

fn check_prefix(address: IpAddr, prefix_len: u8) -> io::Result<()> {
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if prefix_len <= longest {
        return Ok(());
    }
    let message = format!("{address}/{prefix_len}: the prefix length is at most {longest}");
    Err(context(Errno::EINVAL, message))
}

fn uid_of(user: &str) -> io::Result<Uid> {
    if let Ok(number) = user.parse() {
        return Ok(Uid::from_raw(number));
    }
    let found = User::from_name(user).ok().flatten();
    found.map(|user| user.uid).ok_or_else(|| {
        context(Errno::EINVAL, format!("there is no user `{user}` (a name or a number)"))
    })
}

/// What an interface has already.
struct Present {
    addresses: Vec<IpAddr>,
    mtu: usize,
    is_up: bool,
}

impl Present {
    fn of(name: &str) -> io::Result<Present> {
        let what = || format!("asking about the interface `{name}`");
        let entries = getifaddrs().map_err(|e| context(e, what()))?;
        let mut present = Present { addresses: Vec::new(), mtu: 0, is_up: false };
        for entry in entries.filter(|entry| entry.interface_name == name) {
            present.is_up |= entry.flags.contains(InterfaceFlags::IFF_UP);
            let address = entry.address.and_then(|address| {
                let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
                v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
            });
            present.addresses.extend(address);
        }
        let socket =
            socket::socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
                .map_err(|e| context(e, what()))?;
        present.mtu = ioctl::mtu(socket, name).map_err(|e| context(e, what()))?;
        Ok(present)
    }
}
