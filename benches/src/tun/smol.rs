//! smoltcp's side: the loop of its own benchmark example over its own TUN device, with the data
//! copied from and to a buffer of the application.

use std::io;
use std::os::fd::AsRawFd;

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Medium, TunTapInterface, wait};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::namespace::ip;
use super::{Direction, INTERFACE, KERNEL, MTU, PORT, Run, STACK};
use crate::interfaces::socket;
use crate::{CALL, pattern};

/// Makes the interface with the kernel's address on it.
fn interface() -> io::Result<TunTapInterface> {
    ip(&["tuntap", "add", "dev", INTERFACE, "mode", "tun"])?;
    ip(&["address", "add", &format!("{KERNEL}/24"), "dev", INTERFACE])?;
    ip(&["link", "set", INTERFACE, "mtu", &MTU.to_string(), "up"])?;
    TunTapInterface::new(INTERFACE, Medium::Ip)
}

pub(super) fn serve(run: &Run) -> io::Result<()> {
    let served = connection(run);
    // The next run makes its own.
    ip(&["link", "delete", INTERFACE])?;
    served
}

fn connection(run: &Run) -> io::Result<()> {
    let mut device = interface()?;
    let mut iface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, Instant::now());
    iface.update_ip_addrs(|addresses| {
        addresses.push(IpCidr::new(IpAddress::Ipv4(STACK), 24)).expect("room for one address");
    });
    let mut sockets = SocketSet::new(vec![]);
    let handle = sockets.add(socket(run.buffer));
    sockets.get_mut::<tcp::Socket>(handle).listen(PORT).map_err(io::Error::other)?;
    let mut kernel = run.start_kernel()?;
    let mut transfer = Transfer { data: pattern(CALL), left: run.amount };
    loop {
        let now = Instant::now();
        iface.poll(now, &mut device, &mut sockets);
        let socket = sockets.get_mut::<tcp::Socket>(handle);
        transfer.step(run.direction, socket)?;
        if matches!(socket.state(), tcp::State::TimeWait | tcp::State::Closed) {
            break;
        }
        let delay = iface.poll_delay(now, &sockets);
        if delay.is_none_or(|delay| delay.total_micros() > 0) {
            wait(device.as_raw_fd(), delay)?;
        }
    }
    // The last acknowledgment leaves with a poll.
    iface.poll(Instant::now(), &mut device, &mut sockets);
    let status = kernel.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the kernel's side failed")) }
}

/// The application: its buffer, and what it has still to send.
struct Transfer {
    data: Vec<u8>,
    left: usize,
}

impl Transfer {
    /// Writes or reads what is possible now, and closes at the end.
    fn step(&mut self, direction: Direction, socket: &mut tcp::Socket<'_>) -> io::Result<()> {
        match direction {
            Direction::ToKernel => {
                while self.left > 0 && socket.can_send() {
                    let piece = &self.data[..CALL.min(self.left)];
                    self.left -= socket.send_slice(piece).map_err(io::Error::other)?;
                }
                if self.left == 0 {
                    socket.close();
                }
            }
            Direction::FromKernel => {
                while socket.can_recv() {
                    socket.recv_slice(&mut self.data).map_err(io::Error::other)?;
                }
                if socket.state() == tcp::State::CloseWait {
                    socket.close();
                }
            }
        }
        Ok(())
    }
}
