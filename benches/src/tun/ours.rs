//! tcpstack's side: the blocking sockets of `tcpstack::net`, as any program uses them.

use std::io::{self, Read, Write};

use tcpstack::net::{Stack, TcpListener};

use super::{Direction, INTERFACE, KERNEL, MTU, Run, STACK, server_address};
use crate::{CALL, pattern};

/// Serves the connection; `keys` go to the end of the URL.
pub(super) fn serve(run: &Run, keys: &str) -> io::Result<()> {
    let sizes = format!("4096,{0},{0}", run.buffer);
    let url = format!(
        "tun:{INTERFACE}?addr={STACK}/24&host={KERNEL}/24&mtu={MTU}\
         &tcp_rmem={sizes}&tcp_wmem={sizes}{keys}"
    );
    let stack = Stack::open(&url).map_err(io::Error::other)?;
    let listener = TcpListener::bind(&stack, server_address())?;
    let mut kernel = run.start_kernel()?;
    let (mut stream, _) = listener.accept()?;
    let mut data = pattern(CALL);
    match run.direction {
        Direction::ToKernel => {
            let mut left = run.amount;
            while left > 0 {
                left -= stream.write(&data[..CALL.min(left)])?;
            }
        }
        Direction::FromKernel => while stream.read(&mut data)? > 0 {},
    }
    drop(stream);
    let status = kernel.wait()?;
    stack.close();
    if status.success() { Ok(()) } else { Err(io::Error::other("the kernel's side failed")) }
}
