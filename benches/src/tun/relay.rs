//! The reference: the kernel's TCP on both sides, through as much as the best of stacks on a TUN
//! interface has to go through. The server is in a namespace of its own with an interface of its
//! own, offload on; between the two interfaces a thread each way reads a packet and writes it.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc;
use std::thread;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sched::{CloneFlags, unshare};
use nix::unistd;
use tcpstack::device::{TunConfig, TunDevice};

use super::{CLIENT, INTERFACE, MTU, SERVER, Task, server, server_address};

/// The largest packet with its virtio_net_hdr, in bytes.
const PACKET: usize = 65_536 + 10;

/// Serves from the kernel: the client starts in this namespace, the server's is made here.
pub(super) fn serve(task: Task) -> io::Result<()> {
    let near = interface(CLIENT)?;
    let (descriptor, far) = mpsc::channel();
    let server = thread::spawn(move || far_side(task, &descriptor));
    let Ok(far) = far.recv() else { return server.join().expect("the server does not panic") };
    relay(&near, &far)?;
    let mut client = task.start_client()?;
    server.join().expect("the server does not panic")?;
    let status = client.wait()?;
    // The relay ends with the process.
    if status.success() { Ok(()) } else { Err(io::Error::other("the client failed")) }
}

/// The server: its thread moves to a namespace that is gone when it ends.
fn far_side(task: Task, descriptor: &mpsc::Sender<OwnedFd>) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let far = interface(SERVER)?;
    let listener = TcpListener::bind(server_address())?;
    descriptor.send(far).expect("somebody waits for it");
    server::serve(task, &listener)
}

/// The interface of the namespace that this thread is in, with its one address; reading it waits.
fn interface(address: Ipv4Addr) -> io::Result<OwnedFd> {
    let host = vec![(address.into(), 24)];
    let config = TunConfig { mtu: Some(MTU), host, offload: true, queues: 1, in_bulk: true };
    let device = TunDevice::open(INTERFACE, &config)?;
    if !device.has_offload() {
        return Err(io::Error::other("the kernel's TUN has no virtio_net_hdr"));
    }
    let descriptor = device.as_fd().try_clone_to_owned()?;
    let flags = OFlag::from_bits_truncate(fcntl(&descriptor, FcntlArg::F_GETFL)?);
    fcntl(&descriptor, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    Ok(descriptor)
}

/// Starts to copy, both ways.
fn relay(near: &OwnedFd, far: &OwnedFd) -> io::Result<()> {
    for (from, to) in [(near, far), (far, near)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || copy(&from, &to));
    }
    Ok(())
}

/// Copies packets as long as both interfaces are there.
fn copy(from: &OwnedFd, to: &OwnedFd) {
    let mut packet = vec![0; PACKET];
    while let Ok(len) = unistd::read(from, &mut packet) {
        // A packet that the other side does not take is lost, as on any wire.
        let _ = unistd::write(to, &packet[..len]);
    }
}
