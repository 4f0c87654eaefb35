//! `_tcpstack`: the stack as Python objects; the package `tcpstack` puts the standard module's
//! shape on top of it.
//!
//! It owns the translation between the two worlds and nothing else: addresses, options, errors,
//! memory, signals and timeouts go through one file each. It refuses to hold the interpreter
//! while it waits, and no Python code ever runs on a thread of the stack.

mod address;
mod buffer;
mod connection;
mod descriptor;
mod direct;
mod errors;
mod events;
mod listener;
mod options;
mod patience;
mod run;
mod source;
mod stack;
mod stream;
mod tcp_info;
mod transfer;

#[pyo3::pymodule]
mod _tcpstack {
    #[pymodule_export]
    use crate::connection::ConnectionInfo;
    #[pymodule_export]
    use crate::descriptor::{
        accept, bind, close, connect, family, getpeername, getsockname, getsockopt, info, listen,
        open, setsockopt, shutdown, take_error, tcp_info,
    };
    #[pymodule_export]
    use crate::direct::{Direct, HandedOut, direct, hand_out};
    #[pymodule_export]
    use crate::events::EventQueue;
    #[pymodule_export]
    use crate::listener::TcpListener;
    #[pymodule_export]
    use crate::run::Run;
    #[pymodule_export]
    use crate::stack::Stack;
    #[pymodule_export]
    use crate::stream::TcpStream;
    #[pymodule_export]
    use crate::tcp_info::TcpInfo;

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
