//! How calls look in events: arguments and results as a C program would write and see them, the same
//! whether a program made the call or the simulator did.

use super::{Domain, Error, Shutdown};
use crate::tcp::SendFlags;

/// Bytes of a buffer that an event shows.
const SHOWN: usize = 24;

/// `"hello\n", 6`: a buffer and its length.
pub(crate) fn buffer(first: &[u8], len: usize) -> String {
    let start = &first[..first.len().min(SHOWN)];
    let more = if start.len() < len { "..." } else { "" };
    format!("\"{}\"{more}, {len}", start.escape_ascii())
}

/// The flags of `send` behind [`buffer`]: `, MSG_OOB | MSG_MORE`; nothing where there are none.
pub(crate) fn send_flags(flags: SendFlags) -> String {
    let named =
        [(flags.urgent, "MSG_OOB"), (flags.end_of_record, "MSG_EOR"), (flags.more, "MSG_MORE")];
    let names: Vec<&str> = named.iter().filter(|(is_set, _)| *is_set).map(|(_, n)| *n).collect();
    if names.is_empty() { String::new() } else { format!(", {}", names.join(" | ")) }
}

/// The arguments of `socket`.
pub(crate) fn domain(domain: Domain) -> String {
    match domain {
        Domain::V4 => "AF_INET, SOCK_STREAM, 0".into(),
        Domain::V6 => "AF_INET6, SOCK_STREAM, 0".into(),
    }
}

/// The argument of `shutdown`.
pub(crate) fn shutdown(how: Shutdown) -> String {
    match how {
        Shutdown::Read => "SHUT_RD".into(),
        Shutdown::Write => "SHUT_WR".into(),
        Shutdown::Both => "SHUT_RDWR".into(),
    }
}

/// What a call that returns 0 returns.
pub(crate) fn zero<T>(_: &T) -> String {
    "0".into()
}

/// What a call that fails returns, and errno.
pub(crate) fn failure(error: Error) -> String {
    format!("-1 {}", error.name())
}
