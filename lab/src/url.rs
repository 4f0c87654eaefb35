//! `tcpstack url`: what may stand in a stack's URL, from the tables that read it.

use tcpstack::host::{KNOBS, Knob};

/// Devices, keys and impairments: name and meaning.
const PARTS: [(&str, &[(&str, &str)]); 3] = [
    (
        "Devices (DEVICE?key=value&key=value)",
        &[
            ("tun:NAME", "a Linux TUN interface, made by `tcpstack tun up` or with CAP_NET_ADMIN"),
            (
                "unix:DIR",
                "a directory is the network, every process in it a host; `unix:` alone is yours",
            ),
            ("user:", "the program moves the packets by hand"),
        ],
    ),
    (
        "Keys",
        &[
            (
                "addr=ADDRESS/LEN",
                "an address of the stack, as 10.7.0.2/24; repeatable, IPv4 and IPv6",
            ),
            ("host=ADDRESS/LEN", "the kernel's address on a TUN interface that the stack makes"),
            ("mtu=BYTES", "largest IP packet"),
            ("seed=NUMBER", "what initial sequence numbers and ports are drawn from"),
            ("clock=real|manual", "who owns time: the machine, or the program (`user:`)"),
            ("pcap=FILE", "write a capture for Wireshark"),
            ("events=FILE", "write what happened and why, for `tcpstack show`"),
        ],
    ),
    (
        "Impairments, of what leaves the stack",
        &[
            ("loss=1%", "packets that vanish"),
            ("delay=20ms", "time that packets take"),
            ("jitter=5ms", "how much that time varies"),
            ("reorder=1%", "packets that overtake others"),
            ("duplicate=1%", "packets that arrive twice"),
            ("corrupt=1%", "packets with a bit turned over"),
            ("rate=100mbit", "what the link carries"),
            ("limit=1000", "packets that wait for it at most"),
            ("ecn=20", "packets that wait from which on others are marked"),
        ],
    ),
];

/// The list as text.
pub(crate) fn url() -> String {
    let mut sections: Vec<String> = PARTS
        .iter()
        .map(|(title, rows)| {
            let entries: String = rows.iter().map(|(name, meaning)| entry(name, meaning)).collect();
            format!("{title}\n{entries}")
        })
        .collect();
    let knob = |knob: &Knob| {
        let (doc, valid, default) = (knob.doc, knob.domain.expected(), knob.default);
        entry(knob.name, &format!("{doc} [{valid}; default {default}]"))
    };
    sections.push(format!("Knobs\n{}", KNOBS.iter().map(knob).collect::<String>()));
    sections.join("\n")
}

/// A name, and its meaning beside it.
fn entry(name: &str, meaning: &str) -> String {
    const COLUMNS: usize = 100;
    const MEANING: usize = 26;
    let first = format!("  {name:<width$}", width = MEANING - 2);
    let rest = " ".repeat(MEANING);
    let options = textwrap::Options::new(COLUMNS).initial_indent(&first).subsequent_indent(&rest);
    textwrap::fill(meaning, options) + "\n"
}
