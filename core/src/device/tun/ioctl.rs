//! The few ioctls of `/dev/net/tun`, each with a safe face. Everything `unsafe` of the TUN device is
//! in this file.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;

mod raw {
    nix::ioctl_readwrite_bad!(set_interface, libc::TUNSETIFF, libc::ifreq);
    nix::ioctl_write_int_bad!(set_offload, libc::TUNSETOFFLOAD);
    nix::ioctl_write_ptr_bad!(set_virtio_header_len, libc::TUNSETVNETHDRSZ, libc::c_int);
    nix::ioctl_write_int_bad!(set_persistent, libc::TUNSETPERSIST);
    nix::ioctl_write_int_bad!(set_owner, libc::TUNSETOWNER);
    nix::ioctl_read_bad!(mtu, libc::SIOCGIFMTU, libc::ifreq);
}

/// A request about the interface `name`, which the caller has checked to fit; the rest is zero.
fn request(name: &str) -> libc::ifreq {
    // SAFETY: an ifreq is numbers, addresses of numbers and a raw pointer, for all of which zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero: the name is a C string.
    for (place, byte) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request
}

/// TUNSETIFF: makes `tun` a queue of the interface, creating that if need be.
pub(super) fn set_interface(tun: BorrowedFd<'_>, name: &str, flags: i32) -> Result<(), Errno> {
    let mut request = request(name);
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    // SAFETY: the descriptor is open, and the kernel reads and writes one ifreq that lives on this stack.
    unsafe { raw::set_interface(tun.as_raw_fd(), &mut request) }.map(drop)
}

/// TUNSETOFFLOAD: what the kernel may leave to us in packets that it sends.
pub(super) fn set_offload(tun: BorrowedFd<'_>, features: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: the descriptor is open, and the argument is a number.
    unsafe { raw::set_offload(tun.as_raw_fd(), features as libc::c_int) }.map(drop)
}

/// TUNSETVNETHDRSZ: length of the header before each packet, in bytes.
pub(super) fn set_virtio_header_len(tun: BorrowedFd<'_>, len: usize) -> Result<(), Errno> {
    let len = len as libc::c_int;
    // SAFETY: the descriptor is open, and the kernel reads one int that lives on this stack.
    unsafe { raw::set_virtio_header_len(tun.as_raw_fd(), &len) }.map(drop)
}

/// TUNSETPERSIST: whether the interface outlives its descriptors.
pub(super) fn set_persistent(tun: BorrowedFd<'_>, is_persistent: bool) -> Result<(), Errno> {
    // SAFETY: the descriptor is open, and the argument is a number.
    unsafe { raw::set_persistent(tun.as_raw_fd(), is_persistent.into()) }.map(drop)
}

/// TUNSETOWNER: the user who may open the interface without privilege.
pub(super) fn set_owner(tun: BorrowedFd<'_>, uid: nix::unistd::Uid) -> Result<(), Errno> {
    // SAFETY: the descriptor is open, and the argument is a number.
    unsafe { raw::set_owner(tun.as_raw_fd(), uid.as_raw() as libc::c_int) }.map(drop)
}

/// SIOCGIFMTU, through any socket.
pub(super) fn mtu(socket: impl AsFd, name: &str) -> io::Result<usize> {
    let mut request = request(name);
    // SAFETY: the descriptor is open, and the kernel reads and writes one ifreq that lives on this stack.
    unsafe { raw::mtu(socket.as_fd().as_raw_fd(), &mut request) }?;
    // SAFETY: every bit pattern is an int, and the call has just written this member.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    usize::try_from(mtu).map_err(|_| io::Error::from(Errno::ERANGE))
}
