//! The manual's list of socket options, written from the stack's own table and from what a fresh
//! socket says of each.

use std::fmt::Write as _;

use tcpstack::host::{Config, Domain, Host, OPTIONS, OptionRow, Shape};

/// Columns of a line of the manual.
const WIDTH: usize = 94;

/// The section, as lines of a C comment.
pub(super) fn manual() -> String {
    let mut host = Host::new(Config::new([std::net::Ipv6Addr::LOCALHOST.into()], 0), None);
    let socket = host.socket(Domain::V6);
    let mut text = String::from(
        " *\n *\n * Socket options\n *\n \
         * Name, value, what a new socket has, and what it means. As on Linux an int may be followed by\n \
         * more bytes, and a value is cut to the room there is. What is not here is ENOPROTOOPT.\n",
    );
    let mut level = "";
    for row in OPTIONS {
        if row.level_name != level {
            level = row.level_name;
            let _ = writeln!(text, " *\n * {level}");
        }
        let default = host.option(socket, row.option).ok().map(|option| option.encode(16));
        let default = default.map(|bytes| shown(row.shape, &bytes)).unwrap_or_default();
        let _ = writeln!(text, " *   {:<20} {:<25} {default}", row.name, value(row));
        wrap(&mut text, row.meaning);
    }
    text.push_str(
        " *\n * To be read only, beside these:\n \
         *   SO_ERROR (SOL_SOCKET)  int: the errno of the error that waits, which is gone with this\n \
         *   TCP_INFO (IPPROTO_TCP)  struct tcp_info of linux/tcp.h, as Linux 6.7 has it (248 bytes)\n",
    );
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What its value is.
fn value(row: &OptionRow) -> String {
    let kind = match row.shape {
        Shape::Switch => "switch".into(),
        Shape::Binary => "0 or 1".into(),
        Shape::Size => "bytes".into(),
        Shape::Number { min: i32::MIN, max: i32::MAX } => "int".into(),
        Shape::Number { min, max: i32::MAX } | Shape::ByteOrNumber { min, max: i32::MAX } => {
            format!("int from {min}")
        }
        Shape::Number { min, max } | Shape::ByteOrNumber { min, max } => {
            format!("int, {min} to {max}")
        }
        Shape::Seconds { min, max } => format!("seconds, {min} to {max}"),
        Shape::Milliseconds { .. } => "milliseconds".into(),
        Shape::Linger => "struct linger".into(),
        Shape::Time => "struct timeval".into(),
        Shape::Text => "string".into(),
        Shape::Keys => "16 or 32 bytes".into(),
        Shape::Rate => "unsigned long".into(),
    };
    match (row.is_readable, row.is_settable) {
        (true, false) => format!("{kind}, read only"),
        (false, true) => format!("{kind}, set only"),
        _ => kind,
    }
}

/// What a new socket has.
fn shown(shape: Shape, bytes: &[u8]) -> String {
    match shape {
        Shape::Text => String::from_utf8_lossy(bytes).trim_end_matches('\0').into(),
        Shape::Linger => "off".into(),
        Shape::Time => "0".into(),
        Shape::Rate => "no limit".into(),
        Shape::Keys => "the stack's".into(),
        _ => bytes.first_chunk().map_or(0, |int| i32::from_ne_bytes(*int)).to_string(),
    }
}

fn wrap(text: &mut String, meaning: &str) {
    const INDENT: &str = " *      ";
    let mut line = String::from(INDENT);
    for word in meaning.split(' ') {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = INDENT.into();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
