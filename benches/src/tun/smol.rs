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
use super::{BUFFER, CLIENT, INTERFACE, MTU, PORT, SERVER, Task, Work};
use crate::interfaces::socket;
use crate::{CALL, pattern};

/// Makes the interface with the kernel's address on it.
fn interface() -> io::Result<TunTapInterface> {
    ip(&["tuntap", "add", "dev", INTERFACE, "mode", "tun"])?;
    ip(&["address", "add", &format!("{CLIENT}/24"), "dev", INTERFACE])?;
    ip(&["link", "set", INTERFACE, "mtu", &MTU.to_string(), "up"])?;
    TunTapInterface::new(INTERFACE, Medium::Ip)
}

pub(super) fn serve(task: Task) -> io::Result<()> {
    let served = connection(task);
    // The next run makes its own.
    ip(&["link", "delete", INTERFACE])?;
    served
}

fn connection(task: Task) -> io::Result<()> {
    let mut device = interface()?;
    let mut iface = Interface::new(Config::new(HardwareAddress::Ip), &mut device, Instant::now());
    iface.update_ip_addrs(|addresses| {
        addresses.push(IpCidr::new(IpAddress::Ipv4(SERVER), 24)).expect("room for one address");
    });
    let mut sockets = SocketSet::new(vec![]);
    let handle = sockets.add(socket(BUFFER));
    sockets.get_mut::<tcp::Socket>(handle).listen(PORT).map_err(io::Error::other)?;
    let mut client = task.start_client()?;
    let is_sending = matches!(task.row.work, Work::ToKernel { .. });
    let left = if is_sending { task.amount() } else { 0 };
    let mut transfer = Transfer { data: pattern(CALL), left };
    loop {
        let now = Instant::now();
        iface.poll(now, &mut device, &mut sockets);
        let socket = sockets.get_mut::<tcp::Socket>(handle);
        transfer.step(is_sending, socket)?;
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
    let status = client.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the client failed")) }
}

/// The application: its buffer, and what it has still to send.
struct Transfer {
    data: Vec<u8>,
    left: usize,
}

impl Transfer {
    /// Writes or reads what is possible now, and closes at the end.
    fn step(&mut self, is_sending: bool, socket: &mut tcp::Socket<'_>) -> io::Result<()> {
        if is_sending {
            while self.left > 0 && socket.can_send() {
                let piece = &self.data[..CALL.min(self.left)];
                self.left -= socket.send_slice(piece).map_err(io::Error::other)?;
            }
        } else {
            while socket.can_recv() {
                socket.recv_slice(&mut self.data).map_err(io::Error::other)?;
            }
        }
        let is_over =
            if is_sending { self.left == 0 } else { socket.state() == tcp::State::CloseWait };
        if is_over {
            socket.close();
        }
        Ok(())
    }
}
