//! `tcpstack tun`: TUN interfaces that outlive the command, so that stacks need no privilege.

use std::io;

use tcpstack::device::tun::{TunConfig, create_persistent, remove};

use crate::args::Tun;

/// Does what `arguments` ask for. Errors are the kernel's, with what was tried.
pub(crate) fn tun(arguments: &Tun) -> io::Result<()> {
    match arguments {
        Tun::Up { name, user, host, mtu } => {
            let config =
                TunConfig { mtu: mtu.map(usize::from), host: host.clone(), ..TunConfig::default() };
            create_persistent(name, user, &config)?;
            println!("{name} is up for {user}: open a stack on tun:{name}");
            Ok(())
        }
        Tun::Down { name } => remove(name),
    }
}
