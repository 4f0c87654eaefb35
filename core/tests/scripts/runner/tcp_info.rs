//! The fields of TCP_INFO by their names in C: where each lies in Linux's `struct tcp_info`
//! (include/uapi/linux/tcp.h), written down here apart from the stack's own layout.

use super::machine::Tolerance;

/// Names in the order of the structure, by the bytes that each takes. The two bytes of bit-fields are
/// one name each; their fields are found in `bit_field`.
const LAYOUT: [(usize, &[&str]); 10] = [
    (1, &["state", "ca_state", "retransmits", "probes", "backoff", "options", "wscales", "flags"]),
    (
        4,
        &[
            "rto",
            "ato",
            "snd_mss",
            "rcv_mss",
            "unacked",
            "sacked",
            "lost",
            "retrans",
            "fackets",
            "last_data_sent",
            "last_ack_sent",
            "last_data_recv",
            "last_ack_recv",
            "pmtu",
            "rcv_ssthresh",
            "rtt",
            "rttvar",
            "snd_ssthresh",
            "snd_cwnd",
            "advmss",
            "reordering",
            "rcv_rtt",
            "rcv_space",
            "total_retrans",
        ],
    ),
    (8, &["pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received"]),
    (4, &["segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out"]),
    (8, &["delivery_rate", "busy_time", "rwnd_limited", "sndbuf_limited"]),
    (4, &["delivered", "delivered_ce"]),
    (8, &["bytes_sent", "bytes_retrans"]),
    (4, &["dsack_dups", "reord_seen", "rcv_ooopack", "snd_wnd", "rcv_wnd", "rehash"]),
    (2, &["total_rto", "total_rto_recoveries"]),
    (4, &["total_rto_time"]),
];

/// The field `tcpi_...` of the structure.
///
/// # Errors
/// When there is none of that name, or the structure ends before it.
pub(crate) fn field(bytes: &[u8], name: &str) -> Result<u64, String> {
    let name = name.strip_prefix("tcpi_").unwrap_or(name);
    if let Some((byte, shift, mask)) = bit_field(name) {
        return Ok(u64::from(bytes.get(byte).copied().unwrap_or(0) >> shift & mask));
    }
    let mut at = 0;
    for (size, names) in LAYOUT {
        for known in names {
            if *known == name {
                let field = bytes.get(at..at + size).ok_or("TCP_INFO ends before it")?;
                return Ok(number(field));
            }
            at += size;
        }
    }
    Err(format!("TCP_INFO has no tcpi_{name}"))
}

/// How far a field may be off that tells a time, in its own unit.
pub(crate) fn allowance(name: &str, value: u64, tolerance: Tolerance) -> u64 {
    match name.strip_prefix("tcpi_").unwrap_or(name) {
        "rto" | "ato" | "rtt" | "rttvar" | "rcv_rtt" | "min_rtt" => tolerance.us,
        // Milliseconds that timers took, which may be late.
        "total_rto_time" => tolerance.late_us(value * 1000) / 1000,
        _ => 0,
    }
}

/// Byte, shift and mask of a field of a few bits.
fn bit_field(name: &str) -> Option<(usize, u8, u8)> {
    match name {
        "snd_wscale" => Some((6, 0, 0xf)),
        "rcv_wscale" => Some((6, 4, 0xf)),
        "delivery_rate_app_limited" => Some((7, 0, 1)),
        "fastopen_client_fail" => Some((7, 1, 3)),
        _ => None,
    }
}

/// Linux's names of states and bits that TCP_INFO tells (include/net/tcp_states.h, include/uapi/linux/tcp.h).
pub(crate) fn constant(name: &str) -> Option<u64> {
    let states = "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT \
                  LAST_ACK LISTEN CLOSING";
    let phases = "Open Disorder CWR Recovery Loss";
    let options = "TIMESTAMPS SACK WSCALE ECN ECN_SEEN SYN_DATA USEC_TS";
    let place = |names: &str, name| names.split_whitespace().position(|known| known == name);
    if let Some(name) = name.strip_prefix("TCPI_OPT_") {
        return place(options, name).map(|place| 1 << place);
    }
    match name.strip_prefix("TCP_CA_") {
        Some(name) => place(phases, name).map(|place| place as u64),
        // The states begin with 1.
        None => place(states, name.strip_prefix("TCP_")?).map(|place| place as u64 + 1),
    }
}

/// An unsigned number in the machine's byte order.
fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    if cfg!(target_endian = "big") {
        wide.rotate_right(8 - bytes.len());
        return u64::from_be_bytes(wide);
    }
    u64::from_le_bytes(wide)
}
